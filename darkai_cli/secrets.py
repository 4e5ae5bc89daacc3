"""Secrets: keys that cannot be shown by accident, and everything that must be masked in output.

``Secret`` masks itself wherever it is turned into text; only ``reveal`` gives the value, and only
for the one origin (scheme, host, port) that the key is bound to. Each value is remembered, so that
``mask_known`` can take it out of any text that is about to be printed, logged or saved: services
echo keys in their errors, so masking the header alone is not enough. ``mask_headers``, ``mask_url``
and ``mask_proxy`` mask the credentials that a request carries. This module does no I/O and does not
know where keys are stored.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import NoReturn

from darkai_cli.errors import ConfigError

MASK = "***"
SHORTEST = 6
"""A shorter value is no credential, and masking it would garble the output."""

PLACEHOLDERS = frozenset({
    "ollama", "lmstudio", "lm-studio", "llama.cpp", "openai", "anything", "whatever", "placeholder",
    "not-needed", "not-used", "no-key", "no-key-needed", "no-key-required", "sk-no-key-required",
})  # fmt: skip
"""Values that people set as a key where a server takes any: masking them would garble replies."""

PROXY_SCHEMES = ("http", "https", "socks", "socks5", "socks5h")

_SECRET_ENDINGS = (
    "key", "token", "secret", "password", "auth", "credential", "credentials", "signature",
)  # fmt: skip
_SECRET_PARTS = ("authorization", "cookie", "api-key", "apikey", "password", "secret", "credential")
"""A header or parameter whose name ends with, or contains, one of these is a credential."""

_QUERY_PAIR = r"(?<=[?&])([^=&#]*)=([^&#]+)"
"""A name and its value in a URL's query, still encoded."""

_KEY_PREFIX = r"(?i:sk|rk|pk|gsk|xai|hf|pplx|csk|nvapi|fw|tgp|r8|ghp|github_pat)[-_]|AIza|AKIA|eyJ"
"""How keys of services begin."""

_known: set[str] = set()
"""Every key that this process has seen, also as URLs and JSON write it."""


class Secret:
    """A key. ``source`` says where it came from, for messages: ``OPENAI_API_KEY``."""

    __slots__ = ("_origin", "_plain_http", "_value", "source")

    def __init__(
        self, value: str, source: str, url: str | None = None, *, plain_http: bool = False
    ) -> None:
        """Bind the key to the origin of ``url``; without one it can only be compared and masked.

        ``plain_http``: whether it may be sent over ``http://`` to another machine.
        """
        self._value = value
        self._origin = origin_of(url) if url else None
        self._plain_http = plain_http
        self.source = source
        remember(value)

    def reveal(self, url: str) -> str:
        """Return the key for a request to ``url``. Raises ``ConfigError`` for another origin."""
        origin = origin_of(url)
        if origin != self._origin:
            bound = _origin_text(self._origin) if self._origin else "no address"
            raise ConfigError(
                f"The key from {self.source} belongs to {bound} and won't be sent to "
                f"{_origin_text(origin)}"
            )
        if origin[0] != "https" and not self._plain_http and not is_loopback(origin[1]):
            raise ConfigError(
                f"The key from {self.source} won't be sent over plain http to {origin[1]}",
                hint="Use an https:// URL, or allow it with `allow_http_key = true` in the "
                "provider's table of your config.toml",
            )
        return self._value

    def check_proxy(self, url: str, host: str) -> None:
        """Raise ``ConfigError`` if the key must not go to ``url`` through a proxy on ``host``."""
        if not url.lower().startswith("https:") and not self._plain_http and not is_loopback(host):
            raise ConfigError(
                f"The key from {self.source} won't be sent over plain http to the proxy {host}",
                hint="Connect without the proxy: `--proxy ''`",
            )

    @property
    def fingerprint(self) -> str:
        """Eight hexadecimal digits that tell keys apart without revealing anything of them."""
        import hashlib

        return hashlib.sha256(self._value.encode("utf-8", "surrogatepass")).hexdigest()[:8]

    def __repr__(self) -> str:
        return f"Secret({MASK})"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return format(repr(self), spec)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a key is not pickled")


def origin_of(url: str) -> tuple[str, str, int]:
    """Return scheme, host and port of a URL in lower case, with the default port filled in."""
    scheme, _, rest = url.partition("://")
    scheme = scheme.lower()
    for end in "/?#":
        rest = rest.partition(end)[0]
    place = rest.rpartition("@")[2].lower()
    host, port = place, ""
    if place.startswith("["):
        host, _, port = place[1:].partition("]")
        port = port.removeprefix(":")
    elif ":" in place:
        host, _, port = place.partition(":")
    has_port = port.isascii() and port.isdigit()
    default = 443 if scheme == "https" else 80
    return scheme, host.removesuffix("."), int(port) if has_port else default


