"""The parts of the input that know nothing of a terminal, with any text and any bytes."""

from __future__ import annotations

import itertools
import json
import os
import stat
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prompt_toolkit.document import Document
from prompt_toolkit.key_binding import KeyPress
from prompt_toolkit.keys import Keys

from darkai_cli.repl import input_history
from darkai_cli.repl.input_history import InputHistory
from darkai_cli.repl.lexer import InputLexer
from darkai_cli.repl.paste_detection import join_bursts
from darkai_cli.repl.pastes import MAX_LINES, Pastes
from darkai_cli.repl.title import TitleBar
from darkai_cli.repl.toolbar import StatusLine, columns
from darkai_cli.repl.typeahead import text_of

# --- type-ahead -----------------------------------------------------------------------------------


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


# --- bursts ---------------------------------------------------------------------------------------


def pressed(text: str) -> list[KeyPress]:
    special = {"\r": Keys.ControlM, "\n": Keys.ControlJ, "\t": Keys.ControlI, "\x1b": Keys.Escape,
               "\x03": Keys.ControlC}  # fmt: skip
    return [KeyPress(special.get(char, char), char) for char in text]


def told(keys: list[KeyPress]) -> list[str]:
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
    assert told(join_bursts(pressed(text))) == keys


def test_the_terminals_own_answer_is_no_part_of_a_burst():
    keys = [*pressed("a\r"), KeyPress(Keys.CPRResponse, "\x1b[1;1R"), *pressed("b")]
    assert told(join_bursts(keys)) == ["\x1b[1;1R", "paste a\nb"]


@given(st.text(alphabet="ab\r\n\t\x1b\x03", max_size=30))
def test_a_burst_never_sends_a_line_that_has_more_behind_it(text):
    found = join_bursts(pressed(text))
    for key, after in itertools.pairwise(found):
        if key.key == Keys.ControlM:
            assert isinstance(after.key, Keys)


# --- pastes ---------------------------------------------------------------------------------------


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
    shown = between.join(pastes.shorten(text) for text in texts)
    if "[pasted" not in between:
        assert pastes.expand(shown) == between.join(texts)


def test_a_token_that_was_changed_is_what_it_shows():
    pastes = Pastes()
    assert pastes.expand(pastes.shorten("line\n" * 240).replace("240", "24")) == "[pasted 24 lines]"


# --- input history --------------------------------------------------------------------------------


def loaded(file: Path) -> list[str]:
    """The entries that another session reads, the newest first."""
    return list(InputHistory(file).load_history_strings())


def test_entries_are_private_and_shared_between_sessions(tmp_path):
    file = tmp_path / "folder" / "lines"
    first, second = InputHistory(file), InputHistory(file)
    first.append_string("first")
    second.append_string("second\nline")
    first.append_string("first")
    assert loaded(file) == ["first", "second\nline"]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_token_is_stored_as_the_text_it_stands_for(tmp_path):
    lines = InputHistory(tmp_path / "lines", str.upper)
    lines.append_string("token")
    assert lines.get_strings() == ["TOKEN"]
    assert loaded(tmp_path / "lines") == ["TOKEN"]


@given(st.binary(max_size=200), st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_a_damaged_file_costs_only_its_own_entries(data, entry):
    with TemporaryDirectory() as folder:
        file = Path(folder, "lines")
        file.write_bytes(data)
        list(InputHistory(file).load_history_strings())
        InputHistory(file).append_string(entry)
        assert loaded(file)[0] == entry


def test_the_file_is_trimmed_to_its_newest_lines_at_the_start(tmp_path, monkeypatch):
    file = tmp_path / "lines"
    lines = InputHistory(file)
    for number in range(50):
        lines.append_string(f"entry {number}\nof two lines")
    monkeypatch.setattr(input_history, "MAX_LINES", 41)
    assert loaded(file) == [f"entry {number}\nof two lines" for number in range(49, 39, -1)]
    assert len(file.read_bytes().splitlines()) <= 41
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_entries_of_the_old_format_are_converted_once(tmp_path):
    file = tmp_path / "lines"
    rows = ["first", "second\nline", "\ud800"]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows) + '"torn')
    assert loaded(file) == ["second\nline", "first"]
    InputHistory(file).append_string('"third"')
    assert loaded(file) == ['"third"', "second\nline", "first"]
    assert file.read_bytes().count(b"\n+first\n") == 1


def test_only_a_regular_file_is_read_or_written(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    for name in ("pipe", "link", "."):
        lines = InputHistory(tmp_path / name)
        assert list(lines.load_history_strings()) == []
        lines.append_string("x")
        assert lines.get_strings() == ["x"]
    assert not (tmp_path / "elsewhere").exists()


# --- colours --------------------------------------------------------------------------------------


@given(st.text(alphabet="`~ab /!\n[]pasted 12lines", max_size=80))
def test_colours_change_no_text(text):
    lines = text.split("\n")
    styled = InputLexer().lex_document(Document(text))
    assert ["".join(part for _, part in styled(n)) for n in range(len(lines))] == lines
    assert styled(len(lines)) == []


def test_code_between_fences_is_styled_while_it_is_typed():
    styled = InputLexer().lex_document(Document("see\n```py\nx = 1\n```\nend"))
    assert [styled(n)[0][0] for n in range(5)] == ["", "class:code", "class:code", "class:code", ""]


# --- the foot, the title --------------------------------------------------------------------------

PARTS = st.lists(st.tuples(st.integers(0, 4), st.text(min_size=1, max_size=30)), min_size=1)


@given(PARTS, st.integers(1, 400), st.sampled_from(["", "normal mode"]))
def test_the_foot_never_reaches_the_last_column(parts, width, mode):
    assert columns(StatusLine(tuple(parts)).render(width, mode)) <= max(1, width - 1)


def test_the_foot_leaves_out_what_matters_least():
    status = StatusLine(((0, "demo/demo"), (4, "a title"), (3, "~12 tokens"), (2, "branch 1/2")))
    assert status.render(80) == "demo/demo · a title · ~12 tokens · branch 1/2"
    assert status.render(40) == "demo/demo · ~12 tokens · branch 1/2"
    assert status.render(30) == "demo/demo · branch 1/2"
    assert status.render(12) == "demo/demo"
    assert status.render(6) == "demo/"


@given(st.text(max_size=100))
def test_no_title_can_leave_its_sequence(title):
    sent: list[str] = []
    bar = TitleBar(sent.append, {"TERM": "xterm"})
    bar.show(title)
    bar.restore()
    bar.restore()
    text = "".join(sent)
    assert text.startswith("\x1b[22;2t\x1b]2;darkai")
    assert text.endswith("\x07\x1b[23;2t")
    assert text.count("\x1b") == 3
    assert text.count("\x07") == 1
    assert len(text) < 120


@pytest.mark.parametrize("term", ["dumb", "linux", "", "vt100"])
def test_a_terminal_without_a_title_gets_none(term):
    sent: list[str] = []
    bar = TitleBar(sent.append, SimpleNamespace(get=lambda *_: term))
    bar.show("x")
    bar.restore()
    assert sent == []
