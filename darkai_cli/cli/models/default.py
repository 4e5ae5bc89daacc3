"""``darkai models default`` and ``alias``: which model is used, and other names for models.

A name is resolved before it is written to ``config.toml``, and is written with its provider, so
that it keeps its meaning whatever else is set. Nothing here makes a request.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from darkai_cli.cli.print import Printer, note, warn
from darkai_cli.config import write
from darkai_cli.config.load import load
from darkai_cli.errors import NotFoundError, UsageError
from darkai_cli.providers import model_cache, resolve
from darkai_cli.providers.base import Target
from darkai_cli.providers.settings import is_local_url, provider_names, settings_of, suggest

if TYPE_CHECKING:
    from darkai_cli.config import Config


def default_model(
    model: Annotated[
        str | None,
        typer.Argument(
            metavar="[MODEL]", help="Name, PROVIDER/NAME, or PROVIDER for its own default."
        ),
    ] = None,
) -> None:
    """Print the default model, or write it to config.toml."""
    if model is None:
        _show_default()
    else:
        _set_default(model)


def alias(
    name: Annotated[str | None, typer.Argument(metavar="[ALIAS]", help="New name.")] = None,
    target: Annotated[
        str | None, typer.Argument(metavar="[MODEL]", help="Model that it stands for.")
    ] = None,
    rm: Annotated[
        str | None, typer.Option("--rm", metavar="ALIAS", help="Remove an alias.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object per line.")] = False,
) -> None:
    """List, print, set or remove aliases."""
    if rm is not None and name is not None:
        raise UsageError(
            "`--rm` takes one alias and nothing else", hint=f"Run `darkai models alias --rm {name}`"
        )
    if rm is not None:
        _remove_alias(rm)
    elif target is not None and name is not None:
        _set_alias(name, target)
    elif name is not None:
        _show_alias(name)
    else:
        _show_aliases(json=json)


def _show_default() -> None:
    target = resolve.configured_target(load())
    Printer().value(_full_name(target))
    if not target.model:
        note("No model is set, so darkai uses the first model of this local server")


def _set_default(name: str) -> None:
    """Write ``provider`` and ``model``. Raises ``NotFoundError`` for an unknown name."""
    config = load()
    if name in provider_names(config) and name not in config.aliases:
        settings = settings_of(config, name)
        target = Target(settings, settings.default_model)
        if not target.model and not is_local_url(settings.url):
            resolve.with_model(target, config)  # raises: a model has to be named
    else:
        target = _resolve(config, name)
    write.set_value("provider", target.settings.name)
    if target.model and name != target.settings.name:
        write.set_value("model", target.model)
    else:
        write.unset_value("model")
    _warn_unlisted(target)
    _note_override()


def _show_aliases(*, json: bool) -> None:
    printer = Printer()
    for name, model in load().aliases.items():
        if json:
            printer.json({"alias": name, "model": model})
        else:
            printer.record(name, model)


def _show_alias(name: str) -> None:
    """Print the model of an alias. Raises ``NotFoundError`` for an unknown one."""
    aliases = load().aliases
    if name not in aliases:
        raise _unknown(name, aliases)
    Printer().value(aliases[name])


def _set_alias(name: str, model: str) -> None:
    """Write an alias. Raises ``UsageError`` for a name that is taken, ``NotFoundError``."""
    config = load()
    first, slash, _ = name.partition("/")
    if first in provider_names(config):
        what = "looks like a model of that provider" if slash else "is the name of a provider"
        raise UsageError(f"`{name}` {what}", hint="Choose another name, such as `fast`")
    if name.strip() != name or not name:
        rule = "must not begin or end with a space" if name.strip() else "must have a name"
        raise UsageError(f"An alias {rule}", hint=f"Run `darkai models alias fast {model}`")
    if model in provider_names(config) and model not in config.aliases:
        raise UsageError(
            f"`{model}` is a provider, and an alias stands for a model",
            hint=f"Name a model: `{model}/MODEL`",
        )
    target = _resolve(config, model)
    write.set_value(f"aliases.{name}", _full_name(target))
    _note_hidden(config, name)
    _warn_unlisted(target)
    if _full_name(target) != model:
        note(f"`{name}` stands for `{_full_name(target)}`")


def _remove_alias(name: str) -> None:
    """Remove an alias. Raises ``NotFoundError`` for one that is not in config.toml."""
    if not write.unset_value(f"aliases.{name}"):
        raise _unknown(name, load().aliases)


def _resolve(config: Config, name: str) -> Target:
    """Return the target that ``name`` means after ``--model``. Raises ``NotFoundError``."""
    if name in config.aliases:
        return resolve.resolve_alias(config, name)
    first, slash, rest = name.partition("/")
    if slash and rest and first in provider_names(config) and not resolve.has(config, name):
        return resolve.parse_model_name(config, name)
    return resolve.configured_target(load({"model": name}))


def _full_name(target: Target) -> str:
    name = target.settings.name
    return f"{name}/{target.model}" if target.model else name


def _warn_unlisted(target: Target) -> None:
    """Warn if the provider's list of models, as last seen, does not have the model."""
    settings, model = target
    models = model_cache.read(settings.name, settings.url) or []
    known = [name for info in models for name in (info.name, *info.aliases)]
    if known and model and model not in known:
        warn(f"`{settings.name}` does not list `{model}`. {suggest(model, known, 'models')}")


def _note_hidden(config: Config, name: str) -> None:
    """Say which model the new alias hides, if any."""
    for settings in resolve.usable_providers(config)[0]:
        if name in (*resolve.known_models(settings), *settings.aliases):
            full_name = f"`{settings.name}/{name}`"
            note(f"`{name}` now is the alias; use {full_name} for the model of that name")
            return


def _note_override() -> None:
    """Say what overrides the default that was just written, if anything does."""
    config = load()
    for key in ("provider", "model"):
        origin = config.origin(key)
        if origin.kind not in ("user", "default"):
            note(f"Written, but `{origin.where}` overrides it")
            return


def _unknown(name: str, aliases: dict[str, str]) -> NotFoundError:
    hint = (
        suggest(name, aliases, "aliases")
        if aliases
        else "Set one: `darkai models alias NAME MODEL`"
    )
    return NotFoundError(f"No alias named `{name}`", hint=hint)
