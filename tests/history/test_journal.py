from __future__ import annotations

import random
import resource
import sqlite3
import subprocess
import sys
import threading
import time

import pytest
from history.child_outputs import CHILD, Given, given_before

from darkai_cli.errors import StoreError
from darkai_cli.events import Citation, ReasoningChunk, StreamEnd, TextChunk, Usage
from darkai_cli.history import journal as journal_module
from darkai_cli.history import tree, turns
from darkai_cli.history.database import store_error
from darkai_cli.history.journal import Journal, RecordWriter
from darkai_cli.history.schema import VERSION
from darkai_cli.history.store import Store

ALLOWANCE = 0.5
"""Seconds that a busy machine may keep the journal's thread from running, beyond its 250 ms."""


@pytest.fixture
def journal(database):
    made = Journal(database)
    yield made
    made.close()


def only_turn(store):
    (result,) = store.conversations()
    (turn,) = store.turns(result.id)
    return turn, tree.branch(store, result.id)


def leftovers(database):
    folder = turns.pending_folder(database)
    return sorted(folder.iterdir()) if folder.exists() else []


def test_a_turn_is_saved_whole(database, journal):
    names = journal.begin(
        "why?\nbecause", provider="p", model="m", options={"temperature": 0.5}, system="be brief"
    )
    journal.take(ReasoningChunk("let me "))
    journal.take(ReasoningChunk("think"))
    journal.text("an ")
    journal.take(Citation("https://example.org", "a page"))
    journal.take(TextChunk("ans"))
    journal.take(TextChunk("wer"))
    journal.take(StreamEnd("stop"))
    assert journal.end("truncated", reason="length", usage=Usage(3, 4, 5, 6)) == "saved"
    journal.close()
    assert leftovers(database) == []
    with Store(database) as store:
        turn, (question, answer) = only_turn(store)
        assert store.conversation(names.conversation).title == "why? because"
        assert (question.id, question.role, question.text) == (
            names.prompt,
            "user",
            "why?\nbecause",
        )
        assert (answer.id, answer.text, answer.reasoning) == (
            names.reply,
            "an answer",
            "let me think",
        )
        assert '"a page"' in answer.parts
        assert (turn.id, turn.provider, turn.model, turn.system) == (
            names.turn,
            "p",
            "m",
            "be brief",
        )
        assert (turn.state, turn.reason, turn.error) == ("truncated", "length", None)
        assert turn.options == '{"temperature":0.5}'
        assert (
            turn.input_tokens,
            turn.output_tokens,
            turn.reasoning_tokens,
            turn.cached_tokens,
        ) == (3, 4, 5, 6)
        assert 0 <= turn.first_text_ms <= turn.duration_ms
        assert store.rows("SELECT * FROM piece") == []
        assert store.check() == []


def test_a_failed_turn_keeps_its_error(database, journal):
    journal.begin("q", provider="p", model="m")
    journal.end("failed", error_kind="network", error="cannot connect")
    with Store(database) as store:
        turn, (_, answer) = only_turn(store)
        assert (turn.state, turn.error_kind, turn.error) == ("failed", "network", "cannot connect")
        assert (answer.text, turn.first_text_ms) == ("", None)


def test_text_that_utf8_cannot_hold_is_kept_readable(database, journal):
    journal.begin("a \ud800 b", provider="p", model="m")
    for piece in ("x\ud83d", "\ude00y", "\0", "\udfff"):
        journal.text(piece)
    journal.end("complete")
    with Store(database) as store:
        _, (question, answer) = only_turn(store)
        assert question.text == "a \ufffd b"
        assert answer.text == "x😀y\0\ufffd"


