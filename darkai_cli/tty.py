"""The terminal's state while a reply is shown: cursor hidden, no echo; and back, whatever happens.

Put back by ``leave``, at exit of the process, and around a stop (Ctrl-Z, ``fg``). What the user
types meanwhile is neither read nor discarded: it is there for the shell. Nothing is changed from
the background: that would stop the process.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator
from typing import Any

HIDE_CURSOR, SHOW_CURSOR = "\x1b[?25l", "\x1b[?25h"
RESET = "\x1b[0m\x1b[?7h"
_ECHO_FIELD = 3


class TerminalState:
    """``write`` gets escape sequences; ``input_fd`` is standard input if it is a terminal, or None.

    ``pause`` and ``resume`` are called around a stop of the process.
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
        self._saved: list[Any] | None = None
        self._entered = False
        self._handles_stop = False
        self._outer: Any = signal.SIG_DFL
        """What else is to be put right before a stop: a session's input has a handler."""

    def enter(self) -> None:
        """Hide the cursor, switch echo off, be ready for a stop and for the end."""
        self._entered = True
        atexit.register(self.leave)
        is_main = threading.current_thread() is threading.main_thread()
        outer = signal.getsignal(signal.SIGTSTP)
        if is_main and (outer is signal.SIG_DFL or callable(outer)):
            self._outer = outer
            signal.signal(signal.SIGTSTP, self._stop)
            self._handles_stop = True
        self._switch_on()

    def leave(self) -> None:
        """Put everything back. Does nothing the second time."""
        if not self._entered:
            return
        self._entered = False
        atexit.unregister(self.leave)
        if self._handles_stop:
            with contextlib.suppress(ValueError):  # not in the main thread any more: at exit
                signal.signal(signal.SIGTSTP, self._outer)
            self._handles_stop = False
        self._switch_off()

    def _switch_on(self) -> None:
        self._write(HIDE_CURSOR)
        with self._owned_terminal() as termios:
            if termios is None or self._fd is None:
                return
            self._saved = termios.tcgetattr(self._fd)
            quiet = termios.tcgetattr(self._fd)
            quiet[_ECHO_FIELD] &= ~termios.ECHO
            termios.tcsetattr(self._fd, termios.TCSANOW, quiet)

    def _switch_off(self) -> None:
        saved, self._saved = self._saved, None
        with self._owned_terminal() as termios:
            if termios is not None and self._fd is not None and saved is not None:
                now = termios.tcgetattr(self._fd)
                now[_ECHO_FIELD] |= saved[_ECHO_FIELD] & termios.ECHO
                termios.tcsetattr(self._fd, termios.TCSANOW, now)
        self._write(RESET + SHOW_CURSOR)

    @contextlib.contextmanager
    def _owned_terminal(self) -> Iterator[Any]:
        """The ``termios`` module if the input is a terminal and we are in its foreground."""
        if self._fd is None:
            yield None
            return
        import termios

        try:
            owned = os.tcgetpgrp(self._fd) == os.getpgrp()
        except OSError:
            owned = False
        with contextlib.suppress(termios.error):
            yield termios if owned else None

    def _stop(self, signum: int, frame: object) -> None:
        """Ctrl-Z: leave the terminal as the shell wants it, stop, and go on where we were."""
        self._pause()
        self._switch_off()
        signal.signal(signal.SIGTSTP, self._outer)
        if callable(self._outer):
            self._outer(signum, frame)
        else:
            # To this thread, or another might take it later. The process stands still until `fg`.
            signal.pthread_kill(threading.get_ident(), signal.SIGTSTP)
        signal.signal(signal.SIGTSTP, self._stop)
        self._switch_on()
        self._resume()
