"""The recorder of a turn: what it saves, and what it says of a reply that was cut."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from darkai_cli.config.load import load
from darkai_cli.conversation.request import TurnRequest
from darkai_cli.conversation.save import TurnRecorder
from darkai_cli.errors import IncompleteReplyError
from darkai_cli.events import (
    Citation,
    Event,
    Notice,
    ReasoningChunk,
    StreamEnd,
    StreamStart,
    TextChunk,
    Usage,
)
from darkai_cli.history import tree
from darkai_cli.history.journal import Journal
from darkai_cli.history.store import Store, StoredTurn
from darkai_cli.messages import Message
from darkai_cli.output.sink import dispatch
from darkai_cli.providers.base import ProviderSettings, Target

EVENTS = [
    Notice("info", "asked again"),
    StreamStart("p2", "m2"),
    ReasoningChunk("hm"),
    TextChunk("a"),
    Citation("https://example.org", "a page"),
    TextChunk("b"),
    TextChunk("c"),
    ReasoningChunk("so"),
    Usage(1, 2),
    StreamEnd("stop"),
]


PROMPT = Message("user", "q")


@pytest.fixture
def journal(isolated: Path) -> Iterator[Journal]:
    journal = Journal(isolated / "darkai" / "history.db")
    yield journal
    journal.close()


def begun(journal: Journal, options: dict[str, Any] | None = None) -> TurnRecorder:
    """Return a recorder whose turn has begun."""
    recorder = TurnRecorder(journal, prompt=PROMPT)
    settings = ProviderSettings("p", "openai", "http://service.invalid/v1", "m")
    recorder.begin(TurnRequest(load({}), Target(settings, "m"), (PROMPT,), options or {}))
    return recorder


def saved(journal: Journal) -> tuple[StoredTurn, tree.Node]:
    """Return the only turn in the history, and its reply."""
    with Store(journal.path) as store:
        (conversation,) = store.conversations()
        (turn,) = store.turns(conversation.id)
        return turn, tree.branch(store, conversation.id)[-1]


@pytest.mark.parametrize("count", [1, 2, 4, 5, len(EVENTS)])
def test_each_event_is_saved(journal: Journal, count: int) -> None:
    recorder = begun(journal)
    for event in EVENTS[:count]:
        recorder.feed(event)
    journal.end("complete")
    turn, reply = saved(journal)
    fed = EVENTS[:count]
    assert (turn.provider, turn.model) == (("p2", "m2") if count > 1 else ("p", "m"))
    assert reply.text == "".join(event.text for event in fed if event.type == "text-chunk")
    assert reply.reasoning == "".join(
        event.text for event in fed if event.type == "reasoning-chunk"
    )
    assert ("a page" in reply.parts) == (count > 4)
    assert (turn.first_text_ms is not None) == (count > 3)


class BrokenTerminal:
    def __init__(self) -> None:
        self.events: list[Event] = []

    def feed(self, event: Event) -> None:
        self.events.append(event)
        raise OSError("the terminal is gone")

    def close(self, error: BaseException | None = None) -> None:
        pass


def test_a_sink_that_fails_does_not_cut_what_is_saved(journal: Journal) -> None:
    recorder, terminal = begun(journal), BrokenTerminal()
    with pytest.raises(OSError, match="terminal"):
        dispatch(iter(EVENTS), [terminal, recorder], read_on=True)
    assert len(terminal.events) == 1
    journal.end("complete")
    assert saved(journal)[1].text == "abc"


def test_without_a_history_a_failing_sink_ends_the_reply() -> None:
    remaining = iter(EVENTS)
    with pytest.raises(OSError, match="terminal"):
        dispatch(remaining, [BrokenTerminal()])
    assert list(remaining) == EVENTS[1:]


@pytest.mark.parametrize("options", [{}, {"max_tokens": 5}])
def test_a_reply_at_its_length_limit_is_truncated(
    journal: Journal, options: dict[str, Any]
) -> None:
    """It is an error only where the user did not set the limit."""
    recorder = begun(journal, options)
    dispatch(iter([StreamStart("p", "m"), TextChunk("cut o"), StreamEnd("length")]), [recorder])
    outcome = recorder.reply.outcome(stayed=True, options=options)
    recorder.end(outcome)
    if options:
        assert outcome.error is None
    else:
        assert isinstance(outcome.error, IncompleteReplyError)
        assert "darkai ask --resume --conversation" in (outcome.error.hint or "")
    turn, reply = saved(journal)
    assert (turn.state, turn.reason, reply.text) == ("truncated", "length", "cut o")


def test_the_error_that_cut_a_reply_says_how_to_continue_before_other_sinks_see_it(
    journal: Journal,
) -> None:
    recorder = begun(journal)
    error = IncompleteReplyError("cut")
    recorder.feed(TextChunk("half"))
    recorder.close(error)
    assert "--resume" in (error.hint or "")


def test_without_a_history_nothing_is_saved_and_nothing_promised() -> None:
    recorder = TurnRecorder()
    error = IncompleteReplyError("cut")
    recorder.feed(TextChunk("half"))
    recorder.close(error)
    outcome = recorder.reply.outcome(stayed=True, options={})
    recorder.end(outcome)
    assert (outcome.state, recorder.is_saving) == ("truncated", False)
    assert "--resume" not in (error.hint or "")
