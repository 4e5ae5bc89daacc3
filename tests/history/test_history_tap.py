from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from darkai_cli.conversation.journal_sink import JournalTap
from darkai_cli.events import (
    Citation,
    Notice,
    ReasoningChunk,
    StreamEnd,
    StreamStart,
    TextChunk,
    Usage,
)
from darkai_cli.history import ids, presence, tree, turns
from darkai_cli.history.journal import Journal
from darkai_cli.history.store import Store
from darkai_cli.output.sink import dispatch


@pytest.fixture
def journal(database):
    made = Journal(database)
    yield made
    made.close()


def only_turn(store):
    (found,) = store.conversations()
    (turn,) = store.turns(found.id)
    return turn, tree.branch(store, found.id)


BEGUN = """
import os, signal, sys, time
from pathlib import Path
from darkai_cli.events import TextChunk
from darkai_cli.history import presence, writer
from darkai_cli.history.journal import Journal
writer._REST = 1e9  # the machine may be slow
journal = Journal(Path(sys.argv[1]))
journal.begin("q", provider="p", model="m")
journal.sent()
journal.text("so ")
journal.take(TextChunk("far"))
folder = presence.folder_of(Path(sys.argv[1]))
while not any("far" in file.read_text() for file in folder.glob("*")):
    time.sleep(0.01)
print("sqlite3" in sys.modules, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_has_only_begun_is_safe_without_the_database(database):
    code = [sys.executable, "-I", "-c", BEGUN, str(database)]
    done = subprocess.run(code, capture_output=True, text=True, check=False)
    assert (done.stdout, done.returncode) == ("False\n", -9), done.stderr
    assert database.exists()  # or nobody would open it, and find the rest
    with Store(database) as store:
        turn, nodes = only_turn(store)
        assert (turn.state, [n.text for n in nodes]) == ("interrupted", ["q", "so far"])
    assert list(presence.folder_of(database).iterdir()) == []


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


@pytest.mark.parametrize("count", range(len(EVENTS) + 1))
def test_the_tap_passes_on_what_the_journal_takes(database, journal, count):
    names = journal.begin("q", provider="p", model="m")
    passed = list(JournalTap(journal).passing(iter(EVENTS[:count])))
    stamped = StreamStart("p2", "m2", names.conversation, names.turn)
    assert passed == [stamped if event == EVENTS[1] else event for event in EVENTS[:count]]
    journal.end("complete")
    came = EVENTS[:count]
    with Store(database) as store:
        turn, nodes = only_turn(store)
        assert (turn.provider, turn.model) == (("p2", "m2") if count > 1 else ("p", "m"))
        assert nodes[-1].text == "".join(e.text for e in came if e.type == "text-chunk")
        assert nodes[-1].reasoning == "".join(e.text for e in came if e.type == "reasoning-chunk")
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
    journal.begin("q", provider="p", model="m")
    failing = Failing()
    with pytest.raises(OSError, match="terminal"):
        dispatch(iter(EVENTS), [failing, JournalTap(journal)])
    assert len(failing.fed) == 1
    journal.end("complete")
    with Store(database) as store:
        assert only_turn(store)[1][-1].text == "abc"
    rest = iter(EVENTS)
    with pytest.raises(OSError, match="terminal"):
        dispatch(rest, [Failing()])
    assert list(rest) == EVENTS[1:]


def turn_records(pieces):
    piece = {"op": "piece", "turn": names_of(1)[1]}
    return [
        {"op": "begin", "ids": names_of(1), "parent": None, "prompt": "q", "title": "q",
         "provider": "p", "model": "m", "options": "{}", "system": None, "resumes": None,
         "started": 1, "owner": None},
        {"op": "answered", "turn": names_of(1)[1], "provider": "p2", "model": "m2"},
        *({**piece, "seq": at, "kind": kind, "text": text} for at, (kind, text) in enumerate(pieces)),
        {"op": "end", "turn": names_of(1)[1], "state": "complete", "reason": "stop",
         "error_kind": None, "error": None, "usage": [1, 2, 3, 4], "first_text_ms": 5,
         "duration_ms": 6, "ended": 7},
    ]  # fmt: skip


def names_of(ms):
    return [ids.derived_id(ms, str(number)) for number in range(4)]


PIECES = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["text", "reasoning"]), st.text(st.characters(codec="utf-8"))),
        st.just(("part", "[1]")),
    ),
    max_size=6,
)


@given(PIECES, st.integers(0, 9))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_a_turn_written_at_once_is_as_one_written_piece_by_piece(database, pieces, known):
    whole = turn_records(pieces)
    found = []
    for at_once in (True, False):
        for part in ("", "-wal", "-shm"):
            database.with_name(database.name + part).unlink(missing_ok=True)
        with Store(database) as store, store.writing() as conn:
            if at_once:
                turns.write(conn, whole)
                turns.write(conn, whole)  # a second time changes nothing
            else:
                turns.write(conn, whole[: 1 + known % len(whole)])
                for record in whole:
                    turns.apply(conn, record)
            tables = ("conversation", "message", "turn", "piece")
            found.append([store.rows(f"SELECT * FROM {table}") for table in tables])
            assert store.check() == []
    assert found[0] == found[1]
