"""Reads and merges the configuration: flags, environment, project file, user file, defaults.

The sources are applied from the weakest to the strongest. Each value is checked when it is applied,
and its origin is kept with it. ``tomllib`` is imported only if there is a file to read.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from darkai_cli.config import paths, schema, toml, values
from darkai_cli.config.config import Config, Origin
from darkai_cli.errors import ConfigError, DarkAIError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

OLLAMA_PORT = 11434


def load(
    flags: Mapping[str, object] | None = None,
    *,
    environ: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    faults: list[DarkAIError] | None = None,
) -> Config:
    """Return the configuration in force.

    ``flags`` has values by (dotted) key; None is a flag that was not given. Raises ``UsageError``
    for a wrong flag, ``ConfigError`` for a wrong value in a file or the environment. If ``faults``
    is given, the errors in files and environment are added to it instead, and the values that they
    are about are left out.
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
    _apply_service_urls(config, env)
    return config


def user_file(file: Path, faults: list[DarkAIError] | None = None) -> Config:
    """Return the defaults, overridden by the values of one file.

    Raises ``ConfigError`` for a wrong value, or adds the errors to ``faults``.
    """
    config = Config()
    _attempt(faults, _apply_user, config, file, faults)
    return config


def check_project(file: Path, data: bytes) -> None:
    """Raise ``ConfigError`` if a project file has errors that would stop it even when trusted."""
    origin = Origin("project", str(file))
    config = Config()
    for path, value in toml.entries(toml.parse(file, data, hint="Correct the line"), origin):
        _put(config, path, value, origin)


def service_urls(env: Mapping[str, str]) -> Iterator[tuple[str, str, str, str]]:
    """Yield what other programs' variables (``OLLAMA_HOST`` ...) say about a provider's URL.

    For each variable that is set: its name, the provider, the URL, and what is wrong with it. One
    of the last two is "".
    """
    key = schema.PROVIDER_KEYS["url"]
    for variable, provider in schema.ADDRESS_VARIABLES.items():
        text = env.get(variable, "").strip()
        if not text:
            continue
        try:
            url = ollama_url(text) if variable == "OLLAMA_HOST" else text
            yield variable, provider, values.check(key, url), ""
        except values.Invalid as exc:
            yield variable, provider, "", exc.rule


def ollama_url(text: str) -> str:
    """Return the URL for a value of ``OLLAMA_HOST``: ``host``, ``host:port``, ``:port`` or a URL.

    Ollama's server reads the same variable as the address to listen on, so ``0.0.0.0`` and ``::``
    become the loopback address. Source: ``envconfig.Host`` in Ollama's source.
    """
    scheme, mark, rest = text.partition("://")
    if not mark:
        scheme, rest = "http", text
    default = {"http": 80, "https": 443}.get(scheme.lower(), OLLAMA_PORT) if mark else OLLAMA_PORT
    authority, slash, path = rest.partition("/")
    host, port = authority, ""
    if authority.startswith("["):
        host, _, port = authority[1:].partition("]")
        port = port.removeprefix(":")
    elif authority.count(":") == 1:
        host, _, port = authority.partition(":")
    if host in ("", "0.0.0.0", "::"):  # noqa: S104 -- read, not bound
        host = "127.0.0.1" if host != "::" else "::1"
    if ":" in host:
        host = f"[{host}]"
    return f"{scheme}://{host}:{port or default}{slash}{path}".rstrip("/")


def _attempt(faults: list[DarkAIError] | None, apply: Callable[..., None], *args: Any) -> None:
    """Call ``apply``; collect the error that it raises in ``faults``, if that is not None."""
    try:
        apply(*args)
    except DarkAIError as fault:
        if faults is None:
            raise
        faults.append(fault)


def _apply_user(config: Config, file: Path, faults: list[DarkAIError] | None) -> None:
    data = toml.read(file)
    if data is not None:
        origin = Origin("user", str(file))
        for path, value in toml.entries(toml.parse(file, data), origin):
            _attempt(faults, _put, config, path, value, origin)


def _apply_project(config: Config, file: Path, env: Mapping[str, str]) -> None:
    from darkai_cli.config import trust

    entries, notices = trust.admit(config, file, env)
    config.notices += notices
    origin = Origin("project", str(file))
    for path, value in entries:
        _put(config, path, value, origin)


