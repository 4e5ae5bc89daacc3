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
import os
import re
import select
import signal
import termios
import threading
from collections.abc import Iterator
from typing import Any

_ESCAPES = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|O.|\][^\x07\x1b]{0,4096}(?:\x07|\x1b\\)|[\r\n]|.)?", re.DOTALL
)
_MOST = 1 << 20

PAUSE = 0.03
"""Seconds between two parts of what arrives at once, at most."""

_LOCAL = 3
"""The place of the local modes among what ``tcgetattr`` gives."""


def taken(fd: int) -> str:
    """What is waiting on the terminal ``fd``, as text; "" if it is none."""
    try:
        saved = termios.tcgetattr(fd)
    except termios.error:
        return ""
    try:
        termios.tcsetattr(fd, termios.TCSANOW, _hushed(saved))
        data = bytearray()
        while len(data) < _MOST and select.select([fd], [], [], 0)[0]:
            piece = os.read(fd, 65536)
            if not piece:
                break
            data += piece
    except (OSError, termios.error):
        return ""
    finally:
        with contextlib.suppress(termios.error):
            termios.tcsetattr(fd, termios.TCSANOW, saved)
    return text_of(bytes(data))


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

    Put back at the exit of the process, while something else has the keyboard (``aloud``), and
    around a stop: Ctrl-Z, ``fg``. What was typed until then was typed to a chat: the shell, which
    would run it, never gets it. Nothing is changed from the background, where that would stop the
    process.
    """

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._saved: list[Any] | None = None
        self._stops = False
        self._waiting = ""

    def taken(self) -> str:
        """What was typed since this was last asked, as text."""
        text, self._waiting = self._waiting + taken(self._fd), ""
        return text

    def begin(self) -> None:
        """Be quiet."""
        if self._saved is not None:
            return
        saved = self._modes()
        if saved is None:
            return
        self._saved = saved
        atexit.register(self.end)
        is_main = threading.current_thread() is threading.main_thread()
        if is_main and signal.getsignal(signal.SIGTSTP) is signal.SIG_DFL:
            signal.signal(signal.SIGTSTP, self._stop)
            self._stops = True
        self._set(_hushed(saved))

    def end(self) -> None:
        """Put everything back. Does nothing the second time."""
        saved, self._saved = self._saved, None
        if saved is None:
            return
        atexit.unregister(self.end)
        if self._stops:
            with contextlib.suppress(ValueError):  # not in the main thread any more
                signal.signal(signal.SIGTSTP, signal.SIG_DFL)
            self._stops = False
        if self._is_ours():
            taken(self._fd)
        self._set(saved)

    @contextlib.contextmanager
    def with_echo(self) -> Iterator[None]:
        """The terminal as it was, for somebody else who reads from it."""
        if self._saved is None:
            yield
            return
        self._set(self._saved)
        try:
            yield
        finally:
            if self._saved is not None:
                self._set(_hushed(self._saved))

    def _modes(self) -> list[Any] | None:
        try:
            return termios.tcgetattr(self._fd) if self._is_ours() else None
        except termios.error:
            return None

    def _set(self, modes: list[Any]) -> None:
        with contextlib.suppress(OSError, termios.error):  # the terminal has gone
            if self._is_ours():
                termios.tcsetattr(self._fd, termios.TCSANOW, modes)

    def _is_ours(self) -> bool:
        """Whether we are in the terminal's foreground."""
        try:
            return os.tcgetpgrp(self._fd) == os.getpgrp()
        except OSError:
            return True  # not the terminal of this session: nobody stops us

    def _stop(self, signum: int, frame: object) -> None:  # noqa: ARG002 -- a signal handler's form
        """Ctrl-Z: the shell gets the terminal as it was; quiet again when we go on."""
        now = self._modes()
        if now is not None and not now[_LOCAL] & termios.ECHO:
            self._waiting += taken(self._fd)
        if self._saved is not None:
            self._set(self._saved)
        signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        # To this thread, or another might take it later. The process stands still here until `fg`.
        signal.pthread_kill(threading.get_ident(), signal.SIGTSTP)
        signal.signal(signal.SIGTSTP, self._stop)
        if now is not None:
            self._set(now)


def _hushed(modes: list[Any]) -> list[Any]:
    """No echo, no line editing by the terminal; its signals stay, and flush nothing."""
    local = modes[_LOCAL] & ~(termios.ECHO | termios.ECHONL | termios.ICANON | termios.IEXTEN)
    special = list(modes[6])
    special[termios.VMIN], special[termios.VTIME] = 1, 0
    return [*modes[:_LOCAL], local | termios.ISIG | termios.NOFLSH, *modes[4:6], special]


def waits(fd: int, seconds: float = 0.0) -> bool:
    """Whether more is to be read within so many seconds."""
    try:
        return bool(select.select([fd], [], [], seconds)[0])
    except (OSError, ValueError):
        return False
