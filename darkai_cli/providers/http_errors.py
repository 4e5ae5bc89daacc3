"""What an HTTP status, or a page under any status, means: what is the same for all services.

A dialect explains its own error bodies first (``Dialect.error``); what it leaves comes here.
Foreign text is quoted at most 200 characters long, an HTML page only by its title.
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
_SPENT = ("quota", "billing", "usage limit")
"""Words of a 429 that waiting for a moment does not help."""
_NEVER_FITS = ("must be reduced", "long context")
"""Words of a 429 that the request will get whenever it is sent."""
_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600}
_NO_PATH = frozenset({"not found", "404 not found", "404 page not found", "page not found", "404"})
_PROXIES = ("tinyproxy", "squid", "privoxy", "mitmproxy")
_CHALLENGES = ("Just a moment...", "Attention Required!", 'id="cf-', "id='cf-", "cf-chl", "cf_chl_")


def payload_of(body: bytes) -> Any:
    """The JSON value of an error's body; None if there is none.

    LiteLLM's is one event of a stream, though the status is 500: then the value of its first field
    ``data``.
    """
    text = body.decode("utf-8-sig", "replace")
    payload = parse(text)
    if payload is None and text.lstrip().startswith(("data:", "event:")):
        lines = text.replace("\r", "\n").split("\n")
        payload = parse(next((line[5:] for line in lines if line.startswith("data:")), ""))
    return payload


def error_field(stray: str) -> Any:
    """The JSON value of a field ``error``, as ``{"error": ...}``: llama.cpp's until 2025."""
    for line in stray.split("\n"):
        name, _, value = line.partition(":")
        payload = parse(value) if name == "error" else None
        if payload:
            wrapped = isinstance(payload, dict) and "error" in payload
            return payload if wrapped else {"error": payload}
    return None


def message_in(payload: Any) -> str:
    """The human message in an error body of any usual shape; "" if there is none.

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
    """Whether a body is a web page."""
    head = text.lstrip("\ufeff \t\r\n")[:512].lower()
    return head.startswith(("<!doctype", "<html", "<head", "<body")) or "<html" in head


def title_of(text: str) -> str:
    """The title of a web page, or ""."""
    import html

    found = re.search(r"<title[^>]*>(.{0,400}?)</title>", text, re.IGNORECASE | re.DOTALL)
    return words(html.unescape(found.group(1)), 100) if found else ""


def page_error(host: str, status: int, headers: Headers, text: str) -> ProviderError | None:
    """The error that a web page in place of an answer is; None if ``text`` is no page."""
    if headers.get("cf-mitigated") == "challenge" or (
        is_page(text) and any(sign in text for sign in _CHALLENGES)
    ):
        return NetworkError(
            f"{host} is behind a browser check (Cloudflare); this client cannot pass it",
            hint="ask another service: `--provider NAME`",
            status=status,
        )
    if not is_page(text):
        return None
    title = title_of(text)
    named = f"a web page ('{title}')" if title else "a web page"
    if status == 200:
        return ServiceError(
            f"{host} sent {named}, not an API answer",
            hint="a captive portal, or the wrong URL: open it in a browser to see",
            status=status,
        )
    return None


def retry_after(headers: Headers, now: float) -> float | None:
    """Return the seconds that ``Retry-After`` asks to wait; None if it is missing or unreadable."""
    from darkai_cli.http import retry_after as header

    return header.retry_after(headers.get("retry-after", ""), now)


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
    """The error that a status other than 200 is.

    ``now``: seconds since the epoch. ``forwarder``: the proxy that was asked and may have answered
    itself, or "". ``settings``: the provider's, for the hint, where it is one.
    """
    text = body.decode("utf-8", "replace")
    page = page_error(host, status, headers, text)
    if page is not None:
        return page
    payload = payload_of(body)
    if forwarder and (payload is None or status == 407):
        proxys = _of_proxy(host, forwarder, status, headers, text)
        if proxys is not None:
            return proxys
        host = f"{host}, or the proxy {forwarder} in front of it"
    told = message_in(payload)
    more = f": {told}" if told else ""
    if 300 <= status < 400:
        return _redirected(host, request.url, status, headers, settings)
    if status == 401:
        return AuthError(
            f"{host} rejected the key or wants one (401){more}",
            hint="set it in the provider's `headers`, see `darkai config edit`",
            status=status,
        )
    if status == 403:
        return AuthError(f"{host}: not allowed (403){more}", status=status)
    if status in (404, 405):
        return _nowhere(host, request, status, told)
    if status == 407:
        return AuthError(
            f"the proxy before {host} needs a user name and password",
            hint="write them into the proxy URL: http://USER:PASSWORD@HOST:PORT",
            status=status,
        )
    if status == 413:
        return RefusedError(
            f"the request of {file_size(len(request.body))} is too large for {host}{more}",
            hint=SMALLER,
            status=status,
        )
    if status in (400, 422):
        return ServiceError(
            f"{host} rejected the request ({status}){more}",
            hint=REJECTED,
            status=status,
        )
    if status in (402, 429):
        return limited(host, status, headers, told, now)
    return _failed(host, status, headers, more, now)


def _of_proxy(
    host: str, proxy: str, status: int, headers: Headers, text: str
) -> ProviderError | None:
    """The error of an answer that shows itself to be the proxy's own; None of another."""
    if status == 407:
        return AuthError(
            f"proxy {proxy} needs a user name and password, or others",
            hint="write them into the proxy URL: http://USER:PASSWORD@HOST:PORT",
            status=status,
        )
    signs = ("x-squid-error", "proxy-status", "proxy-authenticate", "proxy-connection")
    server = headers.get("server", "").lower()
    if not any(name in headers for name in signs) and not server.startswith(_PROXIES):
        return None
    title = title_of(text).removeprefix(f"{status} ") or _NAMES.get(status, "")
    return NetworkError(
        f"proxy {proxy} cannot reach {host}: {status} {title}".rstrip(),
        hint="check the proxy, or go without it: `--proxy ''`",
        status=status,
    )


