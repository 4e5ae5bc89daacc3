"""Downloads what a user's URL names: one GET, a few redirects, a bounded body.

No key, cookie or prompt goes along. An address of this machine or of a private network is reached
only if the user's own URL names it (``http://localhost/``, ``http://192.168.1.4/``). A public name
that leads there, by its DNS entry or by a redirect, could make the model read what only this
machine can see. Addresses are checked just before they are connected to, so that no second look-up
can give another one.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping
from typing import NamedTuple
from urllib.parse import urljoin, urlsplit

from darkai_cli.errors import InputError
from darkai_cli.http import client
from darkai_cli.http.connection import ConnectionConfig
from darkai_cli.http.sockets import is_numeric
from darkai_cli.secrets import mask_url
from darkai_cli.text import file_size

MAX_REDIRECTS = 5
_BY_HAND = "Open it in a browser, save it and attach the file"
_HEADERS = {"accept": "text/*, image/*, application/json;q=0.9, */*;q=0.5", "user-agent": "darkai"}


class Fetched(NamedTuple):
    """A downloaded body. ``charset`` is that of the response's header, or ""."""

    url: str
    charset: str
    data: bytes


def fetch(url: str, connection_for: Callable[[str], ConnectionConfig], limit: int) -> Fetched:
    """Download ``url``, at most ``limit`` bytes. ``connection_for`` says how a URL is reached.

    Raises ``InputError`` for what is refused or not there, ``ProviderError`` and its kin if the
    network fails.
    """
    host = _checked_host(url, url)
    allowed_private = {host} if _is_private_name(host) else set()

    def admit(host: str, address: str) -> None:
        if _is_private(address) and host.strip("[]").lower() not in allowed_private:
            raise InputError(
                f"`{mask_url(url)}` leads to {address}, which isn't a public address",
                hint="If you mean it, use that address itself in the URL, or run "
                "`curl URL | darkai ask -f - ...`",
            )

    target = url
    for _ in range(MAX_REDIRECTS + 1):
        # A pool may hold a connection that was made without asking ``admit``.
        connection = connection_for(target)._replace(admit=admit, pool=None)
        if connection.proxy is not None:
            # The proxy looks names up, so only what the name itself says can be checked.
            if _is_private_name(host):
                admit(host, host if is_numeric(host) else "127.0.0.1")
            connection = connection._replace(admit=None)
        with client.send(connection, "GET", target, _HEADERS, b"") as exchange:
            if exchange.status in (301, 302, 303, 307, 308):
                target = urljoin(target, exchange.headers.get("location", ""))
                host = _checked_host(target, url)
                continue
            if exchange.status != 200:
                raise InputError(
                    f"Can't fetch `{mask_url(url)}`: status {exchange.status}",
                    hint=_BY_HAND,
                )
            return Fetched(target, _charset(exchange.headers), _bounded(exchange, url, limit))
    raise InputError(f"`{mask_url(url)}` redirects more than {MAX_REDIRECTS} times", hint=_BY_HAND)


def _bounded(exchange: client.Exchange, url: str, limit: int) -> bytes:
    body = bytearray()
    for data in exchange.chunks():
        exchange.deadline.on_content()
        body += data
        if len(body) > limit:
            raise InputError(
                f"`{mask_url(url)}` is larger than {file_size(limit)}",
                hint="Save it and attach the part that matters",
            )
    return bytes(body)


def _checked_host(url: str, user_url: str) -> str:
    """Return the host of a URL that may be downloaded, in lower case.

    ``user_url`` is the URL that led to it. Raises ``InputError`` for any other URL.
    """
    try:
        parts = urlsplit(url)
        host, scheme = parts.hostname or "", parts.scheme
        has_user = parts.username is not None
    except ValueError:
        host, scheme, has_user = "", "", False
    if scheme not in ("http", "https") or not host:
        raise InputError(
            f"`{mask_url(user_url)}` redirects to `{mask_url(url)[:200]}`, which can't be fetched"
            if url != user_url
            else f"Can't fetch `{mask_url(user_url)}`",
            hint="A URL starts with http:// or https:// and names a host",
        )
    if has_user:
        raise InputError(
            "Can't fetch a URL with a user name or password",
            hint="Use curl and attach its output: `curl URL | darkai ask -f - ...`",
        )
    return host.lower()


def _charset(headers: Mapping[str, str]) -> str:
    for part in headers.get("content-type", "").split(";")[1:]:
        name, _, value = part.partition("=")
        if name.strip().lower() == "charset":
            return value.strip().strip("\"'")
    return ""


def _is_private(address: str) -> bool:
    """Return whether an address is not one of the public Internet."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return True
    public = getattr(parsed, "ipv4_mapped", None) or parsed
    return not public.is_global or public.is_multicast


def _is_private_name(host: str) -> bool:
    """Return whether a name by itself means this machine or a private address."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    return is_numeric(host) and _is_private(host)
