"""Names to providers: what ``-p``, ``-m`` and the configuration mean.

A model name is resolved in the order of the product's promise: ``provider/name``; a user's alias;
the chosen or default provider's own alias or model; a unique match in another configured provider.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from darkai_cli import stdio
from darkai_cli.errors import (
    ConfigError,
    DarkAIError,
    NotFoundError,
    UnknownModelError,
    UsageError,
)
from darkai_cli.providers.base import ProviderSettings, Target
from darkai_cli.providers.catalog import BUILT_IN
from darkai_cli.providers.connect import model_client
from darkai_cli.providers.dialect import close_to, either
from darkai_cli.providers.settings import DIALECTS, is_here, names, nearest, settings_of

if TYPE_CHECKING:
    from darkai_cli.config import Config

__all__ = ("DIALECTS", "names", "settings_of")  # beside what is defined here


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
