"""Turns the exceptions of httpx, httpcore and sockets into darkai's errors, with messages.

The most specific cause comes first: the operating system's or OpenSSL's own error, behind that of
httpx, says more than the class around it. ``Deadline.step``, which httpcore's trace sets, says
whether the proxy or the service failed. Each message names host and port, or the proxy, and each
hint says what to type or check next.
"""

from __future__ import annotations

import errno
import socket
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from darkai_cli.errors import (
    AuthError,
    BadReplyError,
    ConfigError,
    NetworkError,
    ProviderError,
    ReplyTimeoutError,
)
from darkai_cli.http.httpx_guard import httpx
from darkai_cli.http.proxy import Proxy
from darkai_cli.http.timeouts import Deadline, Phase
from darkai_cli.secrets import is_loopback

if TYPE_CHECKING:
    import ssl

_PORTS = {"http": 80, "https": 443}


class Route(NamedTuple):
    """Where a request goes, for messages."""

    scheme: str
    host: str
    port: int
    proxy: Proxy | None

    @classmethod
    def of(cls, url: str, proxy: Proxy | None) -> Route:
        """Return the route to a URL through a proxy, or through none."""
        parts = urlsplit(url)
        port = parts.port or _PORTS.get(parts.scheme, 80)
        return cls(parts.scheme, parts.hostname or "", port, proxy)

    @property
    def forwarder(self) -> str:
        """The proxy that can answer in place of the service, as for ``http://``; else ""."""
        proxy = self.proxy
        if proxy is None or self.scheme != "http" or proxy.is_socks:
            return ""
        return proxy.label

    @property
    def address(self) -> str:
        """``HOST:PORT`` of the service."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def name(self) -> str:
        """The service; its port is left out where it is the scheme's own."""
        return self.host if self.port == _PORTS.get(self.scheme) else self.address


@contextmanager
def map_exceptions(route: Route, deadline: Deadline) -> Iterator[None]:
    """Raise the exceptions of httpx, anyio and ``decompress`` as ``ProviderError`` and its kin."""
    # An exception that the caller is handling is a context of what is raised here, not a cause.
    handled = sys.exc_info()[1]
    try:
        yield
    except httpx.InvalidURL as exc:
        raise ConfigError(f"Invalid URL: {exc}") from exc
    except zlib.error as exc:
        raise BadReplyError(f"{route.name} sent data that can't be decompressed: {exc}") from exc
    except EOFError as exc:
        raise NetworkError(
            f"Connection lost: {route.name} closed it early, {exc}", retryable=True
        ) from exc
    except (TimeoutError, httpx.TransportError) as exc:
        error = explain(exc, route, deadline, handled)
        error.proxied = route.proxy is not None
        raise error from exc


def explain(
    exc: TimeoutError | httpx.TransportError,
    route: Route,
    deadline: Deadline,
    handled: BaseException | None = None,
) -> ProviderError:
    """Return the error that ``exc`` means on this route.

    ``handled`` and what lies behind it are not looked at.
    """
    if isinstance(exc, TimeoutError | httpx.TimeoutException):
        phase = "connect" if isinstance(exc, httpx.ConnectTimeout) else deadline.phase
        return _timeout(route, deadline, phase)
    if isinstance(exc, httpx.ProxyError):
        return _proxy_error(exc, route)
    connecting = isinstance(exc, httpx.ConnectError)
    for cause in _causes(exc, handled):
        if isinstance(cause, socket.gaierror):
            return _unresolved(route, deadline)
        maybe_tls = connecting or "ssl" in type(cause).__module__
        tls_error = _tls_error(cause, route, deadline) if maybe_tls else None
        if tls_error is not None:
            return tls_error
        if isinstance(cause, ConnectionResetError | BrokenPipeError | ConnectionAbortedError):
            return _reset(route, connecting=connecting, deadline=deadline)
        if isinstance(cause, ConnectionRefusedError):
            return _refused(route)
        if isinstance(cause, OSError) and cause.errno is not None and connecting:
            return _unreachable(cause, route)
    if isinstance(exc, httpx.RemoteProtocolError):
        return _protocol_error(exc, route, deadline)
    return NetworkError(
        f"The connection to {route.address} failed: {exc}", retryable=not connecting
    )


