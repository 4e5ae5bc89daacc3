"""The row on stderr that says what is waited for and for how long, until the first text comes.

Not part of the answer and independent of how that is shown: carriage return, the text, erase to
the end of the line, on stderr only and only if that is a terminal. One daemon thread, which sleeps
between two changes of the number of seconds. ``stop`` clears the row; whoever writes to the
terminal calls it before.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from typing import TextIO

from darkai_cli import signals

DELAY = 0.5
"""Seconds of waiting that nobody needs to be told of."""

_CLEAR = "\r\x1b[K"


class Waiting:
    """Shows ``what`` and the seconds since ``start``.

    ``sleep`` waits for so many seconds, or less if told to stop, and says whether it was told: by
    default an event of its own. ``width``: columns of the terminal; the row never fills them.
    """

    def __init__(
        self,
        err: TextIO,
        what: str,
        *,
        width: Callable[[], int] = lambda: 80,
        delay: float = DELAY,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], bool] | None = None,
    ) -> None:
        self._err = err
        self._what = what
        self._width = width
        self._delay = delay
        self._clock = clock
        self._stopped = threading.Event()
        self._sleep = sleep or self._stopped.wait
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._shown = False

    def start(self) -> None:
        """Begin to wait. Does nothing if stderr is no terminal."""
        if not self._err.isatty():
            return
        began = self._clock()
        self._thread = threading.Thread(
            target=self._run, args=(began,), name="darkai-waiting", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Clear the row; nothing is written afterwards. May be called twice."""
        self._stopped.set()
        with self._lock, contextlib.suppress(OSError, ValueError):
            if self._shown:
                self._shown = False
                self._err.write(_CLEAR)
                self._err.flush()

    def _run(self, began: float) -> None:
        signals.block_in_thread()
        self.run(began)

    def run(self, began: float) -> None:
        """What the thread does: paint when the number changes, until told to stop."""
        pause = self._delay
        while not self._sleep(max(0.0, pause)):
            passed = self._clock() - began
            try:
                self._paint(int(passed))
            except (OSError, ValueError):
                return  # the terminal has gone: whoever writes the answer will notice
            pause = int(passed) + 1 - passed

    def _paint(self, seconds: int) -> None:
        from darkai_cli.output.sanitize import sanitize_line  # not before the request is sent

        text = f"waiting for {sanitize_line(self._what)}" + (f", {seconds} s" if seconds else "")
        room = max(1, self._width() - 1)
        text = text if len(text) <= room else text[: room - 1] + "…"
        with self._lock:
            if not self._stopped.is_set():
                self._shown = True
                self._err.write(f"\r\x1b[2m{text}\x1b[0m\x1b[K")
                self._err.flush()