def test_one_journal_writes_many_turns(database, journal):
    first = journal.begin("one", provider="p", model="m")
    journal.text("1")
    journal.end("complete")
    second = journal.begin(
        "two", provider="p", model="m", conversation=first.conversation, parent=first.reply
    )
    journal.text("2")
    journal.end("complete")
    again = journal.begin(
        None,
        prompt_id=second.prompt,
        provider="p",
        model="n",
        conversation=first.conversation,
        resumes=second.turn,
    )
    journal.text("2b")
    journal.end("complete")
    with Store(database) as store:
        assert [node.text for node in tree.branch(store, first.conversation)] == [
            "one",
            "1",
            "two",
            "2b",
        ]
        assert [node.text for node in tree.branch(store, first.conversation, second.reply)][
            -1
        ] == "2"
        assert store.turns(first.conversation)[-1].resumes == second.turn
        assert store.turn_of(again.reply).prompt == second.prompt


def test_a_fault_in_the_thread_is_told(journal, monkeypatch):
    def broken(_writer):
        raise ZeroDivisionError("oh")

    monkeypatch.setattr(RecordWriter, "commit", broken)
    journal.begin("q", provider="p", model="m")
    with pytest.raises(StoreError, match=r"NOT saved\. oh"):
        journal.end("complete")
    with pytest.raises(StoreError, match=r"NOT saved\. oh"):
        journal.end("complete")


class Slow:
    """A journal's thread that has begun to keep something, and takes its time."""

    def __init__(self, monkeypatch):
        self.begun, self.go_on = threading.Event(), threading.Event()
        keep = RecordWriter.commit_early

        def slowly(writer):
            self.begun.set()
            assert self.go_on.wait(60)
            keep(writer)

        monkeypatch.setattr(RecordWriter, "commit_early", slowly)


def test_a_thread_that_is_only_slow_is_waited_for(database, journal, monkeypatch):
    """On a busy machine it may not run for seconds; that is no reason to give the turn up."""
    slow = Slow(monkeypatch)
    journal.begin("q", provider="p", model="m")
    journal.sent()
    journal.text("abc")
    assert slow.begun.wait(60)
    result = []
    ending = threading.Thread(target=lambda: result.append(journal.end("complete")))
    ending.start()
    ending.join(0.05)  # it waits by now, or will
    assert result == []
    slow.go_on.set()
    ending.join(60)
    assert result == ["saved"]
    journal.close()
    with Store(database) as store:
        assert only_turn(store)[1][-1].text == "abc"


def test_a_thread_that_hangs_is_told_once_and_not_waited_for_again(journal, monkeypatch):
    slow = Slow(monkeypatch)
    journal.begin("q", provider="p", model="m")
    journal.sent()
    assert slow.begun.wait(60)
    monkeypatch.setattr(journal_module, "_HANGING", 0.05)
    with pytest.raises(StoreError, match="does not respond"):
        journal.end("complete")
    monkeypatch.setattr(journal_module, "_HANGING", 60)
    journal.close()
    slow.go_on.set()


def test_a_session_whose_turns_are_ended_by_several_threads(database, journal):
    """The database belongs to whoever ends a turn, in whichever thread."""
    names = None
    for number in range(4):
        names = journal.begin(
            f"q{number}", provider="p", model="m",
            conversation=names and names.conversation, parent=names and names.reply,
        )  # fmt: skip
        journal.text("abc")
        result = []
        ending = threading.Thread(
            target=lambda result=result: result.append(journal.end("complete"))
        )
        ending.start()
        ending.join(60)
        assert result == ["saved"]
    journal.close()
    with Store(database) as store:
        assert len(store.turns(names.conversation)) == 4


def test_the_thread_ends_with_the_journal(database, journal, monkeypatch):
    """Also one that did not come to run before all was over; and the next turn has its own."""
    late = threading.Event()
    monkeypatch.setattr(journal_module.signals, "block_in_thread", lambda: late.wait(60))
    threads = []
    for number in range(3):
        journal.begin(f"q{number}", provider="p", model="m")
        threads.append(journal._thread)
        journal.end("complete")
        journal.close()
    late.set()
    for thread in threads:
        thread.join(20)
    assert not any(thread.is_alive() for thread in threads)
    with Store(database) as store:
        assert len(store.conversations()) == 3


