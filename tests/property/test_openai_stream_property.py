"""The OpenAI decoder's short ways give what its long way gives, for whatever chunks may come.

The decoder remembers the shape of the usual chunk and reads only the text where the next one has it. Here
the same streams are read with that and without, over chunks that differ in small ways: other fields, other
spaces, escapes, padding, broken ones in between.
"""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from darkai_cli.errors import ProviderError
from darkai_cli.http.sse import SSEFrame
from darkai_cli.providers import openai_stream
from darkai_cli.providers.base import ProviderSettings
from darkai_cli.providers.think_tags import Thinking

SETTINGS = ProviderSettings("openai", "openai", "http://127.0.0.1/v1", "m")

TEXTS = st.text(max_size=4) | st.sampled_from(
    [
        '"',
        "\\",
        '","x":"',
        '"}',
        '"content":"',
        "\u2028",
        "\x00",
        "😀",
        "?",
        "",
        "<think>",
        "</think>",
    ]
)


def chunk(fields: dict[str, Any], text: str, *, spaced: bool, ascii_only: bool, broken: str) -> str:
    """One chunk as a server writes it. ``broken``: what is done to it then."""
    given = json.loads(json.dumps(fields).replace('"TEXT"', json.dumps(text)))
    separators = (", ", ": ") if spaced else (",", ":")
    data = json.dumps(given, separators=separators, ensure_ascii=ascii_only)
    if broken == "cut":
        return data[:-2]
    if broken == "raw":  # a control character that JSON does not allow
        return data.replace("\\u0000", "\x00").replace("\\n", "\n")
    if broken == "more":
        return data + "}"
    return data + " " if broken == "padded" else data


DELTAS = st.sampled_from(
    [
        {"content": "TEXT"},
        {"content": "TEXT", "role": "assistant"},
        {"content": "TEXT", "refusal": None},
        {"content": None, "reasoning_content": "TEXT"},
        {"reasoning": "TEXT"},
        {"reasoning": "TEXT", "reasoning_content": "TEXT"},
        {"content": "TEXT", "reasoning": "TEXT"},
        {"refusal": "TEXT"},
        *(
            {
                "role": "assistant",
                "content": content,
                "reasoning": "TEXT",
                "reasoning_details": given,
            }
            for content in ("", None, "x")
            for given in (
                [{"type": "reasoning.text", "text": "TEXT", "index": 0}],
                [{"text": "a", "type": "reasoning.text"}],
                [{"text": "TEXT"}, {"text": "TEXT"}],
                [{"type": "reasoning.summary", "summary": "TEXT"}],
                [{"type": "reasoning.encrypted", "data": "TEXT", "text": None}],
                {"text": "TEXT"},
            )
        ),
        {"reasoning_details": [{"text": "TEXT"}], "reasoning": "TEXT"},
    ]
)
SHAPES = st.builds(
    lambda delta, index, finish, before, after: {
        **before,
        "choices": [{"index": index, "delta": delta, "finish_reason": finish}],
        **after,
    },
    DELTAS,
    st.sampled_from([0, 0, 0, 0, None, 1]),
    st.sampled_from([None, None, None, None, None, "stop"]),
    st.sampled_from([{}, {"id": "c"}, {"content": "x"}, {"delta": {"content": "TEXT"}}]),
    st.sampled_from(
        [
            {},
            {"usage": None},
            {"usage": {"prompt_tokens": 1}},
            {"obfuscation": "aB3"},
            {"obfuscation": ""},
            {"obfuscation": "TEXT"},
            {"obfuscation": "x", "choices": []},
            {"citations": ["http://a.test/"]},
            {"error": None},
        ]
    ),
)
RUNS = st.lists(
    st.tuples(
        SHAPES,
        st.lists(TEXTS, min_size=1, max_size=4),
        st.booleans(),
        st.booleans(),
        st.sampled_from(["", "", "", "", "cut", "raw", "more", "padded"]),
        st.sampled_from(["message", "message", "message", "error", "delta"]),
    ),
    max_size=5,
)


def read(frames: list[SSEFrame], tries: int) -> tuple[list[Any], str]:
    """The events and the error of the frames; the decoder may remember a shape ``tries`` times."""
    decoder = openai_stream.OpenAIDecoder(SETTINGS)
    decoder._tries = openai_stream._MAX_TRIES - tries
    found: list[Any] = []
    try:
        for frame in frames:
            found.extend(decoder.feed(frame))
            if tries == 0:
                assert decoder._before == openai_stream._NEVER
        found.extend(decoder.close())
    except ProviderError as error:
        return found, error.message
    return found, ""


