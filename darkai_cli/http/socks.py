"""SOCKS5 proxies, through the package python-socks. Imported only if such a proxy is used.

python-socks speaks SOCKS; the connection to the proxy stays ours, with its time limit and its head
start. Its ``forward`` parameter, meant for a chain of proxies, takes an object that returns the
connection.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import python_socks
from python_socks import ProxyType
from python_socks.sync import Proxy as SocksProxy

from darkai_cli.http import sockets
from darkai_cli.http.httpx_guard import httpcore

if TYPE_CHECKING:
    import anyio.abc

    from darkai_cli.http.proxy import Proxy


class _Connected(SocksProxy):
    """Returns a connection that has been made already."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection

    def connect(self, *_args: Any, **_options: Any) -> socket.socket:
        return self._connection


def open_tunnel(connection: socket.socket, proxy: Proxy, host: str, port: int) -> None:
    """Have the proxy at the other end of ``connection`` connect to a host, by name or address.

    The connection's own timeout counts for each of the three answers. Raises
    ``httpcore.ProxyError``, ``ConnectError`` or ``ConnectTimeout``.
    """
    with _httpcore_errors():
        SocksProxy(
            ProxyType.SOCKS5,
            proxy.host,
            proxy.port,
            proxy.user,
            proxy.password,
            rdns=True,
            forward=_Connected(connection),
        ).connect(host, port)


@contextmanager
def _httpcore_errors() -> Iterator[None]:
    """Raise what python-socks and sockets raise as httpcore's exceptions."""
    try:
        yield
    except python_socks.ProxyError as exc:
        text = str(exc)
        if "version number" in text:
            text = "it doesn't speak SOCKS5"
        raise httpcore.ProxyError(text[:1].lower() + text[1:]) from exc
    except TimeoutError as exc:
        raise httpcore.ConnectTimeout(str(exc)) from exc
    except OSError as exc:
        raise httpcore.ConnectError(str(exc)) from exc


class AsyncBackend(httpcore.AsyncNetworkBackend):
    """Network backend of the asynchronous driver: every connection leads through the proxy."""

    def __init__(self, proxy: Proxy) -> None:
        self._proxy = proxy
        self._anyio = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002, ASYNC109 -- the caller's cancel scope counts
        local_address: str | None = None,  # noqa: ARG002 -- never set
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,  # noqa: ARG002 -- never set
    ) -> httpcore.AsyncNetworkStream:
        import anyio
        from httpcore._backends.anyio import AnyIOStream
        from python_socks.async_.anyio import Proxy as AsyncSocksProxy

        class Connected(AsyncSocksProxy):
            def __init__(self, stream: anyio.abc.SocketStream) -> None:
                self._stream = stream

            async def connect(self, *_args: Any, **_options: Any) -> anyio.abc.SocketStream:
                return self._stream

        proxy = self._proxy
        with _httpcore_errors():
            if proxy.scheme == "socks5" and not sockets.is_numeric(host):
                host = str((await anyio.getaddrinfo(host, port))[0][4][0])
            stream = await anyio.connect_tcp(proxy.host, proxy.port)
            socks = AsyncSocksProxy(
                ProxyType.SOCKS5,
                proxy.host,
                proxy.port,
                proxy.user,
                proxy.password,
                rdns=True,
                forward=Connected(stream),
            )
            await socks.connect(host, port)
        return AnyIOStream(stream)

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ASYNC109 -- httpcore's name
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        return await self._anyio.connect_unix_socket(path, timeout, socket_options)

    async def sleep(self, seconds: float) -> None:
        await self._anyio.sleep(seconds)
