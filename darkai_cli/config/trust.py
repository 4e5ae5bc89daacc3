"""Project files, and which of them the user trusts.

A ``.darkai.toml`` comes with somebody's repository. Until the user has recorded its SHA-256 it may
only set what is harmless: the model of a configured provider, the system prompt, options and the
display. The rest is ignored, with a notice. A file of another user (in a shared folder) sets
nothing. A file that was changed has to be trusted again.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from darkai_cli import files
from darkai_cli.config import paths, schema, toml
from darkai_cli.config.config import Origin
from darkai_cli.errors import ConfigError
from darkai_cli.text import plural

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from darkai_cli.config.config import Config

_MOST_NOTICES = 5
_COMMAND = "`darkai config trust`"
_LOCK_SECONDS = 10.0


Entries = list[tuple[tuple[str, ...], Any]]


def admit(
    config: Config, file: Path, environ: Mapping[str, str] | None = None
) -> tuple[Entries, tuple[str, ...]]:
    """Return the settings that a project file may make, and notices about the others.

    ``config`` has the user's own settings. Raises ``ConfigError`` for a file that is not TOML.
    """
    try:
        data = files.read(file)
        owner = file.stat().st_uid
    except OSError as exc:
        return [], (f"Ignoring `{file}`: {files.reason(exc)}",)
    if data is None:
        return [], ()
    if owner not in _accepted_owners() and not is_trusted(file, data, environ):
        return [], (f"Ignoring `{file}`: it belongs to another user. Read it, then run {_COMMAND}",)
    tables = toml.parse(file, data, hint="Correct the line, or delete the file")
    ignored = [
        name for name, value in tables.items() if not _harmless(config, name, value, environ)
    ]
    notices: tuple[str, ...] = ()
    if ignored and not is_trusted(file, data, environ):
        notices = _ignored(file, ignored)
        tables = {name: value for name, value in tables.items() if name not in ignored}
    return list(toml.entries(tables, Origin("project", str(file)))), notices


def _accepted_owners() -> tuple[int, ...]:
    """Return the ids of the user and root; on Windows, where files have no owner, 0."""
    return (0, os.geteuid()) if hasattr(os, "geteuid") else (0,)


def _harmless(config: Config, name: str, value: object, environ: Mapping[str, str] | None) -> bool:
    key = schema.KEYS.get(name)
    if key is None or not key.shared:
        return False
    if name != "model" or not isinstance(value, str):
        return True
    model = value.strip()
    provider, slash, _ = model.partition("/")
    return not slash or model in config.aliases or _is_configured(config, provider, environ)


def _is_configured(config: Config, provider: str, environ: Mapping[str, str] | None) -> bool:
    """Return whether the user has configured the provider, by a table or a stored key.

    A server on this machine does not count: another user may have started it.
    """
    if provider in schema.NEED_NOTHING or provider in config.providers:
        return True
    env = os.environ if environ is None else environ
    variables = schema.BUILT_IN_PROVIDERS.get(provider, ())
    if any(env.get(name, "").strip() for name in variables):
        return True
    from darkai_cli.config.keys import file as key_file

    try:
        return provider in schema.BUILT_IN_PROVIDERS and provider in key_file.entries(environ)
    except ConfigError:  # reported where a key is needed
        return False


def _ignored(file: Path, names: list[str]) -> tuple[str, ...]:
    notices = [
        f"Ignoring `{toml.dotted((name,))}` in `{file}`, which you haven't trusted. Read it, then "
        f"run {_COMMAND}"
        for name in names[:_MOST_NOTICES]
    ]
    more = len(names) - len(notices)
    if more:
        notices.append(f"Ignoring {plural(more, 'more key')} in `{file}`")
    return tuple(notices)


def is_trusted(file: Path, data: bytes, environ: Mapping[str, str] | None = None) -> bool:
    """Return whether the user trusts ``file`` with exactly these bytes."""
    try:
        known = _recorded(paths.trust_file(environ))
    except ConfigError:  # a damaged list trusts nothing; `darkai config trust` reports it
        return False
    return known.get(os.path.realpath(file)) == _digest(data)


def record(file: Path, data: bytes, environ: Mapping[str, str] | None = None) -> str:
    """Trust ``file`` with exactly these bytes; return their SHA-256. Raises ``ConfigError``."""
    import json

    store = paths.trust_file(environ)
    try:
        files.ensure(store.parent)
        with files.locked(store, _LOCK_SECONDS) as is_locked:
            if not is_locked:
                raise ConfigError(f"`{store}` is in use by another process", hint="Try again")
            known = _recorded(store)
            known[os.path.realpath(file)] = _digest(data)
            files.replace(store, json.dumps(known, indent=1).encode())
    except OSError as exc:
        raise ConfigError(f"Can't write `{store}`: {files.reason(exc)}") from exc
    return _digest(data)


def _digest(data: bytes) -> str:
    import hashlib

    return hashlib.sha256(data).hexdigest()


def _recorded(store: Path) -> dict[str, str]:
    import json

    data = toml.read(store)
    if data is None:
        return {}
    try:
        known = json.loads(data)
    except (ValueError, RecursionError):
        known = None
    if not isinstance(known, dict):
        raise ConfigError(
            f"`{store}` is damaged",
            hint=f"Delete it, then trust your project files again with {_COMMAND}",
        )
    return known
