"""Markdown blocks as rows, the same for a streamed and for a static text.

``BlockRenderer.render`` takes the pieces of ``output.markdown``, one after the other, and yields
the rows of each. A row depends on its piece and on one bit of the past: whether anything is above
it (then a blank row goes before a block). So it makes no difference whether the pieces came at once
or over minutes. Headings are set to the left. Code has no decoration, and at the top level its
lines are not cut: the terminal wraps them, so they are copied as they are.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import TYPE_CHECKING

from darkai_cli.output.markdown.pieces import (
    Block,
    CodeClose,
    CodeLine,
    CodeOpen,
    ListItem,
    LongLine,
    Piece,
    code_lines,
    end_of,
)
from darkai_cli.output.terminal import table
from darkai_cli.output.terminal.highlight import Highlighter, highlighter, language
from darkai_cli.output.terminal.inline import Inline, visible
from darkai_cli.output.terminal.theme import PLAIN, Background, Styles, code_styles
from darkai_cli.output.terminal.wrap import Line, Run, fold, rows_of, width_of

if TYPE_CHECKING:
    from markdown_it.token import Token

_BULLETS = "•◦▪"
_TASKS = {"[ ] ": "☐", "[x] ": "☑", "[X] ": "☑"}
_LEAST = 12
"""Cells that text has at least, however deep it is nested."""

_RULE = 60
_TITLE = "━"


class BlockRenderer:
    """Renders the pieces of one text, in order.

    ``continues``: there are rows above, so the first block begins with a blank row.
    """

    def __init__(
        self,
        styles: Styles,
        background: Background,
        width: int,
        *,
        links: bool,
        continues: bool = False,
    ) -> None:
        self.width = width
        self._styles = styles
        self._background = background
        self._inline = Inline(styles, links=links)
        self._begun = continues
        self._code: Highlighter | None = None

    def fork(self) -> BlockRenderer:
        """Return a copy for what comes next, whose state does not reach this one."""
        return copy.copy(self)

    def render(self, piece: Piece, *, is_last: bool = False) -> Iterator[Line]:
        """Yield the rows of ``piece``; a block may have a million.

        ``is_last``: it is a line of code that is not complete.
        """
        if isinstance(piece, CodeLine):
            yield self._code_line(piece.text, is_last=is_last)
            return
        if isinstance(piece, CodeClose):
            self._code = None
            yield [Run("───", self._styles.frame)]
            return
        blank = True
        if isinstance(piece, CodeOpen):
            rows = self._open_code(piece.info)
        elif isinstance(piece, ListItem):
            rows = self._item(piece.tokens, piece.number, self.width, 0)
            blank = piece.first or piece.loose
        elif isinstance(piece, LongLine):
            rows = rows_of([Run(visible(piece.text), self._styles.text)], self.width)
            blank = piece.first
        else:
            rows = self._block(piece)
        for row in rows:
            if blank and self._begun:
                yield []
            blank, self._begun = False, True
            yield row

    def _block(self, piece: Block) -> Iterator[Line]:
        """Yield the rows of a block; none if all are empty, as those of a heading without text."""
        wraps = piece.tokens[0].type in ("code_block", "html_block", "maths")
        width = (1 << 30) if wraps else self.width  # the terminal wraps these
        empty_rows = 0
        has_text = False
        for line in self._element(piece.tokens, width, 0):
            if not has_text and not any(run.text for run in line):
                empty_rows += 1
                continue
            if not has_text:
                yield from ([] for _ in range(empty_rows))
                has_text = True
            yield line

    # Code

    def _open_code(self, info: str) -> Iterator[Line]:
        name = language(info)
        self._code = highlighter(name)
        label = f"─── {visible(info)}" if info else "───"
        return rows_of([Run(label, self._styles.frame)], self.width)

    def _code_line(self, text: str, *, is_last: bool = False) -> Line:
        if self._code is None or not self._styles.code_theme:
            return [Run(text.expandtabs(4), self._styles.text)]
        tokens = self._code.peek(text) if is_last else self._code.line(text)
        styles = code_styles(self._styles.code_theme, self._background)
        if "\t" not in text:
            return [Run(part, styles.get(kind, PLAIN)) for kind, part in tokens]
        line: Line = []
        column = 0
        for kind, part in tokens:
            expanded = (" " * (column % 4) + part).expandtabs(4)[column % 4 :]
            column += len(expanded)
            line.append(Run(expanded, styles.get(kind, PLAIN)))
        return line

    def _nested_code(self, token: Token, width: int) -> Iterator[Line]:
        """Yield a code block within a list or quote, folded, since its lines have a margin."""
        outer, self._code = self._code, None
        yield from self._open_code(token.info.strip())
        for text in code_lines(token):
            yield from folded(self._code_line(text), width)
        yield [Run("───", self._styles.frame)]
        self._code = outer

    # Blocks

    def _element(self, tokens: list[Token], width: int, depth: int) -> Iterator[Line]:
        """Yield the rows of one block of any kind."""
        first = tokens[0]
        kind = first.type
        if kind == "paragraph_open":
            yield from rows_of(self._inline.runs(tokens[1].children or []), width)
        elif kind == "heading_open":
            yield from self._heading(first.tag, tokens[1], width)
        elif kind in ("bullet_list_open", "ordered_list_open"):
            yield from self._list(tokens, width, depth)
        elif kind == "blockquote_open":
            bar = [Run("│ ", self._styles.frame)]
            room = width if depth > width - _LEAST else width - 2
            for line in self._blocks(tokens[1:-1], room, depth + 2, is_loose=True):
                yield [*bar, *line] if room < width else line
        elif kind == "table_open":
            yield from table.draw(table.read(tokens, self._inline), width, self._styles)
        elif kind == "fence":
            yield from self._nested_code(first, width)
        elif kind == "hr":
            yield [Run("─" * min(width, _RULE), self._styles.frame)]
        else:
            yield from self._literal(first, width)

    def _literal(self, token: Token, width: int) -> Iterator[Line]:
        """Yield HTML, formulas and indented code as they are written."""
        style = {"html_block": self._styles.html, "maths": self._styles.maths}.get(
            token.type, self._styles.text
        )
        text = token.content.strip("\n") if token.type == "code_block" else token.content.rstrip()
        for line in text.split("\n"):
            yield from folded([Run(visible(line.expandtabs(4)), style)], width)

    def _heading(self, tag: str, token: Token, width: int) -> Iterator[Line]:
        styles = self._styles
        style = {"h1": styles.title, "h2": styles.heading, "h3": styles.subheading}.get(
            tag, styles.lesser
        )
        rows = list(rows_of(self._inline.runs(token.children or [], style), width))
        yield from rows
        if rows and tag == "h1":
            yield [Run(_TITLE * max(map(width_of, rows)), styles.frame)]

    def _list(self, tokens: list[Token], width: int, depth: int) -> Iterator[Line]:
        number = None
        if tokens[0].type == "ordered_list_open":
            number = int(tokens[0].attrs.get("start", 1))
        end = 0
        for child in _children(tokens[1:-1]):
            start = child[0].map[0] if child[0].map else 0
            if end and start > end:
                yield []
            end = end_of(child)
            yield from self._item(child[1:-1], number, width, depth)
            number = None if number is None else number + 1

    def _item(
        self, tokens: list[Token], number: int | None, width: int, depth: int
    ) -> Iterator[Line]:
        """Yield a list item: its marker, and its blocks beside it.

        The width of the marker's column depends only on the number itself, or it would change while
        the list grows.
        """
        level = depth // 3 % len(_BULLETS)
        marker = f" {_BULLETS[level]} " if number is None else f"{number:>2}. "
        task = _task(tokens)
        if task:
            marker = f" {task} " if number is None else f"{marker}{task} "
        if len(marker) > width - _LEAST:
            marker = marker.strip() + " "
        margin = len(marker) if width - len(marker) >= _LEAST else 0
        head = [Run(marker, self._styles.marker)]
        rest = [Run(" " * margin, PLAIN)]
        room = max(width - len(marker), 1) if margin else max(width, 1)
        if not margin:
            yield head
        lines = self._blocks(tokens, room, depth + 3, is_loose=False)
        for line in lines:
            yield [*(head if margin else []), *line]
            break
        else:
            if margin:
                yield head
        for line in lines:
            yield [*rest, *line] if line else []

    def _blocks(
        self, tokens: list[Token], width: int, depth: int, *, is_loose: bool
    ) -> Iterator[Line]:
        """Yield the blocks inside a quote or an item, with a blank row where the text has one."""
        end = 0
        for child in _children(tokens):
            begun = bool(end)
            gap = begun and (is_loose or (child[0].map or [0])[0] > end)
            for line in self._element(child, width, depth):
                if gap:
                    yield []
                    gap = False
                yield line
            end = end_of(child)


def folded(line: Line, width: int) -> Iterator[Line]:
    """Yield ``line`` cut into rows wherever they are full, with all its spaces."""
    if width_of(line) <= width:
        yield line
        return
    row: Line = []
    column = 0
    for run in line:
        begin = 0
        for at in [*fold(run.text, width, column), None]:
            row.append(Run(run.text[begin:at], run.style, run.link))
            if at is None:
                column = width_of(row)
                break
            yield row
            row, begin = [], at
    yield row


def _children(tokens: list[Token]) -> Iterator[list[Token]]:
    """Yield the blocks directly within ``tokens``."""
    begin = level = 0
    for index, token in enumerate(tokens):
        level += token.nesting
        if level == 0:
            yield tokens[begin : index + 1]
            begin = index + 1


def _task(tokens: list[Token]) -> str:
    """Return the box of a task list's item, or "", and remove the brackets from its text."""
    if len(tokens) < 2 or tokens[0].type != "paragraph_open" or not tokens[1].children:
        return ""
    text = tokens[1].children[0]
    if "task" not in text.meta:
        text.meta["task"] = _TASKS.get(text.content[:4], "") if text.type == "text" else ""
        if text.meta["task"]:
            text.content = text.content[4:]
    return str(text.meta["task"])
