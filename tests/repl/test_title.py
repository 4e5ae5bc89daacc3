"""The title in the terminal's title bar, and the title that a model writes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from threading import Event
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.server import FaultServer, Pause, Stall, reply
from support.sessions import Paper, new_session, talk, texts

from darkai_cli.repl.session import ChatSession
from darkai_cli.repl.title import TitleBar, clean_title


@given(st.text(max_size=100))
def test_no_title_can_leave_its_sequence(title):
    sent: list[str] = []
    bar = TitleBar(sent.append, {"TERM": "xterm"})
    bar.show(title)
    bar.restore()
    bar.restore()
    text = "".join(sent)
    assert text.startswith("\x1b[22;2t\x1b]2;darkai")
    assert text.endswith("\x07\x1b[23;2t")
    assert text.count("\x1b") == 3
    assert text.count("\x07") == 1
    assert len(text) < 120


@pytest.mark.parametrize("term", ["dumb", "linux", "", "vt100"])
def test_a_terminal_without_a_title_gets_none(term):
    sent: list[str] = []
    bar = TitleBar(sent.append, SimpleNamespace(get=lambda *_: term))
    bar.show("x")
    bar.restore()
    assert sent == []


def titled(title: str, monkeypatch) -> tuple[ChatSession, FaultServer]:
    server = FaultServer(reply(["The answer."]), reply([title]))
    monkeypatch.setenv("DARKAI_URL", server.url)
    monkeypatch.setenv("DARKAI_TITLE", "model")
    return new_session(Paper()), server


def after_title(line: str) -> Callable[[], str]:
    """Return a line that is typed when no request for a title runs."""

    def wait() -> str:
        for thread in threading.enumerate():
            if thread.name == "title":
                thread.join(30)
        return line

    return wait


def test_the_model_is_asked_for_a_title_once(monkeypatch):
    session, server = titled('"Counting **sheep**"\n', monkeypatch)
    with server:
        talk(session, "how many sheep?", after_title("and goats?"), after_title("/title"))
        assert len(server.wait_requests(3)) == 3
    assert session.title == "Counting sheep"
    with session.store() as store:
        assert store.conversations()[0].title == session.title
    assert "how many sheep?" in server.requests[1].json()["query"]
    assert len(session.branches) == 4


def test_no_title_stays_the_first_prompt(monkeypatch):
    with FaultServer(reply(["The answer."]), [Stall()]) as server:
        monkeypatch.setenv("DARKAI_URL", server.url)
        monkeypatch.setenv("DARKAI_TITLE", "model")
        paper = Paper()
        session = new_session(paper)
        talk(session, "how many sheep?", lambda: server.wait_requests(2) and "/title")
        assert server.departed.wait(20)
    assert "how many sheep?\n" in paper.text
    assert "error" not in paper.text


@pytest.mark.parametrize(
    ("text", "title"),
    [("Title: Sheep.", "Sheep"), ('"A \u201cgood\u201d one"', "A \u201cgood\u201d one"), ("`x` **y**", "x y"), ("", ""), ("\n\n", ""),
     ("# Sheep\nand more", "Sheep"), ("a\x1b[31mb", "a [31mb"), ("x" * 200, "x" * 79 + "…")],
)  # fmt: skip
def test_a_title_is_one_clean_line(text, title):
    assert clean_title(text) == title


def test_the_prompt_waits_for_no_title(monkeypatch):
    gate = Event()
    with FaultServer(
        reply(["The answer."]), reply([Pause(gate), "Late"]), reply(["two"])
    ) as server:
        monkeypatch.setenv("DARKAI_URL", server.url)
        monkeypatch.setenv("DARKAI_TITLE", "model")
        session = new_session(Paper())
        talk(session, "sheep?", lambda: server.wait_requests(2) and "goats?")
        gate.set()
    assert texts(session) == ["sheep?", "The answer.", "goats?", "two"]
    assert session.title == "sheep?"
