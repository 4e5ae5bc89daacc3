"""``darkai chat --plain`` and a dumb terminal: lines only, and words in place of marks."""

from __future__ import annotations

import re
from threading import Event

import pytest
from support.scenario import start_in_pty
from support.server import FaultServer, Pause, Stall, reply
from support.talk import Chat, query, to


def ready(chat: Chat) -> None:
    """Wait for the prompt."""
    chat.run.wait_until(lambda screen: screen.display[screen.cursor.y].rstrip() == "you:")


@pytest.mark.parametrize("way", ["--plain", "TERM"])
def test_a_session_in_plain_lines(way):
    args, env = (("--plain",), {}) if way == "--plain" else ((), {"TERM": "dumb"})
    with FaultServer(reply(["some *text*"])) as server:
        with start_in_pty("chat", *args, env={**to(server), **env}) as run:
            chat = Chat(run)
            before = run.modes()
            ready(chat)
            chat.type("one\\\r")
            chat.until("more:")
            chat.type("two\r")
            chat.until("some text")
            ready(chat)
            chat.type("\x04")
            result = run.screen_result()
            assert run.modes() == before
        assert "one\ntwo" in query(server, 1)
    assert result.code == 0
    assert b"\x1b" not in re.sub(rb"\x1b\[[0-9;]*m", b"", result.raw)  # in a reply: bold, italic
    if way == "TERM":
        assert b"\x1b" not in result.raw
    assert "·".encode() not in result.raw


def test_ctrl_c_drops_the_line_and_twice_leaves():
    with FaultServer(reply(["x"])) as server:
        with start_in_pty("chat", "--plain", env=to(server)) as run:
            chat = Chat(run)
            ready(chat)
            chat.type("never mind\x03")
            chat.until("Press Ctrl-C again or Ctrl-D to leave")
            ready(chat)
            chat.type("\x03")
            assert run.screen_result().code == 0
        assert not server.requests


def test_lines_at_once_are_one_message_that_is_offered():
    with FaultServer(reply(["fine"])) as server:
        with start_in_pty("chat", "--plain", env=to(server)) as run:
            chat = Chat(run)
            ready(chat)
            chat.type("one\rtwo\rthree\r")
            chat.until("note: Pasted 3 lines")
            ready(chat)
            assert not server.requests
            chat.type("\r")
            chat.until("fine")
            assert "one\ntwo\nthree" in query(server, 1)


def test_what_is_typed_meanwhile_is_offered():
    gate = Event()
    with FaultServer(reply(["first\n\n", Pause(gate), "last"]), reply(["second"])) as server:
        with start_in_pty("chat", "--plain", env=to(server)) as run:
            chat = Chat(run)
            ready(chat)
            chat.type("hello\r")
            chat.until("first")
            chat.type("and then\r")
            gate.set()
            chat.until("Press Enter to send this")
            ready(chat)
            assert len(server.requests) == 1
            chat.type("\r")
            chat.until("second")
            assert "and then" in query(server, 2)


def test_ctrl_c_stops_the_reply():
    with FaultServer(reply(["so far\n\n", Stall()], end=None), reply(["second"])) as server:
        with start_in_pty("chat", "--plain", env=to(server)) as run:
            chat = Chat(run)
            ready(chat)
            chat.type("hello\r")
            chat.until("so far")
            chat.type("\x03")
            chat.until("`/continue` picks up")
            ready(chat)
            chat.type("\x04")
            assert run.screen_result().code == 0


@pytest.mark.parametrize(
    "env",
    [{"NO_COLOR": "1"}, {"LC_ALL": "POSIX", "LANG": None}, {"PYTHONIOENCODING": "ascii"}],
    ids=["no colour", "no UTF-8", "ascii"],
)
def test_other_surroundings(env):
    with FaultServer(reply(["a *reply* — fin\u00e9"])) as server:
        with start_in_pty("chat", env={**to(server), **env}, cols=40) as run:
            chat = Chat(run)
            chat.input()
            chat.type("/nonsense\r")
            chat.until("error: Unknown command")
            chat.input("/nonsense")  # to be corrected
            chat.type("\x03")
            chat.input()
            chat.type("hello\r")
            chat.until("a reply")
            chat.foot("darkai/")
            chat.type("\x04")
            result = run.screen_result()
    assert result.code == 0
    if "NO_COLOR" in env:
        assert b"\x1b[31m" not in result.raw
    else:
        assert b"\x1b[31merror:" in result.raw
