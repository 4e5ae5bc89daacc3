"""The answer as plain text: byte for byte in pipes and files, filtered on terminals.

Each piece is written and flushed as it comes. One newline is added at the end if there is none, so
that a prompt or the next line of a file starts on a line of its own.
"""

from __future__ import annotations

from typing import BinaryIO, TextIO

from darkai_cli.events import Event
from darkai_cli.sinks.base import unwritable
from darkai_cli.sinks.sanitize import Sanitizer


class RawSink:
    """The text exactly as received, as UTF-8 bytes."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self._last = "\n"

    def feed(self, event: Event) -> None:
        """Write a piece of the answer; ignore everything else."""
        if event.type == "text-chunk":
            text = event.text
            try:
                self._out.write(text.encode())
                self._out.flush()
            except OSError as exc:
                raise unwritable(exc) from exc
            self._last = text

    def close(self, error: BaseException | None = None) -> None:  # noqa: ARG002 -- the end is the same
        """End the last line."""
        if self._last[-1] != "\n":
            self._out.write(b"\n")
            self._out.flush()


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
            try:
                self._out.write(text)
                self._out.flush()
            except OSError as exc:
                raise unwritable(exc) from exc
            self._last = text


class WholeSink:
    """Another sink, fed only when the reply is over (``--no-stream``)."""

    def __init__(self, inner: RawSink | PlainSink) -> None:
        self._inner = inner
        self._parts: list[str] = []

    def feed(self, event: Event) -> None:
        """Keep a piece of the answer."""
        if event.type == "text-chunk":
            self._parts.append(event.text)

    def close(self, error: BaseException | None = None) -> None:
        """Write everything at once."""
        from darkai_cli.events import TextChunk

        if self._parts:
            self._inner.feed(TextChunk("".join(self._parts)))
        self._inner.close(error)
