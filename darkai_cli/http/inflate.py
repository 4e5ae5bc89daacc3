"""Undoing a content encoding that nobody asked for, in bounded pieces.

We ask for ``identity``, but proxies compress all the same. A decompressor that is given a bomb must
not hold its output at once, so each step yields at most 64 KiB; the reply's own bound ends it.
A gzip body may be several streams one after the other, and counts as whole only with its trailer.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator

_STEP = 64 * 1024
_GZIP = b"\x1f"
"""What a gzip stream begins with. What else follows the first one is ignored, as gzip does."""


class Inflater:
    """gzip or deflate, streaming."""

    @classmethod
    def of(cls, encoding: str) -> Inflater | None:
        """The inflater for a ``Content-Encoding`` header; None if the body is plain.

        An encoding that is not known gives an inflater that refuses the first byte.
        """
        name = encoding.strip().lower()
        if name in ("", "identity"):
            return None
        return cls(name)

    def __init__(self, encoding: str) -> None:
        self._encoding = encoding
        self._known = encoding in ("gzip", "x-gzip", "deflate")
        self._machine = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)  # gzip or zlib, by its header
        self._within = False
        """Whether a stream has begun and not ended."""
        self._more = encoding != "deflate"
        """Whether another stream may follow."""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The plain bytes of ``data``. Raises ``ValueError`` where the header is wrong."""
        if not self._known:
            raise ValueError(f"the encoding `{self._encoding[:40]}` is not known")
        full = False
        while data or full:
            if self._machine.eof:
                data = self._next(data)
                if not data:
                    return
            self._within = True
            try:
                plain = self._machine.decompress(data, _STEP)
            except zlib.error:
                raise ValueError(f"it is not {self._encoding}") from None
            if plain:
                yield plain
            full = len(plain) == _STEP  # then there may be more although all data were taken
            data = self._machine.unconsumed_tail
            if self._machine.eof:
                self._within = full = False
                data = self._machine.unused_data

    def _next(self, data: bytes) -> bytes:
        """The stream that ``data`` begins after one has ended; nothing if it is only padding."""
        data = data.lstrip(b"\0")
        if not data or not self._more:
            return b""
        self._more = data[:1] == _GZIP
        if not self._more:
            return b""
        self._machine = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
        return data

    def close(self) -> None:
        """The body is over. Raises ``ValueError`` if that came before the end of its stream."""
        if self._within:
            raise ValueError(f"the {self._encoding} was cut")
