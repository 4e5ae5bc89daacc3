"""Which parts of a text are final, and when; cost that stays linear."""

from __future__ import annotations

import pytest

from darkai_cli.output.markdown.grammar import Grammar
from darkai_cli.output.markdown.incremental import (
    BLOCK_LIMIT,
    CODE_LIMIT,
    LINE_LIMIT,
    Committer,
    pieces,
)
from darkai_cli.output.markdown.pieces import (
    Block,
    CodeClose,
    CodeLine,
    CodeOpen,
    ListItem,
    LongLine,
)


def kinds(result):
    return [p.tokens[0].type if isinstance(p, Block) else type(p).__name__ for p in result]


def fed(*chunks):
    committer = Committer()
    return [kinds(committer.feed(chunk)) for chunk in chunks]


def test_final():
    for chunks, final in [
        (["one\n", "\n"], [[], ["paragraph_open"]]),
        (["one\n", "# two\n"], [[], ["paragraph_open", "heading_open"]]),
        (["Foo\n#", "hashtag\n", "\n"], [[], [], ["paragraph_open"]]),
        (["Foo\n-", "--\n"], [[], ["heading_open"]]),
        (["- a\n", "- b\n", "  c\n", "\n", "d\n"], [[], ["ListItem"], [], [], ["ListItem"]]),
        (["> a\n", "> b\n", "\n"], [[], [], ["blockquote_open"]]),
        (["| a |\n|--|\n", "| b |\n", "\n"], [[], [], ["table_open"]]),
        (["<!-- a\n", "\n", "-->\n"], [[], [], ["html_block"]]),
        (["$$\n- a\n", "$$\n", "b\n"], [[], ["maths"], []]),
        (["***\n"], [["hr"]]),
    ]:
        assert fed(*chunks) == final, chunks


def test_a_fence_is_final_line_by_line():
    committer = Committer()
    assert committer.feed("```py\nx\n") == [CodeOpen("py"), CodeLine("x")]
    assert committer.feed("\n\n") == []
    assert committer.pending() == []
    assert committer.feed("  y") == []
    assert committer.pending() == [CodeLine(""), CodeLine(""), CodeLine("  y")]
    assert committer.feed("\n``\n") == [CodeLine(""), CodeLine(""), CodeLine("  y"), CodeLine("``")]
    assert committer.feed("``") == []
    assert committer.pending() == []  # it may become the end
    assert committer.feed("``\n") == [CodeClose()]
    assert committer.close() == []


def test_a_fence_without_end_loses_its_last_blank_lines_only():
    committer = Committer()
    result = [*committer.feed("~~~\na\n\nb\n\n\n"), *committer.close()]
    assert result == [CodeOpen(""), CodeLine("a"), CodeLine(""), CodeLine("b"), CodeClose()]
    assert result == list(pieces("~~~\na\n\nb\n\n\n"))


def test_indented_fence_takes_its_indentation_off():
    assert list(pieces("  ```\n   a\n b\n\tc\n  ```\n"))[1:4] == [
        CodeLine(" a"), CodeLine("b"), CodeLine("  c"),
    ]  # fmt: skip
    committer = Committer()
    assert committer.feed("  ```\n   a\n b\n\tc\n")[1:] == [
        CodeLine(" a"), CodeLine("b"), CodeLine("  c"),
    ]  # fmt: skip


def test_items_are_numbered_and_spaced_by_what_stands_between_them():
    result = [p for p in pieces("7. a\n8. b\n\n1. c\n") if isinstance(p, ListItem)]
    assert [(i.number, i.first, i.loose) for i in result] == [
        (7, True, False), (8, False, False), (9, False, True),
    ]  # fmt: skip


def test_definitions_are_in_force_in_later_blocks():
    committer = Committer()
    committer.feed("[a]: https://e.com\n\ntext\n\n")
    (block,) = committer.feed("[a]\n\n")
    assert block.tokens[1].children[0].attrs["href"] == "https://e.com"


def test_a_definition_that_is_not_complete_defines_nothing():
    committer = Committer()
    committer.feed("[a]: https://e.co")
    committer.pending()
    result = [*committer.feed("m/x\n\n[a]\n\n"), *committer.close()]
    assert result[0].tokens[1].children[0].attrs["href"] == "https://e.com/x"


ONE_BLOCK = {
    "paragraph": "word word *word*\n",
    "quote": "> word\n",
    "lazy quote": "word\n",
    "table": "| a | b |\n",
    "bare table": "a | b\n",
    "item": "  word\n\n",
    "fence in an item": "  code - 1\n",
    "indented code": "    code\n\n",
    "html": "<p>word</p>\n",
    "comment": "word\n\n",
}
_BEGIN = {
    "lazy quote": "> a\n",
    "table": "| a | b |\n|---|---|\n",
    "bare table": "a | b\n---|---\n",
    "item": "- a\n\n",
    "fence in an item": "- ```\n",
    "html": "<div>\n",
    "comment": "<!--\n",
}


