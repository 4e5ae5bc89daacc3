"""However the bytes are cut, the same frames come out: those of a slow, obvious reading.

The reference reads the whole input as text with regular expressions, the way the WHATWG standard
words it, and has nothing in common with the decoders.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple, TypeAlias

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from darkai_cli.errors import TooLargeError
from darkai_cli.http.ndjson import NDJSONDecoder
from darkai_cli.http.sse import BLOCK_END, SSEDecoder, SSEFrame, SSELineDecoder

Decoder: TypeAlias = SSEDecoder | SSELineDecoder | NDJSONDecoder


class Result(NamedTuple):
    """What a decoder made of an input."""

    frames: list[SSEFrame]
    finished: list[SSEFrame]
    stray: str
    comments: int


class Reading:
    """The standard's way through the lines, with both ways to cut frames."""

    def __init__(self, line_by_line: bool) -> None:
        self.line_by_line = line_by_line
        self.frames: list[SSEFrame] = []
        self.stray: list[str] = []
        self.comments = 0
        self.event = self.id = ""
        self.data: list[str] = []
        self.retry: int | None = None

    def dispatch(self, data: str) -> None:
        self.frames.append(SSEFrame(self.event or "message", data, self.id, self.retry))
        self.retry = None

    def blank(self) -> None:
        if self.data and self.line_by_line:
            self.frames.append(BLOCK_END)
        elif self.data:
            self.dispatch("\n".join(self.data))
        self.event, self.data = "", []

    def line(self, line: str) -> None:
        if not line:
            self.blank()
            return
        field = re.fullmatch(r"(data|event|id|retry|)(?:: ?(.*))?", line, re.DOTALL)
        if field is None:
            self.stray.append(line)
            return
        name, value = field[1], field[2] or ""
        if not name:
            self.comments += 1
        elif name == "data":
            self.data.append(value)
            if self.line_by_line:
                self.dispatch(value)
        elif name == "event":
            self.event = value
        elif name == "id" and "\0" not in value:
            self.id = value
        elif name == "retry" and re.fullmatch(r"[0-9]{1,18}", value):
            self.retry = int(value)


def read_sse(data: bytes, *, line_by_line: bool) -> Result:
    """The reference for both SSE decoders."""
    reading = Reading(line_by_line)
    *lines, last = re.split(r"\r\n|\n|\r", data.decode("utf-8-sig", "replace"))
    for line in lines:
        reading.line(line)
    count = len(reading.frames)
    if not any(name.startswith(last) for name in ("data", "event", "id", "retry")):
        reading.line(last)
    if not line_by_line:
        reading.blank()
    frames = reading.frames
    return Result(frames[:count], frames[count:], "\n".join(reading.stray), reading.comments)


def read_ndjson(data: bytes) -> Result:
    """The reference for NDJSON."""
    *lines, last = data.decode("utf-8-sig", "replace").split("\n")
    stray: list[str] = []

    def frames(lines: list[str]) -> Iterator[SSEFrame]:
        for whole in lines:
            line = re.sub(r"\r\Z", "", whole)
            if re.match(r"[ \t\r]*\{[ \t\r]*[^ \t\r]", line):
                yield SSEFrame("message", line, "", None)
            elif re.search(r"[^ \t\r]", line):
                stray.append(line)

    given, finished = list(frames(lines)), list(frames([last]))
    return Result(given, finished, "\n".join(stray), 0)


class Case(NamedTuple):
    """A decoder and what it should do."""

    make: Callable[..., Decoder]
    reference: Callable[[bytes], Result]


CASES = {
    "sse": Case(SSEDecoder, lambda data: read_sse(data, line_by_line=False)),
    "sse-lines": Case(SSELineDecoder, lambda data: read_sse(data, line_by_line=True)),
    "ndjson": Case(NDJSONDecoder, read_ndjson),
}
framings = pytest.mark.parametrize("framing", CASES)

# Inputs: fields, halves of fields, other lines, every kind of line end and of non-end.

_bits = st.sampled_from(
    [
        b"data: ", b"data:", b"data", b"event: ", b"event:", b"event", b"id: ", b"id", b"retry: ",
        b"retry:", b":", b": ping", b"message", b"3000", b"[DONE]", b'{"a":1}', b"{", b"}", b"x", b"",
        b" ", b"\t", b"\0", b"<html>", b"error: ", b"da", b"\xef\xbb\xbf", b"\xef", b"\xbb", b"\xff",
        "\u2028".encode(), "\u2029".encode(), "\x85".encode(), b"\x85", b"\v", b"\f", "é€😀".encode(),
        b"\xe2\x82", b"\xf0\x9f\x98",
    ]
)  # fmt: skip
_ends = st.sampled_from([b"\n", b"\n", b"\n\n", b"\r\n", b"\r\n\r\n", b"\r", b"\r\r", b"\n\r", b""])
_values = st.one_of(_bits, st.binary(max_size=6))
_lines = st.one_of(
    st.tuples(
        st.sampled_from(
            [b"data: ", b"data:", b"event: ", b"event:", b"id:", b"retry: ", b"{", b""]
        ),
        st.lists(_values, max_size=3).map(b"".join),
    ).map(b"".join),
    _values,
)
_streams = st.tuples(
    st.sampled_from([b"", b"", b"\xef\xbb\xbf", b"\xef\xbb"]),
    st.lists(st.tuples(_lines, _ends).map(b"".join), max_size=12).map(b"".join),
).map(b"".join)


