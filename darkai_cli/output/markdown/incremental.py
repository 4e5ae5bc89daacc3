"""Which parts of a Markdown text are final while it is still being written.

This module knows no terminal and no Rich, and can be used alone::

    committer = Committer()
    for chunk in chunks:
        for piece in committer.feed(chunk):
            ...                     # final: it will not change, whatever follows
        committer.pending()         # the rest, as it looks now
    for piece in committer.close():
        ...

The pieces of a text fed in any chunks are those of the whole text, ``pieces(text)``. The one
exception is a link that is used before its definition, in a block that is final by then: CommonMark
lets a definition stand anywhere.

Strategy: CommonMark decides block structure line by line from left to right. So only complete lines
are parsed (``Foo`` and then ``#`` does not end a paragraph: ``#hashtag`` would continue it). Every
top-level block but the last is final, and so is the last one if a blank line or its own form has
ended it. Two kinds of block are final in parts: a list item by item, and a code fence line by line,
by a small line machine. Lines that can neither open nor close a block cause no parse
(``_is_inert``); otherwise a quote of 10,000 lines would be parsed 10,000 times.

Memory is bounded. A line of more than ``LINE_LIMIT`` characters is taken as text, and its parts are
final as they come. A block of more than ``BLOCK_LIMIT`` characters ends after the line that makes
it so long, and what follows is parsed as if it began there (a table begins again with its header).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from markdown_it.common.utils import unescapeAll
from markdown_it.rules_block.html_block import HTML_SEQUENCES

from darkai_cli.output.markdown.grammar import MATHS_ENDS, Grammar, Span
from darkai_cli.output.markdown.pieces import (
    CodeClose,
    CodeLine,
    CodeOpen,
    ListState,
    LongLine,
    Piece,
    begin_of,
    item_bounds,
    items_of,
    pieces_of,
)

PREVIEW_LIMIT = 4_000
"""From this length on, ``pending`` shows only the beginning and the end of an open block."""

LINE_LIMIT = 65_536
"""The most characters of a line that is read as Markdown, outside of a fence."""

CODE_LIMIT = 1_048_576
"""The most characters of a line of code; a longer one is broken."""

BLOCK_LIMIT = 131_072
"""Characters after which a block ends with the current line. A fence may be endless."""

_SPACE_WITHIN = 256
"""How many characters before such a limit are searched for a space, to break the line there."""

_DEFINITIONS = 64
"""The most link definitions in a row that are parsed again with the next line."""


def pieces(text: str) -> Iterator[Piece]:
    """Yield the pieces of a whole text, which is parsed at once unless it is very long."""
    if len(text) > LINE_LIMIT:
        committer = Committer()
        for at in range(0, len(text), LINE_LIMIT):
            yield from committer.feed(text[at : at + LINE_LIMIT])
        yield from committer.close()
        return
    grammar = Grammar()
    for span in grammar.blocks(text if text.endswith("\n") else text + "\n"):
        yield from pieces_of(grammar, span, None)


def _cuts(text: str, size: int) -> list[str]:
    """Return ``text`` in parts of ``size`` characters, or a little less to end at a space.

    The cuts stay where they are while the text grows.
    """
    parts = []
    at = 0
    while len(text) - at > size:
        end = text.rfind(" ", at + size - _SPACE_WITHIN, at + size) + 1 or at + size
        parts.append(text[at:end])
        at = end
    return [*parts, text[at:]]


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
        """Return whether ``line`` ends the fence: enough of its marks, indented less than 4."""
        bare = line.lstrip(" ")
        count = len(bare) - len(bare.lstrip(self._mark))
        return len(line) - len(bare) < 4 and count >= self._length and not bare[count:].strip(" \t")

    def line(self, line: str) -> Iterator[CodeLine]:
        """Yield ``line`` as code, after the blank lines before it; nothing for a blank line."""
        text = self._dedent(line)
        if not text.strip():
            self._blank += 1
            return
        for _ in range(self._blank):
            yield CodeLine("")
        self._blank = 0
        yield CodeLine(text)

    def peek(self, partial: str) -> list[Piece]:
        """Return the incomplete line as code, unless it may become the end of the fence."""
        if not partial.strip(" \t" + self._mark):
            return []
        return [*(CodeLine("") for _ in range(self._blank)), CodeLine(self._dedent(partial))]

    def _dedent(self, line: str) -> str:
        """Return the line without the indentation of the opening line; tab stops are 4 apart."""
        column = index = 0
        while column < self._indent and index < len(line) and line[index] in " \t":
            column += 4 - column % 4 if line[index] == "\t" else 1
            index += 1
        return " " * (column - self._indent) + line[index:]


# What may begin a block inside a paragraph, or be a setext underline or a table's second row.
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
    """Takes a text in chunks and returns the pieces of it that are final.

    Line breaks must be LF. The cost is linear in the length of the text for every kind of block
    that answers have; memory holds the open block, or a part of a line.
    """

    def __init__(self) -> None:
        self._grammar = Grammar()
        self._parts: list[str] = []  # of the incomplete last line
        self._partial_length = 0
        self._is_long = False  # parts of the incomplete line have become final
        self._lines: list[str] = []  # complete lines that are not final
        self._size = 0  # their length
        self._fence: _Fence | None = None
        self._list: ListState | None = None
        self._last: Span | None = None  # the open block as of the last parse
        self._indent = 0  # of the open list item's content
        self._html_end: re.Pattern[str] | None = None  # None: a blank line ends the block

    def feed(self, text: str) -> list[Piece]:
        """Take the next part of the text; return the pieces that have become final."""
        self._parts.append(text)
        self._partial_length += len(text)
        done: list[Piece] = []
        if "\n" in text:
            lines = "".join(self._parts).split("\n")
            self._parts = [lines.pop()]
            self._partial_length = len(self._parts[0])
            self._advance(lines, done)
        limit = LINE_LIMIT if self._fence is None else CODE_LIMIT
        if self._partial_length > limit:
            *parts, last = _cuts("".join(self._parts), limit)
            self._parts, self._partial_length = [last], len(last)
            if self._fence is None:
                self._emit_long(parts, done)
            else:
                self._advance(parts, done)
        return done

    def _emit_long(self, parts: list[str], done: list[Piece]) -> None:
        """Add parts of a long line to ``done``, after ending the block above it."""
        if not self._is_long:
            self._end_block(done)
        for part in parts:
            done.append(LongLine(part, not self._is_long))
            self._is_long = True

    def _end_block(self, done: list[Piece]) -> list[Span]:
        """Take everything that is open as final; return its blocks."""
        text = "\n".join([*self._lines, ""])
        self._lines = []  # a block may be most of a text, so there is no second copy of it
        spans = self._grammar.blocks(text)
        for span in spans:
            done.extend(pieces_of(self._grammar, span, self._list if span is spans[0] else None))
        self._last = self._list = None
        self._size = 0
        return spans

    def close(self) -> list[Piece]:
        """End the text; return the rest of its pieces."""
        done = self.feed("\n") if self._partial_length else []
        self._end_block(done)
        if self._fence is not None:
            done.append(CodeClose())
        self._fence = None
        self._parts = []
        return done

    def pending(self, limit: int = PREVIEW_LIMIT) -> list[Piece]:
        """Return what is not final, as it looks now: an approximation of bounded cost.

        ``limit``: the most characters that are parsed for it.
        """
        partial = self._partial(limit)
        if self._fence is not None:
            return self._fence.peek(partial)
        if self._is_long:
            return [LongLine(partial, first=False)]
        grammar = self._grammar.fork()
        text = self._abridged(partial, limit)
        pending: list[Piece] = []
        for span in grammar.blocks(text):
            pending.extend(pieces_of(grammar, span, None if pending else self._list))
        return pending

    def _partial(self, limit: int) -> str:
        """Return the end of the incomplete last line, as much as a preview may need."""
        # Cut at a multiple of the limit: the cut stays there while the line grows.
        size = self._partial_length
        wanted = size if size < 2 * limit else limit + size % limit
        parts: list[str] = []
        for part in reversed(self._parts):
            if wanted <= 0:
                break
            parts.append(part[-wanted:])
            wanted -= len(part)
        return "".join(reversed(parts))

    def _abridged(self, partial: str, limit: int) -> str:
        """Return the open lines; of a long block only the first line and the last ones."""
        if self._last is not None and self._last.kind == "table":
            partial = ""  # a row is shown when it is complete
        size = len(partial)
        begin = len(self._lines)
        while begin > 0 and size < limit:
            begin -= 1
            size += len(self._lines[begin]) + 1
        while begin % 16 and size < 2 * limit:  # so that the cut stays for a while
            begin -= 1
            size += len(self._lines[begin]) + 1
        lines = [line[-limit:] for line in self._lines[begin:]]
        if begin > 0 and self._last is not None and self._last.kind != "paragraph":
            head = 2 if self._last.kind == "table" else 1
            lines = [*(line[:limit] for line in self._lines[: min(head, begin)]), *lines]
        return "\n".join([*lines, partial])

    def _advance(self, lines: list[str], done: list[Piece]) -> None:
        """Take complete lines, and add to ``done`` what is final."""
        at = 0
        while at < len(lines):
            line = lines[at]
            if self._fence is not None and len(line) > CODE_LIMIT:
                lines[at : at + 1] = _cuts(line, CODE_LIMIT)
            elif self._fence is not None:
                at += 1
                if self._fence.closes(line):
                    self._fence = None
                    done.append(CodeClose())
                else:
                    done.extend(self._fence.line(line))
            elif self._is_long or len(line) > LINE_LIMIT:
                at += 1
                self._emit_long(_cuts(line, LINE_LIMIT), done)
                self._is_long = False
            else:
                end = self._portion(lines, at)
                rest = self._add_lines(lines[at:end], done)
                lines, at = ([*rest, *lines[end:]], 0) if rest else (lines, end)

    def _portion(self, lines: list[str], at: int) -> int:
        """Return the end of the lines from ``at`` on, one at least, that fit into a block."""
        size = self._size + len(lines[at]) + 1
        end = at + 1
        while end < len(lines) and len(lines[end]) <= LINE_LIMIT:
            size += len(lines[end]) + 1
            if size > BLOCK_LIMIT:
                break
            end += 1
        return end

    def _add_lines(self, fresh: list[str], done: list[Piece]) -> list[str]:
        """Add lines to the open block; return those that come after the opening of a fence."""
        self._lines.extend(fresh)
        self._size += sum(map(len, fresh)) + len(fresh)
        rest: list[str] = []
        if self._last is None or not all(map(self._is_inert, fresh)):
            rest = self._commit(done)
            self._size = sum(map(len, self._lines)) + len(self._lines)
        if self._size > BLOCK_LIMIT:
            lines = self._lines
            spans = self._end_block(done)
            if spans and spans[-1].kind == "table":
                head = lines[spans[-1].start : spans[-1].start + 2]
                if sum(map(len, head)) < BLOCK_LIMIT // 16:
                    self._lines = head
        return rest

    def _commit(self, done: list[Piece]) -> list[str]:
        """Parse the open lines, add final blocks to ``done``; return the lines inside a fence."""
        spans = self._grammar.blocks("\n".join(self._lines) + "\n")
        resumed = self._list
        last = spans.pop() if spans else None
        for span in spans:
            done.extend(pieces_of(self._grammar, span, resumed))
            resumed = None
        self._last = last
        if last is None:
            if self._lines and not self._lines[-1].strip():
                self._lines = []  # link definitions only, which a blank line has ended
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
            done.extend(pieces_of(self._grammar, last, None))
            self._lines = self._lines[last.end :]
            self._last = self._list = None
        elif last.kind in ("bullet_list", "ordered_list"):
            self._commit_items(done, last, resumed)
        else:
            self._list = None
            self._cut(last.start, spans[-1].end if spans else 0)
        return []

    def _is_over(self, last: Span) -> bool:
        """Return whether the last block cannot go on."""
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
        """Drop the lines before ``start``, except definitions directly above, which may go on."""
        while start > previous and self._lines[start - 1].strip():
            start -= 1
        self._lines = self._lines[start:]

    def _commit_items(self, done: list[Piece], last: Span, resumed: ListState | None) -> None:
        """Add all items but the last to ``done``."""
        bounds = item_bounds(last.tokens)
        begin, _ = bounds[-1]
        self._list = resumed
        if len(bounds) > 1:
            self._grammar.inline(last.tokens[:begin])
            items = list(items_of(last, resumed))
            done.extend(items[:-1])
            self._list = ListState(items[-1].number, items[-1].loose)
        self._lines = self._lines[begin_of(last.tokens, begin) :]
        marker = _MARKER.match(self._lines[0])
        self._indent = 1 << 30
        if marker and "\t" not in self._lines[0]:
            lead, gap, rest = marker.groups()
            self._indent = len(lead) + (len(gap) if rest and 1 <= len(gap) <= 4 else 1)

    def _is_inert(self, line: str) -> bool:
        """Return whether the next line surely leaves the open block open and opens no other."""
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