@pytest.mark.parametrize("kind", ONE_BLOCK)
def test_a_growing_block_is_not_parsed_again_and_again(kind, monkeypatch):
    parsed = []
    original = Grammar.blocks
    monkeypatch.setattr(
        Grammar, "blocks", lambda self, text: parsed.append(len(text)) or original(self, text)
    )
    committer = Committer()
    committer.feed(_BEGIN.get(kind, ""))
    for _ in range(300):
        committer.feed(ONE_BLOCK[kind])
    assert sum(parsed) < 300 * len(ONE_BLOCK[kind])
    committer.close()


@pytest.mark.parametrize("line", ["x" * LINE_LIMIT, "word\n" * 20_000, "> a\n" * 20_000])
def test_what_the_preview_looks_at_is_bounded(line, monkeypatch):
    committer = Committer()
    committer.feed(line)
    seen = []
    original = Grammar.blocks
    monkeypatch.setattr(
        Grammar, "blocks", lambda self, text: seen.append(len(text)) or original(self, text)
    )
    committer.pending(1000)
    assert max(seen) < 5000


@pytest.mark.parametrize(
    ("text", "literal"),
    [
        (">" * 100_000, ">" * 90_000),
        ("> " * 1000 + "end", "end"),
        ("[" * 100_000, "[" * 100_000),
        ("*" * 100_000 + "a", "*" * 100_000),
        ("![" * 20_000, "![" * 20_000),
        ("a" + "`" * 50_000, "`" * 50_000),
        ("a" * 10_000_000, "a" * 10_000_000),
        ("[a](https://e.com/" + "u" * 1_000_000 + ")", "u" * 1_000_000),
    ],
    ids=lambda text: text[:8],
)
def test_hostile_text_is_kept(text, literal):
    output = "".join(
        p.text
        if isinstance(p, LongLine)
        else "".join(child.content for token in p.tokens for child in token.children or [])
        for p in pieces(text)
    )
    assert literal in output


@pytest.mark.parametrize("size", [1, 77, 5_000, LINE_LIMIT, 10**9])
def test_a_line_without_end_is_final_part_by_part(size):
    line = "- " + "x" * 3 * LINE_LIMIT
    text = f"above\n{line}\n- b\n"
    if size == 1:  # the rest of it makes no difference, and takes its time
        text = text.replace("x" * 2 * LINE_LIMIT, "")
    committer = Committer()
    result = []
    for at in range(0, len(text), size):
        result += committer.feed(text[at : at + size])
        assert committer._partial_length <= LINE_LIMIT
    result += committer.close()
    assert kinds(result) == [
        "paragraph_open",
        *["LongLine"] * ((len(text) - 12) // LINE_LIMIT + 1),
        "ListItem",
    ]
    assert [p.first for p in result if isinstance(p, LongLine)][:2] == [True, False]
    assert "".join(p.text for p in result if isinstance(p, LongLine)) == text[6:-5]
    assert result[1:-1] == list(pieces(text))[1:-1]


@pytest.mark.parametrize("size", [5_000, CODE_LIMIT, 10**9])
def test_a_line_of_code_without_end_is_broken(size):
    code = "x" * 2 * CODE_LIMIT + "y"
    text = f"```\n{code}\n  z\n```\n"
    committer = Committer()
    result = []
    for at in range(0, len(text), size):
        result += committer.feed(text[at : at + size])
        assert committer._partial_length <= CODE_LIMIT
    lines = [p.text for p in result if isinstance(p, CodeLine)]
    assert lines == [code[:CODE_LIMIT], code[:CODE_LIMIT], "y", "  z"]
    assert result == list(pieces(text))
    assert isinstance(result[-1], CodeClose)


LARGE = {
    "paragraph": ("", "some words\n", "paragraph_open"),
    "quote": ("", "> some words\n", "blockquote_open"),
    "item": ("- a\n\n", "  some words\n\n", "ListItem"),
    "html": ("<!--\n", "some words\n\n", "html_block"),
    "table": ("| a | b |\n|---|---|\n", "| some | words |\n", "table_open"),
}


@pytest.mark.parametrize("kind", LARGE)
def test_a_block_without_end_is_ended(kind):
    begin, line, name = LARGE[kind]
    text = begin + line * (5 * BLOCK_LIMIT // (2 * len(line)))
    results = []
    for size in (7_777, len(text)):
        committer = Committer()
        result = []
        for at in range(0, len(text), size):
            result += committer.feed(text[at : at + size])
            assert committer._size <= BLOCK_LIMIT + size
        results.append(kinds(result + committer.close()))
    assert results[0] == results[1]
    assert results[0][0] == name
    assert len(results[0]) >= 3
    assert kind not in ("table", "quote") or set(results[0]) == {name}


def test_rows_keep_cells_that_the_header_has_no_column_for():
    (table,) = pieces("| a | b |\n|---|---|\n| 1 | 2 | 3 | 4 |\n1|2|3\n")
    assert [t.content for t in table.tokens if t.type == "inline"][2:] == [
        "1",
        "2 | 3 | 4",
        "1",
        "2 | 3",
    ]
