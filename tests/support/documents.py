"""Markdown documents for the properties of rendering, and a way to stream them.

``COMMONMARK`` are the examples of the CommonMark specification (see ``commonmark.json`` for origin
and licence); ``answers`` makes documents as models write them.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from pathlib import Path

from hypothesis import strategies as st

from darkai_cli.events import TextChunk
from darkai_cli.output.terminal import TerminalSink, render_static

COMMONMARK: list[str] = json.loads(Path(__file__).with_name("commonmark.json").read_text())[
    "examples"
]

_DEFINITION = re.compile(r"^ {0,3}\[[^\]]+\]:", re.MULTILINE)


def defines_late(document: str) -> bool:
    """Whether a link may be used before its definition: the one thing streaming cannot know."""
    if "]:" not in document:
        return False
    definition = _DEFINITION.search(document)
    return (
        definition is None
        or "[" in document[: definition.start()]
        or "]:" in document[definition.end() :]
    )


EXAMPLES = [example for example in COMMONMARK if not defines_late(example)]

_INLINE = st.sampled_from(
    [
        "plain words", "**bold** words", "*emphasis*", "`code`", "~~gone~~", "Vec<T>", "a<br>b",
        "[text](https://example.com/a)", "<https://example.org>", "![pic](https://e.com/x.png)",
        "$a*b*c$", r"\(x_1\)", "&amp;", "&#x202e;", "日本語のテキスト", "✅ 🚀", "👨‍👩‍👧", "e\u0301",
        "שלום", "https://example.net/a_b_c", "a-very-long-word-that-does-not-fit-anywhere-at-all",
        "[^1]", "**unclosed", "`open", "100 %", "ﷺ", "ｗｉｄｅ", "\u200b", "x" * 30,
    ]
)  # fmt: skip
_words = st.lists(_INLINE, min_size=1, max_size=12).map(" ".join)
_CODE = {
    "python": ['"""Doc', "more", '"""', "def f(x):", "    return x  # why", "", "x = {'a': 1}"],
    "c": ["/* a", "b */ int x;", "int main(void) {", "\treturn 0;", "", "}"],
    "html": ["<script>", "let x = 1;", "</script>", "<p class='a'>text</p>", "<!-- a", "b -->"],
    "sh": ["cat <<EOF", "text $x", "EOF", "echo done", "for i in 1 2; do", "done"],
    "markdown": ["# T", "- a", "**b**", "~~~", "text"],
    "": ["anything", "  at all", "", "x" * 90],
    "no-such-language": ["a = b"],
}


@st.composite
def _fence(draw: st.DrawFn) -> str:
    name = draw(st.sampled_from(sorted(_CODE)))
    lines = draw(st.lists(st.sampled_from(_CODE[name]), max_size=14))
    mark = draw(st.sampled_from(["```", "~~~~"]))
    return "\n".join(
        [mark + name, *lines, *draw(st.sampled_from([[mark], [mark], ["", mark], []]))]
    )


@st.composite
def _list(draw: st.DrawFn) -> str:
    marker = draw(st.sampled_from(["- ", "* ", "1. ", "9. ", "- [ ] ", "- [x] "]))
    gap = draw(st.sampled_from(["\n", "\n", "\n\n"]))
    items = []
    for _ in range(draw(st.integers(1, 5))):
        body = draw(_words)
        inner = draw(
            st.sampled_from(
                ["", "", "\n- nested\n- more", "\n\nsecond paragraph", "\n\n```c\nint x;\n```"]
            )
        )
        indent = " " * len(marker.split("[")[0])
        items.append(marker + (body + inner).replace("\n", "\n" + indent))
    return gap.join(items)


@st.composite
def _table(draw: st.DrawFn) -> str:
    columns = draw(st.integers(1, 5))
    cell = _INLINE.filter(lambda text: "|" not in text)
    row = st.lists(cell, min_size=1, max_size=columns + 1).map(
        lambda c: "| " + " | ".join(c) + " |"
    )
    header = draw(st.lists(cell, min_size=columns, max_size=columns))
    align = draw(
        st.lists(st.sampled_from(["---", ":--", "--:", ":-:"]), min_size=columns, max_size=columns)
    )
    rows = draw(st.lists(row, max_size=5))
    return "\n".join(["| " + " | ".join(header) + " |", "|" + "|".join(align) + "|", *rows])


_blocks = st.one_of(
    _words,
    st.lists(_words, min_size=1, max_size=4).map("\n".join),
    _words.map(lambda text: "## " + text),
    _words.map(lambda text: "# " + text),
    _words.map(lambda text: text + "\n==="),
    _fence(),
    _list(),
    _table(),
    _words.map(lambda text: "> " + text + "\n> > deeper\n> - item"),
    st.sampled_from(["***", "<div>\n<b>x</b>\n</div>", "    indented\n      code", "$$\na *b*\n$$", "[^1]: note"]),
    st.sampled_from(EXAMPLES).filter(lambda text: "]:" not in text),
)  # fmt: skip


@st.composite
def answers(draw: st.DrawFn) -> str:
    """A document as a model may write one, perhaps cut anywhere."""
    parts = draw(st.lists(_blocks, min_size=1, max_size=5))
    text = ""
    for part in parts:
        text += part + draw(st.sampled_from(["\n\n", "\n\n", "\n", "\n\n\n", "\n \n"]))
    if draw(st.integers(0, 5)) == 0:
        text = text[: draw(st.integers(0, len(text)))]
    return text


class Page:
    """What a sink writes to. ``on_write`` sees each write."""

    encoding = "utf-8"

    def __init__(self, on_write: Callable[[str], None] = lambda data: None) -> None:
        self.writes: list[str] = []
        self._on_write = on_write

    def write(self, data: str) -> int:
        self.writes.append(data)
        self._on_write(data)
        return len(data)

    def flush(self) -> None:
        pass

    @property
    def text(self) -> str:
        return "".join(self.writes)


class ByHand:
    """A painter that paints when the test says so."""

    def __init__(self, paint: Callable[[], None]) -> None:
        self.paint = paint

    def request(self) -> None:
        pass

    def settle(self) -> None:
        self.paint()

    def stop(self) -> None:
        pass


def new_sink(page: Page, width: int, height: int, **options) -> TerminalSink:
    options = {"color": True, "painter": ByHand, **options}
    return TerminalSink(page, width=lambda: width, height=lambda: height, **options)


def chunks_of(document: str, seed: int) -> list[tuple[str, bool]]:
    """The document in random chunks, and whether a frame is painted after each."""
    dice = random.Random(seed)
    typical = dice.choice([1, 4, 30, 200])
    eager = dice.choice([0.1, 0.5, 1.0])
    chunks = []
    at = 0
    while at < len(document):
        size = dice.randint(1, typical)
        chunks.append((document[at : at + size], dice.random() < eager))
        at += size
    return chunks


def stream(
    sink: TerminalSink, document: str, seed: int, after: Callable[[str], None] | None = None
) -> None:
    """Feed the document; ``after`` is called after each frame with the text so far."""
    done = ""
    for chunk, paints in chunks_of(document, seed):
        sink.feed(TextChunk(chunk))
        done += chunk
        if paints:
            sink.paint()
            if after is not None:
                after(done)


def static(document: str, width: int, *, color: bool = True) -> str:
    return render_static(document, width=width, color=color)
