"""What the headers of a response say about the next request: until when there is none to be had.

Not the explanation of an error, and no I/O. Read are ``Retry-After``; the counters of requests of
OpenAI and Groq (``x-ratelimit-remaining-requests``, durations such as ``6m0s``), of Anthropic
(``anthropic-ratelimit-requests-*``, RFC 3339), of OpenRouter and GitHub (``x-ratelimit-*``, times
since the epoch in milliseconds and in seconds), and ``ratelimit-*`` of the IETF's drafts. What
cannot be read counts as not said: a header never fails a request.

OpenAI, Groq and Anthropic refill a bucket steadily, and their reset tells when it is *full*; the
next request fits in a ``limit``-th of that time. The others count in fixed windows.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime

LONGEST_HOLD = 86_400.0
"""Seconds: daily quotas exist, and no service may silence a client for longer than that."""

_EPOCH = 1e9
_EPOCH_MS = 1e11
_PART = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)(ms|s|m|h|d)")
_DURATION = re.compile(rf"(?:{_PART.pattern})+")
_NUMBER = re.compile(r"\d{1,15}(?:\.\d{1,9})?")
_UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86_400}

_COUNTERS = (
    ("x-ratelimit-remaining-requests", "x-ratelimit-reset-requests", "x-ratelimit-limit-requests"),
    (
        "anthropic-ratelimit-requests-remaining",
        "anthropic-ratelimit-requests-reset",
        "anthropic-ratelimit-requests-limit",
    ),
    ("x-ratelimit-remaining", "x-ratelimit-reset", ""),
    ("ratelimit-remaining", "ratelimit-reset", ""),
)
"""The headers of each kind: what is left, when it resets, and how many a bucket takes."""


def held_until(status: int, headers: Mapping[str, str], now: float) -> float | None:
    """Until when no request may go, in seconds since the epoch; None if nothing says so.

    ``headers``: names in lower case. ``now``: seconds since the epoch.
    """
    found = [now]
    if status in (429, 503):
        found.append(_retry_after(headers.get("retry-after", ""), now) or now)
    for left, reset, limit in _COUNTERS:
        if _number(headers.get(left, "")) == 0:
            at = _time(headers.get(reset, ""), now)
            full = _number(headers.get(limit, "")) if limit else None
            if at is not None:
                found.append(now + (at - now) / max(1.0, full or 1.0))
    found.append(_draft(headers.get("ratelimit", ""), now) or now)
    until = min(max(found), now + LONGEST_HOLD)
    return until if until > now else None


def _retry_after(value: str, now: float) -> float | None:
    seconds = _number(value)
    if seconds is not None:
        return now + seconds
    if not value:
        return None
    from email.utils import parsedate_to_datetime

    try:
        return parsedate_to_datetime(value).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None


def _draft(value: str, now: float) -> float | None:
    """``RateLimit: "default";r=0;t=30``, or ``limit=10, remaining=0, reset=30``."""
    fields = dict(re.findall(r"\b([a-z]+)\s*=\s*(\d{1,9})", value.lower()[:1000]))
    if fields.get("r", fields.get("remaining")) != "0":
        return None
    seconds = fields.get("t", fields.get("reset"))
    return None if seconds is None else now + int(seconds)


def _time(value: str, now: float) -> float | None:
    """A reset in any of the forms, in seconds since the epoch."""
    value = value.strip()
    number = _number(value)
    if number is not None:
        if number >= _EPOCH_MS:
            return number / 1000
        return number if number >= _EPOCH else now + number
    if _DURATION.fullmatch(value):
        return now + sum(float(size) * _UNITS[unit] for size, unit in _PART.findall(value))
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        return None
    try:
        return at.timestamp() if at.tzinfo is not None else None
    except (OverflowError, OSError, ValueError):
        return None


def _number(value: str) -> float | None:
    value = value.strip()
    return float(value) if _NUMBER.fullmatch(value) and value.isascii() else None
