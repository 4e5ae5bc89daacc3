"""Lays out rows of text that fit a terminal: tables, wrapped lines, bars, sparklines.

The text is safe for a terminal already. Widths are cells, by Rich's table of them, which is only
imported for text that is not ASCII. A table that is too wide first cuts its elastic columns, the
rightmost first, then drops columns, those with the highest ``drop`` first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

Styler = Callable[[str, str], str]
"""Returns a text in a style; the arguments are the name of the style and the text."""

_GAP = 2
_EIGHTHS = " ▏▎▍▌▋▊▉"
_LEVELS = "▁▂▃▄▅▆▇█"
_TONES = ("\U0001f3fb", "\U0001f3ff")


class Cell(NamedTuple):
    """A field of a table: text without line breaks, and its style."""

    text: str
    style: str = ""


class Column(NamedTuple):
    """A column of a table.

    ``least``: the width in cells that it can be cut to; 0 if it cannot be cut. ``drop``: where it
    stands in the order in which columns are dropped; 0 if it never is.
    """

    title: str
    right: bool = False
    least: int = 0
    drop: int = 0


def cells(text: str) -> int:
    """Return the width of the text."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def cut(text: str, width: int) -> str:
    """Return the text cut to ``width`` cells, with `…` at the end if it was cut.

    A character is not separated from the marks on it, nor a joined emoji taken apart.
    """
    if cells(text) <= width:
        return text
    end = 0
    if width > 0:
        used = 0
        for char in text:
            used += max(0, cells(char))
            if used > width - 1:
                break
            end += 1
        while end and _is_joined(text, end):
            end -= 1
    return text[:end].rstrip() + "…"[:width]


def folded(text: str, width: int) -> list[str]:
    """Return the text in pieces of at most ``width`` cells (or of one character that is wider)."""
    pieces = []
    while cells(text) > width:
        end = max(1, len(cut(text, width + 1)) - 1)
        pieces.append(text[:end])
        text = text[end:]
    return [*pieces, text]


def wrapped(line: str, width: int) -> list[str]:
    """Return the line in rows of at most ``width`` cells, broken at blanks where possible."""
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


def _is_joined(text: str, at: int) -> bool:
    """Return whether the character at ``at`` belongs to the one before it."""
    char = text[at]
    return cells(char) == 0 or text[at - 1] == "\u200d" or _TONES[0] <= char <= _TONES[1]


def table(
    columns: Sequence[Column], rows: Sequence[Sequence[Cell]], width: int, styled: Styler
) -> list[str]:
    """Return the lines of a table with a heading, each at most ``width`` cells wide."""
    heading = [Cell(column.title, "dim") for column in columns]
    widths = column_widths(columns, [heading, *rows], width)
    return [_row(columns, row, widths, styled) for row in [heading, *rows]]


def column_widths(
    columns: Sequence[Column], rows: Sequence[Sequence[Cell]], width: int
) -> dict[int, int]:
    """Return the width of each column that fits, by its number."""
    natural = {at: max(cells(row[at].text) for row in rows) for at in range(len(columns))}
    while True:
        widths = dict(natural)
        excess = sum(widths.values()) + _GAP * (len(widths) - 1) - width
        for at in reversed(widths):
            if excess > 0 and columns[at].least:
                saved = min(excess, max(0, widths[at] - columns[at].least))
                widths[at] -= saved
                excess -= saved
        dropped = max(widths, key=lambda at: columns[at].drop)
        if excess <= 0 or not columns[dropped].drop:
            return widths
        del natural[dropped]


def _row(
    columns: Sequence[Column], row: Sequence[Cell], widths: dict[int, int], styled: Styler
) -> str:
    parts = []
    last = max(widths)
    for at, width in widths.items():
        text = cut(row[at].text, width)
        column = columns[at]
        blanks = " " * (width - cells(text))
        part = styled(row[at].style, text)
        if column.right:
            part = blanks + part
        elif at != last:
            part += blanks
        parts.append(part)
    return (" " * _GAP).join(parts).rstrip()


def bar(value: float, top: float, width: int) -> str:
    """Return a horizontal bar, ``width`` cells long for ``top``; the smallest value is visible."""
    if value <= 0 or top <= 0 or width <= 0:
        return ""
    eighths = max(1, round(value / top * width * 8))
    return "█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()


def sparkline(values: Sequence[float]) -> str:
    """Return a character for each value, as high as the value; a blank for 0."""
    top = max(values, default=0)
    if top <= 0:
        return " " * len(values)
    return "".join(
        " " if value <= 0 else _LEVELS[min(7, int(value / top * 8 - 1e-9))] for value in values
    )


def grouped(values: Sequence[float], width: int) -> tuple[list[float], int]:
    """Return the values as at most ``width`` sums of neighbours, and how many are in each.

    The first sum may have fewer values than the others.
    """
    size = max(1, -(-len(values) // max(1, width)))
    first = len(values) % size
    starts = ([0] if first else []) + list(range(first, len(values), size))
    ends = [*starts[1:], len(values)]
    sums = [sum(values[start:end]) for start, end in zip(starts, ends, strict=True)]
    return sums, size
