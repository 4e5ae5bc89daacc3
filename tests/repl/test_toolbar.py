"""The status line, and the colors of the input."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from prompt_toolkit.document import Document

from darkai_cli.repl.lexer import InputLexer
from darkai_cli.repl.toolbar import StatusLine, columns


@given(st.text(alphabet="`~ab /!\n[]pasted 12lines", max_size=80))
def test_colours_change_no_text(text):
    lines = text.split("\n")
    styled = InputLexer().lex_document(Document(text))
    assert ["".join(part for _, part in styled(n)) for n in range(len(lines))] == lines
    assert styled(len(lines)) == []


def test_code_between_fences_is_styled_while_it_is_typed():
    styled = InputLexer().lex_document(Document("see\n```py\nx = 1\n```\nend"))
    assert [styled(n)[0][0] for n in range(5)] == ["", "class:code", "class:code", "class:code", ""]


PARTS = st.lists(st.tuples(st.integers(0, 4), st.text(min_size=1, max_size=30)), min_size=1)


@given(PARTS, st.integers(1, 400), st.sampled_from(["", "normal mode"]))
def test_the_status_line_never_reaches_the_last_column(parts, width, mode):
    assert columns(StatusLine(tuple(parts)).render(width, mode)) <= max(1, width - 1)


def test_the_status_line_leaves_out_what_matters_least():
    status = StatusLine(((0, "demo/demo"), (4, "a title"), (3, "~12 tokens"), (2, "branch 1/2")))
    assert status.render(80) == "demo/demo · a title · ~12 tokens · branch 1/2"
    assert status.render(40) == "demo/demo · ~12 tokens · branch 1/2"
    assert status.render(30) == "demo/demo · branch 1/2"
    assert status.render(12) == "demo/demo"
    assert status.render(6) == "demo/"
