"""Sockets under httpcore: reads that obey a Watch.

httpcore reads from a network stream with a timeout fixed per request. Ours look at the exchange's
``Deadline`` at each read instead, since which timer counts changes while a reply streams. How a
connection is made is in ``dial``; this gives it, and its faults, httpcore's form.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import httpcore

from darkai_cli import signals
from darkai_cli.http import dial, lean
from darkai_cli.http.timeouts import Deadline

_SLICE = 0.5
"""Seconds that a read waits at a time. A signal that comes in the moment before the system call
does not interrupt it, so this is how long such a one may go unnoticed."""


class Terms(NamedTuple):
    """What one exchange asks of its connection.

    ``on_sent``: called once all that was to be sent has been. ``admit``: called with host and
    numeric address before a connection; raises what forbids it. ``begun``: a connection that is on
    its way.
    """

    watch: Deadline
    on_sent: Callable[[], None] | None = None
    admit: Callable[[str, str], None] | None = None
    begun: dial.HeadStart | None = None


class WatchedStream(httpcore.NetworkStream):
    """A network stream whose timeouts come from the ``Deadline`` of the exchange that it serves."""

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
            signals.raise_pending()
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
    def is_secure(self) -> bool:
        """Whether TLS has been agreed upon."""
        return self.get_extra_info("ssl_object") is not None

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
    """A connection, to the first address of the host that takes it; TLS may be agreed upon already.

    Raises ``httpcore.ConnectError`` or ``ConnectTimeout``, and what ``terms.admit`` raises.
    """
    with _as_httpcore():
        connection = terms.begun.take(terms.watch) if terms.begun is not None else None
        if connection is None:
            connection = dial.connect(host, port, terms.watch.left, terms.admit)
    return WatchedStream(lean.stream(connection), terms)


def resolve(host: str, port: int, seconds: float) -> list[str]:
    """The numeric addresses of a host. Raises ``httpcore.ConnectError`` or ``ConnectTimeout``."""
    with _as_httpcore():
        return dial.resolve(host, port, seconds)


@contextmanager
def _as_httpcore() -> Iterator[None]:
    """Raise what sockets raise as httpcore's exceptions.

    httpcore drops the cause of what passes its pool, but not the context, which is here the same.
    """
    try:
        yield
    except TimeoutError as exc:
        raise httpcore.ConnectTimeout(str(exc)) from exc
    except OSError as exc:
        raise httpcore.ConnectError(str(exc)) from exc
