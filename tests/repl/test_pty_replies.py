"""``darkai chat`` on a terminal while a reply streams, and at its end."""

from __future__ import annotations

import contextlib
import itertools
import signal
import statistics
from pathlib import Path
from threading import Event

import pytest
from support.scenario import start_in_pty
from support.server import FaultServer, Pause, Stall, reply
from support.talk import DEMO, Chat, chatting, poll, query, to

ECHO = 8  # termios.ECHO, in the local modes


@pytest.mark.parametrize(
    ("keys", "offered"),
    [
        ("next question", "next question"),
        ("next question\r", "next question"),
        ("one\rtwo\r", "one\ntwo"),
        ("typpo\x7f\x7fo é\x1b[A", "typo é"),
    ],
    ids=["text", "with Enter", "two lines", "corrected"],
)
def test_typeahead_is_offered_and_neither_displayed_nor_sent(keys, offered):
    first, last = Event(), Event()
    script = reply(["Hel", Pause(first), "lo ", Pause(last), "there"])
    with FaultServer(script, reply(["again"])) as server, chatting(env=to(server)) as chat:
        chat.type("hello\r")
        chat.until("Hel")
        chat.type(keys)
        first.set()
        chat.until("Hello")
        assert not any("one" in row or "ty" in row or "next" in row for row in chat.screen.display)
        last.set()
        chat.input(offered)
        assert len(server.requests) == 1
        chat.type("\r")
        chat.until("again")
        assert offered in query(server, 2)


def test_nothing_is_echoed_before_the_first_word_either():
    gate = Event()
    with FaultServer(reply([Pause(gate), "done"])) as server, chatting(env=to(server)) as chat:
        chat.type("hello\r")
        server.wait_requests()
        chat.type("secret thought")
        gate.set()
        chat.until("done")
        chat.input("secret thought")
        rows = [row for row in chat.screen.all_lines() if "secret thought" in row]
        assert rows == ["> secret thought"]


@pytest.mark.parametrize("point", [0, 4, 9])
def test_ctrl_c_in_mid_stream_stops_the_reply_and_not_the_program(point):
    words = [f"word{number} " for number in range(10)]
    script = [*reply([*words[: point + 1], Stall()], end=None)]
    with FaultServer(script, reply(["second"])) as server, chatting(env=to(server)) as chat:
        chat.type("hello\r")
        chat.until(f"word{point}")
        chat.type("for later")  # type-ahead goes on from before to after
        chat.type("\x03")
        chat.until("`/continue` picks up")
        assert server.departed.wait(20)
        chat.input("for later")
        chat.type("\r")
        chat.until("second")
        chat.foot("darkai/")
        assert chat.leave().code == 0


def test_a_resize_while_typing_and_while_streaming():
    gate = Event()
    words = [f"word{number} " for number in range(60)]
    script = reply([*words, Pause(gate), "end"])
    with FaultServer(script) as server, chatting(env=to(server), cols=80) as chat:
        chat.type("a text that is somewhat longer than the forty columns to come")
        chat.until("columns to come")
        chat.run.resize(12, 40)
        chat.run.wait_until(lambda screen: screen.display[-1].startswith("darkai/"))
        chat.type("\r")
        chat.until("word59")
        chat.run.resize(20, 100)
        gate.set()
        chat.input()
        chat.run.wait_until(lambda screen: screen.display[-1].startswith("darkai/"))
        chat.run.resize(10, 400)
        chat.run.wait_until(lambda screen: "tokens" in screen.display[-1])
        assert chat.leave().code == 0


@pytest.mark.parametrize("cols", [40, 80, 400])
def test_the_foot_is_one_row_at_any_width(cols):
    with chatting(cols=cols, rows=10) as chat:
        chat.type("tell me a joke about something that makes a rather long title, please\r")
        chat.until("first token")
        chat.foot("demo/demo")
        chat.input()
        rows = chat.screen.display
        assert rows[-1].startswith("demo/demo · ")
        assert len(rows[-1].rstrip()) < cols
        assert chat.screen.cursor.y < len(rows) - 1
        chat.leave()


