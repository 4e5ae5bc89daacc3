"""When to paint: at once if nothing was painted lately, else when the next frame is due.

The caller's thread never paints. It only says that something has changed; it may then block in a
read for a minute, or be interrupted by a signal's exception, and neither delays nor cuts a frame.
The thread here wakes when a frame is due and never otherwise.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from darkai_cli import signals

SHORTEST, LONGEST = 0.07, 0.1
"""Seconds between two frames: 10 to 14 a second."""

COST_FACTOR = 10
"""A frame that took long is followed by a longer pause, up to ``LONGEST``."""


class Pace:
    """The rule by itself: given the times, when is the next frame due."""

    def __init__(self) -> None:
        self._due = float("-inf")

    def wait(self, now: float) -> float:
        """Seconds until the next frame may be painted; 0 for at once."""
        return max(0.0, self._due - now)

    def painted(self, began: float, ended: float) -> None:
        """A frame was painted."""
        self._due = ended + min(LONGEST, max(SHORTEST, COST_FACTOR * (ended - began)))


class Painter:
    """A thread that calls ``paint`` when a frame is due.

    What ``paint`` raises is raised again by the next ``request`` or by ``stop``.
    """

    def __init__(
        self, paint: Callable[[], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._paint = paint
        self._clock = clock
        self._pace = Pace()
        self._wake = threading.Event()
        self._hurry = threading.Event()
        self._painted = threading.Event()
        self._stopped = False
        self._dirty = False
        self._error: BaseException | None = None
        self._thread: threading.Thread | None = None

    def request(self) -> None:
        """Something has changed. Cheap: called for every chunk."""
        if self._dirty:
            return
        self._dirty = True
        if self._error is not None:
            raise self._error
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="darkai-painter", daemon=True)
            self._thread.start()
        self._wake.set()

    def settle(self) -> None:
        """Paint what was requested without a pause, and wait for it.

        For a caller that has more text than frames can take: it reads no further meanwhile.
        """
        self._painted.clear()
        if self._error is None:  # a painter that has met something sets nothing any more
            self._hurry.set()
            self.request()
            self._painted.wait()
        if self._error is not None:
            raise self._error

    def stop(self) -> None:
        """Paint no more. Returns when the last frame is written."""
        self._stopped = True
        self._hurry.set()
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
            self._hurry.wait(self._pace.wait(self._clock()))
            if self._stopped:
                return
            self._hurry.clear()
            self._dirty = False
            began = self._clock()
            try:
                self._paint()
            except BaseException as exc:  # noqa: BLE001 -- raised in the caller's thread
                self._error = exc
                return
            finally:
                self._painted.set()
            self._pace.painted(began, self._clock())
