"""Decides which proxy a URL goes through: flag, config, environment, and the exceptions.

The rules are curl's, except where other clients have traps: ``socks://`` means ``socks5://``,
``NO_PROXY`` may hold IPv6 literals and networks, and loopback goes direct unless the user named a
proxy with ``--proxy``.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import SplitResult, unquote, urlsplit

from darkai_cli.errors import ConfigError, UsageError
from darkai_cli.secrets import is_loopback

_SCHEMES = ("http", "https", "socks5", "socks5h")


class Proxy(NamedTuple):
    """A proxy. ``origin`` says where the user set it: a variable, ``--proxy`` or the config."""

    scheme: str
    host: str
    port: int
    user: str | None
    password: str | None
    origin: str

    @property
    def address(self) -> str:
        """Host and port for messages, without the credentials."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    @property
    def label(self) -> str:
        """The address and where the user set it, for messages."""
        return f"{self.address} (from {self.origin})"

    @property
    def is_socks(self) -> bool:
        """Whether it speaks SOCKS5, not HTTP."""
        return self.scheme.startswith("socks")

    @property
    def auth(self) -> tuple[bytes, bytes] | None:
        """User name and password."""
        return None if self.user is None else (self.user.encode(), (self.password or "").encode())


def parse(url: str, origin: str, error: type[ConfigError | UsageError] = ConfigError) -> Proxy:
    """Return the proxy that ``url`` names.

    Raises ``error`` with the origin, never with the password.
    """
    text = url.strip()
    if "://" not in text:
        text = f"http://{text}"
    hint = "Write a proxy as http://HOST:PORT or socks5://HOST:PORT"
    try:
        parts: SplitResult = urlsplit(text)
        port = parts.port
    except ValueError:
        raise error(f"The proxy from {origin} has no valid address", hint=hint) from None
    scheme = {"socks": "socks5"}.get(parts.scheme, parts.scheme)
    if scheme not in _SCHEMES:
        raise error(
            f"The proxy from {origin} has the unsupported scheme `{parts.scheme}`", hint=hint
        )
    if not parts.hostname:
        raise error(f"The proxy from {origin} names no host", hint=hint)
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    fits_socks = (user + password).isascii() and max(len(user), len(password)) <= 255
    if scheme.startswith("socks") and not fits_socks:
        raise error(
            f"The proxy from {origin} has a user name or password that SOCKS can't transmit",
            hint="Use at most 255 ASCII characters for each",
        )
    default = {"http": 80, "https": 443}.get(scheme, 1080)
    return Proxy(scheme, parts.hostname, port or default, user or None, password or None, origin)


def choose(
    url: str,
    *,
    explicit: str | None,
    origin: str,
    by_flag: bool,
    environ: Mapping[str, str],
) -> Proxy | None:
    """Return the proxy for ``url``, or None for a direct connection.

    ``explicit`` is the value of the flag or the config, which ``origin`` names; "" means no proxy.
    With ``by_flag`` it is the flag's, which counts for loopback too. Raises ``ConfigError``, or
    ``UsageError`` for the flag, if the proxy has no usable address.
    """
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    if explicit is not None:
        if not explicit or (is_loopback(host) and not by_flag):
            return None
        return parse(explicit, origin, UsageError if by_flag else ConfigError)
    if is_loopback(host):
        return None
    for name in (f"{parts.scheme}_proxy", "all_proxy"):
        for key in (name, name.upper()):
            value = environ.get(key, "").strip()
            if not value:
                continue
            if key == "HTTP_PROXY" and "REQUEST_METHOD" in environ:
                continue  # under CGI the variable holds the header `Proxy:` of a stranger
            if bypassed(host, parts.port or (443 if parts.scheme == "https" else 80), environ):
                return None
            return parse(value, key)
    return None


def bypassed(host: str, port: int, environ: Mapping[str, str]) -> bool:
    """Return whether ``NO_PROXY`` names the host.

    Its entries are names, domains, addresses, networks, each perhaps with a port, or ``*``.
    """
    value = environ.get("no_proxy") or environ.get("NO_PROXY") or ""
    for raw in value.replace(",", " ").split():
        entry = raw.lower()
        if entry == "*":
            return True
        if _is_in_network(entry.strip("[]"), host):
            return True
        name, _, entry_port = entry.rpartition(":")
        if name and entry_port.isascii() and entry_port.isdigit() and ":" not in name:
            if entry_port.lstrip("0") != str(port):
                continue
            entry = name
        entry = entry.removeprefix("*").lstrip(".")
        if entry and (host == entry or host.endswith("." + entry)):
            return True
    return False


def _is_in_network(entry: str, host: str) -> bool:
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(entry, strict=False)
    except ValueError:
        return False
