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

    ``proxy`` matters if it is a SOCKS proxy; httpcore speaks to HTTP proxies itself. ``admit`` is
    called with host and numeric address before a connection, and raises what forbids it.
    ``head_start`` is the connection of the only request of this pool: its errors are raised.
    ``prepared`` are connections opened for requests to come: a failed one is replaced silently.
    """

    def __init__(
        self,
        proxy: Proxy | None = None,
        *,
        admit: Callable[[str, str], None] | None = None,
        head_start: HeadStart | None = None,
        prepared: list[HeadStart] | None = None,
    ) -> None:
        self._socks_proxy = proxy if proxy is not None and proxy.is_socks else None
        self._admit = admit
        self._head_start = head_start
        self._prepared = prepared if prepared is not None else []

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: object = None,
        local_address: str | None = None,  # noqa: ARG002 -- never set
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,  # noqa: ARG002 -- never set
    ) -> DeadlineStream:
        assert isinstance(timeout, Deadline)
        host = host.strip("[]")
        with _httpcore_errors():
            if self._socks_proxy is not None:
                connection = self._connect_through_socks(self._socks_proxy, host, port, timeout)
            else:
                connection = self._connect(host, port, timeout)
        # httpcore has no public way to make a stream of a socket that is connected.
        from httpcore._backends.sync import SyncStream

        return DeadlineStream(SyncStream(connection), has_tls=isinstance(connection, ssl.SSLSocket))

    def _connect(self, host: str, port: int, deadline: Deadline) -> socket.socket:
        connection = self._take_prepared(host, port, deadline)
        if connection is not None:
            return connection
        deadline.is_fresh_connection = True
        if self._head_start is not None and self._head_start.leads_to(host, port):
            connection = self._head_start.take(deadline)
        return connection or sockets.connect(host, port, deadline.remaining, self._admit)

    def _take_prepared(self, host: str, port: int, deadline: Deadline) -> socket.socket | None:
        for prepared in list(self._prepared):
            if not prepared.leads_to(host, port):
                continue
            with suppress(ValueError):  # another thread may have been quicker
                self._prepared.remove(prepared)
            if prepared.is_usable():
                try:
                    return prepared.take(deadline)
                except Exception as exc:  # noqa: BLE001 -- connecting anew will meet it again
                    del exc
            prepared.close()
        return None

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

    httpcore drops the cause of what passes its pools, but not the context, which is the same here.
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
        arguments = _pool_arguments(proxy, tls, backend)
        pool = httpcore.HTTPProxy if "proxy_url" in arguments else httpcore.ConnectionPool
        self._pool = pool(**arguments)

    def has_idle_connection(self, url: str) -> bool:
        """Return whether the next request to ``url`` would use a kept connection."""
        parts = httpx.URL(url)
        origin = httpcore.URL(
            scheme=parts.raw_scheme, host=parts.raw_host, port=parts.port, target=b"/"
        ).origin
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
            from darkai_cli.http import socks

            backend = socks.AsyncBackend(proxy)
        arguments = _pool_arguments(proxy, tls, backend)
        pool = httpcore.AsyncHTTPProxy if "proxy_url" in arguments else httpcore.AsyncConnectionPool
        self._pool = pool(**arguments)


def _pool_arguments(
    proxy: Proxy | None, tls: PendingContext | None, backend: object
) -> dict[str, Any]:
    # httpcore would tell an application's log what is sent, keys included.
    logging.getLogger("httpcore").propagate = False
    context = None if tls is None else tls.get()
    arguments = {
        "ssl_context": context,
        "max_connections": None,
        "keepalive_expiry": sockets.IDLE_SECONDS,
        "network_backend": backend,
    }
    if proxy is not None and not proxy.is_socks:
        arguments["proxy_url"] = httpcore.URL(
            scheme=proxy.scheme, host=proxy.host, port=proxy.port, target=b"/"
        )
        arguments["proxy_auth"] = proxy.auth
        arguments["proxy_ssl_context"] = context if proxy.scheme == "https" else None
    return arguments


class RequestTrace:
    """httpcore's ``trace`` callback: notes on the deadline what a request has come to.

    ``on_sent`` is called once, when all of the request is on the wire.
    """

    def __init__(
        self, deadline: Deadline, proxy: Proxy | None, on_sent: Callable[[], None] | None
    ) -> None:
        self._deadline = deadline
        self._proxy = proxy
        self._on_sent = on_sent

    def note(self, event: str, info: dict[str, Any]) -> None:
        """Take in one of httpcore's trace events, such as ``http11.send_request_body.started``."""
        deadline, proxy = self._deadline, self._proxy
        if event == "connection.connect_tcp.started":
            deadline.step = "service" if proxy is None else "proxy"
        elif event == "connection.start_tls.started":
            deadline.step = "proxy-tls" if proxy is not None and not proxy.is_socks else "tls"
        elif event == "proxy.start_tls.started":
            deadline.step = "tls"
        elif event == "http11.send_request_headers.started":
            if info["request"].method == b"CONNECT":
                deadline.step = "tunnel"
            else:
                deadline.sent()
        elif event == "http11.receive_response_headers.started" and deadline.is_sent:
            on_sent, self._on_sent = self._on_sent, None
            if on_sent is not None:
                on_sent()

    async def anote(self, event: str, info: dict[str, Any]) -> None:
        """Take in one of httpcore's trace events, in the asynchronous driver."""
        if event == "connection.connect_tcp.started":
            self._deadline.is_fresh_connection = True
        self.note(event, info)
