"""Names to providers: what ``-p``, ``-m`` and the config mean, and how each provider is reached.

A model name is resolved in the order of the product's promise: ``provider/name``; a user's alias;
the chosen or default provider's own alias or model; a unique match in another configured provider.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from darkai_cli import stdio
from darkai_cli.errors import (
    AuthError,
    ConfigError,
    DarkAIError,
    NotFoundError,
    UnknownModelError,
    UsageError,
)
from darkai_cli.providers.base import ProviderSettings
from darkai_cli.providers.catalog import BUILT_IN
from darkai_cli.providers.dialect import close_to, either
from darkai_cli.providers.settings import DIALECTS, is_here, names, nearest, settings_of

if TYPE_CHECKING:
    from darkai_cli.config import Config
    from darkai_cli.config.keys.lookup import KeyQuery
    from darkai_cli.http.connection import ConnectionConfig
    from darkai_cli.http.in_process import App
    from darkai_cli.http.session import Session
    from darkai_cli.http.timeouts import Timeouts
    from darkai_cli.providers.base import Dialect
    from darkai_cli.providers.client import HttpProvider

__all__ = ("DIALECTS", "names", "settings_of")  # beside what is defined here

RESPONSES = ("-pro", "codex", "deep-research", "computer-use")
"""Parts of the names of OpenAI's models that only the Responses API offers, by its own pages."""


LIST_SECONDS = 10.0
"""How long a service may take to list its models."""


class Target(NamedTuple):
    """Who is asked: a provider and its own name for the model."""

    settings: ProviderSettings
    model: str


class Hooks(NamedTuple):
    """What a caller wants of a provider's connection.

    ``connect_timeout``: seconds, in place of the configured one. ``log``: takes the lines of
    ``--debug``. ``on_sent``: called when a request is on the wire. ``on_head``: called with status
    and headers when a response begins. ``session``: keeps connections for the next request.
    """

    connect_timeout: float | None = None
    log: Callable[[str], None] | None = None
    on_sent: Callable[[], None] | None = None
    on_head: Callable[[int, Mapping[str, str]], None] | None = None
    session: Session | None = None


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
        hint=nearest(name, [*settings.models, *settings.aliases], "models"),
    )


def resolve(config: Config) -> Target:
    """Who is asked, by flags, environment and config, with the model.

    A server on this machine for which no model is named is asked which it has. Raises
    ``NotFoundError`` and its kin; ``UsageError`` where a model has to be named.
    """
    return with_model(configured_target(config), config)


def configured_target(config: Config) -> Target:
    """The same without any request: the model is "" where none was named and none is usual."""
    provider = settings_of(config, config.provider)
    wanted = config.model
    if not wanted:
        return Target(provider, provider.default_model)
    first, slash, _ = wanted.partition("/")
    if wanted in config.aliases and not (slash and first in names(config)):
        return resolve_alias(config, wanted, provider)
    return _find(config, provider, wanted)


def resolve_alias(config: Config, alias: str, provider: ProviderSettings | None = None) -> Target:
    """Who a user's alias means, where ``provider``, or the configured one, is chosen.

    Raises ``NotFoundError`` and its kin, which name the alias.
    """
    if provider is None:
        provider = settings_of(config, config.provider)
    meant = config.aliases[alias]
    first, slash, rest = meant.partition("/")
    with _naming(config, alias):
        if not (slash and rest and first in names(config)) or first == provider.name:
            return _find(config, provider, meant)
        if alias == config.model and _chosen_with_it(config) and not _has(provider, meant):
            raise UsageError(
                f"`{provider.name}` is the provider that was chosen",
                hint=f"name a model of `{provider.name}`, or leave the provider out",
            )
        return parse_model_name(config, meant)


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


def parse_model_name(config: Config, name: str) -> Target:
    """Who ``provider/model`` names, whoever is chosen. Raises ``NotFoundError`` and its kin."""
    first, _, rest = name.partition("/")
    settings = settings_of(config, first)
    return Target(settings, model_of(settings, rest))


