"""A key that cannot be shown by accident, and the memory of all keys of this process.

``Secret`` masks itself wherever it is turned into text; only ``reveal`` gives the value, and only
for the one origin (scheme, host, port) that the key is bound to. Each value is remembered, so that
``hide_known`` can take it out of any text that is about to be printed, logged or saved: services
echo keys in their errors. This module does no I/O and knows nothing of where keys are kept.
"""

from __future__ import annotations

from typing import NoReturn

from darkai_cli.errors import ConfigError

MASK = "***"
SHORTEST = 6
"""A shorter value is no credential, and hiding it would garble what is shown."""

_known: set[str] = set()


class Secret:
    """A key. ``source``: where it came from, in words for messages, such as ``OPENAI_API_KEY``."""

    __slots__ = ("_origin", "_plain_http", "_value", "source")

    def __init__(
        self, value: str, source: str, url: str | None = None, *, plain_http: bool = False
    ) -> None:
        """Bind the key to the origin of ``url``; without one it can only be compared and masked.

        ``plain_http``: whether it may go over ``http://`` to another machine.
        """
        self._value = value
        self._origin = origin_of(url) if url else None
        self._plain_http = plain_http
        self.source = source
        if len(value) >= SHORTEST:
            _known.add(value)

    def reveal(self, url: str) -> str:
        """The key, for a request to ``url``. Raises ``ConfigError`` if it must not go there."""
        origin = origin_of(url)
        if origin != self._origin:
            bound = "{}://{}:{}".format(*self._origin) if self._origin else "no address"
            raise ConfigError(
                f"the key from {self.source} belongs to {bound} and is not sent to "
                f"{origin[0]}://{origin[1]}:{origin[2]}"
            )
        if origin[0] != "https" and not self._plain_http and not is_loopback(origin[1]):
            raise ConfigError(
                f"the key from {self.source} is not sent over plain http to {origin[1]}",
                hint="use an https:// URL; `allow_http_key = true` in the provider's table of your "
                "config.toml sends it unprotected",
            )
        return self._value

    @property
    def fingerprint(self) -> str:
        """Eight hexadecimal digits that tell keys apart and give nothing of them away."""
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
    """Scheme, host and port of a URL, in lower case, the port filled in."""
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
    usual = 443 if scheme == "https" else 80
    return scheme, host.removesuffix("."), int(port) if port.isascii() and port.isdigit() else usual


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this machine."""
    if host in ("localhost", "::1") or host.endswith(".localhost"):
        return True
    parts = host.split(".")
    return len(parts) == 4 and parts[0] == "127" and all(part.isdigit() for part in parts)


def hide_known(text: str) -> str:
    """``text`` with every key that this process has seen replaced by ``***``."""
    for value in sorted(_known, key=len, reverse=True):
        if value in text:
            text = text.replace(value, MASK)
    return text
