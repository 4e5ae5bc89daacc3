"""A recording is a file from anywhere: nothing in it is believed before it was looked at."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.scenario import run_darkai

from darkai_cli import events
from darkai_cli.errors import DarkAIError, InputError
from darkai_cli.output import recording

START = {"t": 0, "event": "stream-start", "data": {"provider": "p", "model": "m"}}
END = {"t": 0.1, "event": "stream-end", "data": {"reason": "stop"}}


def line(name: str, data: Any, t: Any = 0) -> dict[str, Any]:
    return {"t": t, "event": name, "data": data}


def taped(*lines: dict[str, Any]) -> list[bytes]:
    return [json.dumps(row).encode() + b"\n" for row in lines]


def played(*lines: dict[str, Any]) -> list[Any]:
    return [item for _, item in recording.read(taped(*lines), "tape")]


BAD = [
    line("text-chunk", {"text": 123}),
    line("text-chunk", {"text": None}),
    line("reasoning-chunk", {"text": ["x"]}),
    line("notice", {"level": "weird", "text": "x"}),
    line("notice", {"level": ["info"], "text": "x"}),
    line("notice", {"level": "info", "text": 5}),
    line("citation", {"url": 5, "title": ""}),
    line("citation", {"url": "u", "title": None}),
    line("tool-call", {"id": "1", "name": "n", "arguments": {}}),
    line("tool-result", {"id": "1", "name": "n", "output": "x", "is_error": 1}),
    line("usage", {"input": -1}),
    line("usage", {"input": True}),
    line("usage", {"output": 2**63}),
    line("usage", {"output": "5"}),
    line("stream-start", {"provider": 1, "model": "m"}),
    line("stream-start", {"provider": "p", "model": None}),
    line("stream-end", {"reason": "weird"}),
    line("stream-end", {"reason": None}),
    line("error", {"kind": ["x"], "message": "m"}),
    line("error", {"kind": "network", "message": 5}),
    line("error", {"kind": "network", "message": "m", "hint": 5}),
    line("error", None),
    line("text-chunk", {"text": "x"}, t=1e300),
    line("text-chunk", {"text": "x"}, t=10**400),
    line("text-chunk", {"text": "x"}, t=float("nan")),
    line("text-chunk", {"text": "x"}, t=True),
]


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: json.dumps(bad)[:60])
def test_a_bad_line_is_named_by_its_number(bad: dict[str, Any]) -> None:
    with pytest.raises(InputError) as caught:
        played(START, bad, END)
    assert "`tape`, line 2: " in caught.value.message


def test_a_bad_recording_ends_with_11() -> None:
    Path("tape.jsonl").write_bytes(b"".join(taped(START, BAD[0], END)))
    result = run_darkai("replay", "tape.jsonl")
    assert (result.code, result.stdout) == (11, b""), result
    assert "`tape.jsonl`, line 2" in result.stderr


def test_an_empty_text_is_left_out_and_a_half_of_a_pair_replaced() -> None:
    Path("tape.jsonl").write_bytes(
        b"".join(
            taped(
                START,
                line("text-chunk", {"text": ""}),
                line("text-chunk", {"text": "a\ud800b"}),
                line("notice", {"level": "info", "text": "n\udfff"}),
                END,
            )
        )
    )
    result = run_darkai("replay", "--instant", "tape.jsonl")
    assert (result.code, result.stdout) == (0, "a\ufffdb\n".encode()), result
    assert "note: n\ufffd" in result.stderr


def test_an_error_without_halves() -> None:
    error = played(line("error", {"kind": "limit", "message": "m\ud800", "hint": "h\ud800"}))[0]
    assert (error.exit_code, error.message, error.hint) == (6, "m\ufffd", "h\ufffd")
    unknown = played(line("error", {"kind": "of-tomorrow", "message": "m"}))[0]
    assert unknown.exit_code == 9


def test_a_recording_that_was_cancelled_is_not_complete() -> None:
    Path("answer.md").write_text("old")
    Path("tape.jsonl").write_bytes(
        b"".join(
            taped(
                START,
                line("text-chunk", {"text": "half"}),
                line("stream-end", {"reason": "cancelled"}),
            )
        )
    )
    result = run_darkai("replay", "--instant", "--output", "answer.md", "tape.jsonl")
    assert (result.code, result.stderr) == (130, ""), result
    assert Path("answer.md").read_text() == "old"


def test_no_pause_is_longer_than_can_be_slept() -> None:
    slept: list[float] = []
    tape = iter([(1.0, events.TextChunk("x"))])
    list(recording.play(tape, 1e-310, slept.append, lambda: 0.0))
    assert slept == [recording.MAX_TIME]


TEXTS = st.sampled_from(["", "a", "\ud800", "info", "stop", "network"]) | st.text(max_size=3)
OTHERS = st.sampled_from([None, True, 0, -1, 10**400, 1e300, float("nan"), [], ["x"], {}])
FIELDS = {
    **{
        name: [field for field in cls._fields if field != "type"]
        for name, cls in events._CLASSES.items()
    },
    "error": ["kind", "message", "hint"],
    "new": ["text"],
}


@st.composite
def lines(draw: st.DrawFn) -> dict[str, Any]:
    """A line with all its fields, of which one at most is not even a text."""
    name = draw(st.sampled_from([*FIELDS]))
    data: dict[str, Any] = {field: draw(TEXTS) for field in FIELDS[name]}
    wrong = draw(st.sampled_from(["", "t", *data]))
    if wrong in data:
        data[wrong] = draw(OTHERS)
    return line(name, data, draw(OTHERS) if wrong == "t" else 0)


@given(lines())
def test_whatever_a_line_holds_what_is_read_can_be_written(row: dict[str, Any]) -> None:
    try:
        items = played(row, END)
    except InputError:
        return
    for item in items:
        if isinstance(item, DarkAIError):
            item.message.encode()
            (item.hint or "").encode()
        else:
            events.encode(item).encode()
            for value in item:
                assert isinstance(value, str | int | None)
                str(value).encode()