def format_origin(url: str) -> str:
    """Return the origin of a URL as text: ``https://host``, with any port but the default one."""
    return _origin_text(origin_of(url))


def _origin_text(origin: tuple[str, str, int]) -> str:
    scheme, host, port = origin
    place = f"[{host}]" if ":" in host else host
    default = 443 if scheme == "https" else 80
    return f"{scheme}://{place}" if port == default else f"{scheme}://{place}:{port}"


def is_loopback(host: str) -> bool:
    """Return whether a host name or address is this machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    if not host.startswith("127.") and ":" not in host:
        return False
    import ipaddress

    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_maskable(value: str) -> bool:
    """Return whether a key is to be masked: not if it is short or a placeholder."""
    return len(value) >= SHORTEST and value.lower() not in PLACEHOLDERS


def remember(value: str) -> None:
    """Have ``mask_known`` mask this value from now on, also as URLs and JSON may write it."""
    if not is_maskable(value):
        return
    _known.add(value)
    if value.isascii() and not value.isalnum():
        _known.add(value.replace("/", "\\/"))
        quoted = "".join(
            char if char.isalnum() or char in "-._~" else f"%{ord(char):02X}" for char in value
        )
        _known.update({quoted, quoted.lower()} if "%" in quoted else ())


def mask(text: str, values: Iterable[str]) -> str:
    """Return ``text`` with each of the values as ``***``, also one that was cut off by ``…``."""
    for value in values:
        if value in text:
            text = text.replace(value, MASK)
        end = text.find("…")
        while end >= 0:
            length = _prefix_length(text[max(0, end - len(value) + 1) : end], value)
            if length >= SHORTEST:
                text = text[: end - length] + MASK + text[end:]
                end = text.index("…", end - length)
            end = text.find("…", end + 1)
    return text


def mask_known(text: str) -> str:
    """Return ``text`` with every key that this process has seen as ``***``."""
    return mask(text, sorted(_known, key=len, reverse=True)) if _known else text


def _prefix_length(text: str, value: str) -> int:
    """Return how many characters of ``value``, but not all, ``text`` ends with."""
    at = text.find(value[0], max(0, len(text) - len(value) + 1))
    while at >= 0:
        if value.startswith(text[at:]):
            return len(text) - at
        at = text.find(value[0], at + 1)
    return 0


def mask_key_arguments(text: str, arguments: Iterable[str]) -> str:
    """Return ``text`` with each command-line argument that looks like a key as ``***``."""
    return mask(text, [argument for argument in arguments if looks_like_key(argument)])


def looks_like_key(text: str) -> bool:
    """Return whether ``text`` is one word that has the form of an API key."""
    return (
        re.fullmatch(rf"(?:{_KEY_PREFIX})[\w.-]{{12,}}|(?=.*\d)(?=.*[A-Za-z])\w{{40,}}", text)
        is not None
    )


def mask_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers with every credential replaced by ``***``."""
    return {name: MASK if is_secret_name(name) else value for name, value in headers.items()}


def mask_url(url: str) -> str:
    """Return the URL with the credentials in its query replaced by ``***``."""
    return re.sub(
        _QUERY_PAIR,
        lambda pair: f"{pair[1]}={MASK}" if _is_secret_pair(pair) else pair[0],
        url,
    )


def mask_proxy(proxy: str) -> str:
    """Return a proxy's URL with user name and password replaced by ``***``."""
    credentials, at, place = proxy.rpartition("@")
    scheme, mark, _ = credentials.partition("://")
    if not mark or scheme.lower() not in PROXY_SCHEMES:
        scheme = mark = ""
    return f"{scheme}{mark}{MASK}@{place}" if at else proxy


def is_secret_name(name: str) -> bool:
    """Return whether the value of the header or query parameter ``name`` is a credential."""
    lower = name.lower().replace("_", "-")
    return lower.endswith(_SECRET_ENDINGS) or any(part in lower for part in _SECRET_PARTS)


def secrets_in(headers: Mapping[str, str], url: str = "") -> tuple[str, ...]:
    """Return the credentials in ``headers`` and ``url``, the longest first.

    A header such as ``Bearer TOKEN`` gives the whole value and the token; a query gives a value as
    it is encoded and decoded.
    """
    values = set()
    for pair in re.finditer(_QUERY_PAIR, url):
        if _is_secret_pair(pair):
            values.update({pair[2], _decoded(pair[2])})
    for name, value in headers.items():
        if is_secret_name(name):
            values.update({value, value.rpartition(" ")[2]})
    return tuple(sorted(filter(is_maskable, values), key=len, reverse=True))


def _is_secret_pair(pair: re.Match[str]) -> bool:
    return is_secret_name(_decoded(pair[1]))


def _decoded(text: str) -> str:
    from urllib.parse import unquote_plus

    return unquote_plus(text)