def _find(config: Config, provider: ProviderSettings, wanted: str) -> Target:
    first, slash, rest = wanted.partition("/")
    if slash and rest and first in names(config):
        if first == provider.name:
            return Target(provider, model_of(provider, rest))
        if _is_provider(config, provider, first):
            return parse_model_name(config, wanted)
    try:
        return Target(provider, model_of(provider, wanted))
    except UnknownModelError as error:
        slip = _slip(config, wanted)
        error.hint = slip or error.hint
        if config.chosen("provider") or slip:
            raise
        others = [one for one in usable_providers(config)[0] if one.name != provider.name]
        having = [one for one in others if _has(one, wanted)]
        if len(having) == 1:
            return Target(having[0], model_of(having[0], wanted))
        known = [f"{one.name}/{model}" for one in others for model in known_models(one)]
        if having or known:
            fits = [f"{one.name}/{wanted}" for one in having]
            own = [*provider.models, *provider.aliases]
            error.hint = (
                f"did you mean {either(fits)}? (`darkai models`)"
                if fits
                else nearest(wanted, [*own, *known], "models")
            )
        raise


def _slip(config: Config, wanted: str) -> str:
    """A hint for a model's name that is a provider's, or begins with what is nearly one; or ""."""
    first, slash, rest = wanted.partition("/")
    if first in names(config):
        if rest:
            return ""
        return f"`{first}` is a provider: `-p {first}`, `darkai models list -p {first}`"
    close = close_to(first, names(config)) if slash and rest else []
    return f"did you mean {either(f'{one}/{rest}' for one in close)}?" if close else ""


_STRENGTH = ("default", "user", "project", "environment", "flag")


def _is_provider(config: Config, provider: ProviderSettings, first: str) -> bool:
    """Whether ``first/NAME`` means that provider, and no model of the chosen one with a slash.

    Many services name models ``openai/gpt-4o``. A provider that was chosen with the model, or after
    it, has the model; a model that was chosen later leads elsewhere if that can be used, or if the
    chosen one is known to have no such names.
    """
    if not config.chosen("provider"):
        return True
    if _chosen_with_it(config) or not _strength(config, "model") > _strength(config, "provider"):
        return False
    if first in configured_providers(config) or BUILT_IN[first].local:
        return True
    has = known_models(provider)
    if len(has) > 1:
        return not any(one.startswith(f"{first}/") for one in has)
    return provider.quirks.strict  # OpenAI, Anthropic, Google: no name of theirs has a slash


def _strength(config: Config, key: str) -> int:
    return _STRENGTH.index(config.origin(key).kind)


def _chosen_with_it(config: Config) -> bool:
    """Whether the provider was named outright, and the model not after it."""
    provider = _strength(config, "provider")
    return provider >= _STRENGTH.index("environment") and provider >= _strength(config, "model")


def known_models(settings: ProviderSettings) -> Sequence[str]:
    """The models of a provider, as far as they are known without asking it."""
    if settings.models:
        return settings.models
    from darkai_cli.providers import model_cache

    found = [model.name for model in model_cache.read(settings.name, settings.url, old=True) or ()]
    default = settings.default_model
    return found if not default or default in found else [default, *found]


def has(config: Config, name: str) -> bool:
    """Whether the configured provider is known to have a model of exactly that name."""
    try:
        return _has(settings_of(config, config.provider), name)
    except DarkAIError:
        return False


def _has(settings: ProviderSettings, name: str) -> bool:
    return settings.aliases.get(name, name) in known_models(settings)


def target_by_name(config: Config, name: str) -> Target:
    """Who ``provider/model`` or ``provider`` names. Raises ``NotFoundError`` and its kin."""
    with _naming(config, name):
        return with_model(parse_model_name(config, config.aliases.get(name, name)), config)


