"""Times, sizes and counts in words, and text that can be stored and sent. Pure functions.

Every message, table and page that names an age, a length of time, a size in bytes or a number of
things gets its words here, so that darkai writes each of them in one way.
"""

from __future__ import annotations

_MINUTE = 60
_HOUR = 60 * _MINUTE
_DAY = 24 * _HOUR
_WEEK = 7 * _DAY
_YEAR = 31_557_600

_CUT_MARK = "…"


def ago(seconds: float) -> str:
    """Return how long ago something was: ``just now``, ``2 min ago``, ``3 h ago``, ``5 days ago``.

    A time in the future, which a clock that was set back makes, is ``just now``.
    """
    if seconds < _MINUTE:
        return "just now"
    if seconds < _HOUR:
        return f"{int(seconds / _MINUTE)} min ago"
    if seconds < 2 * _DAY:
        return f"{int(seconds / _HOUR)} h ago"
    if seconds < 2 * _WEEK:
        return f"{int(seconds / _DAY)} days ago"
    if seconds < _YEAR:
        return f"{int(seconds / _WEEK)} weeks ago"
    return f"{plural(int(seconds / _YEAR), 'year')} ago"


def duration(seconds: float) -> str:
    """Return a length of time: ``180 ms``, ``1.4 s``, ``5 min``, ``3 h 20 min``, ``2 days``.

    From 10 seconds on the last unit is rounded down.
    """
    if 0 < seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 10:
        return f"{round(seconds, 1):g} s"
    if seconds < 2 * _MINUTE:
        return f"{int(seconds)} s"
    if seconds < 2 * _HOUR:
        return f"{int(seconds / _MINUTE)} min"
    if seconds < 2 * _DAY:
        hours, minutes = divmod(int(seconds / _MINUTE), 60)
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{int(seconds / _DAY)} days"


def file_size(size: int) -> str:
    """Return a number of bytes: ``900 bytes``, ``12 KiB``, ``16 MiB``, ``1.4 GiB``."""
    if size < 1024:
        return plural(size, "byte")
    if size < 1 << 20:
        return f"{size / 1024:.0f} KiB"
    if size < 1 << 30:
        return f"{round(size / (1 << 20), 1):g} MiB"
    return f"{round(size / (1 << 30), 1):g} GiB"


def plural(number: int, noun: str) -> str:
    """Return a number and what it counts: ``1 turn``, ``1,200 turns``. The plural ends in -s."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def one_line(text: str, limit: int | None = None) -> str:
    """Return the text as one line, each run of white space as one blank.

    ``limit``: the most characters; a longer text is cut and ends with ``…``.
    """
    if limit is None:
        return " ".join(text.split())
    # A document of megabytes is not split for its first words.
    line = " ".join(text[: limit * 4].split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + _CUT_MARK


def well_formed(text: str) -> str:
    r"""Return text that UTF-8 can hold: UTF-16 pairs joined, U+FFFD for each half left alone.

    JSON may hold such halves (``\ud83d``); nothing can write, store or send them.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text
