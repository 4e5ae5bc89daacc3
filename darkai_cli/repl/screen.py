"""How a session speaks to the person: lines on the terminal, each filtered, nothing redrawn.

Replies are not shown here (they have a sink of their own); this is for what darkai itself says. Its
lines are broken between words where the terminal is narrow. In plain mode there is no escape
sequence, nothing is broken, and words stand for marks. A ``ChatScreen`` is also the seam for tests:
``write`` can be anything that takes text, and gets lines unbroken.
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

LEAST = 20
"""Columns: on a narrower terminal nothing is broken between words."""


class ChatScreen:
    """Writes to the terminal. ``plain``: no colour and no escape sequence at all."""

    def __init__(self, *, plain: bool, write: Callable[[str], None] | None = None) -> None:
        self.plain = plain
        self._breaks = write is None
        self._write = write or _to_stdout

    def say(self, text: str) -> None:
        """Text of several lines, as it is, filtered."""
        self._write(sanitize(text).rstrip("\n") + "\n")

    def raw(self, text: str) -> None:
        """A piece of text as it comes, filtered."""
        self._write(sanitize(text))

    def line(self, text: str) -> None:
        """One line, which may hold foreign text."""
        self._write(self._broken(sanitize_line(text, 2000)) + "\n")

    def dim(self, text: str) -> None:
        """One line that matters less."""
        shown = sanitize_line(text, 2000)
        if self.plain:
            self._write(f"{worded(shown)}\n")
        else:
            self._write(f"\x1b[2m{self._broken(shown)}\x1b[0m\n")

    def marked(self, row: str) -> None:
        """A row of a comparison, coloured by its first character."""
        shown = sanitize_line(row, 5000)
        colour = "" if not self._coloured else {"+": "32", "-": "31", "@": "36"}.get(row[:1], "")
        self._write(f"\x1b[{colour}m{shown}\x1b[0m\n" if colour else f"{shown}\n")

    def found(self, snippet: Sequence[tuple[str, bool]]) -> None:
        """A piece of text with what was looked for in it, indented."""
        on, off = ("", "") if self.plain else ("\x1b[1m", "\x1b[0m")
        parts = (
            f"{on}{sanitize_line(text, 500)}{off}" if hit else sanitize_line(text, 500)
            for text, hit in snippet
        )
        self._write(f"    {''.join(parts)}\n")

    def styled(self, text: str) -> None:
        """Text that darkai made itself, with escape sequences that it means."""
        self._write(text)

    def reply(self, config: Config, text: str) -> None:
        """A reply that was given before, rendered as it was then."""
        if self.plain or not config.markdown:
            self.say(text)
            return
        from darkai_cli.conversation import sinks
        from darkai_cli.output.terminal import render_static

        look = sinks.look(config)
        self._write(
            render_static(
                text,
                width=self.width,
                colour=stdio.use_color(stdio.stdout()),
                theme=look.theme,
                code_theme=config.code_theme,
                links=look.links,
                truecolor=look.truecolor,
            )
        )

    def error(self, error: DarkAIError) -> None:
        """What went wrong, and what to type next."""
        told = self._broken(f"error: {sanitize_line(mask_known(error.message), 1000)}")
        mark = "\x1b[31merror:\x1b[39m" if self._coloured else "error:"
        self._write(f"{mark}{told.removeprefix('error:')}\n")
        if error.hint:
            self._write(self._broken(f"hint: {sanitize_line(mask_known(error.hint), 1000)}") + "\n")

    @property
    def width(self) -> int:
        """Columns."""
        return stdio.size(stdio.stdout())[0]

    @property
    def _coloured(self) -> bool:
        """Whether colours are wanted."""
        return not self.plain and stdio.use_color(stdio.stdout())

    def _broken(self, line: str) -> str:
        """A line of our own in rows, broken between words; a longer word is left to the terminal.

        The last column stays free: a full row would leave an empty one on some terminals.
        """
        if self.plain or not self._breaks:
            return line
        room = self.width - 1
        if room < LEAST or len(line) * 2 <= room:
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


def worded(line: str) -> str:
    """A line of our own with words in the place of marks, for who hears it."""
    line = re.sub(r"~(?=\d)", "about ", line.replace(" · ", ", "))
    if line.startswith(("> ", ". ")):
        return f"{'you' if line[0] == '>' else 'more'}: {line[2:]}"
    return line


def _to_stdout(text: str) -> None:
    out = stdio.stdout()
    try:
        out.write(text)
        out.flush()
    except UnicodeEncodeError:  # half a character, which no terminal takes
        out.write(text.encode("utf-8", "replace").decode())
        out.flush()
    except OSError:
        return  # the terminal has gone; what follows ends the session
