"""The answer as plain text: byte for byte in pipes and files, filtered on terminals.

Each piece is written and flushed as it comes. One newline is added at the end if there is none, so
that a prompt or the next line of a file starts on a line of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import BinaryIO, TextIO

from darkai_cli.events import Event, TextChunk
from darkai_cli.output.sanitize import Sanitizer
from darkai_cli.output.sink import Sink, write_error


def writer(out: BinaryIO) -> Callable[[str], None]:
    """A function that writes text as UTF-8 and flushes. It raises ``InputError`` if it cannot."""

    def write(text: str) -> None:
        try:
            out.write(text.encode())
            out.flush()
        except OSError as exc:
            raise write_error(exc) from exc

    return write


def put(out: TextIO, text: str) -> None:
    """Write text and flush; on a terminal that cannot show a character, a ``?`` in its place."""
    try:
        out.write(text)
    except UnicodeEncodeError:
        encoding = out.encoding or "ascii"
        out.write(text.encode(encoding, "replace").decode(encoding))
    out.flush()


class RawSink:
    """The text exactly as received, as UTF-8 bytes."""

    def __init__(self, out: BinaryIO) -> None:
        self._write = writer(out)
        self._last = "\n"

    def feed(self, event: Event) -> None:
        """Write a piece of the answer; ignore everything else."""
        if event.type == "text-chunk":
            self._last = event.text  # before the write: Ctrl-C may come in between
            self._write(event.text)

    def close(self, error: BaseException | None = None) -> None:  # noqa: ARG002 -- the end is the same
        """End the last line."""
        if self._last[-1] != "\n":
            self._write("\n")


class PlainSink:
    """The text for a terminal, without any rendering: hostile characters are made visible."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._sanitizer = Sanitizer()
        self._last = "\n"

    def feed(self, event: Event) -> None:
        """Write a piece of the answer; ignore everything else."""
        if event.type == "text-chunk":
            self._write(self._sanitizer.feed(event.text))

    def close(self, error: BaseException | None = None) -> None:  # noqa: ARG002 -- the end is the same
        """Write what was held back, and end the last line."""
        self._write(self._sanitizer.finish())
        if self._last[-1] != "\n":
            self._write("\n")

    def _write(self, text: str) -> None:
        if text:
            self._last = text
            try:
                put(self._out, text)
            except OSError as exc:
                raise write_error(exc) from exc


class WholeSink:
    """Another sink, which gets the text only when the reply is over (``--no-stream``)."""

    def __init__(self, inner: Sink) -> None:
        self._inner = inner
        self._parts: list[str] = []

    def feed(self, event: Event) -> None:
        """Keep a piece of the answer; pass on everything else."""
        if event.type == "text-chunk":
            self._parts.append(event.text)
        elif event.type == "stream-end":
            self._pass_on()
            self._inner.feed(event)
        else:
            self._inner.feed(event)

    def close(self, error: BaseException | None = None) -> None:
        """Write what came, however it ended."""
        self._pass_on()
        self._inner.close(error)

    def _pass_on(self) -> None:
        if self._parts:
            text = "".join(self._parts)
            self._parts.clear()
            self._inner.feed(TextChunk(text))
