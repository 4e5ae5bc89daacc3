"""Sends one HTTP request and yields the bytes of its response.

``send`` leads through httpx to httpcore's connection pool and from there to ``network``. Tests, the
demo provider and replaced networks enter through ``ConnectionConfig.app`` (a service in this
process) or through httpx's own mocking. Redirects are not followed, no cookies are kept, ``.netrc``
is not read, and no compression is asked for; if it comes all the same, it is undone within bounds.

A request makes a connection and closes it, unless ``ConnectionConfig.pool`` is set: then requests
share kept connections. ``asend`` is for asyncio and trio; it uses no pool.
"""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping
from contextlib import (
    AbstractContextManager,
    ExitStack,
    aclosing,
    asynccontextmanager,
    contextmanager,
    suppress,
)
from typing import TYPE_CHECKING, Any, cast

from darkai_cli import signals
from darkai_cli.errors import DarkAIError
from darkai_cli.http import errors, network
from darkai_cli.http.httpx_guard import httpcore, httpx
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
    """A request, and its response from the moment that the head has arrived.

    ``headers``: names in lower case. ``forwarder``: the proxy that may have answered in place of
    the service, or "".
    """

    status: int
    headers: Mapping[str, str]

    def __init__(self, connection: ConnectionConfig, url: str, headers: Mapping[str, str]) -> None:
        self.deadline = Deadline(connection.timeouts)
        self._connection = connection
        self._route = errors.Route.of(url, connection.proxy)
        self.forwarder = self._route.forwarder
        self._log = _RequestLog(connection.log, headers, url) if connection.log else None
        self._response: httpx.Response
        self._body: Iterator[bytes]
        self._decompressor: Decompressor | None = None

    def darkai_errors(self) -> AbstractContextManager[None]:
        """Return a context in which the network's exceptions become ``ProviderError``s."""
        return errors.map_exceptions(self._route, self.deadline)

    def build_request(
        self,
        client: httpx.Client | httpx.AsyncClient,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes,
    ) -> httpx.Request:
        """Return the request for httpx."""
        usual = {"accept-encoding": "identity", "user-agent": f"darkai/{__version__}"}
        usual.update((name.lower(), value) for name, value in headers.items())
        request = client.build_request(method, url, content=body, headers=usual)
        if self._log is not None:
            self._log.request(request)
        return request

    def note(self, event: str, info: dict[str, Any]) -> None:
        """Note on the deadline what the request has come to, from httpcore's ``trace`` extension.

        ``event`` is a name such as ``http11.send_request_body.started``.
        """
        deadline, proxy = self.deadline, self._connection.proxy
        if event == "connection.connect_tcp.started":
            deadline.step = "service" if proxy is None else "proxy"
        elif event == "connection.start_tls.started":
            deadline.step = "proxy-tls" if proxy is not None and not proxy.is_socks else "tls"
        elif event == "proxy.start_tls.started":
            deadline.step = "tls"
        elif event == "http11.send_request_headers.started":
            if info["request"].method == b"CONNECT":
                deadline.step = "tunnel"
                _add_brackets(info["request"])
            else:
                deadline.sent()
        elif event == "http11.receive_response_headers.started" and deadline.is_sent:
            on_sent = self._connection.on_sent
            if on_sent is not None:
                on_sent()

    def begin(self, response: httpx.Response) -> None:
        """Take the response, whose head has arrived."""
        self._response = response
        self._body = response.iter_raw()
        self.status = response.status_code
        self.headers = dict(response.headers)
        if "content-encoding" in self.headers:
            from darkai_cli.http.decompress import Decompressor

            self._decompressor = Decompressor.of(self.headers["content-encoding"])
        if self._log is not None:
            self._log.head("<", f"{self.status}", response.headers)
        if self._connection.on_head is not None:
            self._connection.on_head(self.status, self.headers)

    def chunks(self) -> Iterator[bytes]:
        """Yield the body as it arrives. Raises ``ProviderError`` and its kin."""
        with self.darkai_errors():
            for data in self._body:
                yield from self._plain(data)
            if self._decompressor is not None:
                self._decompressor.close()

    async def achunks(self) -> AsyncGenerator[bytes, None]:
        """Yield the body as it arrives, for asyncio and trio. Raises as ``chunks`` does."""
        import anyio

        body = cast("AsyncGenerator[bytes, None]", self._response.aiter_raw())
        with self.darkai_errors():
            async with aclosing(body):
                while True:
                    try:
                        with anyio.fail_after(self.deadline.remaining()):
                            data = await body.__anext__()
                    except StopAsyncIteration:
                        break
                    self.deadline.on_bytes()
                    for piece in self._plain(data):
                        yield piece
            if self._decompressor is not None:
                self._decompressor.close()

    def _plain(self, data: bytes) -> Iterator[bytes]:
        """Yield ``data`` as it was before any compression."""
        if self._log is not None:
            self._log.body(data)
        return iter((data,)) if self._decompressor is None else self._decompressor.feed(data)

    def read(self, limit: int = ERROR_BODY, seconds: float = ERROR_SECONDS) -> bytes:
        """Return the rest of the body up to about ``limit`` bytes, or what came before an error."""
        self.deadline.drain_for(seconds)
        body = bytearray()
        with suppress(DarkAIError):  # an error page that breaks off still explains more
            for data in self.chunks():
                body += data
                if len(body) >= limit:
                    break
        return bytes(body[:limit])

    async def aread(self) -> bytes:
        """Return the body up to 64 KiB, or what came before an error, for asyncio and trio."""
        self.deadline.drain_for(ERROR_SECONDS)
        body = bytearray()
        with suppress(DarkAIError):
            async with aclosing(self.achunks()) as chunks:
                async for data in chunks:
                    body += data
                    if len(body) >= ERROR_BODY:
                        break
        return bytes(body[:ERROR_BODY])


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
    """Send one request; yield the ``Exchange`` once the head of the response has arrived.

    ``head_start`` is a connection that is on its way. Leaving the context closes the connection at
    once, or gives it back to the pool. Raises ``ProviderError`` and its kin.
    """
    signals.raise_pending()  # what came during the imports
    exchange = Exchange(connection, url, headers)
    exchange.deadline.is_fresh_connection = connection.pool is None
    with ExitStack() as stack:
        if head_start is not None:
            stack.callback(head_start.close)
        with exchange.darkai_errors():
            transport = _transport(connection, head_start)
            if connection.pool is None:
                stack.callback(transport.close)
            client = httpx.Client(transport=transport, trust_env=False)
            request = exchange.build_request(client, method, url, headers, body)
            timeouts = dict.fromkeys(("connect", "read", "write"), exchange.deadline)
            request.extensions = {"timeout": timeouts, "trace": exchange.note}
            response = _response(client, request, exchange.deadline)
        stack.callback(response.close)
        exchange.begin(response)
        yield exchange
        if connection.pool is not None:  # only at its end can a connection be kept
            exchange.read(DRAIN_BYTES, DRAIN_SECONDS)


