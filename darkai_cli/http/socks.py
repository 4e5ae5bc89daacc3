"""SOCKS version 5, the client's side: three short questions on a stream that stands.

Sources: RFC 1928, and RFC 1929 for user name and password. Only CONNECT is spoken. The talk itself
does no I/O, so that both drivers share it; each answer is read to its exact length, for it may come
in pieces, and nothing of what follows may be taken away.
"""

from __future__ import annotations

import socket
from collections.abc import Generator, Iterable

import httpcore

from darkai_cli.http.dial import is_numeric
from darkai_cli.http.proxy import Proxy

_REFUSALS = {
    1: "general failure", 2: "not allowed by its rules", 3: "network unreachable",
    4: "host unreachable", 5: "connection refused", 6: "time to live expired",
    7: "command not supported", 8: "address type not supported",
}  # fmt: skip


def negotiate(
    stream: httpcore.NetworkStream, host: str, port: int, auth: tuple[bytes, bytes] | None
) -> None:
    """Have the proxy connect to ``host``, a name or an address. Raises ``httpcore.ProxyError``."""
    talk = _talk(host, port, auth)
    answer = b""
    try:
        while True:
            step = talk.send(answer or None)
            answer = b""
            if isinstance(step, bytes):
                stream.write(step)
            while isinstance(step, int) and len(answer) < step:
                answer += _some(stream.read(step - len(answer)))
    except StopIteration:
        return


async def anegotiate(
    stream: httpcore.AsyncNetworkStream, host: str, port: int, auth: tuple[bytes, bytes] | None
) -> None:
    """The same, for the asynchronous driver."""
    talk = _talk(host, port, auth)
    answer = b""
    try:
        while True:
            step = talk.send(answer or None)
            answer = b""
            if isinstance(step, bytes):
                await stream.write(step)
            while isinstance(step, int) and len(answer) < step:
                answer += _some(await stream.read(step - len(answer)))
    except StopIteration:
        return


def _talk(
    host: str, port: int, auth: tuple[bytes, bytes] | None
) -> Generator[bytes | int, bytes | None, None]:
    """Gives bytes to be sent, and numbers of bytes to be read, which it is sent."""

    def read(size: int) -> Generator[int, bytes | None, bytes]:
        return (yield size) or b""

    yield b"\x05\x02\x00\x02" if auth else b"\x05\x01\x00"
    version, method = yield from read(2)
    if version != 5:
        raise httpcore.ProxyError("it does not speak SOCKS5")
    if method == 2 and auth:
        user, password = (word[:255] for word in auth)
        yield b"\x01%c%b%c%b" % (len(user), user, len(password), password)
        if (yield from read(2))[1] != 0:
            raise httpcore.ProxyError("407 authentication failed")
    elif method != 0:
        raise httpcore.ProxyError("407 authentication required")
    yield b"\x05\x01\x00" + _address(host) + port.to_bytes(2, "big")
    _, reply, _, kind = yield from read(4)
    if reply != 0:
        raise httpcore.ProxyError(_REFUSALS.get(reply, f"error {reply}"))
    size = {1: 4, 4: 16}.get(kind)
    if size is None:
        size = (yield from read(1))[0]
    yield from read(size + 2)


def _address(host: str) -> bytes:
    if is_numeric(host):
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return (b"\x04" if ":" in host else b"\x01") + socket.inet_pton(family, host)
    name = host.encode()[:255]
    return b"\x03%c%b" % (len(name), name)


def _some(data: bytes) -> bytes:
    if not data:
        raise httpcore.ProxyError("it closed the connection")
    return data


class SocksBackend(httpcore.AsyncNetworkBackend):
    """For the asynchronous driver: every connection leads through the proxy."""

    def __init__(self, proxy: Proxy) -> None:
        self._proxy = proxy
        self._inner = httpcore.AnyIOBackend()  # asyncio and trio

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 -- httpcore's name
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        proxy = self._proxy
        stream = await self._inner.connect_tcp(
            proxy.host, proxy.port, timeout, local_address, socket_options
        )
        try:
            if proxy.scheme == "socks5" and not is_numeric(host):  # socks5h leaves it to the proxy
                import anyio

                host = str((await anyio.getaddrinfo(host, port))[0][4][0])
            await anegotiate(stream, host, port, proxy.auth)
        except BaseException:
            await stream.aclose()
            raise
        return stream

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ASYNC109 -- likewise
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        return await self._inner.connect_unix_socket(path, timeout, socket_options)

    async def sleep(self, seconds: float) -> None:
        await self._inner.sleep(seconds)
