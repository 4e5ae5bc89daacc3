"""Sends one HTTP request and gives the bytes of its response.

``send`` leads through httpx to httpcore's connection pool and from there to ``network``. Tests, the
demo provider and replaced networks enter through ``ConnectionConfig.app`` (a service in this
process) or through httpx's own mocking. Redirects are not followed, no cookies are kept, ``.netrc``
is not read, and no compression is asked for; if it comes all the same, it is undone within bounds.

A request makes a connection and closes it, unless ``ConnectionConfig.pool`` is set: then requests
share kept connections. ``asend`` is the same for asyncio and trio.
"""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping
from contextlib import aclosing, asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any, cast

from darkai_cli import signals
from darkai_cli.errors import BadReplyError, NetworkError
from darkai_cli.http import errors, network
from darkai_cli.http.httpx_guard import httpx
from darkai_cli.http.timeouts import Deadline
from darkai_cli.secrets import mask, mask_headers, mask_url, secrets_in
from darkai_cli.version import __version__

if TYPE_CHECKING:
    from darkai_cli.http.connection import ConnectionConfig
    from darkai_cli.http.decompress import Decompressor
    from darkai_cli.http.sockets import HeadStart

ERROR_BODY = 64 * 1024
"""Bytes of an error's body that are read."""
ERROR_SECONDS = 2.0
"""How long an error's body is waited for: its status says the most already."""
DRAIN_BYTES = 64 * 1024
DRAIN_SECONDS = 0.3
"""How much, and for how long, is read after the end mark so that a connection can be kept."""


class Exchange:
    """A response whose head has arrived. ``headers``: names in lower case."""

    def __init__(
        self,
        response: httpx.Response,
        route: errors.Route,
        deadline: Deadline,
        log: _RequestLog | None = None,
    ) -> None:
        self.status = response.status_code
        self.headers: Mapping[str, str] = dict(response.headers)
        self.deadline = deadline
        self.forwarder = route.forwarder
        """The proxy that may have answered in place of the service, or ""."""
        self._response = response
        self._route = route
        self._log = log
        self._body: Iterator[bytes] | None = None
        self._decompressor: Decompressor | None = None
        if "content-encoding" in self.headers:
            from darkai_cli.http.decompress import Decompressor

            self._decompressor = Decompressor.of(self.headers["content-encoding"])

    def chunks(self) -> Iterator[bytes]:
        """Give the body as it arrives. Raises ``ProviderError`` and its kin."""
        with errors.map_exceptions(self._route, self.deadline):
            self._body = self._response.iter_raw()
            for data in self._body:
                yield from self._plain(data)
            self._check_end()

    async def achunks(self) -> AsyncGenerator[bytes, None]:
        """Give the body as it arrives, for asyncio and trio."""
        import anyio

        with errors.map_exceptions(self._route, self.deadline):
            async with aclosing(
                cast("AsyncGenerator[bytes, None]", self._response.aiter_raw())
            ) as body:
                while True:
                    try:
                        with anyio.fail_after(self.deadline.remaining()):
                            data = await body.__anext__()
                    except StopAsyncIteration:
                        break
                    self.deadline.on_bytes()
                    for piece in self._plain(data):
                        yield piece
            self._check_end()

    def _plain(self, data: bytes) -> Iterator[bytes]:
        """Give ``data`` as it was before any compression."""
        if self._log is not None:
            self._log.body("<", data)
        if self._decompressor is None:
            yield data
            return
        try:
            yield from self._decompressor.feed(data)
        except ValueError as exc:
            raise BadReplyError(
                f"{self._route.name} sent data that can't be decompressed: {exc}"
            ) from exc

    def _check_end(self) -> None:
        """Raise ``NetworkError`` if the body is over and its compression is not."""
        try:
            if self._decompressor is not None:
                self._decompressor.close()
        except ValueError as exc:
            raise NetworkError(
                f"Connection lost: {self._route.name} closed it early, {exc}", retryable=True
            ) from exc

    def read(self, limit: int = ERROR_BODY) -> bytes:
        """Return the body up to ``limit`` bytes, or what came of it before an error."""
        self.deadline.drain_for(ERROR_SECONDS)
        body = bytearray()
        try:
            for data in self.chunks():
                body += data
                if len(body) >= limit:
                    break
        except Exception as exc:  # noqa: BLE001 -- an error page that breaks off still explains more
            errors.require_ours(exc)
        return bytes(body[:limit])

    async def aread(self, limit: int = ERROR_BODY) -> bytes:
        """Return the body as ``read`` does, for asyncio and trio."""
        self.deadline.drain_for(ERROR_SECONDS)
        body = bytearray()
        try:
            async with aclosing(self.achunks()) as chunks:
                async for data in chunks:
                    body += data
                    if len(body) >= limit:
                        break
        except Exception as exc:  # noqa: BLE001 -- an error page that breaks off still explains more
            errors.require_ours(exc)
        return bytes(body[:limit])

    def drain(self) -> None:
        """Read the little that may follow the end mark, so that the connection can be kept."""
        if self._body is None or self._response.is_closed:
            return
        self.deadline.drain_for(DRAIN_SECONDS)
        size = 0
        try:
            with errors.map_exceptions(self._route, self.deadline):
                for data in self._body:
                    size += len(data)
                    if size > DRAIN_BYTES:
                        break
        except Exception as exc:  # noqa: BLE001 -- then the connection is not kept
            errors.require_ours(exc)


