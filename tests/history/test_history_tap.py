from __future__ import annotations

import subprocess
import sys

import pytest

from darkai_cli.config.load import load
from darkai_cli.conversation.request import TurnRequest
from darkai_cli.conversation.save import TurnRecorder
from darkai_cli.events import (
    Citation,
    Notice,
    ReasoningChunk,
    StreamEnd,
    StreamStart,
    TextChunk,
    Usage,
)
from darkai_cli.history import tree, turns
from darkai_cli.history.journal import Journal
from darkai_cli.history.store import Store
from darkai_cli.messages import Message
from darkai_cli.output.sink import dispatch
from darkai_cli.providers.base import ProviderSettings, Target


@pytest.fixture
def journal(database):
    made = Journal(database)
    yield made
    made.close()


def only_turn(store):
    (found,) = store.conversations()
    (turn,) = store.turns(found.id)
    return turn, tree.branch(store, found.id)


SLOW_TO_OPEN = """
import os, signal, sys, time
from pathlib import Path
from darkai_cli.events import TextChunk
from darkai_cli.history import turns
from darkai_cli.history.journal import Journal, RecordWriter

def kill(_writer):
    print("sqlite3" in sys.modules, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)

RecordWriter.commit = kill
journal = Journal(Path(sys.argv[1]))
journal.begin("q", provider="p", model="m")
journal.text("so ")
journal.take(TextChunk("far"))
journal.sent()
time.sleep(60)
"""


def test_the_first_text_is_safe_before_the_database_is_opened(database):
    code = [sys.executable, "-I", "-c", SLOW_TO_OPEN, str(database)]
    done = subprocess.run(code, capture_output=True, text=True, check=False)
    assert (done.stdout, done.returncode) == ("False\n", -9), done.stderr
    assert database.exists()  # or nobody would open it, and find the rest
    with Store(database) as store:
        turn, nodes = only_turn(store)
        assert (turn.state, [n.text for n in nodes]) == ("interrupted", ["q", "so far"])
    assert list(turns.pending_folder(database).glob("*")) == []


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


def recording(journal):
    """A recorder whose turn has begun."""
    recorder = TurnRecorder(journal, prompt=Message("user", "q"))
    settings = ProviderSettings("p", "openai", "http://service.invalid/v1", "m")
    recorder.begin(TurnRequest(load({}), Target(settings, "m"), (Message("user", "q"),), {}))
    return recorder


@pytest.mark.parametrize("count", range(len(EVENTS) + 1))
def test_the_recorder_saves_each_event(database, journal, count):
    recorder = recording(journal)
    for event in EVENTS[:count]:
        recorder.feed(event)
    journal.end("complete")
    fed = EVENTS[:count]
    with Store(database) as store:
        turn, nodes = only_turn(store)
        assert (turn.provider, turn.model) == (("p2", "m2") if count > 1 else ("p", "m"))
        assert nodes[-1].text == "".join(e.text for e in fed if e.type == "text-chunk")
        assert nodes[-1].reasoning == "".join(e.text for e in fed if e.type == "reasoning-chunk")
        assert ("a page" in nodes[-1].parts) == (count > 4)
        assert (turn.first_text_ms is not None) == (count > 3)


class Failing:
    def __init__(self):
        self.fed = []

    def feed(self, event):
        self.fed.append(event)
        raise OSError("the terminal is gone")

    def close(self, error=None):
        pass


def test_a_sink_that_fails_does_not_cut_what_is_saved(database, journal):
    recorder = recording(journal)
    failing = Failing()
    with pytest.raises(OSError, match="terminal"):
        dispatch(iter(EVENTS), [failing, recorder], read_on=True)
    assert len(failing.fed) == 1
    journal.end("complete")
    with Store(database) as store:
        assert only_turn(store)[1][-1].text == "abc"
    rest = iter(EVENTS)
    with pytest.raises(OSError, match="terminal"):
        dispatch(rest, [Failing()])
    assert list(rest) == EVENTS[1:]
