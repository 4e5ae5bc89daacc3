"""What went wrong on the way, in words: the only place that translates httpx's exceptions.

The most specific cause first: the operating system's or OpenSSL's own error, found behind httpx's,
says more than the class around it. Each message names host and port, or the proxy where it was the
proxy, and each hint what to type or look at next.
"""

from __future__ import annotations

import errno
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple
from urllib.parse import urlsplit

import httpx

from darkai_cli.errors import (
    AuthError,
    BadReplyError,
    ConfigError,
    DarkAIError,
    NetworkError,
    ProviderError,
    ReplyTimeoutError,
)
from darkai_cli.wire.proxy import Proxy, is_loopback
from darkai_cli.wire.timers import Phase, Watch


class Route(NamedTuple):
    """Where a request goes."""

    scheme: str
    host: str
    port: int
    proxy: Proxy | None

    @classmethod
    def of(cls, url: str, proxy: Proxy | None) -> Route:
        """The route to a URL."""
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        return cls(parts.scheme, parts.hostname or "", port, proxy)

    @property
    def address(self) -> str:
        """``HOST:PORT`` of the service."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def require_ours(exc: Exception) -> None:
    """Raise ``exc`` again unless it is one of darkai's."""
    if not isinstance(exc, DarkAIError):
        raise exc


@contextmanager
def translated(route: Route, watch: Watch) -> Iterator[None]:
    """Raise what httpx and anyio raise as darkai's errors."""
    handled = sys.exc_info()[1]  # the caller's own, which must not explain ours
    try:
        yield
    except httpx.InvalidURL as exc:
        raise ConfigError(f"the URL is not usable: {exc}") from exc
    except TimeoutError as exc:  # anyio.fail_after
        raise _of(route, _timeout(route, watch)) from exc
    except httpx.TransportError as exc:
        raise _of(route, explain(exc, route, watch, handled)) from exc


def _of(route: Route, error: ProviderError) -> ProviderError:
    error.proxied = route.proxy is not None
    return error


def explain(
    exc: httpx.TransportError, route: Route, watch: Watch, handled: BaseException | None = None
) -> ProviderError:
    """The error that tells what ``exc`` means on this route."""
    if isinstance(exc, httpx.TimeoutException):
        return _timeout(route, watch, "connect" if isinstance(exc, httpx.ConnectTimeout) else None)
    if isinstance(exc, httpx.ProxyError):
        return _proxy_error(exc, route)
    connecting = isinstance(exc, httpx.ConnectError)
    for cause in _causes(exc, handled):
        if isinstance(cause, socket.gaierror):
            return _unresolved(route)
        told = _tls_error(cause, route) if connecting or "ssl" in type(cause).__module__ else None
        if told is not None:
            return told
        if isinstance(cause, ConnectionResetError | BrokenPipeError | ConnectionAbortedError):
            return _reset(route, connecting=connecting, watch=watch)
        if isinstance(cause, ConnectionRefusedError):
            return _refused(route)
        if isinstance(cause, OSError) and cause.errno is not None and connecting:
            return _unreachable(cause, route)
    if isinstance(exc, httpx.RemoteProtocolError):
        return _protocol_error(exc, route, watch)
    return NetworkError(f"connection to {route.address} failed: {exc}", retryable=not connecting)


def _causes(exc: BaseException, handled: BaseException | None) -> Iterator[BaseException]:
    """What lies behind an exception; httpcore suppresses contexts that say the most."""
    seen = 0
    current: BaseException | None = exc
    while current is not None and current is not handled and seen < 10:
        yield current
        current = current.__cause__ or current.__context__
        seen += 1


def _timeout(route: Route, watch: Watch, phase: Phase | None = None) -> ProviderError:
    phase = phase or watch.phase
    limit = f"{getattr(watch.timers, phase, 0):g} s"
    if phase == "connect":
        if route.proxy:
            return ReplyTimeoutError(
                f"proxy {route.proxy.address} (from {route.proxy.origin}) did not connect to "
                f"{route.address} within {limit}",
                hint=f"check the proxy, or correct {route.proxy.origin}",
                retryable=True,
            )
        if watch.in_handshake:
            return NetworkError(
                f"{route.address} does not speak TLS: no handshake within {limit}",
                hint="use http:// in the URL if the service has no TLS",
            )
        return ReplyTimeoutError(
            f"connecting to {route.host} timed out after {limit}",
            hint="check the network, or the proxy; `connect_timeout` sets the limit",
            retryable=True,
        )
    longer = "`--timeout SECONDS` sets a longer limit"
    if phase == "first":
        return ReplyTimeoutError(f"no answer from {route.host} within {limit}", hint=longer)
    if phase == "stalled":
        return ReplyTimeoutError(
            f"{route.host} keeps the line open but sends no text for {limit}", hint=None
        )
    return ReplyTimeoutError(f"no data from {route.host} for {limit}", hint=longer)


