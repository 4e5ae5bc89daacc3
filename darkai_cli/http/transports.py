"""The classes of httpcore as those of httpx, for the synchronous and the asynchronous driver.

Nothing is decided here: requests, responses and exceptions change their class, and that is all.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import httpcore
import httpx

if TYPE_CHECKING:
    from darkai_cli.http.network import Terms
    from darkai_cli.http.pool import Pool
    from darkai_cli.http.proxy import Proxy
    from darkai_cli.http.tls import PendingContext

KEPT = 90.0
"""Seconds that an idle connection is kept, as in ``pool``."""


class Network(httpx.BaseTransport):
    """A session's connections, for one request."""

    def __init__(self, pool: Pool, terms: Terms) -> None:
        logging.getLogger("httpcore").propagate = False
        self._pool = pool
        self._terms = terms

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        with as_httpx():
            response = self._pool.handle_request(_outgoing(request, terms=self._terms))
        return httpx.Response(
            response.status,
            headers=response.headers,
            stream=_Body(response),
            extensions=response.extensions,
        )


class AsyncNetwork(httpx.AsyncBaseTransport):
    """Connections of the asynchronous driver, for as long as it keeps this."""

    def __init__(self, proxy: Proxy | None, tls: PendingContext | None, *, secure: bool) -> None:
        logging.getLogger("httpcore").propagate = False
        context = tls.get() if tls is not None else None
        tls_proxy = proxy is not None and proxy.scheme == "https"
        # Beside TLS with the proxy HTTP/2 is not offered: the two share a context.
        h2 = secure and not tls_proxy and tls is not None and tls.http2
        self._pool: httpcore.AsyncConnectionPool
        if proxy is None or proxy.scheme.startswith("socks"):
            backend = None
            if proxy is not None:
                from darkai_cli.http.socks import SocksBackend

                backend = SocksBackend(proxy)
            self._pool = httpcore.AsyncConnectionPool(
                ssl_context=context, http2=h2, keepalive_expiry=KEPT, network_backend=backend
            )
            return
        self._pool = httpcore.AsyncHTTPProxy(
            httpcore.URL(
                scheme=proxy.scheme, host=proxy.host.encode(), port=proxy.port, target=b"/"
            ),
            proxy_auth=proxy.auth,
            ssl_context=context if secure else None,
            proxy_ssl_context=context if tls_proxy else None,
            http2=h2,
            keepalive_expiry=KEPT,
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        with as_httpx():
            response = await self._pool.handle_async_request(_outgoing(request))
        return httpx.Response(
            response.status,
            headers=response.headers,
            stream=_AsyncBody(response),
            extensions=response.extensions,
        )

    async def aclose(self) -> None:
        await self._pool.aclose()


def _outgoing(request: httpx.Request, **extensions: object) -> httpcore.Request:
    url = request.url
    return httpcore.Request(
        request.method,
        httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
        headers=request.headers.raw,
        content=request.stream,
        extensions={**request.extensions, **extensions},
    )


class _Body(httpx.SyncByteStream):
    def __init__(self, response: httpcore.Response) -> None:
        self._response = response

    def __iter__(self) -> Iterator[bytes]:
        with as_httpx():
            yield from self._response.iter_stream()

    def close(self) -> None:
        self._response.close()


class _AsyncBody(httpx.AsyncByteStream):
    def __init__(self, response: httpcore.Response) -> None:
        self._response = response

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with as_httpx():
            async for data in self._response.aiter_stream():
                yield data

    async def aclose(self) -> None:
        await self._response.aclose()


@contextmanager
def as_httpx() -> Iterator[None]:
    """Raise httpcore's exceptions as httpx's, which have the same names."""
    try:
        yield
    except (
        httpcore.TimeoutException,
        httpcore.NetworkError,
        httpcore.ProtocolError,
        httpcore.ProxyError,
        httpcore.UnsupportedProtocol,
    ) as exc:
        raise getattr(httpx, type(exc).__name__)(str(exc)) from exc
