"""The pieces of a Markdown text: whole blocks, items of a list, lines of code.

This module says what the pieces are, and turns a parsed block into pieces. ``incremental`` decides
when one is final.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, TypeAlias

from markdown_it.common.utils import unescapeAll
from markdown_it.token import Token

from darkai_cli.output.markdown.grammar import Grammar, Span


class Block(NamedTuple):
    """A whole top-level block, as ``markdown-it`` tokens."""

    tokens: list[Token]


class ListItem(NamedTuple):
    """An item of a top-level list.

    ``number`` is None in a bullet list; ``first``: it opens the list; ``loose``: a blank line
    stands between it and the item before.
    """

    tokens: list[Token]
    number: int | None
    first: bool
    loose: bool


class LongLine(NamedTuple):
    """A part of a line that is too long for Markdown, as written. ``first``: the line's first."""

    text: str
    first: bool


class CodeOpen(NamedTuple):
    """A code fence begins; ``info`` is the rest of its line, usually the language."""

    info: str


class CodeLine(NamedTuple):
    """A line of code without its line break. Blank lines at the end of a fence are left out."""

    text: str


class CodeClose(NamedTuple):
    """The code fence is over."""


Piece: TypeAlias = Block | ListItem | LongLine | CodeOpen | CodeLine | CodeClose


class ListState(NamedTuple):
    """The state of a list whose first items are final: its next number, and whether it is loose."""

    number: int | None
    loose: bool


def pieces_of(grammar: Grammar, span: Span, resumed: ListState | None) -> Iterator[Piece]:
    """Yield the pieces of one block.

    ``resumed``: the state of the list that the block continues, or None.
    """
    if span.kind in ("bullet_list", "ordered_list"):
        grammar.inline(span.tokens)
        yield from items_of(span, resumed)
    elif span.kind == "fence":
        token = span.tokens[0]
        yield CodeOpen(unescapeAll(token.info).strip())
        for line in code_lines(token):
            yield CodeLine(line if line.strip() else "")
        yield CodeClose()
    else:
        grammar.inline(span.tokens)
        yield Block(span.tokens)


def code_lines(token: Token) -> list[str]:
    """Return the lines of a code block without the blank ones at its end."""
    lines = token.content.split("\n")
    while lines and not lines[-1].strip():
        lines.pop()
    return lines


def items_of(span: Span, resumed: ListState | None) -> Iterator[ListItem]:
    """Yield the items of a list. ``resumed``: the state of the list that it continues, or None."""
    number = _first_number(span, resumed)
    first = resumed is None
    loose = resumed.loose if resumed else False
    for begin, end in item_bounds(span.tokens):
        yield ListItem(span.tokens[begin + 1 : end], number, first, loose)
        first = False
        loose = begin_of(span.tokens, end + 1) > end_of(span.tokens[begin:end])
        number = None if number is None else number + 1


def _first_number(span: Span, resumed: ListState | None) -> int | None:
    if span.kind == "bullet_list":
        return None
    return resumed.number if resumed else int(span.tokens[0].attrs.get("start", 1))


def item_bounds(tokens: list[Token]) -> list[tuple[int, int]]:
    """Return where each item of a top-level list opens and closes."""
    bounds = []
    begin = 0
    for index, token in enumerate(tokens):
        if token.level == 1 and token.type == "list_item_open":
            begin = index
        elif token.level == 1 and token.type == "list_item_close":
            bounds.append((begin, index))
    return bounds


def begin_of(tokens: list[Token], index: int) -> int:
    """Return the source line of the token at ``index``; 0 if there is none."""
    lines = tokens[index].map if index < len(tokens) else None
    return lines[0] if lines else 0


def end_of(tokens: list[Token]) -> int:
    """Return the source line after the last visible one of ``tokens``. The first must have a map.

    The maps of containers count trailing blank lines; those of leaves do not.
    """
    end = begin_of(tokens, 0) + 1
    for token in tokens:
        if token.map and not token.type.endswith(("list_open", "item_open", "quote_open")):
            end = max(end, token.map[1])
    return end
