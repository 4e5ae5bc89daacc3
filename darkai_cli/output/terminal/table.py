"""Tables with columns as wide as they need to be, or a list of records where they cannot fit.

No column and no cell is ever dropped. The widths depend on all rows, so a table is rendered when it
is complete.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from darkai_cli.output.terminal.theme import PLAIN, STRONG, Styles
from darkai_cli.output.terminal.wrap import Line, Run, rows_of, width_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from markdown_it.token import Token

    from darkai_cli.output.terminal.inline import Inline

Align = Literal["left", "center", "right"]

_GAP = " │ "
_NARROW = 6
"""If a column would wrap and be narrower than this, the table becomes a list of records."""


class Table(NamedTuple):
    """The cells of a table as runs; the first row is the header."""

    rows: list[list[Line]]
    aligns: list[Align]


def read(tokens: list[Token], inline: Inline) -> Table:
    """Return the table that ``tokens`` describe."""
    rows: list[list[Line]] = []
    aligns: list[Align] = []
    for token in tokens:
        if token.type == "tr_open":
            rows.append([])
        elif token.type == "th_open":
            style = str(token.attrs.get("style", ""))
            aligns.append(
                "right"
                if style.endswith("right")
                else "center"
                if style.endswith("center")
                else "left"
            )
        elif token.type == "inline":
            base = STRONG if len(rows) == 1 else PLAIN
            rows[-1].append(inline.runs(token.children or [], base))
    return Table(rows, aligns)


def draw(table: Table, width: int, styles: Styles) -> Iterator[Line]:
    """Yield the table's rows, each of at most ``width`` cells."""
    natural = [
        max((_widest(row[column]) for row in table.rows), default=0)
        for column in range(len(table.aligns))
    ]
    widths = share(natural, width - len(_GAP) * (len(natural) - 1))
    if widths is None:
        yield from _records(table, width, styles)
        return
    frame = styles.frame
    rule = Run("─┼─".join("─" * w for w in widths), frame)
    is_wrapped = any(w < n for w, n in zip(widths, natural, strict=True))
    thin = Run("─┼─".replace("─", "╌").join("╌" * w for w in widths), frame)
    for number, row in enumerate(table.rows):
        if number == 1:
            yield [rule]
        elif number > 1 and is_wrapped:
            yield [thin]
        yield from _cells(row, widths, table.aligns, styles)
    if len(table.rows) == 1:
        yield [rule]


def _widest(cell: Line) -> int:
    if not any("\n" in run.text for run in cell):
        return width_of(cell)
    return max(map(width_of, rows_of(cell, 1 << 30)), default=0)


def share(natural: list[int], room: int) -> list[int] | None:
    """Return the widths of columns whose full widths are ``natural``; None if they cannot fit.

    ``room``: cells for all of them. Narrow columns get what they need, the others equal shares of
    what remains.
    """
    wide = sorted(range(len(natural)), key=natural.__getitem__)
    widths = [max(1, n) for n in natural]
    if sum(widths) <= room:
        return widths
    remaining = room
    for position, column in enumerate(wide):
        part = remaining // (len(wide) - position)
        widths[column] = min(widths[column], part)
        if widths[column] < min(_NARROW, natural[column]):
            return None
        remaining -= widths[column]
    return widths


def _cells(
    row: list[Line], widths: list[int], aligns: list[Align], styles: Styles
) -> Iterator[Line]:
    """Yield one row of the table, as many rows as its longest cell has."""
    cells = [list(rows_of(cell, width)) for cell, width in zip(row, widths, strict=True)]
    for number in range(max(map(len, cells), default=0)):
        line: Line = []
        for column, cell in enumerate(cells):
            if column:
                line.append(Run(_GAP, styles.frame))
            part = cell[number] if number < len(cell) else []
            space = widths[column] - width_of(part)
            before = {"left": 0, "center": space // 2, "right": space}[aligns[column]]
            line.append(Run(" " * before, PLAIN))
            line.extend(part)
            line.append(Run(" " * (space - before), PLAIN))
        yield line


def _records(table: Table, width: int, styles: Styles) -> Iterator[Line]:
    """Yield each row as lines of ``header: cell``."""
    header, *rows = table.rows
    if not rows:
        for cell in header:
            yield from rows_of(cell, width)
        return
    for number, row in enumerate(rows):
        if number:
            yield [Run("╌" * min(width, 20), styles.frame)]
        for name, cell in zip(header, row, strict=True):
            label = [*name, Run(": " if name else "", styles.frame)]
            yield from rows_of([*label, *cell], width)
