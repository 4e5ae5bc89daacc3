"""Typing where the terminal can only print, or for a screen reader: no redraw, and words for marks.

A line that ends with a backslash goes on in the next one. Several lines that arrive at once are a
paste, and one message. What was typed while a reply came, or did not get through, is offered: Enter
alone sends it. Ctrl-D leaves; Ctrl-C drops what was typed, and twice on an empty line it leaves
too. The terminal itself edits the line.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import TextIO

from darkai_cli import signals, stdio
from darkai_cli.repl import typeahead
from darkai_cli.repl.screen import ChatScreen

OFFERED = "note: Enter alone sends this; any other text takes its place; Ctrl-C drops it:"


class PlainReader:
    """Reads lines of ``source``, the keyboard, which ``hush`` keeps quiet in between."""

    def __init__(self, screen: ChatScreen, source: TextIO, hush: typeahead.QuietTerminal) -> None:
        self._screen = screen
        self._fd = source.fileno()
        self._hush = hush
        self._buffer = b""
        self._waiting = ""

    def read(self, prefill: str) -> str:
        """The next message."""
        while True:
            try:
                with self.with_echo():
                    offered = "\n".join(part for part in (prefill, self._waiting) if part)
                    self._offer(offered)
                    self._waiting = ""
                    return self._read(offered)
            except KeyboardInterrupt:  # before the prompt was there
                signals.clear_interrupt()

    def _read(self, offered: str) -> str:
        lines: list[str] = []
        stopped = False
        while True:
            try:
                self._screen.styled("more: " if lines else "you: ")
                arrived = self._arrived()
            except KeyboardInterrupt:
                signals.clear_interrupt()
                self._buffer = b""
                self._screen.styled("\n")
                if stopped and not (lines or offered):
                    raise EOFError from None
                stopped = not (lines or offered)
                if stopped:
                    self._screen.line("note: Ctrl-C again, or Ctrl-D, leaves")
                lines, offered = [], ""
                continue
            stopped = False
            if len(arrived) > 1:
                offered = "\n".join([*lines, *arrived])
                lines = []
                self._screen.line(f"note: {len(arrived)} lines were pasted")
                self._screen.line("note: Enter alone sends them; Ctrl-C drops them")
                continue
            line = arrived[0]
            if line.endswith("\\"):
                lines.append(line[:-1])
                continue
            if offered and not (line or lines):
                return offered
            return "\n".join([*lines, line])

    def _offer(self, text: str) -> None:
        if text:
            self._screen.line(OFFERED)
            self._screen.say(text)

    def _arrived(self) -> list[str]:
        """The next line, or all lines of a paste. Raises ``EOFError`` at the end of the input."""
        lines = [self._line()]
        while b"\n" in self._buffer or typeahead.waits(
            self._fd, typeahead.PAUSE * (len(lines) > 1)
        ):
            try:
                lines.append(self._line())
            except EOFError:
                break
        return lines

    def _line(self) -> str:
        while b"\n" not in self._buffer:
            try:
                data = os.read(self._fd, 65536)
            except OSError:
                data = b""
            if not data:
                left, self._buffer = self._buffer, b""
                if left:
                    return left.decode("utf-8", "replace")
                self._screen.styled("\n")
                raise EOFError
            self._buffer += data
        line, _, self._buffer = self._buffer.partition(b"\n")
        if len(line) >= stdio.LONGEST_LINE:
            self._screen.line(
                f"warning: a terminal takes at most {stdio.LONGEST_LINE} bytes in a line: "
                "what came after them is lost"
            )
        return line.decode("utf-8", "replace").removesuffix("\r")

    def confirm(self, question: str) -> bool:
        """Ask yes or no; what was typed before the question answers nothing."""
        with self.with_echo():
            self._screen.styled(f"{question} [y/N] ")
            try:
                return self._line().strip().lower() in ("y", "yes")
            except EOFError:
                return False
            except KeyboardInterrupt:
                signals.clear_interrupt()
                self._screen.styled("\n")
                return False

    @contextlib.contextmanager
    def with_echo(self) -> Iterator[None]:
        """The terminal echoes."""
        self._waiting += self._hush.taken()
        with self._hush.with_echo():
            yield

    def close(self) -> None:
        """Give the terminal back as it was."""
        self._hush.end()
