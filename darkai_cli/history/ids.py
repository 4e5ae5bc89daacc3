"""Ids of 26 characters that sort by time and are unique across machines.

An id has 128 bits, 48 of milliseconds since 1970 and 80 of randomness, written in Crockford's base
32 in lower case (a ULID): later ids sort later, and the letters i, l, o and u, which look like
others, do not occur. Ids that belong together are made in one call, so no state is kept between
calls. What is imported gets an id derived from its origin, so importing it again gives the same id.
People enter any unique prefix.
"""

from __future__ import annotations

import os
import time

LENGTH = 26
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_RANDOM_BITS = 80
_MAX_MS = (1 << 48) - 1
_LOOKALIKES = str.maketrans("ilo", "110")


def now_ms() -> int:
    """Return the milliseconds since 1970."""
    return time.time_ns() // 1_000_000


def new_ids(count: int, ms: int | None = None) -> list[str]:
    """Return ``count`` new ids in ascending order, all of one millisecond (``ms`` or now)."""
    # The top bit stays clear, so that counting up never changes the time.
    start = int.from_bytes(os.urandom(10), "big") >> 1
    when = now_ms() if ms is None else ms
    return [_compose(when, start + step) for step in range(count)]


def new_id(ms: int | None = None) -> str:
    """Return one new id."""
    return new_ids(1, ms)[0]


def derived_id(ms: int, *origin: str) -> str:
    """Return the id of something imported; one time and origin always give one id."""
    import hashlib

    digest = hashlib.sha256("\0".join(origin).encode("utf-8", "backslashreplace")).digest()
    return _compose(ms, int.from_bytes(digest[:10], "big"))


def ms_of(identifier: str) -> int:
    """Return when the id was made, in milliseconds since 1970."""
    number = 0
    for letter in identifier[:10]:
        number = number * 32 + _ALPHABET.index(letter)
    return number


def is_id(value: object) -> bool:
    """Return whether ``value`` has the form of an id."""
    return (
        isinstance(value, str)
        and len(value) == LENGTH
        and value[0] in _ALPHABET[:8]
        and not value.strip(_ALPHABET)
    )


def normalized(prefix: str) -> str:
    """Return what a person entered as ids are written: in lower case, without lookalikes."""
    return prefix.strip().lower().translate(_LOOKALIKES)


def shortest(identifier: str, *neighbors: str | None, least: int = 7) -> str:
    """Return the shortest prefix of at least ``least`` characters that no neighbor shares."""
    length = least
    for other in neighbors:
        if other is not None:
            pairs = zip(identifier, other, strict=True)
            common = next((at for at, (a, b) in enumerate(pairs) if a != b), LENGTH)
            length = max(length, common + 1)
    return identifier[:length]


def _compose(ms: int, random: int) -> str:
    number = (min(max(ms, 0), _MAX_MS) << _RANDOM_BITS) | random
    letters = []
    for _ in range(LENGTH):
        letters.append(_ALPHABET[number & 31])
        number >>= 5
    return "".join(reversed(letters))
