"""Which models there are: all providers are asked at once, in a thread and with a limit each.

Not the requests (``registry.lister``), not the kept lists (``listing``). A provider that fails has
a fault in its answer and does not disturb the others. The threads are daemons: whoever does not
want to wait any longer, by Ctrl-C or the clock, leaves them behind.
"""

from __future__ import annotations

import queue
import threading
import time
from typing import TYPE_CHECKING, NamedTuple

from darkai_cli import signals, stdio
from darkai_cli.errors import DarkAIError, ReplyTimeoutError
from darkai_cli.providers import connect, model_cache
from darkai_cli.providers.base import ModelInfo, ProviderSettings
from darkai_cli.providers.settings import is_here
from darkai_cli.secrets import origin_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from darkai_cli.config import Config

LOCAL_SECONDS = 2.0
"""How long a server on this machine that nobody configured may take to list its models."""

_GRACE = 1.0
"""Seconds beyond a request's own limit, so that its own error is told where there is one."""


class Answer(NamedTuple):
    """What one provider has. ``fault``: why it could not be asked."""

    settings: ProviderSettings
    models: tuple[ModelInfo, ...] = ()
    fault: DarkAIError | None = None


class _Bug(NamedTuple):
    """What a thread raised that is no error of ours."""

    at: int
    raised: BaseException


def fixed(settings: ProviderSettings) -> tuple[ModelInfo, ...] | None:
    """The models that are known without asking; None where the service is to be asked."""
    if settings.models:
        return tuple(map(ModelInfo, settings.models))
    if settings.type in ("darkai", "demo"):  # they have no list
        return tuple(map(ModelInfo, filter(None, [settings.default_model])))
    return None


def ask(
    providers: Sequence[ProviderSettings],
    config: Config,
    *,
    refresh: bool = False,
    seconds: float = connect.LIST_SECONDS,
) -> list[Answer]:
    """What each of them has, in their order. ``refresh``: do not take what was kept."""
    found: dict[int, Answer] = {}
    for at, settings in enumerate(providers):
        models = fixed(settings)
        if models is None and not refresh and not is_here(settings.url):
            kept = model_cache.read(settings.name, settings.url)
            models = None if kept is None else tuple(kept)
        if models is not None:
            found[at] = Answer(settings, models)
    missing = [at for at in range(len(providers)) if at not in found]

    def one(at: int) -> Answer:
        settings = providers[at]
        try:
            return Answer(settings, tuple(_fetched(settings, config, seconds)))
        except DarkAIError as fault:
            return Answer(settings, fault=fault)

    for at, answer in _gathered(one, missing, seconds + _GRACE).items():
        found[at] = answer
        if answer.fault is None:
            model_cache.write(answer.settings.name, answer.settings.url, answer.models)
    for at in missing:
        settings = providers[at]
        late = ReplyTimeoutError(f"{settings.host} did not list its models within {seconds:g} s")
        found.setdefault(at, Answer(settings, fault=late))
    return [found[at] for at in range(len(providers))]


def local(
    config: Config, known: Sequence[ProviderSettings], seconds: float = LOCAL_SECONDS
) -> list[Answer]:
    """The servers on this machine that answer, beside those that are ``known``."""
    from darkai_cli.providers import local_servers

    names = {one.name for one in known}
    places = {origin_of(one.url) for one in known}
    found = [
        target.settings
        for target in local_servers.found(config)
        if target.settings.name not in names and origin_of(target.settings.url) not in places
    ]
    return [one for one in ask(found, config, seconds=seconds) if one.fault is None]


def about(settings: ProviderSettings, config: Config, model: ModelInfo) -> ModelInfo:
    """The model with what its service tells of it beyond the list, where there is such a thing.

    A service that does not is no fault: ``model`` is what the list says.
    """
    try:
        return connect.model_client(settings, config, stdio.environ()).about(model)
    except DarkAIError:
        return model


def _fetched(settings: ProviderSettings, config: Config, seconds: float) -> list[ModelInfo]:
    """The service's own list; its default model alone where it has none."""
    models = list(connect.model_client(settings, config, stdio.environ(), seconds).models())
    if not models and settings.default_model:
        return [ModelInfo(settings.default_model)]
    return models


def _gathered(
    one: Callable[[int], Answer], numbers: Sequence[int], seconds: float
) -> dict[int, Answer]:
    """The answers that came in time, by number. Raises what a thread raised that is a bug."""
    came: queue.SimpleQueue[tuple[int, Answer] | _Bug] = queue.SimpleQueue()

    def run(at: int) -> None:
        signals.block_in_thread()
        try:
            came.put((at, one(at)))
        except BaseException as exc:  # noqa: BLE001 -- raised again below
            came.put(_Bug(at, exc))

    for at in numbers:
        threading.Thread(target=run, args=(at,), name=f"models-{at}", daemon=True).start()
    found: dict[int, Answer] = {}
    deadline = time.monotonic() + seconds
    while len(found) < len(numbers):
        signals.raise_pending()
        try:
            item = came.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            break
        if isinstance(item, _Bug):
            raise item.raised
        found[item[0]] = item[1]
    return found
