"""Names to providers: what ``-p``, ``-m`` and the config mean, and how each provider is reached.

A model name is resolved in the order of the product's promise: ``provider/name``; a user's alias;
the chosen or default provider's own alias or model; a unique match in another configured provider.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from darkai_cli.errors import ConfigError, NotFoundError, UnknownModelError
from darkai_cli.providers.base import ModelInfo, ProviderSettings
from darkai_cli.providers.catalog import BUILT_IN
from darkai_cli.providers.darkai import DarkAIDialect

if TYPE_CHECKING:
    from darkai_cli.config import Config
    from darkai_cli.providers.base import Dialect
    from darkai_cli.providers.http import HttpProvider
    from darkai_cli.wire.transport import App

DIALECTS: Mapping[str, type[Dialect]] = {"darkai": DarkAIDialect, "demo": DarkAIDialect}


class Target(NamedTuple):
    """Who is asked: a provider and its own name for the model."""

    settings: ProviderSettings
    model: str


def settings_of(config: Config, name: str) -> ProviderSettings:
    """The settings of a provider: the built-in row under the user's table.

    Raises ``NotFoundError`` with the nearest names, or ``ConfigError`` for a table that lacks a
    URL.
    """
    built_in = BUILT_IN.get(name)
    own = config.providers.get(name)
    if own is None:
        if built_in is None:
            known = sorted({*BUILT_IN, *config.providers})
            raise NotFoundError(
                f"there is no provider `{name}`", hint=_nearest(name, known, "providers")
            )
        return built_in
    base = built_in or ProviderSettings(name, own.type or "", own.url or "", own.model or "")
    kind = own.type or base.type
    if kind not in DIALECTS:
        raise ConfigError(
            f"the provider `{name}` has the type `{kind}`, which is not known",
            hint=f"types are {', '.join(t for t in DIALECTS if t != 'demo')}",
        )
    if built_in is None and not own.url:
        raise ConfigError(
            f"the provider `{name}` has no url",
            hint=f"`darkai config set providers.{name}.url https://HOST/PATH`",
        )
    moved = bool(own.url) and own.url != base.url
    models = tuple(own.models) if own.models else (() if moved else base.models)
    aliases = base.aliases if built_in else (BUILT_IN[kind].aliases if kind in BUILT_IN else {})
    default = own.model or (models[0] if own.models else base.default_model)
    if not default and kind in BUILT_IN:
        default = BUILT_IN[kind].default_model
    return ProviderSettings(
        name, kind, own.url or base.url, default, models, aliases, dict(own.headers or {})
    )


def names(config: Config) -> list[str]:
    """All providers: the built-in ones, then the user's."""
    return [*BUILT_IN, *(name for name in config.providers if name not in BUILT_IN)]


def model_of(settings: ProviderSettings, name: str | None) -> str:
    """The provider's own name for a model or alias; its default for None or "".

    Any name passes where the provider lists none. Raises ``UnknownModelError`` with the nearest
    names.
    """
    if not name:
        return settings.default_model
    name = settings.aliases.get(name, name)
    if not settings.models or name in settings.models:
        return name
    raise UnknownModelError(
        f"the provider `{settings.name}` has no model `{name}`",
        hint=_nearest(name, [*settings.models, *settings.aliases], "models"),
    )


def resolve(config: Config) -> Target:
    """Who is asked, by flags, environment and config. Raises ``NotFoundError`` and its kin."""
    chosen = settings_of(config, config.provider)
    wanted = config.model
    if not wanted:
        return Target(chosen, chosen.default_model)
    wanted = config.aliases.get(wanted, wanted)
    first, slash, rest = wanted.partition("/")
    if slash and first in names(config):
        if config.chosen("provider") and first not in (config.provider, chosen.type):
            return Target(chosen, model_of(chosen, wanted))
        named = settings_of(config, first)
        return Target(named, model_of(named, rest))
    try:
        return Target(chosen, model_of(chosen, wanted))
    except UnknownModelError:
        if config.chosen("provider"):
            raise
        others = [settings_of(config, name) for name in config.providers if name != chosen.name]
        having = [other for other in others if _has(other, wanted)]
        if len(having) != 1:
            raise
        return Target(having[0], model_of(having[0], wanted))


def named(config: Config, name: str) -> Target:
    """Who ``provider/model`` or ``provider`` names. Raises ``NotFoundError`` and its kin."""
    first, _, rest = config.aliases.get(name, name).partition("/")
    settings = settings_of(config, first)
    return Target(settings, model_of(settings, rest))


def _has(settings: ProviderSettings, name: str) -> bool:
    return settings.aliases.get(name, name) in settings.models


def models(config: Config) -> Iterator[tuple[ProviderSettings, ModelInfo]]:
    """Every model that a configured provider names, with its provider."""
    for name in names(config):
        settings = settings_of(config, name)
        for model in settings.models or (settings.default_model,):
            also = tuple(alias for alias, target in settings.aliases.items() if target == model)
            yield settings, ModelInfo(model, also)


def provider_of(
    settings: ProviderSettings,
    config: Config,
    environ: Mapping[str, str],
    connect_timeout: float | None = None,
    log: Callable[[str], None] | None = None,
    on_sent: Callable[[], None] | None = None,
) -> HttpProvider:
    """The provider, ready to stream.

    ``connect_timeout`` (seconds) replaces the configured one; ``log`` takes the lines of
    ``--debug``; ``on_sent`` is called when a request is on the wire.
    """
    from darkai_cli.providers.http import HttpProvider
    from darkai_cli.wire.timers import Timers

    dialect = DIALECTS[settings.type]()
    timers = Timers(connect=connect_timeout or config.connect_timeout).with_timeout(config.timeout)
    if settings.type == "demo":
        from darkai_cli.wire.transport import Link

        app = _demo_app(config)
        return HttpProvider(dialect, settings, Link(timers, app=app, log=log, on_sent=on_sent))
    from darkai_cli.wire import proxy, tls

    origin = config.origin("proxy")
    route = proxy.choose(
        settings.url,
        explicit=config.proxy,
        origin="`--proxy`" if origin.kind == "flag" else origin.where or "the config",
        by_flag=origin.kind == "flag",
        environ=environ,
    )
    secure = settings.url.startswith("https:") or (route is not None and route.scheme == "https")
    pending = tls.PendingContext(config.ca_file, environ) if secure else None
    from darkai_cli.wire.transport import Link, check_url

    check_url(settings.url)
    link = Link(timers, route, pending, log=log, on_sent=on_sent)
    return HttpProvider(dialect, settings, link)


def _demo_app(config: Config) -> App:
    from functools import partial

    from darkai_cli.providers.demo.service import respond

    return partial(respond, delay=config.demo_delay)


def _nearest(name: str, known: list[str], what: str) -> str:
    close = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
    if close:
        return f"did you mean {' or '.join(f'`{one}`' for one in close)}? (`darkai models`)"
    return f"{what} are {', '.join(known)}"
