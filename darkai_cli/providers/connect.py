"""Reach a provider: find its dialect, key, proxy and certificates, and make the client.

Nothing is sent here. The functions raise ``AuthError`` for a missing key and ``ConfigError`` for
settings that cannot work.
"""

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
"""The time limit for a list of models."""


class Hooks(NamedTuple):
    """What a caller adds to a provider's connection.

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
    """Return the dialect of the provider for a model: OpenAI has two."""
    from importlib import import_module

    kind = settings.type
    if kind == "openai" and settings.name == "openai" and any(part in model for part in RESPONSES):
        kind = "openai-responses"
    module, _, name = DIALECTS[kind].partition(":")
    dialect: Dialect = getattr(import_module(module), name)()
    return dialect


def key_query(settings: ProviderSettings, config: Config) -> KeyQuery:
    """Return what must be known of a provider to find its key."""
    from darkai_cli.config.keys.lookup import KeyQuery

    return KeyQuery(
        settings.name,
        settings.key_env,
        settings.url,
        _home_url(settings, config),
        lambda: key_variables(config),
    )


def _home_url(settings: ProviderSettings, config: Config) -> str:
    """Return the URL that the provider's usual variables belong to; "" if that is its own URL."""
    from darkai_cli.config import schema

    built_in = BUILT_IN.get(settings.name)
    key = f"providers.{settings.name}.url"
    origin = config.origin(key)
    if origin.kind == "environment" and origin.where in schema.ADDRESS_VARIABLES:
        # A variable for the address and one for the key are a pair.
        return settings.url
    if built_in is not None and not built_in.url and origin.kind == "project":
        # The user did not set the key for an address that a project names.
        return "https://nowhere.invalid"
    return built_in.url if built_in is not None else ""


def own_key_header(settings: ProviderSettings) -> str | None:
    """Return the name of the user's own header that carries the key; None if there is none."""
    carriers = {"authorization", settings.quirks.key_header or "x-api-key", "x-goog-api-key"}
    return next((name for name in settings.headers if name.lower() in carriers), None)


def key_variables(config: Config) -> set[str]:
    """Return the environment variables of all keys: built-in names, and those of the user."""
    rows = BUILT_IN.values()
    own = (table.key_env for table in config.providers.values())
    return {*(name for row in rows for name in row.key_env), *(name for name in own if name)}


def with_key(
    settings: ProviderSettings, config: Config, environ: Mapping[str, str]
) -> ProviderSettings:
    """Return the settings with the key. Raises ``AuthError`` if one is needed and missing."""
    from darkai_cli.config.keys import lookup

    query = key_query(settings, config)
    header = own_key_header(settings)
    if header:  # it carries the key, so the rules for keys hold for it
        lookup.of_header(config, query, header, settings.headers[header])
        return settings
    key = lookup.find(config, query, environ)
    settings = settings._replace(key_env=tuple(lookup.counting(config, query)))
    if key is None and settings.key_needed:
        variable = settings.key_env[0] if settings.key_env else ""
        raise AuthError(
            f"No API key set for `{settings.name}`",
            hint=f"`darkai keys set {settings.name}`"
            + (f", or set {variable}" if variable else ""),
        )
    return settings._replace(key=key)


def client_for(
    target: Target, config: Config, environ: Mapping[str, str], hooks: Hooks = NO_HOOKS
) -> HttpProvider:
    """Return a client that is ready to stream replies."""
    from darkai_cli.http.timeouts import Timeouts
    from darkai_cli.providers.client import HttpProvider

    dialect = dialect_of(target.settings, target.model)
    timeouts = Timeouts(connect=hooks.connect_timeout or config.connect_timeout)
    timeouts = timeouts.with_timeout(config.timeout)
    if target.settings.type == "demo":
        from darkai_cli.http.connection import ConnectionConfig

        connection = ConnectionConfig(
            timeouts, app=_demo_app(config), log=hooks.log, on_sent=hooks.on_sent
        )
        return HttpProvider(dialect, target.settings, connection)
    settings = with_key(target.settings, config, environ)
    connection = connection_for(settings.url, config, environ, timeouts, hooks)
    _check_proxy(settings, connection)
    return HttpProvider(dialect, settings, connection)


def _check_proxy(settings: ProviderSettings, connection: ConnectionConfig) -> None:
    """Raise ``ConfigError`` if a proxy would see the key."""
    if settings.key is not None and connection.proxy is not None:
        settings.key.check_proxy(settings.url, connection.proxy.host)


def model_client(
    settings: ProviderSettings,
    config: Config,
    environ: Mapping[str, str],
    seconds: float = LIST_SECONDS,
) -> HttpProvider:
    """Return a client that is ready to list models. ``seconds``: the limit for each answer."""
    from darkai_cli.http.timeouts import Timeouts
    from darkai_cli.providers.client import HttpProvider

    timeouts = Timeouts(min(seconds, config.connect_timeout), seconds, seconds, seconds)
    settings_with_key = with_key(settings, config, environ)
    connection = connection_for(settings.url, config, environ, timeouts)
    _check_proxy(settings_with_key, connection)
    return HttpProvider(dialect_of(settings), settings_with_key, connection)


def connection_for(
    url: str,
    config: Config,
    environ: Mapping[str, str],
    timeouts: Timeouts,
    hooks: Hooks = NO_HOOKS,
) -> ConnectionConfig:
    """Return how a URL is reached: timeouts, proxy, certificates."""
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
    tls_context = None
    if secure:
        from darkai_cli.http import tls

        trust = tls.Trust(config.ca_file, config.client_cert, config.client_key)
        make_context = hooks.pool.context if hooks.pool is not None else tls.PendingContext
        tls_context = make_context(trust, environ)
    from darkai_cli.http.connection import ConnectionConfig, check_url

    check_url(url)
    return ConnectionConfig(
        timeouts,
        route,
        tls_context,
        log=hooks.log,
        on_sent=hooks.on_sent,
        on_head=hooks.on_head,
        pool=hooks.pool,
    )


def _demo_app(config: Config) -> App:
    from functools import partial

    from darkai_cli.providers.demo.service import respond

    return partial(respond, delay=config.demo_delay)
