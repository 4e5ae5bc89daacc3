"""Ids: 26 characters that sort by time, unique across machines, typed by any unique prefix.

Not a UUID library. An id is 128 bits, 48 of milliseconds since 1970 and 80 of randomness, written
in Crockford's base 32 in lower case (a ULID): ids made later sort later, and letters that look
alike (i, l, o, u) do not occur. Ids that belong together are made at once, so that no state is
kept between calls. What is imported gets an id derived from where it came from, so that importing
it again meets the same id.
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
    """Milliseconds since 1970."""
    return time.time_ns() // 1_000_000


def new_ids(count: int, ms: int | None = None) -> list[str]:
    """``count`` fresh ids in ascending order, all of the same millisecond."""
    # the top bit stays clear, so that counting up never runs into the time
    start = int.from_bytes(os.urandom(10), "big") >> 1
    when = now_ms() if ms is None else ms
    return [_compose(when, start + step) for step in range(count)]


def new_id(ms: int | None = None) -> str:
    """One fresh id."""
    return new_ids(1, ms)[0]


def derived_id(ms: int, *origin: str) -> str:
    """The id of something that came from elsewhere: the same for the same time and origin."""
    import hashlib

    digest = hashlib.sha256("\0".join(origin).encode("utf-8", "backslashreplace")).digest()
    return _compose(ms, int.from_bytes(digest[:10], "big"))


def ms_of(identifier: str) -> int:
    """When the id was made, in milliseconds since 1970."""
    number = 0
    for letter in identifier[:10]:
        number = number * 32 + _ALPHABET.index(letter)
    return number


def is_id(value: object) -> bool:
    """Whether ``value`` has the form of an id."""
    return (
        isinstance(value, str)
        and len(value) == LENGTH
        and value[0] in _ALPHABET[:8]
        and not value.strip(_ALPHABET)
    )


def normalized(typed: str) -> str:
    """What a person typed, as ids are written: lower case, lookalikes put right."""
    return typed.strip().lower().translate(_LOOKALIKES)


def shortest(identifier: str, *neighbours: str | None, least: int = 7) -> str:
    """The shortest prefix, of ``least`` characters or more, that no neighbour in order shares."""
    length = least
    for other in neighbours:
        if other is not None:
            pairs = zip(identifier, other, strict=True)
            common = next((at for at, (one, two) in enumerate(pairs) if one != two), LENGTH)
            length = max(length, common + 1)
    return identifier[:length]


def _compose(ms: int, random: int) -> str:
    number = (min(max(ms, 0), _MAX_MS) << _RANDOM_BITS) | random
    letters = []
    for _ in range(LENGTH):
        letters.append(_ALPHABET[number & 31])
        number >>= 5
    return "".join(reversed(letters))
