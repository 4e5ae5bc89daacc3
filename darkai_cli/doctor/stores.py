"""Checks of what darkai writes down: the history, and the rate limits' ledger and holds."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from darkai_cli.config import paths
from darkai_cli.conversation.rate_limit import format_slot, rates_of
from darkai_cli.doctor.check import Finding, Step, failed, ok, warned
from darkai_cli.errors import StoreError
from darkai_cli.rate_limits.gate import origin_text
from darkai_cli.rate_limits.rates import longest_interval, next_slot
from darkai_cli.rate_limits.store import Account, RateLimitStoreError, overview
from darkai_cli.text import file_size, plural

if TYPE_CHECKING:
    from darkai_cli.config import Config
    from darkai_cli.history.health import Health
    from darkai_cli.providers.base import ProviderSettings

QUICK = 4.0
"""Seconds of reading the history, unless all of it is to be read."""


def history_steps(environ: Mapping[str, str], *, deep: bool) -> list[Step]:
    """The check of the history."""
    return [Step("history", "Data", "history", lambda: history(environ, deep=deep))]


def limits_steps(
    config: Config, providers: Sequence[ProviderSettings], environ: Mapping[str, str]
) -> list[Step]:
    """The check of the rate limits."""
    return [Step("limits", "Data", "rate limits", lambda: limits(config, providers, environ))]


def history(environ: Mapping[str, str], *, deep: bool) -> Finding:
    """Whether the database is whole: quickly, or by reading all of it."""
    from darkai_cli.history import health as inspection
    from darkai_cli.history.database import import_command

    file = paths.history_file(environ)
    health = inspection.inspect_whole(file) if deep else inspection.inspect(file, QUICK)
    aside = sorted(file.parent.glob(f"{file.name}.damaged-*"))
    if health is not None and health.problems:
        count = len(health.problems)
        problems = "a problem" if count == 1 else f"{count} problems"
        return failed(
            StoreError(
                f"`{file}` has {problems}: {health.problems[0]}",
                hint=f"`darkai history check --repair`; or {import_command(file)}, which moves "
                "the file aside and takes back what can be read",
            )
        )
    told = "nothing is saved yet" if health is None else _sound(health, str(file), deep=deep)
    if aside:
        return warned(
            f"{told}; a damaged history was moved to `{aside[0]}`",
            hint=f"{import_command(aside[0])} takes back what can be read; then remove it",
        )
    return ok(told)


def _sound(health: Health, file: str, *, deep: bool) -> str:
    how = "all of it is sound" if deep else "sound by a quick check"
    if not health.whole:
        how = f"sound as far as it was read in {QUICK:g} s (`darkai history check` reads all of it)"
    talks = plural(health.conversations, "conversation")
    return f"`{file}`, {file_size(health.size)}, schema {health.version}, {talks}, {how}"


def limits(
    config: Config,
    providers: Sequence[ProviderSettings],
    environ: Mapping[str, str],
    now: float | None = None,
) -> Finding:
    """Whose requests are held until when, and what is left of the rates."""
    now = time.time() if now is None else now
    file = paths.limits_file(environ)
    names = {origin_text(one.url): one.name for one in providers if one.url}
    try:
        sent_at, holds = overview(file, now)
    except RateLimitStoreError as exc:
        return warned(
            f"`{file}` cannot be read, so requests are not counted: {exc}",
            hint=f"`rm {file}`: all that it holds is counts of the last hours",
        )
    waits = [
        f"{names.get(account.origin, account.origin)} asked for a pause, {format_slot(until, now)}"
        for account, until in holds.items()
    ]
    counts = []
    for one in providers:
        rates = rates_of(one, config)
        for account, times in sent_at.items():
            if not rates or account.origin != origin_text(one.url):
                continue
            free = next_slot(rates, times, now)
            if free.at > now:
                waits.append(
                    f"{one.name} takes {free.rate}, the next {format_slot(free.at, now, 'at')}"
                )
            else:
                recent = sum(at > now - longest_interval(rates) for at in times)
                counts.append(f"{one.name}: {recent} requests are counted, the next may go now")
    if waits:
        return warned("; ".join([*waits, *counts]), hint="wait for it, or `darkai ask -p NAME`")
    return ok("; ".join(counts) or "nobody is waited for")


def held(account: Account, environ: Mapping[str, str], now: float) -> float | None:
    """Until when the service asked for silence; None if it did not."""
    try:
        return overview(paths.limits_file(environ), now).holds.get(account)
    except RateLimitStoreError:
        return None
