"""The elements of an answer as rows: one set of them for what is streamed and for what is static.

``Renderer.render`` takes the pieces that ``sinks.markdown`` hands out, one after the other, and
gives the rows of each. What a row looks like depends on its piece and on one bit of the past:
whether anything stands above (then a blank row goes before a block). So it makes no difference
whether the pieces came at once or over minutes. Headings are set to the left, code carries no
decoration and is not cut at the top level: its lines are wrapped by the terminal and copied whole.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from darkai_cli.output.markdown.pieces import (
    Block,
    CodeClose,
    CodeLine,
    CodeOpen,
    Item,
    Long,
    Piece,
    end_of,
)
from darkai_cli.output.terminal import table
from darkai_cli.output.terminal.highlight import Highlighter, highlighter, language
from darkai_cli.output.terminal.inline import Inline, shown
from darkai_cli.output.terminal.theme import PLAIN, Background, Look, code_styles
from darkai_cli.output.terminal.wrap import Line, Run, fold, rows_of, width_of

if TYPE_CHECKING:
    from markdown_it.token import Token

_BULLETS = "•◦▪"
_TASKS = {"[ ] ": "☐", "[x] ": "☑", "[X] ": "☑"}
_LEAST = 12
"""Cells that text keeps however deep it is nested."""

_RULE = 60
_TITLE = "━"


class Renderer:
    """Renders the pieces of one text, in order."""

    def __init__(
        self,
        look: Look,
        background: Background,
        width: int,
        *,
        links: bool,
        continues: bool = False,
    ) -> None:
        self.width = width
        self._look = look
        self._background = background
        self._inline = Inline(look, links=links)
        self._begun = continues
        self._code: Highlighter | None = None

    def fork(self) -> Renderer:
        """A renderer for what comes next, whose state does not reach this one."""
        other = Renderer.__new__(Renderer)
        other.__dict__.update(self.__dict__)
        return other

    def render(self, piece: Piece, *, is_last: bool = False) -> Iterator[Line]:
        """The rows of ``piece``, made as they are asked for: a block may have a million.

        ``is_last``: a line of code that is not complete.
        """
        if isinstance(piece, CodeLine):
            yield self._code_line(piece.text, is_last=is_last)
            return
        if isinstance(piece, CodeClose):
            self._code = None
            yield [Run("───", self._look.frame)]
            return
        blank = True
        if isinstance(piece, CodeOpen):
            rows = self._open_code(piece.info)
        elif isinstance(piece, Item):
            rows = self._item(piece.tokens, piece.number, self.width, 0)
            blank = piece.first or piece.loose
        elif isinstance(piece, Long):
            rows = rows_of([Run(shown(piece.text), self._look.text)], self.width)
            blank = piece.first
        else:
            rows = self._block(piece)
        for row in rows:
            if blank and self._begun:
                yield []
            blank, self._begun = False, True
            yield row

    def _block(self, piece: Block) -> Iterator[Line]:
        """The rows of a whole block; none if they are all empty, like a heading without text."""
        wraps = piece.tokens[0].type in ("code_block", "html_block", "maths")
        width = (1 << 30) if wraps else self.width  # the terminal wraps these
        held = 0
        for line in self._element(piece.tokens, width, 0):
            if held >= 0 and not any(run.text for run in line):
                held += 1
                continue
            for _ in range(held):
                yield []
            held = -1
            yield line

    # Code

    def _open_code(self, info: str) -> Iterator[Line]:
        name = language(info)
        self._code = highlighter(name)
        label = f"─── {shown(info)}" if info else "───"
        return rows_of([Run(label, self._look.frame)], self.width)

    def _code_line(self, text: str, *, is_last: bool = False) -> Line:
        if self._code is None or not self._look.code_theme:
            return [Run(text.expandtabs(4), self._look.text)]
        tokens = self._code.peek(text) if is_last else self._code.line(text)
        styles = code_styles(self._look.code_theme, self._background)
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
        """A code block within a list or quote: folded here, since its lines have a margin."""
        outer, self._code = self._code, None
        yield from self._open_code(token.info.strip())
        lines = token.content.split("\n")
        while lines and not lines[-1].strip():
            lines.pop()
        for text in lines:
            yield from folded(self._code_line(text), width)
        yield [Run("───", self._look.frame)]
        self._code = outer

    # Blocks

    def _element(self, tokens: list[Token], width: int, depth: int) -> Iterator[Line]:
        """The rows of one block, whatever it is."""
        first = tokens[0]
        kind = first.type
        if kind == "paragraph_open":
            yield from rows_of(self._inline.runs(tokens[1].children or []), width)
        elif kind == "heading_open":
            yield from self._heading(first.tag, tokens[1], width)
        elif kind in ("bullet_list_open", "ordered_list_open"):
            yield from self._list(tokens, width, depth)
        elif kind == "blockquote_open":
            bar = [Run("│ ", self._look.frame)]
            room = width if depth > width - _LEAST else width - 2
            for line in self._blocks(tokens[1:-1], room, depth + 2, is_loose=True):
                yield [*bar, *line] if room < width else line
        elif kind == "table_open":
            yield from table.draw(table.read(tokens, self._inline), width, self._look)
        elif kind == "fence":
            yield from self._nested_code(first, width)
        elif kind == "hr":
            yield [Run("─" * min(width, _RULE), self._look.frame)]
        else:
            yield from self._literal(first, width)

    def _literal(self, token: Token, width: int) -> Iterator[Line]:
        """HTML, formulas and indented code, line by line as they are written."""
        style = {"html_block": self._look.html, "maths": self._look.maths}.get(
            token.type, self._look.text
        )
        text = token.content.strip("\n") if token.type == "code_block" else token.content.rstrip()
        for line in text.split("\n"):
            yield from folded([Run(shown(line.expandtabs(4)), style)], width)

    def _heading(self, tag: str, token: Token, width: int) -> Iterator[Line]:
        look = self._look
        style = {"h1": look.title, "h2": look.heading, "h3": look.subheading}.get(tag, look.lesser)
        rows = list(rows_of(self._inline.runs(token.children or [], style), width))
        yield from rows
        if rows and tag == "h1":
            yield [Run(_TITLE * max(map(width_of, rows)), look.frame)]

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
        """A list item: its marker, and its blocks beside it.

        The width of the marker's column depends on nothing but the number itself, or it would
        change while the list grows.
        """
        level = depth // 3 % len(_BULLETS)
        marker = f" {_BULLETS[level]} " if number is None else f"{number:>2}. "
        task = _task(tokens)
        if task:
            marker = f" {task} " if number is None else f"{marker}{task} "
        if len(marker) > width - _LEAST:
            marker = marker.strip() + " "
        margin = len(marker) if width - len(marker) >= _LEAST else 0
        head = [Run(marker, self._look.marker)]
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
        """The blocks inside a quote or an item; a blank row between them where the text has one."""
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
    """``line`` cut into rows wherever they are full, spaces kept."""
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
    """The blocks directly within ``tokens``."""
    begin = level = 0
    for index, token in enumerate(tokens):
        level += token.nesting
        if level == 0:
            yield tokens[begin : index + 1]
            begin = index + 1


def _task(tokens: list[Token]) -> str:
    """The box of a task list's item, whose text then loses its brackets."""
    if len(tokens) < 2 or tokens[0].type != "paragraph_open" or not tokens[1].children:
        return ""
    text = tokens[1].children[0]
    if "task" not in text.meta:
        text.meta["task"] = _TASKS.get(text.content[:4], "") if text.type == "text" else ""
        if text.meta["task"]:
            text.content = text.content[4:]
    return str(text.meta["task"])
