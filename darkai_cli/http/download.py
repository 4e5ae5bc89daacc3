"""Fetches what a user's URL names: one GET, a few redirects, a bounded body, no private addresses.

Not for services: no key, cookie or prompt goes along. An address of this machine or of a private
network is reached only where the URL that the user typed names it outright (``http://localhost/``,
``http://192.168.1.4/``); a public name that leads there, by its DNS entry or by a redirect, could
make the model read what only this machine can see. The addresses are checked when they are about
to be connected to, so that no second look-up can give another one.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import urljoin, urlsplit

from darkai_cli.errors import InputError
from darkai_cli.http import client
from darkai_cli.http.connection import ConnectionConfig
from darkai_cli.secrets import mask_url
from darkai_cli.text import file_size

MAX_REDIRECTS = 5
_BY_HAND = "open it in a browser, save it, and attach the file"
_HEADERS = {"accept": "text/*, image/*, application/json;q=0.9, */*;q=0.5", "user-agent": "darkai"}


class Fetched(NamedTuple):
    """What came. ``charset``: as the response's header names it, or ""."""

    url: str
    charset: str
    data: bytes


def fetch(url: str, link_to: Callable[[str], ConnectionConfig], limit: int) -> Fetched:
    """What ``url`` names. ``limit``: the most bytes.

    Raises ``InputError`` for what is refused or not there, ``ProviderError`` and its kin for faults
    on the way.
    """
    named = _check(url, url)
    asked_for = {named} if _is_private_name(named) else set()

    def admit(host: str, address: str) -> None:
        if _is_private(address) and host.strip("[]").lower() not in asked_for:
            raise InputError(
                f"`{mask_url(url)}` leads to {address}, which is not a public address",
                hint="if you mean it, write that address itself into the URL, or use "
                "`curl URL | darkai ask -f - ...`",
            )

    here = url
    for _ in range(MAX_REDIRECTS + 1):
        link = link_to(here)._replace(admit=admit)
        if (
            link.proxy is not None
        ):  # the proxy looks names up; what is plain is checked all the same
            host = _check(here, url)
            if _is_private_name(host):
                admit(host, host if _numeric(host) else "127.0.0.1")
            link = link._replace(admit=None)
        with client.send(link, "GET", here, _HEADERS, b"") as exchange:
            if exchange.status in (301, 302, 303, 307, 308):
                here = urljoin(here, exchange.headers.get("location", ""))
                _check(here, url)
                continue
            if exchange.status != 200:
                raise InputError(
                    f"`{mask_url(url)}` cannot be fetched: the answer is {exchange.status}",
                    hint=_BY_HAND,
                )
            return Fetched(here, _charset(exchange.headers), _bounded(exchange, url, limit))
    raise InputError(f"`{mask_url(url)}` redirects more than {MAX_REDIRECTS} times", hint=_BY_HAND)


def _bounded(exchange: client.Exchange, url: str, limit: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    for data in exchange.chunks():
        exchange.deadline.on_content()
        parts.append(data)
        size += len(data)
        if size > limit:
            raise InputError(
                f"`{mask_url(url)}` is larger than {file_size(limit)}",
                hint="save it and attach the part that matters",
            )
    return b"".join(parts)


def _check(url: str, typed: str) -> str:
    """The host of a URL that may be fetched, in lower case."""
    try:
        parts = urlsplit(url)
        host, scheme = parts.hostname or "", parts.scheme
        has_user = parts.username is not None
    except ValueError:
        host, scheme, has_user = "", "", False
    if scheme not in ("http", "https") or not host:
        raise InputError(
            f"`{mask_url(typed)}` leads to `{mask_url(url)[:200]}`, which is not fetched"
            if url != typed
            else f"`{mask_url(typed)}` is not fetched",
            hint="a URL starts with http:// or https:// and names a host",
        )
    if has_user:
        raise InputError(
            "a URL with a user name or a password is not fetched",
            hint="use `curl`, and attach what it prints: `curl URL | darkai ask -f - ...`",
        )
    return host.lower()


def _charset(headers: object) -> str:
    kind = headers.get("content-type", "") if hasattr(headers, "get") else ""
    for part in str(kind).split(";")[1:]:
        name, _, value = part.partition("=")
        if name.strip().lower() == "charset":
            return value.strip().strip("\"'")
    return ""


def _numeric(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _is_private(address: str) -> bool:
    """Whether an address is not one of the public Internet."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return True
    mapped = getattr(found, "ipv4_mapped", None) or found
    return not mapped.is_global or mapped.is_multicast


def _is_private_name(host: str) -> bool:
    """Whether the name itself says that it is this machine or a private address."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    return _numeric(host) and _is_private(host)