def _transport(connection: ConnectionConfig, head_start: HeadStart | None) -> httpx.BaseTransport:
    if connection.app is not None:
        from darkai_cli.http.in_process import InProcess

        return InProcess(connection.app, connection.on_sent)
    if connection.pool is not None:
        return connection.pool.transport(connection)
    prepared = [] if head_start is None else [head_start]
    backend = network.Backend(connection.proxy, prepared, connection.admit)
    return network.Transport(connection.proxy, connection.tls, backend)


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

    exchange = Exchange(connection, url, headers)
    deadline = exchange.deadline
    transport: httpx.AsyncBaseTransport
    with exchange.darkai_errors():
        if connection.app is not None:
            from darkai_cli.http.in_process import InProcess

            transport = InProcess(connection.app, connection.on_sent)
        else:
            transport = network.AsyncTransport(connection.proxy, connection.tls)
    async with httpx.AsyncClient(transport=transport, trust_env=False, timeout=None) as client:
        with exchange.darkai_errors():
            request = exchange.build_request(client, method, url, headers, body)
            with anyio.fail_after(deadline.remaining()) as scope:

                async def note(event: str, info: dict[str, Any]) -> None:
                    exchange.note(event, info)
                    scope.deadline = anyio.current_time() + deadline.remaining()

                request.extensions["trace"] = note
                response = await client.send(request, stream=True)
        try:
            exchange.begin(response)
            yield exchange
        finally:
            await response.aclose()


def _add_brackets(request: httpcore.Request) -> None:
    """Write the IPv6 address of a CONNECT in brackets, which httpcore forgets."""
    host, _, port = request.url.target.rpartition(b":")
    if b":" in host:
        target = b"[%b]:%b" % (host, port)
        request.url.target = target
        request.headers = [
            (name, target if name == b"Host" else value) for name, value in request.headers
        ]


class _RequestLog:
    """Writes the request and the response for ``--debug``, with credentials masked."""

    def __init__(self, write: Callable[[str], None], headers: Mapping[str, str], url: str) -> None:
        self._write = write
        self._url = url
        self._secrets = secrets_in(headers, url)
        self._started = time.monotonic()

    def request(self, request: httpx.Request) -> None:
        """Write the first line and the headers of a request."""
        size = len(request.content)
        self.head(">", f"{request.method} {mask_url(self._url)} ({size} bytes)", request.headers)

    def head(self, mark: str, first: str, headers: Mapping[str, str]) -> None:
        """Write the first line and the headers of a request or a response."""
        self._line(mark, first)
        for name, value in mask_headers(headers).items():
            self._line(mark, f"{name}: {value}")

    def body(self, data: bytes) -> None:
        """Write the beginning of a piece of the response's body."""
        text = mask(data.decode("latin-1"), self._secrets)[:200]
        self._line("<", f"{len(data)} bytes: {text.encode('latin-1')!r}")

    def _line(self, mark: str, text: str) -> None:
        masked_text = mask(text, self._secrets)
        self._write(f"debug: {time.monotonic() - self._started:7.3f} {mark} {masked_text}")
