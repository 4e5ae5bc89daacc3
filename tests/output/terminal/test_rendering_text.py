"""R7, R11, R12: no word lost or doubled, and no control character of foreign text."""

from __future__ import annotations

import itertools
import random
import re

from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from support.documents import COMMONMARK, ByHand, Page, answers, new_sink, static, stream
from support.emulator import RewrappingTerminal

from darkai_cli.events import Citation, ReasoningChunk, StreamEnd, TextChunk
from darkai_cli.output.terminal import TerminalSink

TEMPLATES = [
    "{} **{}** *{}* `{}` ~~{}~~ {}", "# {} {}", "### {}", "{}\n===", "{}\n---",
    "- {}\n- {}\n  - {}\n\n    {}\n- {}", "1. {}\n2. {}\n\n   > {}\n", "- [ ] {}\n- [x] {}",
    "> {}\n> > {}\n>\n> - {}", "| {} | {} |\n|---|:-:|\n| {} | {} |\n| {} | {} | {} | {} |\n| {} |",
    "```py\n{}\n\n    {}\n```", "~~~\n{}", "    {}\n    {}", "<div>\n{}\n<b>{}</b>\n</div>",
    "{}<{}> <{}/> {}<br>{} <kbd>{}</kbd>", "$$\n{} *{}*\n$$", r"\[ {} \] and ${}*{}*{}$ and \({}*\)",
    "[^1]: {}\n[^2]: {}", "{} [^1] {}", "[{}](https://e.com) ![{}](https://e.com)", "{} & {} &copy; {}",
    "<!-- {} -->", "<dl><dt>{}</dt>\n<dd>{}</dd></dl>", "> " * 60 + "{}", "- " * 30 + "{}",
    "1. " * 30 + "{}", "[{}][missing] [{}]", "* {}\n+ {}\n1) {}", "\\*{}\\* _{}", "a|b\n-|-\n{}|{}|{}",
]  # fmt: skip


@st.composite
def worded(draw):
    """A document in which every word is another one, and the words in order."""
    counter = itertools.count(1)
    words = []

    def word() -> str:
        words.append(f"wd{next(counter)}x")
        return words[-1]

    parts = draw(st.lists(st.sampled_from(TEMPLATES), min_size=1, max_size=5))
    gaps = st.sampled_from(["\n\n", "\n\n\n"])
    text = "".join(re.sub(r"\{\}", lambda _: word(), part) + draw(gaps) for part in parts)
    return text, words


def words_in(text: str) -> list[str]:
    return re.findall(r"wd\d+x", text)


@given(worded(), st.sampled_from([20, 40, 80, 400]))
def test_no_word_is_lost(document, width):
    text, words = document
    output = static(text, width, color=False)
    if width < 80:  # words of one cell a column are folded
        output = re.sub(r"[^a-z0-9]", "", output)
        seen = re.findall(r"wd\d+x", output)
        assert sorted(seen) == sorted(words) or "|" in text
    else:
        assert sorted(words_in(output)) == sorted(words)
        assert words_in(output) == words or "|" in text  # cells stand beside each other


def test_commonmark_examples_keep_their_words():
    parser = MarkdownIt("commonmark")
    for example in COMMONMARK:
        words = []
        for token in parser.parse(example):
            for part in token.children or [token]:
                if part.type in (
                    "text",
                    "code_inline",
                    "html_inline",
                    "html_block",
                    "fence",
                    "code_block",
                ):
                    words += re.findall(r"[^\W_]+", part.content)
        output, at = static(example, 400, color=False), 0
        for word in words:
            at = output.find(word, at) + len(word)
            assert at >= len(word), (example, word)


# The preview's 20 rows, re-wrapped, must still be on the screen: what has been pushed out of it
# cannot be taken back. So: no more than three times narrower, on a screen of 60 rows.
sizes = st.lists(st.integers(30, 90), min_size=2, max_size=6)


@given(worded(), sizes, st.integers(0, 2**32))
def test_resizing_neither_loses_nor_doubles_a_word(document, widths, seed):
    text, words = document
    dice = random.Random(seed)
    terminal = RewrappingTerminal(widths[0], 60)
    width = [widths[0]]
    sink = TerminalSink(
        Page(terminal.write), width=lambda: width[0], height=lambda: 60, color=True, painter=ByHand
    )
    pending = list(widths[1:])

    def after(_):
        if pending and dice.random() < 0.3:
            width[0] = pending.pop()
            terminal.resize(width[0])

    stream(sink, text, seed, after)
    sink.close()
    seen = re.findall(r"wd\d+x", re.sub(r"[^a-z0-9]", "", "".join(terminal.rows())))
    assert sorted(seen) == sorted(words)


# R11

PAYLOADS = [
    "\x1b]52;c;aGk=\x07", "\x1b[2J\x1b[H", "\x9b2J", "\x1b]0;title\x07", "\x1bP+q\x1b\\", "\x08\x08\x08",
    "\r\x1b[K", "\x00", "\x7f", "\u202e", "\u2066", "&#x1b;[2J", "&#x202e;x", "&#27;", "&#x9b;", "&#8238;",
    "\ud800", "\u2028", "[a](javascript:alert(1))", "[b](https://e.com/\x1b]8;;x)", "```\x1b[31m\n\x1b[2J\n```",
    "```&#x1b;[2J\nx\n```", "\U000e0041", "\u200b", "[red]x[/red]", "[link=https://e.com]x[/link]", "\x85", "\x0b\x0c",
    "[https://bank.example](https://evil.example)", "<https://e.com/&#x1b;>", "![\x1b[0m](x)", "| \x1b[2J |\n|---|",
]  # fmt: skip
_OURS = re.compile(
    r"\x1b\[[0-9;]*m|\x1b\[\d+A|\x1b\[[JK]|\x1b\[\?(?:7|25|2026)[hl]|\x1b\]8;;[!-~]*\x1b\\|\r?\n|\r"
)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\u2028]")


@given(
    st.lists(st.one_of(st.sampled_from(PAYLOADS), answers()), min_size=1, max_size=6),
    st.integers(0, 2**32),
)
def test_no_control_character_of_foreign_text_arrives(parts, seed):
    page = Page()
    sink = new_sink(page, 60, 24, links=True, reasoning="show")
    sink.feed(ReasoningChunk(parts[0]))
    stream(sink, " ".join(parts), seed)
    sink.feed(Citation(parts[-1], parts[0]))
    sink.feed(StreamEnd("stop"))
    sink.close()
    assert not _CONTROL.search(_OURS.sub("", page.text))


@given(st.text(max_size=80), st.integers(0, 2**32))
def test_any_text_at_all(text, seed):
    page = Page()
    sink = new_sink(page, 20, 6)
    stream(sink, text, seed)
    sink.close()
    assert not _CONTROL.search(_OURS.sub("", page.text))


def test_a_link_opens_only_what_its_text_says():
    def linked(text):
        page = Page()
        sink = new_sink(page, 100, 24, links=True)
        sink.feed(TextChunk(text))
        sink.close()
        return "\x1b]8;;https" in page.text, re.sub(r"\x1b\[[^a-zA-Z]*[a-zA-Z]", "", page.text)

    assert linked("[docs](https://e.com/a)")[0]
    assert linked("see https://e.com/a now")[0]
    is_link, text = linked("[https://bank.example](https://evil.example)")
    assert not is_link
    assert "(https://evil.example)" in text
