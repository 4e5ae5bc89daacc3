"""The transport: one HTTP request out, the bytes of its response in.

Tests, the demo provider and replaced networks all enter through ``Link.app`` (an in-process
service) or through httpx's own mocking; everything above sees an ``Exchange`` and our exceptions.
Choices: no redirects, no cookies, no ``.netrc``, no compression asked for (and if it comes all the
same, it is undone within bounds), no TLS context for ``http://``.
"""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping
from contextlib import aclosing, asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, NamedTuple, cast
from urllib.parse import urlsplit

import httpx

from darkai_cli import stops
from darkai_cli.errors import BadReplyError, ConfigError, NetworkError
from darkai_cli.wire import faults
from darkai_cli.wire.inflate import Inflater
from darkai_cli.wire.proxy import Proxy
from darkai_cli.wire.secrets import hide, masked, secrets_in, shown_url
from darkai_cli.wire.timers import Timers, Watch

if TYPE_CHECKING:
    import httpcore

    from darkai_cli.wire.tls import PendingContext

App = Callable[[bytes, Mapping[str, str]], Iterator[tuple[float, bytes]]]
"""A service in this process: body and headers in; pauses in seconds and bytes out."""

ERROR_BODY = 64 * 1024
"""How much of an error's body is read."""
ERROR_WAIT = 2.0
"""Seconds that an error's body is waited for: its status has said the most already."""


class Link(NamedTuple):
    """How a provider is reached."""

    timers: Timers = Timers()
    proxy: Proxy | None = None
    tls: PendingContext | None = None
    app: App | None = None
    sleep: Callable[[float], None] = time.sleep
    log: Callable[[str], None] | None = None
    """Where ``--debug`` lines go; credentials are masked in them."""
    on_sent: Callable[[], None] | None = None
    """Called once the request is on the wire, before the wait for the response."""
    on_head: Callable[[int, Mapping[str, str]], None] | None = None
    """Called with status and headers, names in lower case, when the response begins."""
    admit: Callable[[str, str], None] | None = None
    """Called with host and numeric address before a connection; raises what forbids it."""


class _Log:
    """The request and response log of ``--debug``."""

    def __init__(self, log: Callable[[str], None], headers: Mapping[str, str], url: str) -> None:
        self._log = log
        self._secrets = secrets_in(headers, url)
        self._began = time.monotonic()

    def line(self, mark: str, text: str) -> None:
        """One line with its time in seconds."""
        shown = hide(text, self._secrets)
        self._log(f"debug: {time.monotonic() - self._began:7.3f} {mark} {shown}")

    def head(self, mark: str, first: str, headers: Mapping[str, str]) -> None:
        """A request's or response's first line and headers."""
        self.line(mark, first)
        for name, value in masked(headers).items():
            self.line(mark, f"{name}: {value}")


class Exchange:
    """A response whose head has arrived. ``headers``: names in lower case."""

    def __init__(
        self, response: httpx.Response, route: faults.Route, watch: Watch, log: _Log | None = None
    ) -> None:
        self._log = log
        self.status = response.status_code
        self.headers: Mapping[str, str] = dict(response.headers)
        self.watch = watch
        self._response = response
        self._route = route
        self._inflater = Inflater.of(self.headers.get("content-encoding", ""))

    def chunks(self) -> Iterator[bytes]:
        """The body as it arrives. Raises ``ProviderError`` and its kin."""
        with faults.translated(self._route, self.watch):
            for data in self._response.iter_raw():
                self._note(data)
                if self._inflater is None:
                    yield data
                else:
                    yield from self._inflate(data)
            self._ended()

    async def achunks(self) -> AsyncGenerator[bytes, None]:
        """The same, for the asynchronous driver."""
        import anyio

        with faults.translated(self._route, self.watch):
            async with aclosing(
                cast("AsyncGenerator[bytes, None]", self._response.aiter_raw())
            ) as raw:
                while True:
                    try:
                        with anyio.fail_after(self.watch.left()):
                            data = await raw.__anext__()
                    except StopAsyncIteration:
                        break
                    self.watch.byte()
                    self._note(data)
                    for piece in (data,) if self._inflater is None else self._inflate(data):
                        yield piece
            self._ended()

    def _note(self, data: bytes) -> None:
        if self._log is not None:
            self._log.line("<", f"{len(data)} bytes: {data[:200]!r}")

    def _inflate(self, data: bytes) -> Iterator[bytes]:
        assert self._inflater is not None
        try:
            yield from self._inflater.feed(data)
        except ValueError as exc:
            raise BadReplyError(f"{self._route.host} sent undecodable data: {exc}") from exc

    def _ended(self) -> None:
        """The body is over: say so if its encoding is not."""
        try:
            if self._inflater is not None:
                self._inflater.close()
        except ValueError as exc:
            raise NetworkError(
                f"connection lost: {self._route.host} ended it early, {exc}", retryable=True
            ) from exc

    def read(self, limit: int = ERROR_BODY) -> bytes:
        """The body up to ``limit`` bytes; what came before a fault, if one happens."""
        self.watch.linger(ERROR_WAIT)
        parts: list[bytes] = []
        size = 0
        try:
            for data in self.chunks():
                parts.append(data)
                size += len(data)
                if size >= limit:
                    break
        except Exception as exc:  # noqa: BLE001 -- an error page that breaks off still explains more
            faults.require_ours(exc)
        return b"".join(parts)[:limit]

    async def aread(self, limit: int = ERROR_BODY) -> bytes:
        """The same, for the asynchronous driver."""
        self.watch.linger(ERROR_WAIT)
        parts: list[bytes] = []
        size = 0
        try:
            async with aclosing(self.achunks()) as chunks:
                async for data in chunks:
                    parts.append(data)
                    size += len(data)
                    if size >= limit:
                        break
        except Exception as exc:  # noqa: BLE001 -- likewise
            faults.require_ours(exc)
        return b"".join(parts)[:limit]


