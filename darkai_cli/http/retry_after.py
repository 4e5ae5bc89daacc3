"""The ``Retry-After`` header: a number of seconds, or an HTTP date (RFC 9110, section 10.2.3)."""

from __future__ import annotations

import re

_SECONDS = re.compile(r"[0-9]{1,15}(?:\.[0-9]{1,9})?")


def retry_after(value: str, now: float) -> float | None:
    """Return how many seconds the header asks to wait; None if it is empty or cannot be read.

    ``now``: seconds since the epoch. A date in the past asks for no wait.
    """
    value = value.strip()
    if _SECONDS.fullmatch(value):
        return float(value)
    if not value:
        return None
    from email.utils import parsedate_to_datetime

    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - now)
    except (ValueError, TypeError, OverflowError, OSError):
        return None
