"""Connections that are opened ahead, kept, and replaced when they have died meanwhile.

httpcore keeps the list (``Pool``) and speaks HTTP; how a connection comes about is ours, so that it
can be opened before there is a request, and so that a fault is blamed on the step it happened in.
One exchange at a time on a connection, over HTTP/2 too: a timer or Ctrl-C that ends one exchange
must not touch another.

A kept connection may be dead without anyone having noticed. If nothing at all comes back on it, the
request is sent once more on a fresh one, silently: the service closed the old connection before it
saw the request. On a fresh connection the same is a fault, and told.
"""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, cast

import httpcore

from darkai_cli import signals
from darkai_cli.http import dial, lean, network
from darkai_cli.http.network import Terms, WatchedStream
from darkai_cli.http.proxy import Proxy

if TYPE_CHECKING:
    from collections.abc import Iterable

    from darkai_cli.http.tls import PendingContext

KEPT = 90.0
"""Seconds that an idle connection is kept: longer, and a router on the way may have forgotten it
without a word, which would look like a service that does not answer."""
TRUSTED = 15.0
"""Seconds after which a connection that was opened ahead and has bytes waiting is not used: they
may be a farewell. (Right after a TLS handshake they are its last messages.)"""


class Road:
    """How connections are made: through which proxy, with which certificates."""

    def __init__(self, proxy: Proxy | None, tls: PendingContext | None) -> None:
        self.proxy = proxy
        self._tls = tls

    @property
    def proxy_headers(self) -> list[tuple[bytes, bytes]]:
        """What tells an HTTP proxy who asks."""
        auth = self.proxy.auth if self.proxy is not None else None
        if auth is None:
            return []
        return [(b"Proxy-Authorization", b"Basic " + base64.b64encode(b":".join(auth)))]

    def forwarder(self, origin: httpcore.Origin) -> httpcore.Origin | None:
        """The proxy, if it is asked itself instead of for a tunnel."""
        proxy = self.proxy
        if proxy is None or proxy.scheme.startswith("socks") or origin.scheme != b"http":
            return None
        return httpcore.Origin(b"http", proxy.host.encode(), proxy.port)

    def open(self, origin: httpcore.Origin, terms: Terms) -> WatchedStream:
        """A connection to the service, or to the proxy that forwards to it."""
        watch, proxy = terms.watch, self.proxy
        host = origin.host.decode("ascii").strip("[]")
        secure = origin.scheme == b"https"
        if proxy is None:
            watch.step = "service"
            stream = network.connect(host, origin.port, terms)
        else:
            watch.step = "proxy"
            stream = network.connect(proxy.host, proxy.port, terms)
        try:
            if proxy is not None:
                stream = self._through(proxy, stream, host, origin, terms)
            if secure and not (proxy is None and stream.is_secure):
                watch.step = "tls"
                # Beside TLS with the proxy HTTP/2 is not offered: the two share a context.
                stream = self._handshake(stream, host, h2=proxy is None or proxy.scheme != "https")
        except BaseException:
            stream.close()
            raise
        return stream

    def _through(
        self,
        proxy: Proxy,
        stream: WatchedStream,
        host: str,
        origin: httpcore.Origin,
        terms: Terms,
    ) -> WatchedStream:
        """The way through a proxy that is connected to, to ``host``."""
        watch = terms.watch
        if proxy.scheme == "https":
            watch.step = "proxy-tls"
            stream = self._handshake(stream, proxy.host, h2=False)
        if proxy.scheme == "socks5":  # socks5h leaves the name to the proxy
            watch.step = "service"
            host = network.resolve(host, origin.port, watch.left())[0]
        watch.step = "tunnel"
        if proxy.scheme.startswith("socks"):
            from darkai_cli.http import socks

            socks.negotiate(stream, host, origin.port, proxy.auth)
        elif origin.scheme == b"https":
            self._tunnel(proxy, stream, host, origin.port)
        return stream

    def _handshake(self, stream: WatchedStream, host: str, *, h2: bool) -> WatchedStream:
        assert self._tls is not None
        context = dial.offer(self._tls, h2=h2)
        if h2 and self._tls.http2:
            threading.Thread(target=lean.load_http2, name="h2", daemon=True).start()
        return stream.start_tls(context, host)

    def _tunnel(self, proxy: Proxy, stream: WatchedStream, host: str, port: int) -> None:
        """Ask an HTTP proxy for a tunnel. Raises ``httpcore.ProxyError``."""
        place = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        url = httpcore.URL(
            scheme=b"http", host=proxy.host.encode(), port=proxy.port, target=place.encode()
        )
        headers = [(b"Host", place.encode()), (b"Accept", b"*/*"), *self.proxy_headers]
        http = httpcore.HTTP11Connection(url.origin, stream)
        answer = http.handle_request(httpcore.Request(b"CONNECT", url, headers=headers))
        if not 200 <= answer.status < 300:
            reason = answer.extensions.get("reason_phrase", b"").decode("ascii", "replace")
            raise httpcore.ProxyError(f"{answer.status} {reason}".strip())


