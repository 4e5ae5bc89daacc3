"""Reads the configuration and merges it: flag, environment, project file, user's file, default.

Not the writing (``write``), not the rules for values (``values``). Strategy: apply the sources from
the weakest to the strongest, checking each value as it comes, and remember for each its source; a
line number is looked up only when it is told. Nothing is imported for a file that does not exist.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from darkai_cli.config import paths, schema, toml, values
from darkai_cli.config.config import Config, Source
from darkai_cli.errors import ConfigError, DarkAIError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path


def load(
    flags: Mapping[str, object] | None = None,
    *,
    environ: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    faults: list[DarkAIError] | None = None,
) -> Config:
    """The configuration in force. ``flags``: values by (dotted) key; None is a flag not given.

    Raises ``ConfigError``, which names the file and line or the variable, or ``UsageError``, which
    names the flag. With ``faults``, those of files and environment are added to it instead, and the
    values that they are about are left out.
    """
    env = os.environ if environ is None else environ
    config = user_file(paths.config_file(env), faults)
    project = paths.project_file(env, cwd)
    if project is not None:
        _attempt(faults, _apply_project, config, project, env)
    _apply_environment(config, env, faults)
    for key, value in (flags or {}).items():
        if value is not None:
            _apply_flag(config, key, value)
    if any(name in env for name in schema.ADDRESS_VARIABLES):
        _apply_addresses(config, env)
    return config


def user_file(file: Path, faults: list[DarkAIError] | None = None) -> Config:
    """The defaults under what this one file says.

    Raises ``ConfigError`` with file and line, or adds them to ``faults``.
    """
    config = Config()
    _attempt(faults, _apply_user, config, file, faults)
    return config


def _apply_user(config: Config, file: Path, faults: list[DarkAIError] | None) -> None:
    data = toml.read(file)
    if data is not None:
        tables, text = toml.parse(file, data)
        source = Source("user", str(file), text)
        for path, value in toml.entries(tables, source):
            _attempt(faults, _put, config, path, value, source)


def _attempt(faults: list[DarkAIError] | None, apply: Callable[..., None], *args: Any) -> None:
    """Call ``apply``; what it raises of ours is added to ``faults``, if that is wanted."""
    try:
        apply(*args)
    except DarkAIError as fault:
        if faults is None:
            raise
        faults.append(fault)


def check_project(file: Path, data: bytes) -> None:
    """Raises ``ConfigError`` if a project file would not be accepted although it is trusted."""
    tables, text = toml.parse(file, data, hint="mend the line")
    source = Source("project", str(file), text)
    config = Config()
    for path, value in toml.entries(tables, source):
        _put(config, path, value, source)


def _put(config: Config, path: tuple[str, ...], value: Any, source: Source) -> None:
    """Check one value and put it into ``config``. Raises an error that names its origin."""
    if path[0] == "providers":
        try:
            values.check_provider_name(path[1])
        except values.Invalid as exc:
            raise ConfigError(f"`{source.at(path)}`: {exc.rule}", hint=exc.hint) from None
        if len(path) == 2:
            config.put(path, None, source)
            return
    key = schema.key_at(path)
    if key is None:
        raise _unknown(path, source)
    try:
        checked = values.check(key, value)
    except values.Invalid as exc:
        if key is schema.ALIAS and isinstance(value, dict):
            exc.hint = f'a name with dots stands in quotes: `"gpt-4.1" = {key.example}`'
        raise _invalid(path, key, exc, source) from None
    if key.kind == "path":
        checked = _absolute(checked, source)
    if key.kind in ("options", "headers") and key is not schema.OPTION:
        for name, item in checked.items():
            config.put((*path, name), item, source)
        return
    config.put(path, checked, source)


def _absolute(name: str, source: Source) -> str:
    """A path with the home folder for ``~``; in a file, relative to the file's own folder."""
    name = os.path.expanduser(name)  # noqa: PTH111 -- pathlib's raises where there is no home
    if source.text is None:
        return name
    return os.path.join(os.path.dirname(source.where), name)  # noqa: PTH118, PTH120 -- both are str


def _apply_project(config: Config, file: Path, env: Mapping[str, str]) -> None:
    from darkai_cli.config import trust

    admitted, notices = trust.admit(config, file, env)
    config.notices += notices
    if admitted is not None:
        for path, value in admitted.entries:
            _put(config, path, value, admitted.source)


def _apply_environment(
    config: Config, env: Mapping[str, str], faults: list[DarkAIError] | None
) -> None:
    for key in schema.KEYS.values():
        text = env.get(key.variable)
        if text:
            source = Source("environment", key.variable)
            _attempt(faults, _put_text, config, (key.name,), text, source)
    text = env.get(schema.URL_VARIABLE)
    if text:
        path = ("providers", "darkai", "url")
        source = Source("environment", schema.URL_VARIABLE)
        _attempt(faults, _put_text, config, path, text, source)


def _apply_addresses(config: Config, env: Mapping[str, str]) -> None:
    """Take other programs' variables for what is not configured."""
    from darkai_cli.config import addresses

    for variable, name, url, fault in addresses.found(env):
        if config.chosen(f"providers.{name}.url"):
            continue
        if fault:
            config.notices += (f"`{variable}` is ignored: {fault}",)
            continue
        _put(config, ("providers", name, "url"), url, Source("environment", variable))


def _apply_flag(config: Config, name: str, value: object) -> None:
    path = schema.split(name)
    source = Source("flag", "--" + name.rpartition(".")[2].replace("_", "-"))
    if path is None or schema.key_at(path) is None:
        raise _unknown(path or (name,), source)
    if isinstance(value, str):
        _put_text(config, path, value, source)
    else:
        _put(config, path, value, source)


def _put_text(config: Config, path: tuple[str, ...], text: str, source: Source) -> None:
    key = schema.key_at(path)
    assert key is not None
    try:
        value = values.parse(key, text)
    except values.Invalid as exc:
        raise _invalid(path, key, exc, source) from None
    _put(config, path, value, source)


def _error(source: Source) -> type[DarkAIError]:
    return UsageError if source.kind == "flag" else ConfigError


def _unknown(path: tuple[str, ...], source: Source) -> DarkAIError:
    known = schema.PROVIDER_KEYS if path[0] == "providers" else (*schema.KEYS, *schema.TABLES)
    guess = schema.nearest(path[-1], known)
    hint = f"keys are {', '.join(known)}"
    if guess is not None:
        hint = f"did you mean `{guess}`?"
        hint += f" {toml.EDIT}" if source.kind == "user" else ""
    if path[0] == "providers" and path[-1] in schema.SECRETS:
        hint = f"API keys are kept apart: `darkai keys set {toml.dotted(path[1:2])}`"
    message = f"`{source.at(path)}`: unknown key `{toml.dotted(path)}`"
    return _error(source)(message, hint=hint)


def _invalid(
    path: tuple[str, ...], key: schema.Key, fault: values.Invalid, source: Source
) -> DarkAIError:
    if source.text is None:
        sign = "=" if source.kind == "environment" else " "
        hint = f"for example `{source.where}{sign}{key.example.strip(chr(34))}`"
        return _error(source)(f"`{source.where}`: {fault.rule}", hint=fault.hint or hint)
    name = toml.dotted(path)
    hint = f"for example `{path[-1]} = {key.example}`"
    if source.kind == "user":
        hint = f"`darkai config set {name} VALUE`, {hint}"
    return ConfigError(f"`{source.at(path)}`: `{name}`: {fault.rule}", hint=fault.hint or hint)
