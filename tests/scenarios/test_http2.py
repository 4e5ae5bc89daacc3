"""HTTP/2 where a service offers it and the extra is installed: the same replies, faults and stops."""

from __future__ import annotations

import asyncio
import re
import signal
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("h2", reason="the extra `http2` is not installed")

from support.faults import told
from support.http2 import DROP, END, STALL, Cut, Goodbye, Http2Server
from support.openai import DONE, base, chunk, configure, reply, text
from support.scenario import Result, run_darkai, start_darkai
from support.server import Authority, FaultServer

from darkai_cli.http.client import asend, send
from darkai_cli.http.connection import ConnectionConfig
from darkai_cli.http.session import Session
from darkai_cli.http.timeouts import Timeouts
from darkai_cli.http.tls import Trust

FINE = (text("fine"), chunk(reason="stop"), DONE, END)
QUICK = Timeouts(connect=10, first=10, silence=10)


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


class Asking:
    """An HTTP/2 service as the provider ``work``."""

    def __init__(self, authority: Authority, folder: Path, home: Path) -> None:
        self.env = {"SSL_CERT_FILE": authority.pem(folder)}
        self._authority = authority
        self._home = home

    def serve(self, *scripts: Any) -> Http2Server:
        server = Http2Server(self._authority.context("127.0.0.1"), *scripts)
        configure(self._home, server.url)
        return server

    def ask(self, *args: str) -> Result:
        return run_darkai("ask", "hi", *args, env=self.env)


@pytest.fixture
def service(authority: Authority, tmp_path: Path, isolated: Path) -> Asking:
    return Asking(authority, tmp_path, isolated)


def test_a_reply(service: Asking):
    with service.serve(FINE) as server:
        assert service.ask() == (0, b"fine\n", "")
    headers, body = server.requests[0]
    assert headers[":path"] == "/v1/chat/completions"
    assert "connection" not in headers
    assert b'"hi"' in body


def test_a_get_without_a_body(service: Asking):
    with service.serve([b'{"object":"list","data":[{"id":"m"}]}', END]) as server:
        result = run_darkai("models", "list", "-p", "work", "--refresh", env=service.env)
    assert result.code == 0, result
    assert server.requests[0][0][":method"] == "GET"


def test_a_large_request_and_a_large_reply(service: Asking, tmp_path: Path):
    """Larger than the windows of flow control."""
    big = tmp_path / "big.txt"
    big.write_text("word " * 60_000)
    with service.serve([*[text("x" * 8000)] * 7, *FINE]) as server:
        result = service.ask("-f", str(big))
    assert result.code == 0, result
    assert result.stdout == b"x" * 56_000 + b"fine\n"
    assert len(server.requests[0][1]) > 300_000


ROWS: dict[str, tuple[Any, int, bytes, str, bool]] = {
    "stream reset after text": (
        [text("Hello"), Cut(2)], 14, b"Hello\n", r"connection lost: .*\(HTTP/2: internal error\).*incomplete", False,
    ),
    "stream reset before text": ([Cut(2)], 7, b"", r"connection lost: .*\(HTTP/2: internal error\)", True),
    "refused stream": ([Cut(7)], 7, b"", r"HTTP/2: refused stream", True),
    "goaway after text": (
        [text("Hello"), Goodbye(0)], 14, b"Hello\n", r"connection lost: .*ended the connection.*incomplete", False,
    ),
    "goaway before text": ([Goodbye(11)], 7, b"", r"HTTP/2: enhance your calm", True),
    "dropped after text": ([text("Hello"), DROP], 14, b"Hello\n", "connection lost.*incomplete", False),
    "dropped before text": ([DROP], 7, b"", "127.0.0.1:\\d+ closed the connection without answering", True),
    "silence after text": ([text("Hello"), STALL], 14, b"Hello\n", "no data from 127.0.0.1:\\d+ for 0.4 s", False),
    "silence": ([STALL], 8, b"", "no answer from 127.0.0.1:\\d+ within 0.4 s", False),
    "no end mark": ([text("Hello"), END], 14, b"Hello\n", "without an end mark", False),
}  # fmt: skip


