"""Server-sent events: the standard's examples, the services' samples, and the bounds."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from types import FrameType

import pytest

from darkai_cli.errors import TooLargeError
from darkai_cli.http.sse import BLOCK_END, SSEDecoder, SSEFrame, SSELineDecoder


def frame(data: str, event: str = "message", id: str = "", retry: int | None = None) -> SSEFrame:  # noqa: A002
    return SSEFrame(event, data, id, retry)


def fed(*pieces: bytes) -> list[SSEFrame]:
    decoder = SSEDecoder()
    return [given for piece in pieces for given in decoder.feed(piece)]


def line_fed(*pieces: bytes) -> list[SSEFrame]:
    decoder = SSELineDecoder()
    return [given for piece in pieces for given in decoder.feed(piece)]


# The examples of the standard, 9.2.6.


def test_standard_several_data_lines_are_one_text() -> None:
    assert fed(b"data: YHOO\ndata: +2\ndata: 10\n\n") == [frame("YHOO\n+2\n10")]


def test_standard_comment_id_and_spaces() -> None:
    stream = b": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n"
    assert fed(stream) == [frame("first event", id="1"), frame("second event")]


def test_standard_empty_data() -> None:
    assert fed(b"data\n\ndata\ndata\n\ndata:") == [frame(""), frame("\n")]


def test_standard_the_space_is_optional() -> None:
    assert fed(b"data:test\n\ndata: test\n\n") == [frame("test"), frame("test")]


def test_a_block_without_data_gives_nothing_and_resets_the_name() -> None:
    assert fed(b"event: a\n\ndata: 1\n\n") == [frame("1")]
    assert line_fed(b"event: a\n\ndata: 1\n\n") == [frame("1"), BLOCK_END]


def test_names_and_data_keep_all_spaces_but_one() -> None:
    assert fed(b"event:  a \ndata:  x \n\nevent:b\ndata: \n\n") == [
        frame(" x ", " a "),
        frame("", "b"),
    ]


def test_id_persists_and_one_with_nul_is_ignored() -> None:
    stream = b"id: 7\ndata: a\n\ndata: b\n\nid: 8\0\ndata: c\n\nid:\ndata: d\n\n"
    assert [given.id for given in fed(stream)] == ["7", "7", "7", ""]


@pytest.mark.parametrize(
    ("value", "retry"),
    [
        ("3000", 3000),
        ("007", 7),
        ("9" * 18, int("9" * 18)),
        ("9" * 19, None),
        ("1" * 5000, None),  # Python would refuse to read it
        ("", None),
        ("-1", None),
        ("+1", None),
        ("1.5", None),
        ("1_0", None),
        (" 1", None),
        ("1 ", None),
        ("٣", None),
        ("²", None),
    ],
)
def test_retry_counts_only_as_ascii_digits(value: str, retry: int | None) -> None:
    block = f"retry: {value}\ndata: a\n".encode()
    assert fed(block + b"\n") == [frame("a", retry=retry)]
    assert line_fed(block) == [frame("a", retry=retry)]


def test_retry_is_told_once_with_the_next_frame() -> None:
    stream = b"retry: 5\n\ndata: a\n\ndata: b\n\n"
    assert fed(stream) == [frame("a", retry=5), frame("b")]
    assert line_fed(stream) == [frame("a", retry=5), BLOCK_END, frame("b"), BLOCK_END]


def test_invalid_utf8_is_replaced_within_its_value() -> None:
    stream = b"event: \xff\nid: \xe2\x82\ndata: \xf0\x9f\ndata: \x98\x80\n\ndata: ok\n\n"
    assert fed(stream) == [
        SSEFrame("\ufffd", "\ufffd\n\ufffd\ufffd", "\ufffd", None),
        frame("ok", id="\ufffd"),
    ]


@pytest.mark.parametrize("make", [SSEDecoder, SSELineDecoder])
def test_comments_are_counted_and_are_no_stray(make: type[SSEDecoder | SSELineDecoder]) -> None:
    decoder = make()
    decoder.feed(b": OPENROUTER PROCESSING\n\n:\n: ping - 2026\r\n: half")
    assert decoder.comments == 3
    assert decoder.finish() == []
    assert decoder.comments == 4
    assert decoder.stray == ""


@pytest.mark.parametrize(
    "line",
    [
        "<html>",
        "Just a moment...",
        '{"error":{"message":"no"}}',
        'error: {"code":400,"message":"no"}',
        "DATA: x",
        " data: x",
        "datas: x",
        "\tevent",
        "dat",
        "}",
    ],
)
@pytest.mark.parametrize("make", [SSEDecoder, SSELineDecoder])
def test_a_line_that_is_no_field_is_stray(
    make: type[SSEDecoder | SSELineDecoder], line: str
) -> None:
    decoder = make()
    assert decoder.feed(f"{line}\n\n".encode()) == []
    assert decoder.finish() == []
    assert decoder.stray == line


@pytest.mark.parametrize(
    "line", ["data", "event", "id", "retry", "retry: soon", "id: a\0b", "data: x", ": x", ""]
)
def test_a_field_is_no_stray_even_if_it_counts_for_nothing(line: str) -> None:
    decoder = SSEDecoder()
    decoder.feed(f"{line}\n\n".encode())
    assert decoder.stray == ""


def test_a_bare_json_body_is_found_whole() -> None:
    body = '{\r\n  "error": {\r\n    "code": 503,\r\n\r\n    "message": "é"\r\n  }\r\n}'
    decoder = SSEDecoder()
    assert decoder.feed(b'data: {"a":1}\r\n\r\n' + body.encode()) == [frame('{"a":1}')]
    assert decoder.finish() == []
    assert decoder.stray == body.replace("\r\n\r\n", "\r\n").replace("\r\n", "\n")


def test_stray_is_bounded() -> None:
    decoder = SSEDecoder()
    for _ in range(200):
        decoder.feed(b"<p>" + b"x" * 997 + b"\n")
    assert len(decoder.stray) == 64 * 1024


def test_finish_gives_half_an_event() -> None:
    decoder = SSEDecoder()
    assert decoder.feed(b'event: a\nid: 1\ndata: {"x":\ndata: 1') == []
    assert decoder.finish() == [SSEFrame("a", '{"x":\n1', "1", None)]
    assert decoder.finish() == []


@pytest.mark.parametrize("ending", [b"", b"\n", b"\r", b"\r\n"])
def test_finish_gives_what_lacks_its_blank_line(ending: bytes) -> None:
    decoder = SSEDecoder()
    assert decoder.feed(b"data: [DONE]" + ending) == []
    assert decoder.finish() == [frame("[DONE]")]


def test_finish_gives_nothing_after_a_blank_line() -> None:
    decoder = SSEDecoder()
    decoder.feed(b"data: 1\n\nevent: a\n: x\n")
    assert decoder.finish() == []


@pytest.mark.parametrize("cut", [b"d", b"dat", b"data", b"e", b"event", b"ret", b"i", b"id"])
@pytest.mark.parametrize("make", [SSEDecoder, SSELineDecoder])
def test_half_a_field_name_at_the_end_says_nothing(
    make: type[SSEDecoder | SSELineDecoder], cut: bytes
) -> None:
    decoder = make()
    decoder.feed(b"data: 1\n\n" + cut)
    assert decoder.finish() == []
    assert decoder.stray == ""


def test_finish_keeps_a_last_stray_line() -> None:
    decoder = SSEDecoder()
    decoder.feed(b'{"error":"no"}')
    assert decoder.stray == ""
    assert decoder.finish() == []
    assert decoder.stray == '{"error":"no"}'


# The bounds.


@pytest.mark.parametrize("make", [SSEDecoder, SSELineDecoder])
def test_the_bound_is_4_mib(make: type[SSEDecoder | SSELineDecoder]) -> None:
    decoder = make()
    piece = b"x" * 65536
    decoder.feed(b"data: ")
    for _ in range(63):
        decoder.feed(piece)
    decoder.feed(b"y" * (65536 - 6))
    with pytest.raises(TooLargeError, match=r"^sent a line longer than 4 MiB$"):
        decoder.feed(b"z")


@pytest.mark.parametrize("make", [SSEDecoder, SSELineDecoder])
def test_frames_come_before_the_fault_that_follows_them(
    make: type[SSEDecoder | SSELineDecoder],
) -> None:
    decoder = make(16)
    assert decoder.feed(b"data: 1\n\n" + b"x" * 17 + b"\ndata: 2\n\n")[0] == frame("1")
    for _ in range(2):  # it stays broken
        with pytest.raises(TooLargeError):
            decoder.feed(b"data: 3\n\n")
    with pytest.raises(TooLargeError):
        decoder.finish()


def test_an_event_at_the_bound_and_one_over_it() -> None:
    decoder = SSEDecoder(16)
    assert decoder.feed(b"data: 01234567\ndata: 9abcdef\n\n") == [frame("01234567\n9abcdef")]
    with pytest.raises(TooLargeError, match=r"^sent an event larger than 16 bytes$"):
        decoder.feed(b"data: 01234567\ndata: 9abcdefg\n")
    with pytest.raises(TooLargeError, match="event"):
        decoder.finish()


def test_nothing_comes_after_an_event_over_the_bound() -> None:
    decoder = SSEDecoder(16)
    stream = b"data: 1\n\ndata: 01234567\ndata: 9abcdefg\ndata: 2\n\ndata: 3\n\n"
    assert decoder.feed(stream) == [frame("1")]
    with pytest.raises(TooLargeError, match="event"):
        decoder.feed(b"data: 4\n\n")


@pytest.fixture
def _no_hang() -> Iterator[None]:
    """Ends a test that computes for 20 seconds: what takes half of one if the time is linear."""

    def stop(signum: int, at: FrameType | None) -> None:
        raise AssertionError("this would take minutes")

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, 20)
    yield
    signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    signal.signal(signal.SIGVTALRM, before)


@pytest.mark.usefixtures("_no_hang")
def test_an_event_of_a_million_lines_takes_linear_time() -> None:
    decoder = SSEDecoder()
    lines = b"data\n" * 10_000
    for _ in range(100):
        assert not decoder.feed(lines)
    assert decoder.feed(b"\n") == [frame("\n" * 999_999)]


@pytest.mark.usefixtures("_no_hang")
@pytest.mark.parametrize("make", [SSEDecoder, SSELineDecoder])
def test_a_long_line_in_small_pieces_takes_linear_time(
    make: type[SSEDecoder | SSELineDecoder],
) -> None:
    decoder = make()
    decoder.feed(b"data: ")
    piece = b"x" * 16
    for _ in range(250_000):
        decoder.feed(piece)
    assert decoder.feed(b"\n\n")[0] == frame("x" * 4_000_000)


# The DarkAI dialect.


def test_each_data_line_is_a_frame_at_its_newline() -> None:
    decoder = SSELineDecoder()
    assert decoder.feed(b'data: {"a":1}') == []
    assert decoder.feed(b"\n") == [frame('{"a":1}')]
    assert decoder.feed(b"data: 2\r") == [frame("2")]
    assert decoder.feed(b"\ndata:3\n") == [frame("3")]
    assert decoder.feed(b"\r") == [BLOCK_END]
    assert decoder.feed(b"\n\n\n") == []


def test_the_name_stands_before_the_line_in_its_block() -> None:
    stream = b"data: 1\nevent: error\ndata: 2\ndata: 3\n\ndata: 4\n\n"
    assert line_fed(stream) == [
        frame("1"),
        frame("2", "error"),
        frame("3", "error"),
        BLOCK_END,
        frame("4"),
        BLOCK_END,
    ]


def test_a_block_without_data_has_no_end() -> None:
    assert line_fed(b"\n\n: ping\n\nid: 1\n\nevent: a\n\n<p>\n\n") == []


def test_the_line_decoder_finishes_the_last_line() -> None:
    decoder = SSELineDecoder()
    assert decoder.feed(b'event: a\ndata: {"x":1}') == []
    assert decoder.finish() == [frame('{"x":1}', "a")]
    assert decoder.finish() == []


def test_the_line_decoder_has_no_bound_on_a_block() -> None:
    assert len(SSELineDecoder(16).feed(b"data: 0123456789\n" * 100)) == 100
