"""From a reply's events to rows: which rows are final, and what the preview shows.

No terminal and no clock: text and reasoning go in, rows come out. A change from one to the other
ends a *section*; each section is a Markdown text of its own.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

from darkai_cli.output.markdown.incremental import Committer, pieces
from darkai_cli.output.markdown.pieces import CodeClose, CodeLine, Piece
from darkai_cli.output.sanitize import Sanitizer, safe_link, sanitize, sanitize_line
from darkai_cli.output.terminal.blocks import Renderer, folded
from darkai_cli.output.terminal.theme import PLAIN, STRONG, Background, look, muted
from darkai_cli.output.terminal.wrap import Line, Run, rows_of
from darkai_cli.text import plural

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from darkai_cli.events import Citation

Reasoning = Literal["show", "fold", "hide"]
Section = Literal["text", "reasoning"]

_TAIL = 2_000
"""Characters of folded reasoning that the preview is made of."""

_WORD = re.compile(r"\S+")


class Composer:
    """Makes rows of one reply."""

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
        self._look = look(theme, code_theme)
        self._links = links
        self._reasoning = reasoning
        self._marks = marks
        self._section: Section | None = None
        self._sanitizer = Sanitizer()
        self._committer = Committer()
        self._begun = False
        self._renderer = self._new_renderer()
        self._thought = ""
        self._words = 0

    def feed(self, section: Section, text: str) -> Iterator[Line]:
        """Take text or reasoning; the rows that have become final. Iterate to the end."""
        if section != self._section:
            yield from self.finish()
            self._section = section
            self._committer = Committer()
            self._renderer = self._new_renderer()
        clean = self._sanitizer.feed(text)
        if self._is_folded:
            self._think(clean)
        else:
            yield from self._emit(self._committer.feed(clean))

    def finish(self) -> Iterator[Line]:
        """End the section that is open: its last rows. Iterate to the end."""
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
        """What is not final yet: its last ``limit`` rows, none wider than the width."""
        if self._section is None:
            return []
        renderer = self._renderer.fork()
        renderer.width = self.width
        if self._is_folded:
            shown = list(pieces(self._thought)) if self._reasoning == "fold" else []
        else:
            shown = self._committer.open(max(1_000, min(6_000, limit * self.width * 3 // 2)))
        if shown and isinstance(shown[-1], CodeClose):
            shown.pop()
        rows: list[Line] = []
        for piece in shown:
            is_last = not self._is_folded and isinstance(piece, CodeLine)
            rows.extend(renderer.render(piece, is_last=is_last))
        flat: list[Line] = []
        for row in rows[-limit:]:
            flat.extend(folded(row, self.width))
        return flat[-limit:]

    def sources(self, citations: Iterable[Citation]) -> list[Line]:
        """The list of sources below an answer."""
        titles: dict[str, str] = {}
        for citation in citations:
            titles.setdefault(citation.url, citation.title)
        rows: list[Line] = []
        for number, (url, title) in enumerate(titles.items(), 1):
            address, name = sanitize_line(url, 2_000), sanitize_line(title, 200)
            label = Run(f"{number:>2}. ", self._look.marker)
            link = safe_link(url, name or address) if self._links else None
            text = [Run(name or address, self._look.link, link)]
            if name and name != address and link is None:
                text.append(Run(f" ({address})", self._look.address))
            for index, line in enumerate(rows_of(text, max(1, self.width - 4))):
                rows.append([label if index == 0 else Run("    ", PLAIN), *line])
        if rows:
            rows = [*self._gap(), [Run("Sources", STRONG)], *rows]
            self._begun = True
        return rows

    def marker(self, text: str) -> list[Line]:
        """The row that says how a reply ended."""
        told = self._marked("■", sanitize_line(text))
        lines = rows_of([Run(told, self._look.frame)], self.width)
        return [*self._gap(), *lines]

    def _marked(self, mark: str, text: str) -> str:
        """A row of our own between rows of the reply; brackets can be heard, marks cannot."""
        return f"{mark} {text}" if self._marks else f"({text})"

    @property
    def _is_folded(self) -> bool:
        return self._section == "reasoning" and self._reasoning != "show"

    def _new_renderer(self) -> Renderer:
        is_muted = self._section == "reasoning"
        return Renderer(
            muted(self._look) if is_muted else self._look,
            self._theme,
            self.width,
            links=self._links and not is_muted,
            continues=self._begun,
        )

    def _emit(self, final: list[Piece]) -> Iterator[Line]:
        self._renderer.width = self.width
        for piece in final:
            for row in self._renderer.render(piece):
                self._begun = True
                yield row

    def _gap(self) -> list[Line]:
        return [[]] if self._begun else []

    def _think(self, text: str) -> None:
        """Count folded reasoning and keep its end."""
        if not text:
            return
        self._words += len(_WORD.findall(text))
        if self._thought and not self._thought[-1].isspace() and not text[0].isspace():
            self._words -= 1
        self._thought = (self._thought + text)[-2 * _TAIL :]
        if len(self._thought) == 2 * _TAIL:  # cut rarely: what stands in the preview stays put
            self._thought = self._thought[-_TAIL:]

    def _folded_line(self) -> list[Line]:
        words, self._words, self._thought = self._words, 0, ""
        if self._reasoning == "hide" or not words:
            return []
        text = self._marked("▸", f"reasoning, {plural(words, 'word')}")
        return [*self._gap(), *rows_of([Run(text, self._look.frame)], self.width)]


def static_rows(
    text: str, *, width: int, theme: Background, code_theme: str, links: bool
) -> Iterator[Line]:
    """The rows of a whole Markdown text, parsed at once."""
    renderer = Renderer(look(theme, code_theme), theme, width, links=links)
    for piece in pieces(sanitize(text)):
        yield from renderer.render(piece)
