"""R1, R2, R3, R4, R6, R9: what a streamed text leaves in the terminal, cell for cell."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from support.documents import EXAMPLES, Page, answers, new_sink, static, stream
from support.emulator import Terminal

from darkai_cli.errors import IncompleteReplyError
from darkai_cli.events import StreamEnd

widths = st.sampled_from([20, 21, 33, 40, 80, 200])
heights = st.sampled_from([5, 6, 9, 24, 50])
seeds = st.integers(0, 2**32)
_UP = re.compile(r"\x1b\[(\d+)A")


def cells_of_static(document, width, height):
    terminal = Terminal(width, height)
    terminal.write(static(document, width))
    return terminal


def streamed(document, width, height, seed, **options):
    terminal = Terminal(width, height)
    sink = new_sink(Page(terminal.write), width, height, **options)
    stream(sink, document, seed)
    sink.feed(StreamEnd("stop"))
    sink.close()
    return terminal


@given(answers(), widths, heights, seeds)
@example("Foo\n#hashtag goes on\n", 40, 24, 1)  # partial lines decide nothing
@example("Foo\n--- no, text\n\nx", 40, 24, 2)
@example("[a]: https://e.com\n\ntext\n\n[a]\n", 40, 24, 3)  # definitions are carried on
@example("one\n\ntwo\n\nthree\n", 20, 5, 4)  # the blank row between blocks too
@example("a" * 20 + "\n\nb", 20, 5, 5)  # a full row is not cleared
@example("- " + "b" * 17 + "\n- x\n\nb\n", 20, 6, 1)
@example("```\na\n\n\n```\n\nb\n\n```\nx\n\n", 40, 24, 6)  # blank lines in a fence wait
@example("👨‍👩‍👧" * 12 + "\n\nx", 20, 5, 7)  # widths in doubt
@example("a ✅" * 9 + "\n" + "b ✅" * 9 + "\n\n- x\n- y", 20, 5, 8)
def test_stream_equals_static(document, width, height, seed):
    terminal = streamed(document, width, height, seed)
    expected = cells_of_static(document, width, height)
    assert terminal.rows() == expected.rows()
    assert terminal.cells() == expected.cells()
    assert terminal.wraps
    assert not terminal.cursor_hidden


@pytest.mark.parametrize("part", range(8))
def test_every_commonmark_example(part):
    for number, document in enumerate(EXAMPLES[part::8]):
        for height in (6, 24):
            terminal = streamed(document, 40, height, number)
            assert terminal.cells() == cells_of_static(document, 40, height).cells(), document


@given(answers(), widths, seeds, st.sampled_from(["live", "append"]), st.booleans())
def test_colors_and_modes_make_no_other_rows(document, width, seed, mode, color):
    terminal = streamed(document, width, 24, seed, mode=mode, color=color)
    assert terminal.rows() == cells_of_static(document, width, 24).rows()


@given(answers(), widths)
def test_append_mode_without_color_writes_no_escape_sequence(document, width):
    page = Page()
    sink = new_sink(page, width, 24, mode="append", color=False)
    stream(sink, document, 1)
    sink.close()
    assert "\x1b" not in page.text
    assert page.text == static(document, width, color=False)


@given(answers(), st.integers(0, 10_000), widths, seeds)
def test_stopped_anywhere_leaves_the_prefix_and_a_marker(document, cut, width, seed):
    prefix = document[: cut % (len(document) + 1)]
    terminal = Terminal(width, 24)
    sink = new_sink(Page(terminal.write), width, 24)
    stream(sink, prefix, seed)
    sink.close(KeyboardInterrupt())
    expected = cells_of_static(prefix, width, 24).rows()
    if not prefix:
        assert terminal.rows() == []
        return
    gap = [""] if expected else []
    assert terminal.rows() == [*expected, *gap, "■ interrupted"]


@given(answers(), widths, heights, seeds)
def test_what_is_above_the_preview_is_final(document, width, height, seed):
    final = cells_of_static(document, width, height).rows()
    terminal = Terminal(width, height)
    page = Page(terminal.write)
    sink = new_sink(page, width, height)
    bound = max(1, min(height - 2, 20))

    def check(_):
        above = terminal.cursor_row + 1 - bound
        rows = terminal.rows()
        rows += [""] * (above - len(rows))
        assert rows[: max(0, above)] == final[: max(0, above)]

    stream(sink, document, seed, check)
    sink.close()
    assert not re.search(r"\x1b\[[23]J|\x1b\[\d*;?\d*H|\x1bc|\x1b\[\?1049", page.text)
    assert all(int(up) < bound for up in _UP.findall(page.text))


words = st.lists(st.text("abcdefghijklmnop", min_size=1, max_size=9), min_size=1, max_size=60)


@given(
    st.lists(
        st.tuples(st.sampled_from(["", "- ", "> ", "# ", "```\n"]), words), min_size=1, max_size=4
    ),
    widths,
    st.sampled_from([24, 50]),
    seeds,
)
def test_what_was_received_is_on_the_screen(blocks, width, height, seed):
    document = "\n\n".join(
        start + " ".join(text) + ("\n```" * (start == "```\n")) for start, text in blocks
    )
    terminal = Terminal(width, height)
    sink = new_sink(Page(terminal.write), width, height)

    def check(text):
        tail = re.sub(r"[^a-p]", "", text)[-20:]
        seen = re.sub(r"[^a-p]", "", "".join(terminal.rows()))
        assert seen.endswith(tail)

    stream(sink, document, seed, check)


def test_how_it_ended_is_said_once():
    for error, text in [
        (IncompleteReplyError("connection lost"), "■ incomplete"),
        (RuntimeError("x"), "■ failed"),
        (None, "■ cut off at the length limit"),
    ]:
        terminal = Terminal(40, 10)
        sink = new_sink(Page(terminal.write), 40, 10)
        stream(sink, "Hello", 1)
        if error is None:
            sink.feed(StreamEnd("length"))
        sink.close(error)
        assert terminal.rows() == ["Hello", "", text]
