"""Every dialect against its wire cases: what is sent, and what the bytes that come back mean.

A case is a data file, ``cases/DIALECT/NAME.json``: a request to be made, a response, the events and the
error expected. The same events must come however the bytes are cut.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkai_cli import events
from darkai_cli.errors import ProviderError
from darkai_cli.messages import ChatRequest, Message
from darkai_cli.providers.base import ProviderSettings
from darkai_cli.providers.http import ReplyReader
from darkai_cli.providers.registry import DIALECTS, dialect_of

CASES = sorted((Path(__file__).parent / "cases").glob("*/*.json"))
LONG = 2000
"""Bodies longer than this are not cut at every byte, only at some."""


def load(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text())


def settings_for(path: Path) -> ProviderSettings:
    return ProviderSettings(
        name=path.parent.name,
        type=path.parent.name,
        url="http://service.test/chat",
        default_model="llama-3-70b",
    )


def chat_for(case: dict[str, Any]) -> ChatRequest:
    chat = case.get("chat") or {"messages": [["user", "Hi"]], "model": "llama-3-70b", "options": {}}
    messages = tuple(Message(role, content) for role, content in chat["messages"])
    return ChatRequest(messages, chat["model"], chat["options"])


def decode(path: Path, case: dict[str, Any], pieces: Iterable[bytes]) -> tuple[list[Any], Any]:
    """The events that the pieces give, neighbouring texts joined, and the error that ended them."""
    settings = settings_for(path)
    reader = ReplyReader(dialect_of(settings), settings, chat_for(case))
    response = case["response"]
    found: list[events.Event] = []
    error = None
    try:
        if response["status"] != 200:
            raise reader.refusal(
                response["status"], response["headers"], b"".join(pieces), settings.url
            )
        for piece in pieces:
            found.extend(reader.feed(piece))
            if reader.ended:
                break
        found.extend(reader.finish(response["headers"]))
    except ProviderError as exc:
        error = exc
    return [events.to_json(event) for event in found], error


def check(path: Path, case: dict[str, Any], pieces: Iterable[bytes]) -> None:
    found, error = decode(path, case, pieces)
    assert found == case["events"]
    wanted = case.get("error")
    assert (error is None) == (wanted is None), error
    if wanted is not None:
        assert wanted["contains"] in error.message
        assert (error.kind, error.exit_code) == (wanted["kind"], wanted["exit_code"])
        assert error.retryable == wanted.get("retryable", error.retryable)


def body_of(case: dict[str, Any]) -> bytes:
    return case["response"]["body"].encode("utf-8", "surrogatepass")


@pytest.mark.parametrize("path", CASES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_reply(path: Path) -> None:
    case = load(path)
    body = body_of(case)
    check(path, case, [body])
    if len(body) <= LONG:
        check(path, case, [body[i : i + 1] for i in range(len(body))])
        for cut in range(1, len(body)):
            check(path, case, [body[:cut], body[cut:]])
    else:
        check(path, case, [body[i : i + 1021] for i in range(0, len(body), 1021)])


@pytest.mark.parametrize("path", CASES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_request(path: Path) -> None:
    case = load(path)
    wanted = case.get("request")
    if wanted is None:
        return
    settings = settings_for(path)
    request = dialect_of(settings).request(chat_for(case), settings)
    assert (request.method, request.url) == (wanted["method"], wanted["url"])
    assert json.loads(request.body) == wanted["body"]
    for name, value in wanted["headers"].items():
        assert request.headers[name] == value


@given(data=st.data(), kind=st.sampled_from(sorted(set(DIALECTS) - {"demo"})))
def test_no_bytes_break_a_decoder(data: Any, kind: str) -> None:
    """Whatever comes, it ends in events or in a ``ProviderError``, in the order of the protocol."""
    line = st.one_of(
        st.binary(max_size=40),
        st.sampled_from(
            [
                b"data: ",
                b"event: error",
                b"\n",
                b'{"event":"text-chunk","data":{"text":"x"}}',
                b"{}",
            ]
        ),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=5),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(
                    st.sampled_from(
                        ["event", "data", "text", "error", "detail", "choices", "delta"]
                    ),
                    inner
                    | st.sampled_from(["text-chunk", "error", "stream-end", "final-response"]),
                    max_size=4,
                )
            ),
            max_leaves=8,
        ).map(lambda value: b"data: " + json.dumps(value).encode()),
    )
    body = b"\n".join(data.draw(st.lists(line, max_size=12)))
    path = Path(kind) / "generated.json"
    case = {"response": {"status": 200, "headers": {}}}
    found, error = decode(path, case, [body])
    names = [event["event"] for event in found]
    assert "stream-start" not in names[names.count("notice") + 1 :] or names[0] == "stream-start"
    assert ("stream-end" in names[-1:]) == (error is None)
    assert names.count("stream-end") <= 1
