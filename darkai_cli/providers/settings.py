"""The settings of a provider: its built-in row under the user's ``[providers.NAME]`` table.

Azure's addresses, which come in several forms, are brought into the one that the dialect needs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from darkai_cli.errors import ConfigError, NotFoundError
from darkai_cli.providers.base import ProviderSettings, Quirks
from darkai_cli.providers.catalog import BUILT_IN
from darkai_cli.providers.dialect import close_to, either
from darkai_cli.secrets import origin_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from darkai_cli.config import Config
    from darkai_cli.config.config import ProviderConfig

DIALECTS: Mapping[str, str] = {
    "darkai": "darkai_cli.providers.darkai:DarkAIDialect",
    "openai": "darkai_cli.providers.openai:OpenAIDialect",
    "openai-responses": "darkai_cli.providers.openai_responses:ResponsesDialect",
    "anthropic": "darkai_cli.providers.anthropic:AnthropicDialect",
    "gemini": "darkai_cli.providers.gemini:GeminiDialect",
    "ollama": "darkai_cli.providers.ollama:OllamaDialect",
    "demo": "darkai_cli.providers.darkai:DarkAIDialect",
}
"""Each type's dialect: module and class, imported when it is used."""

_OWN_MODELS = ("darkai", "demo")
"""Types whose default model holds at any URL. Servers of all other types have models of their own,
so that no default is inherited and the server is asked."""

_AZURE = (".openai.azure.com", ".services.ai.azure.com", ".cognitiveservices.azure.com")
"""The hosts of Azure's resources. Source: the page that the row ``azure`` names."""


def provider_names(config: Config) -> list[str]:
    """Return all providers: the built-in ones, then the user's."""
    return [*BUILT_IN, *(name for name in config.providers if name not in BUILT_IN)]


def settings_of(config: Config, name: str) -> ProviderSettings:
    """Return the settings of a provider: the built-in row under the user's table.

    The options of every request are merged: those of the row, over them the configuration's for all
    providers, over them the table's. Raises ``NotFoundError`` with the nearest names, or
    ``ConfigError`` for a table that cannot be used.
    """
    built_in = BUILT_IN.get(name)
    own = config.providers.get(name)
    if own is None:
        if built_in is None:
            raise NotFoundError(
                f"No provider named `{name}`",
                hint=suggest(name, provider_names(config), "providers"),
            )
        if not built_in.url:
            raise _no_url(name)
        return built_in._replace(options={**built_in.options, **config.options})
    kind = own.type or (built_in.type if built_in else "")
    _check(name, kind, own.url, built_in)
    base = built_in or ProviderSettings(name, kind, own.url or "", own.model or "")
    if kind == "demo" and not built_in:
        base = BUILT_IN["demo"]
    settings = _merged(base, kind, own)
    weaker = {**base.options, **config.options}
    settings = settings._replace(options={**weaker, **(own.options or {})})
    return _azure(settings, chosen=own.model is not None) if kind.startswith("openai") else settings


def _merged(base: ProviderSettings, kind: str, own: ProviderConfig) -> ProviderSettings:
    """Return the row with what the table sets; at another URL, less is known of the service."""
    elsewhere = bool(base.url and own.url) and own.url != base.url
    inherited = base if kind == base.type and base.name in BUILT_IN else BUILT_IN.get(kind, base)
    default = inherited.default_model
    if (elsewhere or base.name not in BUILT_IN) and kind not in _OWN_MODELS:
        default = ""
    if own.model:
        default = own.model
    elif own.models:
        default = own.models[0]
    quirks = base.quirks if kind == base.type else Quirks()
    if elsewhere and quirks.strict:  # OpenAI, Anthropic, Google themselves
        quirks = quirks._replace(strict=False, limit="")
    return base._replace(
        type=kind,
        url=own.url or base.url,
        default_model=default,
        models=own.models or (() if elsewhere else base.models),
        aliases=inherited.aliases,
        headers=dict(own.headers or {}),
        key_env=(own.key_env,) if own.key_env else base.key_env,
        key_needed=base.key_needed and not elsewhere,
        quirks=quirks,
        local=base.local and (not elsewhere or is_local_url(own.url or "")),
        context=own.context,
    )


