"""SOCKS5 proxies, through the package python-socks. Imported only if such a proxy is used.

python-socks speaks SOCKS; the connection to the proxy stays ours, with its time limit and its head
start. Its ``forward`` parameter, meant for a chain of proxies, takes an object that returns the
connection.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import python_socks
from python_socks import ProxyType
from python_socks.sync import Proxy as SocksProxy

from darkai_cli.http import sockets
from darkai_cli.http.httpx_guard import httpcore

if TYPE_CHECKING:
    import anyio.abc

    from darkai_cli.http.proxy import Proxy


def open_tunnel(connection: socket.socket, proxy: Proxy, host: str, port: int) -> None:
    """Have the proxy at the other end of ``connection`` connect to a host, by name or address.

    The connection's own timeout counts for each of the three answers. Raises ``OSError``, of which
    ``TimeoutError`` is one, and ``httpcore.ProxyError`` if the proxy refuses.
    """
    with _proxy_errors():
        SocksProxy(**_arguments(proxy, lambda **_options: connection)).connect(host, port)


async def aopen_tunnel(proxy: Proxy, host: str, port: int) -> httpcore.AsyncNetworkStream:
    """Return a stream to a host through the proxy, for asyncio and trio.

    The caller's cancel scope sets the time limit. Raises as ``open_tunnel`` does.
    """
    import anyio
    from httpcore._backends.anyio import AnyIOStream
    from python_socks.async_.anyio import Proxy as AsyncSocksProxy

    if proxy.scheme == "socks5" and not sockets.is_numeric(host):
        host = str((await anyio.getaddrinfo(host, port))[0][4][0])
    stream = await anyio.connect_tcp(proxy.host, proxy.port)

    async def connect(**_options: Any) -> anyio.abc.SocketStream:
        return stream

    with _proxy_errors():
        await AsyncSocksProxy(**_arguments(proxy, connect)).connect(host, port)
    return AnyIOStream(stream)


def _arguments(proxy: Proxy, connect: Callable[..., Any]) -> dict[str, Any]:
    """Return the arguments of a python-socks proxy whose connection ``connect`` returns."""
    return {
        "proxy_type": ProxyType.SOCKS5,
        "host": proxy.host,
        "port": proxy.port,
        "username": proxy.user,
        "password": proxy.password,
        "rdns": True,
        "forward": SimpleNamespace(connect=connect),
    }


@contextmanager
def _proxy_errors() -> Iterator[None]:
    """Raise a refusal of the proxy as httpcore's exception."""
    try:
        yield
    except python_socks.ProxyError as exc:
        text = str(exc)
        if "version number" in text:
            text = "it doesn't speak SOCKS5"
        raise httpcore.ProxyError(text[:1].lower() + text[1:]) from exc