@contextmanager
def send(
    connection: ConnectionConfig,
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes,
    *,
    head_start: HeadStart | None = None,
) -> Iterator[Exchange]:
    """Send one request; give the ``Exchange`` once the head of the response is there.

    ``head_start`` is a connection that is on its way. Leaving the context closes the connection at
    once, or gives it back to the pool. Raises ``ProviderError`` and its kin.
    """
    signals.raise_pending()  # what came during the imports
    deadline = Deadline(connection.timeouts)
    route = errors.Route.of(url, connection.proxy)
    log = _RequestLog.of(connection, headers, url)
    transport: httpx.BaseTransport | None = None
    try:
        with errors.map_exceptions(route, deadline):
            transport = _transport(connection, head_start)
            client = httpx.Client(transport=transport, trust_env=False)
            request = client.build_request(method, url, content=body, headers=_headers(headers))
            trace = network.RequestTrace(deadline, connection.proxy, connection.on_sent)
            timeouts = {"connect": deadline, "read": deadline, "write": deadline}
            request.extensions = {"timeout": timeouts, "trace": trace.note}
            if log is not None:
                log.request(request)
            response = _response(client, request, deadline)
        try:
            _note_head(connection, response, log)
            exchange = Exchange(response, route, deadline, log)
            yield exchange
            if connection.pool is not None:
                exchange.drain()
        finally:
            response.close()
    finally:
        if head_start is not None:
            head_start.close()
        if connection.pool is None and transport is not None:
            transport.close()


def _response(client: httpx.Client, request: httpx.Request, deadline: Deadline) -> httpx.Response:
    """Send a request, once more if a kept connection turns out to be dead."""
    try:
        return client.send(request, stream=True)
    except (httpx.NetworkError, httpx.RemoteProtocolError):
        if deadline.is_fresh_connection or deadline.has_bytes or not deadline.is_sent:
            raise
    # The service had closed the connection before it saw the request.
    deadline.reconnecting()
    return client.send(request, stream=True)


