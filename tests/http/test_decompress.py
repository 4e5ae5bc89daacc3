"""Compressed bodies: in pieces of any size, in several streams, cut, and in unknown encodings."""

from __future__ import annotations

import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkai_cli.http import decompress
from darkai_cli.http.decompress import Decompressor


def decompressed(data: bytes, *, encoding: str = "gzip", size: int = 1 << 20) -> bytes:
    decompressor = Decompressor.of(encoding)
    assert decompressor is not None
    plain = b"".join(
        piece
        for at in range(0, len(data), size)
        for piece in decompressor.feed(data[at : at + size])
    )
    decompressor.close()
    return plain


@given(st.lists(st.binary(max_size=200), max_size=4), st.integers(1, 40), st.booleans())
def test_a_body_of_several_streams(parts: list[bytes], size: int, padded: bool) -> None:
    body = (b"\0\0" if padded else b"").join(gzip.compress(part) for part in parts)
    assert decompressed(body, size=size) == b"".join(parts)


def test_every_step_is_bounded_and_nothing_is_left_inside() -> None:
    plain = b"a" * (decompress._STEP * 5 + 3)
    decompressor = Decompressor("gzip")
    pieces = list(decompressor.feed(gzip.compress(plain)))
    decompressor.close()
    assert max(map(len, pieces)) <= decompress._STEP
    assert b"".join(pieces) == plain


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
@pytest.mark.parametrize("missing", [1, 4, 7])
def test_a_stream_without_its_trailer_was_cut(encoding: str, missing: int) -> None:
    body = (gzip.compress if encoding == "gzip" else zlib.compress)(b"all of it")
    assert decompressed(body, encoding=encoding) == b"all of it"
    with pytest.raises(EOFError, match=f"the {encoding} data is incomplete"):
        decompressed(body[:-missing], encoding=encoding)
    with pytest.raises(EOFError, match="is incomplete"):
        decompressed(gzip.compress(b"x") + gzip.compress(b"y")[:-missing])


@pytest.mark.parametrize("rest", [b"\0\0\0", b"rubbish", b"\0rubbish\x1f"])
def test_what_follows_the_streams_is_ignored(rest: bytes) -> None:
    for size in (1, 1000):
        assert decompressed(gzip.compress(b"x") + rest, size=size) == b"x"
        assert decompressed(zlib.compress(b"x") + rest, encoding="deflate", size=size) == b"x"


def test_an_empty_body_is_not_cut() -> None:
    assert decompressed(b"") == b""


@pytest.mark.parametrize("encoding", ["", "identity", "none", "utf-8", "UTF-8", "identity, utf-8"])
def test_names_that_mean_no_compression(encoding: str) -> None:
    assert Decompressor.of(encoding) is None


@pytest.mark.parametrize(
    "encoding", ["br", "zstd", "compress", "gzip, gzip", "gzip, br", "X-Compress"]
)
def test_what_cannot_be_decompressed_is_refused_at_the_first_byte(encoding: str) -> None:
    with pytest.raises(zlib.error, match=f"unknown encoding `{encoding.lower()}`"):
        decompressed(gzip.compress(b"x"), encoding=encoding)


@pytest.mark.parametrize("encoding", ["GZIP", "x-gzip", "identity, gzip"])
def test_other_ways_to_write_gzip(encoding: str) -> None:
    assert decompressed(gzip.compress(b"x"), encoding=encoding) == b"x"
