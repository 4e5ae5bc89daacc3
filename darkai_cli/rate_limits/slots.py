"""When the next request may go, by what has gone before. Arithmetic only: no clock, no disk.

A rate allows ``requests`` within any ``seconds``: the interval is half open, so that of two
requests exactly ``seconds`` apart only the later one is in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from darkai_cli.rate_limits.rates import Rate


class Slot(NamedTuple):
    """When a request may go, in seconds since the epoch, and the rate that keeps it until then."""

    at: float
    rate: Rate | None


def next_slot(rates: Sequence[Rate], gone: Sequence[float], now: float) -> Slot:
    """The first time, not before ``now``, at which one more request breaks none of ``rates``.

    ``gone``: when requests went, in any order. A time that lies further ahead than a rate looks
    back is a clock's that has since been put right, and is not counted.
    """
    slot = Slot(now, None)
    for rate in rates:
        counted = sorted(at for at in gone if now < at + rate.seconds and at <= now + rate.seconds)
        if len(counted) < rate.requests:
            continue
        # The slot opens when the request that is so many from the end leaves the interval.
        opens = counted[-rate.requests] + rate.seconds
        if opens > slot.at:
            slot = Slot(opens, rate)
    return slot


def longest(rates: Sequence[Rate]) -> float:
    """Seconds after which a request counts in none of ``rates`` any more."""
    return max((rate.seconds for rate in rates), default=0.0)
