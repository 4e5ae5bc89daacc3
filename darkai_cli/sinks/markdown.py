"""Which parts of a Markdown text are final while it is still being written.

This module knows no terminal and no Rich, and can be used alone::

    committer = Committer()
    for chunk in chunks:
        for piece in committer.feed(chunk):
            ...                     # will never change again, whatever follows
        committer.open()            # the rest, as it looks now
    for piece in committer.close():
        ...

The pieces of a text fed in any chunks are those of the whole text, ``pieces(text)``. The one
exception is a link that is used before its definition, in a block that is final by then: CommonMark
lets a definition stand anywhere.

Strategy: CommonMark decides block structure line by line from left to right. So only complete lines
are looked at (``Foo`` and then ``#`` is not the end of a paragraph: ``#hashtag`` would continue
it), and every top-level block but the last is final, the last one too if a blank line or its own
form has ended it. Two kinds of block are final in parts: a list item by item, a code fence line by
line, by a small machine of its own. Lines that can neither open nor close a block are not
looked at again (``_inert``): without that a quote of 10,000 lines would be parsed 10,000 times.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple, TypeAlias

from markdown_it.common.utils import unescapeAll
from markdown_it.rules_block.html_block import HTML_SEQUENCES
from markdown_it.token import Token

from darkai_cli.sinks.grammar import MATHS_ENDS, Grammar, Span

PREVIEW_LIMIT = 4_000
"""Characters of an open block from which ``open`` shows only its beginning and its end."""

_DEFINITIONS = 64
"""Lines of link definitions in a row from which the earlier ones are not read again."""


class Block(NamedTuple):
    """A whole top-level block, as ``markdown-it`` tokens."""

    tokens: list[Token]


class Item(NamedTuple):
    """An item of a top-level list.

    ``number`` is None in a bullet list; ``first``: it opens the list; ``loose``: a blank line
    stands between it and the item before.
    """

    tokens: list[Token]
    number: int | None
    first: bool
    loose: bool


class CodeOpen(NamedTuple):
    """A code fence begins; ``info`` is what stands behind it, usually the language."""

    info: str


class CodeLine(NamedTuple):
    """A line of code, without its line break. Blank lines at the end of a fence are left out."""

    text: str


class CodeClose(NamedTuple):
    """The code fence is over."""


Piece: TypeAlias = Block | Item | CodeOpen | CodeLine | CodeClose


def pieces(text: str) -> Iterator[Piece]:
    """The pieces of a whole text, parsed at once."""
    grammar = Grammar()
    for span in grammar.blocks(text if text.endswith("\n") else text + "\n"):
        yield from _pieces(grammar, span, None)


class _List(NamedTuple):
    """Where a list stands whose first items are final already."""

    number: int | None
    loose: bool


class _Fence:
    """The line machine of an open code fence at the top level."""

    def __init__(self, opening: str) -> None:
        bare = opening.lstrip(" ")
        self._indent = len(opening) - len(bare)
        self._mark = bare[0]
        self._length = len(bare) - len(bare.lstrip(self._mark))
        self.info = unescapeAll(bare[self._length :]).strip()
        self._blank = 0

    def closes(self, line: str) -> bool:
        """Whether ``line`` ends the fence: its character, as many or more, indented less than 4."""
        bare = line.lstrip(" ")
        count = len(bare) - len(bare.lstrip(self._mark))
        return len(line) - len(bare) < 4 and count >= self._length and not bare[count:].strip(" \t")

    def line(self, line: str) -> Iterator[CodeLine]:
        """``line`` as code, and the blank lines held before it; nothing for a blank one."""
        text = self._dedent(line)
        if not text.strip():
            self._blank += 1
            return
        for _ in range(self._blank):
            yield CodeLine("")
        self._blank = 0
        yield CodeLine(text)

    def peek(self, partial: str) -> list[Piece]:
        """The incomplete line as code, unless it may become the fence's end."""
        if not partial.strip(" \t" + self._mark):
            return []
        return [*(CodeLine("") for _ in range(self._blank)), CodeLine(self._dedent(partial))]

    def _dedent(self, line: str) -> str:
        """Up to as much indentation taken off as the opening line had; a tab counts to its stop."""
        column = index = 0
        while column < self._indent and index < len(line) and line[index] in " \t":
            column += 4 - column % 4 if line[index] == "\t" else 1
            index += 1
        return " " * (column - self._indent) + line[index:]


def _pieces(grammar: Grammar, span: Span, resumed: _List | None) -> Iterator[Piece]:
    """The pieces of one block; ``resumed`` if it is a list whose first items went out before."""
    if span.kind in ("bullet_list", "ordered_list"):
        grammar.inline(span.tokens)
        yield from _items(span, resumed)
    elif span.kind == "fence":
        token = span.tokens[0]
        yield CodeOpen(unescapeAll(token.info).strip())
        lines = token.content.split("\n")
        while lines and not lines[-1].strip():
            lines.pop()
        for line in lines:
            yield CodeLine(line if line.strip() else "")
        yield CodeClose()
    else:
        grammar.inline(span.tokens)
        yield Block(span.tokens)


