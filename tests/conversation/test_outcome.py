"""How a reply ended: the table of endings."""

from __future__ import annotations

import pytest

from darkai_cli.conversation.outcome import Reply
from darkai_cli.errors import IncompleteReplyError, NetworkError
from darkai_cli.events import Citation, Event, ReasoningChunk, StreamEnd, StreamStart, TextChunk

START, TEXT = StreamStart("p", "m"), TextChunk("hi")


def outcome_of(
    *events: Event, error: BaseException | None = None, stayed: bool = True, **options: object
) -> tuple[str, int]:
    reply = Reply()
    for event in events:
        reply.feed(event)
    reply.close(error)
    outcome = reply.outcome(stayed=stayed, options=options)
    return outcome.state, getattr(outcome.error, "exit_code", 0 if outcome.error is None else -1)


@pytest.mark.parametrize(
    ("events", "kwargs", "wanted"),
    [
        ((START, TEXT, StreamEnd("stop")), {}, ("complete", 0)),
        ((START, TEXT, StreamEnd("eof")), {}, ("complete", 0)),
        ((START, StreamEnd("stop")), {}, ("complete", 0)),
        ((START, StreamEnd("tool-calls")), {}, ("complete", 0)),
        ((START, TEXT, StreamEnd("length")), {}, ("truncated", 14)),
        ((START, TEXT, StreamEnd("length")), {"max_tokens": 5}, ("truncated", 0)),
        ((START, TEXT, StreamEnd("filtered")), {}, ("truncated", 10)),
        ((START, TEXT), {"error": IncompleteReplyError("cut")}, ("truncated", 14)),
        ((START, ReasoningChunk("hm")), {"error": IncompleteReplyError("x")}, ("truncated", 14)),
        ((START, Citation("u", "t")), {"error": IncompleteReplyError("x")}, ("truncated", 14)),
        ((), {"error": NetworkError("refused")}, ("failed", 7)),
        ((START, TEXT), {"error": KeyboardInterrupt()}, ("interrupted", -1)),
        ((START, TEXT), {"stayed": False}, ("interrupted", 0)),
        ((START, TEXT, StreamEnd("stop")), {"stayed": False}, ("complete", 0)),
    ],
)
def test_endings(events: tuple[Event, ...], kwargs: dict, wanted: tuple[str, int]) -> None:
    assert outcome_of(*events, **kwargs) == wanted