@asynccontextmanager
async def asend(
    connection: ConnectionConfig, method: str, url: str, headers: Mapping[str, str], body: bytes
) -> AsyncIterator[Exchange]:
    """Send one request as ``send`` does, for asyncio and trio."""
    import anyio

    deadline = Deadline(connection.timeouts)
    route = errors.Route.of(url, connection.proxy)
    log = _RequestLog.of(connection, headers, url)
    with errors.map_exceptions(route, deadline):
        transport = _async_transport(connection)
        client = httpx.AsyncClient(transport=transport, trust_env=False, timeout=None)
    try:
        with errors.map_exceptions(route, deadline):
            request = client.build_request(method, url, content=body, headers=_headers(headers))
            trace = network.RequestTrace(deadline, connection.proxy, connection.on_sent)
            if log is not None:
                log.request(request)
            with anyio.fail_after(deadline.remaining()) as scope:

                async def note(event: str, info: dict[str, Any]) -> None:
                    await trace.anote(event, info)
                    scope.deadline = anyio.current_time() + deadline.remaining()

                request.extensions["trace"] = note
                try:
                    response = await client.send(request, stream=True)
                except (httpx.NetworkError, httpx.RemoteProtocolError):
                    if deadline.is_fresh_connection or not deadline.is_sent:
                        raise
                    deadline.reconnecting()
                    scope.deadline = anyio.current_time() + deadline.remaining()
                    response = await client.send(request, stream=True)
        try:
            _note_head(connection, response, log)
            yield Exchange(response, route, deadline, log)
        finally:
            await response.aclose()
    finally:
        if connection.pool is None:
            await client.aclose()


def _headers(headers: Mapping[str, str]) -> dict[str, str]:
    usual = {"accept-encoding": "identity", "user-agent": f"darkai/{__version__}"}
    return {**usual, **{name.lower(): value for name, value in headers.items()}}


def _transport(connection: ConnectionConfig, head_start: HeadStart | None) -> httpx.BaseTransport:
    if connection.app is not None:
        from darkai_cli.http.in_process import InProcess

        return InProcess(connection.app, connection.sleep, connection.on_sent)
    if connection.pool is not None:
        return connection.pool.transport(connection)
    backend = network.Backend(connection.proxy, admit=connection.admit, head_start=head_start)
    return network.Transport(connection.proxy, connection.tls, backend)


def _async_transport(connection: ConnectionConfig) -> httpx.AsyncBaseTransport:
    if connection.app is not None:
        from darkai_cli.http.in_process import InProcess

        return InProcess(connection.app, connection.sleep, connection.on_sent)
    if connection.pool is not None:
        return connection.pool.async_transport(connection)
    return network.AsyncTransport(connection.proxy, connection.tls)


def _note_head(
    connection: ConnectionConfig, response: httpx.Response, log: _RequestLog | None
) -> None:
    if log is not None:
        log.head("<", f"{response.status_code}", response.headers)
    if connection.on_head is not None:
        connection.on_head(response.status_code, dict(response.headers))


class _RequestLog:
    """Writes the request and the response for ``--debug``, with credentials masked."""

    def __init__(self, write: Callable[[str], None], headers: Mapping[str, str], url: str) -> None:
        self._write = write
        self._url = url
        self._secrets = secrets_in(headers, url)
        self._started = time.monotonic()

    @classmethod
    def of(
        cls, connection: ConnectionConfig, headers: Mapping[str, str], url: str
    ) -> _RequestLog | None:
        """Return the log of one request, or None without ``--debug``."""
        return None if connection.log is None else cls(connection.log, headers, url)

    def request(self, request: httpx.Request) -> None:
        """Write the first line and the headers of a request."""
        size = len(request.content)
        self.head(">", f"{request.method} {mask_url(self._url)} ({size} bytes)", request.headers)

    def head(self, mark: str, first: str, headers: Mapping[str, str]) -> None:
        """Write the first line and the headers of a request or a response."""
        self._line(mark, first)
        for name, value in mask_headers(headers).items():
            self._line(mark, f"{name}: {value}")

    def body(self, mark: str, data: bytes) -> None:
        """Write the beginning of a piece of a body."""
        text = mask(data.decode("latin-1"), self._secrets)[:200]
        self._line(mark, f"{len(data)} bytes: {text.encode('latin-1')!r}")

    def _line(self, mark: str, text: str) -> None:
        masked_text = mask(text, self._secrets)
        self._write(f"debug: {time.monotonic() - self._started:7.3f} {mark} {masked_text}")
