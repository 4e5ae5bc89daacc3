"""The row on stderr that counts down to the next slot of a rate limit, and the wait itself.

Carriage return, the text, erase to the end of the line: as ``waiting``, but in the main thread, so
that Ctrl-C ends it at once. However it ends, the row is gone then.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from typing import TextIO

from darkai_cli import signals
from darkai_cli.output.sanitize import sanitize_line

_CLEAR = "\r\x1b[K"


def count_down(
    err: TextIO,
    why: str,
    seconds: float,
    *,
    width: Callable[[], int] = lambda: 80,
    clock: Callable[[], float] = time.time,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Wait so many seconds and show how many are left. ``width``: columns; never all are filled.

    ``clock`` is the wall's, so that a machine that slept through the slot does not wait on.
    """
    until = clock() + seconds
    text = sanitize_line(why)
    try:
        while (left := until - clock()) > 0:
            signals.raise_pending()
            _put(err, f"\r\x1b[2m{_row(text, left, width())}\x1b[0m\x1b[K")
            sleep(left % 1 or 1.0)
    finally:
        _put(err, _CLEAR)


def _row(why: str, left: float, width: int) -> str:
    row = f"next slot in {_clock(left)} (Ctrl-C stops): {why}"
    room = max(1, width - 1)
    return row if len(row) <= room else row[: room - 1] + "…"


def _clock(left: float) -> str:
    """``42 s``, ``3:07``, ``1:03:07``: rounded up, so that it ends with 1."""
    whole = -int(-left // 1)
    if whole < 100:
        return f"{whole} s"
    minutes, seconds = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def _put(err: TextIO, text: str) -> None:
    with contextlib.suppress(OSError, ValueError):  # nobody watches any more; the wait goes on
        err.write(text)
        err.flush()
