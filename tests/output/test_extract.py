"""``ask -x``: the first fenced code block, as soon as it is closed."""

from __future__ import annotations

import errno
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from darkai_cli.errors import InputError, NetworkError, NotFoundError
from darkai_cli.events import ReasoningChunk, StreamEnd, TextChunk
from darkai_cli.output.extract import ExtractSink


def extract(*pieces: str) -> str | None:
    """The block in a complete reply; None if there is none."""
    written: list[str] = []
    sink = ExtractSink(written.append)
    for piece in pieces:
        sink.feed(TextChunk(piece))
    try:
        sink.close()
    except NotFoundError:
        assert (written, sink.has_block) == ([], False)
        return None
    assert sink.has_block
    assert len(written) <= 1
    return "".join(written)


def test_blocks() -> None:
    for text, block in [
        ("```\nx = 1\n```\n", "x = 1\n"),
        ("Here:\n```py\nx\n```\nand\n```\ny\n```\n", "x\n"),
        ("~~~ a `b`\nx\n~~~", "x\n"),
        ("````\n```\nx\n```\n````\n", "```\nx\n```\n"),
        ("```\nx\n`````\ny", "x\n"),
        ("```\nx\n~~~\n```\n", "x\n~~~\n"),
        ("```\nx\n``` not a close\ny\n```\n", "x\n``` not a close\ny\n"),
        ("```\nx\n  ``` \t\ny", "x\n"),
        ("```\nx\n    ```\n```\n", "x\n    ```\n"),
        ("``` a`b\nx\n", None),
        ("``\nx\n``\n", None),
        ("    ```\n    x\n    ```\n", None),
        ("\t```\n", None),
        ("text ``` x\n", None),
        ("`inline` only", None),
        ("", None),
        ("  ```\n    x\n y\nz\n  ```\n", "  x\ny\nz\n"),
        ("```\n\n\n\tx  \n\n```\n", "\n\n\tx  \n\n"),
        ("```\n```\n", ""),
        ("```", ""),
        ("```\nopen to the end", "open to the end\n"),
        ("```\nopen\n\n", "open\n\n"),
        ("```\r\nx\r\ny\r\n```\r\n", "x\ny\n"),
        ("```\rx\ry\r```\r", "x\ny\n"),
        ("1. Do:\n\n   ```sh\n   ls\n     -l\n   ```\n2. Then\n", "ls\n  -l\n"),
        ("- ```\n  x\n  ```\n", "x\n"),
        ("- a\n  - b\n\n    ~~~\n    x\n\n    y\n    ~~~\n", "x\n\ny\n"),
        ("10. a\n    ```\n    x\n", "x\n"),
        ("- a\n\n      ```\n      x\n", None),
        ("- ```\n  x\ny\n```\nz\n```\n", "x\n"),
        ("> ```\n> x\n>\n>  y\n> ```\n", "x\n\n y\n"),
        ("> ```\n> x\ny\n", "x\n"),
        ("> - ```\n>   x\n>   ```\n", "x\n"),
        ("para\n2. ```\n", None),
        ("para\n1. ```\n   x\n", "x\n"),
        ("para\n-\n  ```\n  x\n  ```\n", "x\n"),
        ("- - -\n```\nx\n```\n", "x\n"),
        ("-\n\n  ```\n  x\n", "x\n"),
        ("-\n  ```\n  x\n  ```\n", "x\n"),
        ("-\t```\n\tx\n\t```\n", "x\n"),
        ("- a\n\n\t```\n\t\tx\n\t```\n", "\tx\n"),
        (">\t```\n> x\n", "x\n"),
        ("-\n\n  ```\n  x\ny\n", "x\ny\n"),
        ("-\n  a\n\n  ```\n  x\ny\n", "x\n"),
        ("-\n ```\n x\ny\n", "x\ny\n"),
        ("-      ```\n", None),
        ("- - -\n  ```\n  x\ny\n", "x\ny\n"),
        ("- a\nb\n  ```\n  x\ny\n", "x\n"),
        ("> para\n2. ```\n   x\n", "x\n"),
        ("# h\n2. ```\n   x\n", "x\n"),
        ("para\n===\n2. ```\n   x\n", "x\n"),
        ("    code\n2. ```\n   x\n", "x\n"),
        ("para\n*\n  ```\n  x\ny\n", "x\ny\n"),
        ("> " * 39 + "```\n" + "> " * 39 + "x", "x\n"),
        ("> " * 40 + "```\n", None),
        ("<details>\n```\nx\n```\n", "x\n"),
        ("<!-- c -->\n\n```\n\x1b[2J\n```\n", "\x1b[2J\n"),
        ("a\u2028```\nx\n", None),
        ("\x0c```\nx\n", None),
    ]:
        assert extract(text) == block, text


