"""Names to providers: what ``-p``, ``-m`` and the config mean, and how each provider is reached.

A model name is resolved in the order of the product's promise: ``provider/name``; a user's alias;
the chosen or default provider's own alias or model; a unique match in another configured provider.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from darkai_cli.errors import (
    AuthError,
    ConfigError,
    DarkAIError,
    NotFoundError,
    UnknownModelError,
)
from darkai_cli.providers.base import ModelInfo, ProviderSettings
from darkai_cli.providers.catalog import BUILT_IN

if TYPE_CHECKING:
    from darkai_cli.config import Config
    from darkai_cli.providers.base import Dialect
    from darkai_cli.providers.http import HttpProvider
    from darkai_cli.wire.timers import Timers
    from darkai_cli.wire.transport import App, Link

DIALECTS: Mapping[str, str] = {
    "darkai": "darkai_cli.providers.darkai:DarkAIDialect",
    "openai": "darkai_cli.providers.openai:OpenAIDialect",
    "openai-responses": "darkai_cli.providers.responses:ResponsesDialect",
    "anthropic": "darkai_cli.providers.anthropic:AnthropicDialect",
    "gemini": "darkai_cli.providers.gemini:GeminiDialect",
    "ollama": "darkai_cli.providers.ollama:OllamaDialect",
    "demo": "darkai_cli.providers.darkai:DarkAIDialect",
}
"""Each type's dialect: module and class, imported when it is used."""

RESPONSES = ("-pro", "codex", "deep-research", "computer-use")
"""Parts of the names of OpenAI's models that only the Responses API offers, by its own pages."""


class Target(NamedTuple):
    """Who is asked: a provider and its own name for the model."""

    settings: ProviderSettings
    model: str


class Hooks(NamedTuple):
    """What a caller wants of a provider's connection.

    ``connect_timeout``: seconds, in place of the configured one. ``log``: takes the lines of
    ``--debug``. ``on_sent``: called when a request is on the wire. ``on_head``: called with status
    and headers when a response begins.
    """

    connect_timeout: float | None = None
    log: Callable[[str], None] | None = None
    on_sent: Callable[[], None] | None = None
    on_head: Callable[[int, Mapping[str, str]], None] | None = None


NO_HOOKS = Hooks()


def dialect_of(settings: ProviderSettings, model: str = "") -> Dialect:
    """The dialect that the provider speaks, for one model: OpenAI has two."""
    from importlib import import_module

    kind = settings.type
    if kind == "openai" and settings.name == "openai" and any(one in model for one in RESPONSES):
        kind = "openai-responses"
    module, _, name = DIALECTS[kind].partition(":")
    dialect: Dialect = getattr(import_module(module), name)()
    return dialect


def settings_of(config: Config, name: str) -> ProviderSettings:
    """The settings of a provider: the built-in row under the user's table.

    Raises ``NotFoundError`` with the nearest names, or ``ConfigError`` for a table that cannot be
    used.
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
    kind = own.type or (built_in.type if built_in else "")
    _check_table(name, kind, own.url, known=built_in is not None)
    base = built_in or ProviderSettings(name, kind, own.url or "", own.model or "")
    if own.key_env:
        base = base._replace(key_env=(own.key_env,))
    if kind == "demo" and not built_in:
        base = BUILT_IN["demo"]
    moved = bool(own.url) and own.url != base.url
    models = tuple(own.models) if own.models else (() if moved else base.models)
    aliases = base.aliases if built_in else (BUILT_IN[kind].aliases if kind in BUILT_IN else {})
    default = own.model or (models[0] if own.models else base.default_model)
    if not default and kind in BUILT_IN:
        default = BUILT_IN[kind].default_model
    return base._replace(
        type=kind,
        url=own.url or base.url,
        default_model=default,
        models=models,
        aliases=aliases,
        headers=dict(own.headers or {}),
        options={**base.options, **(own.options or {})},
        key_needed=base.key_needed and not moved,
        quirks=base.quirks._replace(strict=base.quirks.strict and not moved),
        local=base.local and not moved,
    )


def _check_table(name: str, kind: str, url: str | None, *, known: bool) -> None:
    """Raise ``ConfigError`` unless a provider can be of that type, at that URL or its usual one."""
    key = f"providers.{name}"
    types = ", ".join(one for one in DIALECTS if one != "demo")
    if not kind:
        raise ConfigError(
            f"the provider `{name}` has no `type`",
            hint=f"`darkai config set {key}.type TYPE`; types are {types}",
        )
    if kind not in DIALECTS:
        raise ConfigError(
            f"the provider `{name}` has the type `{kind}`, which is not known",
            hint=f"types are {types}",
        )
    if kind == "demo":
        if url:
            raise ConfigError(
                f"the provider `{name}` has a `url`, but `demo` answers without any service",
                hint=f"`darkai config unset {key}.url`, or `darkai config set {key}.type TYPE`",
            )
    elif not known and not url:
        raise ConfigError(
            f"the provider `{name}` has no `url`",
            hint=f"`darkai config set {key}.url https://HOST/PATH`",
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
    if wanted in config.aliases:
        return _aliased(config, chosen, wanted)
    return _find(config, chosen, wanted)


def _aliased(config: Config, chosen: ProviderSettings, alias: str) -> Target:
    """Who a user's alias means. Raises ``NotFoundError`` and its kin, which name the alias."""
    with _naming(config, alias):
        return _find(config, chosen, config.aliases[alias])


