"""When to draw a frame: at once if none was drawn lately, else when the next one is due.

A thread draws the frames. The thread that receives the reply only says that something has changed;
it may then block in a read for a minute, or be interrupted by a signal, and neither delays or cuts
a frame.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from darkai_cli import signals

MIN_INTERVAL, MAX_INTERVAL = 0.07, 0.1
"""Seconds between two frames, so that there are 10 to 14 a second."""

COST_FACTOR = 10
"""A slow frame is followed by a pause of that many times its cost, up to ``MAX_INTERVAL``."""


class FrameSchedule:
    """Says when the next frame is due."""

    def __init__(self) -> None:
        self._due = float("-inf")

    def wait(self, now: float) -> float:
        """Return the seconds until the next frame may be drawn; 0 for at once."""
        return max(0.0, self._due - now)

    def frame_done(self, start: float, end: float) -> None:
        """Take the times at which a frame began and ended."""
        self._due = end + min(MAX_INTERVAL, max(MIN_INTERVAL, COST_FACTOR * (end - start)))


class Painter:
    """A thread that calls ``paint`` when a frame is due.

    What ``paint`` raises is raised again by the next ``request`` or by ``stop``.
    """

    def __init__(
        self, paint: Callable[[], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._paint = paint
        self._clock = clock
        self._schedule = FrameSchedule()
        self._wake = threading.Event()
        self._no_pause = threading.Event()
        self._painted = threading.Event()
        self._stopped = False
        self._is_requested = False
        self._error: BaseException | None = None
        self._thread: threading.Thread | None = None

    def request(self) -> None:
        """Ask for a frame, because something has changed. It is called for every chunk."""
        if self._is_requested:
            return
        self._is_requested = True
        if self._error is not None:
            raise self._error
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="darkai-painter", daemon=True)
            self._thread.start()
        self._wake.set()

    def settle(self) -> None:
        """Draw the requested frame without a pause, and wait until it is drawn.

        For a caller that has more text than frames can show: it reads no further meanwhile.
        """
        self._painted.clear()
        if self._error is None:  # a thread that has failed would never set `_painted`
            self._no_pause.set()
            self.request()
            self._painted.wait()
        if self._error is not None:
            raise self._error

    def stop(self) -> None:
        """Stop drawing; return when the last frame is written."""
        self._stopped = True
        self._no_pause.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        signals.block_in_thread()
        while not self._stopped:
            self._wake.wait()
            self._wake.clear()
            self._no_pause.wait(self._schedule.wait(self._clock()))
            if self._stopped:
                return
            self._no_pause.clear()
            self._is_requested = False
            start = self._clock()
            try:
                self._paint()
            except BaseException as exc:  # noqa: BLE001 -- raised in the caller's thread
                self._error = exc
                return
            finally:
                self._painted.set()
            self._schedule.frame_done(start, self._clock())
