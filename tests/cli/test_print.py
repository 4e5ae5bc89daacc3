"""Fields of tab-separated lines."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from darkai_cli.cli.print import field


def test_fields():
    for value, written in [
        (None, ""),
        (12, "12"),
        ("a\tb\nc\rd\\e", "a\\tb\\nc\\rd\\\\e"),
        ("\x1b[31m\x07\x9b", "\\x1b[31m\\x07\\x9b"),
        ("\u202eback \u2028", "\\u202eback \\u2028"),
        ("\udcff", "\\udcff"),
        ("naïve 👩\u200d💻 日本", "naïve 👩\u200d💻 日本"),
    ]:
        assert field(value) == written


@given(st.text())
def test_a_field_is_one_can_act_on_nothing_and_can_be_had_back(text: str):
    written = field(text)
    assert not re.search("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", written)
    assert len(written.splitlines()) <= 1
    written.encode()
    names = {"t": "\t", "n": "\n", "r": "\r", "\\": "\\"}
    back = re.sub(
        r"\\(?:x(..)|u(....)|(.))",
        lambda m: names[m[3]] if m[3] else chr(int(m[1] or m[2], 16)),
        written,
    )
    assert back == text
