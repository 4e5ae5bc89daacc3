"""Rows that fit: tables, cuts, bars, the list and the other pages of ``darkai history``."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from darkai_cli.cli import tables
from darkai_cli.cli.history import arguments, show, transfer
from darkai_cli.cli.history.list import list_rows, snippet_rows
from darkai_cli.cli.history.stats import stats_rows
from darkai_cli.cli.print import local_time
from darkai_cli.cli.tables import Cell, Column
from darkai_cli.errors import StoreError, UsageError
from darkai_cli.history.stats import DayStats, ModelStats, Stats
from darkai_cli.history.store import Conversation
from darkai_cli.history.tree import Node, TreeRow
from darkai_cli.output.sanitize import sanitize_line

SAFE = st.text(max_size=60).map(sanitize_line)
WIDTHS = st.integers(20, 220)
NOW = 1_800_000_000_000
WIDE = "日本語のとても長いタイトルがここに入ります"
FAMILY = "👩‍👩‍👧"


def plain(_style: str, text: str) -> str:
    return text


def tagged(style: str, text: str) -> str:
    return f"<{style}>{text}</>" if style else text


# --- cutting and folding --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "width", "screen"),
    [
        ("short", 5, "short"),
        ("a little longer", 8, "a littl…"),
        ("a little longer", 3, "a…"),  # no blank before the mark
        ("word", 1, "…"),
        ("word", 0, ""),
        ("日本語", 6, "日本語"),
        ("日本語", 5, "日本…"),
        ("日本語", 4, "日…"),
        ("e\u0301e\u0301e\u0301", 2, "e\u0301…"),
        (f"a{FAMILY}b", 3, "a…"),
    ],
)
def test_cut(text: str, width: int, screen: str):
    assert tables.cut(text, width) == screen


@settings(max_examples=150)
@given(SAFE, st.integers(0, 70))
def test_a_cut_text_fits_and_begins_as_the_text(text: str, width: int):
    screen = tables.cut(text, width)
    assert cell_len(screen) <= width
    if screen != text:
        assert text.startswith(screen.removesuffix("…"))
        stored = len(screen.removesuffix("…"))
        assert not stored or not unicodedata.combining(text[stored]) or text[stored - 1] == " "


@settings(max_examples=100)
@given(SAFE, st.integers(2, 40))
def test_folding_and_wrapping_lose_nothing(text: str, width: int):
    assert "".join(tables.folded(text, width)) == text
    rows = tables.wrapped(text, width)
    assert "".join(rows).replace(" ", "") == text.replace(" ", "")
    assert all(cell_len(row) <= width for row in rows)


def test_wrapping_breaks_at_blanks():
    assert tables.wrapped("  one two three", 9) == ["  one two", "three"]
    assert tables.wrapped("abcdefghij", 4) == ["abcd", "efgh", "ij"]


# --- tables ---------------------------------------------------------------------------------------

COLUMNS = (Column("ID"), Column("TITLE", least=6), Column("N", right=True, drop=1))
ROWS = [
    [Cell("a1"), Cell("a rather long title"), Cell("7")],
    [Cell("b22"), Cell(WIDE), Cell("1,000")],
]


def test_a_table_with_room_is_not_wider_than_its_text():
    assert tables.table(COLUMNS, ROWS[:1], 200, plain) == [
        "ID  TITLE                N",
        "a1  a rather long title  7",
    ]


def test_a_table_cuts_before_it_drops():
    assert tables.table(COLUMNS, ROWS, 20, plain) == [
        "ID   TITLE         N",
        "a1   a rathe…      7",
        "b22  日本語…   1,000",
    ]
    assert tables.table(COLUMNS, ROWS, 12, plain) == ["ID   TITLE", "a1   a rath…", "b22  日本語…"]


def test_styles_do_not_count_as_width():
    rows = [[Cell("a", "id"), Cell("b", "dim")], [Cell("aaa"), Cell("b")]]
    columns = (Column("X"), Column("Y"))
    assert tables.table(columns, rows, 80, tagged) == [
        "<dim>X</>    <dim>Y</>",
        "<id>a</>    <dim>b</>",
        "aaa  b",
    ]


@settings(max_examples=100)
@given(st.lists(st.tuples(SAFE, SAFE, SAFE), min_size=1, max_size=4), WIDTHS)
def test_a_table_of_elastic_columns_fits(texts: list[tuple[str, str, str]], width: int):
    columns = (Column("A", least=4), Column("B", least=4), Column("C", least=4, drop=1))
    rows = [[Cell(text) for text in row] for row in texts]
    screen = tables.table(columns, rows, width, plain)
    assert len(screen) == len(rows) + 1
    assert all(cell_len(row) <= width for row in screen)


# --- small plots and numbers ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "screen"),
    [(0, ""), (16, "████"), (8, "██"), (9, "██▎"), (0.001, "▏"), (15.9, "████")],
)
def test_bar(value: float, screen: str):
    assert tables.bar(value, 16, 4) == screen


def test_sparkline():
    assert tables.sparkline([0, 1, 4, 8]) == " ▁▄█"
    assert tables.sparkline([0, 0]) == "  "
    assert tables.sparkline([]) == ""


@given(st.lists(st.integers(0, 9), min_size=1, max_size=300), st.integers(1, 80))
def test_grouping_keeps_the_sum_and_fits(values: list[int], width: int):
    sums, size = tables.grouped(values, width)
    assert sum(sums) == sum(values)
    assert len(sums) <= width
    assert sums[-1] == sum(values[-size:])


def test_times_as_people_type_them(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(arguments.time, "time", lambda: 1_000_000.0)
    assert arguments.time_ms("2d", "--since") == (1_000_000 - 2 * 86_400) * 1000
    assert arguments.time_ms(" 90M ", "--since") == (1_000_000 - 90 * 60) * 1000
    assert arguments.time_ms("999y", "--since") == 0
    day = arguments.time_ms("2026-01-31", "--since") / 1000
    assert local_time(int(day * 1000)) == "2026-01-31 00:00"


@pytest.mark.parametrize("entered", ["", "2", "d", "-2d", "2x", "yesterday", "2026-02-31", "٢d"])
def test_what_is_no_time(entered: str):
    with pytest.raises(UsageError, match="is not a valid time") as message:
        arguments.time_ms(entered, "--since")
    assert message.value.hint


# --- the pages ------------------------------------------------------------------------------------


def conversation(**values: object) -> Conversation:
    made = Conversation(
        "01kaaaaaaaaaaaaaaaaaaaaaaa", "01kaaaa", "tell me a joke", NOW, NOW - 180_000, "darkai",
        None, 2, "darkai", "llama-3-70b", "complete",
    )  # fmt: skip
    return made._replace(**values)


def test_the_list_is_a_table():
    assert list_rows([conversation()], 80, NOW, plain) == [
        "ID       TITLE           MODEL        TURNS  STATE           AGE",
        "01kaaaa  tell me a joke  llama-3-70b      2  complete  3 min ago",
    ]


def test_on_a_narrow_terminal_a_conversation_takes_two_lines():
    assert list_rows([conversation(state="interrupted")], 47, NOW, plain) == [
        "tell me a joke",
        "01kaaaa  interrupted  3 min ago  2 turns  llam…",
    ]


def test_of_a_model_there_is_enough_to_know_it_or_nothing():
    rows = list_rows([conversation(state="interrupted")], 44, NOW, plain)
    assert rows[1] == "01kaaaa  interrupted  3 min ago  2 turns"


@pytest.mark.parametrize("width", range(60, 81))
def test_the_widest_row_fits(width: int):
    item = conversation(short="0000000000kf", title="t" * 90, model="m" * 90, state="interrupted")
    rows = list_rows([item], width, NOW, plain)
    assert all(cell_len(row) <= width for row in rows), rows


@settings(max_examples=60)
@given(st.text(max_size=100), st.text(max_size=60), WIDTHS)
def test_the_list_fits_whatever_it_holds(title: str, model: str, width: int):
    finding = [
        conversation(title=title, model=model),
        conversation(model=None, state=None, turns=0),
    ]
    rows = list_rows(finding, width, NOW, plain)
    assert all(cell_len(row) <= width for row in rows), rows
    assert not any(re.search(r"[\x00-\x1f\x7f-\x9f\u202e]", row) for row in rows)


def test_a_snippet_is_broken_between_words_and_its_matches_are_painted():
    snippet = (("one two ", False), ("three", True), (", four\nfive", False))
    assert snippet_rows(snippet, 80, tagged) == ["    one two <match>three</>, four five"]
    assert snippet_rows(snippet, 18, plain) == [
        "    one two three,",
        "    four five",
    ]
    assert snippet_rows(snippet, 17, plain) == [
        "    one two",
        "    three, four",
        "    five",
    ]
    call = (("def ", False), ("split", True), ("(page)", False))
    assert snippet_rows(call, 16, plain) == ["    def", "    split(page)"]
    assert snippet_rows(call, 12, plain) == ["    def", "    split", "    (page)"]


@settings(max_examples=60)
@given(st.lists(st.tuples(st.text(max_size=60), st.booleans()), max_size=5), WIDTHS)
def test_a_snippet_fits_and_loses_no_letter(snippet: list[tuple[str, bool]], width: int):
    rows = snippet_rows(tuple(snippet), width, plain)
    assert all(cell_len(row) <= width for row in rows)
    whole = "".join(sanitize_line(re.sub("[\n\t]", " ", text)) for text, _ in snippet)
    assert "".join(rows).replace(" ", "") == whole.replace(" ", "")


def test_a_source_that_is_too_long_has_its_address_in_one_piece():
    url = "https://example.org/a/long/address"
    assert show.source_rows("A page", url, 80) == [f"- A page <{url}>"]
    assert show.source_rows("A page with a title", url, 16) == [
        "- A page with a", "title", f"  <{url}>",
    ]  # fmt: skip
    assert show.source_rows("", url, 16) == [f"- <{url}>"]


def node(text: str, role: str = "user") -> Node:
    return Node("01kaaaaaaaaaaaaaaaaaaaaaab", None, role, text, "", "[]", NOW, None)


@settings(max_examples=60)
@given(st.text(max_size=100), st.integers(0, 60), st.booleans(), WIDTHS)
def test_a_row_of_the_tree_fits(text: str, depth: int, active: bool, width: int):
    line = TreeRow("│  " * depth, node(text), active)
    row = show.tree_row(line, {}, width, plain)
    assert cell_len(row) <= width
    assert row.startswith("* ") is active


def stats() -> Stats:
    return Stats(
        conversations=3, messages=2000, turns=1000, input_tokens=120_000, output_tokens=64_000,
        states={"failed": 10, "complete": 990},
        models=[
            ModelStats("darkai", "llama-3-70b", 900, 100_000, 60_000, 420, 3100),
            ModelStats("openrouter", "qwen3-235b-a22b-instruct", 100, 20_000, 4000, None, None),
        ],
        days=[DayStats("2026-01-30", 600, 9), DayStats("2026-02-01", 400, 9)],
        bytes=1_400_000,
    )  # fmt: skip


@pytest.mark.parametrize("width", [20, 40, 80, 200])
def test_the_statistics_fit(width: int):
    rows = stats_rows(stats(), width, plain)
    limit = max(width, 34)  # the columns that are never dropped need as much
    assert all(cell_len(row) <= limit for row in rows), rows


def test_the_statistics():
    rows = stats_rows(stats(), 80, plain)
    assert rows[:2] == [
        "3 conversations, 1,000 turns, 2,000 messages, 1.3 MiB",
        "120,000 tokens in, 64,000 out",
    ]
    assert "complete    990  ████████████████" in rows
    assert "failed       10  ▏" in rows
    assert rows[-2:] == ["2026-01-30 to 2026-02-01, at most 600 a day", "█ ▆"]


def test_statistics_of_nothing():
    empty = Stats(0, 0, 0, 0, 0, {}, [], [], 4096)
    assert stats_rows(empty, 80, plain) == ["0 conversations, 0 turns, 0 messages, 4 KiB"]


def test_an_export_that_fails_half_way_leaves_the_old_file(tmp_path: Path):
    def pieces() -> Iterator[str]:
        yield "half"
        raise StoreError("the history failed")

    file = tmp_path / "old.md"
    file.write_text("mine")
    with pytest.raises(StoreError):
        transfer._write(pieces(), str(file))
    assert file.read_text() == "mine"
    assert list(tmp_path.iterdir()) == [file]
