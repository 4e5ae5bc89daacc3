"""What a request passes before it is sent: the known rates of its service, and its hold.

A *hold* is a time until which a service wants no request. The gate neither waits nor speaks to the
user: ``enter`` says when to come again. A gate is one request's, which passes it again when it is
repeated. Whatever is wrong with the database, the request goes; ``trouble`` says so, once.

Holds come from the headers of responses. Read are ``Retry-After``; the counters of requests of
OpenAI and Groq (``x-ratelimit-remaining-requests``, durations such as ``6m0s``), of Anthropic
(``anthropic-ratelimit-requests-*``, RFC 3339), of OpenRouter and GitHub (``x-ratelimit-*``, times
since the epoch in milliseconds and in seconds), and ``ratelimit-*`` of the IETF's drafts. OpenAI,
Groq and Anthropic refill a bucket steadily, and their reset tells when it is *full*; the next
request fits in a ``limit``-th of that time. The others count in fixed windows. A header that cannot
be read never fails a request.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from darkai_cli.secrets import origin_of

if TYPE_CHECKING:
    from darkai_cli.rate_limits.rates import Rate
    from darkai_cli.rate_limits.store import Account, RateLimitStore
    from darkai_cli.secrets import Secret

PUBLIC_HOST = "darkai.foundation"
PUBLIC_RATES = ("4/min", "30/30min", "80/6h")
"""What the public DarkAI service allows an address. Source: the limits of the server it was forked
from; 20 violations block the address."""

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
"""The headers of each kind: what remains, when it resets, and how many a bucket holds."""

_EPOCH = 1e9
_EPOCH_MS = 1e11
_PART = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)(ms|s|m|h|d)")
_DURATION = re.compile(rf"(?:{_PART.pattern})+")
_NUMBER = re.compile(r"\d{1,15}(?:\.\d{1,9})?")
_UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86_400}


class Closed(NamedTuple):
    """The next slot: when, in seconds since the epoch, and the rate; None: the service asked."""

    until: float
    rate: Rate | None


class Gate:
    """The gate of one service, at ``url``, for one key, which is set once it is known."""

    def __init__(
        self,
        url: str,
        rates: Sequence[Rate],
        *,
        file: Path,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.key: Secret | None = None
        self._url = url
        self._rates = rates
        self._file = file
        self._hold_marker = file.with_name(f"{file.name}-hold")
        """Its modification time is when the last hold ends; without a hold it is missing."""
        self._clock = clock
        self._row: int | None = None
        self._open_store: RateLimitStore | None = None
        self._sent = False
        self._trouble: str | None = None
        self._warned = False

    def enter(self) -> Closed | None:
        """Let one request through and count it: None; else return when to ask again."""
        until = self._held_until()
        if until is not None:
            return Closed(until, None)
        self._sent = False
        self._row = None
        return self._reserve() if self._rates else None

    def trouble(self) -> str | None:
        """Return why requests are not counted, where they cannot be; the first time only."""
        if self._trouble is None or self._warned:
            return None
        self._warned = True
        return self._trouble

    def sent(self) -> None:
        """A request is on the wire: it counts from now, and a second one in the turn on its own."""
        row = self._row
        if row is not None and not self._sent:
            self._change(lambda store: store.mark_sent(row))
        elif row is not None:
            self._change(lambda store: store.count(self._account(), self._rates))
        self._sent = True

    def head(self, status: int, headers: Mapping[str, str], retry_after: float | None) -> None:
        """A response began: write down until when the service wants no request.

        ``headers``: names in lower case. ``retry_after``: seconds, from the header of that name.
        """
        asks = status == 429 or (status == 503 and retry_after is not None)
        if not asks and not any("ratelimit" in name for name in headers):
            return
        now = self._clock()
        until = held_until(headers, retry_after if asks else None, now)
        if until is None and status == 429 and self._rates:
            # Others use the same address or key: the shortest time in which a slot may open.
            until = now + min(rate.seconds for rate in self._rates)
        if until is not None:
            self._change(lambda store: store.hold(self._account(), until))

    def leave(self) -> None:
        """The request is over: its slot is given back if it was never sent."""
        row, self._row = self._row, None
        if row is not None and not self._sent:
            self._change(lambda store: store.take_back(row))
        if self._open_store is not None:
            self._open_store.close()

    def _held_until(self) -> float | None:
        """Return when the hold ends; None without one. Reads the database only if it has any."""
        try:
            if self._hold_marker.stat().st_mtime <= self._clock():
                return None
        except OSError:
            return None
        from darkai_cli.rate_limits.store import RateLimitStoreError

        try:
            return self._store().held_until(self._account())
        except RateLimitStoreError:
            return None

    def _reserve(self) -> Closed | None:
        from darkai_cli.rate_limits.store import RateLimitStoreError

        store = self._store()
        try:
            reservation = store.reserve(self._account(), self._rates)
        except RateLimitStoreError as exc:
            self._trouble = f"Can't count requests: {exc} ({self._file})"
            return None
        if store.replaced:
            self._trouble = f"The request count was damaged and starts over ({self._file})"
        self._row = reservation.row
        slot = reservation.slot
        return None if reservation.row is not None else Closed(slot.at, slot.rate)

    def _account(self) -> Account:
        from darkai_cli.rate_limits.store import Account

        return Account(origin_text(self._url), self.key.fingerprint if self.key is not None else "")

    def _store(self) -> RateLimitStore:
        from darkai_cli.rate_limits.store import RateLimitStore

        if self._open_store is None:
            self._open_store = RateLimitStore(
                self._file, hold_marker=self._hold_marker, clock=self._clock
            )
        return self._open_store

    def _change(self, change: Callable[[RateLimitStore], None]) -> None:
        from darkai_cli.rate_limits.store import RateLimitStoreError

        try:
            change(self._store())
        except RateLimitStoreError:
            return  # the count is then one too many or too few, which nothing may fail for


def origin_text(url: str) -> str:
    """Return the origin of a service, as requests are counted by it."""
    return "{}://{}:{}".format(*origin_of(url))


def held_until(headers: Mapping[str, str], retry_after: float | None, now: float) -> float | None:
    """Return until when no request may be sent, in seconds since the epoch; None without a limit.

    ``headers``: names in lower case. ``retry_after``: seconds. ``now``: seconds since the epoch.
    """
    times = [now + (retry_after or 0.0)]
    for remaining, reset, limit in _COUNTERS:
        if _number(headers.get(remaining, "")) == 0:
            at = _time(headers.get(reset, ""), now)
            bucket = _number(headers.get(limit, "")) if limit else None
            if at is not None:
                times.append(now + (at - now) / max(1.0, bucket or 1.0))
    times.append(_draft(headers.get("ratelimit", ""), now) or now)
    until = max(times)
    return until if until > now else None


def _draft(value: str, now: float) -> float | None:
    """Read ``RateLimit: "default";r=0;t=30``, or ``limit=10, remaining=0, reset=30``."""
    fields = dict(re.findall(r"\b([a-z]+)\s*=\s*(\d{1,9})", value.lower()[:1000]))
    if fields.get("r", fields.get("remaining")) != "0":
        return None
    seconds = fields.get("t", fields.get("reset"))
    return None if seconds is None else now + int(seconds)


def _time(value: str, now: float) -> float | None:
    """Return a reset, in any of the forms, in seconds since the epoch."""
    value = value.strip()
    number = _number(value)
    if number is not None:
        if number >= _EPOCH_MS:
            return number / 1000
        return number if number >= _EPOCH else now + number
    if _DURATION.fullmatch(value):
        return now + sum(float(size) * _UNITS[unit] for size, unit in _PART.findall(value))
    from datetime import datetime

    try:
        at = datetime.fromisoformat(value)
        return at.timestamp() if at.tzinfo is not None else None
    except (OverflowError, OSError, ValueError):
        return None


def _number(value: str) -> float | None:
    value = value.strip()
    return float(value) if _NUMBER.fullmatch(value) and value.isascii() else None
