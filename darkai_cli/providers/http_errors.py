"""Explain HTTP statuses, and web pages that came in place of an answer, for all services.

A dialect explains its own error bodies first (``Dialect.error``); what it leaves comes here.
Foreign text is quoted with at most 200 characters, a web page by its title.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urljoin, urlsplit

from darkai_cli.errors import (
    AuthError,
    NetworkError,
    ProviderError,
    RateLimitError,
    RefusedError,
    ServiceError,
    UnknownModelError,
)
from darkai_cli.http.retry_after import retry_after
from darkai_cli.providers.base import Headers, HttpRequest, ProviderSettings
from darkai_cli.providers.dialect import BILLING, REJECTED, SMALLER, parse, words
from darkai_cli.text import duration, file_size

RETRYABLE = frozenset({408, 425, 429, 500, 502, 503, 504, 529})
MAX_WAIT = 60.0
"""The longest ``Retry-After`` that is obeyed, in seconds."""

_NAMES = {
    408: "request timeout", 409: "conflict", 500: "internal error", 502: "bad gateway",
    503: "unavailable", 504: "gateway timeout", 529: "overloaded",
}  # fmt: skip
_QUOTA_WORDS = ("quota", "billing", "usage limit")
"""Words in a 429 that a short wait does not help."""
_TOO_LARGE_WORDS = ("must be reduced", "long context")
"""Words in a 429 that this request always gets."""
_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600}
_NO_PATH = frozenset({"not found", "404 not found", "404 page not found", "page not found", "404"})
_PROXIES = ("tinyproxy", "squid", "privoxy", "mitmproxy")
_CHALLENGES = ("Just a moment...", "Attention Required!", 'id="cf-', "id='cf-", "cf-chl", "cf_chl_")


def payload_of(body: bytes) -> Any:
    """Return the JSON value of an error's body; None if it has none.

    LiteLLM sends an event of a stream with status 500: then it is the value of the field ``data``.
    """
    text = body.decode("utf-8-sig", "replace")
    payload = parse(text)
    if payload is None and text.lstrip().startswith(("data:", "event:")):
        lines = text.replace("\r", "\n").split("\n")
        payload = parse(next((line[5:] for line in lines if line.startswith("data:")), ""))
    return payload


def error_field(stray: str) -> Any:
    """Return the value of an SSE field ``error``, as llama.cpp sent it until 2025; else None."""
    for line in stray.split("\n"):
        name, _, value = line.partition(":")
        payload = parse(value) if name == "error" else None
        if payload:
            wrapped = isinstance(payload, dict) and "error" in payload
            return payload if wrapped else {"error": payload}
    return None


def message_in(payload: Any) -> str:
    """Return the message in an error body of any usual shape; "" if it has none.

    Shapes: ``{"error": {"message"}}``, ``{"error": "..."}``, ``{"message"}``, ``{"detail":
    "..."}``, FastAPI's ``{"detail": [{"loc", "msg"}]}``.
    """
    if isinstance(payload, str):
        return words(payload)
    if not isinstance(payload, dict):
        return ""
    for key in ("error", "detail", "message", "msg"):
        value = payload.get(key)
        if isinstance(value, str) and value:
            return words(value)
        if isinstance(value, dict):
            return message_in(value)
        if isinstance(value, list) and value and isinstance(value[0], dict):
            first = value[0]
            loc = first.get("loc")
            field = ".".join(str(part) for part in loc if part != "body") if loc else ""
            text = message_in({"message": first.get("msg") or first.get("message") or ""})
            return f"field `{words(field, 60)}`: {text}" if field else text
    return ""


def is_page(text: str) -> bool:
    """Return whether a body is a web page."""
    head = text.lstrip("\ufeff \t\r\n")[:512].lower()
    return head.startswith(("<!doctype", "<html", "<head", "<body")) or "<html" in head


def title_of(text: str) -> str:
    """Return the title of a web page, or ""."""
    import html

    match = re.search(r"<title[^>]*>(.{0,400}?)</title>", text, re.IGNORECASE | re.DOTALL)
    return words(html.unescape(match.group(1)), 100) if match else ""


def page_error(host: str, status: int, headers: Headers, text: str) -> ProviderError | None:
    """Return the error for a web page in place of an answer; None if ``text`` is no page."""
    if headers.get("cf-mitigated") == "challenge" or (
        is_page(text) and any(sign in text for sign in _CHALLENGES)
    ):
        return NetworkError(
            f"{host} is behind a browser check (Cloudflare) that darkai can't pass",
            hint="Use another service: `-p NAME`",
            status=status,
        )
    if not is_page(text):
        return None
    title = title_of(text)
    named = f"a web page ('{title}')" if title else "a web page"
    if status == 200:
        return ServiceError(
            f"{host} sent {named}, not an API reply",
            hint="Open the URL in a browser: it may be wrong, or there is a captive portal",
            status=status,
        )
    return None


def explain(
    host: str,
    request: HttpRequest,
    status: int,
    headers: Headers,
    body: bytes,
    now: float,
    forwarder: str = "",
    settings: ProviderSettings | None = None,
) -> ProviderError:
    """Return the error for a status other than 200.

    ``now``: seconds since the epoch. ``forwarder``: a proxy that may have answered in place of the
    service, or "". ``settings``: the provider's, for the hint.
    """
    text = body.decode("utf-8", "replace")
    page = page_error(host, status, headers, text)
    if page is not None:
        return page
    payload = payload_of(body)
    if forwarder and (payload is None or status == 407):
        error = _proxy_error(host, forwarder, status, headers, text)
        if error is not None:
            return error
        host = f"{host}, or the proxy {forwarder} in front of it"
    message = message_in(payload)
    more = f": {message}" if message else ""
    if 300 <= status < 400:
        return _redirected(host, request.url, status, headers, settings)
    if status in (401, 403, 407):
        return _access_denied(host, status, more)
    if status in (404, 405):
        return _not_found(host, request, status, message)
    if status in (400, 413, 422):
        return _rejected(host, request, status, more)
    if status in (402, 429):
        return limited(host, status, headers, message, now)
    return _failed(host, status, headers, more, now)


def _access_denied(host: str, status: int, more: str) -> AuthError:
    """Return the error for a 401, 403 or 407. ``more``: ": " and the service's message, or ""."""
    if status == 401:
        return AuthError(
            f"{host} rejected the key or requires one (401){more}",
            hint="Set it in the provider's `headers`: `darkai config edit`",
            status=status,
        )
    if status == 403:
        return AuthError(f"Access denied by {host} (403){more}", status=status)
    return AuthError(
        f"The proxy in front of {host} needs a user name and password",
        hint="Add them to the proxy URL: http://USER:PASSWORD@HOST:PORT",
        status=status,
    )


