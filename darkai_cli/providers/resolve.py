"""Resolve names: the provider and model that ``-p``, ``-m`` and the configuration mean.

A model name is resolved in this order: ``provider/name``; a user's alias; an alias or model of the
chosen or default provider; a unique match in another configured provider. The functions raise
``NotFoundError`` or a subclass for a name without a match, with the nearest names as a hint.
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
from darkai_cli.providers.settings import (
    is_local_url,
    provider_names,
    settings_of,
    suggest,
)

if TYPE_CHECKING:
    from darkai_cli.config import Config


def model_of(settings: ProviderSettings, name: str | None) -> str:
    """Return the provider's own name for a model or alias; its default for None or "".

    Any name is accepted if the provider's models are not known. Raises ``UnknownModelError``.
    """
    if not name:
        return settings.default_model
    name = settings.aliases.get(name, name)
    if not settings.models or name in settings.models:
        return name
    raise UnknownModelError(
        f"`{settings.name}` has no model named `{name}`",
        hint=suggest(name, [*settings.models, *settings.aliases], "models"),
    )


def resolve(config: Config) -> Target:
    """Return provider and model by flags, environment and configuration.

    A server on this machine is asked for its models if none is named. Raises ``NotFoundError`` and
    its subclasses, or ``UsageError`` if a model has to be named.
    """
    return with_model(configured_target(config), config)


def configured_target(config: Config) -> Target:
    """Return provider and model without a request; "" for a model that nothing names."""
    provider = settings_of(config, config.provider)
    wanted = config.model
    if not wanted:
        return Target(provider, provider.default_model)
    first, slash, _ = wanted.partition("/")
    if wanted in config.aliases and not (slash and first in provider_names(config)):
        return resolve_alias(config, wanted, provider)
    return _find(config, provider, wanted)


def resolve_alias(config: Config, alias: str, provider: ProviderSettings | None = None) -> Target:
    """Return provider and model that a user's alias means.

    ``provider``: the chosen one; by default the configured one. Errors name the alias.
    """
    if provider is None:
        provider = settings_of(config, config.provider)
    name = config.aliases[alias]
    first, slash, rest = name.partition("/")
    with _naming(config, alias):
        if not (slash and rest and first in provider_names(config)) or first == provider.name:
            return _find(config, provider, name)
        if alias == config.model and _chosen_with_it(config) and not _has(provider, name):
            raise UsageError(
                f"`{provider.name}` is the chosen provider",
                hint=f"Choose a model of `{provider.name}`, or leave out the provider",
            )
        return parse_model_name(config, name)


@contextmanager
def _naming(config: Config, alias: str) -> Iterator[None]:
    """Add the alias, if it is one, to the message of errors."""
    try:
        yield
    except DarkAIError as error:
        if alias in config.aliases:
            name = config.aliases[alias]
            error.message = f"The alias `{alias}` means `{name}`: {error.message}"
        raise


def parse_model_name(config: Config, name: str) -> Target:
    """Return the target of ``provider/model``, whatever provider is chosen."""
    first, _, rest = name.partition("/")
    settings = settings_of(config, first)
    return Target(settings, model_of(settings, rest))


def _find(config: Config, provider: ProviderSettings, wanted: str) -> Target:
    """Return the target of a name that is no alias of the user's; ``provider``: the chosen one."""
    first, slash, rest = wanted.partition("/")
    if slash and rest and first in provider_names(config):
        if first == provider.name:
            return Target(provider, model_of(provider, rest))
        if _is_provider(config, provider, first):
            return parse_model_name(config, wanted)
    try:
        return Target(provider, model_of(provider, wanted))
    except UnknownModelError as error:
        hint = _provider_hint(config, wanted)
        if hint:
            error.hint = hint
        if hint or config.chosen("provider"):
            raise
        return _find_elsewhere(config, provider, wanted, error)


def _find_elsewhere(
    config: Config, provider: ProviderSettings, wanted: str, error: UnknownModelError
) -> Target:
    """Return the unique match in another configured provider.

    Raises ``error`` if there is none, or more than one, with names of all providers in the hint.
    """
    others = [other for other in usable_providers(config)[0] if other.name != provider.name]
    matches = [other for other in others if _has(other, wanted)]
    if len(matches) == 1:
        return Target(matches[0], model_of(matches[0], wanted))
    known = [f"{other.name}/{model}" for other in others for model in known_models(other)]
    if matches:
        full_names = either(f"{other.name}/{wanted}" for other in matches)
        error.hint = f"Did you mean {full_names}? `darkai models` lists all"
    elif known:
        error.hint = suggest(wanted, [*provider.models, *provider.aliases, *known], "models")
    raise error


def _provider_hint(config: Config, wanted: str) -> str:
    """Return a hint for a model's name that is or begins with a provider's, perhaps misspelt."""
    first, slash, rest = wanted.partition("/")
    if first in provider_names(config):
        if rest:
            return ""
        lists = f"`darkai models list -p {first}`"
        return f"`{first}` is a provider: use `-p {first}`; {lists} lists its models"
    close = close_to(first, provider_names(config)) if slash and rest else []
    return f"Did you mean {either(f'{similar}/{rest}' for similar in close)}?" if close else ""


