"""Sockets under httpcore: name resolution that can be interrupted, and reads that obey a Watch.

httpcore reads from a network stream with a timeout fixed per request. Ours look at the exchange's
``Watch`` at each read instead, since which timer counts changes while a reply streams. Names are
resolved in a thread: ``getaddrinfo`` itself can neither be bounded nor interrupted by Ctrl-C.
"""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable
from typing import Any, NamedTuple, cast

import httpcore

from darkai_cli import stops
from darkai_cli.wire.timers import Watch

_SLICE = 0.5
"""Seconds that a read waits at a time. A signal that comes in the moment before the system call
does not interrupt it, so this is how long such a one may go unnoticed."""


class Terms(NamedTuple):
    """What one exchange asks of its connection.

    ``on_sent``: called once all that was to be sent has been. ``admit``: called with host and
    numeric address before a connection; raises what forbids it.
    """

    watch: Watch
    on_sent: Callable[[], None] | None = None
    admit: Callable[[str, str], None] | None = None


class WatchedStream(httpcore.NetworkStream):
    """A network stream whose timeouts come from the ``Watch`` of the exchange that it serves."""

    def __init__(self, inner: httpcore.NetworkStream, terms: Terms) -> None:
        self._inner = inner
        self.begin(terms)

    def begin(self, terms: Terms) -> None:
        """Serve another exchange from now on."""
        self._watch = terms.watch
        self._on_sent = terms.on_sent
        self.heard = False
        """Whether anything has come in this exchange."""

    # The methods are httpcore's, and mean what they mean there.

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002 -- the watch knows better
        watch = self._watch
        if self._on_sent is not None and watch.is_sent:
            tell, self._on_sent = self._on_sent, None
            tell()
        while True:
            stops.check()
            try:
                data = self._inner.read(max_bytes, min(watch.left(), _SLICE))
            except httpcore.ReadTimeout:
                if watch.is_over:
                    raise
            else:
                watch.byte()
                self.heard = self.heard or bool(data)
                return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002 -- likewise
        self._inner.write(buffer, self._watch.left())

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002 -- likewise
    ) -> WatchedStream:
        inner = self._inner.start_tls(ssl_context, server_hostname, self._watch.left())
        return WatchedStream(inner, Terms(self._watch, self._on_sent))

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)

    @property
    def speaks_h2(self) -> bool:
        """Whether the other side chose HTTP/2."""
        tls = self.get_extra_info("ssl_object")
        return tls is not None and tls.selected_alpn_protocol() == "h2"

    @property
    def is_readable(self) -> bool:
        """Whether something came that nobody has read: of an idle connection, its end."""
        return bool(self.get_extra_info("is_readable"))


def connect(host: str, port: int, terms: Terms) -> WatchedStream:
    """A TCP connection, to the first address of the host that takes it.

    Raises ``httpcore.ConnectError`` or ``ConnectTimeout``, and what ``terms.admit`` raises.
    """
    watch = terms.watch
    addresses = resolve(host, port, watch.left())
    if terms.admit is not None:
        for address in addresses:  # before any of them is spoken to
            terms.admit(host, address)
    backend = httpcore.SyncBackend()
    for left, address in zip(range(len(addresses), 0, -1), addresses, strict=True):
        try:
            # As bytes, since a text would have Python load its codec for international names.
            numeric = cast("str", address.encode())
            stream = backend.connect_tcp(numeric, port, watch.left() / left)
        except (httpcore.ConnectError, httpcore.ConnectTimeout):
            if left == 1:
                raise
        else:
            return WatchedStream(stream, terms)
    raise AssertionError("resolve() gives at least one address")  # pragma: no cover


def resolve(host: str, port: int, seconds: float) -> list[str]:
    """The numeric addresses of a host, in the system's order.

    Raises ``httpcore.ConnectError`` (caused by ``socket.gaierror``) or ``ConnectTimeout``.
    """
    if is_numeric(host):
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


def is_numeric(host: str) -> bool:
    """Whether a host is an address already."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.inet_pton(family, host)
    except OSError:
        return False
    return True
