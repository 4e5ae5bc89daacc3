"""The chat's output to the terminal: lines of darkai's own, filtered, never redrawn.

Replies that stream have a sink of their own. Long lines are broken between words. In plain mode
there are no escape sequences and no line breaks, and words replace marks such as ``~``. Tests pass
a ``write`` that collects the lines unbroken.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from darkai_cli import stdio
from darkai_cli.errors import DarkAIError
from darkai_cli.output.sanitize import sanitize, sanitize_line
from darkai_cli.secrets import mask_known

if TYPE_CHECKING:
    from darkai_cli.config import Config

_SHELL_COMMAND = re.compile("`darkai (?!chat|ask)")
"""A command in a hint that can be typed in a chat after ``!``."""
MIN_WIDTH = 20
"""Columns: on a narrower terminal no line is broken."""


class ChatScreen:
    """Writes lines to the terminal. ``plain``: without color and escape sequences."""

    def __init__(self, *, plain: bool, write: Callable[[str], None] | None = None) -> None:
        self.plain = plain
        self._breaks = write is None
        self._write = write or _to_stdout

    def say(self, text: str) -> None:
        """Write a text of several lines, filtered."""
        self._write(sanitize(text).rstrip("\n") + "\n")

    def raw(self, text: str) -> None:
        """Write a piece of text without a line end, filtered."""
        self._write(sanitize(text))

    def line(self, text: str) -> None:
        """Write one line, filtered."""
        self._write(self._broken(sanitize_line(text, 2000)) + "\n")

    def dim(self, text: str) -> None:
        """Write one line, dim."""
        line = sanitize_line(text, 2000)
        if self.plain:
            self._write(f"{in_words(line)}\n")
        else:
            self._write(f"\x1b[2m{self._broken(line)}\x1b[0m\n")

    def diff_row(self, row: str) -> None:
        """Write a row of a unified diff, colored by its first character."""
        line = sanitize_line(row, 5000)
        color = "" if not self._has_color else {"+": "32", "-": "31", "@": "36"}.get(row[:1], "")
        self._write(f"\x1b[{color}m{line}\x1b[0m\n" if color else f"{line}\n")

    def snippet(self, parts: Sequence[tuple[str, bool]]) -> None:
        """Write a line of a search result, indented. ``parts``: texts, and whether each matches."""
        on, off = ("", "") if self.plain else ("\x1b[1m", "\x1b[0m")
        texts = (
            f"{on}{sanitize_line(text, 500)}{off}" if is_match else sanitize_line(text, 500)
            for text, is_match in parts
        )
        self._write(f"    {''.join(texts)}\n")

    def styled(self, text: str) -> None:
        """Write a text of darkai's own unfiltered, escape sequences included."""
        self._write(text)

    def reply(self, config: Config, text: str) -> None:
        """Write a finished reply, rendered as Markdown."""
        if self.plain or not config.markdown:
            self.say(text)
            return
        from darkai_cli.conversation.sinks import markdown_style
        from darkai_cli.output.terminal import render_static

        style = markdown_style(config)
        self._write(
            render_static(
                text,
                width=self.width,
                color=stdio.use_color(stdio.stdout()),
                theme=style.theme,
                code_theme=config.code_theme,
                links=style.links,
                truecolor=style.truecolor,
            )
        )

    def error(self, error: DarkAIError) -> None:
        """Write an error and its hint, with ``!`` before shell commands so that they work here."""
        line = self._broken(f"error: {sanitize_line(mask_known(error.message), 1000)}")
        mark = "\x1b[31merror:\x1b[39m" if self._has_color else "error:"
        self._write(f"{mark}{line.removeprefix('error:')}\n")
        if error.hint:
            hint = _SHELL_COMMAND.sub("`!darkai ", mask_known(error.hint))
            self._write(self._broken(f"hint: {sanitize_line(hint, 1000)}") + "\n")

    @property
    def width(self) -> int:
        """The terminal's width in columns."""
        return stdio.size(stdio.stdout())[0]

    @property
    def _has_color(self) -> bool:
        """Whether to write colors."""
        return not self.plain and stdio.use_color(stdio.stdout())

    def _broken(self, line: str) -> str:
        """Return the line as rows that fit the terminal, broken between words.

        The last column stays free: some terminals add an empty row after a full one. The terminal
        itself breaks a word that is longer than a row.
        """
        if self.plain or not self._breaks:
            return line
        room = self.width - 1
        if room < MIN_WIDTH or len(line) * 2 <= room:
            return line
        from prompt_toolkit.utils import get_cwidth

        rows: list[str] = []
        text = line.lstrip(" ")
        indent = len(line) - len(text)
        row, used = " " * indent, indent
        for word in text.split(" "):
            size = get_cwidth(word)
            if used > indent and used + 1 + size > room:
                rows.append(row)
                row, used = " " * indent, indent
            gap = " " if used > indent else ""
            row, used = f"{row}{gap}{word}", used + len(gap) + size
        return "\n".join([*rows, row])


def in_words(line: str) -> str:
    """Return the line with words in place of marks, for screen readers."""
    line = re.sub(r"~(?=\d)", "about ", line.replace(" · ", ", "))
    if line.startswith(("> ", ". ")):
        return f"{'you' if line[0] == '>' else 'more'}: {line[2:]}"
    return line


def _to_stdout(text: str) -> None:
    out = stdio.stdout()
    try:
        out.write(text)
        out.flush()
    except UnicodeEncodeError:
        # A lone surrogate, which no terminal takes.
        out.write(text.encode("utf-8", "replace").decode())
        out.flush()
    except OSError:
        # The terminal is gone. The next read ends the session.
        return
