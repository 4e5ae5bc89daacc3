"""A configuration file as entries: TOML in, (path, value) out.

Not the rules for values. Every error names the file and the line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from darkai_cli import files
from darkai_cli.config import schema
from darkai_cli.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from darkai_cli.config.config import Source

EDIT = "`darkai config edit`"


def read(file: Path) -> bytes | None:
    """The file's bytes; None if it does not exist. Raises ``ConfigError``."""
    try:
        return files.read(file)
    except OSError as exc:
        raise ConfigError(
            f"`{file}` cannot be read: {files.reason(exc)}", hint=f"look at it: `ls -l {file}`"
        ) from exc


def parse(file: Path, data: bytes, hint: str = EDIT) -> tuple[dict[str, Any], str]:
    """The file's tables, and its text. Raises ``ConfigError`` with the line of the fault."""
    import tomllib

    try:
        text = data.decode().removeprefix("\ufeff")
    except UnicodeDecodeError as exc:
        line = data.count(b"\n", 0, exc.start) + 1
        raise ConfigError(f"`{file}:{line}`: not UTF-8 text", hint=hint) from None
    try:
        return tomllib.loads(text), text
    except RecursionError:
        raise ConfigError(f"`{file}`: nested too deeply", hint=hint) from None
    except ValueError as exc:
        reason, _, place = str(exc).rpartition(" (at ")
        line_text = place.removeprefix("line ").partition(",")[0]
        # Otherwise "at end of document", or a number of too many digits, which has no place.
        line = int(line_text) if line_text.isdigit() else text.rstrip().count("\n") + 1
        what = (reason or str(exc)).replace("`", "'")
        raise ConfigError(f"`{file}:{line}`: not valid TOML: {what}", hint=hint) from None


def entries(tables: dict[str, Any], source: Source) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every entry of a file by its path; tables of the user's own names are opened.

    A table ``[providers.NAME]`` itself is an entry, with None. Raises ``ConfigError`` for a value
    that ought to be a table.
    """
    for name, value in tables.items():
        if name not in schema.TABLES and name != "options":
            yield (name,), value
            continue
        for inner, item in _table((name,), value, source).items():
            if name != "providers":
                yield (name, inner), item
                continue
            yield (name, inner), None
            for field, setting in _table((name, inner), item, source).items():
                yield (name, inner, field), setting


def _table(path: tuple[str, ...], value: Any, source: Source) -> dict[str, Any]:
    if isinstance(value, dict):
        return value
    name = dotted(path)
    raise ConfigError(
        f"`{source.at(path)}`: `{name}` must be a table", hint=f"write `[{name}]`: {EDIT}"
    )


def dotted(path: tuple[str, ...]) -> str:
    """The path as it is told; a foreign file may hold endless names."""
    text = ".".join(path)
    return text if len(text) <= 80 else text[:80] + "…"


def path_of(key: str) -> tuple[str, ...]:
    """The path of a dotted key that somebody typed. Raises ``ConfigError``."""
    path = schema.split(key)
    if path is None:
        known = (*schema.KEYS, *schema.TABLES)
        guess = schema.nearest(key, known)
        hint = f"did you mean `{guess}`?" if guess else f"keys are {', '.join(known)}"
        raise ConfigError(f"unknown key `{key}`", hint=hint)
    return path
