"""The transport: one HTTP request out, the bytes of its response in.

Tests, the demo provider and replaced networks all enter through ``Link.app`` (an in-process
service) or through httpx's own mocking; everything above sees an ``Exchange`` and our exceptions.
Choices: no redirects, no cookies, no ``.netrc``, no compression asked for (and if it comes all the
same, it is undone within bounds), no TLS context for ``http://``.

A request makes a connection and closes it, unless ``Link.session`` is set: then requests share
kept connections, which can also be opened ahead. A chat holds one ``session.Session`` from its
first moment to its end.
"""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping
from contextlib import aclosing, asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, cast

import httpx

from darkai_cli import signals
from darkai_cli.errors import BadReplyError, NetworkError
from darkai_cli.http import errors, lean
from darkai_cli.http.session import Session
from darkai_cli.http.timeouts import Deadline
from darkai_cli.secrets import mask, mask_headers, mask_url, secrets_in
from darkai_cli.version import __version__

if TYPE_CHECKING:
    from darkai_cli.http.connection import ConnectionConfig
    from darkai_cli.http.dial import HeadStart
    from darkai_cli.http.inflate import Inflater

ERROR_BODY = 64 * 1024
"""How much of an error's body is read."""
ERROR_WAIT = 2.0
"""Seconds that an error's body is waited for: its status has said the most already."""
REST = 64 * 1024
REST_WAIT = 0.3
"""How much, and how many seconds, of what follows the end mark is read to keep a connection."""


class _Log:
    """The request and response log of ``--debug``."""

    def __init__(self, log: Callable[[str], None], headers: Mapping[str, str], url: str) -> None:
        self._log = log
        self._secrets = secrets_in(headers, url)
        self._began = time.monotonic()

    def body(self, mark: str, data: bytes) -> None:
        """The beginning of a piece of a body."""
        text = mask(data.decode("latin-1"), self._secrets)[:200]
        self.line(mark, f"{len(data)} bytes: {text.encode('latin-1')!r}")

    def line(self, mark: str, text: str) -> None:
        """One line with its time in seconds."""
        shown = mask(text, self._secrets)
        self._log(f"debug: {time.monotonic() - self._began:7.3f} {mark} {shown}")

    def head(self, mark: str, first: str, headers: Mapping[str, str]) -> None:
        """A request's or response's first line and headers."""
        self.line(mark, first)
        for name, value in mask_headers(headers).items():
            self.line(mark, f"{name}: {value}")


