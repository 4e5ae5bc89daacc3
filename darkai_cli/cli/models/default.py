"""``darkai models default`` and ``alias``: which model is used, and other names for models.

Whatever is written to ``config.toml`` has been resolved first, and is written with its provider, so
that it means the same whatever else is set. Nothing here makes a request.
"""

from __future__ import annotations

import json as json_module
from typing import TYPE_CHECKING

from darkai_cli import stdio
from darkai_cli.cli.models.list import warn
from darkai_cli.errors import NotFoundError, UsageError
from darkai_cli.output.notices import tell
from darkai_cli.providers import model_cache, resolve
from darkai_cli.providers.base import Target
from darkai_cli.providers.settings import is_here, nearest

if TYPE_CHECKING:
    from darkai_cli.config import Config


def show_default() -> None:
    """Print the provider and model that answer where none is named."""
    from darkai_cli.config.load import load

    target = resolve.configured_target(load())
    _print(_name(target))
    if not target.model:
        tell("note", "no model is named; a server on this machine is asked for its first one")


def set_default(name: str) -> None:
    """Write ``provider`` and ``model``. Raises ``NotFoundError`` and its kin."""
    from darkai_cli.config import write
    from darkai_cli.config.load import load

    config = load()
    if name in resolve.names(config) and name not in config.aliases:
        settings = resolve.settings_of(config, name)
        target = Target(settings, settings.default_model)
        if not target.model and not is_here(settings.url):
            resolve.with_model(target, config)  # raises: a model has to be named
    else:
        target = _resolved(config, name)
    write.set_value("provider", target.settings.name)
    if target.model and name != target.settings.name:
        write.set_value("model", target.model)
    else:
        write.unset_value("model")
    _doubt(target)
    _tell_winner()


def show_aliases(name: str | None, *, json: bool) -> None:
    """Print all, or what one means. Raises ``NotFoundError`` for one that is not there."""
    from darkai_cli.config.load import load
    from darkai_cli.output.tsv import field

    aliases = load().aliases
    if name is not None:
        if name not in aliases:
            raise _unknown(name, aliases)
        _print(aliases[name])
        return
    for alias, target in aliases.items():
        if json:
            _print(json_module.dumps({"alias": alias, "model": target}))
        else:
            stdio.stdout().write(f"{field(alias)}\t{field(target)}\n")


def set_alias(name: str, target: str) -> None:
    """Write it. Raises ``UsageError`` for a name that is taken, ``NotFoundError`` and its kin."""
    from darkai_cli.config import write
    from darkai_cli.config.load import load

    config = load()
    first, slash, _ = name.partition("/")
    if first in resolve.names(config):
        what = "begins like a provider's model" if slash else "is a provider's name"
        raise UsageError(f"`{name}` {what}", hint="take a name of your own, such as `fast`")
    if name.strip() != name or not name:
        what = "has no blanks around it" if name.strip() else "needs a name"
        raise UsageError(f"an alias {what}", hint=f"`darkai models alias fast {target}`")
    if target in resolve.names(config) and target not in config.aliases:
        raise UsageError(
            f"`{target}` is a provider, and an alias means a model", hint=f"`{target}/MODEL`"
        )
    meant = _resolved(config, target)
    write.set_value(f"aliases.{name}", _name(meant))
    _tell_hidden(config, name)
    _doubt(meant)
    if _name(meant) != target:
        tell("note", f"`{name}` means `{_name(meant)}`")


def remove_alias(name: str) -> None:
    """Remove it. Raises ``NotFoundError`` for one that is not in config.toml."""
    from darkai_cli.config import write
    from darkai_cli.config.load import load

    if not write.unset_value(f"aliases.{name}"):
        raise _unknown(name, load().aliases)


def _resolved(config: Config, name: str) -> Target:
    """Who ``name`` means, as the model of a flag. Raises ``NotFoundError`` and its kin."""
    from darkai_cli.config.load import load

    if name in config.aliases:
        return resolve.resolve_alias(config, name)
    first, slash, rest = name.partition("/")
    if slash and rest and first in resolve.names(config) and not resolve.has(config, name):
        return resolve.parse_model_name(config, name)
    return resolve.configured_target(load({"model": name}))


def _name(target: Target) -> str:
    name = target.settings.name
    return f"{name}/{target.model}" if target.model else name


def _doubt(target: Target) -> None:
    """Say so if the service's list, as it was last seen, does not have the model."""
    settings, model = target
    models = model_cache.read(settings.name, settings.url) or []
    known = [name for one in models for name in (one.name, *one.aliases)]
    if known and model and model not in known:
        warn(f"`{settings.name}` does not list `{model}`; {nearest(model, known, 'models')}")


def _tell_hidden(config: Config, name: str) -> None:
    """Say so if the new alias has the name of a model, which it hides."""
    for settings in resolve.usable_providers(config)[0]:
        if name in (*resolve.known_models(settings), *settings.aliases):
            meant = f"`{settings.name}/{name}` does"
            tell("note", f"`{name}` alone no longer means the model of that name; {meant}")
            return


def _tell_winner() -> None:
    """Say what keeps the default that was just written from being used."""
    from darkai_cli.config.load import load

    config = load()
    for key in ("provider", "model"):
        origin = config.origin(key)
        if origin.kind not in ("user", "default"):
            tell("note", f"written, but `{origin.where}` wins over it")
            return


def _unknown(name: str, aliases: dict[str, str]) -> NotFoundError:
    hint = nearest(name, aliases, "aliases") if aliases else "`darkai models alias NAME MODEL`"
    return NotFoundError(f"there is no alias `{name}`", hint=hint)


def _safe(text: str) -> str:
    from darkai_cli.output.sanitize import sanitize_line

    return sanitize_line(text)


def _print(text: str) -> None:
    """One line on stdout: exact in a pipe, safe on a terminal."""
    out = stdio.stdout()
    out.write((_safe(text) if stdio.is_terminal(out) else text) + "\n")