def _rejected(host: str, request: HttpRequest, status: int, more: str) -> ProviderError:
    """Return the error for a 400, 413 or 422. ``more``: ": " and the service's message, or ""."""
    if status == 413:
        size = file_size(len(request.body))
        return RefusedError(
            f"The request ({size}) is too large for {host}{more}", hint=SMALLER, status=status
        )
    return ServiceError(
        f"{host} rejected the request ({status}){more}", hint=REJECTED, status=status
    )


def _proxy_error(
    host: str, proxy: str, status: int, headers: Headers, text: str
) -> ProviderError | None:
    """Return the error for an answer that is the proxy's own; None for any other."""
    if status == 407:
        return AuthError(
            f"The proxy {proxy} needs a user name and password, or rejected them",
            hint="Add them to the proxy URL: http://USER:PASSWORD@HOST:PORT",
            status=status,
        )
    signs = ("x-squid-error", "proxy-status", "proxy-authenticate", "proxy-connection")
    server = headers.get("server", "").lower()
    if not any(name in headers for name in signs) and not server.startswith(_PROXIES):
        return None
    title = title_of(text).removeprefix(f"{status} ") or _NAMES.get(status, "")
    return NetworkError(
        f"The proxy {proxy} can't reach {host}: {status} {title}".rstrip(),
        hint="Check the proxy, or connect without it: `--proxy ''`",
        status=status,
    )


def _not_found(host: str, request: HttpRequest, status: int, message: str) -> ProviderError:
    """Return the error for a path, or a model, that does not exist."""
    path = urlsplit(request.url).path or "/"
    if status == 404 and "model" in message.lower():
        return UnknownModelError(f"{host}: {message}", hint="`darkai models`", status=status)
    if status == 404 and message and message.lower().strip(". ") not in _NO_PATH:
        return ServiceError(f"Not found at {host}: {message}", status=status)
    usual = path.endswith(("/chat/completions", "/models", "/responses", "/messages"))
    usual = usual and "/v1beta" not in path  # which is Gemini's
    return ServiceError(
        f"{host} has no path {path}"
        if status == 404
        else f"{host} doesn't accept {request.method} at {path} (405)",
        hint="Check the base URL; it usually ends with `/v1`" if usual else "Check the base URL",
        status=status,
    )


