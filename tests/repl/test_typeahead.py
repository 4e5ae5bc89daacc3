"""The text of keys that were typed during a reply."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkai_cli.repl.typeahead import text_of


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"hello", "hello"),
        (b"hello\n", "hello"),
        (b"a\nb\n\n", "a\nb"),
        (b"helo\x7flo", "hello"),
        (b"\x7fa", "a"),
        (b"one two\x17three", "one three"),
        (b"one\ntwo\x15three", "one\nthree"),
        (b"a\x1b[Db\x1bOPc\x1b[1;5Cd", "abcd"),
        (b"\x1b[200~a\rb\x1b[201~", "a\nb"),
        (b"a\x1b\rb", "a\nb"),
        (b"\x1b[24;1Ra", "a"),
        (b"\x1b]11;rgb:0/0/0\x07a", "a"),
        ("é\tü".encode(), "é\tü"),
        (b"\xff\xfea", "a"),
        (b"\x04\x1a\x00a", "a"),
    ],
)
def test_type_ahead_is_the_text_that_the_keys_stand_for(data, text):
    assert text_of(data) == text


@given(st.binary(max_size=300))
def test_type_ahead_of_any_bytes_is_text_that_can_be_shown(data):
    text = text_of(data)
    assert all(char in "\n\t" or char.isprintable() for char in text)
    assert not text.startswith("\n")
    assert not text.endswith("\n")


@given(st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1))
def test_type_ahead_of_plain_text_is_that_text(text):
    assert text_of(text.encode()) == text
