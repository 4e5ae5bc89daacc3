"""Undoing a content encoding that nobody asked for, in bounded pieces.

We ask for ``identity``, but proxies compress all the same. A decompressor that is given a bomb must
not hold its output at once, so each step yields at most 64 KiB; the reply's own bound ends it.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator

_STEP = 64 * 1024


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

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The plain bytes of ``data``. Raises ``ValueError`` where the header is wrong."""
        if not self._known:
            raise ValueError(f"the encoding `{self._encoding[:40]}` is not known")
        while data:
            try:
                plain = self._machine.decompress(data, _STEP)
            except zlib.error:
                raise ValueError(f"it is not {self._encoding}") from None
            if plain:
                yield plain
            data = self._machine.unconsumed_tail
            if self._machine.eof:
                return
