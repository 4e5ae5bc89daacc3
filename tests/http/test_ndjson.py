"""Newline-delimited JSON: a frame a line, and what is no line of it."""

from __future__ import annotations

import pytest

from darkai_cli.errors import TooLargeError
from darkai_cli.http.ndjson import NDJSONDecoder
from darkai_cli.http.sse import SSEFrame


def frame(data: str) -> SSEFrame:
    return SSEFrame("message", data, "", None)


def test_a_line_is_a_frame_at_its_newline() -> None:
    decoder = NDJSONDecoder()
    assert decoder.feed(b'{"a":') == []
    assert decoder.feed(b'1}\n{"b":2}\r\n{') == [frame('{"a":1}'), frame('{"b":2}')]
    assert decoder.feed(b'"c":3}\r') == []
    assert decoder.feed(b"\n") == [frame('{"c":3}')]
    assert decoder.comments == 0
    assert decoder.stray == ""


def test_blank_lines_are_skipped() -> None:
    decoder = NDJSONDecoder()
    assert decoder.feed(b'\n\r\n  \t\n{"a":1}\n\n') == [frame('{"a":1}')]
    assert decoder.finish() == []
    assert decoder.stray == ""


def test_white_space_may_stand_around_an_object() -> None:
    assert NDJSONDecoder().feed(b' \t{"a":1} \n') == [frame(' \t{"a":1} ')]


def test_invalid_utf8_is_replaced() -> None:
    assert NDJSONDecoder().feed(b'{"a":"\xe2\x82"}\n') == [frame('{"a":"\ufffd"}')]


def test_finish_gives_the_unfinished_line() -> None:
    decoder = NDJSONDecoder()
    assert decoder.feed(b'{"done":true}') == []
    assert decoder.finish() == [frame('{"done":true}')]
    assert decoder.finish() == []


@pytest.mark.parametrize(
    "body",
    [
        "<html>\n<title>502</title>\n</html>",
        "upstream error",
        '[{"a":1}]',
        '"text"\nnull\n0',
        'data: {"a":1}',
        '\v{"a":1}',  # white space, but not JSON's
        '{\n  "error": "no"\n}',  # one object over several lines: to be shown whole
    ],
)
def test_lines_that_cannot_be_an_object_are_stray(body: str) -> None:
    for end in ("", "\n", "\r\n"):
        decoder = NDJSONDecoder()
        assert decoder.feed((body.replace("\n", end or "\n") + end).encode()) == []
        assert decoder.finish() == []
        assert decoder.stray == body


@pytest.mark.parametrize("data", [b'{"a":"56789"}\n{"b":1}\n', b'{"a":"56789"'])
def test_a_line_over_the_bound(data: bytes) -> None:
    decoder = NDJSONDecoder(11)
    assert decoder.feed(b'{"a":"789"}\n') == [frame('{"a":"789"}')]
    assert decoder.feed(b'{"a":1}\n' + data) == [frame('{"a":1}')]
    for call in (lambda: decoder.feed(b'{"a":2}\n'), decoder.finish):
        with pytest.raises(TooLargeError, match=r"^sent a line longer than 11 bytes$"):
            call()
