"""What must never be shown: credentials in headers and URLs, and their values where they turn up.

Servers echo keys in error messages, so hiding the header alone is not enough.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import unquote_plus

from darkai_cli.secrets import MASK, hide, is_hidden

__all__ = ["MASK", "hide", "is_secret", "masked", "secrets_in", "shown_url"]

_NAMES = frozenset({"authorization", "proxy-authorization", "cookie", "set-cookie"})
_ENDINGS = (
    "key", "token", "secret", "password", "auth", "credential", "credentials", "signature",
)  # fmt: skip

_PAIR = r"(?<=[?&])([^=&#]*)=([^&#]+)"
"""A name and its value in a URL's query, as they are written."""


def is_secret(name: str) -> bool:
    """Whether the value of the header or query parameter ``name`` is a credential."""
    lower = name.lower()
    return lower in _NAMES or lower.endswith(_ENDINGS)


def masked(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers as they may be shown."""
    return {name: MASK if is_secret(name) else value for name, value in headers.items()}


def shown_url(url: str) -> str:
    """The URL as it may be shown: the credentials in its query masked."""
    return re.sub(_PAIR, lambda pair: f"{pair[1]}={MASK}" if _is_secret(pair) else pair[0], url)


def _is_secret(pair: re.Match[str]) -> bool:
    return is_secret(unquote_plus(pair[1]))


def secrets_in(headers: Mapping[str, str], url: str = "") -> tuple[str, ...]:
    """The credentials in ``headers`` and ``url``: whole values, and the part after ``Bearer``."""
    found = set()
    for pair in re.finditer(_PAIR, url):
        if _is_secret(pair):
            found.update({pair[2], unquote_plus(pair[2])})
    for name, value in headers.items():
        if is_secret(name):
            found.update({value, value.rpartition(" ")[2]})
    return tuple(sorted(filter(is_hidden, found), key=len, reverse=True))
