"""Server-sent events: bytes in, frames out, no I/O.

``SSEDecoder`` reads the stream as the WHATWG HTML standard has it (9.2.6, "Interpreting an event
stream"); ``SSELineDecoder`` reads the DarkAI dialect of it, where each ``data`` line is a message
of its own. Neither looks into the data.

Strategy: strict core, soft edge. ``feed()`` follows the standard to the letter and returns a frame
as soon as its blank line is complete. ``finish()`` returns what the standard would discard at the
end, because gateways lose the last blank line. A line that is no field is kept in ``stray``: it may
belong to a web page or a bare JSON error in place of the stream. The loops over the lines handle
the usual ones, ``data: ...``, ``event: ...`` and the blank one, on the spot.

Too large a line or event raises ``TooLargeError``. If the same bytes completed frames, these are
returned first, and the next call raises.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import NamedTuple

from darkai_cli.errors import TooLargeError
from darkai_cli.http.lines import MAX_EVENT, LineSplitter
from darkai_cli.text import file_size

_FIELDS = (b"data", b"event", b"id", b"retry")

_MAX_STRAY = 64 * 1024
"""How much is kept, in bytes, of what is not part of the protocol."""

_MAX_DIGITS = 18
"""A longer ``retry`` is not a sensible time, and Python refuses to read 5000 digits."""


class SSEFrame(NamedTuple):
    """One event of the stream.

    ``event``: its name, "message" if it has none. ``id``: the last one seen. ``retry``: the
    reconnection time in milliseconds, where one came since the frame before.
    """

    event: str
    data: str
    id: str
    retry: int | None


BLOCK_END = SSEFrame("", "", "", None)
"""Returned by ``SSELineDecoder`` for the blank line after one or more ``data`` lines."""


class FrameDecoder(ABC):
    """The base of all decoders: bytes go in line by line, and frames come out.

    ``comments`` counts the comment lines, which are signs of life. Lines end with LF; with ``cr``
    also with CR or CRLF.
    """

    def __init__(self, max_event: int = MAX_EVENT, *, cr: bool = True) -> None:
        self.comments = 0
        self._max_event = max_event
        self._lines = LineSplitter(max_event, cr=cr)
        self._stray = bytearray()

    @property
    def stray(self) -> str:
        """The lines that are not part of the protocol, joined with LF: the first 64 KiB."""
        return self._stray.decode("utf-8", "replace")

    def feed(self, data: bytes) -> list[SSEFrame]:
        """Return the frames that ``data`` completes. Raises ``TooLargeError``."""
        return self._checked(self._read(self._lines.feed(data)))

    def finish(self) -> list[SSEFrame]:
        """Return the frame that the end of the stream cut short, if there is one."""
        line = self._last_line()
        return self._checked(self._read([line]) if line else [])

    @abstractmethod
    def _read(self, lines: list[bytes]) -> list[SSEFrame]:
        """Return the frames that ``lines`` complete."""

    def _last_line(self) -> bytes:
        """Return the line that the end cut off, or b""."""
        return self._lines.finish()

    def _checked(self, frames: list[SSEFrame]) -> list[SSEFrame]:
        """Return ``frames``; raise ``TooLargeError`` if there are none and a bound is broken."""
        if self._lines.fault is not None and not frames:
            raise self._lines.fault
        return frames

    def _add_stray(self, line: bytes) -> None:
        """Keep a line that is not part of the protocol, as far as there is room."""
        if self._stray:
            line = b"\n" + line
        self._stray += line[: _MAX_STRAY - len(self._stray)]


class _FieldDecoder(FrameDecoder):
    """The state of both SSE decoders between two lines, and how they read the less usual ones."""

    def __init__(self, max_event: int = MAX_EVENT) -> None:
        super().__init__(max_event)
        self._event = "message"
        self._id = ""
        self._retry: int | None = None

    def _field(self, line: bytes) -> bytes | None:
        """Take in one line; return the value if it is a ``data`` field."""
        name, _, value = line.partition(b":")
        if value[:1] == b" ":
            value = value[1:]
        if name == b"data":
            return value
        if name == b"event":
            self._event = value.decode("utf-8", "replace") or "message"
        elif name == b"id":
            if b"\0" not in value:
                self._id = value.decode("utf-8", "replace")
        elif name == b"retry":
            if value.isdigit() and len(value) <= _MAX_DIGITS:  # bytes: only ASCII digits
                self._retry = int(value)
        elif not name:
            self.comments += 1
        else:
            self._add_stray(line)
        return None

    def _last_line(self) -> bytes:
        """Return the line that the end cut off; b"" if only half a field name is left."""
        line = super()._last_line()
        return b"" if any(name.startswith(line) for name in _FIELDS) else line


class SSEDecoder(_FieldDecoder):
    """Decodes frames as the standard has them: one for each block that has data."""

    def __init__(self, max_event: int = MAX_EVENT) -> None:
        super().__init__(max_event)
        self._data: bytes | bytearray | None = None

    def finish(self) -> list[SSEFrame]:
        """Return the frame that the end of the stream cut short, if there is one."""
        if self._lines.fault is None:
            return self._checked(self._read([self._last_line(), b""]))
        return self._checked([])

    def _read(self, lines: list[bytes]) -> list[SSEFrame]:
        frames: list[SSEFrame] = []
        data = self._data
        value: bytes | None
        for line in lines:
            if not line:
                if data is not None:
                    text = data.decode("utf-8", "replace")
                    frames.append(SSEFrame(self._event, text, self._id, self._retry))
                    self._retry = data = None
                self._event = "message"
                continue
            if line[:6] == b"data: ":
                value = line[6:]
            elif line[:7] == b"event: ":
                self._event = line[7:].decode("utf-8", "replace") or "message"
                continue
            else:
                value = self._field(line)
                if value is None:
                    continue
            if data is None:
                data = value
            else:
                data = self._join(data, value)
                if data is None:
                    break
        self._data = data
        return frames

    def _join(self, data: bytes | bytearray, value: bytes) -> bytearray | None:
        """Return both with an LF between them, or None if that is too large.

        The bytes are joined first and decoded when all are there: UTF-8 that is cut at the end of a
        value becomes U+FFFD before an LF as well as alone.
        """
        if len(data) + 1 + len(value) > self._max_event:
            self._lines.fault = TooLargeError(
                f"sent an event larger than {file_size(self._max_event)}"
            )
            return None
        if not isinstance(data, bytearray):
            data = bytearray(data)
        data += b"\n"
        data += value
        return data


class SSELineDecoder(_FieldDecoder):
    """Decodes line by line: each ``data`` line is a frame, and the end of a block is one.

    The event's name is the one before the line in its block.
    """

    def __init__(self, max_event: int = MAX_EVENT) -> None:
        super().__init__(max_event)
        self._has_frame = False  # whether the block has given a frame

    def _read(self, lines: list[bytes]) -> list[SSEFrame]:
        frames: list[SSEFrame] = []
        value: bytes | None
        for line in lines:
            if not line:
                if self._has_frame:
                    frames.append(BLOCK_END)
                    self._has_frame = False
                self._event = "message"
                continue
            value = line[6:] if line[:6] == b"data: " else self._field(line)
            if value is not None:
                text = value.decode("utf-8", "replace")
                frames.append(SSEFrame(self._event, text, self._id, self._retry))
                self._retry = None
                self._has_frame = True
        return frames
