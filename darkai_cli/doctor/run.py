"""Chooses the checks for this configuration, and runs them side by side within a time limit.

Each chain of steps runs in a thread of its own. The checks are yielded in the order of the chains,
each as soon as those before it are complete. The threads are daemons, so that a check that hangs is
reported and left behind, and does not hold up Ctrl-C or the exit.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from darkai_cli import signals
from darkai_cli.config.load import load
from darkai_cli.conversation.fallback_candidates import is_default
from darkai_cli.doctor import files, network, provider, system
from darkai_cli.doctor.check import Check, Finding, Step, failed
from darkai_cli.errors import DarkAIError, ReplyTimeoutError
from darkai_cli.providers import local_servers, resolve
from darkai_cli.providers.catalog import BUILT_IN
from darkai_cli.providers.settings import provider_names, settings_of

if TYPE_CHECKING:
    from darkai_cli.config import Config
    from darkai_cli.providers.base import Target

LIMIT = 11.0
DEEP_LIMIT = 90.0
"""Seconds for all checks together, without and with prompts to models."""

DEFAULT = "darkai"

_SIGNAL_INTERVAL = 0.25
"""Seconds between two looks at pending signals."""


def examine(
    names: Sequence[str], environ: Mapping[str, str], *, deep: bool = False
) -> Iterator[Check]:
    """Yield all checks; of the providers, only those in ``names``, if any are given.

    Raises ``NotFoundError`` for an unknown provider.
    """
    faults: list[DarkAIError] = []
    config = load(environ=environ, faults=faults)
    for name in names:
        if name not in provider_names(config):
            settings_of(config, name)  # raises
    servers = list(local_servers.find(config))
    shared = [
        *system.steps(config, environ),
        *files.steps(config, faults, environ, deep=deep),
        *network.steps(config, servers, environ),
    ]
    providers = provider_checks(names, provider.CheckOptions(config, environ, deep), servers)
    chains = [*([step] for step in shared), *(checks.steps() for checks in providers)]
    yield from run_chains(chains, DEEP_LIMIT if deep else LIMIT)


def provider_checks(
    names: Sequence[str], options: provider.CheckOptions, servers: Sequence[Target]
) -> list[provider.ProviderChecks]:
    """Return the checks of the providers: those in ``names``, or else all configured ones."""
    config = options.config
    try:
        target: Target | None = resolve.configured_target(config)
    except DarkAIError:
        target = None  # the provider's own check reports the error
    used = target.settings.name if target is not None else config.provider
    configured = [
        name for name in resolve.configured_providers(config) if name not in (DEFAULT, "demo", used)
    ]
    is_default_choice = target is not None and is_default(config, target)
    others = [*configured, *(server.settings.name for server in servers if config.fallback != ())]
    selected = list(dict.fromkeys(names)) or [used, *configured, *_listed_default(config, used)]
    return [
        provider.ProviderChecks(
            name,
            options,
            is_used=name == used,
            lenient=name == DEFAULT and is_default_choice and bool(others) and not names,
            hint=_choose_another(others) if _is_public_default(config, name) else None,
        )
        for name in selected
    ]


def _listed_default(config: Config, used: str) -> list[str]:
    """Return the default provider, if it is not used but configured or a fallback."""
    fallbacks = [name.partition("/")[0] for name in config.fallback or ()]
    return [DEFAULT] if used != DEFAULT and DEFAULT in {*config.providers, *fallbacks} else []


def _is_public_default(config: Config, name: str) -> bool:
    """Return whether this is the public DarkAI service."""
    table = config.providers.get(name)
    url = table.url if table is not None else None
    return name == DEFAULT and url in (None, BUILT_IN[DEFAULT].url)


def _choose_another(others: Sequence[str]) -> str:
    """Return the hint to use another service than the public DarkAI service."""
    down = "The service has been down since February 2025. Choose another one:"
    if others:
        return f"{down} `darkai config set provider {others[0]}`"
    return (
        f"{down} `darkai keys set openai`, then `darkai config set provider openai`; or set the "
        "URL of your own: `darkai config set providers.darkai.url URL`"
    )


class _Chain:
    """A chain of steps that runs in a thread; ``step`` is the one that is running."""

    def __init__(self, steps: Sequence[Step]) -> None:
        self.step: Step | None = None
        self.began = time.monotonic()
        self._steps = steps
        self._results: queue.SimpleQueue[Check | None] = queue.SimpleQueue()
        threading.Thread(target=self._run, name="darkai-doctor", daemon=True).start()

    def _run(self) -> None:
        signals.block_in_thread()
        for step in self._steps:
            self.step, self.began = step, time.monotonic()
            finding = _run_step(step)
            if finding is not None:
                self._results.put(Check.of(step, finding, time.monotonic() - self.began))
                if finding.last:
                    break
        self._results.put(None)

    def checks(self, deadline: float) -> Iterator[Check]:
        """Yield the checks as they end. Raises ``TimeoutError`` at the deadline."""
        while True:
            signals.raise_pending()
            remaining = deadline - time.monotonic()
            try:
                check = self._results.get(timeout=max(0.0, min(remaining, _SIGNAL_INTERVAL)))
            except queue.Empty:
                if remaining <= 0:
                    raise TimeoutError from None
                continue
            if check is None:
                return
            yield check


def run_chains(chains: Sequence[Sequence[Step]], seconds: float) -> Iterator[Check]:
    """Run the chains and yield their checks in order.

    A step that is not done after ``seconds`` is a failure, and its chain ends.
    """
    deadline = time.monotonic() + seconds
    for chain in [_Chain(steps) for steps in chains]:
        try:
            yield from chain.checks(deadline)
        except TimeoutError:
            fault = ReplyTimeoutError(
                f"No result within {seconds:g} s",
                hint="Run it again; if it hangs again, this is the part that is slow or broken",
            )
            if chain.step is not None:
                yield Check.of(chain.step, failed(fault), time.monotonic() - chain.began)


def _run_step(step: Step) -> Finding | None:
    """Run a step; an error is a failure, also a bug of ours, so that the other checks go on."""
    try:
        return step.run()
    except DarkAIError as fault:
        return failed(fault)
    except Exception as exc:  # noqa: BLE001 -- one check that is broken must not hide the others
        bug = DarkAIError(
            f"Internal error: {type(exc).__name__}: {exc}", hint="Report it with this line"
        )
        return failed(bug)
