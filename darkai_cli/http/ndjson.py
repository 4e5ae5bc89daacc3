"""Newline-delimited JSON: bytes in, frames out, no I/O.

The same interface as ``wire.sse``. A line is a frame; whether it holds JSON is the dialect's
question. Lines end with LF only (a CR before it is dropped): every other line end is legal white
space in JSON or legal inside its strings.
"""

from __future__ import annotations

from darkai_cli.http.lines import MAX_EVENT, LineSplitter, Stray
from darkai_cli.http.sse import SSEFrame

_WHITE = b" \t\r"  # JSON's white space, less the LF
_new = tuple.__new__  # as in wire.sse


class NDJSONDecoder:
    """One frame a line; a line over ``max_event`` bytes raises, after the frames before it.

    Lines that cannot be an object (a web page, or JSON spread over lines) are no frames; they are
    found in ``stray``. ``comments`` is always 0: the format has none.
    """

    def __init__(self, max_event: int = MAX_EVENT) -> None:
        self.comments = 0
        self._lines = LineSplitter(max_event, cr=False)
        self._stray = Stray()

    @property
    def stray(self) -> str:
        """The lines that cannot be an object, joined with LF: the first 64 KiB."""
        return self._stray.text

    def feed(self, data: bytes) -> list[SSEFrame]:
        """The frames that ``data`` completes. Raises ``TooLargeError``."""
        return self._read(self._lines.feed(data))

    def finish(self) -> list[SSEFrame]:
        """The frame of a last line that no newline came for, if there is one."""
        return self._read([self._lines.finish()])

    def _read(self, lines: list[bytes]) -> list[SSEFrame]:
        frames = []
        for line in lines:
            bare = line.strip(_WHITE)
            if bare[:1] == b"{" and len(bare) > 1:
                text = line.removesuffix(b"\r").decode("utf-8", "replace")
                frames.append(_new(SSEFrame, ("message", text, "", None)))
            elif bare:
                self._stray.add(line.removesuffix(b"\r"))
        if self._lines.fault is not None and not frames:
            raise self._lines.fault
        return frames
