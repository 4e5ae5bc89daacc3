"""Type-ahead: what was typed while a reply streamed: offered as the next prompt, never sent alone.

From the first prompt to the end of the session the terminal echoes nothing by itself: the input
draws what is typed, and between two inputs the terminal keeps the keys (``QuietTerminal``).
Before the input
comes back they are taken from it (``taken``): texts and line ends stay, keys that are no text
(arrows, functions) are dropped, and so is what a Backspace takes back. Ctrl-C among them is a
signal at once, and takes nothing of what was typed with it.
"""

from __future__ import annotations

import atexit
import codecs
import contextlib
import re
import select
from collections.abc import Iterator

from darkai_cli import tty

_ESCAPES = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|O.|\][^\x07\x1b]{0,4096}(?:\x07|\x1b\\)|[\r\n]|.)?", re.DOTALL
)

PAUSE = 0.03
"""Seconds between two parts of what arrives at once, at most."""


def read_typed(fd: int) -> str:
    """Return what was typed on the terminal and not been read, as text; "" if ``fd`` is none."""
    return text_of(tty.read_pending(fd))


def text_of(data: bytes) -> str:
    """The text that keys stand for."""
    text = codecs.decode(data, "utf-8", "ignore")
    text = text.replace("\x1b[200~", "").replace("\x1b[201~", "")
    text = _ESCAPES.sub(lambda key: "\n" if key[0][1:] in ("\r", "\n") else "", text)
    kept: list[str] = []
    for char in text.replace("\r\n", "\n").replace("\r", "\n"):
        if char in "\x7f\x08":
            if kept:
                kept.pop()
        elif char == "\x15":  # Ctrl-U: back to the beginning of the line
            while kept and kept[-1] != "\n":
                kept.pop()
        elif char == "\x17":  # Ctrl-W: back to the beginning of the word
            while kept and kept[-1] in " \t":
                kept.pop()
            while kept and not kept[-1].isspace():
                kept.pop()
        elif char in "\n\t" or char.isprintable():
            kept.append(char)
    return "".join(kept).strip("\n")


class QuietTerminal:
    """Keeps the terminal ``fd`` from echoing, from ``begin`` to ``end``, whatever happens between.

    Put back at the exit of the process, while something else has the keyboard (``with_echo``), and
    around a stop: Ctrl-Z, ``fg``. What was typed until then was typed to a chat: the shell, which
    would run it, never gets it.
    """

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._saved: tty.Settings | None = None
        self._at_stop: tty.Settings | None = None
        self._typed_before_stop = ""
        self._stop_handler = tty.StopHandler(self._before_stop, self._after_stop)

    def taken(self) -> str:
        """Return what was typed since the last call, as text."""
        text, self._typed_before_stop = self._typed_before_stop + read_typed(self._fd), ""
        return text

    def begin(self) -> None:
        """Switch echo and line editing off."""
        if self._saved is not None:
            return
        settings = tty.get_settings(self._fd)
        if settings is None:
            return
        self._saved = settings
        atexit.register(self.end)
        self._stop_handler.install()
        tty.put_settings(self._fd, tty.without_line_editing(settings))

    def end(self) -> None:
        """Put everything back. Does nothing the second time."""
        saved, self._saved = self._saved, None
        if saved is None:
            return
        atexit.unregister(self.end)
        self._stop_handler.remove()
        if tty.in_foreground(self._fd):
            tty.read_pending(self._fd)
        tty.put_settings(self._fd, saved)

    @contextlib.contextmanager
    def with_echo(self) -> Iterator[None]:
        """Give the terminal its own settings back while somebody else reads from it."""
        if self._saved is None:
            yield
            return
        tty.put_settings(self._fd, self._saved)
        try:
            yield
        finally:
            if self._saved is not None:
                tty.put_settings(self._fd, tty.without_line_editing(self._saved))

    def _before_stop(self) -> None:
        self._at_stop = tty.get_settings(self._fd)
        if self._at_stop is not None and not tty.has_echo(self._at_stop):
            self._typed_before_stop += read_typed(self._fd)
        if self._saved is not None:
            tty.put_settings(self._fd, self._saved)

    def _after_stop(self) -> None:
        if self._at_stop is not None:
            tty.put_settings(self._fd, self._at_stop)


def waits(fd: int, seconds: float = 0.0) -> bool:
    """Whether more is to be read within so many seconds."""
    try:
        return bool(select.select([fd], [], [], seconds)[0])
    except (OSError, ValueError):
        return False
