"""httpcore's connection pools over a network backend of our own.

httpcore speaks HTTP/1.1, keeps connections and talks to HTTP proxies. The backend below it differs
from httpcore's own in three ways:

- Timeouts move while a reply streams. httpcore hands the values of a request's ``timeout``
  extension down to the backend untouched; darkai puts the exchange's ``Deadline`` there, and each
  read looks at it.
- Waits are cut into slices, so that Ctrl-C always gets through, and names are resolved in a thread.
- ``connect_tcp`` and ``start_tls`` hand out a connection that was opened ahead (``HeadStart``).
"""

from __future__ import annotations

import logging
import socket
import ssl
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from darkai_cli import signals
from darkai_cli.http import sockets
from darkai_cli.http.httpx_guard import httpcore, httpx
from darkai_cli.http.timeouts import Deadline

if TYPE_CHECKING:
    from darkai_cli.http.proxy import Proxy
    from darkai_cli.http.sockets import HeadStart
    from darkai_cli.http.tls import PendingContext

_SLICE = 0.5
"""Seconds that a read waits at a time. A signal that comes just before the system call does not
interrupt it, so this is how long such a signal may go unnoticed."""


class Backend(httpcore.NetworkBackend):
    """Opens the connections of one pool.

    ``proxy`` matters if it is a SOCKS proxy; httpcore speaks to HTTP proxies itself. ``prepared``
    are connections opened for requests to come. ``admit`` is called with host and numeric address
    before a connection, and raises what forbids it.
    """

    def __init__(
        self,
        proxy: Proxy | None,
        prepared: list[HeadStart],
        admit: Callable[[str, str], None] | None = None,
    ) -> None:
        self._socks_proxy = proxy if proxy is not None and proxy.is_socks else None
        self._prepared = prepared
        self._admit = admit

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: object = None,
        local_address: str | None = None,  # noqa: ARG002 -- never set
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,  # noqa: ARG002 -- never set
    ) -> DeadlineStream:
        assert isinstance(timeout, Deadline)
        with _httpcore_errors():
            if self._socks_proxy is not None:
                connection = self._connect_through_socks(self._socks_proxy, host, port, timeout)
            else:
                connection = self._connect(host, port, timeout)
        # httpcore has no public way to make a stream of a socket that is connected.
        from httpcore._backends.sync import SyncStream

        return DeadlineStream(SyncStream(connection), has_tls=isinstance(connection, ssl.SSLSocket))

    def _connect(self, host: str, port: int, deadline: Deadline) -> socket.socket:
        for prepared in list(self._prepared):
            if (prepared.peer.host, prepared.peer.port) == (host, port):
                with suppress(ValueError):  # another thread may have been quicker
                    self._prepared.remove(prepared)
                connection = prepared.take(deadline)
                if connection is not None:
                    return connection
        deadline.is_fresh_connection = True
        return sockets.connect(host, port, deadline.remaining, self._admit)

    def _connect_through_socks(
        self, proxy: Proxy, host: str, port: int, deadline: Deadline
    ) -> socket.socket:
        from darkai_cli.http import socks

        connection = self._connect(proxy.host, proxy.port, deadline)
        try:
            if proxy.scheme == "socks5":  # socks5h leaves the name to the proxy
                deadline.step = "service"
                host = sockets.resolve(host, port, deadline.remaining())[0]
            deadline.step = "tunnel"
            connection.settimeout(deadline.remaining())
            socks.open_tunnel(connection, proxy, host, port)
        except BaseException:
            connection.close()
            raise
        return connection


class DeadlineStream(httpcore.NetworkStream):
    """A network stream whose timeouts come from the ``Deadline`` of the request it serves.

    ``has_tls``: the handshake that httpcore is about to ask for was made ahead.
    """

    def __init__(self, stream: httpcore.NetworkStream, *, has_tls: bool = False) -> None:
        self._stream = stream
        self._has_tls = has_tls

    def read(self, max_bytes: int, timeout: object = None) -> bytes:
        assert isinstance(timeout, Deadline)
        while True:
            if signals.pending:
                signals.raise_pending()
            try:
                data = self._stream.read(max_bytes, min(timeout.remaining(), _SLICE))
            except httpcore.ReadTimeout:
                if timeout.is_over:
                    raise
            else:
                if data:
                    timeout.on_bytes()
                return data

    def write(self, buffer: bytes, timeout: object = None) -> None:
        assert isinstance(timeout, Deadline)
        self._stream.write(buffer, timeout.remaining())

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: object = None,
    ) -> DeadlineStream:
        if self._has_tls:
            return DeadlineStream(self._stream)
        assert isinstance(timeout, Deadline)
        return DeadlineStream(
            self._stream.start_tls(ssl_context, server_hostname, timeout.remaining())
        )

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


@contextmanager
def _httpcore_errors() -> Iterator[None]:
    """Raise what sockets raise as httpcore's exceptions.

    httpcore drops the cause of what passes its pools, but the context remains: the socket's error.
    """
    try:
        yield
    except TimeoutError as exc:
        raise httpcore.ConnectTimeout(str(exc)) from exc
    except OSError as exc:
        raise httpcore.ConnectError(str(exc)) from exc


class Transport(httpx.HTTPTransport):
    """httpx's own transport, with a pool that httpx has no parameter for."""

    def __init__(self, proxy: Proxy | None, tls: PendingContext | None, backend: Backend) -> None:
        self._pool = httpcore.ConnectionPool(**_pool_arguments(proxy, tls, backend))

    def has_idle_connection(self, url: str) -> bool:
        """Return whether the next request to ``url`` would use a kept connection."""
        origin = httpcore.URL(str(httpx.URL(url))).origin
        return any(
            connection.can_handle_request(origin)
            and connection.is_available()
            and not connection.has_expired()
            for connection in self._pool.connections
        )


class AsyncTransport(httpx.AsyncHTTPTransport):
    """httpx's transport for asyncio and trio; its time limits are the client's cancel scopes."""

    def __init__(self, proxy: Proxy | None, tls: PendingContext | None) -> None:
        backend = None
        if proxy is not None and proxy.is_socks:
            backend = _AsyncSocksBackend(proxy)
        self._pool = httpcore.AsyncConnectionPool(**_pool_arguments(proxy, tls, backend))


class _AsyncSocksBackend(httpcore.AnyIOBackend):
    """Network backend of the asynchronous driver behind a SOCKS proxy."""

    def __init__(self, proxy: Proxy) -> None:
        self._proxy = proxy

    async def connect_tcp(
        self, host: str, port: int, *_args: object, **_options: object
    ) -> httpcore.AsyncNetworkStream:
        from darkai_cli.http import socks

        with _httpcore_errors():
            return await socks.aopen_tunnel(self._proxy, host, port)


def _pool_arguments(
    proxy: Proxy | None, tls: PendingContext | None, backend: object
) -> dict[str, Any]:
    """Return the arguments of httpcore's pool for one route."""
    # httpcore would tell an application's log what is sent, keys included.
    logging.getLogger("httpcore").propagate = False
    context = None if tls is None else tls.get()
    http_proxy = None
    if proxy is not None and not proxy.is_socks:
        http_proxy = httpcore.Proxy(
            httpcore.URL(scheme=proxy.scheme, host=proxy.host, port=proxy.port, target=b"/"),
            proxy.auth,
            ssl_context=context if proxy.scheme == "https" else None,
        )
    return {
        "ssl_context": context,
        "proxy": http_proxy,
        "max_connections": None,
        "keepalive_expiry": sockets.IDLE_SECONDS,
        "network_backend": backend,
    }