def is_local_url(url: str) -> bool:
    """Return whether the URL leads to this machine."""
    from darkai_cli.secrets import is_loopback

    return is_loopback(origin_of(url)[1])


def _azure(settings: ProviderSettings, *, chosen: bool) -> ProviderSettings:
    """Return the settings of a resource of Azure's with the URL that the dialect needs.

    There are two forms: ``/openai/v1`` with the deployment as the model, and the older
    ``/openai/deployments/NAME?api-version=DATE``, which has no list of models. Raises
    ``ConfigError``.
    """
    host = origin_of(settings.url)[1]
    if not host.endswith(_AZURE):  # another service, or a company's own gateway to Azure
        return settings
    quirks = settings.quirks._replace(limit="max_completion_tokens", key_header="api-key")
    base, mark, query = settings.url.partition("?")
    root, _, path = base.partition("://")[2].rstrip("/").partition("/")
    if path in ("", "openai"):
        base = f"{base.partition('://')[0]}://{root}/openai/v1"
    _, deployed, rest = path.partition("openai/deployments/")
    if not deployed:
        return settings._replace(url=f"{base}{mark}{query}", quirks=quirks)
    if "api-version=" not in query:
        raise ConfigError(
            f"The `url` of the provider `{settings.name}` names a deployment, but no `api-version`",
            hint=f"`darkai config set providers.{settings.name}.url https://{root}`, or append "
            "`?api-version=DATE` to it",
        )
    name = rest.partition("/")[0]
    return settings._replace(
        quirks=quirks._replace(models_path=""),
        default_model=settings.default_model if chosen else name,
    )


def _check(name: str, kind: str, url: str | None, built_in: ProviderSettings | None) -> None:
    """Raise ``ConfigError`` unless a provider can have that type and URL."""
    key = f"providers.{name}"
    types = ", ".join(kind_name for kind_name in DIALECTS if kind_name != "demo")
    if not kind:
        raise ConfigError(
            f"The provider `{name}` has no `type`",
            hint=f"`darkai config set {key}.type TYPE`; types are {types}",
        )
    if kind not in DIALECTS:
        raise ConfigError(
            f"The provider `{name}` has the unknown type `{kind}`",
            hint=f"Types are {types}",
        )
    if kind == "demo":
        if url:
            raise ConfigError(
                f"The provider `{name}` has a `url`, but the type `demo` uses no service",
                hint=f"`darkai config unset {key}.url`, or `darkai config set {key}.type TYPE`",
            )
    elif not url and not (built_in and built_in.url):
        raise _no_url(name)


def _no_url(name: str) -> ConfigError:
    hint = f"`darkai config set providers.{name}.url https://HOST/PATH`"
    if name == "azure":
        hint = (
            "`darkai config set providers.azure.url https://RESOURCE.openai.azure.com`, or set "
            "`AZURE_OPENAI_ENDPOINT`"
        )
    return ConfigError(f"The provider `{name}` has no `url`", hint=hint)


def suggest(name: str, known: Iterable[str], what: str) -> str:
    """Return a hint with the names most similar to ``name``, or with some of all names.

    ``what``: ``models``, ``providers`` or ``aliases``.
    """
    listed = list(known)
    close = close_to(name, listed)
    lists = _LISTS.get(what, "")
    if close:
        return f"Did you mean {either(close)}?{f' {lists}' if lists else ''}"
    names = ", ".join(listed[:_MAX_NAMES])
    more = " ..." if len(listed) > _MAX_NAMES else ""
    return f"The {what} are {names}{more}{f'; {lists}' if lists else ''}"


_MAX_NAMES = 40
_LISTS = {"models": "`darkai models` lists all", "aliases": "`darkai models alias` lists all"}
