"""Undoes a content encoding that nobody asked for, in bounded pieces.

We ask for ``identity``, but proxies compress all the same. httpx's decoders return everything that
a piece of 64 KiB expands to at once, 64 MiB or more, and accept a truncated body. Here each step
returns at most 64 KiB, so that the reply's own limit stops a decompression bomb. A gzip body may be
several streams one after the other; it is complete only with its trailer.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator

_STEP = 64 * 1024
_GZIP = b"\x1f"
"""The first byte of a gzip stream. Anything else after the first one is ignored, as gzip does."""

_DECODED = ("gzip", "x-gzip", "deflate")
_NOT_DECODED = ("br", "zstd", "compress", "x-compress", "dcb", "dcz")


class Decompressor:
    """Decompresses gzip or deflate while it arrives."""

    @classmethod
    def of(cls, encoding: str) -> Decompressor | None:
        """Return the decompressor for a ``Content-Encoding`` header; None if the body is plain.

        Names that no compression has (``identity``, ``none``, ``utf-8``) mean plain, as they do for
        browsers. For one that is not decoded here, and for two on top of each other, the
        decompressor refuses the first byte.
        """
        names = [name.strip().lower() for name in encoding.split(",")]
        names = [name for name in names if name in _DECODED + _NOT_DECODED]
        return cls(", ".join(names)) if names else None

    def __init__(self, encoding: str) -> None:
        self._encoding = encoding
        self._inflate = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)  # gzip or zlib, by its header
        self._is_inside = False
        """Whether a stream has begun and not ended."""
        self._may_follow = encoding != "deflate"
        """Whether another stream may follow."""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield the plain bytes of ``data``. Raises ``zlib.error`` if that is impossible."""
        if self._encoding not in _DECODED:
            raise zlib.error(f"unknown encoding `{self._encoding[:40]}`")
        is_full = False
        while data or is_full:
            if self._inflate.eof:
                data = data.lstrip(b"\0")  # padding
                self._may_follow = self._may_follow and data[:1] in (b"", _GZIP)
                if not data or not self._may_follow:
                    return
                self._inflate = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
            self._is_inside = True
            try:
                plain = self._inflate.decompress(data, _STEP)
            except zlib.error:
                raise zlib.error(f"it isn't {self._encoding}") from None
            if plain:
                yield plain
            is_full = len(plain) == _STEP  # then more may come although all data were taken
            data = self._inflate.unconsumed_tail
            if self._inflate.eof:
                self._is_inside = is_full = False
                data = self._inflate.unused_data

    def close(self) -> None:
        """Note that the body is over. Raises ``EOFError`` if its stream is not."""
        if self._is_inside:
            raise EOFError(f"the {self._encoding} data is incomplete")