@given(RUNS)
def test_a_remembered_shape_changes_nothing(runs: list[Any]) -> None:
    frames = [
        SSEFrame(
            name, chunk(shape, text, spaced=spaced, ascii_only=ascii_only, broken=broken), "", None
        )
        for shape, texts, spaced, ascii_only, broken, name in runs
        for text in ["a", "b", *texts]
    ]
    assert read(frames, openai_stream._MAX_TRIES) == read(frames, 0)


def test_a_shape_is_remembered() -> None:
    """Else the test above compares nothing."""
    shape = {"choices": [{"index": 0, "delta": {"content": "TEXT"}}], "obfuscation": "k3"}
    decoder = openai_stream.OpenAIDecoder(SETTINGS)
    data = chunk(shape, "a", spaced=False, ascii_only=True, broken="")
    decoder.feed(SSEFrame("message", data, "", None))
    decoder._read = None  # type: ignore[assignment, method-assign]  # the long way is closed
    other = data.replace('"a"', '"b\\u00e9"').replace("k3", "x")
    assert [event.text for event in decoder.feed(SSEFrame("message", other, "", None))] == ["bé"]


TWICE = {
    "choices": [
        {
            "index": 0,
            "delta": {"content": "", "reasoning": "TEXT", "reasoning_details": [{"text": "TEXT"}]},
        }
    ]
}
"""OpenRouter's reasoning."""


def test_a_shape_that_has_its_string_twice_is_remembered() -> None:
    decoder = openai_stream.OpenAIDecoder(SETTINGS)
    data = chunk(TWICE, "a", spaced=False, ascii_only=True, broken="")
    decoder.feed(SSEFrame("message", data, "", None))
    decoder._read = lambda *_: ["read"]  # type: ignore[assignment, list-item, method-assign]
    both = data.replace('"a"', '"b\\u00e9"')
    assert [event.text for event in decoder.feed(SSEFrame("message", both, "", None))] == ["bé"]
    for other in (
        data.replace('"a"', '"b"', 1),  # the second is another
        data.replace('"text":"a"', '"text":"ab"'),
        both.replace("\\u00e9", "é", 1),  # the same in other letters
        data[: data.index("a") + 2] + "}]}",  # the second is missing
        data[: data.index("a") + 2] + "\n",
    ):
        assert decoder.feed(SSEFrame("message", other, "", None)) == ["read"], other


def test_a_second_that_passes_costs_one_look() -> None:
    """Each second llama.cpp's chunks have another shape; it is learnt anew as long as it serves."""
    decoder = openai_stream.OpenAIDecoder(SETTINGS)
    for second in range(50):
        data = json.dumps({"choices": [{"delta": {"content": "a"}}], "created": second})
        for _ in range(2):
            decoder.feed(SSEFrame("message", data, "", None))
    assert decoder._hit
    assert decoder._tries == 0


PIECES = st.lists(
    st.sampled_from(
        ["<", "t", "<th", "ink>", "<think>", "</think>", "</", "think", ">", "\n", " ", "a", "é"]
    ),
    max_size=10,
)


def told(pieces: list[str]) -> list[tuple[str, str]]:
    """Reasoning and text, neighbours joined."""
    thinking = Thinking()
    found: list[tuple[str, str]] = []
    for event in [event for piece in pieces for event in thinking.feed(piece)] + [
        *thinking.close()
    ]:
        assert event.text
        if found and found[-1][0] == event.type:
            found[-1] = (event.type, found[-1][1] + event.text)
        else:
            found.append((event.type, event.text))
    return found


@given(PIECES)
def test_reasoning_in_tags_is_the_same_however_it_is_cut(pieces: list[str]) -> None:
    whole = "".join(pieces)
    assert told(pieces) == told([whole]) == told(list(whole))


@given(PIECES)
def test_nothing_is_lost_beside_the_tags(pieces: list[str]) -> None:
    whole = "".join(pieces)
    found = told(pieces)
    if not whole.lstrip().startswith("<think>"):
        assert found == ([("text-chunk", whole)] if whole else [])
        return
    inner, closed, rest = whole.lstrip().removeprefix("<think>").partition("</think>")
    rest = rest.lstrip("\r\n")
    wanted = [("reasoning-chunk", inner)] if inner else []
    assert found == wanted + ([("text-chunk", rest)] if closed and rest else [])
