"""From a reply's text and reasoning to rows: which rows are final, and what the preview shows.

This needs no terminal and no clock. A change between text and reasoning ends a *section*; each
section is a Markdown text of its own.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

from darkai_cli.output.markdown.incremental import Committer, pieces
from darkai_cli.output.markdown.pieces import CodeClose, CodeLine, Piece
from darkai_cli.output.sanitize import Sanitizer, safe_link, sanitize, sanitize_line
from darkai_cli.output.terminal.blocks import BlockRenderer, folded
from darkai_cli.output.terminal.theme import PLAIN, STRONG, Background, dimmed, styles_for
from darkai_cli.output.terminal.wrap import Line, Run, rows_of
from darkai_cli.text import plural

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from darkai_cli.events import Citation

Reasoning = Literal["show", "fold", "hide"]
Section = Literal["text", "reasoning"]

_TAIL = 2_000
"""Characters at the end of folded reasoning that the preview shows."""

_WORD = re.compile(r"\S+")


class ReplyRenderer:
    """Turns one reply into rows."""

    def __init__(
        self,
        *,
        theme: Background,
        code_theme: str,
        links: bool,
        reasoning: Reasoning,
        width: int,
        marks: bool = True,
    ) -> None:
        self.width = width
        self._theme: Background = theme
        self._styles = styles_for(theme, code_theme)
        self._links = links
        self._reasoning = reasoning
        self._marks = marks
        self._section: Section | None = None
        self._sanitizer = Sanitizer()
        self._committer = Committer()
        self._begun = False
        self._blocks = self._new_blocks()
        self._thought = ""
        self._words = 0

    def feed(self, section: Section, text: str) -> Iterator[Line]:
        """Take text or reasoning; yield the rows that have become final. Iterate to the end."""
        if section != self._section:
            yield from self.finish()
            self._section = section
            self._committer = Committer()
            self._blocks = self._new_blocks()
        clean = self._sanitizer.feed(text)
        if self._is_folded:
            self._think(clean)
        else:
            yield from self._emit(self._committer.feed(clean))

    def finish(self) -> Iterator[Line]:
        """End the section that is open; yield its last rows. Iterate to the end."""
        rest = self._sanitizer.finish()
        if self._is_folded:
            self._think(rest)
            for row in self._folded_line():
                self._begun = True
                yield row
        elif self._section is not None:
            yield from self._emit(self._committer.feed(rest))
            yield from self._emit(self._committer.close())
        self._section = None

    def preview(self, limit: int) -> list[Line]:
        """Return the last ``limit`` rows of what is not final, none wider than the width."""
        if self._section is None:
            return []
        blocks = self._blocks.fork()
        blocks.width = self.width
        if self._is_folded:
            open_pieces = list(pieces(self._thought)) if self._reasoning == "fold" else []
        else:
            size = max(1_000, min(6_000, limit * self.width * 3 // 2))
            open_pieces = self._committer.pending(size)
        if open_pieces and isinstance(open_pieces[-1], CodeClose):
            open_pieces.pop()
        rows: list[Line] = []
        for piece in open_pieces:
            is_last = not self._is_folded and isinstance(piece, CodeLine)
            rows.extend(blocks.render(piece, is_last=is_last))
        flat: list[Line] = []
        for row in rows[-limit:]:
            flat.extend(folded(row, self.width))
        return flat[-limit:]

    def sources(self, citations: Iterable[Citation]) -> list[Line]:
        """Return the list of sources below an answer."""
        titles: dict[str, str] = {}
        for citation in citations:
            titles.setdefault(citation.url, citation.title)
        rows: list[Line] = []
        for number, (url, title) in enumerate(titles.items(), 1):
            address, name = sanitize_line(url, 2_000), sanitize_line(title, 200)
            label = Run(f"{number:>2}. ", self._styles.marker)
            link = safe_link(url, name or address) if self._links else None
            text = [Run(name or address, self._styles.link, link)]
            if name and name != address and link is None:
                text.append(Run(f" ({address})", self._styles.address))
            for index, line in enumerate(rows_of(text, max(1, self.width - 4))):
                rows.append([label if index == 0 else Run("    ", PLAIN), *line])
        if rows:
            rows = [*self._gap(), [Run("Sources", STRONG)], *rows]
            self._begun = True
        return rows

    def marker(self, text: str) -> list[Line]:
        """Return the row that says how a reply ended."""
        marked = self._marked("■", sanitize_line(text))
        lines = rows_of([Run(marked, self._styles.frame)], self.width)
        return [*self._gap(), *lines]

    def _marked(self, mark: str, text: str) -> str:
        """Return a row that is not the reply's own; screen readers read brackets, not marks."""
        return f"{mark} {text}" if self._marks else f"({text})"

    @property
    def _is_folded(self) -> bool:
        return self._section == "reasoning" and self._reasoning != "show"

    def _new_blocks(self) -> BlockRenderer:
        is_muted = self._section == "reasoning"
        return BlockRenderer(
            dimmed(self._styles) if is_muted else self._styles,
            self._theme,
            self.width,
            links=self._links and not is_muted,
            continues=self._begun,
        )

    def _emit(self, final: list[Piece]) -> Iterator[Line]:
        self._blocks.width = self.width
        for piece in final:
            for row in self._blocks.render(piece):
                self._begun = True
                yield row

    def _gap(self) -> list[Line]:
        return [[]] if self._begun else []

    def _think(self, text: str) -> None:
        """Count the words of folded reasoning and keep its end for the preview."""
        if not text:
            return
        self._words += len(_WORD.findall(text))
        if self._thought and not self._thought[-1].isspace() and not text[0].isspace():
            self._words -= 1
        self._thought = (self._thought + text)[-2 * _TAIL :]
        # Cut rarely, so that what the preview shows does not move with each chunk.
        if len(self._thought) == 2 * _TAIL:
            self._thought = self._thought[-_TAIL:]

    def _folded_line(self) -> list[Line]:
        words, self._words, self._thought = self._words, 0, ""
        if self._reasoning == "hide" or not words:
            return []
        text = self._marked("▸", f"reasoning, {plural(words, 'word')}")
        return [*self._gap(), *rows_of([Run(text, self._styles.frame)], self.width)]


def static_rows(
    text: str, *, width: int, theme: Background, code_theme: str, links: bool
) -> Iterator[Line]:
    """Yield the rows of a whole Markdown text, parsed at once."""
    blocks = BlockRenderer(styles_for(theme, code_theme), theme, width, links=links)
    for piece in pieces(sanitize(text)):
        yield from blocks.render(piece)
