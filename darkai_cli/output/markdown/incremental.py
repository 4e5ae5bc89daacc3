"""Which parts of a Markdown text are final while it is still being written.

This module knows no terminal and no Rich, and can be used alone::

    committer = Committer()
    for chunk in chunks:
        for piece in committer.feed(chunk):
            ...                     # will never change again, whatever follows
        committer.pending()            # the rest, as it looks now
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
looked at again (``_is_inert``): without that a quote of 10,000 lines would be parsed 10,000 times.

Memory is bounded whatever comes: a line of more than ``LINE_LIMIT`` characters is no Markdown but
text, final part by part; a block of more than ``BLOCK_LIMIT`` characters ends behind the line that
makes it so, and what follows is read as if it began there (a table begins again with its header).
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
"""Characters of an open block from which ``pending`` shows only its beginning and its end."""

LINE_LIMIT = 65_536
"""Characters of a line, outside of a fence, up to which it is read as Markdown."""

CODE_LIMIT = 1_048_576
"""Characters of a line in a fence after which it is broken: it is kept whole until then."""

BLOCK_LIMIT = 131_072
"""Characters after which a block is ended at the next line's end. A fence may be endless."""

_SPACE_WITHIN = 256
"""Characters before such a limit among which a space is looked for, to break the line there."""

_DEFINITIONS = 64
"""Lines of link definitions in a row from which the earlier ones are not read again."""


def pieces(text: str) -> Iterator[Piece]:
    """The pieces of a whole text; parsed at once unless it may be too long for that."""
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
    """``text`` in parts of ``size`` characters, or less where a space stands near that.

    Each depends on nothing but what it contains, so it is the same while the text still grows.
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
    block that answers are made of; memory: the open block, or a part of a line.
    """

    def __init__(self) -> None:
        self._grammar = Grammar()
        self._parts: list[str] = []  # the incomplete last line
        self._held = 0  # its length
        self._is_long = False  # and whether parts of it have gone out
        self._lines: list[str] = []  # complete lines that are not final
        self._size = 0  # their length
        self._fence: _Fence | None = None
        self._list: ListState | None = None
        self._last: Span | None = None  # the open block as of the last parse
        self._indent = 0  # of the open list item's content
        self._html_end: re.Pattern[str] | None = None  # None: a blank line ends the block

    def feed(self, text: str) -> list[Piece]:
        """Take the next part of the text; the pieces that have become final."""
        self._parts.append(text)
        self._held += len(text)
        done: list[Piece] = []
        if "\n" in text:
            lines = "".join(self._parts).split("\n")
            self._parts = [lines.pop()]
            self._held = len(self._parts[0])
            self._advance(lines, done)
        limit = LINE_LIMIT if self._fence is None else CODE_LIMIT
        if self._held > limit:
            *parts, last = _cuts("".join(self._parts), limit)
            self._parts, self._held = [last], len(last)
            if self._fence is None:
                self._emit_long(parts, done)
            else:
                self._advance(parts, done)
        return done

    def _emit_long(self, parts: list[str], done: list[Piece]) -> None:
        """Parts of a long line; the block above is over."""
        if not self._is_long:
            self._end_block(done)
        for part in parts:
            done.append(LongLine(part, not self._is_long))
            self._is_long = True

    def _end_block(self, done: list[Piece]) -> list[Span]:
        """Everything that is open is final."""
        text = "\n".join([*self._lines, ""])
        self._lines = []  # a block may be most of a text: no copy of it is kept
        spans = self._grammar.blocks(text)
        for span in spans:
            done.extend(pieces_of(self._grammar, span, self._list if span is spans[0] else None))
        self._last = self._list = None
        self._size = 0
        return spans

    def close(self) -> list[Piece]:
        """The text is over: the rest of its pieces."""
        done = self.feed("\n") if self._held else []
        self._end_block(done)
        if self._fence is not None:
            done.append(CodeClose())
        self._fence = None
        self._parts = []
        return done

    def pending(self, limit: int = PREVIEW_LIMIT) -> list[Piece]:
        """What is not final, as it looks now: an approximation whose cost ``limit`` bounds."""
        partial = self._partial(limit)
        if self._fence is not None:
            return self._fence.peek(partial)
        if self._is_long:
            return [LongLine(partial, first=False)]
        grammar = self._grammar.fork()
        text = self._abridged(partial, limit)
        shown: list[Piece] = []
        for span in grammar.blocks(text):
            shown.extend(pieces_of(grammar, span, None if shown else self._list))
        return shown

    def _partial(self, limit: int) -> str:
        """The end of the incomplete last line, as much as a preview may need."""
        # Cut at a multiple of the limit: it stays there while the line grows, and nothing jumps.
        size = self._held
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

    def _advance(self, lines: list[str], done: list[Piece]) -> None:
        """Take complete lines."""
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
        """The end of the lines from ``at`` on, one at least, that fit into the open block."""
        size = self._size + len(lines[at]) + 1
        end = at + 1
        while end < len(lines) and len(lines[end]) <= LINE_LIMIT:
            size += len(lines[end]) + 1
            if size > BLOCK_LIMIT:
                break
            end += 1
        return end

    def _add_lines(self, fresh: list[str], done: list[Piece]) -> list[str]:
        """Add lines to what is open; those of them that stand behind the opening of a fence."""
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
        """Parse the open lines, hand out the final blocks; the lines behind an opened fence."""
        spans = self._grammar.blocks("\n".join(self._lines) + "\n")
        resumed = self._list
        last = spans.pop() if spans else None
        for span in spans:
            done.extend(pieces_of(self._grammar, span, resumed))
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

    def _commit_items(self, done: list[Piece], last: Span, resumed: ListState | None) -> None:
        """All items but the last are final."""
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
