"""Newline-delimited JSON: bytes in, frames out, no I/O.

The interface is that of ``sse``. A line is a frame; its dialect reads the JSON. Lines end with LF
only (a CR before it is dropped): every other line end is legal white space in JSON, or legal inside
its strings.
"""

from __future__ import annotations

from darkai_cli.http.lines import MAX_EVENT, LineSplitter, Stray
from darkai_cli.http.sse import SSEFrame

_WHITE = b" \t\r"  # JSON's white space, less the LF


class NDJSONDecoder:
    """Decodes one frame from each line; one over ``max_event`` bytes raises after those before it.

    Lines that cannot be a JSON object (a web page, or JSON spread over lines) are in ``stray``.
    ``comments`` is always 0: the format has none.
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
        """Return the frames that ``data`` completes. Raises ``TooLargeError``."""
        return self._read(self._lines.feed(data))

    def finish(self) -> list[SSEFrame]:
        """Return the frame of a last line that no newline came for, if there is one."""
        return self._read([self._lines.finish()])

    def _read(self, lines: list[bytes]) -> list[SSEFrame]:
        frames = []
        for line in lines:
            bare = line.strip(_WHITE)
            if bare[:1] == b"{" and len(bare) > 1:
                text = line.removesuffix(b"\r").decode("utf-8", "replace")
                frames.append(SSEFrame("message", text, "", None))
            elif bare:
                self._stray.add(line.removesuffix(b"\r"))
        if self._lines.fault is not None and not frames:
            raise self._lines.fault
        return frames