def _items(span: Span, resumed: _List | None) -> Iterator[Item]:
    number = _first_number(span, resumed)
    first = resumed is None
    loose = resumed.loose if resumed else False
    for begin, end in _item_bounds(span.tokens):
        yield Item(span.tokens[begin + 1 : end], number, first, loose)
        first = False
        loose = begin_of(span.tokens, end + 1) > end_of(span.tokens[begin:end])
        number = None if number is None else number + 1


def _first_number(span: Span, resumed: _List | None) -> int | None:
    if span.kind == "bullet_list":
        return None
    return resumed.number if resumed else int(span.tokens[0].attrs.get("start", 1))


def _item_bounds(tokens: list[Token]) -> list[tuple[int, int]]:
    """Where each item of a top-level list opens and closes."""
    bounds = []
    begin = 0
    for index, token in enumerate(tokens):
        if token.level == 1 and token.type == "list_item_open":
            begin = index
        elif token.level == 1 and token.type == "list_item_close":
            bounds.append((begin, index))
    return bounds


def begin_of(tokens: list[Token], index: int) -> int:
    """The source line of the token at ``index``; 0 if there is none."""
    where = tokens[index].map if index < len(tokens) else None
    return where[0] if where else 0


def end_of(tokens: list[Token]) -> int:
    """The source line behind the last visible one of ``tokens``, which begin with a mapped one.

    The maps of containers count trailing blank lines; those of leaves do not.
    """
    end = begin_of(tokens, 0) + 1
    for token in tokens:
        if token.map and not token.type.endswith(("list_open", "item_open", "quote_open")):
            end = max(end, token.map[1])
    return end


# What may begin a block, or a setext underline, or a table's second row, inside a paragraph.
_OPENER = re.compile(
    r" {0,3}(?:#{1,6}(?:[ \t]|$)|>|[*+-](?:[ \t]|$)|\d{1,9}[.)](?:[ \t]|$)|`{3}|~{3}|<|[|:=-]"
    r"|\$\$|\\\[|\[\^|(?:[*_][ \t]*){3,}$)"
)
_QUOTED = re.compile(r" {0,3}>")
_ROW = re.compile(r" {0,3}\|")
_MARKER = re.compile(r"( {0,3}(?:[*+-]|\d{1,9}[.)]))( *)(\S?)")
_ENDS_WITH_BLANK = frozenset(
    ("paragraph", "table", "blockquote", "html_block", "maths", "heading", "hr")
)
_COMPLETE = frozenset(("heading", "hr"))


