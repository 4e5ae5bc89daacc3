"""The line splitter: where a line ends, and what is held while it has not."""

from __future__ import annotations

import tracemalloc

import pytest

from darkai_cli.http.lines import LineSplitter

SSE = True
NDJSON = False


def split(*pieces: bytes, cr: bool = SSE, limit: int = 1000) -> tuple[list[bytes], bytes]:
    splitter = LineSplitter(limit, cr=cr)
    lines = [line for piece in pieces for line in splitter.feed(piece)]
    return lines, splitter.finish()


@pytest.mark.parametrize(
    ("pieces", "lines", "rest"),
    [
        ((b"a\nb\n",), [b"a", b"b"], b""),
        ((b"a\r\nb\rc\n",), [b"a", b"b", b"c"], b""),
        ((b"a\r", b"\nb\n"), [b"a", b"b"], b""),
        ((b"a\r", b"b\r", b"\r"), [b"a", b"b", b""], b""),
        ((b"a\n\r\n\r\r\n",), [b"a", b"", b"", b""], b""),
        ((b"a", b"b", b"", b"c"), [], b"abc"),
        ((b"a", b"b\nc", b"d\n", b"e"), [b"ab", b"cd"], b"e"),
        ((b"",), [], b""),
    ],
)
def test_line_ends_of_sse(pieces: tuple[bytes, ...], lines: list[bytes], rest: bytes) -> None:
    assert split(*pieces) == (lines, rest)


def test_without_cr_only_lf_ends_a_line() -> None:
    assert split(b"a\rb\r", b"\nc\n", cr=NDJSON) == ([b"a\rb\r", b"c"], b"")


@pytest.mark.parametrize("other", ["\u2028", "\u2029", "\x85", "\v", "\f", "\x1c", "\x1e"])
def test_nothing_else_ends_a_line(other: str) -> None:
    line = f"a{other}b".encode()
    assert split(line + b"\n") == ([line], b"")


@pytest.mark.parametrize(
    ("pieces", "lines", "rest"),
    [
        ((b"\xef\xbb\xbfa\n",), [b"a"], b""),
        ((b"\xef", b"\xbb", b"\xbf", b"a\n"), [b"a"], b""),
        ((b"\xef\xbb", b"\xbf\xef\xbb\xbfa\n"), [b"\xef\xbb\xbfa"], b""),  # only one is dropped
        ((b"\xef", b"\xbb"), [], b"\xef\xbb"),
        ((b"\xef\xbb", b"a\n"), [b"\xef\xbba"], b""),
        ((b"\n\xef\xbb\xbf\n",), [b"", b"\xef\xbb\xbf"], b""),  # not at the start: it stays
    ],
)
@pytest.mark.parametrize("cr", [SSE, NDJSON])
def test_one_leading_bom_is_dropped(
    pieces: tuple[bytes, ...], lines: list[bytes], rest: bytes, cr: bool
) -> None:
    assert split(*pieces, cr=cr) == (lines, rest)


def test_a_bom_does_not_count_for_the_bound() -> None:
    assert split(b"\xef\xbb\xbfabc\n", limit=3) == ([b"abc"], b"")


@pytest.mark.parametrize(
    "pieces",
    [
        (b"ok\n12345\nlater\n",),
        (b"ok\n12345",),
        (b"ok\n", b"12345", b"\n"),
        (b"ok\n123", b"45\nlater\n"),
        (b"ok\n1", b"2", b"3", b"4", b"5"),
    ],
)
def test_a_line_over_the_bound_is_a_fault_after_the_lines_before_it(
    pieces: tuple[bytes, ...],
) -> None:
    splitter = LineSplitter(4, cr=True)
    lines = [line for piece in pieces for line in splitter.feed(piece)]
    assert lines == [b"ok"]
    assert splitter.fault is not None
    assert splitter.fault.message == "sent a line longer than 4 bytes"
    assert splitter.feed(b"more\n") == []
    assert splitter.finish() == b""


def test_lines_at_the_bound_are_none() -> None:
    splitter = LineSplitter(4, cr=True)
    assert splitter.feed(b"1234\n1234\r\n12") == [b"1234", b"1234"]
    assert splitter.feed(b"34") == []
    assert splitter.feed(b"\n1234") == [b"1234"]
    assert splitter.fault is None


def test_a_line_in_tiny_pieces_costs_about_its_own_size() -> None:
    splitter = LineSplitter(cr=True)
    splitter.feed(b"x")
    pieces = [b"ab"] * 100_000
    tracemalloc.start()
    try:
        for piece in pieces:
            splitter.feed(piece[:1] + piece[1:])  # objects of their own, as from a socket
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 800_000
    assert len(splitter.finish()) == 200_001


def test_an_endless_line_is_not_kept_once_it_is_too_long() -> None:
    splitter = LineSplitter(100_000, cr=True)
    piece = b"x" * 1000
    tracemalloc.start()
    try:
        for _ in range(5000):
            splitter.feed(piece)
        now, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert splitter.fault is not None
    assert peak < 400_000
    assert now < 50_000
