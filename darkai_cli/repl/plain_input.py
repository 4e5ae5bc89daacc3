"""The input for dumb terminals and screen readers: no redraw, words in place of marks.

The terminal itself edits the line. A line that ends with a backslash continues in the next one;
several lines that arrive at once are a paste and become one message. Text that was typed during a
reply, or was not sent, is offered: Enter alone sends it. Ctrl-D leaves; Ctrl-C discards the text,
and leaves when it is pressed twice on an empty line.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import TextIO

from darkai_cli import signals, tty
from darkai_cli.repl import typeahead
from darkai_cli.repl.screen import ChatScreen

OFFER_NOTE = "note: Press Enter to send this, type to replace it, or press Ctrl-C to drop it:"


class PlainReader:
    """Reads lines from ``source``. Between two reads ``terminal`` keeps it from echoing."""

    def __init__(
        self, screen: ChatScreen, source: TextIO, terminal: typeahead.QuietTerminal
    ) -> None:
        self._screen = screen
        self._fd = source.fileno()
        self._terminal = terminal
        self._buffer = b""
        self._typed_ahead = ""

    def read(self, prefill: str) -> str:
        """Return the next message. Raises ``EOFError`` at the end of the input."""
        while True:
            try:
                with self.with_echo():
                    offered = "\n".join(part for part in (prefill, self._typed_ahead) if part)
                    self._offer(offered)
                    self._typed_ahead = ""
                    return self._read(offered)
            except KeyboardInterrupt:
                # Ctrl-C came before the prompt was there: it discards nothing.
                signals.clear_interrupt()

    def _read(self, offered: str) -> str:
        lines: list[str] = []
        is_leaving = False
        while True:
            try:
                self._screen.styled("more: " if lines else "you: ")
                arrived = self._read_lines()
            except KeyboardInterrupt:
                signals.clear_interrupt()
                self._buffer = b""
                self._screen.styled("\n")
                if is_leaving and not (lines or offered):
                    raise EOFError from None
                is_leaving = not (lines or offered)
                if is_leaving:
                    self._screen.line("note: Press Ctrl-C again or Ctrl-D to leave")
                lines, offered = [], ""
                continue
            is_leaving = False
            if len(arrived) > 1:
                offered = "\n".join([*lines, *arrived])
                lines = []
                self._screen.line(f"note: Pasted {len(arrived)} lines")
                self._screen.line("note: Press Enter to send them or Ctrl-C to drop them")
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
            self._screen.line(OFFER_NOTE)
            self._screen.say(text)

    def _read_lines(self) -> list[str]:
        """Return the next line, or all lines of a paste. Raises ``EOFError`` at the end."""
        lines = [self._read_line()]
        while b"\n" in self._buffer or typeahead.has_input(
            self._fd, typeahead.BURST_PAUSE * (len(lines) > 1)
        ):
            try:
                lines.append(self._read_line())
            except EOFError:
                break
        return lines

    def _read_line(self) -> str:
        while b"\n" not in self._buffer:
            try:
                data = os.read(self._fd, 65536)
            except OSError:
                data = b""
            if not data:
                rest, self._buffer = self._buffer, b""
                if rest:
                    return rest.decode("utf-8", "replace")
                self._screen.styled("\n")
                raise EOFError
            self._buffer += data
        line, _, self._buffer = self._buffer.partition(b"\n")
        if len(line) >= tty.LONGEST_LINE:
            self._screen.line(
                f"warning: The terminal accepts at most {tty.LONGEST_LINE} bytes in a line; "
                "the rest is lost"
            )
        return line.decode("utf-8", "replace").removesuffix("\r")

    def confirm(self, question: str) -> bool:
        """Ask yes or no; return True for yes. What was typed before the question is no answer."""
        with self.with_echo():
            self._screen.styled(f"{question} [y/N] ")
            try:
                return self._read_line().strip().lower() in ("y", "yes")
            except EOFError:
                return False
            except KeyboardInterrupt:
                signals.clear_interrupt()
                self._screen.styled("\n")
                return False

    @contextlib.contextmanager
    def with_echo(self) -> Iterator[None]:
        """Have the terminal echo inside the block."""
        self._typed_ahead += self._terminal.take_typed()
        with self._terminal.with_echo():
            yield

    def close(self) -> None:
        """Restore the terminal."""
        self._terminal.end()