_NO_ANSWER = "Server disconnected without sending a response."
_Opened = httpcore.HTTP11Connection | httpcore.HTTP2Connection


class Connection(httpcore.ConnectionInterface):
    """One connection to an origin: opened ahead or by its first request, then kept."""

    def __init__(self, origin: httpcore.Origin, road: Road, *, ahead: bool = False) -> None:
        """``ahead``: somebody else is about to call ``open_ahead``."""
        self._origin = origin
        self._forwarder = road.forwarder(origin)
        self._asked = self._forwarder or origin
        self._road = road
        self._lock = threading.Lock()
        self._busy = False
        self._closed = False
        self._stream: WatchedStream | None = None
        self._http: _Opened | None = None
        self._h2 = False
        self._opening = threading.Event()
        self._ahead = ahead
        self._opened = 0.0

    def open_ahead(self, terms: Terms) -> None:
        """Open it, in the thread that calls; what goes wrong is left to the first request."""
        try:
            self._open(terms)
        except Exception as exc:  # noqa: BLE001 -- the request will meet it again, and explain
            del exc
        finally:
            self._opening.set()
        if self._closed:
            self.close()

    def _open(self, terms: Terms) -> None:
        stream = self._road.open(self._origin, terms)
        self._h2 = stream.speaks_h2
        kind = lean.http2_connection() if self._h2 else httpcore.HTTP11Connection
        self._http = kind(self._asked, stream, keepalive_expiry=KEPT)
        self._stream = stream
        self._opened = time.monotonic()

    def handle_request(self, request: httpcore.Request) -> httpcore.Response:
        with self._lock:
            if self._busy or self._closed:
                raise httpcore.ConnectionNotAvailable
            self._busy = True
        terms: Terms = request.extensions["terms"]
        try:
            self._await_opening(terms)
            kept = self._http is not None
            if not kept:
                self._open(terms)
            try:
                return self._exchange(request, terms)
            except (httpcore.NetworkError, httpcore.RemoteProtocolError) as exc:
                if not kept or not self._unseen(exc):
                    raise
            self._drop()
            terms.watch.reconnecting()
            self._open(terms)
            return self._exchange(request, terms)
        except BaseException:
            self.close()
            raise

    def _await_opening(self, terms: Terms) -> None:
        """Wait for whoever opens it ahead."""
        if not self._ahead:
            return
        self._ahead = False
        while not terms.watch.is_over:
            signals.raise_pending()
            if self._opening.wait(min(terms.watch.left(), 0.1)):
                break
        stream = self._stream
        if stream is not None and time.monotonic() - self._opened > TRUSTED and stream.is_readable:
            self._drop()

    def _exchange(self, request: httpcore.Request, terms: Terms) -> httpcore.Response:
        assert self._stream is not None
        assert self._http is not None
        self._stream.begin(terms)
        terms.watch.sent()
        if self._forwarder is not None:
            request = self._forwarded(request, self._forwarder)
        try:
            response = self._http.handle_request(request)
        except httpcore.ConnectionNotAvailable as exc:  # HTTP/2: it went away before our request
            raise httpcore.RemoteProtocolError(_NO_ANSWER) from exc
        except httpcore.RemoteProtocolError as exc:
            if str(exc) == "Server disconnected":  # HTTP/2 says no more
                raise httpcore.RemoteProtocolError(_NO_ANSWER) from exc
            raise
        body = _Body(cast("Iterable[bytes]", response.stream), self._over)
        return httpcore.Response(
            response.status,
            headers=response.headers,
            content=body,
            extensions=response.extensions,
        )

    def _forwarded(self, request: httpcore.Request, proxy: httpcore.Origin) -> httpcore.Request:
        url = httpcore.URL(
            scheme=proxy.scheme, host=proxy.host, port=proxy.port, target=bytes(request.url)
        )
        return httpcore.Request(
            request.method,
            url,
            headers=[*self._road.proxy_headers, *request.headers],
            content=request.stream,
            extensions=request.extensions,
        )

    def _unseen(self, exc: Exception) -> bool:
        """Whether the service cannot have answered, nor begun to."""
        assert self._stream is not None
        frame = exc.args[0] if exc.args else None
        if type(frame).__name__ == "StreamReset":
            return getattr(frame, "error_code", None) == 7  # REFUSED_STREAM
        farewell = type(frame).__name__ == "ConnectionTerminated"
        if farewell or self._h2:
            return True  # pings and settings may have come, but no answer
        return not self._stream.heard

    def _over(self, *, whole: bool) -> None:
        """An exchange has ended; ``whole``: all of the response was read."""
        if not whole:
            self.close()  # over HTTP/2 the service would go on sending
        with self._lock:
            self._busy = False

    def _drop(self) -> None:
        http, self._http, self._stream = self._http, None, None
        if http is not None:
            http.close()

    def close(self) -> None:
        self._closed = True
        if self._http is not None:
            self._http.close()

    # What httpcore's pool asks.

    def can_handle_request(self, origin: httpcore.Origin) -> bool:
        return origin == self._origin

    def is_available(self) -> bool:
        http = self._http
        return not self._busy and not self._closed and http is not None and http.is_available()

    def has_expired(self) -> bool:
        stream = self._stream
        if self._busy or self._http is None or stream is None:
            return False
        return self._http.has_expired() or stream.is_readable

    def is_idle(self) -> bool:
        return not self._busy and self._http is not None

    def is_closed(self) -> bool:
        return self._closed or (self._http is not None and self._http.is_closed())

    def info(self) -> str:
        return self._http.info() if self._http is not None else "not open"


