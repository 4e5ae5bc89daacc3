"""Connections that are kept, opened ahead, and replaced: against real servers on loopback."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Self

import pytest
from support.proxies import HttpProxy, Proxy, SocksProxy
from support.server import Authority, read_request

from darkai_cli.errors import NetworkError
from darkai_cli.http import sockets
from darkai_cli.http.client import send
from darkai_cli.http.connection import ConnectionConfig, ConnectionPool
from darkai_cli.http.proxy import parse
from darkai_cli.http.timeouts import Timeouts
from darkai_cli.http.tls import Trust

ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nfine"
CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nfine\r\n"
QUICK = Timeouts(connect=10, first_token=10, idle=10)


class KeepAlive:
    """Answers request after request on each connection, and counts both.

    ``answers``: what is sent for the first requests, in order; the last one serves all further. An
    empty answer closes the connection in place of one, None closes it with RST.
    """

    def __init__(self, *answers: bytes | None, tls: object = None) -> None:
        self.requests: list[str] = []
        self.connections = 0
        self.accepted = threading.Semaphore(0)
        self.left = threading.Semaphore(0)
        self.close_after = False
        self._answers = list(answers or (ANSWER,))
        self._tls = tls
        self._open: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self._listener.getsockname()[1]}/v1"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                sock, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, plain: socket.socket) -> None:
        sock = plain
        try:
            if self._tls is not None:
                sock = self._tls.wrap_socket(plain, server_side=True)
            self.connections += 1
            self._open.append(sock)
            self.accepted.release()
            while (request := read_request(sock)) is not None:
                self.requests.append(request.target)
                answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
                if answer is None:
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                if not answer:
                    break
                sock.sendall(answer)
                if self.close_after:
                    break
        except OSError:
            pass  # the client left
        finally:
            self.left.release()
            sock.close()

    def hang_up(self) -> None:
        """Close what is open, from the server's side."""
        for sock in self._open:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()
        self.hang_up()


def ask(connection: ConnectionConfig, url: str, method: str = "POST") -> bytes:
    with send(connection, method, url, {"content-type": "text/plain"}, b"hi") as exchange:
        return b"".join(exchange.chunks())


@pytest.fixture
def pool() -> Iterator[ConnectionPool]:
    with ConnectionPool() as opened:
        yield opened


def test_two_requests_one_connection(pool: ConnectionPool) -> None:
    with KeepAlive() as server:
        connection = ConnectionConfig(QUICK, pool=pool)
        assert [ask(connection, server.url), ask(connection, server.url)] == [b"fine", b"fine"]
        assert (server.connections, len(server.requests)) == (1, 2)


def test_without_a_pool_each_request_has_its_own() -> None:
    with KeepAlive() as server:
        assert [
            ask(ConnectionConfig(QUICK), server.url),
            ask(ConnectionConfig(QUICK), server.url),
        ] == [b"fine", b"fine"]
        assert server.connections == 2


def test_a_reader_that_stops_at_the_end_mark_keeps_the_connection(pool: ConnectionPool) -> None:
    with KeepAlive(CHUNKED + b"0\r\n\r\n") as server:
        connection = ConnectionConfig(QUICK, pool=pool)
        for _ in range(2):
            with send(connection, "POST", server.url, {}, b"hi") as exchange:
                assert next(exchange.chunks()) == b"fine"
        assert (server.connections, len(server.requests)) == (1, 2)


def test_a_reader_that_gives_up_closes_it(pool: ConnectionPool) -> None:
    with KeepAlive(CHUNKED) as server:
        connection = ConnectionConfig(QUICK, pool=pool)
        for _ in range(2):
            with pytest.raises(KeyboardInterrupt):  # noqa: PT012 -- it is raised in the middle
                with send(connection, "POST", server.url, {}, b"hi") as exchange:
                    next(exchange.chunks())
                    raise KeyboardInterrupt
        assert server.connections == 2


def test_a_body_that_never_ends_is_given_up(pool: ConnectionPool) -> None:
    with KeepAlive(CHUNKED) as server:
        connection = ConnectionConfig(QUICK, pool=pool)
        for _ in range(2):
            with send(connection, "POST", server.url, {}, b"hi") as exchange:
                next(exchange.chunks())
        assert server.connections == 2


def test_a_connection_that_the_server_closed_is_replaced(pool: ConnectionPool) -> None:
    with KeepAlive() as server:
        connection = ConnectionConfig(QUICK, pool=pool)
        ask(connection, server.url)
        server.hang_up()
        assert ask(connection, server.url) == b"fine"
        assert (server.connections, len(server.requests)) == (2, 2)


@pytest.mark.parametrize("last", [b"", None], ids=["closed", "closed at once"])
def test_a_request_that_met_a_dying_connection_is_sent_again(
    pool: ConnectionPool, last: bytes
) -> None:
    """The server reads the request and closes: as if the two had crossed on the way."""
    with KeepAlive(ANSWER, last, ANSWER) as server:
        connection = ConnectionConfig(QUICK, pool=pool)
        ask(connection, server.url)
        assert ask(connection, server.url) == b"fine"
        assert (server.connections, len(server.requests)) == (2, 3)


