"""List the models of all providers at once: each is asked in a thread, with a time limit.

A provider that fails has a fault in its list and does not disturb the others. Lists of services are
cached for a day (``model_cache``). A thread that does not answer in time is left behind.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, NamedTuple

from darkai_cli import signals, stdio
from darkai_cli.errors import DarkAIError, ReplyTimeoutError
from darkai_cli.providers import connect, model_cache
from darkai_cli.providers.base import ModelInfo, ProviderSettings
from darkai_cli.providers.settings import is_local_url
from darkai_cli.secrets import origin_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Future

    from darkai_cli.config import Config

LOCAL_SECONDS = 2.0
"""How long a server on this machine that the user did not configure may take to list its models."""

_GRACE = 1.0
"""Seconds beyond a request's own limit, so that the request's own error can be reported."""


class ModelList(NamedTuple):
    """The models of one provider. ``fault``: why it could not be asked."""

    settings: ProviderSettings
    models: tuple[ModelInfo, ...] = ()
    fault: DarkAIError | None = None


def static_models(settings: ProviderSettings) -> tuple[ModelInfo, ...] | None:
    """Return the models that are known without a request; None if the service has to be asked."""
    if settings.models:
        return tuple(map(ModelInfo, settings.models))
    if settings.type in ("darkai", "demo"):  # they have no list
        return tuple(map(ModelInfo, filter(None, [settings.default_model])))
    return None


def list_models(
    providers: Sequence[ProviderSettings],
    config: Config,
    *,
    refresh: bool = False,
    seconds: float = connect.LIST_SECONDS,
) -> list[ModelList]:
    """Return the models of each provider, in their order.

    ``refresh``: ignore the cache. ``seconds``: for each provider.
    """
    lists: list[ModelList | None] = []
    for settings in providers:
        models = static_models(settings)
        if models is None and not refresh and not is_local_url(settings.url):
            cached = model_cache.read(settings.name, settings.url)
            models = None if cached is None else tuple(cached)
        lists.append(None if models is None else ModelList(settings, models))
    missing = [settings for settings, known in zip(providers, lists, strict=True) if known is None]
    fetched = iter(_fetch_all(missing, config, seconds) if missing else ())
    return [next(fetched) if known is None else known for known in lists]


def list_local_models(
    config: Config, known: Sequence[ProviderSettings], seconds: float = LOCAL_SECONDS
) -> list[ModelList]:
    """Return the models of the servers on this machine that are not among the ``known`` ones."""
    from darkai_cli.providers import local_servers

    names = {settings.name for settings in known}
    origins = {origin_of(settings.url) for settings in known}
    servers = [
        target.settings
        for target in local_servers.find(config)
        if target.settings.name not in names and origin_of(target.settings.url) not in origins
    ]
    lists = list_models(servers, config, seconds=seconds)
    return [models for models in lists if models.fault is None]


def with_details(settings: ProviderSettings, config: Config, model: ModelInfo) -> ModelInfo:
    """Return the model with what its service says of it beyond the list.

    A service that does not answer is no fault: the model is returned as it is.
    """
    try:
        return connect.model_client(settings, config, stdio.environ()).about(model)
    except DarkAIError:
        return model


def _fetch_all(
    providers: Sequence[ProviderSettings], config: Config, seconds: float
) -> list[ModelList]:
    """Ask all providers at once, cache what they list and return it, in their order."""
    from concurrent.futures import wait

    signals.raise_pending()
    futures = [_start(_fetch, settings, config, seconds) for settings in providers]
    done, _ = wait(futures, seconds + _GRACE)
    lists = []
    for settings, future in zip(providers, futures, strict=True):
        if future in done:
            models = future.result()
        else:
            late = f"{settings.host} didn't list its models within {seconds:g} s"
            models = ModelList(settings, fault=ReplyTimeoutError(late))
        if models.fault is None:
            model_cache.write(settings.name, settings.url, models.models)
        lists.append(models)
    return lists


def _start(fetch: Callable[..., ModelList], *args: Any) -> Future[ModelList]:
    """Call ``fetch`` in a daemon thread: unlike an executor's, it does not delay the exit."""
    from concurrent.futures import Future

    future: Future[ModelList] = Future()

    def run() -> None:
        signals.block_in_thread()
        try:
            future.set_result(fetch(*args))
        except BaseException as exc:  # noqa: BLE001 -- raised again by `result`
            future.set_exception(exc)

    threading.Thread(target=run, daemon=True).start()
    return future


def _fetch(settings: ProviderSettings, config: Config, seconds: float) -> ModelList:
    """Return the service's own list; its default model alone where it has none."""
    try:
        client = connect.model_client(settings, config, stdio.environ(), seconds)
        models = tuple(client.models())
    except DarkAIError as fault:
        return ModelList(settings, fault=fault)
    if not models and settings.default_model:
        models = (ModelInfo(settings.default_model),)
    return ModelList(settings, models)