def _unresolved(route: Route) -> ProviderError:
    if route.proxy:
        return NetworkError(
            f"cannot resolve the proxy {route.proxy.host} (from {route.proxy.origin})",
            hint=f"correct {route.proxy.origin}, or check the network",
        )
    return NetworkError(f"cannot resolve {route.host}", hint="check the base URL or the network")


def _refused(route: Route) -> ProviderError:
    if route.proxy:
        return NetworkError(
            f"proxy {route.proxy.address} refused the connection (from {route.proxy.origin})",
            hint=f"start the proxy, or correct {route.proxy.origin}",
        )
    hint = "is the server running?" if is_loopback(route.host) else "check the URL's host and port"
    return NetworkError(f"cannot connect to {route.address}: connection refused", hint=hint)


def _unreachable(cause: OSError, route: Route) -> ProviderError:
    where = f"proxy {route.proxy.address}" if route.proxy else route.address
    reason = (cause.strerror or str(cause)).lower()
    if cause.errno == errno.ETIMEDOUT:
        return ReplyTimeoutError(f"connecting to {where} timed out", retryable=True)
    return NetworkError(f"cannot connect to {where}: {reason}", hint="check the network")


def _reset(route: Route, *, connecting: bool, watch: Watch) -> ProviderError:
    blamed = _blamed(route, watch)
    where = f"proxy {blamed.address} (from {blamed.origin})" if blamed else route.host
    when = " before answering" if watch.phase == "first" and not connecting else ""
    return NetworkError(f"{where} reset the connection{when}", retryable=True)


def _blamed(route: Route, watch: Watch) -> Proxy | None:
    """The proxy, if the way to the service did not stand yet."""
    return None if watch.is_sent else route.proxy


def _protocol_error(exc: httpx.RemoteProtocolError, route: Route, watch: Watch) -> ProviderError:
    text = str(exc)
    blamed = _blamed(route, watch)
    if blamed:
        return NetworkError(
            f"proxy {blamed.address} (from {blamed.origin}) gave no usable answer",
            hint=f"is it an HTTP proxy? Correct {blamed.origin}",
        )
    if "without sending a response" in text:
        return NetworkError(f"{route.host} closed the connection without answering", retryable=True)
    if "peer closed" in text or "incomplete" in text:
        return NetworkError(
            f"connection lost: {route.host} ended it before the answer was complete", retryable=True
        )
    return BadReplyError(
        f"{route.host} sent an invalid HTTP response",
        hint="is the URL right, and does an HTTP service listen there?",
    )


def _proxy_error(exc: httpx.ProxyError, route: Route) -> ProviderError:
    assert route.proxy is not None
    name = f"proxy {route.proxy.address}"
    origin = route.proxy.origin
    text = str(exc)
    if text.startswith("407") or "uthenticat" in text or "credentials" in text.lower():
        return AuthError(
            f"{name} needs a user name and password",
            hint=f"write them into {origin}: http://USER:PASSWORD@{route.proxy.address}",
            status=407,
        )
    return NetworkError(
        f"{name} (from {origin}) cannot reach {route.address}: {text[:200]}",
        hint="check the proxy, or go without it: `--proxy ''`",
    )


def _tls_error(cause: BaseException, route: Route) -> ProviderError | None:
    import ssl

    if not isinstance(cause, ssl.SSLError):
        return None
    host = route.host
    if isinstance(cause, ssl.SSLCertVerificationError):
        reason = cause.verify_message or ""
        if cause.verify_code == 10 or "expired" in reason:  # X509_V_ERR_CERT_HAS_EXPIRED
            return NetworkError(
                f"TLS: the certificate of {host} has expired",
                hint="check this machine's clock; otherwise the service must renew it",
            )
        if "mismatch" in reason or "not valid for" in reason:
            return NetworkError(
                f"TLS: the certificate is not for {host}: {reason.rstrip('.')}",
                hint="check the host name in the URL",
            )
        kind = "self-signed" if "self" in reason else reason or "unknown authority"
        return NetworkError(
            f"TLS: the certificate of {host} is not trusted ({kind})",
            hint="if you trust it, name its CA: `darkai config set ca_file /PATH/ca.pem`",
        )
    if cause.reason in ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNKNOWN_PROTOCOL"):
        return NetworkError(
            f"{route.address} does not speak TLS",
            hint="use http:// in the URL if the service has no TLS",
        )
    if isinstance(cause, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return NetworkError(f"{host} closed the connection during TLS", retryable=False)
    return NetworkError(f"TLS with {host} failed: {(cause.reason or str(cause)).lower()}")