def _apply_environment(
    config: Config, env: Mapping[str, str], faults: list[DarkAIError] | None
) -> None:
    variables: dict[str, tuple[str, ...]] = {
        key.variable: (key.name,) for key in schema.KEYS.values()
    }
    variables[schema.URL_VARIABLE] = ("providers", "darkai", "url")
    for variable, path in variables.items():
        text = env.get(variable)
        if text:
            _attempt(faults, _put_text, config, path, text, Origin("environment", variable))


def _apply_service_urls(config: Config, env: Mapping[str, str]) -> None:
    """Use other programs' variables for the URLs that nothing of darkai's own sets."""
    for variable, name, url, problem in service_urls(env):
        if config.chosen(f"providers.{name}.url"):
            continue
        if problem:
            config.notices += (f"Ignoring `{variable}`: it {problem}",)
        else:
            _put(config, ("providers", name, "url"), url, Origin("environment", variable))


def _apply_flag(config: Config, name: str, value: object) -> None:
    path = schema.split(name)
    origin = Origin("flag", "--" + name.rpartition(".")[2].replace("_", "-"))
    if path is None or schema.key_at(path) is None:
        raise _unknown(path or (name,), origin)
    if isinstance(value, str):
        _put_text(config, path, value, origin)
    else:
        _put(config, path, value, origin)


def _put(config: Config, path: tuple[str, ...], value: Any, origin: Origin) -> None:
    """Check one value and put it into ``config``. Raises an error that names its origin."""
    if path[0] == "providers":
        try:
            values.check_provider_name(path[1])
        except values.Invalid as exc:
            raise ConfigError(f"{exc.rule} (`{origin.where}`)", hint=exc.hint) from None
        if len(path) == 2:
            config.put(path, None, origin)
            return
    key = schema.key_at(path)
    if key is None:
        raise _unknown(path, origin)
    try:
        checked = values.check(key, value)
    except values.Invalid as exc:
        if key is schema.ALIAS and isinstance(value, dict):
            exc.hint = f'Put a name with dots in quotes: `"gpt-4.1" = {key.example}`'
        raise _invalid(path, key, exc, origin) from None
    if key.kind == "path":
        checked = _absolute(checked, origin)
    if key.kind in ("options", "headers") and key is not schema.OPTION:
        for name, item in checked.items():
            config.put((*path, name), item, origin)
        return
    config.put(path, checked, origin)


def _put_text(config: Config, path: tuple[str, ...], text: str, origin: Origin) -> None:
    key = schema.key_at(path)
    assert key is not None
    try:
        value = values.parse(key, text)
    except values.Invalid as exc:
        raise _invalid(path, key, exc, origin) from None
    _put(config, path, value, origin)


def _absolute(name: str, origin: Origin) -> str:
    """Return a path with ``~`` expanded; a path in a file is relative to the file's folder."""
    name = os.path.expanduser(name)  # noqa: PTH111 -- pathlib's raises where there is no home
    if not origin.is_file:
        return name
    return os.path.join(os.path.dirname(origin.where), name)  # noqa: PTH118, PTH120 -- both are str


def _error(origin: Origin) -> type[DarkAIError]:
    return UsageError if origin.kind == "flag" else ConfigError


def _unknown(path: tuple[str, ...], origin: Origin) -> DarkAIError:
    known = schema.PROVIDER_KEYS if path[0] == "providers" else (*schema.KEYS, *schema.TABLES)
    guess = schema.nearest(path[-1], known)
    hint = f"Valid keys: {', '.join(known)}"
    if guess is not None:
        hint = f"Did you mean `{guess}`?"
        hint += f" {toml.EDIT}" if origin.kind == "user" else ""
    if path[0] == "providers" and path[-1] in schema.SECRETS:
        hint = f"Store API keys with `darkai keys set {toml.dotted(path[1:2])}`"
    return _error(origin)(f"Unknown key `{toml.dotted(path)}` in `{origin.where}`", hint=hint)


def _invalid(
    path: tuple[str, ...], key: schema.Key, fault: values.Invalid, origin: Origin
) -> DarkAIError:
    if not origin.is_file:
        sign = "=" if origin.kind == "environment" else " "
        hint = f"For example: `{origin.where}{sign}{key.example.strip(chr(34))}`"
        return _error(origin)(f"`{origin.where}` {fault.rule}", hint=fault.hint or hint)
    name = toml.dotted(path)
    hint = f"For example: `{path[-1]} = {key.example}`"
    if origin.kind == "user":
        hint = f"For example: `darkai config set {name} {toml.shell_word(key.example)}`"
    return ConfigError(f"`{name}` {fault.rule} (`{origin.where}`)", hint=fault.hint or hint)
