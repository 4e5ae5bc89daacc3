"""Reads a TOML file of darkai's and takes it apart into settings, as pairs of path and value.

An error in the syntax names the file and the line. What the values may be is checked in ``load``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from darkai_cli import files
from darkai_cli.config import schema
from darkai_cli.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from darkai_cli.config.config import Origin

EDIT = "Run `darkai config edit`"


def read(file: Path) -> bytes | None:
    """Return the file's bytes; None if it does not exist. Raises ``ConfigError``."""
    try:
        return files.read(file)
    except OSError as exc:
        raise ConfigError(
            f"Can't read `{file}`: {files.reason(exc)}", hint=f"Check it: `ls -l {file}`"
        ) from exc


def decode(file: Path, data: bytes, hint: str = EDIT) -> str:
    """Return the file's text without a byte order mark. Raises ``ConfigError`` with the line."""
    try:
        return data.decode().removeprefix("\ufeff")
    except UnicodeDecodeError as exc:
        line = data.count(b"\n", 0, exc.start) + 1
        raise ConfigError(f"`{file}:{line}` is not UTF-8 text", hint=hint) from None


def parse(file: Path, data: bytes, hint: str = EDIT) -> dict[str, Any]:
    """Return the file's tables. Raises ``ConfigError`` with the line of a syntax error."""
    import tomllib

    text = decode(file, data, hint)
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise ConfigError(f"`{file}` is nested too deeply", hint=hint) from None
    except ValueError as exc:
        reason, _, place = str(exc).rpartition(" (at ")
        line_text = place.removeprefix("line ").partition(",")[0]
        # The parser may name "end of document" instead of a line, and nothing at all for a number
        # with too many digits.
        line = int(line_text) if line_text.isdigit() else text.rstrip().count("\n") + 1
        what = (reason or str(exc)).replace("`", "'")
        raise ConfigError(f"`{file}:{line}` is not valid TOML: {what}", hint=hint) from None


def entries(tables: dict[str, Any], origin: Origin) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield the path and the value of every setting in a file.

    A table ``[providers.NAME]`` itself is yielded too, with None. Raises ``ConfigError`` for a
    value that has to be a table and is not.
    """
    for name, value in tables.items():
        if name not in schema.TABLES and name != "options":
            yield (name,), value
            continue
        for inner, item in _table((name,), value, origin).items():
            if name != "providers":
                yield (name, inner), item
                continue
            yield (name, inner), None
            for field, setting in _table((name, inner), item, origin).items():
                yield (name, inner, field), setting


def _table(path: tuple[str, ...], value: Any, origin: Origin) -> dict[str, Any]:
    if isinstance(value, dict):
        return value
    name = dotted(path)
    raise ConfigError(
        f"`{name}` must be a table (`{origin.where}`)", hint=f"Write `[{name}]`. {EDIT}"
    )


def dotted(path: tuple[str, ...]) -> str:
    """Return the path as a message shows it; long names are cut."""
    text = ".".join(path)
    return text if len(text) <= 80 else text[:80] + "…"


def shell_word(example: str) -> str:
    """Return the example of a key as one word for a shell."""
    import shlex

    return shlex.quote(example.strip('"'))


def path_of(key: str) -> tuple[str, ...]:
    """Return the path of a dotted key from a command line. Raises ``ConfigError``."""
    path = schema.split(key)
    if path is None:
        known = (*schema.KEYS, *schema.TABLES)
        guess = schema.nearest(key, known)
        hint = f"Did you mean `{guess}`?" if guess else f"Valid keys: {', '.join(known)}"
        raise ConfigError(f"Unknown key `{key}`", hint=hint)
    return path
