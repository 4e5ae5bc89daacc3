"""Which checks there are, for this configuration and these providers; and all of them, made.

Everything is looked at side by side. Without ``deep`` the whole takes at most ``LIMIT`` seconds,
whatever hangs; with it, models are asked a question, and all of the history is read.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from darkai_cli.config.load import load
from darkai_cli.conversation.fallback_candidates import is_default
from darkai_cli.doctor import files, network, provider, running, stores, system
from darkai_cli.doctor.check import Check, Step, made
from darkai_cli.errors import DarkAIError
from darkai_cli.providers import local_servers, resolve, settings
from darkai_cli.providers.catalog import BUILT_IN

if TYPE_CHECKING:
    from darkai_cli.config import Config
    from darkai_cli.providers.base import ProviderSettings, Target

LIMIT = 11.0
DEEP_LIMIT = 90.0
"""Seconds for all checks together, without and with questions to models."""

DEFAULT = "darkai"


def examine(
    names: Sequence[str], environ: Mapping[str, str], *, deep: bool = False
) -> Iterator[list[Check]]:
    """All checks, some at a time. ``names``: only these providers.

    Raises ``NotFoundError`` for a name that is no provider.
    """
    faults: list[DarkAIError] = []
    config = load(environ=environ, faults=faults)
    for name in names:
        if name not in settings.names(config):
            settings.settings_of(config, name)  # which says so
    near = list(local_servers.find(config))
    clock = network.Clock()
    task = provider.Task(config, environ, clock, deep)
    courses = _courses(names, task, near)
    shared = [
        [step]
        for step in (
            *system.steps(config, environ),
            *files.steps(config, faults, environ),
            *stores.history_steps(environ, deep=deep),
            *stores.limits_steps(config, _all(config), environ),
            *network.steps(config, near, environ),
        )
    ]
    chains = [*shared, *(course.steps() for course in courses)]
    yield from running.run(chains, DEEP_LIMIT if deep else LIMIT)
    finding = clock.finding(time.time())
    if finding is not None:
        step = Step("clock", "Clock", "clock", lambda: finding)
        yield [made(step, finding, 0.0)]


def _all(config: Config) -> list[ProviderSettings]:
    """The providers whose requests may be counted."""
    return resolve.usable_providers(config)[0]


def _courses(
    names: Sequence[str], task: provider.Task, near: Sequence[Target]
) -> list[provider.ProviderChecks]:
    config = task.config
    try:
        target: Target | None = resolve.configured_target(config)
    except DarkAIError:
        target = None  # its provider's own check tells
    used = target.settings.name if target is not None else config.provider
    set_up = [
        name for name in resolve.configured_providers(config) if name not in (DEFAULT, "demo", used)
    ]
    unchosen = target is not None and is_default(config, target)
    others = [*set_up, *(one.settings.name for one in near if config.fallback != ())]
    wanted = list(dict.fromkeys(names)) or [used, *set_up, *_default(config, used)]
    return [
        provider.ProviderChecks(
            name,
            task,
            used=name == used,
            lenient=name == DEFAULT and unchosen and bool(others) and not names,
            choose=_choose(others) if _is_public(config, name) else None,
        )
        for name in wanted
    ]


def _default(config: Config, used: str) -> list[str]:
    """The default provider, where it is not the one in use but somebody set it up, or lists it."""
    listed = [name.partition("/")[0] for name in config.fallback or ()]
    return [DEFAULT] if used != DEFAULT and DEFAULT in {*config.providers, *listed} else []


def _is_public(config: Config, name: str) -> bool:
    """Whether this is the public DarkAI service."""
    table = config.providers.get(name)
    url = table.url if table is not None else None
    return name == DEFAULT and url in (None, BUILT_IN[DEFAULT].url)


def _choose(others: Sequence[str]) -> str:
    """What to type instead of waiting for the public DarkAI service."""
    down = "it has been down since February 2025, as far as is known; choose another service:"
    if others:
        return f"{down} `darkai config set provider {others[0]}`"
    return (
        f"{down} `darkai keys set openai`, then `darkai config set provider openai`; or one of "
        "your own: `darkai config set providers.darkai.url URL`; `darkai ask -p demo` works offline"
    )