def test_it_is_sent_again_only_once(pool: ConnectionPool) -> None:
    with KeepAlive(ANSWER, b"") as server:
        connection = ConnectionConfig(QUICK, pool=pool)
        ask(connection, server.url)
        with pytest.raises(NetworkError, match="closed the connection without replying"):
            ask(connection, server.url)
        assert (server.connections, len(server.requests)) == (2, 3)


def test_nothing_is_sent_again_once_an_answer_has_begun(pool: ConnectionPool) -> None:
    with KeepAlive(ANSWER, b"HTTP/1.1 2") as server:
        connection = ConnectionConfig(QUICK, pool=pool)
        ask(connection, server.url)
        server.close_after = True
        with pytest.raises(NetworkError):
            ask(connection, server.url)
        assert len(server.requests) == 2


def test_a_first_request_is_not_sent_again(pool: ConnectionPool) -> None:
    with KeepAlive(b"", ANSWER) as server:
        with pytest.raises(NetworkError, match="closed the connection without replying"):
            ask(ConnectionConfig(QUICK, pool=pool), server.url)
        assert len(server.requests) == 1


def test_prepare_connects_and_the_request_uses_it(pool: ConnectionPool) -> None:
    with KeepAlive() as server:
        connection = ConnectionConfig(QUICK, pool=pool)
        pool.prepare(connection, server.url)
        assert server.accepted.acquire(timeout=20)
        assert server.requests == []
        assert ask(connection, server.url) == b"fine"
        pool.prepare(connection, server.url)  # there is one
        assert ask(connection, server.url) == b"fine"
        assert (server.connections, len(server.requests)) == (1, 2)


def test_prepare_with_tls(pool: ConnectionPool, tmp_path: Path) -> None:
    authority = Authority()
    with KeepAlive(tls=authority.context("127.0.0.1")) as server:
        trust = Trust(authority.pem(tmp_path))
        tls = pool.context(trust, {})
        assert pool.context(trust, {}) is tls
        connection = ConnectionConfig(QUICK, None, tls, pool=pool)
        pool.prepare(connection, server.url)
        assert ask(connection, server.url) == b"fine"
        assert ask(connection, server.url) == b"fine"
        assert server.connections == 1


@pytest.mark.parametrize("kind", [HttpProxy, SocksProxy])
def test_prepare_connects_to_the_proxy(pool: ConnectionPool, kind: type[Proxy]) -> None:
    with KeepAlive() as server, kind() as proxy:
        route = parse(proxy.url, "here")
        connection = ConnectionConfig(QUICK, route, pool=pool)
        pool.prepare(connection, server.url)
        assert [ask(connection, server.url), ask(connection, server.url)] == [b"fine", b"fine"]
        assert (proxy.connections, len(server.requests)) == (1, 2)


def test_a_prepared_connection_that_was_closed_meanwhile(pool: ConnectionPool) -> None:
    with KeepAlive() as server:
        connection = ConnectionConfig(QUICK, pool=pool)
        pool.prepare(connection, server.url)
        assert server.accepted.acquire(timeout=20)
        server.hang_up()
        assert ask(connection, server.url) == b"fine"


def test_a_farewell_on_a_prepared_connection_is_no_answer(
    pool: ConnectionPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some servers say 408 to whoever has connected and sends nothing."""
    monkeypatch.setattr(sockets, "UNREAD_SECONDS", 0.0)
    with KeepAlive() as server:
        connection = ConnectionConfig(QUICK, pool=pool)
        pool.prepare(connection, server.url)
        assert server.accepted.acquire(timeout=20)
        ((head_start,),) = pool._prepared.values()
        assert head_start._ready.wait(20)
        server._open[0].sendall(b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\n\r\n")
        assert ask(connection, server.url) == b"fine"
        assert server.connections == 2


def test_what_goes_wrong_ahead_is_told_by_the_request(pool: ConnectionPool) -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{sock.getsockname()[1]}/v1"
        connection = ConnectionConfig(QUICK, pool=pool)
        pool.prepare(connection, url)
        with pytest.raises(NetworkError, match="connection refused"):
            ask(connection, url)


def test_closing_closes(pool: ConnectionPool) -> None:
    with KeepAlive() as server:
        connection = ConnectionConfig(QUICK, pool=pool)
        ask(connection, server.url)
        pool.prepare(connection, server.url.replace("127.0.0.1", "localhost"))
        assert server.accepted.acquire(timeout=20)
        assert server.accepted.acquire(timeout=20)
        pool.close()
        assert server.left.acquire(timeout=20)
        assert server.left.acquire(timeout=20)


def test_an_idle_connection_expires(pool: ConnectionPool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sockets, "IDLE_SECONDS", -1.0)
    with KeepAlive() as server:
        connection = ConnectionConfig(QUICK, pool=pool)
        assert [ask(connection, server.url), ask(connection, server.url)] == [b"fine", b"fine"]
        assert server.connections == 2


def test_on_sent_is_called_for_each_request(pool: ConnectionPool) -> None:
    calls: list[str] = []
    with KeepAlive() as server:
        connection = ConnectionConfig(QUICK, pool=pool, on_sent=lambda: calls.append("sent"))
        ask(connection, server.url)
        ask(connection, server.url)
    assert calls == ["sent", "sent"]
