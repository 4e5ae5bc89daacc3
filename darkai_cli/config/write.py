"""Changes one value in the user's ``config.toml`` and keeps the rest: comments, order, mode.

A file with errors is left alone. ``tomlkit`` changes the one place; the result is parsed and
compared with the intended values before it is written. A lock keeps two changes apart.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from darkai_cli import files
from darkai_cli.config import paths, schema, toml, values
from darkai_cli.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from tomlkit import TOMLDocument

_LOCK_SECONDS = 10.0
_BOM = b"\xef\xbb\xbf"


def set_value(key: str, text: str, *, environ: Mapping[str, str] | None = None) -> None:
    """Write ``key`` (dotted) with the value of ``text``. Raises ``ConfigError``."""
    path = toml.path_of(key)
    value = _value(key, path, text)

    def change(target: TOMLDocument, tables: dict[str, Any]) -> None:
        place: Any = tables
        for part in path[:-1]:
            place = place.setdefault(part, {})
            if not isinstance(place, dict):
                raise TypeError(part)
        place[path[-1]] = value
        _assign(target, path, value)

    _change(change, environ)


def unset_value(key: str, *, environ: Mapping[str, str] | None = None) -> bool:
    """Remove ``key`` (dotted) or a whole table, and return whether it was set.

    An unknown key can be removed too. Raises ``ConfigError``.
    """
    path = schema.split(key) or tuple(key.split("."))
    was_set = False

    def change(target: TOMLDocument, tables: dict[str, Any]) -> None:
        nonlocal was_set
        was_set = _remove(target, tables, path)

    _change(change, environ)
    return was_set


def _unknown(key: str, provider: str, field: str) -> ConfigError:
    known = schema.PROVIDER_KEYS
    guess = schema.nearest(field, known)
    near = f"Did you mean `providers.{provider}.{guess}`?"
    hint = near if guess else f"Valid keys: {', '.join(known)}"
    if field in schema.SECRETS:
        hint = f"Store API keys with `darkai keys set {provider}`"
    return ConfigError(f"Unknown key `{key}`", hint=hint)


def _value(key: str, path: tuple[str, ...], text: str) -> Any:
    row = schema.key_at(path)
    if row is None:
        if path[0] == "providers" and "." in path[1]:  # a field that is none
            raise _unknown(key, *path[1].rsplit(".", 1))
        entry = "NAME" if path[0] == "aliases" else f"NAME.{'|'.join(schema.PROVIDER_KEYS)}"
        raise ConfigError(f"`{key}` is a table", hint=f"Name an entry of it: `{path[0]}.{entry}`")
    if path[0] == "providers":
        try:
            values.check_provider_name(path[1])
        except values.Invalid as exc:
            raise ConfigError(exc.rule, hint=exc.hint) from None
    try:
        if len(path) == 4:
            values.check(row, {path[3]: text})
            return text
        value = values.parse(row, text)
    except values.Invalid as exc:
        hint = exc.hint or f"For example: `darkai config set {key} {toml.shell_word(row.example)}`"
        raise ConfigError(f"`{key}` {exc.rule}", hint=hint) from None
    if _holds_null(value):
        raise ConfigError(
            f"`{key}` contains null, which TOML does not have",
            hint=f"Run `darkai config unset {key}`",
        )
    return value


def _holds_null(value: Any) -> bool:
    if isinstance(value, dict):
        value = list(value.values())
    return any(map(_holds_null, value)) if isinstance(value, list) else value is None


def _change(
    change: Callable[[TOMLDocument, dict[str, Any]], None], environ: Mapping[str, str] | None
) -> None:
    rewrite(paths.config_file(environ), change)


def rewrite(
    file: Path,
    change: Callable[[TOMLDocument, dict[str, Any]], None],
    read: Callable[[Path], bytes | None] = toml.read,
    hint: str = toml.EDIT,
) -> None:
    """Replace a TOML file by the result of ``change``; a file with errors is left alone.

    ``change`` gets the document and its values as plain tables, and must change both in one way.
    ``hint``: what to do about a file that cannot be changed. Raises ``ConfigError``.
    """
    try:
        files.ensure(file.parent)
        with files.locked(file, _LOCK_SECONDS) as is_locked:
            if not is_locked:
                raise ConfigError(f"`{file}` is in use by another process", hint="Try again")
            data = read(file) or b""
            text, tables = toml.decode(file, data, hint), toml.parse(file, data, hint)
            result = _rewritten(str(file), text, tables, change, hint)
            if result != text:
                mark = _BOM if data.startswith(_BOM) else b""
                files.replace(file, mark + result.encode())
    except OSError as exc:
        raise ConfigError(
            f"Can't write `{file}`: {files.reason(exc)}",
            hint=f"Check it: `ls -ld {file.parent} {file}`",
        ) from exc


def _rewritten(
    file: str,
    text: str,
    tables: dict[str, Any],
    change: Callable[[TOMLDocument, dict[str, Any]], None],
    hint: str,
) -> str:
    import tomllib

    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    intended = copy.deepcopy(tables)
    try:
        target = tomlkit.parse(text)
        change(target, intended)
        result = tomlkit.dumps(target)
        values_written = tomllib.loads(result)
    except (TOMLKitError, ValueError, TypeError):
        values_written = None
        result = text
    if values_written != intended:
        raise ConfigError(f"darkai can't change `{file}` without damaging it", hint=hint)
    return result


def _assign(target: TOMLDocument, path: tuple[str, ...], value: Any) -> None:
    import tomlkit
    from tomlkit.items import InlineTable

    place: Any = target
    for part in path[:-1]:
        if part not in place:
            inline = isinstance(place, InlineTable)
            place[part] = tomlkit.inline_table() if inline else tomlkit.table()
        place = place[part]
    if isinstance(value, dict):
        table = tomlkit.inline_table()
        table.update(value)
        value = table
    place[path[-1]] = value


def _remove(target: Any, tables: Any, path: tuple[str, ...]) -> bool:
    """Remove the value at ``path`` from both, and its table if that is empty without comments."""
    if not isinstance(tables, dict) or path[0] not in tables:
        return False
    if path[1:]:
        inner = target[path[0]]
        if not _remove(inner, tables[path[0]], path[1:]):
            return False
        as_string = getattr(inner, "as_string", None)
        if tables[path[0]] or as_string is None or "#" in as_string():
            return True
    del target[path[0]]
    del tables[path[0]]
    return True
