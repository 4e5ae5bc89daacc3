"""Frames: when the next one is due, and text that comes faster than they can show."""

from __future__ import annotations

import pytest
from support.documents import Page, new_sink

from darkai_cli.events import StreamEnd, TextChunk
from darkai_cli.output.terminal import TerminalSink
from darkai_cli.output.terminal.painter import MAX_INTERVAL, MIN_INTERVAL, FrameSchedule, Painter
from darkai_cli.output.terminal.terminal_sink import BACKLOG


def test_the_first_frame_is_painted_at_once_and_the_next_when_due():
    schedule = FrameSchedule()
    assert schedule.wait(100.0) == 0
    schedule.frame_done(100.0, 100.001)
    assert schedule.wait(100.001) == pytest.approx(MIN_INTERVAL)
    assert schedule.wait(101.0) == 0
    schedule.frame_done(101.0, 101.008)
    assert schedule.wait(101.008) == pytest.approx(0.08)
    schedule.frame_done(102.0, 103.0)
    assert schedule.wait(103.0) == pytest.approx(MAX_INTERVAL)


def test_the_painter_paints_what_was_requested_and_passes_errors_on():
    painted = []
    painter = Painter(lambda: painted.append(1))
    painter.stop()
    assert painted == []

    def fail():
        raise BrokenPipeError

    painter = Painter(fail)
    painter.request()
    painter._thread.join()
    with pytest.raises(BrokenPipeError):
        painter.request()
    with pytest.raises(BrokenPipeError):
        painter.stop()


def test_a_painter_in_a_hurry_paints_before_settle_returns():
    painted = []
    painter = Painter(lambda: painted.append(1))
    for number in range(1, 4):
        painter.settle()
        assert len(painted) >= number
    painter.stop()

    def fail():
        raise BrokenPipeError

    painter = Painter(fail)
    for _ in range(2):
        with pytest.raises(BrokenPipeError):
            painter.settle()


@pytest.mark.parametrize("size", [100, 1_000_000])
def test_text_that_comes_too_fast_is_not_piled_up(size):
    page = Page()
    sink = new_sink(page, 40, 24, mode="append", color=False)
    waiting = []
    frame = sink.paint

    def settle():
        waiting.append(sink._received - sink._painted)
        frame()

    sink._painter.settle = settle
    words = "word " * (size // 5)
    for _ in range(200_000 // size + 1):
        sink.feed(TextChunk(words))
        assert sink._received - sink._painted <= BACKLOG
    assert waiting
    assert max(waiting) <= 2 * BACKLOG
    sink.close()
    assert len(page.text.split()) == len(words.split()) * (200_000 // size + 1)


def test_a_sink_with_its_own_painter_shows_everything():
    page = Page()
    sink = TerminalSink(page, width=lambda: 40, height=lambda: 24, color=False, mode="append")
    for number in range(2000):
        sink.feed(TextChunk(f"w{number} "))
    sink.feed(StreamEnd("stop"))
    sink.close()
    assert page.text.split() == [f"w{n}" for n in range(2000)]
