"""Pastes: bursts of keys that are one, and long ones that the input shows as a token."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prompt_toolkit.key_binding import KeyPress
from prompt_toolkit.keys import Keys

from darkai_cli.repl.commands.command import Send
from darkai_cli.repl.main import _run_command
from darkai_cli.repl.paste_detection import join_bursts
from darkai_cli.repl.pastes import MAX_LINES, Pastes, as_input


def pressed(text: str) -> list[KeyPress]:
    special = {"\r": Keys.ControlM, "\n": Keys.ControlJ, "\t": Keys.ControlI, "\x1b": Keys.Escape,
               "\x03": Keys.ControlC}  # fmt: skip
    return [KeyPress(special.get(char, char), char) for char in text]


def data_of(keys: list[KeyPress]) -> list[str]:
    return [f"paste {key.data}" if key.key == Keys.BracketedPaste else key.data for key in keys]


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("a\r", ["a", "\r"]),
        ("ab\r\r", ["a", "b", "\r", "\r"]),
        ("a\rb", ["paste a\nb"]),
        ("a\rb\r", ["paste a\nb"]),
        ("a\tb\r\rc", ["paste a\tb\n\nc"]),
        ("a\rb\x03", ["paste a\nb", "\x03"]),
        ("a\r\x03b", ["a", "\r", "\x03", "b"]),
        ("a\x1b\rb", ["a", "\n", "b"]),
    ],
)
def test_a_line_end_with_text_behind_it_is_no_enter(text, keys):
    assert data_of(join_bursts(pressed(text))) == keys


def test_the_terminals_own_answer_is_no_part_of_a_burst():
    keys = [*pressed("a\r"), KeyPress(Keys.CPRResponse, "\x1b[1;1R"), *pressed("b")]
    assert data_of(join_bursts(keys)) == ["\x1b[1;1R", "paste a\nb"]


@given(st.text(alphabet="ab\r\n\t\x1b\x03", max_size=30))
def test_a_burst_never_sends_a_line_that_has_more_behind_it(text):
    keys = join_bursts(pressed(text))
    for key, after in itertools.pairwise(keys):
        if key.key == Keys.ControlM:
            assert isinstance(after.key, Keys)


def test_a_paste_stands_for_itself_until_it_is_long():
    pastes = Pastes()
    short = "\n".join(["line"] * MAX_LINES)
    assert pastes.shorten(short) == short
    assert pastes.shorten("line\n" * 240) == "[pasted 240 lines]"
    assert pastes.shorten("other\n" * 240) == "[pasted 240 lines, 2]"
    assert pastes.shorten("line\n" * 240) == "[pasted 240 lines]"
    assert pastes.shorten("x" * 5000) == "[pasted 5000 characters]"


@given(
    st.lists(st.text(max_size=40).map(lambda text: text * 200), max_size=4),
    st.text(max_size=20),
)
def test_what_is_sent_is_what_was_pasted(texts, between):
    pastes = Pastes()
    shortened = between.join(pastes.shorten(text) for text in texts)
    if "[pasted" not in between:
        assert pastes.expand(shortened) == between.join(texts)


def test_a_token_that_was_changed_is_what_it_shows():
    pastes = Pastes()
    assert pastes.expand(pastes.shorten("line\n" * 240).replace("240", "24")) == "[pasted 24 lines]"


@given(
    st.sampled_from(["", " ", "\n\t"]), st.sampled_from(["", "/", "!", "//", "!!", "/quit"]), st.text()
)  # fmt: skip
def test_what_is_offered_is_sent_as_it_was(space, sign, rest):
    text = space + sign + rest
    if text.strip():
        assert _run_command(None, as_input(text)) == Send(text)


@pytest.mark.parametrize("start", ["!touch x", "/quit smoking", "  !ls"])
def test_a_token_at_the_beginning_is_no_command(start):
    pastes = Pastes()
    text = start + "\nrow" * (MAX_LINES + 1)
    token = pastes.shorten(text)
    assert _run_command(None, pastes.expand(token)) == Send(text)
    assert pastes.expand(f"see {token}") == f"see {text}"