def test_beginning_a_turn_loads_no_database():
    code = (
        "import sys; from pathlib import Path; from darkai_cli.history.journal import Journal;"
        "Journal(Path('x')).begin('q', provider='p', model='m'); print('sqlite3' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout == "False\n"


def test_a_turn_needs_a_prompt(journal):
    with pytest.raises(ValueError, match="prompt"):
        journal.begin(None, provider="p", model="m")


def test_a_live_turn_can_be_read_and_is_left_alone(database, start):
    child = start("live")
    child.stdout.readline()
    with Store(database) as store:
        turn, nodes = only_turn(store)
        assert (turn.state, nodes[-1].text) == ("streaming", "so far")
    assert child.communicate()[0] == "saved\n"
    with Store(database) as store:
        turn, nodes = only_turn(store)
        assert (turn.state, nodes[-1].text) == ("complete", "so far and on")


def test_a_dead_process_leaves_an_interrupted_turn(database, start):
    dead, alive = start("live"), start("live")
    dead_turn = dead.stdout.readline().split()[1]
    alive.stdout.readline()
    dead.kill()
    dead.wait()
    with Store(database) as store:
        states = dict(store.rows("SELECT id, state FROM turn"))
        assert states.pop(dead_turn) == "interrupted"
        assert list(states.values()) == ["streaming"]
        assert store.row(
            "SELECT text FROM message m JOIN turn t ON t.reply = m.id WHERE t.id = ?", (dead_turn,)
        ) == ("so far",)
    assert alive.communicate()[0] == "saved\n"


def test_a_turn_marked_by_mistake_still_ends_whole(database, start):
    child = start("live")
    child.stdout.readline()
    for file in leftovers(database):
        file.unlink()  # as if somebody had tidied up
    with Store(database) as store:
        assert only_turn(store)[0].state == "interrupted"
    child.communicate()
    with Store(database) as store:
        turn, nodes = only_turn(store)
        assert (turn.state, nodes[-1].text) == ("complete", "so far and on")


def test_a_turn_removed_while_it_streams_stays_removed(database, start):
    child = start("live")
    conversation = child.stdout.readline().split()[2]
    with Store(database) as store:
        assert store.remove([conversation]) == 1
    assert child.communicate()[0] == "saved\n"
    with Store(database) as store:
        assert store.conversations() == []
        assert store.check() == []


def test_a_closed_journal_leaves_no_streaming_turn(database, journal):
    journal.begin("q", provider="p", model="m")
    journal.text("abc")
    journal.close()
    with Store(database) as store:
        turn, nodes = only_turn(store)
        assert (turn.state, nodes[-1].text) == ("interrupted", "abc")


def test_a_lock_held_by_another_process_delays_nothing(database, start):
    Store(database).close()
    holder = start("hold")
    holder.stdout.readline()
    child = start("ask")
    output, _ = child.communicate(timeout=20)
    assert (child.returncode, output) == (0, "spilled\n")
    assert len(leftovers(database)) == 1
    with Store(database) as store:  # reading is no problem, merging has to wait
        assert store.conversations() == []
    holder.communicate()
    with Store(database) as store:
        turn, nodes = only_turn(store)
        assert (turn.state, [n.text for n in nodes]) == ("complete", ["a question", "an answer"])
    assert leftovers(database) == []


def test_a_kill_while_locked_out_loses_nothing(database, start):
    Store(database).close()
    holder = start("hold")
    holder.stdout.readline()
    child = start("stream", 30)
    lines = [child.stdout.readline() for _ in range(100)]
    child.kill()
    killed = time.monotonic()
    lines += child.communicate()[0].splitlines()
    holder.communicate()
    check_killed(database, Given.of(lines), killed)


def test_a_lock_that_ends_in_time_is_waited_for(database, journal, monkeypatch):
    Store(database).close()
    blocker = sqlite3.connect(database, isolation_level=None, check_same_thread=False)
    blocker.execute("BEGIN IMMEDIATE")
    journal.begin("q", provider="p", model="m")
    journal.text("abc")
    flush = RecordWriter.commit

    def unlocking(writer):
        done = flush(writer)
        if journal._turn_ended.is_set() and blocker.in_transaction:
            blocker.execute("ROLLBACK")
        return done

    monkeypatch.setattr(RecordWriter, "commit", unlocking)
    assert journal.end("complete") == "saved"
    blocker.close()
    journal.close()
    assert leftovers(database) == []
    with Store(database) as store:
        assert only_turn(store)[1][-1].text == "abc"


def test_merging_a_spill_twice_changes_nothing(database, start):
    Store(database).close()
    holder = start("hold")
    holder.stdout.readline()
    start("ask").communicate()
    (spill,) = leftovers(database)
    content = spill.read_bytes()
    holder.communicate()
    for _ in range(3):
        with Store(database) as store:
            turn, nodes = only_turn(store)
            assert (turn.state, [n.text for n in nodes]) == (
                "complete",
                ["a question", "an answer"],
            )
        spill.write_bytes(content)


@pytest.mark.parametrize(
    "content",
    [
        b"\xff\xff",
        b"[3]",
        b'[{"op": "begin"}]',
        b'[{"op": "piece", "turn": 1}]',
        b'{"op": "begin"}',
        b"[",
    ],
)
def test_pending_records_that_make_no_sense_are_put_aside(database, content):
    folder = turns.pending_folder(database)
    folder.mkdir(parents=True)
    (folder / "x.json").write_bytes(content)
    with Store(database) as store:
        assert "Can't read a turn" in store.warnings[0]
    with Store(database) as store:
        assert store.warnings == ()
    assert [p.name for p in leftovers(database)] == ["x.json.unreadable"]


def test_records_of_a_newer_version_and_half_a_file_are_cleared_away(database):
    folder = turns.pending_folder(database)
    folder.mkdir(parents=True)
    (folder / "x.json").write_bytes(b'[{"op": "of a newer version"}]')
    (folder / "y.tmp").write_bytes(b'[{"op": "pie')
    with Store(database) as store:
        assert store.warnings == ()
    assert leftovers(database) == []


def test_a_database_damaged_while_the_reply_comes_is_replaced(database, journal, monkeypatch):
    old = journal.begin("before", provider="p", model="m")
    journal.end("complete")
    journal.begin("q", provider="p", model="m", conversation=old.conversation, parent=old.reply)
    journal.text("abc")
    while journal._writer._committed < 2:
        time.sleep(0.01)  # what is in the database by now is lost with it
    journal.text(" def")
    write = RecordWriter._write
    faults = [sqlite3.DatabaseError("database disk image is malformed")]
    faults[0].sqlite_errorcode = sqlite3.SQLITE_CORRUPT

    def failing(writer):
        if faults:
            raise store_error(faults.pop(), database)
        write(writer)

    monkeypatch.setattr(RecordWriter, "_write", failing)
    assert journal.end("complete") == "saved"
    assert "To recover it" in journal.warnings[0]
    assert (
        len(
            [
                p
                for p in database.parent.iterdir()
                if ".damaged-" in p.name and "-wal" not in p.name and "-shm" not in p.name
            ]
        )
        == 1
    )
    with Store(database) as store:
        _, nodes = only_turn(store)
        assert [n.text for n in nodes] == ["q", "abc def"]
        assert nodes[0].parent is None
        assert store.check() == []


ASK_WITH_LIMIT = """
import resource, runpy, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]),) * 2)
sys.argv = sys.argv[2:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


@pytest.mark.parametrize("existing", [False, True])
@pytest.mark.parametrize("limit", [0, 100, 5000, 40000])
def test_a_full_disk_is_told_and_breaks_nothing(database, start, existing, limit):
    if existing:
        start("ask").communicate()
    args = [sys.executable, "-c", ASK_WITH_LIMIT, str(limit), str(CHILD), str(database), "ask"]
    done = subprocess.run(args, capture_output=True, text=True, check=False)
    message = done.stdout.splitlines()[0]
    if message == "spilled":  # there was room for that
        assert done.returncode == 0, done.stderr
    else:
        assert done.returncode == 13, done.stderr
        assert message.startswith("The reply was NOT saved. "), message
        assert str(database) in message
    with Store(database) as store:
        assert store.check() == []
        assert len(store.conversations()) == existing + (message == "spilled")


def test_a_folder_that_cannot_be_made_is_told(database, journal):
    database.parent.write_text("a file where the folder should be")
    journal.begin("q", provider="p", model="m")
    journal.text("abc")
    with pytest.raises(StoreError, match="The reply was NOT saved") as caught:
        journal.end("complete")
    assert caught.value.exit_code == 13


def test_a_newer_schema_is_told_and_the_turn_kept_aside(database, journal):
    with Store(database) as store:
        store.conn.execute("PRAGMA user_version = 99")
    journal.begin("q", provider="p", model="m")
    assert journal.end("complete") == "spilled"
    journal.close()
    conn = sqlite3.connect(database)
    assert conn.execute("PRAGMA user_version").fetchone() == (99,)
    conn.execute(f"PRAGMA user_version = {VERSION}")
    conn.close()
    with Store(database) as store:
        assert only_turn(store)[0].state == "complete"


def check_killed(database, given, killed, allowance=ALLOWANCE):
    """What must hold after a kill: see SAFETY.md, section 6."""
    with Store(database) as store:
        turn = store.row("SELECT state, reply, prompt FROM turn WHERE id = ?", (given.turn,))
        least = given_before(given, killed - 0.25 - allowance)
        if turn is None:
            assert not least
            return
        assert turn[0] == ("complete" if given.ended else "interrupted") or turn[0] == "complete"
        text = store.row("SELECT text FROM message WHERE id = ?", (turn[1],))[0]
        assert store.row("SELECT text FROM message WHERE id = ?", (turn[2],))[0] == "a question"
        assert given.could_be(text), "not a prefix of what was sent"
        assert len(text) >= len(least)
        assert store.check() == []


def kill_at_random(database, start, seed, rounds, allowance, *, locked=False):
    """Kill processes that stream a reply; ``locked``: while another one holds the database."""
    chance = random.Random(seed)
    Store(database).close()
    for _ in range(rounds):
        holder = start("hold") if locked else None
        if holder:
            holder.stdout.readline()
        children = [start("stream", 1.8) for _ in range(4)]
        ends = []
        for child in children:
            time.sleep(chance.uniform(0, 1))
            child.kill()
            ends.append(time.monotonic())
        outputs = [child.communicate()[0].splitlines() for child in children]
        if holder:
            holder.communicate()
        for lines, killed in zip(outputs, ends, strict=True):
            if lines and lines[0].startswith("turn"):
                check_killed(database, Given.of(lines), killed, allowance)
    with Store(database) as store:
        assert store.rows("SELECT id FROM turn WHERE state = 'streaming'") == []
    assert leftovers(database) == []


@pytest.mark.parametrize("locked", [False, True])
def test_kill_9_at_random_moments(database, start, locked):
    kill_at_random(database, start, 1, 2, ALLOWANCE, locked=locked)


@pytest.mark.soak
@pytest.mark.parametrize("locked", [False, True])
def test_kill_9_at_100_random_moments(database, start, locked):
    kill_at_random(database, start, 2, 25, 0, locked=locked)


def test_32_first_runs_at_once(database, start):
    children = [start("ask") for _ in range(32)]
    outputs = [child.communicate()[0] for child in children]
    assert [child.returncode for child in children] == [0] * 32, outputs
    with Store(database) as store:
        assert store.row("SELECT count(*) FROM turn WHERE state = 'complete'")[0] == 32, outputs
        assert store.check() == []
    assert leftovers(database) == []


def test_giving_text_costs_no_lock_and_no_wait(database, journal):
    Store(database).close()
    blocker = sqlite3.connect(database, isolation_level=None)
    blocker.execute("BEGIN EXCLUSIVE")
    before = resource.getrusage(resource.RUSAGE_THREAD)
    journal.begin("q", provider="p", model="m")
    for _ in range(1000):
        journal.text("abc ")
    after = resource.getrusage(resource.RUSAGE_THREAD)
    assert after.ru_inblock == before.ru_inblock
    assert after.ru_oublock == before.ru_oublock
    blocker.close()
    assert journal.end("complete") == "saved"


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
