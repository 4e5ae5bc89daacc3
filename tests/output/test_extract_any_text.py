"""The first fenced block: the same however the reply is cut, and the one CommonMark sees."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from darkai_cli.errors import NotFoundError
from darkai_cli.events import TextChunk
from darkai_cli.output.extract import ExtractSink

# HTML is text to ``-x``; the rest is CommonMark.
MARKDOWN = MarkdownIt("commonmark").disable("html_block")

TEXTS = [
    *(
        "",
        "text",
        "x = 1",
        "```",
        "```py",
        "~~~",
        "````",
        "``` a`b",
        "~~~ `",
        "```  ",
        "~~~x",
        "~~~~",
    ),
    *("# heading", "---", "===", "***", "- - -", "``", "1."),
]
INDENTS = ["", "", " ", "  ", "   "]
CONTAINERS = ["> ", ">", "- ", "1. ", "2. ", "10) ", "*  ", "-"]


def lines(*parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.lists(st.tuples(*parts).map("".join), min_size=1, max_size=10).map(
        lambda made: "".join(f"{text}\n" for text in made)
    )


# Where containers are, no line is indented by four columns or has a tab: markdown-it leaves
# CommonMark there (such a `>` goes on with a quote, a lazy line opens a fence, tabs stay whole).
documents = st.one_of(
    lines(st.sampled_from([*INDENTS, "    ", "\t", "  \t"]), st.sampled_from(TEXTS)),
    lines(
        st.sampled_from(INDENTS),
        st.lists(st.sampled_from(CONTAINERS), max_size=2).map("".join),
        st.sampled_from(TEXTS),
    ),
)


@st.composite
def answers(draw: st.DrawFn) -> tuple[str, str]:
    """A reply as models write them, with its first block: prose, then code at some depth."""
    prose = st.sampled_from(["Here it is:", "Text with `code`.", "", "# Heading", "* * *", "**a**"])
    code = draw(
        st.lists(st.sampled_from(["x", "", "  y", "``", "~~", "# z", "> q", "- i"]), max_size=5)
    )
    mark = draw(st.sampled_from(["```", "~~~", "`````"]))
    block = [mark + draw(st.sampled_from(["", "py", " sh title=a"])), *code, mark]
    for marker in draw(st.lists(st.sampled_from(["- ", "1. ", "12) ", "> ", "*   "]), max_size=3)):
        if marker == "> ":
            block = [f"> {text}".rstrip() for text in block]
        else:
            block = ["Do this:", "", *block] if draw(st.booleans()) else block
            indent = " " * len(marker)
            block = [marker + block[0], *(f"{indent}{text}".rstrip() for text in block[1:])]
    before, after = draw(st.lists(prose, max_size=4)), draw(st.lists(prose, max_size=3))
    lines = [*before, "", *block, "", *after, "```", "second", "```"]
    return "\n".join(lines), "".join(f"{text}\n" for text in code)


def extract(pieces: list[str]) -> str | None:
    written: list[str] = []
    sink = ExtractSink(written.append)
    for piece in pieces:
        if piece:
            sink.feed(TextChunk(piece))
    try:
        sink.close()
    except NotFoundError:
        assert not sink.has_block
        return None
    assert sink.has_block
    return "".join(written)


def first_fence(text: str) -> str | None:
    return next((token.content for token in MARKDOWN.parse(text) if token.type == "fence"), None)


@settings(max_examples=200)
@given(documents)
def test_the_block_commonmark_sees(text: str) -> None:
    assert extract([text]) == first_fence(text)


@settings(max_examples=150)
@given(answers())
def test_the_first_block_of_an_answer(answer: tuple[str, str]) -> None:
    text, code = answer
    assert extract([text]) == code == first_fence(text)


@settings(max_examples=150)
@given(
    st.one_of(documents, answers().map(lambda answer: answer[0])),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.booleans(),
    st.lists(st.integers(0, 400), max_size=10),
)
def test_cutting_is_invisible(text: str, newline: str, is_whole: bool, places: list[int]) -> None:
    plain = text if is_whole else text.removesuffix("\n")
    whole = extract([plain])
    foreign = plain.replace("\n", newline)
    cuts = sorted({0, len(foreign), *(place % (len(foreign) + 1) for place in places)})
    assert extract([foreign[a:b] for a, b in pairwise(cuts)]) == whole
    assert extract(list(foreign)) == whole


@settings(max_examples=100)
@given(st.text(st.sampled_from("`~> -1.\t\r\n\x00ab"), max_size=60))
def test_any_text_is_taken(text: str) -> None:
    assert extract(list(text)) == extract([text])
