"""One turn: a request to one provider, sent again where that is safe, never after the first word.

What may be tried again is the error's own knowledge (``retryable``); how often and after how long
is decided by ``RetryPolicy``, which does no I/O, so that the synchronous and the asynchronous loop
share it. Events are held back until the first visible one, so that a repeated request shows one
beginning.
"""

from __future__ import annotations

import random
import time
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import aclosing, closing
from typing import TYPE_CHECKING, Protocol

from darkai_cli.errors import (
    IncompleteReplyError,
    ProviderError,
    RateLimitError,
    RefusedError,
    ReplyTimeoutError,
)
from darkai_cli.events import VISIBLE, Event, Notice

if TYPE_CHECKING:
    from darkai_cli.providers.base import Target

FIRST_DELAY = 0.5
LONGEST_DELAY = 8.0
"""Backoff in seconds: exponential between these, with full jitter."""


class Stream(Protocol):
    """Something that opens a turn: the provider's settings and the request in, events out."""

    def __call__(
        self, target: Target, *, connect_timeout: float | None, retries: int
    ) -> Generator[Event, None, None]:
        """Open it."""
        ...


class RetryPolicy:
    """How often one request may be sent, and what has happened to it so far."""

    def __init__(self, retries: int, jitter: Callable[[], float] = random.random) -> None:
        self._retries = retries
        self._jitter = jitter
        self._failed = 0
        self._held: list[Event] = []
        self.visible = False

    def take(self, event: Event) -> list[Event]:
        """The events to give out now that ``event`` has come."""
        if self.visible or isinstance(event, Notice):
            return [event]
        self._held.append(event)
        if isinstance(event, VISIBLE) or event.type == "stream-end":
            self.visible = isinstance(event, VISIBLE)
            held, self._held = self._held, []
            return held
        return []

    def failed(self, error: ProviderError) -> float:
        """Seconds to wait before the next try. Raises the error that ends the turn instead."""
        if self.visible:
            raise _incomplete(error) from error
        if isinstance(error, RateLimitError) and error.status is None and not error.retryable:
            raise error  # no service said so: it was not even sent
        # A connection that timed out is tried once more; it has taken long enough by then.
        limit = min(self._retries, 1) if isinstance(error, ReplyTimeoutError) else self._retries
        if not error.retryable or self._failed >= limit:
            if self._failed:
                tries = self._failed + 1
                quoting = ": " in error.message and not error.message.endswith(")")
                error.message += f"; tried {tries} times" if quoting else f" after {tries} tries"
            raise error
        self._held.clear()
        self._failed += 1
        if error.retry_after is not None:
            return error.retry_after
        ceiling: float = min(LONGEST_DELAY, FIRST_DELAY * 2**self._failed)
        return max(FIRST_DELAY, ceiling * self._jitter())

    def notice(self, error: ProviderError, delay: float) -> Notice:
        """What the user is told about the next try."""
        return Notice("warning", f"{error.message}; trying again in {delay:.1f} s")


def _incomplete(error: ProviderError) -> ProviderError:
    if isinstance(error, IncompleteReplyError | RefusedError):
        return error
    told = error.message
    if "cut off" not in told:  # it says so itself
        told += "; the answer is incomplete"
    return IncompleteReplyError(told, status=error.status)


def retried(
    source: Callable[[], Generator[Event, None, None]],
    retries: int,
    *,
    sleep: Callable[[float], None] = time.sleep,
    jitter: Callable[[], float] = random.random,
) -> Generator[Event, None, None]:
    """The events of ``source``, asked again where it failed before anything was visible."""
    attempts = RetryPolicy(retries, jitter)
    while True:
        try:
            with closing(source()) as events:
                for event in events:
                    if attempts.visible:
                        yield event
                    else:
                        yield from attempts.take(event)
        except ProviderError as error:
            delay = attempts.failed(error)
            yield attempts.notice(error, delay)
            sleep(delay)
        else:
            return


async def aretried(
    source: Callable[[], AsyncGenerator[Event, None]],
    retries: int,
    *,
    jitter: Callable[[], float] = random.random,
) -> AsyncGenerator[Event, None]:
    """The same, asynchronously."""
    import anyio

    attempts = RetryPolicy(retries, jitter)
    while True:
        try:
            async with aclosing(source()) as events:
                async for event in events:
                    for ready in attempts.take(event):
                        yield ready
        except ProviderError as error:
            delay = attempts.failed(error)
            yield attempts.notice(error, delay)
            await anyio.sleep(delay)
        else:
            return