def _causes(exc: BaseException, handled: BaseException | None) -> Iterator[BaseException]:
    """Yield an exception and what lies behind it.

    httpcore suppresses contexts (``raise ... from None``), but they stay, and say the most.
    """
    current: BaseException | None = exc
    for _ in range(10):
        if current is None or current is handled:
            return
        yield current
        current = current.__cause__ or current.__context__


def _timeout(route: Route, deadline: Deadline, phase: Phase) -> ProviderError:
    limit = f"{getattr(deadline.timeouts, phase, 0):g} s"
    if phase == "connect":
        return _connect_timeout(route, deadline, limit)
    longer = "Use `--timeout SECONDS` to wait longer"
    if phase == "first_token":
        return ReplyTimeoutError(f"No reply from {route.name} within {limit}", hint=longer)
    if phase == "no_content":
        return ReplyTimeoutError(
            f"{route.name} keeps the connection open but has sent no text for {limit}", hint=None
        )
    return ReplyTimeoutError(f"No data from {route.name} for {limit}", hint=longer)


def _connect_timeout(route: Route, deadline: Deadline, limit: str) -> ProviderError:
    if route.proxy and deadline.step not in ("service", "tls"):
        is_silent = deadline.step in ("proxy", "proxy-tls")
        action = "answer" if is_silent else f"connect to {route.address}"
        kind = "a SOCKS" if route.proxy.is_socks else "an HTTP"
        return ReplyTimeoutError(
            f"The proxy {route.proxy.label} did not {action} within {limit}",
            hint=f"Is it {kind} proxy? Check it, or correct {route.proxy.origin}",
            retryable=True,
        )
    if deadline.step == "tls":
        return NetworkError(
            f"{route.address} doesn't speak TLS: no handshake within {limit}",
            hint="Use http:// in the URL if the service has no TLS",
        )
    return ReplyTimeoutError(
        f"Connecting to {route.name} timed out after {limit}",
        hint="Check your network connection, or the proxy; `connect_timeout` sets the limit",
        retryable=True,
    )


def _unresolved(route: Route, deadline: Deadline) -> ProviderError:
    if route.proxy and deadline.step != "service":
        return NetworkError(
            f"Can't resolve the proxy {route.proxy.host} (from {route.proxy.origin})",
            hint=f"Correct {route.proxy.origin}, or check your network connection",
        )
    hint = "Check the base URL and your network connection"
    if route.proxy:
        hint = "Use `socks5h://` instead of `socks5://` to let the proxy resolve the name"
    return NetworkError(f"Can't resolve {route.host}", hint=hint)


def _refused(route: Route) -> ProviderError:
    if route.proxy:
        return NetworkError(
            f"The proxy {route.proxy.label} refused the connection",
            hint=f"Start the proxy, or correct {route.proxy.origin}",
        )
    hint = "Check the host and port in the URL"
    if is_loopback(route.host):
        hint = "Is the server running?"
    return NetworkError(f"Can't reach {route.address}: connection refused", hint=hint)


def _unreachable(cause: OSError, route: Route) -> ProviderError:
    where = f"the proxy {route.proxy.address}" if route.proxy else route.address
    reason = (cause.strerror or str(cause)).lower()
    if cause.errno == errno.ETIMEDOUT:
        return ReplyTimeoutError(f"Connecting to {where} timed out", retryable=True)
    return NetworkError(f"Can't reach {where}: {reason}", hint="Check your network connection")


def _reset(route: Route, *, connecting: bool, deadline: Deadline) -> ProviderError:
    proxy = None if deadline.is_sent else route.proxy
    where = route.name if proxy is None else f"The proxy {proxy.label}"
    if proxy and deadline.step == "tls":  # through the tunnel, so either may have cut it
        where = f"{route.name}, or the proxy {proxy.label},"
    when = " before replying" if deadline.phase == "first_token" and not connecting else ""
    return NetworkError(f"{where} reset the connection{when}", retryable=True)


