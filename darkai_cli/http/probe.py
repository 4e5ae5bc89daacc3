"""Whether servers on this machine answer: many GET requests at once, within a bound of all in all.

Not the transport: no names are resolved, no TLS, no proxy, and only loopback is ever connected to.
Strategy: one selector over non-blocking sockets, HTTP/1.0 so that the end of the connection is the
end of the body. What is not whole when the time is up, or is no 200, counts as no answer.
"""

from __future__ import annotations

import errno
import selectors
import socket
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

from darkai_cli.secrets import is_loopback, origin_of

LARGEST = 1 << 20
"""Bytes of an answer; a larger one is no list of models."""

_UNDER_WAY = (0, errno.EINPROGRESS, errno.EWOULDBLOCK, errno.EAGAIN, errno.EINTR)


class _Call:
    """One request on one socket."""

    def __init__(self, number: int, family: socket.AddressFamily, address: str, url: str) -> None:
        _, host, port = origin_of(url)
        path = "/" + url.partition("://")[2].partition("/")[2]
        self.number = number
        self.request = (
            f"GET {path} HTTP/1.0\r\nHost: {host}:{port}\r\nAccept: application/json\r\n\r\n"
        ).encode("ascii", "replace")
        self.received = bytearray()
        self.sock = socket.socket(family, socket.SOCK_STREAM)
        try:
            self.sock.setblocking(False)
            if self.sock.connect_ex((address, port)) not in _UNDER_WAY:
                raise ConnectionError
        except OSError:
            self.sock.close()
            raise

    def step(self) -> bool:
        """Go on as far as it goes without waiting; whether there is more to wait for."""
        if self.request:
            self.request = self.request[self.sock.send(self.request) :]
            return True
        piece = self.sock.recv(65536)
        self.received += piece
        return bool(piece) and len(self.received) <= LARGEST and body_of(self.received) is None


def get(
    urls: Sequence[str], seconds: float, clock: Callable[[], float] = time.monotonic
) -> list[bytes | None]:
    """The bodies that answer ``urls`` with status 200, in their order, None for each other.

    All of them are asked together, and none is waited for longer than ``seconds``. A URL that is
    not ``http://`` to this machine is not asked.
    """
    found: list[bytes | None] = [None] * len(urls)
    deadline = clock() + seconds
    calls: list[_Call] = []
    with selectors.DefaultSelector() as selector:
        try:
            for number, url in enumerate(urls):
                for family, address in _addresses(url):
                    with suppress(OSError):  # nobody there
                        call = _Call(number, family, address, url)
                        calls.append(call)
                        selector.register(call.sock, selectors.EVENT_WRITE, call)
            while selector.get_map() and (left := deadline - clock()) > 0:
                for key, _ in selector.select(left):
                    if not _advance(selector, key.data):
                        selector.unregister(key.data.sock)
        finally:
            for call in calls:
                call.sock.close()
    for call in calls:
        if found[call.number] is None:
            found[call.number] = body_of(call.received, ended=True)
    return found


def _advance(selector: selectors.BaseSelector, call: _Call) -> bool:
    try:
        more = call.step()
    except BlockingIOError:
        return True
    except OSError:
        return False
    if more and not call.request:
        selector.modify(call.sock, selectors.EVENT_READ, call)
    return more


def _addresses(url: str) -> list[tuple[socket.AddressFamily, str]]:
    scheme, host, _ = origin_of(url)
    if scheme != "http" or not is_loopback(host):
        return []
    if ":" in host:
        return [(socket.AF_INET6, host)]
    if host[0].isdigit():
        return [(socket.AF_INET, host)]
    return [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")]


def body_of(data: bytes | bytearray, *, ended: bool = False) -> bytes | None:
    """The body of a whole response with status 200; None for anything else.

    ``ended``: nothing more comes, which ends a body of unknown length.
    """
    head, mark, body = bytes(data).partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    version, _, status = first.partition(" ")
    if not mark or not version.startswith("HTTP/1.") or status[:3] != "200":
        return None
    fields = {
        name.strip().lower(): value.strip()
        for name, _, value in (line.partition(":") for line in lines)
    }
    if "chunked" in fields.get("transfer-encoding", "").lower():
        return _joined(body)
    length = fields.get("content-length", "")
    if length.isascii() and length.isdigit() and len(length) < 10:
        return body[: int(length)] if len(body) >= int(length) else None
    return body if ended else None


def _joined(body: bytes) -> bytes | None:
    """The chunks of a body, if the last one has come."""
    parts: list[bytes] = []
    while True:
        line, mark, body = body.partition(b"\r\n")
        try:
            size = int(line.partition(b";")[0], 16)
        except ValueError:
            return None
        if not mark or size < 0 or len(body) < size:
            return None
        if size == 0:
            return b"".join(parts)
        parts.append(body[:size])
        body = body[size + 2 :]