@contextmanager
def send(
    link: Link, method: str, url: str, headers: Mapping[str, str], body: bytes
) -> Iterator[Exchange]:
    """Send one request; the response's head, and then its body, are in the ``Exchange``.

    Leaving the context closes the connection at once.
    """
    watch = Watch(link.timers)
    route = faults.Route.of(url, link.proxy)
    with faults.translated(route, watch):
        transport = _transport(link, url, watch)
        client = httpx.Client(transport=transport, trust_env=False, timeout=None)  # noqa: S113 -- the watch has the timers
    try:
        with faults.translated(route, watch):
            request = client.build_request(method, url, content=body, headers=_headers(headers))
            request.stream = _Outgoing(body, watch.sent)
            log = _Log(link.log, headers, url) if link.log is not None else None
            if log is not None:
                log.head(">", f"{method} {shown_url(url)} ({len(body)} bytes)", request.headers)
            response = client.send(request, stream=True)
            if log is not None:
                log.head("<", f"{response.status_code}", response.headers)
        if link.on_head is not None:
            link.on_head(response.status_code, dict(response.headers))
        try:
            yield Exchange(response, route, watch, log)
        finally:
            response.close()
    finally:
        client.close()


@asynccontextmanager
async def asend(
    link: Link, method: str, url: str, headers: Mapping[str, str], body: bytes
) -> AsyncIterator[Exchange]:
    """The same, for the asynchronous driver (asyncio or trio)."""
    import anyio

    watch = Watch(link.timers)
    route = faults.Route.of(url, link.proxy)
    with faults.translated(route, watch):
        transport = _async_transport(link, url)
        client = httpx.AsyncClient(transport=transport, trust_env=False, timeout=None)  # noqa: S113 -- the watch has the timers
    log = _Log(link.log, headers, url) if link.log is not None else None
    async with client:
        with faults.translated(route, watch):
            request = client.build_request(method, url, content=body, headers=_headers(headers))
            if log is not None:
                log.head(">", f"{method} {shown_url(url)} ({len(body)} bytes)", request.headers)
            with anyio.fail_after(watch.left()) as scope:

                def sent() -> None:
                    watch.sent()
                    scope.deadline = anyio.current_time() + watch.left()
                    if link.on_sent is not None:
                        link.on_sent()

                request.stream = _Outgoing(body, sent)
                response = await client.send(request, stream=True)
            if log is not None:
                log.head("<", f"{response.status_code}", response.headers)
        if link.on_head is not None:
            link.on_head(response.status_code, dict(response.headers))
        try:
            yield Exchange(response, route, watch, log)
        finally:
            await response.aclose()


