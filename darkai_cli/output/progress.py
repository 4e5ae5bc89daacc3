"""One row on stderr that shows what darkai waits for: a spinner, a countdown, a progress bar.

Each draws carriage return, the text, erase to the end of the line, and clears the row when it ends.
They are drawn only on a terminal, and never fill its width.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from typing import TextIO

from darkai_cli import signals, stdio

SPINNER_DELAY = 0.5
"""Seconds of waiting before the spinner appears."""

_CLEAR_ROW = "\r\x1b[K"
_BAR_DELAY = 0.5
_BAR_INTERVAL = 0.1
_BAR_WIDTH = 30


class Spinner:
    """Shows ``waiting for NAME, 3 s`` until ``stop``.

    A daemon thread draws it, and sleeps between two changes of the number. Whoever writes to the
    terminal calls ``stop`` before. ``width`` returns the columns of the terminal. ``sleep`` waits
    that many seconds, or less if it is told to stop, and returns whether it was.
    """

    def __init__(
        self,
        err: TextIO,
        name: str,
        *,
        width: Callable[[], int] | None = None,
        delay: float = SPINNER_DELAY,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], bool] | None = None,
    ) -> None:
        self._err = err
        self._name = name
        self._width = width or (lambda: stdio.size(err)[0])
        self._delay = delay
        self._clock = clock
        self._stopped = threading.Event()
        self._sleep = sleep or self._stopped.wait
        self._lock = threading.Lock()
        self._is_visible = False

    def start(self) -> None:
        """Begin to wait. Does nothing if stderr is not a terminal."""
        if self._err.isatty():
            threading.Thread(
                target=self._run, args=(self._clock(),), name="darkai-waiting", daemon=True
            ).start()

    def stop(self) -> None:
        """Clear the row; nothing is written afterwards. May be called twice."""
        self._stopped.set()
        with self._lock:
            if self._is_visible:
                self._is_visible = False
                _write(self._err, _CLEAR_ROW)

    def _run(self, start: float) -> None:
        signals.block_in_thread()
        self.run(start)

    def run(self, start: float) -> None:
        """Draw the row whenever the number changes, until told to stop. The thread's work."""
        pause = self._delay
        while not self._sleep(max(0.0, pause)):
            elapsed = self._clock() - start
            try:
                self._draw(int(elapsed))
            except (OSError, ValueError):
                return  # the terminal has gone: whoever writes the answer will notice
            pause = int(elapsed) + 1 - elapsed

    def _draw(self, seconds: int) -> None:
        from darkai_cli.output.sanitize import sanitize_line  # not before the request is sent

        text = f"Waiting for {sanitize_line(self._name)}" + (f", {seconds} s" if seconds else "")
        with self._lock:
            if not self._stopped.is_set():
                self._is_visible = True
                self._err.write(_dim_row(text, self._width()))
                self._err.flush()


def count_down(
    err: TextIO,
    reason: str,
    seconds: float,
    *,
    width: Callable[[], int] | None = None,
    clock: Callable[[], float] = time.time,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Wait for a slot of a rate limit and show how many seconds remain.

    This runs in the main thread, so that Ctrl-C ends it at once. ``clock`` is the wall clock: a
    machine that slept through the slot does not wait on.
    """
    from darkai_cli.output.sanitize import sanitize_line

    until = clock() + seconds
    text = sanitize_line(reason)
    try:
        while (remaining := until - clock()) > 0:
            signals.raise_pending()
            row = f"Next slot in {_clock_time(remaining)} (Ctrl-C stops): {text}"
            _write(err, _dim_row(row, width() if width else stdio.size(err)[0]))
            sleep(remaining % 1 or 1.0)
    finally:
        _write(err, _CLEAR_ROW)


class ProgressBar:
    """A bar on stderr, if that is a terminal and the work takes longer than half a second."""

    def __init__(self) -> None:
        self._err = stdio.stderr()
        self._is_enabled = stdio.is_terminal(self._err) and not stdio.is_dumb()
        self._next_draw = time.monotonic() + _BAR_DELAY
        self._is_visible = False

    def update(self, done: int, total: int) -> None:
        """Show how much is done; at most ten times a second."""
        now = time.monotonic()
        if not self._is_enabled or now < self._next_draw or not total:
            return
        self._next_draw = now + _BAR_INTERVAL
        self._is_visible = True
        _write(self._err, "\r" + bar_row(done, total, stdio.size(self._err)[0]))

    def clear(self) -> None:
        """Remove the bar."""
        if self._is_visible:
            _write(self._err, _CLEAR_ROW)


def bar_row(done: int, total: int, width: int) -> str:
    """Return a bar with its percentage, in less than ``width`` cells."""
    part = min(done, total) / total
    room = max(0, min(_BAR_WIDTH, width - 8))
    bar = "█" * round(part * room)
    return f" {bar:<{room}} {part:4.0%}"[: max(0, width - 1)]


def _dim_row(text: str, width: int) -> str:
    room = max(1, width - 1)
    text = text if len(text) <= room else text[: room - 1] + "…"
    return f"\r\x1b[2m{text}\x1b[0m\x1b[K"


def _clock_time(seconds: float) -> str:
    """Return ``42 s``, ``3:07`` or ``1:03:07``, rounded up, so that a countdown ends with 1."""
    total = -int(-seconds // 1)
    if total < 100:
        return f"{total} s"
    minutes, seconds = divmod(total, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def _write(err: TextIO, text: str) -> None:
    with contextlib.suppress(OSError, ValueError):  # the terminal has gone; the work goes on
        err.write(text)
        err.flush()
