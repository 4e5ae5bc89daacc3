"""The timers of one exchange: how long to wait for what, and which of them ran out.

Not a scheduler: it only answers "how long may the next read take". Before the first text or
reasoning one timer counts, from the moment the request was sent; afterwards the time without any
byte, and the time with bytes but without content (a service that only sends keep-alives). The
clock is injected, so that tests need not wait.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Literal, NamedTuple

Phase = Literal["connect", "first", "silence", "stalled", "linger"]

Step = Literal["", "proxy", "proxy-tls", "tunnel", "service", "tls"]
"""How far a connection has come: to the proxy, TLS with it, its way to the service; then to the
service, and TLS with that. Unknown for the asynchronous driver."""


class Timeouts(NamedTuple):
    """Limits in seconds. Source of the defaults: the reference client (600) and experience."""

    connect: float = 10.0
    first: float = 600.0
    silence: float = 60.0
    stalled: float = 300.0

    def with_timeout(self, seconds: float | None) -> Timeouts:
        """The same with ``--timeout``, which sets the first-content and the silence timer."""
        return self if seconds is None else self._replace(first=seconds, silence=seconds)


class Deadline:
    """Which timer is running in one exchange, and what is left of it."""

    def __init__(self, timers: Timeouts, clock: Callable[[], float] = time.monotonic) -> None:
        self.timers = timers
        self._clock = clock
        self._started = clock()
        self._sent: float | None = None
        self._last_byte = self._last_content = self._started
        self._content = False
        self.step: Step = ""
        """What was last begun in the way to the service."""
        self._linger: float | None = None

    def sent(self) -> None:
        """The connection stands; the request is on its way."""
        if self._sent is None:
            self._sent = self._last_byte = self._clock()

    def reconnecting(self) -> None:
        """The connection was a dead one; another is being made."""
        self._started = self._clock()
        self._sent = None

    @property
    def is_sent(self) -> bool:
        """Whether the connection stands and the request is on its way."""
        return self._sent is not None

    def byte(self) -> None:
        """Something came, a keep-alive perhaps."""
        self._last_byte = self._clock()

    def content(self) -> None:
        """Text or reasoning came."""
        self._content = True
        self._last_content = self._clock()

    def linger(self, seconds: float) -> None:
        """The end mark was seen; read on for at most ``seconds``."""
        if self._linger is None:
            self._linger = self._clock() + seconds

    def _deadline(self) -> tuple[float, Phase]:
        timers = self.timers
        if self._linger is not None:
            return self._linger, "linger"
        if self._sent is None:
            return self._started + timers.connect, "connect"
        if not self._content:
            return self._sent + timers.first, "first"
        silence = self._last_byte + timers.silence
        stalled = self._last_content + timers.stalled
        return (silence, "silence") if silence <= stalled else (stalled, "stalled")

    def left(self) -> float:
        """Seconds that the next blocking step may take; at least a millisecond."""
        return max(self._deadline()[0] - self._clock(), 0.001)

    @property
    def is_over(self) -> bool:
        """Whether the timer that counts has run out."""
        return self._deadline()[0] <= self._clock()

    @property
    def phase(self) -> Phase:
        """The timer that runs now, or has just run out."""
        return self._deadline()[1]