def _nowhere(host: str, request: HttpRequest, status: int, told: str) -> ProviderError:
    """The error of a path, or of a model, that is not there."""
    path = urlsplit(request.url).path or "/"
    if status == 404 and "model" in told.lower():
        return UnknownModelError(f"{host}: {told}", hint="`darkai models`", status=status)
    if status == 404 and told and told.lower().strip(". ") not in _NO_PATH:
        return ServiceError(f"{host}: not found: {told}", status=status)
    usual = path.endswith(("/chat/completions", "/models", "/responses", "/messages"))
    usual = usual and "/v1beta" not in path  # which is Gemini's
    return ServiceError(
        f"{host} has no such path ({path})"
        if status == 404
        else f"{host} does not take {request.method} at {path} (405)",
        hint="is the base URL right? It usually ends in `/v1`"
        if usual
        else "is the base URL right?",
        status=status,
    )


def limited(host: str, status: int, headers: Headers, told: str, now: float) -> RateLimitError:
    """The error that a 429 or 402 is."""
    wait = retry_after(headers, now)
    if wait is None:
        wait = _wait_in(told)
    lower = told.lower()
    more = f": {told}" if told else ""
    if status == 402 or any(word in lower for word in _SPENT):
        return RateLimitError(f"quota used up at {host}{more}", hint=BILLING, status=status)
    if any(word in lower for word in _NEVER_FITS):
        return RateLimitError(
            f"rate limited by {host}{more}",
            hint="this request alone is over the limit: send less, or name another model: "
            "`-m NAME`",
            status=429,
        )
    if wait is not None and wait > MAX_WAIT:
        return RateLimitError(
            f"rate limited; {host} asks to wait {duration(wait)}{more}",
            hint="try again later, or use another provider: `--provider NAME`",
            status=429,
            retry_after=wait,
        )
    return RateLimitError(
        f"rate limited by {host}{more}",
        hint=f"try again in {duration(max(wait, 1))}" if wait else "try again in a minute",
        status=429,
        retryable=True,
        retry_after=wait,
    )


def _wait_in(told: str) -> float | None:
    """The seconds of ``Please try again in 1m2.5s``, which some say in place of a header."""
    found = re.search(r"try again in ((?:[0-9]{1,6}(?:\.[0-9]{1,6})?(?:ms|h|m|s))+)\b", told)
    if not found:
        return None
    pieces = re.findall(r"([0-9.]+)(ms|h|m|s)", found[1])
    return sum(float(number) * _SECONDS[unit] for number, unit in pieces)


def _failed(host: str, status: int, headers: Headers, more: str, now: float) -> ProviderError:
    name = _NAMES.get(status)
    failed = f"{host} failed ({status}{more})" if status == 500 else (
        f"{host} is overloaded (529){more}" if status == 529
        else f"{host}: {name or 'unexpected status'} ({status}){more}"
    )  # fmt: skip
    wait = retry_after(headers, now)
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
    here = urlsplit(url)
    try:
        there = urlsplit(target)
        there_port = there.port
    except ValueError:
        return ServiceError(f"{host} redirected to an unusable address", status=status)
    other = there.hostname or ""
    if there.scheme and there.scheme not in ("http", "https"):
        return ServiceError(f"{host} redirected to an unsupported address", status=status)
    if there.scheme == "http" and here.scheme == "https":
        return ServiceError(f"{host} redirected to plain http: refused", status=status)
    same = not other or (other == here.hostname and there_port == here.port)
    if same and (there.path or "/") == (here.path or "/") and there.query == here.query:
        return ServiceError(f"{host} redirects in a loop", status=status)
    shown = words(there.netloc.rpartition("@")[2] + there.path if other else target)
    name = settings.name if settings is not None else "NAME"
    moved = _moved(url, target, settings.url) if settings is not None else ""
    return ServiceError(
        f"{host} redirected to {shown}",
        hint="set the base URL to it if you trust it: "
        f"`darkai config set providers.{name}.url {moved or 'URL'}`",
        status=status,
    )


def _moved(url: str, target: str, base: str) -> str:
    """The base URL that lies where a redirect leads, or "" if that cannot be told."""
    tail = url.removeprefix(base.rstrip("/"))
    there = urljoin(url, target)
    if tail == url or not there.endswith(tail) or "@" in there:
        return ""
    found = there.removesuffix(tail)
    return found if re.fullmatch(r"[A-Za-z0-9:/._~%\[\]-]{8,200}", found) else ""
