"""The first fenced code block of a reply and nothing else (``-x``).

markdown-it, which also reads replies for the terminal, finds the block. HTML is read as text: a
fence right after ``<details>`` is meant by its author, although CommonMark takes it for a part of
the HTML.

A parse looks at the whole reply so far, so it is made only when a line comes that may end a fence,
and again at the end; in a long reply also only when the text has grown by a part of its length. So
the work stays linear in the length of the reply, whatever is in it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.token import Token

from darkai_cli.errors import NotFoundError
from darkai_cli.events import Event
from darkai_cli.output.sink import write_error

_LINE_END = re.compile(r"\r\n|\n|\r(?!\n|\Z)")
"""A CR at the end of a chunk may be half of one."""

_FENCE_LINE = re.compile(r"[\s>*+\-0-9.)]*+(?:`{3,}[^`]*|~{3,}.*)")
"""What may be the first or last line of a fenced block, in any quotes and list items."""

_MAX_NESTING: Final = 40
"""Quotes and items in each other; beyond that markers are text, so that no line is quadratic."""

_SHORT_REPLY: Final = 16_384
_GROWTH: Final = 16
"""A reply longer than ``_SHORT_REPLY`` is parsed again when it is a sixteenth longer."""


class ExtractSink:
    """Gives ``write`` the content of the first fenced code block, once, as soon as it is closed.

    ``has_block`` is whether there was one. A fence that the end of a complete reply leaves open
    counts up to that end; one that an error cuts off is not written. Line ends become LF.
    """

    def __init__(self, write: Callable[[str], object]) -> None:
        self._write = write
        self._markdown = MarkdownIt("commonmark", {"maxNesting": _MAX_NESTING})
        self._markdown.disable("html_block")
        self._lines: list[str] = []
        self._rest: list[str] = []
        self._fence_lines = 0
        self._length = 0
        self._next_parse = 0
        self.has_block = False

    def feed(self, event: Event) -> None:
        """Take a piece of the answer; ignore everything else."""
        if event.type == "text-chunk" and not self.has_block:
            self._rest.append(event.text)
            if "\n" in event.text or "\r" in event.text:
                *lines, rest = _LINE_END.split("".join(self._rest))
                self._rest = [rest]
                self._add(lines)

    def close(self, error: BaseException | None = None) -> None:
        """Write a block that is still open. Raises ``NotFoundError`` if a complete reply has none.

        ``error``: what cut the reply off; only a block that was complete before is written then.
        """
        if self.has_block:
            return
        *lines, rest = _LINE_END.split("".join(self._rest))
        self._lines += lines
        if rest and error is None:
            self._lines.append(rest.removesuffix("\r"))
        fence = self._first_fence()
        if fence is not None and (error is None or self._is_closed(fence)):
            self._give(fence)
        elif error is None:
            raise NotFoundError(
                "The reply has no fenced code block",
                hint="Run it without `-x` to see the whole reply",
            )

    def _add(self, lines: list[str]) -> None:
        self._lines += lines
        self._length += sum(map(len, lines)) + len(lines)
        fence_lines = sum(_FENCE_LINE.fullmatch(line) is not None for line in lines)
        self._fence_lines += fence_lines
        if not fence_lines or self._fence_lines < 2 or self._length < self._next_parse:
            return
        fence = self._first_fence()
        if fence is not None and self._is_closed(fence):
            self._give(fence)
        elif self._length > _SHORT_REPLY:
            self._next_parse = self._length + self._length // _GROWTH

    def _first_fence(self) -> Token | None:
        tokens: list[Token] = []
        if any(map(_FENCE_LINE.fullmatch, self._lines)):
            text = "".join([f"{line}\n" for line in self._lines])
            self._markdown.block.parse(text, self._markdown, {}, tokens)
        return next((token for token in tokens if token.type == "fence"), None)

    def _is_closed(self, fence: Token) -> bool:
        """Return whether the fence has its last line, or what is around it has ended."""
        assert fence.map is not None
        start, end = fence.map
        has_last_line = end - start == fence.content.count("\n") + 2
        return has_last_line or end < len(self._lines)

    def _give(self, fence: Token) -> None:
        self.has_block = True
        self._lines.clear()
        self._rest.clear()
        if fence.content:
            try:
                self._write(fence.content)
            except OSError as exc:
                raise write_error(exc) from exc