def test_written_as_soon_as_closed_and_once() -> None:
    written: list[str] = []
    sink = ExtractSink(written.append)
    for text in ("Here:\n``", "`py\nx =", " 1\n", "``", "`"):
        sink.feed(TextChunk(text))
        assert (written, sink.has_block) == ([], False)
    sink.feed(TextChunk("\nAnd"))
    assert (written, sink.has_block) == (["x = 1\n"], True)
    sink.feed(TextChunk(" more:\n```\ny\n```\n"))
    sink.close()
    assert written == ["x = 1\n"]


def test_only_text_counts() -> None:
    written: list[str] = []
    sink = ExtractSink(written.append)
    sink.feed(ReasoningChunk("```\nthought\n```\n"))
    sink.feed(TextChunk("```\nx\n"))
    sink.feed(ReasoningChunk("```\n"))
    sink.feed(StreamEnd("stop"))
    sink.close()
    assert written == ["x\n"]


def test_a_cut_block_is_not_written() -> None:
    written: list[str] = []
    sink = ExtractSink(written.append)
    sink.feed(TextChunk("```\nrm -rf /tmp"))
    sink.close(NetworkError("connection lost"))
    assert (written, sink.has_block) == ([], False)


def test_a_closed_block_survives_a_later_cut() -> None:
    written: list[str] = []
    sink = ExtractSink(written.append)
    sink.feed(TextChunk("```\nls\n```\nand th"))
    sink.close(NetworkError("connection lost"))
    assert (written, sink.has_block) == (["ls\n"], True)


def test_no_block_is_an_error_with_a_hint() -> None:
    sink = ExtractSink(lambda _: None)
    sink.feed(TextChunk("no code here"))
    with pytest.raises(NotFoundError) as caught:
        sink.close(None)
    assert caught.value.message == "The reply has no fenced code block"
    assert caught.value.hint == "Run it without `-x` to see the whole reply"
    assert caught.value.exit_code == 5


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EPIPE])
def test_an_output_that_fails(number: int) -> None:
    def write(text: str) -> None:
        raise OSError(number, "no")

    sink = ExtractSink(write)
    sink.feed(TextChunk("```\nx\n"))
    with pytest.raises(BrokenPipeError if number == errno.EPIPE else InputError):
        sink.feed(TextChunk("```\n"))


def test_hostile_replies_take_linear_time() -> None:
    """A quadratic step would not come back from these."""
    size = 60_000
    for text in (
        *("> " * size, ">" * size, "- " * size, "-" * size, "1." * size, "* " * size, "\t" * size),
        *(
            "`" * size,
            "#" * size,
            " " * size,
            "a" * size,
            "a\n" * size,
            "\r" * size,
            "```x`\n" * size,
        ),
        *(
            "> > > > ```x`\n" * 8_000,
            "```\n" + "``\n" * size,
            "-\n" * 15_000,
            "  " * 9 + "- a\n" * 15_000,
        ),
    ):
        sink = ExtractSink(lambda _: None)
        for start in range(0, len(text), 4096):
            sink.feed(TextChunk(text[start : start + 4096]))
        sink.close(NetworkError("over"))


# --- any text: the same block however it is cut, and the one that CommonMark sees ---

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


def first_fence(text: str) -> str | None:
    return next((token.content for token in MARKDOWN.parse(text) if token.type == "fence"), None)


@settings(max_examples=200)
@given(documents)
def test_the_block_commonmark_sees(text: str) -> None:
    assert extract(text) == first_fence(text)


@settings(max_examples=150)
@given(answers())
def test_the_first_block_of_an_answer(answer: tuple[str, str]) -> None:
    text, code = answer
    assert extract(text) == code == first_fence(text)


@settings(max_examples=150)
@given(
    st.one_of(documents, answers().map(lambda answer: answer[0])),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.booleans(),
    st.lists(st.integers(0, 400), max_size=10),
)
def test_cutting_is_invisible(text: str, newline: str, is_whole: bool, places: list[int]) -> None:
    plain = text if is_whole else text.removesuffix("\n")
    whole = extract(plain)
    foreign = plain.replace("\n", newline)
    cuts = sorted({0, len(foreign), *(place % (len(foreign) + 1) for place in places)})
    assert extract(*(foreign[a:b] for a, b in pairwise(cuts))) == whole
    assert extract(*foreign) == whole


@settings(max_examples=100)
@given(st.text(st.sampled_from("`~> -1.\t\r\n\x00ab"), max_size=60))
def test_any_text_is_taken(text: str) -> None:
    assert extract(*text) == extract(text)