_STRENGTH = ("default", "user", "project", "environment", "flag")


def _is_provider(config: Config, provider: ProviderSettings, first: str) -> bool:
    """Return whether ``first/NAME`` names a provider, not a model of the chosen provider.

    Many services name models ``openai/gpt-4o``. If the provider was chosen with the model or after
    it, the name is a model of that provider. If the model was chosen after the provider, the name
    is another provider's if that can be used, or if the chosen one is known to have no such names.
    """
    if not config.chosen("provider"):
        return True
    if _chosen_with_it(config) or not _strength(config, "model") > _strength(config, "provider"):
        return False
    if first in configured_providers(config) or BUILT_IN[first].local:
        return True
    has = known_models(provider)
    if len(has) > 1:
        return not any(model.startswith(f"{first}/") for model in has)
    return provider.quirks.strict  # OpenAI, Anthropic, Google: no name of theirs has a slash


def _strength(config: Config, key: str) -> int:
    return _STRENGTH.index(config.origin(key).kind)


def _chosen_with_it(config: Config) -> bool:
    """Return whether a flag or variable names the provider, and none the model after it."""
    provider = _strength(config, "provider")
    return provider >= _STRENGTH.index("environment") and provider >= _strength(config, "model")


def known_models(settings: ProviderSettings) -> Sequence[str]:
    """Return the models of a provider that are known without a request."""
    if settings.models:
        return settings.models
    from darkai_cli.providers import model_cache

    models = [model.name for model in model_cache.read(settings.name, settings.url, old=True) or ()]
    default = settings.default_model
    return models if not default or default in models else [default, *models]


def has(config: Config, name: str) -> bool:
    """Return whether the configured provider is known to have a model of exactly that name."""
    try:
        return _has(settings_of(config, config.provider), name)
    except DarkAIError:
        return False


def _has(settings: ProviderSettings, name: str) -> bool:
    return settings.aliases.get(name, name) in known_models(settings)


def target_by_name(config: Config, name: str) -> Target:
    """Return the target of ``provider/model``, ``provider`` or an alias, with a model."""
    with _naming(config, name):
        return with_model(parse_model_name(config, config.aliases.get(name, name)), config)


def with_model(target: Target, config: Config) -> Target:
    """Return the target with a model name filled in.

    A server on this machine is asked for its first model that can chat, once per process. Raises
    ``UsageError`` for any other provider without a default, ``ProviderError`` if the server does
    not answer.
    """
    settings = target.settings
    if target.model:
        return target
    if not is_local_url(settings.url):
        raise UsageError(
            f"No model chosen, and `{settings.name}` has no default",
            hint=f"`darkai models list -p {settings.name}` lists them; choose one with "
            f"`-m {settings.name}/MODEL`",
        )
    name = _FIRST.get(settings.url)
    if name is None:
        models = [model.name for model in model_client(settings, config, stdio.environ()).models()]
        first = first_chat_model(models)
        if first is None:
            raise NotFoundError(
                f"`{settings.name}` at {settings.host} has no models",
                hint="`ollama pull MODEL`" if settings.type == "ollama" else "Load a model there",
            )
        name = _FIRST[settings.url] = first
    return Target(settings, name)


def first_chat_model(models: Sequence[str]) -> str | None:
    """Return the first model of a local server that can chat; None if there is none.

    Embeddings are left out, and what Ollama passes on to its own service (``-cloud``).
    """
    chat_models = (name for name in models if not name.endswith("cloud") and "embed" not in name)
    return next(chat_models, None)


_FIRST: dict[str, str] = {}
"""The first model of the server at each URL, which is asked for it once."""


def configured_providers(config: Config) -> list[str]:
    """Return the providers that the user has set up: by a table or a key.

    ``darkai`` and ``demo`` need neither. A key that other programs use too does not count.
    """
    from darkai_cli.config import schema
    from darkai_cli.config.keys import file

    values = stdio.environ()
    try:
        keys_file = file.entries(values)
    except ConfigError:  # raised again where a key is needed
        keys_file = {}
    configured = []
    for name in provider_names(config):
        variables = schema.BUILT_IN_PROVIDERS.get(name, ())
        is_configured = name in schema.NEED_NOTHING or name in config.providers or name in keys_file
        if is_configured or any(values.get(variable, "").strip() for variable in variables):
            configured.append(name)
    return configured


def usable_providers(config: Config) -> tuple[list[ProviderSettings], list[DarkAIError]]:
    """Return the configured providers that can be used, and the faults of the others."""
    usable, faults = [], []
    for name in configured_providers(config):
        try:
            usable.append(settings_of(config, name))
        except DarkAIError as fault:
            faults.append(fault)
    return usable, faults
