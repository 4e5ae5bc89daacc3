"""``keys.toml``: the keys that ``darkai keys set`` stored, each with the origin it belongs to.

    [openai]
    origin = "https://api.openai.com"
    key = "..."          # or: keyring = true

The file is neither read nor written if others can read it, if it belongs to another user, or if it
is a link. A damaged file is never overwritten. A key in the keyring has an entry too, so that the
keyring is only opened if it has a key.
"""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, Any, NamedTuple

from darkai_cli import files
from darkai_cli.config import paths, toml
from darkai_cli.errors import ConfigError
from darkai_cli.secrets import format_origin, remember

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tomlkit import TOMLDocument

_HEAD = "API keys of darkai: keep this file private. `darkai keys list` lists them."


class StoredKey(NamedTuple):
    """A stored key. ``key``: None if it is in the keyring."""

    origin: str
    key: str | None


def entries(environ: Mapping[str, str] | None = None) -> dict[str, StoredKey]:
    """Return the stored keys by provider. Raises ``ConfigError``."""
    file = paths.keys_file(environ)
    data = _read(file)
    if data is None:
        return {}
    return _entries(file, toml.parse(file, data, _mend(file)))


def put(name: str, url: str, key: str | None, environ: Mapping[str, str] | None = None) -> None:
    """Store the provider's key for the origin of ``url``, or that it is in the keyring (None).

    Raises ``ConfigError``; the file is unchanged then.
    """
    file = paths.keys_file(environ)
    fields: dict[str, Any] = {"origin": format_origin(url)}
    fields.update({"keyring": True} if key is None else {"key": key})

    def change(target: TOMLDocument, tables: dict[str, Any]) -> None:
        import tomlkit

        _entries(file, tables)
        old = tables.setdefault(name, {})
        if not tables.keys() - {name} and not old:
            target.add(tomlkit.comment(_HEAD))
            target.add(tomlkit.nl())
        if name not in target:
            target[name] = tomlkit.table()
        table: Any = target[name]
        for field in ("origin", "key", "keyring"):
            if field in fields:
                table[field] = old[field] = fields[field]
            elif field in old:
                del table[field], old[field]

    _rewrite(file, change)


def remove(name: str, environ: Mapping[str, str] | None = None) -> StoredKey | None:
    """Remove the provider's entry and return it; None if there is none. Raises ``ConfigError``."""
    file = paths.keys_file(environ)
    entry = entries(environ).get(name)
    if entry is None:
        return None

    def change(target: TOMLDocument, tables: dict[str, Any]) -> None:
        if tables.pop(name, None) is not None:
            del target[name]

    _rewrite(file, change)
    return entry


def _rewrite(file: Path, change: Any) -> None:
    from darkai_cli.config import write

    write.rewrite(file, change, _read, _mend(file))


def _mend(file: Path) -> str:
    return (
        f"Correct the line, or move the file away and store your keys again: `mv {file} {file}.old`"
    )


def _read(file: Path) -> bytes | None:
    """Return the file's bytes; None if it does not exist. Raises ``ConfigError`` if not private."""

    def inspect(status: os.stat_result) -> None:
        if not hasattr(os, "geteuid"):  # Windows has no such owners and modes
            return
        if status.st_uid != os.geteuid():
            raise ConfigError(
                f"Ignoring `{file}`: it belongs to another user",
                hint=f"Check it with `ls -l {file}`, remove it, then store your keys again",
            )
        if status.st_mode & 0o077:
            raise ConfigError(
                f"Ignoring `{file}`: readable by others", hint=f"Run `chmod 600 {file}`"
            )

    try:
        return files.read(file, inspect)
    except OSError as exc:
        if exc.errno == errno.ELOOP:
            raise ConfigError(
                f"Ignoring `{file}`: it is a symbolic link",
                hint=f"Remove the link with `rm {file}`, then store your keys again",
            ) from exc
        raise ConfigError(
            f"Can't read `{file}`: {files.reason(exc)}", hint=f"Check it: `ls -l {file}`"
        ) from exc


def _entries(file: Path, tables: dict[str, Any]) -> dict[str, StoredKey]:
    result = {}
    for name, table in tables.items():
        fields = table if isinstance(table, dict) else {}
        origin, key = fields.get("origin"), fields.get("key")
        keyring = fields.get("keyring") is True and key is None
        if not isinstance(origin, str) or not (keyring or isinstance(key, str)):
            title = toml.dotted((name,))
            raise ConfigError(
                f"`{title}` in `{file}` is not a valid entry",
                hint=f"Remove it from the file, then run `darkai keys set {title}`",
            )
        if key is not None:
            remember(key.strip())
        result[name] = StoredKey(origin, key)
    return result
