"""How long one exchange may wait for what, and which of these limits has run out.

A scheduler is not needed: this answers "how long may the next read take". Until the first text or
reasoning one limit counts, from the moment the request was sent. Afterwards two do: the time
without any byte, and the time with bytes but without content (a service that sends only
keep-alives). The clock is a parameter, so that tests need not wait.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Literal, NamedTuple

Phase = Literal["connect", "first_token", "idle", "no_content", "drain"]

Step = Literal["", "proxy", "proxy-tls", "tunnel", "service", "tls"]
"""What is being done to reach the service: connecting to the proxy, TLS with it, asking it for a
tunnel; looking up or connecting to the service, TLS with the service. "" if nothing had to be."""


class Timeouts(NamedTuple):
    """Limits in seconds.

    ``connect``: until the connection is open. ``first_token``: from the request to the first text.
    ``idle``: without any byte. ``no_content``: with bytes, but without text. The default of
    ``first_token`` is that of DarkAI's own client.
    """

    connect: float = 10.0
    first_token: float = 600.0
    idle: float = 60.0
    no_content: float = 300.0

    def with_timeout(self, seconds: float | None) -> Timeouts:
        """Return a copy with ``--timeout``, which limits the first token and idle time."""
        return self if seconds is None else self._replace(first_token=seconds, idle=seconds)


class Deadline:
    """The moving deadline of one exchange.

    httpcore hands it down to every connect, read and write (see ``network``); the client and the
    provider report on it what has happened.
    """

    def __init__(self, timeouts: Timeouts, clock: Callable[[], float] = time.monotonic) -> None:
        self.timeouts = timeouts
        self.step: Step = ""
        self.is_fresh_connection = False
        """Whether the connection was made for this request, so that it can't be a dead old one."""
        self.has_bytes = False
        """Whether any byte of a response has come."""
        self._clock = clock
        self._started = clock()
        self._sent: float | None = None
        self._last_byte = self._last_content = self._started
        self._has_content = False
        self._drain_until: float | None = None

    def sent(self) -> None:
        """Note that the connection is open and the request is on its way."""
        if self._sent is None:
            self._sent = self._last_byte = self._clock()

    def reconnecting(self) -> None:
        """Begin anew: the connection was a dead one, and another is being made."""
        self._started = self._clock()
        self._sent = None

    @property
    def is_sent(self) -> bool:
        """Whether the connection is open and the request is on its way."""
        return self._sent is not None

    def on_bytes(self) -> None:
        """Note that bytes came, perhaps only a keep-alive."""
        self.has_bytes = True
        self._last_byte = self._clock()

    def on_content(self) -> None:
        """Note that text or reasoning came."""
        self._has_content = True
        self._last_content = self._clock()

    def drain_for(self, seconds: float) -> None:
        """Read on for at most ``seconds``: what matters has come."""
        if self._drain_until is None:
            self._drain_until = self._clock() + seconds

    def _deadline(self) -> tuple[float, Phase]:
        timeouts = self.timeouts
        if self._drain_until is not None:
            return self._drain_until, "drain"
        if self._sent is None:
            return self._started + timeouts.connect, "connect"
        if not self._has_content:
            return self._sent + timeouts.first_token, "first_token"
        idle = self._last_byte + timeouts.idle
        no_content = self._last_content + timeouts.no_content
        return (idle, "idle") if idle <= no_content else (no_content, "no_content")

    def remaining(self) -> float:
        """Return the seconds that the next blocking step may take, at least a millisecond."""
        return max(self._deadline()[0] - self._clock(), 0.001)

    @property
    def is_over(self) -> bool:
        """Whether the limit that counts has run out."""
        return self._deadline()[0] <= self._clock()

    @property
    def phase(self) -> Phase:
        """The limit that counts now, or has just run out."""
        return self._deadline()[1]