def with_model(target: Target, config: Config) -> Target:
    """The target with a model: a server on this machine is asked for its first one.

    Raises ``UsageError`` for any other provider without a default, ``ProviderError`` if the server
    does not answer.
    """
    settings = target.settings
    if target.model:
        return target
    if not is_here(settings.url):
        raise UsageError(
            f"no model is named, and `{settings.name}` has no default",
            hint=f"`-m {settings.name}/MODEL`; `darkai models list -p {settings.name}` lists them",
        )
    found = _FIRST.get(settings.url)
    if found is None:
        models = [model.name for model in model_client(settings, config, stdio.environ()).models()]
        first = first_of(models)
        if first is None:
            raise NotFoundError(
                f"`{settings.name}` at {settings.host} has no model",
                hint="`ollama pull MODEL`" if settings.type == "ollama" else "load one there",
            )
        found = _FIRST[settings.url] = first
    return Target(settings, found)


def first_of(models: Sequence[str]) -> str | None:
    """The first that a local server's models are asked by, where none is named.

    Not what Ollama passes on to its own service (``-cloud``), and no embedding.
    """
    fit = (name for name in models if not name.endswith("cloud") and "embed" not in name)
    return next(fit, None)


_FIRST: dict[str, str] = {}
"""Which model the server at a URL has, in this process: it is asked for the name only once."""


def configured_providers(config: Config) -> list[str]:
    """The providers that the user has set up: by a table, or by a key that needs no command.

    ``darkai`` and ``demo`` need nothing. A key that serves other programs too does not count.
    """
    from darkai_cli.config import schema
    from darkai_cli.config.keys import file

    values = stdio.environ()
    try:
        kept = file.entries(values)
    except ConfigError:  # told where a key is needed
        kept = {}
    found = []
    for name in names(config):
        variables = schema.BUILT_IN_PROVIDERS.get(name, ())
        told = name in schema.NEED_NOTHING or name in config.providers or name in kept
        if told or any(values.get(variable, "").strip() for variable in variables):
            found.append(name)
    return found


def usable_providers(config: Config) -> tuple[list[ProviderSettings], list[DarkAIError]]:
    """The configured providers that can be used, and what is wrong with the others."""
    found, faults = [], []
    for name in configured_providers(config):
        try:
            found.append(settings_of(config, name))
        except DarkAIError as fault:
            faults.append(fault)
    return found, faults


def key_query(settings: ProviderSettings, config: Config) -> KeyQuery:
    """What must be known of a provider to find its key."""
    from darkai_cli.config.keys.lookup import KeyQuery

    return KeyQuery(
        settings.name,
        settings.key_env,
        settings.url,
        _home(settings, config),
        lambda: key_variables(config),
    )


def _home(settings: ProviderSettings, config: Config) -> str:
    """Where the provider's usual variables belong to; "" where they follow its URL."""
    from darkai_cli.config import schema

    built_in = BUILT_IN.get(settings.name)
    key = f"providers.{settings.name}.url"
    kind = config.kind(key)
    if kind == "environment" and config.origin(key).where in schema.ADDRESS_VARIABLES:
        return settings.url  # key and address are a pair
    if built_in is not None and not built_in.url and kind == "project":
        return "https://nowhere.invalid"  # the key was not set for what a project names
    return built_in.url if built_in is not None else ""


def own_key_header(settings: ProviderSettings) -> str | None:
    """The name of the user's own header that carries the provider's key, if there is one."""
    carriers = {"authorization", settings.quirks.key_header or "x-api-key", "x-goog-api-key"}
    return next((name for name in settings.headers if name.lower() in carriers), None)


def key_variables(config: Config) -> set[str]:
    """The environment variables of all keys: the usual ones, and those that the user names."""
    rows = BUILT_IN.values()
    own = (table.key_env for table in config.providers.values())
    return {*(name for row in rows for name in row.key_env), *(name for name in own if name)}


