"""How a service is reached, decided before anything is sent; and the connections that are kept.

``client`` sends requests over what is described here. Nothing here needs httpx until a request
does.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple, Self, TypeAlias
from urllib.parse import urlsplit

from darkai_cli.errors import ConfigError
from darkai_cli.http.timeouts import Timeouts

if TYPE_CHECKING:
    from darkai_cli.http.in_process import App
    from darkai_cli.http.network import Transport
    from darkai_cli.http.proxy import Proxy
    from darkai_cli.http.sockets import HeadStart, Peer
    from darkai_cli.http.tls import PendingContext, Trust

    Key: TypeAlias = "tuple[Proxy | None, PendingContext | None]"


class ConnectionConfig(NamedTuple):
    """How a provider is reached."""

    timeouts: Timeouts = Timeouts()
    proxy: Proxy | None = None
    tls: PendingContext | None = None
    app: App | None = None
    """A service in this process, in place of the network."""
    log: Callable[[str], None] | None = None
    """Takes the lines of ``--debug``; credentials are masked in them."""
    on_sent: Callable[[], None] | None = None
    """Called once the request is on the wire, before the wait for the response."""
    on_head: Callable[[int, Mapping[str, str]], None] | None = None
    """Called with status and headers, names in lower case, when the response begins."""
    admit: Callable[[str, str], None] | None = None
    """Called with host and numeric address before a connection; raises what forbids it. Not asked
    if ``pool`` is set."""
    pool: ConnectionPool | None = None
    """Whose connections are used; None: one for each request, closed at its end."""

    def head_start(self, url: str) -> HeadStart | None:
        """Begin to connect for a first request to ``url``, beside the imports that it needs.

        Returns None where such a connection would not be used or would win no time. ``url`` must
        have passed ``check_url``.
        """
        if "httpx" in sys.modules or self.pool is not None or self.admit is not None:
            return None
        peer = self.peer(url)
        if peer is None:
            return None
        from darkai_cli.http.sockets import HeadStart

        return HeadStart(peer, self.timeouts)

    def peer(self, url: str) -> Peer | None:
        """Return where a connection for ``url`` leads; None if it can't be opened ahead."""
        from darkai_cli.http.sockets import Peer

        parts = urlsplit(url)
        host = parts.hostname or ""
        if self.app is not None:
            return None
        if self.proxy is not None:
            return Peer("proxy", self.proxy.host, self.proxy.port, None)
        if not host.isascii():  # httpx spells an international name out
            return None
        if parts.scheme == "https":
            return Peer("service", host, parts.port or 443, self.tls)
        return Peer("service", host, parts.port or 80, None)


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

    For a chat, or any program that sends several requests:

        with ConnectionPool() as pool:
            connection = ConnectionConfig(timeouts, proxy, pool.context(trust, environ), pool=pool)
            pool.prepare(connection, url)       # returns at once and sends nothing
            ...
            with send(connection, "POST", url, ...):  # over the open connection
                ...

    A kept connection that the service has closed meanwhile is replaced silently. Threads may share
    a pool.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._contexts: dict[Trust, PendingContext] = {}
        self._prepared: dict[Key, list[HeadStart]] = {}
        self._transports: dict[Key, Transport] = {}
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

        Call it whenever a request is likely, for example when the user begins to type. If a
        connection is open already, nothing happens.
        """
        key = (connection.proxy, connection.tls)
        peer = connection.peer(url)
        if peer is None:
            return
        from darkai_cli.http.sockets import HeadStart

        with self._lock:
            transport = self._transports.get(key)
            prepared = self._prepared.setdefault(key, [])
            if self._is_closed or (transport is not None and transport.has_idle_connection(url)):
                return
            if not any(each.peer == peer and each.is_usable() for each in prepared):
                prepared.append(HeadStart(peer, connection.timeouts))

    def transport(self, connection: ConnectionConfig) -> Transport:
        """Return the transport over the connections that lead where ``connection`` does."""
        from darkai_cli.http.network import Backend, Transport

        key = (connection.proxy, connection.tls)
        with self._lock:
            if key not in self._transports:
                backend = Backend(connection.proxy, self._prepared.setdefault(key, []))
                self._transports[key] = Transport(*key, backend)
            return self._transports[key]

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

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
