"""The wait for the next slot of a known rate limit, or the error that says when it opens.

``rate_limits.gate`` knows when a request may go. Decided here is what that means for a turn: on a
terminal a countdown runs; elsewhere a notice is shown and the wait is bounded, or the turn fails
with the time of the next slot. ``WaitPolicy`` decides without I/O; two short loops wait.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from darkai_cli import signals
from darkai_cli.config import paths
from darkai_cli.errors import RateLimitError
from darkai_cli.events import Notice
from darkai_cli.rate_limits.gate import PUBLIC_HOST, PUBLIC_RATES, Gate
from darkai_cli.text import duration

if TYPE_CHECKING:
    from darkai_cli.config import Config
    from darkai_cli.conversation.request import TurnObserver
    from darkai_cli.providers.base import ProviderSettings
    from darkai_cli.rate_limits.gate import Closed
    from darkai_cli.rate_limits.rates import Rate

SILENT_WAIT = 0.05
"""Seconds that are waited without a notice: the little that a retry came too early, for example."""


class Wait(NamedTuple):
    """A wait for a slot: how many seconds, why, and the notice that says so, if one is needed."""

    seconds: float
    reason: str
    notice: Notice | None


class WaitPolicy:
    """How long one attempt may wait for slots of ``host``.

    ``limit``: seconds in all, None for as long as it takes. ``clock``: seconds since the epoch.
    """

    def __init__(
        self, host: str, limit: float | None, clock: Callable[[], float] = time.time
    ) -> None:
        self._host = host
        self._limit = limit
        self._clock = clock
        self._waited = 0.0

    def wait(self, closed: Closed) -> Wait:
        """Return how to wait until the slot opens.

        Raises ``RateLimitError``, which tells the time of the next slot, if that is too far away.
        """
        now = self._clock()
        seconds = max(0.0, closed.until - now)
        if self._limit is not None and self._waited + seconds > max(self._limit, SILENT_WAIT):
            raise self._refusal(closed, now)
        self._waited += seconds
        reason = self._reason(closed)
        if seconds <= SILENT_WAIT:
            return Wait(seconds, reason, None)
        notice = Notice("info", f"{reason}; waiting {format_slot(closed.until, now)}")
        return Wait(seconds, reason, notice)

    def _refusal(self, closed: Closed, now: float) -> RateLimitError:
        seconds = closed.until - now
        return RateLimitError(
            f"{self._reason(closed)}; you can send again {format_slot(closed.until, now, 'at')}",
            hint=f"To wait for it, use `--max-wait {int(seconds) + 1}`; "
            "to ask another service, `--provider NAME`",
            retry_after=seconds,
        )

    def _reason(self, closed: Closed) -> str:
        if closed.rate is None:
            return f"{self._host} asked us to wait"
        return f"{self._host} allows {closed.rate}"


def longest_wait(config: Config, *, counts_down: bool) -> float | None:
    """Return the longest wait in seconds: None, no limit, where a countdown is shown.

    It can be stopped. A ``max_wait`` that the user chose always holds.
    """
    return None if counts_down and not config.chosen("max_wait") else config.max_wait


def gate_for(
    provider: ProviderSettings,
    config: Config,
    environ: Mapping[str, str],
    clock: Callable[[], float] = time.time,
) -> Gate:
    """Return the gate that requests to a provider pass. The caller sets its key, if any."""
    return Gate(
        provider.url, rates_of(provider, config), file=paths.limits_file(environ), clock=clock
    )


def rates_of(provider: ProviderSettings, config: Config) -> list[Rate]:
    """Return the known rates of a provider: the user's own, or those of the public DarkAI."""
    table = config.providers.get(provider.name)
    written = table.limits if table is not None else None
    if written is None:
        written = PUBLIC_RATES if provider.host.lower() == PUBLIC_HOST else ()
    if not written:
        return []
    from darkai_cli.rate_limits import rates

    return [rates.parse(text) for text in written]


def wait_for_slot(gate: Gate, policy: WaitPolicy, observer: TurnObserver) -> Iterator[Notice]:
    """Wait until the gate lets the request through; yield what the user should know.

    Raises ``RateLimitError`` where that takes too long.
    """
    while (closed := gate.enter()) is not None:
        signals.raise_pending()
        seconds, reason, notice = policy.wait(closed)
        if notice is not None and observer.counts_down:
            observer.count_down(reason, seconds)
            continue
        if notice is not None:
            yield notice
        time.sleep(seconds)
    yield from gate_notices(gate)


async def await_slot(gate: Gate, policy: WaitPolicy) -> AsyncIterator[Notice]:
    """Wait as ``wait_for_slot`` does, for the asynchronous driver; nobody sees a countdown."""
    import anyio

    while (closed := gate.enter()) is not None:
        seconds, _, notice = policy.wait(closed)
        if notice is not None:
            yield notice
        await anyio.sleep(seconds)
    for notice in gate_notices(gate):
        yield notice


def gate_notices(gate: Gate) -> list[Notice]:
    """Return the warning that requests cannot be counted, once for each gate."""
    trouble = gate.trouble()
    return [] if trouble is None else [Notice("warning", trouble)]


def format_slot(until: float, now: float, word: str = "until") -> str:
    """Return when a slot opens, by the clock on the wall and from now. Times since the epoch."""
    then, today = time.localtime(until), time.localtime(now)
    form = "%H:%M:%S" if then[:3] == today[:3] else "%Y-%m-%d %H:%M:%S"
    return f"{word} {time.strftime(form, then)}, in {duration(_rounded_up(until - now))}"


def _rounded_up(seconds: float) -> float:
    """Return whole seconds, or whole minutes from two on: waiting that long is enough."""
    step = 1 if seconds < 120 else 60
    return -(-seconds // step) * step