class Committer:
    """Takes a text in chunks and hands out what is final of it.

    Line breaks are LF only: normalise before. Cost: linear in the text for every kind of
    block that answers are made of; memory: the open block.
    """

    def __init__(self) -> None:
        self._grammar = Grammar()
        self._parts: list[str] = []  # the incomplete last line
        self._lines: list[str] = []  # complete lines that are not final
        self._fence: _Fence | None = None
        self._list: _List | None = None
        self._last: Span | None = None  # the open block as of the last parse
        self._indent = 0  # of the open list item's content
        self._html_end: re.Pattern[str] | None = None  # None: a blank line ends the block

    def feed(self, text: str) -> list[Piece]:
        """Take the next part of the text; the pieces that have become final."""
        if "\n" not in text:
            self._parts.append(text)
            return []
        lines = ("".join(self._parts) + text).split("\n")
        self._parts = [lines.pop()]
        return self._advance(lines)

    def close(self) -> list[Piece]:
        """The text is over: the rest of its pieces."""
        done = self.feed("\n") if any(self._parts) else []
        rest = self._grammar.blocks("\n".join([*self._lines, ""]))
        for span in rest:
            done.extend(_pieces(self._grammar, span, self._list if span is rest[0] else None))
        if self._fence is not None:
            done.append(CodeClose())
        self._fence = self._list = self._last = None
        self._lines, self._parts = [], []
        return done

    def open(self, limit: int = PREVIEW_LIMIT) -> list[Piece]:
        """What is not final, as it looks now: an approximation whose cost ``limit`` bounds."""
        partial = self._partial(limit)
        if self._fence is not None:
            return self._fence.peek(partial)
        grammar = self._grammar.fork()
        text = self._abridged(partial, limit)
        shown: list[Piece] = []
        for span in grammar.blocks(text):
            shown.extend(_pieces(grammar, span, None if shown else self._list))
        return shown

    def _partial(self, limit: int) -> str:
        """The end of the incomplete last line, as much as a preview may need."""
        # Cut at a multiple of the limit: it stays there while the line grows, and nothing jumps.
        size = sum(map(len, self._parts))
        keep = size if size < 2 * limit else limit + size % limit
        taken: list[str] = []
        for part in reversed(self._parts):
            if keep <= 0:
                break
            taken.append(part[-keep:])
            keep -= len(part)
        return "".join(reversed(taken))

    def _abridged(self, partial: str, limit: int) -> str:
        """The open lines; of a long block its first line and its last ones."""
        if self._last is not None and self._last.kind == "table":
            partial = ""  # a row is shown when it is complete
        size = len(partial)
        begin = len(self._lines)
        while begin > 0 and size < limit:
            begin -= 1
            size += len(self._lines[begin]) + 1
        while begin % 16 and size < 2 * limit:  # again: a cut that stays for a while
            begin -= 1
            size += len(self._lines[begin]) + 1
        lines = [line[-limit:] for line in self._lines[begin:]]
        if begin > 0 and self._last is not None and self._last.kind != "paragraph":
            head = 2 if self._last.kind == "table" else 1
            lines = [*(line[:limit] for line in self._lines[: min(head, begin)]), *lines]
        return "\n".join([*lines, partial])

    def _advance(self, lines: list[str]) -> list[Piece]:
        done: list[Piece] = []
        rest = iter(lines)
        while True:
            if self._fence is not None:
                for line in rest:
                    if self._fence.closes(line):
                        self._fence = None
                        done.append(CodeClose())
                        break
                    done.extend(self._fence.line(line))
                if self._fence is not None:
                    return done
            fresh = list(rest)
            if not fresh:
                return done
            self._lines.extend(fresh)
            if self._last is not None and all(map(self._inert, fresh)):
                return done
            rest = iter(self._commit(done))

    def _commit(self, done: list[Piece]) -> list[str]:
        """Parse the open lines, hand out the final blocks; the lines behind an opened fence."""
        spans = self._grammar.blocks("\n".join(self._lines) + "\n")
        resumed = self._list
        last = spans.pop() if spans else None
        for span in spans:
            done.extend(_pieces(self._grammar, span, resumed))
            resumed = None
        self._last = last
        if last is None:
            if self._lines and not self._lines[-1].strip():
                self._lines = []  # definitions only, and they are over
            elif len(self._lines) > _DEFINITIONS:
                self._lines = self._lines[_DEFINITIONS // 2 :]
            return []
        if last.kind == "fence":
            self._fence = _Fence(self._lines[last.start])
            done.append(CodeOpen(self._fence.info))
            rest = self._lines[last.start + 1 :]
            self._lines, self._last, self._list = [], None, None
            return rest
        if self._is_over(last):
            done.extend(_pieces(self._grammar, last, None))
            self._lines = self._lines[last.end :]
            self._last = self._list = None
        elif last.kind in ("bullet_list", "ordered_list"):
            self._commit_items(done, last, resumed)
        else:
            self._list = None
            self._cut(last.start, spans[-1].end if spans else 0)
        return []

    def _is_over(self, last: Span) -> bool:
        """Whether the last block cannot go on either."""
        if last.kind == "html_block":
            opening = self._lines[last.start].lstrip(" ")
            ends = next(ends for begins, ends, _ in HTML_SEQUENCES if begins.search(opening))
            self._html_end = None if ends.pattern == "^$" else ends
            if self._html_end is not None:
                return self._html_end.search(self._lines[last.end - 1]) is not None
        if last.kind == "maths" and last.end - last.start > 1:
            closing = self._lines[last.end - 1]
            if any(mark in closing for mark in MATHS_ENDS):
                return True
        return last.kind in _COMPLETE or (
            last.kind in _ENDS_WITH_BLANK and last.end < len(self._lines)
        )

    def _cut(self, start: int, previous: int) -> None:
        """Keep the lines from ``start`` on, and definitions directly above (they may grow)."""
        while start > previous and self._lines[start - 1].strip():
            start -= 1
        self._lines = self._lines[start:]

    def _commit_items(self, done: list[Piece], last: Span, resumed: _List | None) -> None:
        """All items but the last are final."""
        bounds = _item_bounds(last.tokens)
        begin, _ = bounds[-1]
        self._list = resumed
        if len(bounds) > 1:
            self._grammar.inline(last.tokens[:begin])
            items = list(_items(last, resumed))
            done.extend(items[:-1])
            self._list = _List(items[-1].number, items[-1].loose)
        self._lines = self._lines[begin_of(last.tokens, begin) :]
        marker = _MARKER.match(self._lines[0])
        self._indent = 1 << 30
        if marker and "\t" not in self._lines[0]:
            lead, gap, rest = marker.groups()
            self._indent = len(lead) + (len(gap) if rest and 1 <= len(gap) <= 4 else 1)

    def _inert(self, line: str) -> bool:
        """Whether ``line``, the next one, surely leaves the open block open and opens no other."""
        assert self._last is not None
        kind = self._last.kind
        if not line.strip():
            return kind in ("bullet_list", "ordered_list", "code_block") or (
                kind == "html_block" and self._html_end is not None
            )
        if kind == "paragraph":
            return not _OPENER.match(line)
        if kind == "blockquote":
            return _QUOTED.match(line) is not None or not _OPENER.match(line)
        if kind == "table":
            return _ROW.match(line) is not None or not (
                _OPENER.match(line) or line.startswith(("    ", "\t"))
            )
        if kind in ("bullet_list", "ordered_list"):
            return line.startswith(" " * min(self._indent, len(line)))
        if kind == "code_block":
            return line.startswith("    ")
        if kind == "html_block":
            return self._html_end is None or not self._html_end.search(line)
        return kind == "maths" and not any(mark in line for mark in MATHS_ENDS)
