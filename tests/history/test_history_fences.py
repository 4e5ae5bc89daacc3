"""What is closed, judged by the parser that renders the whole."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from darkai_cli.history.export import close_blocks

PIECES = st.lists(
    st.sampled_from([
        "```", "````", "~~~", "```py", "  ```", "    ```", "- ", "> ", "\n", "\n\n", "text", "`",
        "<!--", "-->", "<pre>", "</pre>", "<?php", "<![CDATA[", "<!X", "<script>", "<div>", "\t", "1. ",
    ]),
    max_size=12,
).map("".join)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("```\nnever closed", "\n```"),
        ("text\n\n~~~~ py\n```\nx\n\n", "\n~~~~"),
        ("   ````\n```", "\n````"),
        ("<!-- a remark", "\n-->"),
        ("<PRE>\nx", "\n</pre>"),
        ("```\nclosed\n```", ""),
        ("- a list\n\n  ```\n  its own", ""),
        ("> ```\n> its own", ""),
        ("    ```\n    indented", ""),
        ("inline ``` is none", ""),
        ("``` a`b\nis none", ""),
        ("", ""),
    ],
)
def test_what_is_open_is_closed(text: str, end: str):
    assert close_blocks(text) == text.rstrip() + end


@given(PIECES)
def test_what_comes_next_is_its_own(text: str):
    parsed = MarkdownIt("commonmark").parse(f"{close_blocks(text)}\n\n## next\n")
    assert [(token.type, token.level) for token in parsed[-3:]] == [
        ("heading_open", 0), ("inline", 1), ("heading_close", 0)
    ]  # fmt: skip


@given(PIECES)
def test_nothing_is_taken_away_and_twice_is_once(text: str):
    assert close_blocks(text).startswith(text.rstrip())
    assert close_blocks(close_blocks(text)) == close_blocks(text)