@contextmanager
def _naming(config: Config, alias: str) -> Iterator[None]:
    """Have errors name the alias, if it is one, that led to them."""
    try:
        yield
    except DarkAIError as error:
        if alias in config.aliases:
            meant = config.aliases[alias]
            error.message = f"the alias `{alias}` means `{meant}`, but {error.message}"
        raise


def _find(config: Config, chosen: ProviderSettings, wanted: str) -> Target:
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
        others, _ = usable(config)
        having = [
            other
            for other in others
            if other.name in config.providers and other.name != chosen.name and _has(other, wanted)
        ]
        if len(having) != 1:
            raise
        return Target(having[0], model_of(having[0], wanted))


def named(config: Config, name: str) -> Target:
    """Who ``provider/model`` or ``provider`` names. Raises ``NotFoundError`` and its kin."""
    first, _, rest = config.aliases.get(name, name).partition("/")
    with _naming(config, name):
        settings = settings_of(config, first)
        return Target(settings, model_of(settings, rest))


def _has(settings: ProviderSettings, name: str) -> bool:
    return settings.aliases.get(name, name) in settings.models


def usable(config: Config) -> tuple[list[ProviderSettings], list[DarkAIError]]:
    """The providers that can be used, and what is wrong with the others."""
    found, faults = [], []
    for name in names(config):
        try:
            found.append(settings_of(config, name))
        except DarkAIError as fault:
            faults.append(fault)
    return found, faults


def models(config: Config) -> tuple[list[tuple[ProviderSettings, ModelInfo]], list[DarkAIError]]:
    """Every model that a provider or an alias names, with its provider; and what cannot be used."""
    providers, faults = usable(config)
    chosen = next((one for one in providers if one.name == config.provider), None)
    own: dict[tuple[str, str], list[str]] = {}
    for alias in config.aliases:
        if chosen is None:
            break
        try:
            target = _aliased(config, chosen, alias)
        except DarkAIError as fault:
            faults.append(fault)
        else:
            own.setdefault((target.settings.name, target.model), []).append(alias)
    rows = []
    for settings in providers:
        listed = settings.models or (settings.default_model,)
        aliased = [model for name, model in own if name == settings.name]
        for model in dict.fromkeys([*listed, *aliased]):
            also = [alias for alias, target in settings.aliases.items() if target == model]
            also += own.get((settings.name, model), ())
            rows.append((settings, ModelInfo(model, tuple(also))))
    return rows, faults


def with_key(
    settings: ProviderSettings, config: Config, environ: Mapping[str, str]
) -> ProviderSettings:
    """The settings with the provider's key. Raises ``AuthError`` if it needs one and has none."""
    from darkai_cli.config import keys

    own = {name.lower() for name in settings.headers}
    if own & {"authorization", settings.quirks.key_header or "x-api-key", "x-goog-api-key"}:
        return settings  # the user's own header carries it
    key = keys.find(config, settings.name, settings.key_env, settings.url, environ)
    if key is None and settings.key_needed:
        variable = settings.key_env[0] if settings.key_env else ""
        raise AuthError(
            f"`{settings.name}` needs an API key, and there is none",
            hint=f"`darkai keys set {settings.name}`"
            + (f", or set {variable}" if variable else ""),
        )
    return settings._replace(key=key)


def provider_of(
    target: Target, config: Config, environ: Mapping[str, str], hooks: Hooks = NO_HOOKS
) -> HttpProvider:
    """The provider, ready to stream.

    Raises ``AuthError`` if it has no key and needs one, ``ConfigError`` for what cannot work.
    """
    from darkai_cli.providers.http import HttpProvider
    from darkai_cli.wire.timers import Timers

    dialect = dialect_of(target.settings, target.model)
    timers = Timers(connect=hooks.connect_timeout or config.connect_timeout)
    timers = timers.with_timeout(config.timeout)
    if target.settings.type == "demo":
        from darkai_cli.wire.transport import Link

        link = Link(timers, app=_demo_app(config), log=hooks.log, on_sent=hooks.on_sent)
        return HttpProvider(dialect, target.settings, link)
    settings = with_key(target.settings, config, environ)
    return HttpProvider(dialect, settings, link_to(settings.url, config, environ, timers, hooks))


def link_to(
    url: str,
    config: Config,
    environ: Mapping[str, str],
    timers: Timers,
    hooks: Hooks = NO_HOOKS,
) -> Link:
    """How a URL is reached: proxy, certificates. Raises ``ConfigError`` for what cannot work."""
    from darkai_cli.wire import proxy, tls

    origin = config.origin("proxy")
    route = proxy.choose(
        url,
        explicit=config.proxy,
        origin="`--proxy`" if origin.kind == "flag" else origin.where or "the config",
        by_flag=origin.kind == "flag",
        environ=environ,
    )
    secure = url.startswith("https:") or (route is not None and route.scheme == "https")
    pending = tls.PendingContext(config.ca_file, environ) if secure else None
    from darkai_cli.wire.transport import Link, check_url

    check_url(url)
    return Link(timers, route, pending, log=hooks.log, on_sent=hooks.on_sent, on_head=hooks.on_head)


def _demo_app(config: Config) -> App:
    from functools import partial

    from darkai_cli.providers.demo.service import respond

    return partial(respond, delay=config.demo_delay)


def _nearest(name: str, known: list[str], what: str) -> str:
    close = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
    if close:
        return f"did you mean {' or '.join(f'`{one}`' for one in close)}? (`darkai models`)"
    return f"{what} are {', '.join(known)}"