@pytest.mark.parametrize("name", ROWS)
def test_fault(service: Asking, name: str):
    script, code, out, words, retried = ROWS[name]
    with service.serve(script) as server:
        result = service.ask("--retries", "1", "--timeout", "0.4")
    assert (result.code, result.stdout) == (code, out), result
    assert re.search(words, told(result.stderr)), result.stderr
    assert len(server.requests) == (2 if retried else 1)


def test_ctrl_c(service: Asking):
    with service.serve([text("Hello"), STALL]) as server:
        with start_darkai("ask", "hi", env=service.env) as run:
            run.wait_for(b"Hello")
            run.signal(signal.SIGINT)
            result = run.finish()
        assert server.departed.wait(20)
    assert (result.code, result.stdout) == (130, b"Hello\n"), result
    assert "Traceback" not in result.stderr


def test_a_service_that_knows_http1_only(service: Asking, authority: Authority, isolated: Path):
    with FaultServer(reply(["fine"]), tls=authority.context("127.0.0.1")) as server:
        configure(isolated, base(server))
        assert service.ask() == (0, b"fine\n", "")


def ask(link: ConnectionConfig, url: str) -> bytes:
    with send(link, "POST", url, {}, b"hi") as exchange:
        return b"".join(exchange.chunks())


@pytest.mark.parametrize(
    "second", [[b"fine", END], [Goodbye(0, 1)], [Cut(7)], [DROP]],
    ids=["kept", "goaway", "refused stream", "dropped"],
)  # fmt: skip
def test_a_session_keeps_it_and_replaces_a_dead_one(
    authority: Authority, tmp_path: Path, second: Any
):
    answer = [b"fine", END]
    scripts = [answer, second, answer]
    with (
        Http2Server(authority.context("127.0.0.1"), *scripts) as server,
        Session() as session,
    ):
        link = ConnectionConfig(
            QUICK, None, session.context(Trust(authority.pem(tmp_path)), {}), session=session
        )
        session.prepare(link, server.url)
        assert [ask(link, server.url), ask(link, server.url)] == [b"fine", b"fine"]
        kept = second == answer
        assert (server.connections, len(server.requests)) == ((1, 2) if kept else (2, 3))


def test_a_reader_that_gives_up_ends_the_connection(authority: Authority, tmp_path: Path):
    """Else the service would go on to send, and to count, what nobody reads."""
    with (
        Http2Server(authority.context("127.0.0.1"), [b"fine", STALL]) as server,
        Session() as session,
    ):
        tls = session.context(Trust(authority.pem(tmp_path)), {})
        with pytest.raises(KeyboardInterrupt):  # noqa: PT012 -- it is raised in the middle
            with send(
                ConnectionConfig(QUICK, None, tls, session=session), "POST", server.url, {}, b""
            ) as one:
                next(one.chunks())
                raise KeyboardInterrupt
        assert server.departed.wait(20)


def test_the_asynchronous_driver(authority: Authority, tmp_path: Path):
    async def twice(url: str, trust: Trust) -> list[bytes]:
        found = []
        async with Session() as session:
            link = ConnectionConfig(QUICK, None, session.context(trust, {}), session=session)
            for _ in range(2):
                async with asend(link, "POST", url, {}, b"hi") as exchange:
                    found.append(b"".join([data async for data in exchange.achunks()]))
        return found

    with Http2Server(authority.context("127.0.0.1"), [b"fine", END]) as server:
        trust = Trust(authority.pem(tmp_path))
        assert asyncio.run(twice(server.url, trust)) == [b"fine", b"fine"]
        assert (server.connections, len(server.requests)) == (1, 2)