@st.composite
def cut_streams(draw: st.DrawFn) -> tuple[bytes, list[bytes]]:
    """A stream, and the same in pieces, some of them empty."""
    stream = draw(_streams)
    cuts = sorted(draw(st.lists(st.integers(0, len(stream)), max_size=12)))
    return stream, [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]


def run(decoder: Decoder, pieces: list[bytes]) -> Result:
    frames = [frame for piece in pieces for frame in decoder.feed(piece)]
    return Result(frames, decoder.finish(), decoder.stray, decoder.comments)


@framings
@given(cut_streams())
@example((b"data: 1\r\n\r\n", [b"data: 1\r", b"\n\r", b"\n"]))
@example((b"\xef\xbb\xbf", [b"\xef", b"", b"\xbb\xbf"]))
def test_any_cut_gives_what_the_reference_reads(
    framing: str, case: tuple[bytes, list[bytes]]
) -> None:
    make, reference = CASES[framing]
    stream, pieces = case
    expected = reference(stream)
    assert run(make(), [stream]) == expected
    assert run(make(), pieces) == expected


@framings
@given(_streams)
@example(b"data: 1\r\rdata: 2\r\n\r\n")
def test_byte_by_byte_nothing_comes_late(framing: str, stream: bytes) -> None:
    """After each byte the frames are out that its prefix completes, and no other."""
    make, reference = CASES[framing]
    decoder = make()
    frames: list[SSEFrame] = []
    for at in range(len(stream)):
        frames += decoder.feed(stream[at : at + 1])
        assert frames == reference(stream[: at + 1]).frames
    assert Result(frames, decoder.finish(), decoder.stray, decoder.comments) == reference(stream)


@framings
@given(st.binary(max_size=300))
def test_any_bytes_at_all(framing: str, stream: bytes) -> None:
    make, reference = CASES[framing]
    assert run(make(), [stream]) == reference(stream)


@framings
@given(
    st.lists(
        st.text(st.characters(codec="utf-8", exclude_characters="\r\n")).map('{{"a":"{}"}}'.format)
    ),
    st.sampled_from(["\n", "\r\n"]),
    st.integers(1, 40),
)
def test_what_is_sent_arrives(framing: str, texts: list[str], end: str, size: int) -> None:
    prefix, suffix = ("", end) if framing == "ndjson" else ("data: ", end * 2)
    stream = "".join(prefix + text + suffix for text in texts).encode()
    pieces = [stream[at : at + size] for at in range(0, len(stream), size)]
    result = run(CASES[framing].make(), pieces)
    assert [frame.data for frame in result.frames if frame.event] == texts
    assert result.finished == []
    assert result.stray == ""


def until_fault(decoder: Decoder, pieces: list[bytes]) -> tuple[list[SSEFrame], str]:
    """The frames, and the words of the fault that ended them."""
    frames: list[SSEFrame] = []
    try:
        for piece in pieces:
            frames += decoder.feed(piece)
        frames += decoder.finish()
    except TooLargeError as fault:
        return frames, fault.message
    return frames, ""


@framings
@given(cut_streams(), st.integers(3, 20))
def test_a_bound_breaks_at_the_same_frame_for_any_cut(
    framing: str, case: tuple[bytes, list[bytes]], limit: int
) -> None:
    make, reference = CASES[framing]
    stream, pieces = case
    whole = until_fault(make(limit), [stream])
    assert until_fault(make(limit), pieces) == whole
    assert until_fault(make(limit), [stream[at : at + 1] for at in range(len(stream))]) == whole
    frames, fault = whole
    expected = reference(stream)
    everything = expected.frames + expected.finished
    assert frames == everything[: len(frames)]
    lines = re.split(rb"\n" if framing == "ndjson" else rb"\r\n|\n|\r", _without_bom(stream))
    if "line" in fault:
        assert any(len(line) > limit for line in lines)
    elif "event" in fault:
        assert framing == "sse"
    else:
        assert frames == everything
        assert all(len(line) <= limit for line in lines)


def _without_bom(stream: bytes) -> bytes:
    return stream.removeprefix(b"\xef\xbb\xbf")
