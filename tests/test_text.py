"""Times, sizes and counts in words; text on one line; text that UTF-8 can hold."""

from __future__ import annotations

from darkai_cli.text import ago, duration, file_size, one_line, plural, well_formed

DAY = 86_400


def test_how_long_ago():
    for seconds, words in [
        (-5, "just now"), (59, "just now"), (60, "1 min ago"), (3599, "59 min ago"),
        (3600, "1 h ago"), (2 * DAY - 1, "47 h ago"), (2 * DAY, "2 days ago"),
        (13.9 * DAY, "13 days ago"), (14 * DAY, "2 weeks ago"), (366 * DAY, "1 year ago"),
        (900 * DAY, "2 years ago"),
    ]:  # fmt: skip
        assert ago(seconds) == words


def test_lengths_of_time():
    for seconds, words in [
        (0, "0 s"), (0.18, "180 ms"), (0.9996, "1 s"), (1.44, "1.4 s"), (9.5, "9.5 s"),
        (42.9, "42 s"), (119, "119 s"), (125, "2 min"), (7200, "2 h"), (7500, "2 h 5 min"),
        (47.99 * 3600, "47 h 59 min"), (999_999, "11 days"),
    ]:  # fmt: skip
        assert duration(seconds) == words


def test_sizes_in_bytes():
    for size, words in [
        (0, "0 bytes"), (1, "1 byte"), (1000, "1,000 bytes"), (1024, "1 KiB"), (34_000, "33 KiB"),
        (1536 << 10, "1.5 MiB"), (16 << 20, "16 MiB"), (5 * 10**9, "4.7 GiB"),
    ]:  # fmt: skip
        assert file_size(size) == words


def test_counts():
    assert [plural(number, "turn") for number in (0, 1, 1200)] == [
        "0 turns",
        "1 turn",
        "1,200 turns",
    ]


def test_a_text_on_one_line():
    assert one_line(" a\n\n b\t c ") == "a b c"
    assert one_line("word " * 9, 9) == "word wor…"
    assert one_line("word words", 6) == "word…"
    assert one_line("short", 5) == "short"


def test_halves_of_utf16_pairs():
    assert well_formed("a\ud83d\ude00b") == "a\U0001f600b"
    assert well_formed("\ud83d \ude00 é") == "\ufffd \ufffd é"
    for text in ("plain", "é\U0001f600", ""):
        assert well_formed(text) is text