def limited(host: str, status: int, headers: Headers, message: str, now: float) -> RateLimitError:
    """Return the error for a 429 or 402."""
    wait = retry_after(headers.get("retry-after", ""), now)
    if wait is None:
        wait = _wait_in(message)
    lower = message.lower()
    more = f": {message}" if message else ""
    if status == 402 or any(word in lower for word in _QUOTA_WORDS):
        return RateLimitError(f"Quota used up at {host}{more}", hint=BILLING, status=status)
    if any(word in lower for word in _TOO_LARGE_WORDS):
        return RateLimitError(
            f"Rate limited by {host}{more}",
            hint="This request alone exceeds the limit: send less, or choose another model: "
            "`-m NAME`",
            status=429,
        )
    if wait is not None and wait > MAX_WAIT:
        return RateLimitError(
            f"Rate limited: {host} asks to wait {duration(wait)}{more}",
            hint="Try again later, or use another provider: `-p NAME`",
            status=429,
            retry_after=wait,
        )
    return RateLimitError(
        f"Rate limited by {host}{more}",
        hint=f"Try again in {duration(max(wait, 1))}" if wait else "Try again in a minute",
        status=429,
        retryable=True,
        retry_after=wait,
    )


def _wait_in(message: str) -> float | None:
    """Return the seconds in ``Please try again in 1m2.5s``, which some send, not a header."""
    match = re.search(r"try again in ((?:[0-9]{1,6}(?:\.[0-9]{1,6})?(?:ms|h|m|s))+)\b", message)
    if not match:
        return None
    pieces = re.findall(r"([0-9.]+)(ms|h|m|s)", match[1])
    return sum(float(number) * _SECONDS[unit] for number, unit in pieces)


def _failed(host: str, status: int, headers: Headers, more: str, now: float) -> ProviderError:
    name = _NAMES.get(status)
    failed = f"{host} failed ({status}{more})" if status == 500 else (
        f"{host} is overloaded (529){more}" if status == 529
        else f"{host}: {name or 'unexpected status'} ({status}){more}"
    )  # fmt: skip
    wait = retry_after(headers.get("retry-after", ""), now)
    return ServiceError(
        failed,
        status=status,
        retryable=status in RETRYABLE and (wait is None or wait <= MAX_WAIT),
        retry_after=wait,
    )


def _redirected(
    host: str, url: str, status: int, headers: Headers, settings: ProviderSettings | None
) -> ProviderError:
    target = headers.get("location", "")
    source = urlsplit(url)
    try:
        destination = urlsplit(target)
        port = destination.port
    except ValueError:
        return ServiceError(f"{host} redirected to an unusable address", status=status)
    host_name = destination.hostname or ""
    if destination.scheme and destination.scheme not in ("http", "https"):
        return ServiceError(f"{host} redirected to an unsupported address", status=status)
    if destination.scheme == "http" and source.scheme == "https":
        return ServiceError(f"{host} redirected to plain http: refused", status=status)
    same = not host_name or (host_name == source.hostname and port == source.port)
    if (
        same
        and (destination.path or "/") == (source.path or "/")
        and destination.query == source.query
    ):
        return ServiceError(f"{host} redirects in a loop", status=status)
    address = words(
        destination.netloc.rpartition("@")[2] + destination.path if host_name else target
    )
    name = settings.name if settings is not None else "NAME"
    moved = _moved(url, target, settings.url) if settings is not None else ""
    return ServiceError(
        f"{host} redirected to {address}",
        hint="If you trust it, make it the base URL: "
        f"`darkai config set providers.{name}.url {moved or 'URL'}`",
        status=status,
    )


def _moved(url: str, target: str, base: str) -> str:
    """Return the base URL that a redirect leads to, or "" if that cannot be told."""
    tail = url.removeprefix(base.rstrip("/"))
    destination = urljoin(url, target)
    if tail == url or not destination.endswith(tail) or "@" in destination:
        return ""
    base_url = destination.removesuffix(tail)
    return base_url if re.fullmatch(r"[A-Za-z0-9:/._~%\[\]-]{8,200}", base_url) else ""