def _protocol_error(
    exc: httpx.RemoteProtocolError, route: Route, deadline: Deadline
) -> ProviderError:
    text = str(exc)
    proxy = None if deadline.is_sent else route.proxy
    if proxy:
        return NetworkError(
            f"The proxy {proxy.label} sent an invalid reply",
            hint=f"Is it an HTTP proxy? Correct {proxy.origin}",
        )
    if "without sending a response" in text:
        return NetworkError(f"{route.name} closed the connection without replying", retryable=True)
    if "peer closed" in text or "incomplete" in text:
        return NetworkError(
            f"Connection lost: {route.name} closed it before the reply was complete", retryable=True
        )
    return BadReplyError(
        f"{route.name} sent an invalid HTTP response",
        hint="Check the URL: does an HTTP service listen there?",
    )


def _proxy_error(exc: httpx.ProxyError, route: Route) -> ProviderError:
    assert route.proxy is not None
    proxy = route.proxy
    text = str(exc)
    if text.startswith(("407", "401")) or "uthenticat" in text:  # tinyproxy says 401
        form = f"{proxy.origin}: {proxy.scheme}://USER:PASSWORD@{proxy.address}"
        words, hint = "needs a user name and password", f"Add them to {form}"
        if proxy.user is not None:
            words, hint = "rejected the user name and password", f"Correct them in {form}"
        return AuthError(f"The proxy {proxy.address} {words}", hint=hint, status=407)
    return NetworkError(
        f"The proxy {proxy.label} can't reach {route.address}: {text[:200]}",
        hint="Check the proxy, or connect without it: `--proxy ''`",
    )


def _tls_error(cause: BaseException, route: Route, deadline: Deadline) -> ProviderError | None:
    import ssl

    if not isinstance(cause, ssl.SSLError):
        return None
    name, address = route.name, route.address
    if route.proxy and deadline.step == "proxy-tls":
        name, address = f"the proxy {route.proxy.host}", f"The proxy {route.proxy.address}"
    if isinstance(cause, ssl.SSLCertVerificationError):
        host = name if deadline.step == "proxy-tls" else route.host
        return _certificate_error(cause, route, name, host)
    if cause.reason in ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNKNOWN_PROTOCOL"):
        return NetworkError(
            f"{address} doesn't speak TLS",
            hint="Use http:// in the URL if the service has no TLS",
        )
    if cause.reason and "CERTIFICATE_REQUIRED" in cause.reason:
        return NetworkError(
            f"TLS: {name} requires a client certificate",
            hint="Set one: `darkai config set client_cert /PATH/certificate.pem`, and `client_key`",
        )
    if cause.reason and cause.reason.startswith(("SSLV3_ALERT", "TLSV1_ALERT", "TLSV13_ALERT")):
        alert = cause.reason.partition("_ALERT_")[2].replace("_", " ").lower()
        return NetworkError(
            f"TLS: {name} refused the connection ({alert})",
            hint="It may require a client certificate, or another one (`client_cert`)",
        )
    if isinstance(cause, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return NetworkError(f"{name} closed the connection during the TLS handshake")
    return NetworkError(f"TLS with {name} failed: {(cause.reason or str(cause)).lower()}")


def _certificate_error(
    cause: ssl.SSLCertVerificationError, route: Route, name: str, host: str
) -> ProviderError:
    reason = cause.verify_message or ""
    if "expired" in reason:
        return NetworkError(
            f"TLS: the certificate of {name} has expired",
            hint="Check this machine's clock; if it is right, the service's certificate is too old",
        )
    if "mismatch" in reason or "not valid for" in reason:
        return NetworkError(
            f"TLS: the certificate isn't valid for {host}: {reason.rstrip('.')}",
            hint="Check the host name in the URL",
        )
    kind = "self-signed" if "self" in reason else reason or "unknown authority"
    whose = "its CA" if route.proxy is None else "its CA, or that of a proxy that opens TLS"
    return NetworkError(
        f"TLS: the certificate of {name} isn't trusted ({kind})",
        hint=f"If you trust it, add {whose}: `darkai config set ca_file /PATH/ca.pem`",
    )
