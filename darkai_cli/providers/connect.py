"""How a provider is reached: its dialect, its key, its proxy and certificates."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from darkai_cli.errors import AuthError
from darkai_cli.providers.base import ProviderSettings
from darkai_cli.providers.catalog import BUILT_IN
from darkai_cli.providers.settings import DIALECTS

if TYPE_CHECKING:
    from darkai_cli.config import Config
    from darkai_cli.config.keys.lookup import KeyQuery
    from darkai_cli.http.connection import ConnectionConfig, ConnectionPool
    from darkai_cli.http.in_process import App
    from darkai_cli.http.timeouts import Timeouts
    from darkai_cli.providers.base import Dialect, Target
    from darkai_cli.providers.client import HttpProvider


RESPONSES = ("-pro", "codex", "deep-research", "computer-use")
"""Parts of the names of OpenAI's models that only the Responses API offers, by its own pages."""


LIST_SECONDS = 10.0
"""How long a service may take to list its models."""


class Hooks(NamedTuple):
    """What a caller wants of a provider's connection.

    ``connect_timeout``: seconds, in place of the configured one. ``log``: takes the lines of
    ``--debug``. ``on_sent``: called when a request is on the wire. ``on_head``: called with status
    and headers when a response begins. ``pool``: keeps connections for the next request.
    """

    connect_timeout: float | None = None
    log: Callable[[str], None] | None = None
    on_sent: Callable[[], None] | None = None
    on_head: Callable[[int, Mapping[str, str]], None] | None = None
    pool: ConnectionPool | None = None


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
    origin = config.origin(key)
    if origin.kind == "environment" and origin.where in schema.ADDRESS_VARIABLES:
        return settings.url  # key and address are a pair
    if built_in is not None and not built_in.url and origin.kind == "project":
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
        make = hooks.pool.context if hooks.pool is not None else tls.PendingContext
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
        pool=hooks.pool,
    )


def _demo_app(config: Config) -> App:
    from functools import partial

    from darkai_cli.providers.demo.service import respond

    return partial(respond, delay=config.demo_delay)
