"""Before a request: waits for the next slot of a known rate limit, or says when that is.

``limits.gate`` knows when a request may go. Here is decided what that means for a turn: on a
terminal the caller shows a countdown and waits; elsewhere one notice is told and the wait is
bounded, or the turn fails with the time of the next slot. The clock and the sleep are injected.
"""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from contextlib import aclosing, closing
from typing import TYPE_CHECKING, NamedTuple

from darkai_cli import signals
from darkai_cli.config import paths
from darkai_cli.errors import RateLimitError
from darkai_cli.events import Event, Notice
from darkai_cli.rate_limits.gate import PUBLIC_HOST, PUBLIC_RATES, Gate
from darkai_cli.rate_limits.holds import Account
from darkai_cli.secrets import origin_of
from darkai_cli.text import duration

if TYPE_CHECKING:
    from darkai_cli.config import Config
    from darkai_cli.providers.base import ProviderSettings
    from darkai_cli.rate_limits.gate import Closed
    from darkai_cli.rate_limits.rates import Rate
    from darkai_cli.secrets import Secret

UNTOLD = 0.05
"""Seconds that are waited without a word: what a retry was short of, say."""


class WaitPolicy(NamedTuple):
    """How long a turn may wait for slots, and how.

    ``seconds``: None for as long as it takes. ``countdown``: waits for so many seconds and shows
    how many are left, and why; without it a notice is told. ``sleep``, ``clock``: the time's own.
    """

    seconds: float | None = 60.0
    countdown: Callable[[str, float], None] | None = None
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.time


def patience_of(config: Config, countdown: Callable[[str, float], None] | None) -> WaitPolicy:
    """Whoever sees a countdown can stop it, and waits for as long as it takes, unless told."""
    endless = countdown is not None and not config.chosen("max_wait")
    return WaitPolicy(None if endless else config.max_wait, countdown)


def gate_of(
    provider: ProviderSettings,
    key: Callable[[], Secret | None],
    config: Config,
    environ: Mapping[str, str],
    clock: Callable[[], float] = time.time,
) -> Gate:
    """The gate of a provider. ``key`` is called when it matters which key it is."""

    def account() -> Account:
        found = key()
        return Account(place_of(provider.url), found.fingerprint if found is not None else "")

    return Gate(
        account,
        rates_of(provider, config),
        ledger=paths.limits_file(environ),
        holds=paths.holds_dir(environ),
        clock=clock,
    )


def place_of(url: str) -> str:
    """The origin of a service, as requests are counted by it."""
    return "{}://{}:{}".format(*origin_of(url))


def rates_of(provider: ProviderSettings, config: Config) -> list[Rate]:
    """The rates that are known of a provider: the user's own, or those of the public DarkAI."""
    table = config.providers.get(provider.name)
    written = table.limits if table is not None else None
    if written is None:
        written = PUBLIC_RATES if provider.host.lower() == PUBLIC_HOST else ()
    if not written:
        return []
    from darkai_cli.rate_limits import rates

    return [rates.parse(text) for text in written]


def wait_for_slot(
    gate: Gate,
    host: str,
    source: Callable[[], Generator[Event, None, None]],
    patience: WaitPolicy,
) -> Generator[Event, None, None]:
    """The events of ``source``, which is asked once the gate is open.

    Raises ``RateLimitError`` with the time of the next slot where that is too far away.
    """
    try:
        yield from _waited(gate, host, patience)
        trouble = gate.trouble()
        if trouble is not None:
            yield Notice("warning", trouble)
        with closing(source()) as events:
            yield from events
    finally:
        gate.leave()


async def await_for_slot(
    gate: Gate,
    host: str,
    source: Callable[[], AsyncGenerator[Event, None]],
    patience: WaitPolicy,
) -> AsyncGenerator[Event, None]:
    """The same, asynchronously; ``patience`` has no countdown."""
    import anyio

    try:
        for step in _steps(gate, host, patience):
            if isinstance(step, Notice):
                yield step
            else:
                await anyio.sleep(step)
        trouble = gate.trouble()
        if trouble is not None:
            yield Notice("warning", trouble)
        async with aclosing(source()) as events:
            async for event in events:
                yield event
    finally:
        gate.leave()


def _waited(gate: Gate, host: str, patience: WaitPolicy) -> Generator[Event, None, None]:
    for step in _steps(gate, host, patience):
        if isinstance(step, Notice):
            yield step
        else:
            signals.raise_pending()
            patience.sleep(step)


def _steps(gate: Gate, host: str, patience: WaitPolicy) -> Generator[Notice | float, None, None]:
    """What to tell, and how many seconds to sleep, until the gate is open."""
    waited = 0.0
    while (closed := gate.enter()) is not None:
        now = patience.clock()
        left = max(0.0, closed.until - now)
        if patience.seconds is not None and waited + left > max(patience.seconds, UNTOLD):
            raise _refused(host, closed, now)
        if left <= UNTOLD:
            yield left
        elif patience.countdown is not None:
            patience.countdown(_why(host, closed), left)
        else:
            yield Notice("info", f"{_why(host, closed)}; waiting {slot(closed.until, now)}")
            yield left
        waited += left


def _refused(host: str, closed: Closed, now: float) -> RateLimitError:
    left = closed.until - now
    enough = int(left) + 1
    return RateLimitError(
        f"{_why(host, closed)}; the next slot opens {slot(closed.until, now, 'at')}",
        hint=f"`--max-wait {enough}` waits for it; `--provider NAME` asks another service",
        retry_after=left,
    )


def _why(host: str, closed: Closed) -> str:
    if closed.rate is None:
        return f"{host} asked for a pause"
    return f"{host} takes {closed.rate}"


def slot(until: float, now: float, word: str = "until") -> str:
    """When a slot opens, by the clock on the wall and from now."""
    there, here = time.localtime(until), time.localtime(now)
    form = "%H:%M:%S" if there[:3] == here[:3] else "%Y-%m-%d %H:%M:%S"
    return f"{word} {time.strftime(form, there)}, in {duration(_rounded_up(until - now))}"


def _rounded_up(seconds: float) -> float:
    """Return whole seconds, or whole minutes from two on: waiting that long is enough."""
    step = 1 if seconds < 120 else 60
    return -(-seconds // step) * step