def with_key(
    settings: ProviderSettings, config: Config, environ: Mapping[str, str]
) -> ProviderSettings:
    """The settings with the provider's key. Raises ``AuthError`` if it needs one and has none."""
    from darkai_cli.config.keys import lookup

    seeker = key_query(settings, config)
    header = own_key_header(settings)
    if header:  # it carries the key, and goes nowhere that a key would not
        lookup.of_header(config, seeker, header, settings.headers[header])
        return settings
    key = lookup.find(config, seeker, environ)
    settings = settings._replace(key_env=tuple(lookup.counting(config, seeker)))
    if key is None and settings.key_needed:
        variable = settings.key_env[0] if settings.key_env else ""
        raise AuthError(
            f"`{settings.name}` needs an API key, and there is none",
            hint=f"`darkai keys set {settings.name}`"
            + (f", or set {variable}" if variable else ""),
        )
    return settings._replace(key=key)


def client_for(
    target: Target, config: Config, environ: Mapping[str, str], hooks: Hooks = NO_HOOKS
) -> HttpProvider:
    """The provider, ready to stream.

    Raises ``AuthError`` if it has no key and needs one, ``ConfigError`` for what cannot work.
    """
    from darkai_cli.http.timeouts import Timeouts
    from darkai_cli.providers.client import HttpProvider

    dialect = dialect_of(target.settings, target.model)
    timers = Timeouts(connect=hooks.connect_timeout or config.connect_timeout)
    timers = timers.with_timeout(config.timeout)
    if target.settings.type == "demo":
        from darkai_cli.http.connection import ConnectionConfig

        link = ConnectionConfig(timers, app=_demo_app(config), log=hooks.log, on_sent=hooks.on_sent)
        return HttpProvider(dialect, target.settings, link)
    settings = with_key(target.settings, config, environ)
    link = connection_for(settings.url, config, environ, timers, hooks)
    _check_way(settings, link)
    return HttpProvider(dialect, settings, link)


def _check_way(settings: ProviderSettings, link: ConnectionConfig) -> None:
    """Raise ``ConfigError`` if a proxy would see the key."""
    if settings.key is not None and link.proxy is not None:
        settings.key.check_proxy(settings.url, link.proxy.host)


def model_client(
    settings: ProviderSettings,
    config: Config,
    environ: Mapping[str, str],
    seconds: float = LIST_SECONDS,
) -> HttpProvider:
    """The provider, ready to tell its models. Raises as ``provider_of`` does."""
    from darkai_cli.http.timeouts import Timeouts
    from darkai_cli.providers.client import HttpProvider

    limits = Timeouts(min(seconds, config.connect_timeout), seconds, seconds, seconds)
    keyed = with_key(settings, config, environ)
    link = connection_for(settings.url, config, environ, limits)
    _check_way(keyed, link)
    return HttpProvider(dialect_of(settings), keyed, link)


def connection_for(
    url: str,
    config: Config,
    environ: Mapping[str, str],
    timers: Timeouts,
    hooks: Hooks = NO_HOOKS,
) -> ConnectionConfig:
    """How a URL is reached: proxy, certificates. Raises ``ConfigError`` for what cannot work."""
    from darkai_cli.http import proxy

    origin = config.origin("proxy")
    route = proxy.choose(
        url,
        explicit=config.proxy,
        origin="`--proxy`" if origin.kind == "flag" else origin.where or "the config",
        by_flag=origin.kind == "flag",
        environ=environ,
    )
    secure = url.lower().startswith("https:") or (route is not None and route.scheme == "https")
    pending = None
    if secure:
        from darkai_cli.http import tls

        trust = tls.Trust(config.ca_file, config.client_cert, config.client_key)
        make = hooks.session.context if hooks.session is not None else tls.PendingContext
        pending = make(trust, environ)
    from darkai_cli.http.connection import ConnectionConfig, check_url

    check_url(url)
    return ConnectionConfig(
        timers,
        route,
        pending,
        log=hooks.log,
        on_sent=hooks.on_sent,
        on_head=hooks.on_head,
        session=hooks.session,
    )


def _demo_app(config: Config) -> App:
    from functools import partial

    from darkai_cli.providers.demo.service import respond

    return partial(respond, delay=config.demo_delay)
