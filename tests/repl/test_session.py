"""A chat and services on loopback: its connections, its options, its stops."""

from __future__ import annotations

import json
import os
import signal
import socket
import threading
from contextlib import suppress
from threading import Event
from typing import Self

import pytest
from support import openai
from support.isolation import write_config
from support.server import (
    FaultServer,
    Stall,
    Tell,
    event,
    http_chunk,
    read_request,
    reply,
    text,
)
from support.sessions import Paper, new_session, talk, texts

from darkai_cli import signals
from darkai_cli.config import paths
from darkai_cli.conversation.resume import reopen
from darkai_cli.history.journal import Journal
from darkai_cli.repl.session import ChatSession


class KeepAlive:
    """A DarkAI service that answers each request on a connection; ``requests`` by connection."""

    def __init__(self) -> None:
        self.requests: list[list[bytes]] = []
        self.accepted = Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/chat"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                sock, _ = self._listener.accept()
                self.requests.append([])
                self.accepted.set()
                threading.Thread(
                    target=self._serve, args=(sock, self.requests[-1]), daemon=True
                ).start()

    def _serve(self, sock: socket.socket, seen: list[bytes]) -> None:
        body = http_chunk(text("fine") + event("stream-end")) + http_chunk(b"")
        head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
        with suppress(OSError), sock:
            while (request := read_request(sock)) is not None:
                seen.append(request.body)
                sock.sendall(head + body)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()


def test_a_session_keeps_its_connection_and_prepares_it(monkeypatch):
    with KeepAlive() as server:
        monkeypatch.setenv("DARKAI_URL", server.url)
        session = new_session(Paper())
        session.prepare()
        assert server.accepted.wait(20)
        talk(session, "one", "two", "three")
        assert [len(seen) for seen in server.requests] == [3]
        assert texts(session)[1::2] == ["fine"] * 3


def test_preparing_for_what_cannot_be_reached_is_silent(monkeypatch):
    monkeypatch.setenv("DARKAI_URL", "http://127.0.0.1:9/chat")
    monkeypatch.setenv("DARKAI_PROXY", "socks5://127.0.0.1:9")
    paper = Paper()
    session = new_session(paper)
    session.prepare()
    talk(session)
    assert paper.text == ""


def options_sent(server: FaultServer) -> list[dict]:
    return [
        {name: value for name, value in request.json().items() if name in "abcd"}
        for request in server.requests
    ]


def test_options_of_config_provider_and_session_in_this_order(isolated):
    with FaultServer(reply(["x"])) as first, FaultServer(openai.reply(["y"])) as second:
        write_config(
            'provider = "one"\noptions = { a = 1, b = 1, c = 1 }\n'
            f'[providers.one]\ntype = "darkai"\nurl = "{first.url}"\noptions = {{ b = 2, c = 2 }}\n'
            f'[providers.two]\ntype = "openai"\nurl = "{openai.base(second)}"\nmodel = "m"\n'
            "options = { b = 3, d = 3 }\n"
        )
        session = new_session(Paper(), provider=None, options={"c": 9})
        talk(session, "hi", "/retry two/m", "/set d=0", "/model two/m", "again")
        assert options_sent(first) == [{"a": 1, "b": 2, "c": 9}]
        assert options_sent(second) == [
            {"a": 1, "b": 3, "c": 9, "d": 3}, {"a": 1, "b": 3, "c": 9, "d": 0},
        ]  # fmt: skip


def test_after_a_fallback_the_other_provider_has_its_own_options(isolated, capsys):
    with FaultServer(openai.reply(["y"])) as second:
        write_config(
            'provider = "one"\nfallback = ["two/m"]\noptions = { a = 1, b = 1 }\n'
            '[providers.one]\ntype = "darkai"\nurl = "http://127.0.0.1:9/"\noptions = { b = 2 }\n'
            f'[providers.two]\ntype = "openai"\nurl = "{openai.base(second)}"\nmodel = "m"\n'
            "options = { b = 3 }\n"
        )
        paper = Paper()
        session = new_session(paper, provider=None)
        talk(session, "hi")
        assert options_sent(second) == [{"a": 1, "b": 3}]
    assert "trying `two/m` instead" in capsys.readouterr().err
    assert "two/m · " in paper.text


def interrupted_by(*steps, monkeypatch, more=()) -> tuple[ChatSession, Paper, FaultServer]:
    """A session whose reply gets SIGINT from another thread at a step that tells."""
    reached = Event()

    def stop() -> None:
        reached.wait(30)
        os.kill(os.getpid(), signal.SIGINT)

    def ending(*args, **kwargs):
        os.kill(os.getpid(), signal.SIGINT)  # the second, while the first is dealt with
        return end(*args, **kwargs)

    end = Journal.end
    monkeypatch.setattr(Journal, "end", ending)
    server = FaultServer(reply([*steps, Tell(reached), Stall()]), *more)
    monkeypatch.setenv("DARKAI_URL", server.url)
    thread = threading.Thread(target=stop)
    thread.start()
    paper = Paper()
    session = new_session(paper)
    before = signal.getsignal(signal.SIGINT)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signals.install()
    try:
        talk(session, "count")
    finally:
        signal.signal(signal.SIGINT, before)
        signals._ignores_repeats = False
        thread.join()
    return session, paper, server


@pytest.mark.parametrize("steps", [[], ["One, "], ["One, ", "two"]])
def test_ctrl_c_twice_at_any_point_closes_the_connection_and_not_the_session(steps, monkeypatch):
    session, paper, server = interrupted_by(*steps, monkeypatch=monkeypatch)
    with server:
        assert server.departed.wait(20)
    branch = texts(session)
    assert not branch or "".join(steps).startswith(branch[1])
    assert "Stopped" in paper.text
    assert "error" not in paper.text
    resumed = reopen(paths.history_file(), session.conversation)
    assert [entry.message.content for entry in resumed.branches().branch()] == branch
    with session.store() as store:
        assert [saved.state for saved in store.turns(session.conversation)] == ["interrupted"]


def test_images_of_earlier_prompts_go_along(isolated, tmp_path):
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"x")
    with FaultServer(openai.reply(["a cat"])) as server:
        openai.configure(isolated, openai.base(server))
        session = new_session(Paper(), provider=None)
        talk(session, f"/file {tmp_path / 'a.png'}", "what?", "sure?")
        assert json.dumps(server.requests[1].json()).count("data:image/png;base64,") == 1
