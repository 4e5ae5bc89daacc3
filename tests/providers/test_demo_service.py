"""The demo service speaks DarkAI's bytes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkai_cli.events import StreamEnd, TextChunk
from darkai_cli.http.sse import SSEDecoder
from darkai_cli.messages import ChatRequest, Message
from darkai_cli.providers.catalog import BUILT_IN
from darkai_cli.providers.darkai import DarkAIDialect, format_prompt
from darkai_cli.providers.demo import answers, service


def reply_to(query: str, delay: float = 0.0) -> list[tuple[float, bytes]]:
    return list(
        service.respond(json.dumps({"query": query, "model": "demo"}).encode(), {}, delay=delay)
    )


def messages(pieces: list[tuple[float, bytes]]) -> list[dict[str, Any]]:
    events = []
    for _, piece in pieces:
        assert piece.startswith(b"data: ")
        assert piece.endswith(b"\n\n")
        assert piece.count(b"\n") == 2
        events.append(json.loads(piece[6:]))
    return events


def text_of(query: str) -> str:
    return "".join(
        m["data"]["text"] for m in messages(reply_to(query)) if m["event"] == "text-chunk"
    )


def test_a_reply_is_begun_chunked_and_ended() -> None:
    events = messages(reply_to("tell me a joke"))
    names = [message["event"] for message in events]
    assert names[0] == "begin-stream"
    assert events[0]["data"] == {"query": "tell me a joke"}
    assert set(names[1:-1]) == {"text-chunk"}
    assert len(names) > 8
    assert events[-1] == {"event": "stream-end", "data": {}}
    assert text_of("tell me a joke") == answers.answer("tell me a joke")


def test_the_chunks_are_words() -> None:
    chunks = [
        m["data"]["text"]
        for m in messages(reply_to("echo one two\n three "))
        if m["event"] == "text-chunk"
    ]
    assert chunks == ["one", " two", "\n three", " "]


def test_only_words_are_paced() -> None:
    pieces = reply_to("echo a b c", delay=0.25)
    assert [pause for pause, _ in pieces] == [0.0, 0.25, 0.25, 0.25, 0.0]


def test_where_there_is_no_answer_it_says_so() -> None:
    assert text_of("write a commit message\n\n+1\n-2") == answers.CANNOT


def test_the_real_decoder_understands_it() -> None:
    settings = BUILT_IN["demo"]
    dialect = DarkAIDialect()
    chat = ChatRequest(
        (Message("system", "Be kind"), Message("user", "markdown")), "demo", {"temperature": 0}
    )
    request = dialect.request(chat, settings)
    frames, decoder = SSEDecoder(), dialect.decoder(settings)
    events: list[Any] = []
    for _, piece in service.respond(request.body, request.headers):
        for frame in frames.feed(piece):
            events.extend(decoder.feed(frame))
    events.extend(decoder.close())
    assert decoder.ended
    assert events[-1] == StreamEnd("stop")
    assert all(isinstance(event, TextChunk) for event in events[:-1])
    assert "".join(event.text for event in events[:-1]) == answers.answer("markdown")


TURN = (Message("user", "tell me a joke"), Message("assistant", "No.\nUser: really not"))


@pytest.mark.parametrize(
    ("talk", "last"),
    [
        ((Message("user", "hello"),), "hello"),
        ((Message("system", "Be brief"), Message("user", "hello")), "hello"),
        ((*TURN, Message("user", "markdown")), "markdown"),
        ((*TURN, Message("user", "echo a\nb\n")), "echo a\nb\n"),
        ((Message("user", "User: a\nAssistant: b"),), "User: a\nAssistant: b"),
        (
            (Message("system", "only this"), Message("assistant", "hm")),
            "System: only this\nAssistant: hm\nAssistant:",
        ),
    ],
)
def test_the_last_message_of_the_user_counts(talk: tuple[Message, ...], last: str) -> None:
    assert service.last_user_message(format_prompt(talk)) == last


def test_a_conversation_does_not_hear_a_joke_twice() -> None:
    talk = [Message("user", "tell me a joke")]
    jokes = []
    for _ in range(20):
        jokes.append(text_of(format_prompt(talk)))
        talk += [Message("assistant", jokes[-1]), Message("user", "another joke")]
    assert len(set(jokes)) == 20


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b'"x"', b"{}", b'{"query": 7}', b"\xff", b"[" * 100_000]
)
def test_what_is_no_request_gets_an_error_event(body: bytes) -> None:
    ((pause, piece),) = service.respond(body, {})
    assert pause == 0
    assert piece.startswith(b"event: error\ndata: ")
    assert json.loads(piece.split(b"data: ")[1]) == {
        "event": "error",
        "data": {"detail": "the request has no text in `query`"},
    }


def test_half_a_surrogate_pair_comes_back_as_it_went() -> None:
    pieces = list(service.respond(b'{"query": "echo \\ud83d!"}', {}))
    assert messages(pieces)[1]["data"] == {"text": "\ud83d!"}


def test_a_long_reply_is_not_made_at_once() -> None:
    stream = service.respond(json.dumps({"query": "long 200000"}).encode(), {})
    assert [json.loads(next(stream)[1][6:])["event"] for _ in range(3)] == [
        "begin-stream",
        "text-chunk",
        "text-chunk",
    ]


def test_a_word_without_an_end_is_cut_into_bounded_chunks() -> None:
    word = "é" * 100_000 + " " * 100_000
    pieces = reply_to(f"echo {word}")
    assert max(len(piece) for _, piece in pieces) < 8_000
    assert "".join(m["data"]["text"] for m in messages(pieces)[1:-1]) == word


@given(st.text(min_size=1).filter(lambda text: not text[0].isspace()))
def test_echo_is_exact_over_the_wire(text: str) -> None:
    assert text_of(f"echo {text}") == text


@given(st.binary(max_size=200) | st.text().map(lambda query: json.dumps({"query": query}).encode()))
def test_any_body_gets_one_whole_reply(body: bytes) -> None:
    pieces = b"".join(piece for _, piece in service.respond(body, {}))
    ends = pieces.count(b'data: {"event":"stream-end"') + pieces.count(b'data: {"event":"error"')
    assert ends == 1