class _Body:
    """A response's body, which tells its connection how the exchange ended."""

    def __init__(self, inner: Iterable[bytes], over: Callable[..., None]) -> None:
        self._inner = inner
        self._over: Callable[..., None] | None = over
        self._whole = False

    def __iter__(self) -> Iterator[bytes]:
        yield from self._inner
        self._whole = True

    def close(self) -> None:
        over, self._over = self._over, None
        if over is not None:
            cast("httpcore.Response", self._inner).close()
            over(whole=self._whole)


class Pool(httpcore.ConnectionPool):
    """The connections of one ``Road``."""

    def __init__(self, road: Road) -> None:
        super().__init__()
        self._road = road
        self._ready: list[Connection] = []

    def create_connection(self, origin: httpcore.Origin) -> httpcore.ConnectionInterface:
        for one in self._ready:
            if one.can_handle_request(origin):
                self._ready.remove(one)
                return one
        return Connection(origin, self._road)

    def ahead(self, scheme: bytes, host: bytes, port: int | None) -> Connection | None:
        """A connection to be opened for the next request to this origin.

        None if there is one to use.
        """
        origin = httpcore.URL(scheme=scheme, host=host, port=port, target=b"/").origin
        for one in (*self._ready, *self.connections):
            ours = one.can_handle_request(origin)
            if ours and (one in self._ready or (one.is_available() and not one.has_expired())):
                return None
        connection = Connection(origin, self._road, ahead=True)
        self._ready.append(connection)
        return connection

    def close(self) -> None:
        while self._ready:
            self._ready.pop().close()
        super().close()
