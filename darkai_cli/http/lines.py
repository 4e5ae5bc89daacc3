"""Splits bytes into lines, for the SSE and the NDJSON decoder. No I/O.

``bytes.split`` does the work, a chunk at a time. A line that is not complete yet grows in one
``bytearray``, so time and memory stay linear in the input, for an endless line in small pieces as
well as for a million short lines. ``splitlines`` would also split on VT, FF, U+0085, U+2028 and
U+2029, which are legal inside a line of JSON.
"""

from __future__ import annotations

from darkai_cli.errors import TooLargeError
from darkai_cli.text import file_size

MAX_EVENT = 4 * 1024 * 1024
"""The longest line and the largest event, in bytes."""

_BOM = b"\xef\xbb\xbf"


class LineSplitter:
    """Splits bytes in pieces of any size into complete lines, without their ends.

    A line ends with LF; with ``cr`` also with CR or CRLF, as in server-sent events. One BOM at the
    very start is dropped.

    ``fault`` is set when a line is longer than ``limit`` bytes. No more lines come then, but those
    before it have been returned. The caller raises it, after the frames made of them.
    """

    def __init__(self, limit: int = MAX_EVENT, *, cr: bool) -> None:
        self.fault: TooLargeError | None = None
        self._limit = limit
        self._cr = cr
        self._after_cr = False
        self._head: bytes | None = b""  # what may become a BOM; None once that is decided
        self._rest = bytearray()  # the line that has not ended yet

    def feed(self, data: bytes) -> list[bytes]:
        """Return the lines that ``data`` completes."""
        if self.fault is not None:
            return []
        if self._head is not None:
            data = self._strip_bom(data)
        if self._cr and (self._after_cr or b"\r" in data):
            data = self._only_lf(data)
        lines = data.split(b"\n")
        last = lines.pop()
        rest = self._rest
        if rest and lines:
            rest += lines[0]
            lines[0] = bytes(rest)
            rest.clear()
            if len(lines[0]) > self._limit:
                return self._bounded(lines)
        if last:
            rest += last
        # None of the lines is too long as long as all of them together are not.
        if len(data) > self._limit or len(rest) > self._limit:
            return self._bounded(lines)
        return lines

    def finish(self) -> bytes:
        """Return the line that no line end came for; empty if there is none."""
        rest = (self._head or b"") + self._rest
        self._head = None
        self._rest.clear()
        return rest

    def _strip_bom(self, data: bytes) -> bytes:
        data = (self._head or b"") + data
        if len(data) < len(_BOM) and _BOM.startswith(data):
            self._head = data
            return b""
        self._head = None
        return data.removeprefix(_BOM)

    def _only_lf(self, data: bytes) -> bytes:
        """Return ``data`` with each line end as one LF.

        A CR at the end counts at once; an LF that follows in the next piece is dropped.
        """
        if not data:
            return data
        if self._after_cr:
            data = data.removeprefix(b"\n")
        self._after_cr = data.endswith(b"\r")
        return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")

    def _bounded(self, lines: list[bytes]) -> list[bytes]:
        """Return the lines before the first one that is too long."""
        limit = self._limit
        too_long = next((at for at, line in enumerate(lines) if len(line) > limit), None)
        if too_long is not None or len(self._rest) > limit:
            self.fault = TooLargeError(f"sent a line longer than {file_size(limit)}")
            self._rest.clear()
        return lines[:too_long]
