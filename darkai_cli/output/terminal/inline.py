"""Inline Markdown as styled runs: emphasis, code, links, images, formulas, HTML as written.

This is the second filter: every text is sanitized once more after Markdown has decoded it
(``&#x202e;``), and a link becomes one only if ``safe_link`` says that its text hides no other host.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from darkai_cli.output.sanitize import safe_link, sanitize
from darkai_cli.output.terminal.theme import EMPHASIS, PLAIN, STRIKE, STRONG, Styles
from darkai_cli.output.terminal.wrap import Line, Run

if TYPE_CHECKING:
    from markdown_it.token import Token
    from rich.style import Style

_MARKUP = {"strong": STRONG, "em": EMPHASIS, "s": STRIKE}
_REFERENCE = re.compile(r"(\[\^[^\]\s]{1,64}\]|https?://[^\s<>\"'`]*[^\s<>\"'`.,;:!?)\]}*_])")
"""What is styled although it is not markup: footnote marks, bare addresses."""

_TAB = "    "


def visible(text: str) -> str:
    """Return foreign text as it may stand in a row."""
    return sanitize(text).replace("\t", _TAB)


class Inline:
    """Turns the inline tokens of a block into runs."""

    def __init__(self, styles: Styles, *, links: bool) -> None:
        self._styles = styles
        self._links = links

    def runs(  # noqa: C901, PLR0912 -- one branch for each kind of token
        self, tokens: list[Token], base: Style = PLAIN
    ) -> Line:
        """Return the runs of ``tokens``; a hard break is a line break in them."""
        line: Line = []
        styles = [base + self._styles.text]
        opened: list[tuple[int, str]] = []  # links: their first run and target
        for token in tokens:
            kind = token.type
            if kind == "text":
                self._text(line, token.content, styles[-1], linked=bool(opened))
            elif kind == "softbreak":
                line.append(Run(" ", styles[-1]))
            elif kind == "hardbreak":
                line.append(Run("\n", styles[-1]))
            elif kind == "code_inline":
                line.append(Run(visible(token.content), styles[-1] + self._styles.code))
            elif kind == "maths_inline":
                self._literal(line, token.content, styles[-1] + self._styles.maths)
            elif kind == "html_inline":
                self._literal(line, token.content, styles[-1] + self._styles.html)
            elif kind == "image":
                self._image(line, token, styles[-1])
            elif kind == "link_open":
                opened.append((len(line), str(token.attrs.get("href", ""))))
                styles.append(styles[-1])
            elif kind == "link_close":
                styles.pop()
                self._link(line, *opened.pop())
            elif token.nesting > 0:
                styles.append(styles[-1] + _MARKUP.get(token.tag, PLAIN))
            elif token.nesting < 0:
                styles.pop()
            else:  # a rule of markdown-it that is newer than this file
                self._literal(line, token.content, styles[-1])
        return line

    def _literal(self, line: Line, text: str, style: Style) -> None:
        line.append(Run(visible(text), style))

    def _text(self, line: Line, text: str, style: Style, *, linked: bool) -> None:
        """Add plain text, in which bare addresses become links."""
        text = visible(text)
        if linked or ("[^" not in text and "://" not in text):
            line.append(Run(text, style))
            return
        for part in _REFERENCE.split(text):
            if part.startswith("[^"):
                line.append(Run(part, style + self._styles.marker))
            elif part.startswith("http"):
                target = safe_link(part, part) if self._links else None
                line.append(Run(part, style + self._styles.link, target))
            elif part:
                line.append(Run(part, style))

    def _image(self, line: Line, token: Token, style: Style) -> None:
        begin = len(line)
        alt = self.runs(token.children or [], style)
        line.append(Run("[image", style + self._styles.html))
        if any(run.text for run in alt):
            line.append(Run(": ", style + self._styles.html))
            line.extend(alt)
        line.append(Run("]", style + self._styles.html))
        self._link(line, begin, str(token.attrs.get("src", "")))

    def _link(self, line: Line, begin: int, target: str) -> None:
        """Make the runs from ``begin`` on a link, or add the address after them."""
        text = "".join(run.text for run in line[begin:])
        safe = safe_link(target, text) if self._links else None
        for index in range(begin, len(line)):
            run = line[index]
            line[index] = Run(run.text, run.style + self._styles.link, safe or run.link)
        address = visible(target)
        if safe is None and address and address.removeprefix("mailto:") != text:
            line.append(Run(f" ({address})" if text else address, self._styles.address))