class _Outgoing(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A request's body; when it is asked for, the connection stands, through any proxy."""

    def __init__(self, body: bytes, sent: Callable[[], None]) -> None:
        self._body = body
        self._sent = sent

    def __iter__(self) -> Iterator[bytes]:
        self._sent()
        yield self._body

    async def __aiter__(self) -> AsyncIterator[bytes]:
        self._sent()
        yield self._body


def _headers(headers: Mapping[str, str]) -> dict[str, str]:
    return {"accept-encoding": "identity", **{k.lower(): v for k, v in headers.items()}}


def _transport(link: Link, url: str, watch: Watch) -> httpx.BaseTransport:
    if link.app is not None:
        return _InProcess(link.app, link)
    return _Network(link, url, watch)


class _Network(httpx.BaseTransport):
    """httpcore's connection pool with our network backend, seen as an httpx transport."""

    def __init__(self, link: Link, url: str, watch: Watch) -> None:
        import httpcore

        from darkai_cli.wire.backend import WatchedBackend

        logging.getLogger("httpcore").propagate = False
        self._pool: httpcore.ConnectionPool
        backend = WatchedBackend(watch, link.on_sent, link.admit)
        # Without a context httpcore would build one of its own, but only for https://.
        context = link.tls.get() if link.tls is not None and url.startswith("https:") else None
        proxy = link.proxy
        if proxy is None:
            self._pool = httpcore.ConnectionPool(ssl_context=context, network_backend=backend)
            return
        auth = None
        if proxy.user is not None:
            auth = (proxy.user.encode(), (proxy.password or "").encode())
        host = f"[{proxy.host}]" if ":" in proxy.host else proxy.host
        if proxy.scheme.startswith("socks"):
            self._pool = httpcore.SOCKSProxy(
                f"socks5://{host}:{proxy.port}",
                proxy_auth=auth,
                ssl_context=context,
                network_backend=backend,
            )
        else:
            self._pool = httpcore.HTTPProxy(
                f"{proxy.scheme}://{host}:{proxy.port}",
                proxy_auth=auth,
                ssl_context=context,
                proxy_ssl_context=link.tls.get() if link.tls and proxy.scheme == "https" else None,
                network_backend=backend,
            )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        import httpcore

        url = request.url
        outgoing = httpcore.Request(
            request.method,
            httpcore.URL(
                scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path
            ),
            headers=request.headers.raw,
            content=request.stream,
            extensions=request.extensions,
        )
        with _as_httpx():
            response = self._pool.handle_request(outgoing)
        return httpx.Response(
            response.status,
            headers=response.headers,
            stream=_Body(response),
            extensions=response.extensions,
        )

    def close(self) -> None:
        self._pool.close()


class _Body(httpx.SyncByteStream):
    """A response's body, httpcore's exceptions seen as httpx's."""

    def __init__(self, response: httpcore.Response) -> None:
        self._response = response

    def __iter__(self) -> Iterator[bytes]:
        with _as_httpx():
            yield from self._response.iter_stream()

    def close(self) -> None:
        self._response.close()


@contextmanager
def _as_httpx() -> Iterator[None]:
    """Raise httpcore's exceptions as httpx's, which have the same names."""
    import httpcore

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


class _InProcess(httpx.BaseTransport):
    """A service in this process, behind the same seam as the network."""

    def __init__(self, app: App, link: Link) -> None:
        self._app = app
        self._link = link

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        body = request.read()
        if self._link.on_sent is not None:
            self._link.on_sent()
        pieces = self._app(body, dict(request.headers))
        return httpx.Response(
            200,
            headers={"content-type": "text/event-stream"},
            stream=_Paced(pieces, self._link.sleep),
        )


class _Paced(httpx.SyncByteStream):
    def __init__(
        self, pieces: Iterator[tuple[float, bytes]], sleep: Callable[[float], None]
    ) -> None:
        self._pieces = pieces
        self._sleep = sleep

    def __iter__(self) -> Iterator[bytes]:
        for pause, data in self._pieces:
            if pause > 0:
                self._sleep(pause)
            stops.check()
            yield data


class _AsyncInProcess(httpx.AsyncBaseTransport):
    def __init__(self, app: App) -> None:
        self._app = app

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        pieces = self._app(await request.aread(), dict(request.headers))
        return httpx.Response(
            200, headers={"content-type": "text/event-stream"}, stream=_AsyncPaced(pieces)
        )


class _AsyncPaced(httpx.AsyncByteStream):
    def __init__(self, pieces: Iterator[tuple[float, bytes]]) -> None:
        self._pieces = pieces

    async def __aiter__(self) -> AsyncIterator[bytes]:
        import anyio

        for pause, data in self._pieces:
            if pause > 0:
                await anyio.sleep(pause)
            yield data


def _async_transport(link: Link, url: str) -> httpx.AsyncBaseTransport:
    if link.app is not None:
        return _AsyncInProcess(link.app)
    verify = link.tls.get() if link.tls is not None and url.startswith("https:") else False
    proxy = link.proxy
    if proxy is None:
        return httpx.AsyncHTTPTransport(verify=verify, trust_env=False)
    host = f"[{proxy.host}]" if ":" in proxy.host else proxy.host
    auth = None if proxy.user is None else (proxy.user, proxy.password or "")
    return httpx.AsyncHTTPTransport(
        verify=verify,
        trust_env=False,
        proxy=httpx.Proxy(
            f"{proxy.scheme}://{host}:{proxy.port}",
            auth=auth,
            ssl_context=link.tls.get() if link.tls and proxy.scheme == "https" else None,
        ),
    )


def check_url(url: str, what: str = "base URL") -> None:
    """Raise ``ConfigError`` unless ``url`` can be sent to."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise ConfigError(
            f"{what} must start with http:// or https:// and name a host, not `{url}`",
            hint="`darkai config set providers.NAME.url https://HOST/PATH`, or `DARKAI_URL`",
        )
