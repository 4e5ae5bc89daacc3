"""The first fenced code block of a reply and nothing else (``-x``).

This is no Markdown parser: it knows only what decides where a fence opens and closes, which is
fences, the quotes and list items around them, and what is a paragraph (it goes on lazily). Line by
line, each looked at once, by CommonMark's own strategy (appendix, "Phase 1: block structure"): the
open containers are matched first, then new ones may start.

HTML is read as text on purpose: a fence right after ``<details>`` is meant by its author, although
CommonMark takes it for a part of the HTML.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from darkai_cli.errors import NotFoundError
from darkai_cli.events import Event
from darkai_cli.output.sink import write_error

_BREAK = r"\r\n|\n|\r(?!\n|\Z)"
"""The end of a line; a CR at the end of a chunk may be half of one."""

_FENCE = r"(?P<mark>`{3,})[^`]*|(?P<tildes>~{3,}).*"
_RULE = r"(?:\*[ \t]*){3,}|(?:-[ \t]*){3,}|(?:_[ \t]*){3,}"
_UNDERLINE = r"(?:=+|-+)[ \t]*"
_HEADING = r"#{1,6}(?:[ \t].*)?"
_ITEM = r"(?P<mark>[-+*]|(?P<number>\d{1,9})[.)])(?=[ \t]|\Z)"
_CODE_INDENT: Final = 4
_TAB: Final = 4
_DEPTH: Final = 40
"""Quotes and items in each other; beyond that markers are text, so that no line is quadratic."""


class ExtractSink:
    """Gives ``write`` the content of the first fenced code block, once, as soon as it is closed.

    ``found``: whether there was one. A fence that the end of a complete reply leaves open counts up
    to that end; one that an error cuts off is not written. Line ends become LF.
    """

    def __init__(self, write: Callable[[str], object]) -> None:
        self._write = write
        self._parts: list[str] = []
        self._blocks = _Blocks()
        self.found = False

    def feed(self, event: Event) -> None:
        """Take a piece of the answer; ignore everything else."""
        if event.type == "text-chunk" and not self.found:
            self._parts.append(event.text)
            if "\n" in event.text or "\r" in event.text:
                *lines, rest = re.split(_BREAK, "".join(self._parts))
                self._parts = [rest]
                self._take(lines)

    def close(self, error: BaseException | None = None) -> None:
        """Write what is open. Raises ``NotFoundError`` if a complete reply had no block."""
        if self.found or error is not None:
            return
        *lines, rest = re.split(_BREAK, "".join(self._parts))
        if rest:
            lines.append(rest.removesuffix("\r"))
        if self._take(lines):
            return
        if self._blocks.fence is None:
            raise NotFoundError(
                "the reply has no fenced code block",
                hint="run it without `-x` to see the whole reply",
            )
        self._give()

    def _take(self, lines: list[str]) -> bool:
        if any(self._blocks.is_closed_by(line) for line in lines):
            self._give()
            return True
        return False

    def _give(self) -> None:
        self.found = True
        self._parts.clear()
        text = "".join(f"{line}\n" for line in self._blocks.content)
        if text:
            try:
                self._write(text)
            except OSError as exc:
                raise write_error(exc) from exc


class _Line:
    """What is left of a line, and the column it starts at: tabs stop at every fourth."""

    __slots__ = ("column", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.column = 0

    @property
    def is_blank(self) -> bool:
        return not self.text.strip(" \t")

    @property
    def indent(self) -> int:
        """The width of the white space in front."""
        column = self.column
        for char in self.text:
            if char == "\t":
                column += _TAB - column % _TAB
            elif char == " ":
                column += 1
            else:
                break
        return column - self.column

    def cut_space(self, width: int) -> None:
        """Take white space away, at most ``width`` columns; a tab cut in two leaves spaces."""
        while width > 0 and self.text[:1] in {" ", "\t"}:
            step = 1 if self.text[0] == " " else _TAB - self.column % _TAB
            left = max(0, step - width)
            self.text = " " * left + self.text[1:]
            self.column += step - left
            width -= step

    def cut_mark(self, length: int) -> None:
        """Take a marker and the white space in front of it away."""
        self.cut_space(self.indent)
        self.text = self.text[length:]
        self.column += length


class _Item:
    """An open list item: how far its content is indented, and whether it has any yet."""

    __slots__ = ("is_empty", "width")

    def __init__(self, width: int, *, is_empty: bool) -> None:
        self.width = width
        self.is_empty = is_empty


class _Fence:
    """An open fence: its marker, how far it is indented."""

    __slots__ = ("indent", "mark")

    def __init__(self, mark: str, indent: int) -> None:
        self.mark = mark
        self.indent = indent


class _Blocks:
    """The open containers, from the outside in, and the first fence once it is open."""

    def __init__(self) -> None:
        self.fence: _Fence | None = None
        self.content: list[str] = []
        self._open: list[_Item | None] = []  # None: a quote
        self._in_paragraph = False

    def is_closed_by(self, text: str) -> bool:
        """Take the next line: whether the first fenced block is now over."""
        if not self._open and text[:1].isalpha():  # most lines
            if self.fence is None:
                self._in_paragraph = True
            else:
                self.content.append(text)
            return False
        line = _Line(text)
        matched = self._match(line)
        if self.fence is None:
            self._start(line, matched)
            return False
        if matched < len(self._open):
            return True  # what is around it has ended, and there are no lazy lines of code
        if line.indent < _CODE_INDENT:
            bare = line.text.strip(" \t")
            if bare.startswith(self.fence.mark) and not bare.strip(self.fence.mark[0]):
                return True
        line.cut_space(self.fence.indent)
        self.content.append(line.text)
        return False

    def _match(self, line: _Line) -> int:
        """How many of the open containers the line goes on with; their part is taken away."""
        for number, item in enumerate(self._open):
            if item is None:
                if line.indent >= _CODE_INDENT or not line.text.lstrip(" \t").startswith(">"):
                    return number
                line.cut_mark(1)
                line.cut_space(1)
            elif line.is_blank:
                if item.is_empty:  # an item begins with one blank line at most
                    return number
                line.cut_space(item.width)
            elif line.indent >= item.width:
                line.cut_space(item.width)
                item.is_empty = False
            else:
                return number
        return len(self._open)

    def _start(self, line: _Line, matched: int) -> None:
        """Open what the rest of the line opens, outside of a fence."""
        while not line.is_blank and line.indent < _CODE_INDENT and matched < _DEPTH:
            text = line.text.strip(" \t")
            in_paragraph = self._in_paragraph and matched == len(self._open)
            fence = re.fullmatch(_FENCE, text)
            item = re.match(_ITEM, text)
            if fence:
                self._close(matched)
                self.fence = _Fence(fence["mark"] or fence["tildes"], line.indent)
                return
            if text.startswith(">"):
                self._close(matched)
                line.cut_mark(1)
                line.cut_space(1)
                self._open.append(None)
            elif (
                re.fullmatch(_RULE, text)
                or re.fullmatch(_HEADING, text)
                or (in_paragraph and re.fullmatch(_UNDERLINE, text))
            ):
                self._close(matched)
                return
            elif item and not (in_paragraph and _is_weak(text, item)):
                self._close(matched)
                self._open.append(_item(line, item))
            else:
                break
            matched = len(self._open)
        if line.is_blank:
            self._close(matched)
        elif not self._in_paragraph:
            self._close(matched)
            self._in_paragraph = line.indent < _CODE_INDENT

    def _close(self, matched: int) -> None:
        """The containers beyond ``matched`` end, and with them, or inside the last, a paragraph."""
        del self._open[matched:]
        self._in_paragraph = False


def _is_weak(text: str, item: re.Match[str]) -> bool:
    """Whether a list item may not interrupt a paragraph: an empty one, or one not numbered 1."""
    return item.end() == len(text) or item["number"] not in {None, "1"}


def _item(line: _Line, found: re.Match[str]) -> _Item:
    """The list item that a marker opens; the marker is taken from the line."""
    width = line.indent + len(found["mark"])
    line.cut_mark(len(found["mark"]))
    if line.is_blank:
        return _Item(width + 1, is_empty=True)
    space = line.indent if line.indent <= _CODE_INDENT else 1
    line.cut_space(space)
    return _Item(width + space, is_empty=False)
