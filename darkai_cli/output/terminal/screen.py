"""From rows to bytes: the scrollback above, which is only ever appended to, and a preview below.

``Writer.frame`` gives the bytes that turn what stands on the screen into what should. The cursor
never goes above the preview's first row. Rows that stay are not written again; the others are
overwritten and then cleared to their end, never cleared first, so nothing flickers. Three rules
come from terminals:

- Clearing to the end of a row that is full eats its last cell: only shorter rows are cleared.
- The preview is written with automatic wrapping off, so a row whose width the terminal sees
  otherwise than we do stays one row. What becomes final is written with wrapping on; if its width
  is in doubt it is written again even when it already stands there, and what is below is cleared
  first, because nobody knows how many rows it will take.
- A terminal that re-wraps on a change of width has moved the preview's rows: their number is
  computed anew.
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


class Painted(NamedTuple):
    """A row as bytes to be, with its width in cells."""

    text: str
    cells: int
    doubtful: bool


def paint(row: Line, ink: Ink) -> Painted:
    """``row`` with its escape sequences, without trailing blanks."""
    line = _trimmed(row)
    plain = "".join([run.text for run in line])
    if _CONTROL.search(plain):  # the last filter: whatever got here, no control character goes on
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
    return Painted("".join(parts), cells, is_doubtful(plain))


def _trimmed(line: Line) -> Line:
    end = len(line)
    while end and not line[end - 1].text.rstrip(" "):
        end -= 1
    if end and line[end - 1].text.endswith(" "):
        last = line[end - 1]
        return [*line[: end - 1], Run(last.text.rstrip(" "), last.style, last.link)]
    return line[:end]


class Writer:
    """Knows which preview rows stand on the screen.

    Between frames the cursor is in the last one, or, where there is none, at the beginning of an
    empty row.
    """

    def __init__(self, *, sync: bool, rewraps: bool) -> None:
        self._shown: list[Painted] = []
        self._width = 0
        self._sync = sync
        self._rewraps = rewraps

    def frame(self, final: list[Painted], preview: list[Painted], width: int, height: int) -> str:
        """What to write so that ``final`` stands above a new ``preview``."""
        head = self._resized(width, height)
        old, new = self._shown, [*final, *preview]
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
        self._shown = preview
        if self._sync and body.count("\n") > 1:
            return f"{SYNC_ON}{head}{body}{SYNC_OFF}"
        return head + body

    def forget(self) -> None:
        """The cursor is at the beginning of an empty row, and nothing above it is ours."""
        self._shown = []

    def _resized(self, width: int, height: int) -> str:
        """Clear the old preview if the width has changed since it was written."""
        before, self._width = self._width, width
        if before in (0, width) or not self._shown:
            return ""
        rows = len(self._shown)
        if self._rewraps:
            rows = sum(max(1, -(-row.cells // width)) for row in self._shown)
        self._shown = []
        rows = min(rows, height)
        return "\r" + _up(rows - 1) + _clear(rows)

    def _move(self, row: int) -> str:
        """From where the cursor is to the beginning of preview row ``row``."""
        last = len(self._shown) - 1
        if last < 0:
            return ""
        return "\r\n" if row > last else "\r" + _up(last - row)

    def _draw(self, new: list[Painted], same: int, final: int, width: int) -> str:
        """Rows ``same`` and following, and nothing left of the old ones below them."""
        left = len(self._shown)  # rows of the old preview, counted from its first
        parts: list[str] = []
        if same < left and any(_is_uncertain(row, width) for row in new[same:final]):
            parts.append(_clear(left - same))
            left = 0
        at = same
        for index in range(same, len(new)):
            row = new[index]
            if index == max(same, final):
                parts.append(WRAP_OFF)
            at += max(1, -(-row.cells // width)) if index < final else 1
            parts.append(row.text)
            is_full = row.cells and not row.cells % width
            if at <= left and not is_full:
                parts.append(ERASE_LINE)
            if index + 1 < len(new) or index < final:
                parts.append("\r\n")
        has_preview = len(new) > final
        if has_preview and len(new) > max(same, final):
            parts.append(WRAP_ON)
        if at < left:
            if not has_preview:
                parts.append(_clear(left - at))
            else:
                parts.append(f"\r\n{ERASE_BELOW}{_up(1)}")
        return "".join(parts)


def _is_uncertain(row: Painted, width: int) -> bool:
    """Whether the number of terminal rows it takes, or the cells it leaves alone, are in doubt."""
    return row.doubtful or (row.cells > width and len(row.text) != row.cells)


def _up(rows: int) -> str:
    return f"\x1b[{rows}A" if rows > 0 else ""


def _clear(rows: int) -> str:
    """Clear this row, at whose beginning the cursor is and stays, and those below, ``rows`` in all.

    Not by clearing all below at once: from the top left corner tmux takes that for a clearing of
    the screen, and saves the old rows in its history.
    """
    return ERASE_LINE + (f"\r\n{ERASE_BELOW}{_up(1)}" if rows > 1 else "")
