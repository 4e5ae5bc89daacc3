"""The terminal's settings: the one place that changes them, and puts them back.

``TerminalState`` is in force while a reply is shown: cursor hidden, no echo. ``read_hidden`` reads
a line without echo. The chat's input uses the functions. Settings are put back at the end, at the
exit of the process and around a stop (Ctrl-Z, ``fg``). Nothing is changed from the background,
where the system would stop the process for it.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import select
import signal
import threading
from collections.abc import Callable
from typing import Any

from darkai_cli.errors import InputError

try:
    import termios
except ImportError:  # Windows
    termios = None  # type: ignore[assignment]

HIDE_CURSOR, SHOW_CURSOR = "\x1b[?25l", "\x1b[?25h"
RESET = "\x1b[0m\x1b[?7h"

LONGEST_LINE = 4095
"""The most bytes of a line that a terminal takes; what is typed beyond them is lost."""

_LOCAL_MODES, _SPECIAL_CHARACTERS = 3, 6
"""Places in the list that ``termios.tcgetattr`` returns."""
_MAX_PENDING = 1 << 20

Settings = list[Any]
"""What ``termios.tcgetattr`` returns."""


def in_foreground(fd: int) -> bool:
    """Return whether this process may change the settings of the terminal ``fd``."""
    try:
        return os.tcgetpgrp(fd) == os.getpgrp()
    except (OSError, AttributeError):
        return True  # a terminal that is not the one we run on, which stops nobody


def get_settings(fd: int) -> Settings | None:
    """Return the terminal's settings; None if ``fd`` is none, or we are in its background."""
    if termios is None:
        return None
    try:
        return termios.tcgetattr(fd) if in_foreground(fd) else None
    except termios.error:
        return None


def put_settings(fd: int, settings: Settings) -> None:
    """Change the terminal's settings. Does nothing in the background, or if it has gone."""
    if termios is None:
        return
    with contextlib.suppress(OSError, termios.error):
        if in_foreground(fd):
            termios.tcsetattr(fd, termios.TCSANOW, settings)


def without_echo(settings: Settings) -> Settings:
    """Return the settings without echo."""
    changed = list(settings)
    changed[_LOCAL_MODES] &= ~termios.ECHO
    return changed


def without_line_editing(settings: Settings) -> Settings:
    """Return the settings without echo and line editing: each key can be read at once.

    Ctrl-C and Ctrl-Z stay signals, and discard nothing that was typed.
    """
    changed = list(settings)
    changed[_LOCAL_MODES] &= ~(termios.ECHO | termios.ECHONL | termios.ICANON | termios.IEXTEN)
    changed[_LOCAL_MODES] |= termios.ISIG | termios.NOFLSH
    characters = list(settings[_SPECIAL_CHARACTERS])
    characters[termios.VMIN], characters[termios.VTIME] = 1, 0
    changed[_SPECIAL_CHARACTERS] = characters
    return changed


def has_echo(settings: Settings) -> bool:
    """Return whether the terminal shows what is typed."""
    return bool(settings[_LOCAL_MODES] & termios.ECHO)


def read_pending(fd: int) -> bytes:
    """Return what has been typed on the terminal and not been read; b"" if ``fd`` is none."""
    if termios is None:
        return b""
    data = bytearray()
    try:
        settings = termios.tcgetattr(fd)
    except termios.error:
        return b""
    try:
        # Only without line editing does the terminal give out a line that is not finished.
        termios.tcsetattr(fd, termios.TCSANOW, without_line_editing(settings))
        while len(data) < _MAX_PENDING and select.select([fd], [], [], 0)[0]:
            piece = os.read(fd, 65536)
            if not piece:
                break
            data += piece
    except (OSError, termios.error):
        return b""
    finally:
        with contextlib.suppress(termios.error):
            termios.tcsetattr(fd, termios.TCSANOW, settings)
    return bytes(data)


def discard_pending(fd: int) -> None:
    """Throw away what has been typed on the terminal and not been read."""
    if termios is not None:
        with contextlib.suppress(OSError, termios.error):
            termios.tcflush(fd, termios.TCIFLUSH)


