"""Rows of a reply: reasoning, sources, every kind of block, themes, highlighting."""

from __future__ import annotations

import re

import pytest
from support.documents import Page, new_sink, static

from darkai_cli.events import Citation, ReasoningChunk, StreamEnd, TextChunk
from darkai_cli.output.terminal import render_static
from darkai_cli.output.terminal.highlight import highlighter, language

SGR = re.compile(r"\x1b\[[0-9;]*m")


# Reasoning


def reply(*events, **options):
    page = Page()
    sink = new_sink(page, 60, 24, mode="append", color=False, **options)
    for event in events:
        sink.feed(event)
        sink.paint()
    sink.close()
    return page.text


def test_reasoning_is_folded_shown_or_hidden():
    events = [
        ReasoningChunk("One tw"),
        ReasoningChunk("o thr"),
        ReasoningChunk("ee."),
        TextChunk("Answer"),
    ]
    assert reply(*events) == "▸ reasoning, 3 words\n\nAnswer\n"
    assert reply(*events, reasoning="show") == "One two three.\n\nAnswer\n"
    assert reply(*events, reasoning="hide") == "Answer\n"
    assert reply(*events[:3]) == "▸ reasoning, 3 words\n"


def test_without_marks_our_own_rows_are_words_in_brackets():
    events = [ReasoningChunk("One two."), TextChunk("Answer"), StreamEnd("cancelled")]
    assert reply(*events, marks=False) == "(reasoning, 2 words)\n\nAnswer\n\n(interrupted)\n"


def test_folded_reasoning_is_seen_while_it_comes():
    page = Page()
    sink = new_sink(page, 60, 24)
    sink.feed(ReasoningChunk("Let me *think*"))
    sink.paint()
    assert "Let me think" in SGR.sub("", page.text)
    assert "\x1b[2m" in page.text
    sink.close()


def test_sources_are_listed_once_below_the_answer():
    text = reply(
        TextChunk("A."), Citation("https://a.example/x", "First"), Citation("https://b.example", ""),
        Citation("https://a.example/x", "First"),
    )  # fmt: skip
    assert text == "A.\n\nSources\n 1. First (https://a.example/x)\n 2. https://b.example\n"


# Elements

SHOWCASE = """\
# Title with **strong**
Some *text* with `code`, [a link](https://e.com/x) and ~~old~~ Vec<T>.

Second&nbsp;paragraph.
- one
- two
  - deep

  more
- [x] done

9. nine
10. ten
> quote
> > inner
```py
x = 1

```
***
| a | b |
|---|--:|
| x | 1 |
[^1]: Note.
<div>
  html
</div>

    indented
"""
SHOWN = """\
Title with strong
━━━━━━━━━━━━━━━━━

Some text with code, a link (https://e.com/x) and old Vec<T>.

Second\u00a0paragraph.

 • one
 • two
    ◦ deep

   more
 ☑ done

 9. nine
10. ten

│ quote
│
│ │ inner

─── py
x = 1
───

────────────────────────────────────────────────────────────

a │ b
──┼──
x │ 1

[^1]: Note.

<div>
  html
</div>

indented
"""


def test_the_elements_row_by_row():
    assert static(SHOWCASE, 70, color=False) == SHOWN


COLORS = re.compile(r"\x1b\[[0-9;]*38;[0-9;]*m")


def test_both_themes_color_and_set_no_background():
    text = "# T\n\n`c` [l](https://e.com)\n\n```python\ndef f(): return 'x'\n```\n"
    for theme in ("dark", "light"):
        for code_theme in ("auto", "monokai", "no-such-style"):
            output = render_static(text, width=60, color=True, theme=theme, code_theme=code_theme)
            assert COLORS.search(output)
            assert not re.search(r"\x1b\[(?:[0-9;]*;)?4[0-8]", output)
    assert render_static(text, width=60, color=True, theme="dark") != render_static(
        text, width=60, color=True, theme="light"
    )


def test_code_is_copied_clean():
    line = "x = '" + "y" * 200 + "'"
    text = static(f"```python\nif a:\n    {line}   \n```", 40, color=False)
    assert text == f"─── python\nif a:\n    {line}\n───\n"


def test_a_table_that_cannot_fit_becomes_records():
    cells = "|".join(f"c{n}" for n in range(30))
    text = f"|{cells}|\n|{'-|' * 30}\n|{cells.replace('c', 'v')}|\n"
    output = static(text, 40, color=False)
    assert all(f"c{n}: v{n}\n" in output for n in range(30))
    assert static("| a | b |\n|:--|--:|\n| 1 | 22 |", 40, color=False) == "a │  b\n──┼───\n1 │ 22\n"


def test_five_thousand_columns():
    count = 5000
    text = "|" + "a|" * count + "\n|" + "-|" * count + "\n|" + "b|" * count + "\n"
    assert static(text, 80, color=False).count("a: b\n") == count


@pytest.mark.parametrize(
    ("name", "lines", "expected"),
    [
        ("c", ["/* one", "two", "*/ int x;"], "Comment"),
        ("go", ["x := `one", "two", "end`"], "String"),
        ("bash", ["cat <<EOF", "two", "EOF"], "String"),
        ("python", ['"""one', "two", '"""'], "String"),
        ("html", ["<script>", "let two = 1;", "</script>"], "Keyword"),
        ("html", ["<!-- one", "two", "-->"], "Comment"),
        ("css", ["/* one", "two", "*/"], "Comment"),
        ("lua", ["--[[ one", "two", "]]"], "Comment"),
    ],
)
def test_what_spans_lines_is_colored_in_all_of_them(name, lines, expected):
    lexer = highlighter(name)
    tokens = [lexer.line(line) for line in lines]
    assert any(expected in str(kind) for kind, part in tokens[1] if part.strip())
    assert ["".join(part for _, part in line) for line in tokens] == lines
    after = lexer.line("x")
    assert "Comment" not in str(after[0][0])


def test_languages():
    assert [language(i) for i in ("py", "{.python title=x}", "C++ x", "", "js:run")] == [
        "py", "python", "C++", "", "js",
    ]  # fmt: skip
    assert highlighter("no-such-language") is None
    assert highlighter("") is None
