"""What must never be shown: credentials in headers, and their values wherever they turn up again.

Servers echo keys in error messages, so hiding the header alone is not enough.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

_NAMES = frozenset({"authorization", "proxy-authorization", "cookie", "set-cookie"})
_ENDINGS = ("key", "token", "secret", "password")
_SHORTEST = 6
"""A shorter value is no credential, and hiding it would garble what is shown."""

MASK = "***"


def is_secret(name: str) -> bool:
    """Whether the value of the header ``name`` is a credential."""
    lower = name.lower()
    return lower in _NAMES or lower.endswith(_ENDINGS)


def masked(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers as they may be shown."""
    return {name: MASK if is_secret(name) else value for name, value in headers.items()}


def secrets_in(headers: Mapping[str, str]) -> tuple[str, ...]:
    """The credentials in ``headers``: whole values, and the part after ``Bearer``."""
    found = set()
    for name, value in headers.items():
        if is_secret(name):
            found.update({value, value.rpartition(" ")[2]})
    return tuple(sorted((one for one in found if len(one) >= _SHORTEST), key=len, reverse=True))


def hide(text: str, secrets: Iterable[str]) -> str:
    """``text`` with each secret replaced by ``***``."""
    for secret in secrets:
        text = text.replace(secret, MASK)
    return text
