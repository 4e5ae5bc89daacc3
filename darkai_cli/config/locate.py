"""Finds the line of each key in a TOML text. Used only to tell it, never to read values.

Not a parser: the text has been accepted by ``tomllib`` before. Strategy: walk from statement to
statement; a statement begins with a table header or a key, and its value is skipped token by token
until a line ends outside of all brackets. Keys inside inline tables have their table's line.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_PART = r"""(?:[A-Za-z0-9_-]+|"(?:[^"\\\n]|\\.)*"|'[^'\n]*')"""
_GAP = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_HEADER = re.compile(rf"\[\[?[ \t]*({_PART}(?:[ \t]*\.[ \t]*{_PART})*)[ \t]*\]\]?")
_KEY = re.compile(rf"({_PART}(?:[ \t]*\.[ \t]*{_PART})*)[ \t]*=")
_PARTS = re.compile(_PART)
_TOKEN = re.compile(
    r'"""(?:[^\\]|\\[\s\S])*?"{3,5}(?!")'  # up to two quotes may stand before the closing three
    r"|'''[\s\S]*?'{3,5}(?!')"
    r'|"(?:[^"\\\n]|\\.)*"'
    r"|'[^'\n]*'"
    r"|#[^\n]*"
    r"|[\[{]|[\]}]|\n"
    r"""|[^"'#\n\[\]{}]+"""
)


def lines(text: str) -> dict[tuple[str, ...], int]:
    """The line of each key and table by its path, counted from 1."""
    found: dict[tuple[str, ...], int] = {}
    for path, line in _statements(text):
        for length in range(1, len(path)):
            found.setdefault(path[:length], line)
        found[path] = line
    return found


def _statements(text: str) -> Iterator[tuple[tuple[str, ...], int]]:
    table: tuple[str, ...] = ()
    line, counted = 1, 0
    gap = _GAP.match(text)
    while gap is not None and gap.end() < len(text):
        place = gap.end()
        line += text.count("\n", counted, place)
        counted = place
        header = _HEADER.match(text, place)
        key = None if header else _KEY.match(text, place)
        if header is not None:
            table = _path(header[1])
            yield table, line
            end = header.end()
        elif key is not None:
            yield table + _path(key[1]), line
            end = _after_value(text, key.end())
        else:
            return
        gap = _GAP.match(text, end)


def _after_value(text: str, place: int) -> int:
    depth = 0
    while (token := _TOKEN.match(text, place)) is not None:
        place = token.end()
        if token[0] in ("[", "{"):
            depth += 1
        elif token[0] in ("]", "}"):
            depth -= 1
        elif token[0] == "\n" and depth == 0:
            break
    return place


def _path(dotted: str) -> tuple[str, ...]:
    return tuple(_plain(part) for part in _PARTS.findall(dotted))


def _plain(part: str) -> str:
    if part[0] == "'":
        return part[1:-1]
    if part[0] != '"':
        return part
    import tomllib

    return str(tomllib.loads(f"key = {part}")["key"])
