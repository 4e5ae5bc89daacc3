"""The row on stderr: a spinner, a countdown, a bar."""

from __future__ import annotations

import io
import re
import threading

import pytest

from darkai_cli.output.progress import Spinner, bar_row, count_down

SGR = re.compile(r"\x1b\[[0-9;]*m")


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_spinner_shows_what_and_how_long_and_goes():
    err = Terminal()
    now = [10.0]
    pauses = []

    def sleep(seconds):
        pauses.append(seconds)
        now[0] += seconds
        return len(pauses) > 3

    spinner = Spinner(
        err, "example.com\x1b[2J", clock=lambda: now[0], sleep=sleep, width=lambda: 60
    )
    spinner.run(10.0)
    assert pauses == pytest.approx([0.5, 0.5, 1.0, 1.0])
    rows = [SGR.sub("", row) for row in err.getvalue().split("\r")]
    assert rows == ["", *(f"Waiting for example.com␛[2J{s}\x1b[K" for s in ("", ", 1 s", ", 2 s"))]
    spinner.stop()
    assert err.getvalue().endswith("\r\x1b[K")
    spinner._draw(5)
    spinner.stop()
    assert err.getvalue().endswith("2 s\x1b[0m\x1b[K\r\x1b[K")


def test_a_spinner_writes_nothing_where_stderr_is_no_terminal():
    err = io.StringIO()
    spinner = Spinner(err, "x", delay=0)
    spinner.start()
    assert not any(thread.name == "darkai-waiting" for thread in threading.enumerate())
    spinner.stop()
    assert err.getvalue() == ""


def test_a_spinner_is_cut_to_the_row():
    err = Terminal()
    spinner = Spinner(err, "y" * 100, width=lambda: 20)
    spinner._draw(0)
    assert len(SGR.sub("", err.getvalue()).strip("\r").removesuffix("\x1b[K")) == 19


# --- the countdown ---

NOON = 1_768_478_400.0


def countdown_text(seconds: float, width: int = 80) -> str:
    err, now = Terminal(), [NOON]

    def sleep(length: float) -> None:
        now[0] += length

    count_down(err, "a\x1b[2Jb", seconds, width=lambda: width, clock=lambda: now[0], sleep=sleep)
    return err.getvalue()


def test_a_countdown_never_fills_the_row_and_is_gone_at_the_end():
    text = countdown_text(2.5)
    assert [f"Next slot in {n} s" in text for n in (3, 2, 1, 0)] == [True, True, True, False]
    assert text.endswith("\r\x1b[K")
    assert "\x1b[2J" not in text
    for row in countdown_text(1.0, width=20).split("\r")[1:-1]:
        assert len(SGR.sub("", row).removesuffix("\x1b[K")) < 20


def test_a_countdown_is_gone_after_ctrl_c():
    err = Terminal()

    def sleep(_: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        count_down(err, "why", 3605, width=lambda: 80, clock=lambda: NOON, sleep=sleep)
    assert "Next slot in 1:00:05" in err.getvalue()
    assert err.getvalue().endswith("\r\x1b[K")


# --- the bar ---


def test_the_bar_shows_a_percentage_and_fits_the_row():
    assert bar_row(0, 200, 40) == f" {' ' * 30}   0%"
    assert bar_row(100, 200, 40) == f" {'█' * 15}{' ' * 15}  50%"
    assert bar_row(300, 200, 20) == f" {'█' * 12} 100%"
    assert all(len(bar_row(1, 3, width)) < max(1, width) + 1 for width in range(30))