@pytest.mark.parametrize("where", ["typing", "streaming"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_with_everything_saved_and_the_terminal_as_it_was(where, number):
    with FaultServer(reply(["so far ", Stall()], end=None)) as server:
        with start_in_pty("chat", env=to(server)) as run:
            chat = Chat(run)
            before = run.modes()
            chat.until("darkai/")
            chat.type("hello\r")
            chat.until("so far")
            if where == "typing":
                chat.type("\x03")
                chat.input()
            run.signal(number)
            result = run.screen_result()
            assert result.code == 128 + number
            assert run.modes() == before
            _as_before(result)
        with chatting("-c", env=to(server), ready=False) as again:
            again.until("so far")
            again.input()


def _as_before(result) -> None:
    """The modes of the emulator, by the last word on each."""
    raw = result.raw
    for mode, wanted in ((b"2004", b"l"), (b"25", b"h"), (b"7", b"h")):
        last = max((raw.rfind(b"\x1b[?" + mode + end), end) for end in (b"h", b"l"))
        assert last[0] < 0 or last[1] == wanted, mode
    assert raw.count(b"\x1b[22;2t") == raw.count(b"\x1b[23;2t") == 1
    assert b"\x1b[?12" not in raw
    assert b"\x1b[?100" not in raw  # the mouse stays the terminal's


@pytest.mark.parametrize("way", ["\x04", "/quit\r", "\x03\x03"])
def test_the_terminal_is_as_before_after_leaving(way):
    with start_in_pty("chat", env=DEMO) as run:
        chat = Chat(run)
        before = run.modes()
        chat.input()
        chat.type("tell me a joke\r")
        chat.until("first token")
        chat.input()
        if way == "\x03\x03":
            chat.type("\x03")
            chat.until("Ctrl-C again")
            way = "\x03"
        chat.type(way)
        result = run.screen_result()
        assert result.code == 0
        assert run.modes() == before
        _as_before(result)
        assert any("`darkai chat -c` resumes it" in line for line in result.lines)


def test_a_hostile_title_is_shown_as_text():
    with chatting() as chat:
        chat.type("tell me a joke")
        chat.type("\x1b[200~\x07\x1b]0;owned\x07\x1b[201~\r")
        chat.until("demo/demo ·")
        chat.input()
        result = chat.leave()
    titles = result.raw.split(b"\x1b]")[1:]
    assert titles
    assert all(title.startswith(b"2;darkai") and b"\x07" in title for title in titles)


def test_killed_and_resumed():
    with FaultServer(reply(["kept words ", Stall()], end=None), reply(["more"])) as server:
        with chatting(env=to(server)) as chat:
            chat.type("hello\r")
            chat.until("kept words")
            server.wait_requests()
            poll(_journaled)
            chat.run.signal(signal.SIGKILL)
            chat.run.finish()
        with chatting("-c", env=to(server), ready=False) as chat:
            chat.until("kept words")
            chat.until("> hello")
            chat.input()
            chat.type("/continue\r")
            chat.until("more")


def _journaled() -> bool:
    import os
    import sqlite3

    from darkai_cli.config import paths

    file = paths.history_file(os.environ)
    if not file.exists():
        return False
    try:
        with contextlib.closing(sqlite3.connect(file)) as db:
            return any("kept words" in row for row in db.iterdump())
    except sqlite3.Error:
        return False


def test_a_pipe_is_context_and_the_terminal_the_keyboard():
    with FaultServer(reply(["fine"])) as server:
        with chatting(env=to(server), stdin=b"diff --git a b\n", ready=False) as chat:
            chat.input()
            chat.foot("1 attached")
            chat.type("what is it?\r")
            chat.until("fine")
            chat.input()
            sent = query(server, 1)
            assert "what is it?" in sent
            assert "diff --git a b" in sent
            chat.leave()


def test_without_a_terminal_to_show_it_on():
    with start_in_pty("chat", on=("stdin", "stderr"), env=DEMO) as run:
        result = run.finish()
    assert result.code == 2
    assert b"`chat` needs a terminal" in run.terminal


def talked(turns: int) -> tuple[list[int], list[int]]:
    """Talk; memory after each turn (KiB), and the CPU time of each (ns)."""
    replies = [reply([f"answer {number} ", "with some *text* in it"]) for number in range(turns)]
    sizes, times = [], [0]
    with FaultServer(*replies) as server, chatting(env=to(server)) as chat:
        for number in range(turns):
            chat.type(f"question {number}\r")
            chat.until(f"answer {number} with some")
            chat.input()
            sizes.append(_rss(chat.run.process.pid))
            times.append(_cpu(chat.run.process.pid))
        assert chat.leave().code == 0
    return sizes, [after - before for before, after in itertools.pairwise(times)]


def _cpu(pid: int) -> int:
    """Nanoseconds of the main thread: others end, and take theirs along."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0])


def _rss(pid: int) -> int:
    """KiB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1])


def test_twenty_turns():
    sizes, _ = talked(20)
    assert sizes[-1] - sizes[5] < 4 * 1024, sizes


@pytest.mark.soak
def test_two_hundred_turns_stay_small_and_quick():
    sizes, times = talked(200)
    assert sizes[-1] - sizes[50] < 4 * 1024, sizes[::20]
    early, late = (statistics.median(part) for part in (times[25:75], times[150:]))
    assert late < 1.5 * early, (early, late)
    print(f"KiB: {sizes[50]} {sizes[-1]}; ms: {early / 1e6:.1f} {late / 1e6:.1f}")
