"""The sanitizer's laws: cutting is invisible, twice is once, nothing is lost, clusters are bounded."""

from __future__ import annotations

import re
import unicodedata
from itertools import pairwise

from hypothesis import example, given, settings
from hypothesis import strategies as st
from support.attacks import GOOD, PAYLOADS

from darkai_cli.output.sanitize import MAX_MARKS, Sanitizer, sanitize, sanitize_line

# Letters, and everything that is judged by its neighbours, so that they meet often.
UNITS = [
    *"ab1# \t\n\r\x1b\x9b\x7f⟨⟩é中👩❤🏴☠ما०कกក",
    *"\xad\u034f\u061c\u180b\u180e\u1820\u200b\u200c\u200d\u2028\u202e\ufe00\ufe0e\ufe0f\ufeff",
    *"\u0301\u064b\u094d\u0e34\u1100\u1161\u11a8\u20e3\ud800\udc00\U000e0001\U000e0067\U000e007f",
    *"\U000e0080\U000e0100\U000e01ef\U0001e8d0\U00011013\U00011038\U0001f3fb\U0001d173\u0600",
    *("\u0301" * 29, "\u094d\u200d" * 14, "\U000e0067" * 3, "\u1161" * 15, "👩\u200d" * 5, "\r\n"),
]
hostile = st.lists(st.sampled_from(UNITS), max_size=40).map("".join)
mixed = st.one_of(
    hostile,
    st.text(st.characters(exclude_categories=[])),
    st.sampled_from([text for _, text in PAYLOADS]),
    st.tuples(hostile, st.sampled_from(list(GOOD.values())), hostile).map("".join),
)


def cut(text: str, places: list[int]) -> list[str]:
    marks = sorted({0, len(text), *(place % (len(text) + 1) for place in places)})
    return [text[start:end] for start, end in pairwise(marks)]


@settings(max_examples=400)
@given(mixed, st.lists(st.integers(0, 10_000), max_size=12))
@example("👩\u200d👩", [1, 2])
@example("\u0915" + "\u094d" * 40, [20, 35])
def test_cutting_is_invisible_and_twice_is_once(text: str, places: list[int]) -> None:
    sanitizer = Sanitizer()
    fed = [sanitizer.feed(piece) for piece in cut(text, places)]
    output = sanitize(text)
    assert "".join([*fed, sanitizer.finish()]) == output
    assert "".join([*map(sanitizer.feed, text), sanitizer.finish()]) == output
    assert sanitize(output) == output


@settings(max_examples=300)
@given(mixed)
def test_only_what_may_be_shown(text: str) -> None:
    for char in sanitize(text):
        category = unicodedata.category(char)
        assert category not in {"Cs", "Zl", "Zp"}
        assert category != "Cc" or char in "\n\t"
        assert unicodedata.bidirectional(char) not in {
            *("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"),
        }


@settings(max_examples=300)
@given(mixed)
def test_nothing_is_lost(text: str) -> None:
    """Characters that have a shape pass, in order."""
    wanted = [
        char
        for char in text.replace("\r\n", "\n")
        if unicodedata.category(char)[0] in "LNPSZ"
        and char not in "\u115f\u1160\u3164\uffa0\u2028\u2029"
        and not unicodedata.combining(char)
        and not "\u1160" <= char <= "\u11ff"
        and not "\U0001f3fb" <= char <= "\U0001f3ff"
        and not "\ud7b0" <= char <= "\ud7ff"
    ]
    output = iter(sanitize(text))
    assert all(char in output for char in wanted)


@settings(max_examples=200)
@given(hostile)
def test_clusters_are_bounded(text: str) -> None:
    size = 0
    for char in sanitize(text):
        is_extender = unicodedata.category(char) in {"Mn", "Mc", "Me"} or char in "\u200c\u200d"
        size = size + 1 if is_extender else 0
        assert size <= MAX_MARKS


@settings(max_examples=200)
@given(mixed, st.integers(0, 60))
def test_a_line_is_a_line(text: str, limit: int) -> None:
    line = sanitize_line(text, limit)
    assert len(line) <= limit + 1
    assert sanitize(line) == line
    assert not re.search(r"[\n\t\r]", line)


@given(mixed, mixed)
def test_a_stream_ends_where_it_ends(first: str, second: str) -> None:
    """After ``finish`` nothing of the first text reaches the second."""
    sanitizer = Sanitizer()
    sanitizer.feed(first)
    sanitizer.finish()
    assert sanitizer.feed(second) + sanitizer.finish() == sanitize(second)
