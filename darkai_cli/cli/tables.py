"""Rows of text that fit a terminal: tables, bars, sparklines, ages. Pure functions.

Nothing here knows the history or a stream. The text has been made safe for a terminal before.
Widths are cells, by Rich's table of them, which is loaded only for text that is not ASCII: a list
must be there at once. A table that is too wide first cuts its elastic columns, the rightmost
first, then drops columns in the order that they say.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

Ink = Callable[[str, str], str]
"""Paints: the name of a style, and the text."""

_GAP = 2
_EIGHTHS = " ▏▎▍▌▋▊▉"
_LEVELS = "▁▂▃▄▅▆▇█"
_TONES = ("\U0001f3fb", "\U0001f3ff")


class Cell(NamedTuple):
    """What stands in a table: text without line breaks, and its style."""

    text: str
    style: str = ""


class Column(NamedTuple):
    """A column. ``least``: cells that it can be cut to; 0, it cannot.

    ``drop``: it goes if the table is too wide, the highest number first; 0, it never does.
    """

    title: str
    right: bool = False
    least: int = 0
    drop: int = 0


def cells(text: str) -> int:
    """How wide the text is."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def cut(text: str, width: int) -> str:
    """The text in at most ``width`` cells; what is left out is marked with `…`.

    No cut goes between a character and the marks on it, or inside a joined emoji.
    """
    if cells(text) <= width:
        return text
    end = 0
    if width > 0:
        shown = 0
        for char in text:
            shown += max(0, cells(char))
            if shown > width - 1:
                break
            end += 1
        while end and _goes_on(text, end):
            end -= 1
    return text[:end].rstrip() + "…"[:width]


def folded(text: str, width: int) -> list[str]:
    """The text in pieces of at most ``width`` cells (or of one character that is wider)."""
    pieces = []
    while cells(text) > width:
        end = max(1, len(cut(text, width + 1)) - 1)
        pieces.append(text[:end])
        text = text[end:]
    return [*pieces, text]


def wrapped(line: str, width: int) -> list[str]:
    """The line in rows of at most ``width`` cells, broken at blanks where there are any."""
    if cells(line) <= width:
        return [line]
    rows: list[str] = []
    for word in line.split(" "):
        first, *more = folded(word, width)
        if rows and cells(rows[-1]) + 1 + cells(first) <= width:
            rows[-1] += f" {first}"
        else:
            rows.append(first)
        rows += more
    return rows


def _goes_on(text: str, at: int) -> bool:
    """Whether the character at ``at`` belongs to the one before it."""
    char = text[at]
    return cells(char) == 0 or text[at - 1] == "\u200d" or _TONES[0] <= char <= _TONES[1]


def pad(text: str, width: int, *, right: bool = False) -> str:
    """The text with blanks to its right, or left, up to ``width`` cells."""
    blanks = " " * (width - cells(text))
    return blanks + text if right else text + blanks


def table(
    columns: Sequence[Column], rows: Sequence[Sequence[Cell]], width: int, ink: Ink
) -> list[str]:
    """The rows of a table with a heading, each at most ``width`` cells wide."""
    heading = [Cell(column.title, "dim") for column in columns]
    shown = fitting(columns, [heading, *rows], width)
    return [_row(columns, row, shown, ink) for row in [heading, *rows]]


def fitting(
    columns: Sequence[Column], rows: Sequence[Sequence[Cell]], width: int
) -> dict[int, int]:
    """Which columns are shown, by their number, and how wide."""
    natural = {at: max(cells(row[at].text) for row in rows) for at in range(len(columns))}
    while True:
        shown = dict(natural)
        over = sum(shown.values()) + _GAP * (len(shown) - 1) - width
        for at in reversed(shown):
            if over > 0 and columns[at].least:
                taken = min(over, max(0, shown[at] - columns[at].least))
                shown[at] -= taken
                over -= taken
        going = max(shown, key=lambda at: columns[at].drop)
        if over <= 0 or not columns[going].drop:
            return shown
        del natural[going]


def _row(columns: Sequence[Column], row: Sequence[Cell], shown: dict[int, int], ink: Ink) -> str:
    parts = []
    last = max(shown)
    for at, width in shown.items():
        text = cut(row[at].text, width)
        column = columns[at]
        blanks = " " * (width - cells(text))
        painted = ink(row[at].style, text)
        if column.right:
            painted = blanks + painted
        elif at != last:
            painted += blanks
        parts.append(painted)
    return (" " * _GAP).join(parts).rstrip()


def bar(value: float, top: float, width: int) -> str:
    """A horizontal bar, ``width`` cells long for ``top``; what is more than nothing shows."""
    if value <= 0 or top <= 0 or width <= 0:
        return ""
    eighths = max(1, round(value / top * width * 8))
    return "█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()


def sparkline(values: Sequence[float]) -> str:
    """A character for each value, as high as it is; a blank for nothing."""
    top = max(values, default=0)
    if top <= 0:
        return " " * len(values)
    return "".join(
        " " if value <= 0 else _LEVELS[min(7, int(value / top * 8 - 1e-9))] for value in values
    )


def grouped(values: Sequence[float], width: int) -> tuple[list[float], int]:
    """The values in at most ``width`` sums of neighbours, and how many are in each.

    The last group is a full one; the first may have fewer.
    """
    size = max(1, -(-len(values) // max(1, width)))
    first = len(values) % size
    starts = ([0] if first else []) + list(range(first, len(values), size))
    ends = [*starts[1:], len(values)]
    sums = [sum(values[start:end]) for start, end in zip(starts, ends, strict=True)]
    return sums, size
