"""Sockets under httpcore: name resolution that can be interrupted, and reads that obey a Watch.

httpcore asks its network backend for streams and reads from them with a timeout fixed per request.
Ours look at the exchange's ``Watch`` at each read instead, since which timer counts changes while a
reply streams. Names are resolved in a thread: ``getaddrinfo`` itself can neither be bounded nor
interrupted by Ctrl-C.
"""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterable
from typing import Any, cast

import httpcore

from darkai_cli import stops
from darkai_cli.wire.timers import Watch

_SLICE = 0.5
"""Seconds that a read waits at a time. A signal that comes in the moment before the system call
does not interrupt it, so this is how long such a one may go unnoticed."""


class WatchedStream(httpcore.NetworkStream):
    """A network stream whose timeouts come from a ``Watch``."""

    def __init__(self, inner: httpcore.NetworkStream, backend: WatchedBackend) -> None:
        self._inner = inner
        self._backend = backend

    # The methods are httpcore's, and mean what they mean there.

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002 -- the watch knows better
        watch = self._backend.watch
        if watch.is_sent:
            self._backend.sent()
        while True:
            stops.check()
            try:
                data = self._inner.read(max_bytes, min(watch.left(), _SLICE))
            except httpcore.ReadTimeout:
                if watch.is_over:
                    raise
            else:
                watch.byte()
                return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002 -- likewise
        self._inner.write(buffer, self._backend.watch.left())

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002 -- likewise
    ) -> httpcore.NetworkStream:
        self._backend.watch.in_handshake = True
        inner = self._inner.start_tls(ssl_context, server_hostname, self._backend.watch.left())
        return WatchedStream(inner, self._backend)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


class WatchedBackend(httpcore.NetworkBackend):
    """Connects within what is left of ``watch``, which the transport renews for each request."""

    def __init__(
        self,
        watch: Watch,
        on_sent: Callable[[], None] | None = None,
        admit: Callable[[str, str], None] | None = None,
    ) -> None:
        self.watch = watch
        self._on_sent = on_sent
        self._admit = admit
        self._sync = httpcore.SyncBackend()

    def sent(self) -> None:
        """Something is awaited now: all that was to be sent has been. Tells it once."""
        if self._on_sent is not None:
            tell, self._on_sent = self._on_sent, None
            tell()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002 -- the watch knows better
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        addresses = resolve(host, port, self.watch.left())
        if self._admit is not None:
            for address in addresses:  # before any of them is spoken to
                self._admit(host, address)
        for left, address in zip(range(len(addresses), 0, -1), addresses, strict=True):
            try:
                # As bytes, since a text would have Python load its codec for international names.
                numeric = cast("str", address.encode())
                stream = self._sync.connect_tcp(
                    numeric, port, self.watch.left() / left, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if left == 1:
                    raise
            else:
                return WatchedStream(stream, self)
        raise AssertionError("resolve() gives at least one address")  # pragma: no cover

    def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        return self._sync.connect_unix_socket(path, timeout, socket_options)

    def sleep(self, seconds: float) -> None:
        self._sync.sleep(seconds)


def resolve(host: str, port: int, seconds: float) -> list[str]:
    """The numeric addresses of a host, in the system's order.

    Raises ``httpcore.ConnectError`` (caused by ``socket.gaierror``) or ``ConnectTimeout``.
    """
    if _is_numeric(host):
        return [host]
    found: list[str] = []
    fault: list[OSError] = []

    def look_up() -> None:
        stops.deaf()
        try:
            for *_, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
                if address[0] not in found:
                    found.append(str(address[0]))
        except UnicodeError as exc:  # a label that IDNA refuses
            fault.append(socket.gaierror(socket.EAI_NONAME, str(exc)))
        except OSError as exc:
            fault.append(exc)

    thread = threading.Thread(target=look_up, name="resolve", daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        raise httpcore.ConnectTimeout(f"resolving {host} took too long")
    if fault:
        try:
            raise fault[0]
        except OSError as exc:  # httpcore drops the cause of what passes its pool, not the context
            raise httpcore.ConnectError(str(exc)) from exc
    return found


def _is_numeric(host: str) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.inet_pton(family, host)
    except OSError:
        return False
    return True
