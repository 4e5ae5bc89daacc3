"""The answer as plain text: byte for byte in pipes and files, filtered on terminals.

Each piece is written and flushed as it comes. If the text does not end with a newline, one is
added, so that a prompt or the next line of a file starts on a line of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import BinaryIO, TextIO

from darkai_cli.events import Event, TextChunk
from darkai_cli.output.sanitize import Sanitizer
from darkai_cli.output.sink import Sink, write_error


def text_writer(out: BinaryIO) -> Callable[[str], None]:
    """Return a function that writes text as UTF-8 and flushes. It raises ``InputError``."""

    def write(text: str) -> None:
        try:
            out.write(text.encode())
            out.flush()
        except OSError as exc:
            raise write_error(exc) from exc

    return write


def write_text(out: TextIO, text: str) -> None:
    """Write text and flush; a character that the terminal cannot show becomes ``?``."""
    try:
        out.write(text)
    except UnicodeEncodeError:
        encoding = out.encoding or "ascii"
        out.write(text.encode(encoding, "replace").decode(encoding))
    out.flush()


class RawSink:
    """Writes the text exactly as received, as UTF-8 bytes."""

    def __init__(self, out: BinaryIO) -> None:
        self._write = text_writer(out)
        self._last = "\n"

    def feed(self, event: Event) -> None:
        """Write a piece of the answer; ignore everything else."""
        if event.type == "text-chunk":
            # Stored before the write, in which Ctrl-C may end this function.
            self._last = event.text
            self._write(event.text)

    def close(self, error: BaseException | None = None) -> None:  # noqa: ARG002 -- of every sink
        """End the last line."""
        if self._last[-1] != "\n":
            self._write("\n")


class PlainSink:
    """Writes the text to a terminal without rendering; hostile characters are made visible."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._sanitizer = Sanitizer()
        self._last = "\n"

    def feed(self, event: Event) -> None:
        """Write a piece of the answer; ignore everything else."""
        if event.type == "text-chunk":
            self._write(self._sanitizer.feed(event.text))

    def close(self, error: BaseException | None = None) -> None:  # noqa: ARG002 -- of every sink
        """Write what the filter has held back, and end the last line."""
        self._write(self._sanitizer.finish())
        if self._last[-1] != "\n":
            self._write("\n")

    def _write(self, text: str) -> None:
        if text:
            self._last = text
            try:
                write_text(self._out, text)
            except OSError as exc:
                raise write_error(exc) from exc


class BufferedSink:
    """Hands the text to another sink in one piece when the reply is over (``--no-stream``)."""

    def __init__(self, inner: Sink) -> None:
        self._inner = inner
        self._parts: list[str] = []

    def feed(self, event: Event) -> None:
        """Store a piece of the answer; pass everything else on."""
        if event.type == "text-chunk":
            self._parts.append(event.text)
            return
        if event.type == "stream-end":
            self._flush()
        self._inner.feed(event)

    def close(self, error: BaseException | None = None) -> None:
        """Pass on the text that came, whatever ended the reply."""
        self._flush()
        self._inner.close(error)

    def _flush(self) -> None:
        if self._parts:
            text = "".join(self._parts)
            self._parts.clear()
            self._inner.feed(TextChunk(text))
