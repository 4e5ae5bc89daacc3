"""Text in cells: how wide it is, where it may be broken, and rows of styled runs.

All widths come from Rich's ``cell_len``. A row is never broken inside a grapheme cluster, unless
the cluster has more than ``CLUSTER_LIMIT`` code points (combining marks without end). Rows are
broken at spaces; Chinese and Japanese also between any two characters, but not before closing
punctuation. A word wider than a row is folded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple, TypeAlias

from rich.cells import cell_len
from rich.style import Style

CLUSTER_LIMIT = 32


class Run(NamedTuple):
    """A piece of text in one style, perhaps linked."""

    text: str
    style: Style
    link: str | None = None


Line: TypeAlias = list[Run]
"""What stands in one row. A code line at the top level may need several: the terminal wraps it."""

_WORD = re.compile(r"[^ ]+")
_WIDE = re.compile(
    r"[\u2e80-\u9fff\uac00-\ud7a3\uf900-\ufaff\uff01-\uff60\U00020000-\U0003ffff]"
    r"[\u3001\u3002\u300b\u300d\u300f\u3011\uff01\uff09\uff0c\uff0e\uff1a\uff1b\uff1f]*"
    r"|[^\u2e80-\u9fff\uac00-\ud7a3\uf900-\ufaff\uff01-\uff60\U00020000-\U0003ffff]+"
)
# Widths that all terminals agree on: Latin, Greek, Cyrillic, punctuation, arrows, mathematical
# signs, box drawing, Chinese, Japanese, Korean.
_UNDOUBTED = re.compile(
    r"[\x20-\x7e\xa0-\xac\xae-\u02ff\u0370-\u0482\u048a-\u052f\u2010-\u2027\u2030-\u205e"
    r"\u20a0-\u20bf\u2190-\u2199\u2200-\u2311\u2500-\u25aa\u3001-\u3029\u3041-\u3096\u309b-\u31ff"
    r"\u3400-\u9fff\uac00-\ud7a3\uff01-\uff60]*"
)


def is_doubtful(text: str) -> bool:
    """Return whether terminals may disagree about the width: emoji, marks, other scripts."""
    return not text.isascii() and _UNDOUBTED.fullmatch(text) is None


def clusters(text: str) -> Iterator[tuple[int, int]]:
    """Yield where each grapheme cluster of ``text`` begins (nearly), and its width."""
    start = cells = 0
    joined = flag = False
    for index, char in enumerate(text):
        width = cell_len(char)
        is_flag = "\U0001f1e6" <= char <= "\U0001f1ff"
        tone = "\U0001f3fb" <= char <= "\U0001f3ff"
        follows = width == 0 or joined or tone or (flag and is_flag)
        if index and (not follows or index - start >= CLUSTER_LIMIT):
            yield start, cells
            start, flag = index, is_flag
        else:
            flag = is_flag and not flag
        cells = cell_len(text[start : index + 1])
        joined = char == "\u200d"
    if text:
        yield start, cells


def fold(text: str, width: int, column: int = 0) -> list[int]:
    """Return where to break ``text`` so that no part is wider than ``width``.

    The first part starts at ``column``.
    """
    if text.isascii():
        return list(range(width - column, len(text), width))
    breaks = []
    for start, cells in clusters(text):
        if column + cells > width and (start or column):
            breaks.append(start)
            column = 0
        column += cells
    return breaks


def wrap(text: str, width: int) -> Iterator[tuple[int, int]]:
    """Yield where each row of ``text``, which has no line breaks, begins and ends."""
    if cell_len(text) <= width:
        yield 0, len(text)
        return
    begin = end = column = 0
    open_row = False
    for start, stop, cells in _units(text):
        gap = start - end if open_row else 0
        if open_row and column + gap + cells > width:
            yield begin, end
            open_row = False
        if not open_row:
            begin, column, gap, open_row = start, 0, 0, True
        if cells > width:
            for at in fold(text[start:stop], width):
                yield begin, start + at
                begin = start + at
            cells = cell_len(text[begin:stop])  # noqa: PLW2901 -- only the rest counts
        column += gap + cells
        end = stop
    if open_row:
        yield begin, end


def _units(text: str) -> Iterator[tuple[int, int, int]]:
    """Yield begin, end and width of what is not broken: words, or parts of words."""
    for match in _WORD.finditer(text):
        start, end = match.span()
        word = match.group()
        if word.isascii():
            yield start, end, end - start
            continue
        for part in _WIDE.finditer(word):
            yield start + part.start(), start + part.end(), cell_len(part.group())


def rows_of(runs: Line, width: int) -> Iterator[Line]:
    """Yield ``runs`` as rows of at most ``width`` cells; line breaks in them stay."""
    text = "".join([run.text for run in runs])
    cursor = _Cursor(runs)
    offset = 0
    for line in text.split("\n"):
        for begin, end in wrap(line, width):
            yield cursor.slice(offset + begin, offset + end)
        offset += len(line) + 1


class _Cursor:
    """Cuts consecutive slices out of runs; looks at each run once."""

    def __init__(self, runs: Line) -> None:
        self._runs = runs
        self._index = 0
        self._offset = 0  # where the current run begins

    def slice(self, begin: int, end: int) -> Line:
        row: Line = []
        runs = self._runs
        while self._index < len(runs):
            run = runs[self._index]
            stop = self._offset + len(run.text)
            if stop > begin and self._offset < end:
                part = run.text[max(0, begin - self._offset) : end - self._offset]
                row.append(Run(part, run.style, run.link))
            if stop > end:
                break
            self._index += 1
            self._offset = stop
        return row


def width_of(line: Line) -> int:
    """Return how many cells ``line`` takes."""
    return sum(cell_len(run.text) for run in line)
