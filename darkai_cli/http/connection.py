"""How a service is reached, decided before anything is sent; and the connections that are kept.

``client`` sends requests over what is described here. Nothing here needs httpx until a request or
a preparation does.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple, Self, TypeAlias
from urllib.parse import urlsplit

from darkai_cli.errors import ConfigError
from darkai_cli.http.timeouts import Timeouts

if TYPE_CHECKING:
    from darkai_cli.http.in_process import App
    from darkai_cli.http.network import AsyncTransport, Transport
    from darkai_cli.http.proxy import Proxy
    from darkai_cli.http.sockets import HeadStart
    from darkai_cli.http.tls import PendingContext, Trust

    Key: TypeAlias = "tuple[Proxy | None, PendingContext | None]"


class ConnectionConfig(NamedTuple):
    """How a provider is reached."""

    timeouts: Timeouts = Timeouts()
    proxy: Proxy | None = None
    tls: PendingContext | None = None
    app: App | None = None
    """A service in this process, in place of the network."""
    sleep: Callable[[float], None] = time.sleep
    """Makes the pauses of ``app``."""
    log: Callable[[str], None] | None = None
    """Takes the lines of ``--debug``; credentials are masked in them."""
    on_sent: Callable[[], None] | None = None
    """Called once the request is on the wire, before the wait for the response."""
    on_head: Callable[[int, Mapping[str, str]], None] | None = None
    """Called with status and headers, names in lower case, when the response begins."""
    admit: Callable[[str, str], None] | None = None
    """Called with host and numeric address before a connection; raises what forbids it."""
    pool: ConnectionPool | None = None
    """Whose connections are used; None: one for each request, closed at its end."""

    def head_start(self, url: str) -> HeadStart | None:
        """Begin to connect for a first request to ``url``, beside the imports that it needs.

        Returns None where such a connection would not be used or would win no time. ``url`` must
        have passed ``check_url``.
        """
        if "httpx" in sys.modules or self.pool is not None or self.admit is not None:
            return None
        return self.open_ahead(url)

    def open_ahead(self, url: str) -> HeadStart | None:
        """Begin to connect to the proxy, or to the service and with TLS; None if that can't be."""
        from darkai_cli.http.sockets import HeadStart

        seconds = self.timeouts.connect
        if self.app is not None:
            return None
        if self.proxy is not None:
            return HeadStart("proxy", self.proxy.host, self.proxy.port, None, seconds)
        place = _host_and_port(url)
        if place is None:
            return None
        tls = self.tls if url.lower().startswith("https:") else None
        return HeadStart("service", *place, tls, seconds)


def _host_and_port(url: str) -> tuple[str, int] | None:
    """Return where ``url`` leads; None for an international name, which httpx spells out."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if not host.isascii():
        return None
    return host, parts.port or (443 if parts.scheme == "https" else 80)


def check_url(url: str, what: str = "base URL") -> None:
    """Raise ``ConfigError`` unless ``url`` can be sent to."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise ConfigError(
            f"The {what} must start with http:// or https:// and name a host, not `{url}`",
            hint="`darkai config set providers.NAME.url https://HOST/PATH`, or set `DARKAI_URL`",
        )


class ConnectionPool:
    """Connections that outlive a request, and the TLS contexts they share.

    For a chat, or any program that asks again and again:

        with ConnectionPool() as pool:
            connection = ConnectionConfig(timeouts, proxy, pool.context(trust, environ), pool=pool)
            pool.prepare(connection, url)       # at once: nothing is sent, nobody waits
            ...
            with send(connection, "POST", url, ...):  # over what is open by now
                ...

    A kept connection that the service has closed meanwhile is replaced silently. Threads may share
    a pool. ``aclose`` also closes the connections of the asynchronous driver.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._contexts: dict[Trust, PendingContext] = {}
        self._prepared: dict[Key, list[HeadStart]] = {}
        self._transports: dict[Key, Transport] = {}
        self._async_transports: dict[Key, AsyncTransport] = {}
        self._is_closed = False

    def context(self, trust: Trust, environ: Mapping[str, str]) -> PendingContext:
        """Return the TLS context for these certificates, which is built once."""
        from darkai_cli.http.tls import PendingContext

        with self._lock:
            if trust not in self._contexts:
                self._contexts[trust] = PendingContext(trust, environ)
            return self._contexts[trust]

    def prepare(self, connection: ConnectionConfig, url: str) -> None:
        """Begin to connect to where ``url`` leads. Returns at once and raises nothing.

        To be called whenever a request is likely, as when somebody begins to type: an open
        connection is left alone.
        """
        proxy = connection.proxy
        place = (proxy.host, proxy.port) if proxy is not None else _host_and_port(url)
        if place is None:
            return
        key = (proxy, connection.tls)
        with self._lock:
            transport = self._transports.get(key)
            prepared = self._prepared.setdefault(key, [])
            if self._is_closed or (transport is not None and transport.has_idle_connection(url)):
                return
            if any(each.leads_to(*place) and each.is_usable() for each in prepared):
                return
            head_start = connection.open_ahead(url)
            if head_start is not None:
                prepared.append(head_start)

    def transport(self, connection: ConnectionConfig) -> Transport:
        """Return the transport over the connections that lead where ``connection`` does."""
        from darkai_cli.http.network import Backend, Transport

        key = (connection.proxy, connection.tls)
        with self._lock:
            if key not in self._transports:
                backend = Backend(connection.proxy, prepared=self._prepared.setdefault(key, []))
                self._transports[key] = Transport(*key, backend)
            return self._transports[key]

    def async_transport(self, connection: ConnectionConfig) -> AsyncTransport:
        """Return the asynchronous transport that leads where ``connection`` does."""
        from darkai_cli.http.network import AsyncTransport

        key = (connection.proxy, connection.tls)
        if key not in self._async_transports:
            self._async_transports[key] = AsyncTransport(*key)
        return self._async_transports[key]

    def close(self) -> None:
        """Close every connection, also those that are still being opened."""
        with self._lock:
            self._is_closed = True
            prepared = [each for group in self._prepared.values() for each in group]
            transports = list(self._transports.values())
            self._transports.clear()
        for head_start in prepared:
            head_start.close()
        for transport in transports:
            transport.close()

    async def aclose(self) -> None:
        """Close every connection, the asynchronous ones too."""
        while self._async_transports:
            await self._async_transports.popitem()[1].aclose()
        self.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()