def read_hidden(prompt: str) -> bytes:
    """Return a line from the terminal that stdin is, typed without echo.

    ``prompt`` goes to stderr, or to the terminal itself. Raises ``InputError``.
    """
    if termios is None:
        import getpass

        return getpass.getpass(prompt).encode()
    try:
        settings = termios.tcgetattr(0)
    except termios.error as exc:
        raise InputError("Can't turn echo off on this terminal") from exc
    hidden = without_echo(settings)
    hidden[_LOCAL_MODES] |= termios.ICANON | termios.ISIG

    def show_prompt(*_: object) -> None:
        termios.tcsetattr(0, termios.TCSAFLUSH, hidden)
        _write_prompt(prompt)

    # A shell gives the terminal its own settings while we are stopped, and does not undo that.
    old_handler = signal.signal(signal.SIGCONT, show_prompt)
    line = b""
    try:
        show_prompt()
        while not line.endswith(b"\n") and (piece := os.read(0, 4096)):
            line += piece
    except (OSError, termios.error) as exc:
        raise InputError(f"Can't read from the terminal: {exc}") from exc
    finally:
        signal.signal(signal.SIGCONT, old_handler)
        with contextlib.suppress(termios.error):  # it may be gone
            termios.tcsetattr(0, termios.TCSAFLUSH, settings)
        _write_prompt("\n")
    if len(line) >= LONGEST_LINE:
        raise InputError(
            f"A terminal takes at most {LONGEST_LINE} characters in a line", hint="Pipe it in"
        )
    return line


def _write_prompt(text: str) -> None:
    """Show a prompt on stderr or the terminal, unbuffered: a signal handler calls this, too."""
    fd = 2 if os.isatty(2) else 0  # which may be open for reading only
    with contextlib.suppress(OSError):
        os.write(fd, text.encode())


class StopHandler:
    """Calls two functions around a stop of the process (Ctrl-Z, ``fg``).

    Handlers may be nested: ``before`` of the inner one, then the outer one's, is called first.
    """

    def __init__(self, before: Callable[[], None], after: Callable[[], None]) -> None:
        self._before = before
        self._after = after
        self._outer: Any = None
        self._is_installed = False

    def install(self) -> None:
        """Handle stops from now on; only the main thread can."""
        if threading.current_thread() is not threading.main_thread():
            return
        if not hasattr(signal, "SIGTSTP"):
            return
        outer = signal.getsignal(signal.SIGTSTP)
        if outer is signal.SIG_DFL or callable(outer):
            self._outer = outer
            signal.signal(signal.SIGTSTP, self._stop)
            self._is_installed = True

    def remove(self) -> None:
        """Give the signal back to the handler before this one."""
        if self._is_installed:
            with contextlib.suppress(ValueError):  # not in the main thread any more: at exit
                signal.signal(signal.SIGTSTP, self._outer)
            self._is_installed = False

    def _stop(self, signum: int, frame: object) -> None:
        self._before()
        signal.signal(signal.SIGTSTP, self._outer)
        if callable(self._outer):
            self._outer(signum, frame)
        else:
            # To this thread, or another might take it later. The process stands still until `fg`.
            signal.pthread_kill(threading.get_ident(), signal.SIGTSTP)
        signal.signal(signal.SIGTSTP, self._stop)
        self._after()


class TerminalState:
    """The terminal while a reply is shown: cursor hidden, no echo.

    ``write`` gets escape sequences; ``input_fd`` is standard input if it is a terminal, or None.
    ``pause`` and ``resume`` are called around a stop of the process. What is typed meanwhile is
    neither read nor discarded: it is there for whoever reads next.
    """

    def __init__(
        self,
        write: Callable[[str], None],
        input_fd: int | None,
        pause: Callable[[], None],
        resume: Callable[[], None],
    ) -> None:
        self._write = write
        self._fd = input_fd
        self._pause = pause
        self._resume = resume
        self._saved: Settings | None = None
        self._is_entered = False
        self._stop_handler = StopHandler(self._before_stop, self._after_stop)

    def enter(self) -> None:
        """Hide the cursor, switch echo off, be ready for a stop and for the end."""
        self._is_entered = True
        atexit.register(self.leave)
        self._stop_handler.install()
        self._switch_on()

    def leave(self) -> None:
        """Put everything back. Does nothing the second time."""
        if not self._is_entered:
            return
        self._is_entered = False
        atexit.unregister(self.leave)
        self._stop_handler.remove()
        self._switch_off()

    def _switch_on(self) -> None:
        self._write(HIDE_CURSOR)
        if self._fd is None:
            return
        self._saved = get_settings(self._fd)
        if self._saved is not None:
            put_settings(self._fd, without_echo(self._saved))

    def _switch_off(self) -> None:
        saved, self._saved = self._saved, None
        if self._fd is not None and saved is not None and has_echo(saved):
            # Only the echo is put back: somebody may have changed other settings meanwhile.
            settings = get_settings(self._fd)
            if settings is not None:
                settings[_LOCAL_MODES] |= termios.ECHO
                put_settings(self._fd, settings)
        self._write(RESET + SHOW_CURSOR)

    def _before_stop(self) -> None:
        self._pause()
        self._switch_off()

    def _after_stop(self) -> None:
        self._switch_on()
        self._resume()
