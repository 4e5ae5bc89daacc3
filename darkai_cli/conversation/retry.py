"""Whether and when a failed request is sent again: never after the first visible event.

Whether a fault can pass is the error's own knowledge (``retryable``); how often and after how long
is decided here, without I/O, so that the synchronous and the asynchronous driver share it. Events
are held back until the first visible one, so that a repeated request shows one beginning.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from darkai_cli.errors import (
    IncompleteReplyError,
    ProviderError,
    RateLimitError,
    RefusedError,
    ReplyTimeoutError,
)
from darkai_cli.events import VISIBLE, Event, Notice

FIRST_DELAY = 0.5
LONGEST_DELAY = 8.0
"""Backoff in seconds: exponential between these, with full jitter."""


class RetryPolicy:
    """How often one request may be sent, and what has happened to it so far.

    ``visible``: whether an event was released after which nothing is repeated. ``started``: whether
    any event of a reply, other than notices, was released.
    """

    def __init__(self, retries: int, jitter: Callable[[], float] = random.random) -> None:
        self._retries = retries
        self._jitter = jitter
        self._failures = 0
        self._pending: list[Event] = []
        self.visible = False
        self.started = False

    def release(self, event: Event) -> list[Event]:
        """Return the events to give out now that ``event`` has come."""
        if self.visible or isinstance(event, Notice):
            return [event]
        self._pending.append(event)
        if not isinstance(event, VISIBLE) and event.type != "stream-end":
            return []
        self.visible = isinstance(event, VISIBLE)
        self.started = True
        released, self._pending = self._pending, []
        return released

    def delay_after(self, error: ProviderError) -> float | None:
        """Return the seconds to wait before the next attempt; None if there must not be one."""
        if self.visible or not error.retryable:
            return None
        # A connection that timed out is tried once more: it has taken long enough by then.
        limit = min(self._retries, 1) if isinstance(error, ReplyTimeoutError) else self._retries
        if self._failures >= limit:
            return None
        self._pending.clear()
        self._failures += 1
        if error.retry_after is not None:
            return error.retry_after
        ceiling: float = min(LONGEST_DELAY, FIRST_DELAY * 2**self._failures)
        return max(FIRST_DELAY, ceiling * self._jitter())

    def final_error(self, error: ProviderError) -> ProviderError:
        """Return the error that ends the turn: after how many tries, or that the reply was cut."""
        if self.visible:
            return _incomplete(error)
        # A wait for a rate limit that darkai itself refused was no attempt.
        refused_here = (
            isinstance(error, RateLimitError) and error.status is None and not error.retryable
        )
        if self._failures and not refused_here:
            tries = self._failures + 1
            quotes_service = ": " in error.message and not error.message.endswith(")")
            error.message += f"; tried {tries} times" if quotes_service else f" after {tries} tries"
        return error

    def notice(self, error: ProviderError, delay: float) -> Notice:
        """Return the notice that announces the next attempt."""
        return Notice("warning", f"{error.message}; trying again in {delay:.1f} s")


def _incomplete(error: ProviderError) -> ProviderError:
    """Return the error for a reply that was cut after it had begun to appear."""
    if isinstance(error, IncompleteReplyError | RefusedError):
        return error
    message = error.message
    if "cut off" not in message:
        message += "; the reply is incomplete"
    incomplete = IncompleteReplyError(message, status=error.status)
    incomplete.__cause__ = error
    return incomplete
