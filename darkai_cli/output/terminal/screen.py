"""From rows to bytes: a scrollback that is only appended to, and a preview below it.

``LiveScreen.frame`` returns the bytes that turn what is on the screen into what should be. The
cursor never goes above the preview's first row. Rows that stay are not written again; the others
are overwritten and then cleared to their end, never cleared first, so nothing flickers. Three rules
come from terminals:

- Clearing to the end of a full row would erase its last cell, so only shorter rows are cleared.
- The preview is written with automatic wrapping off, so that a row whose width the terminal sees
  differently stays one row. Final rows are written with wrapping on. If the width of one is in
  doubt, it is written again even if it is on the screen already, and what is below is cleared
  first, because the number of rows that it will take is unknown.
- A terminal that re-wraps on a change of width has moved the preview's rows, so their number is
  computed again.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from darkai_cli.output.sanitize import sanitize_line
from darkai_cli.output.terminal.wrap import Line, Run, is_doubtful, width_of

if TYPE_CHECKING:
    from darkai_cli.output.terminal.theme import Ink

ERASE_LINE = "\x1b[K"
ERASE_BELOW = "\x1b[J"
WRAP_OFF, WRAP_ON = "\x1b[?7l", "\x1b[?7h"
SYNC_ON, SYNC_OFF = "\x1b[?2026h", "\x1b[?2026l"
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


class PaintedRow(NamedTuple):
    """A row with its escape sequences, and its width in cells.

    ``doubtful``: terminals may disagree about the width.
    """

    text: str
    cells: int
    doubtful: bool


def paint(row: Line, ink: Ink) -> PaintedRow:
    """Return the row with its escape sequences, without trailing blanks."""
    line = _trimmed(row)
    plain = "".join([run.text for run in line])
    # The last filter: no control character passes, whatever an earlier one has let through.
    if _CONTROL.search(plain):
        line = [Run(sanitize_line(r.text, len(r.text) * 32), r.style, r.link) for r in line]
        plain = "".join([run.text for run in line])
    parts: list[str] = []
    current = ""
    for run in line:
        start = ink.start(run.style)
        if start != current:
            parts.append("\x1b[0m" if current else "")
            parts.append(start)
            current = start
        parts.append(f"\x1b]8;;{run.link}\x1b\\{run.text}\x1b]8;;\x1b\\" if run.link else run.text)
    if current:
        parts.append("\x1b[0m")
    cells = len(plain) if plain.isascii() else width_of(line)
    return PaintedRow("".join(parts), cells, is_doubtful(plain))


def _trimmed(line: Line) -> Line:
    end = len(line)
    while end and not line[end - 1].text.rstrip(" "):
        end -= 1
    if end and line[end - 1].text.endswith(" "):
        last = line[end - 1]
        return [*line[: end - 1], Run(last.text.rstrip(" "), last.style, last.link)]
    return line[:end]


class LiveScreen:
    """Knows which preview rows are on the screen.

    Between frames the cursor is in the last preview row, or, without a preview, at the beginning of
    an empty row. ``sync``: mark frames of several rows as synchronized output (DEC 2026).
    """

    def __init__(self, *, sync: bool, rewraps: bool) -> None:
        self._preview: list[PaintedRow] = []
        self._width = 0
        self._sync = sync
        self._rewraps = rewraps

    def frame(
        self, final: list[PaintedRow], preview: list[PaintedRow], width: int, height: int
    ) -> str:
        """Return what to write so that ``final`` stands above a new ``preview``."""
        head = self._resized(width, height)
        old, new = self._preview, [*final, *preview]
        same = 0
        for before, after in zip(old, new, strict=False):
            if before.text != after.text or (same < len(final) and after.doubtful):
                break
            same += 1
        if same == len(new) and preview:  # nothing to draw, at most the old rows below to clear
            body = f"{self._move(same)}{ERASE_BELOW}{_up(1)}" if len(old) > same else ""
        elif new or old:
            body = self._move(same) + self._draw(new, same, len(final), width)
        else:
            body = ""
        self._preview = preview
        if self._sync and body.count("\n") > 1:
            return f"{SYNC_ON}{head}{body}{SYNC_OFF}"
        return head + body

    def forget(self) -> None:
        """Take the cursor to be at the beginning of an empty row, with no preview above it."""
        self._preview = []

    def _resized(self, width: int, height: int) -> str:
        """Return what clears the old preview if the width has changed since it was written."""
        before, self._width = self._width, width
        if before in (0, width) or not self._preview:
            return ""
        rows = len(self._preview)
        if self._rewraps:
            rows = sum(max(1, -(-row.cells // width)) for row in self._preview)
        self._preview = []
        rows = min(rows, height)
        return "\r" + _up(rows - 1) + _clear(rows)

    def _move(self, row: int) -> str:
        """Return what moves the cursor to the beginning of preview row ``row``."""
        last = len(self._preview) - 1
        if last < 0:
            return ""
        return "\r\n" if row > last else "\r" + _up(last - row)

    def _draw(self, new: list[PaintedRow], same: int, final: int, width: int) -> str:
        """Return what draws the rows from ``same`` on, and clears old rows below them."""
        old_rows = len(self._preview)
        parts: list[str] = []
        if same < old_rows and any(_is_uncertain(row, width) for row in new[same:final]):
            parts.append(_clear(old_rows - same))
            old_rows = 0
        at = same
        for index in range(same, len(new)):
            row = new[index]
            if index == max(same, final):
                parts.append(WRAP_OFF)
            at += max(1, -(-row.cells // width)) if index < final else 1
            parts.append(row.text)
            is_full = row.cells and not row.cells % width
            if at <= old_rows and not is_full:
                parts.append(ERASE_LINE)
            if index + 1 < len(new) or index < final:
                parts.append("\r\n")
        has_preview = len(new) > final
        if has_preview and len(new) > max(same, final):
            parts.append(WRAP_ON)
        if at < old_rows:
            if not has_preview:
                parts.append(_clear(old_rows - at))
            else:
                parts.append(f"\r\n{ERASE_BELOW}{_up(1)}")
        return "".join(parts)


def _is_uncertain(row: PaintedRow, width: int) -> bool:
    """Return whether the number of terminal rows it takes, or the cells it covers, is in doubt."""
    return row.doubtful or (row.cells > width and len(row.text) != row.cells)


def _up(rows: int) -> str:
    return f"\x1b[{rows}A" if rows > 0 else ""


def _clear(rows: int) -> str:
    """Return what clears ``rows`` rows, from the one at whose beginning the cursor is and stays."""
    # Clearing all of them at once would be wrong: from the top left corner tmux takes that for a
    # clearing of the screen, and saves the old rows in its history.
    return ERASE_LINE + (f"\r\n{ERASE_BELOW}{_up(1)}" if rows > 1 else "")