class Exchange:
    """A response whose head has arrived. ``headers``: names in lower case."""

    def __init__(
        self,
        response: httpx.Response,
        route: errors.Route,
        watch: Deadline,
        log: _Log | None = None,
    ) -> None:
        self._log = log
        self.status = response.status_code
        self.headers: Mapping[str, str] = dict(response.headers)
        self.watch = watch
        self.forwarder = route.forwarder
        """The proxy that may have answered in place of the service, or ""."""
        self._response = response
        self._route = route
        self._raw: Iterator[bytes] | None = None
        self._inflater: Inflater | None = None
        encoding = self.headers.get("content-encoding", "")
        if encoding:
            from darkai_cli.http.inflate import Inflater

            self._inflater = Inflater.of(encoding)

    def chunks(self) -> Iterator[bytes]:
        """The body as it arrives. Raises ``ProviderError`` and its kin."""
        with errors.map_exceptions(self._route, self.watch):
            self._raw = self._response.iter_raw()
            for data in self._raw:
                self._note(data)
                if self._inflater is None:
                    yield data
                else:
                    yield from self._inflate(data)
            self._ended()

    async def achunks(self) -> AsyncGenerator[bytes, None]:
        """The same, for the asynchronous driver."""
        import anyio

        with errors.map_exceptions(self._route, self.watch):
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
            self._log.body("<", data)

    def _inflate(self, data: bytes) -> Iterator[bytes]:
        assert self._inflater is not None
        try:
            yield from self._inflater.feed(data)
        except ValueError as exc:
            raise BadReplyError(f"{self._route.name} sent undecodable data: {exc}") from exc

    def _ended(self) -> None:
        """The body is over: say so if its encoding is not."""
        try:
            if self._inflater is not None:
                self._inflater.close()
        except ValueError as exc:
            raise NetworkError(
                f"connection lost: {self._route.name} ended it early, {exc}", retryable=True
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
            errors.require_ours(exc)
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
            errors.require_ours(exc)
        return b"".join(parts)[:limit]

    def finish(self) -> None:
        """Read the little that may follow the end mark, so that the connection can be kept."""
        if self._raw is None or self._response.is_closed:
            return
        self.watch.linger(REST_WAIT)
        size = 0
        try:
            with errors.map_exceptions(self._route, self.watch):
                for data in self._raw:
                    size += len(data)
                    if size > REST:
                        break
        except Exception as exc:  # noqa: BLE001 -- then the connection is not kept
            errors.require_ours(exc)


@contextmanager
def send(
    link: ConnectionConfig,
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes,
    *,
    begun: HeadStart | None = None,
) -> Iterator[Exchange]:
    """Send one request; the response's head, and then its body, are in the ``Exchange``.

    ``begun``: a connection that is on its way. Leaving the context closes the connection at once,
    or gives it back to the session.
    """
    signals.raise_pending()  # what came during the imports
    watch = Deadline(link.timers)
    route = errors.Route.of(url, link.proxy)
    session = link.session or Session()
    try:
        with errors.map_exceptions(route, watch):
            transport = _transport(link, session, watch, begun)
            client = httpx.Client(transport=transport, trust_env=False, timeout=None)  # noqa: S113 -- the watch has the timers
            request = client.build_request(method, url, content=body, headers=_headers(headers))
            log = _Log(link.log, headers, url) if link.log is not None else None
            if log is not None:
                log.head(">", f"{method} {mask_url(url)} ({len(body)} bytes)", request.headers)
            response = client.send(request, stream=True)
            if log is not None:
                log.head("<", f"{response.status_code}", response.headers)
        try:
            if link.on_head is not None:
                link.on_head(response.status_code, dict(response.headers))
            exchange = Exchange(response, route, watch, log)
            yield exchange
            if link.session is not None:
                exchange.finish()
        finally:
            response.close()
    finally:
        if begun is not None:
            begun.close()
        if link.session is None:
            session.close()


@asynccontextmanager
async def asend(
    link: ConnectionConfig, method: str, url: str, headers: Mapping[str, str], body: bytes
) -> AsyncIterator[Exchange]:
    """The same, for the asynchronous driver (asyncio or trio)."""
    import anyio

    watch = Deadline(link.timers)
    route = errors.Route.of(url, link.proxy)
    kept = False
    with errors.map_exceptions(route, watch):
        transport, kept = _async_transport(link, url)
        client = httpx.AsyncClient(transport=transport, trust_env=False, timeout=None)  # noqa: S113 -- the watch has the timers
    log = _Log(link.log, headers, url) if link.log is not None else None
    try:
        with errors.map_exceptions(route, watch):
            request = client.build_request(method, url, content=body, headers=_headers(headers))
            if log is not None:
                log.head(">", f"{method} {mask_url(url)} ({len(body)} bytes)", request.headers)
            with anyio.fail_after(watch.left()) as scope:

                def sent() -> None:
                    watch.sent()
                    scope.deadline = anyio.current_time() + watch.left()
                    if link.on_sent is not None:
                        link.on_sent()

                request.stream = _Outgoing(body, sent)
                try:
                    response = await client.send(request, stream=True)
                except (httpx.NetworkError, httpx.RemoteProtocolError):
                    if not kept:
                        raise
                    watch.reconnecting()  # a kept connection was dead
                    scope.deadline = anyio.current_time() + watch.left()
                    response = await client.send(request, stream=True)
            if log is not None:
                log.head("<", f"{response.status_code}", response.headers)
        try:
            if link.on_head is not None:
                link.on_head(response.status_code, dict(response.headers))
            yield Exchange(response, route, watch, log)
        finally:
            await response.aclose()
    finally:
        if link.session is None:
            await client.aclose()


class _Outgoing(httpx.AsyncByteStream):
    """A request's body; when it is asked for, the connection stands, through any proxy."""

    def __init__(self, body: bytes, sent: Callable[[], None]) -> None:
        self._body = body
        self._sent = sent

    async def __aiter__(self) -> AsyncIterator[bytes]:
        self._sent()
        yield self._body


def _headers(headers: Mapping[str, str]) -> dict[str, str]:
    usual = {"accept-encoding": "identity", "user-agent": f"darkai/{__version__}"}
    return {**usual, **{name.lower(): value for name, value in headers.items()}}


def _transport(
    link: ConnectionConfig, session: Session, watch: Deadline, begun: HeadStart | None
) -> httpx.BaseTransport:
    if link.app is not None:
        from darkai_cli.http.in_process import InProcess

        return InProcess(link.app, link.sleep, link.on_sent)
    pool = session.pool(link)
    from darkai_cli.http.network import Terms
    from darkai_cli.http.transports import Network

    return Network(pool, Terms(watch, link.on_sent, link.admit, begun))


def _async_transport(link: ConnectionConfig, url: str) -> tuple[httpx.AsyncBaseTransport, bool]:
    """The transport for one request, or the session's; and whether that has served before."""
    if link.app is not None:
        from darkai_cli.http.in_process import InProcess

        return InProcess(link.app, link.sleep, link.on_sent), False
    lean.load()
    from darkai_cli.http.transports import AsyncNetwork

    way = (link.proxy, link.tls, url.lower().startswith("https:"))
    kept = None if link.session is None else link.session.asynchronous.get(way)
    if kept is not None:
        return kept, True
    made = AsyncNetwork(link.proxy, link.tls, secure=way[2])
    if link.session is not None:
        link.session.asynchronous[way] = made
    return made, False
