"""Read rates such as ``4/min``, ``30/30min``, ``80/6h``, and compute when a request breaks none.

Arithmetic only: no clock and no disk.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

_FORM = re.compile(r"(?P<count>[0-9]{1,7})\s*/\s*(?P<number>[0-9]{0,7})\s*(?P<unit>s|min|h|d)")
_UNITS = {"s": 1, "min": 60, "h": 3600, "d": 86_400}
_NAMES = {"s": "second", "min": "minute", "h": "hour", "d": "day"}
LONGEST = 31 * 86_400
"""Seconds: the longest time that requests are counted in."""


class Rate(NamedTuple):
    """At most so many ``requests`` within any ``seconds``."""

    requests: int
    seconds: float

    def __str__(self) -> str:
        unit = next(unit for unit in ("d", "h", "min", "s") if not self.seconds % _UNITS[unit])
        number = int(self.seconds) // _UNITS[unit]
        what = "request" if self.requests == 1 else "requests"
        if number == 1:
            return f"{self.requests} {what} a{'n' if unit == 'h' else ''} {_NAMES[unit]}"
        return f"{self.requests} {what} in {number} {_NAMES[unit]}s"


def parse(text: str) -> Rate:
    """The rate that ``text`` stands for. Raises ``ValueError`` with the rule that it breaks."""
    match = _FORM.fullmatch(text.strip())
    if match is None:
        raise ValueError("must be a rate such as `4/min`, `30/30min`, `80/6h` or `1000/d`")
    count = int(match["count"])
    number = int(match["number"] or 1)
    if not count or not number:
        raise ValueError("must allow at least one request, in a time that isn't zero")
    seconds = number * _UNITS[match["unit"]]
    if seconds > LONGEST:
        raise ValueError("must count over 31 days at most")
    return Rate(count, seconds)


class Slot(NamedTuple):
    """When a request may be sent, in seconds since the epoch, and the rate that delays it."""

    at: float
    rate: Rate | None


def next_slot(rates: Sequence[Rate], sent_at: Sequence[float], now: float) -> Slot:
    """Return the first slot, not before ``now``, for a request that breaks none of ``rates``.

    ``sent_at``: when requests were sent, in any order. A time that lies further ahead than a rate
    looks back comes from a clock that has since been corrected, and is not counted. The interval of
    a rate is half open: of two requests exactly ``seconds`` apart only the later one is in it.
    """
    slot = Slot(now, None)
    for rate in rates:
        counted = sorted(
            at for at in sent_at if now < at + rate.seconds and at <= now + rate.seconds
        )
        if len(counted) < rate.requests:
            continue
        # The slot opens when the request that is so many from the end leaves the interval.
        opens = counted[-rate.requests] + rate.seconds
        if opens > slot.at:
            slot = Slot(opens, rate)
    return slot


def longest_interval(rates: Sequence[Rate]) -> float:
    """Return the seconds after which a request counts in none of ``rates`` any more."""
    return max((rate.seconds for rate in rates), default=0.0)
