"""Type-ahead: what the user types while a reply streams is offered as the next prompt, never sent.

During a chat the terminal does not echo by itself: the input draws what is typed, and between two
inputs the terminal keeps the keys (``QuietTerminal``). Before the next input they are read. Text
and line ends are used; arrows and function keys are dropped, and Backspace, Ctrl-U and Ctrl-W take
effect. Ctrl-C is a signal at once, and drops none of the keys.
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

BURST_PAUSE = 0.03
"""Seconds: text that arrives within them belongs to one burst, such as a paste."""


def read_typed(fd: int) -> str:
    """Return what was typed and not read yet, as text; "" if ``fd`` is not a terminal."""
    return text_of(tty.read_pending(fd))


def text_of(data: bytes) -> str:
    """Return the text of keys, with the editing keys applied."""
    text = codecs.decode(data, "utf-8", "ignore")
    text = text.replace("\x1b[200~", "").replace("\x1b[201~", "")
    text = _ESCAPES.sub(lambda key: "\n" if key[0][1:] in ("\r", "\n") else "", text)
    chars: list[str] = []
    for char in text.replace("\r\n", "\n").replace("\r", "\n"):
        if char in "\x7f\x08":
            if chars:
                chars.pop()
        elif char == "\x15":
            # Ctrl-U deletes to the beginning of the line.
            while chars and chars[-1] != "\n":
                chars.pop()
        elif char == "\x17":
            # Ctrl-W deletes to the beginning of the word.
            while chars and chars[-1] in " \t":
                chars.pop()
            while chars and not chars[-1].isspace():
                chars.pop()
        elif char in "\n\t" or char.isprintable():
            chars.append(char)
    return "".join(chars).strip("\n")


class QuietTerminal:
    """Keeps the terminal ``fd`` from echoing between ``begin`` and ``end``.

    The settings are restored at the exit of the process, inside ``with_echo``, and while the
    process is stopped (Ctrl-Z, ``fg``). What was typed to the chat is not left for the shell, which
    would run it.
    """

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._saved: tty.Settings | None = None
        self._at_stop: tty.Settings | None = None
        self._typed_before_stop = ""
        self._stop_handler = tty.StopHandler(self._before_stop, self._after_stop)

    def take_typed(self) -> str:
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
        """Restore the terminal's settings. Does nothing the second time."""
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
        """Restore the settings inside the block, for others who read from the terminal."""
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


def has_input(fd: int, seconds: float = 0.0) -> bool:
    """Return whether there is something to read within so many seconds."""
    try:
        return bool(select.select([fd], [], [], seconds)[0])
    except (OSError, ValueError):
        return False
