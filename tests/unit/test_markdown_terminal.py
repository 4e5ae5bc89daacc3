"""FrameSchedule, waiting, the terminal's state, themes, and what bad input costs."""

from __future__ import annotations

import contextlib
import io
import os
import pty
import re
import select
import signal
import subprocess
import sys
import termios
import textwrap
import threading

import pytest
from support.documents import Page, new_sink, static

from darkai_cli.events import Citation, ReasoningChunk, StreamEnd, TextChunk
from darkai_cli.output.progress import Spinner
from darkai_cli.output.terminal import TerminalSink, render_static
from darkai_cli.output.terminal.capabilities import background, has_links, has_truecolor, rewraps
from darkai_cli.output.terminal.highlight import highlighter, language
from darkai_cli.output.terminal.painter import MAX_INTERVAL, MIN_INTERVAL, FrameSchedule, Painter
from darkai_cli.output.terminal.terminal_sink import BACKLOG

SGR = re.compile(r"\x1b\[[0-9;]*m")


def test_the_first_frame_is_painted_at_once_and_the_next_when_due():
    pace = FrameSchedule()
    assert pace.wait(100.0) == 0
    pace.frame_done(100.0, 100.001)
    assert pace.wait(100.001) == pytest.approx(MIN_INTERVAL)
    assert pace.wait(101.0) == 0
    pace.frame_done(101.0, 101.008)
    assert pace.wait(101.008) == pytest.approx(0.08)
    pace.frame_done(102.0, 103.0)
    assert pace.wait(103.0) == pytest.approx(MAX_INTERVAL)


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


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_waiting_shows_what_and_how_long_and_goes():
    err = Terminal()
    now = [10.0]
    pauses = []

    def sleep(seconds):
        pauses.append(seconds)
        now[0] += seconds
        return len(pauses) > 3

    waiting = Spinner(
        err, "example.com\x1b[2J", clock=lambda: now[0], sleep=sleep, width=lambda: 60
    )
    waiting.run(10.0)
    assert pauses == pytest.approx([0.5, 0.5, 1.0, 1.0])
    rows = [SGR.sub("", row) for row in err.getvalue().split("\r")]
    assert rows == ["", *(f"Waiting for example.com␛[2J{s}\x1b[K" for s in ("", ", 1 s", ", 2 s"))]
    waiting.stop()
    assert err.getvalue().endswith("\r\x1b[K")
    waiting._draw(5)
    waiting.stop()
    assert err.getvalue().endswith("2 s\x1b[0m\x1b[K\r\x1b[K")


def test_waiting_writes_nothing_where_stderr_is_no_terminal():
    err = io.StringIO()
    waiting = Spinner(err, "x", delay=0)
    waiting.start()
    assert not any(thread.name == "darkai-waiting" for thread in threading.enumerate())
    waiting.stop()
    assert err.getvalue() == ""


def test_waiting_is_cut_to_the_row():
    err = Terminal()
    waiting = Spinner(err, "y" * 100, width=lambda: 20)
    waiting._draw(0)
    assert len(SGR.sub("", err.getvalue()).strip("\r").removesuffix("\x1b[K")) == 19


@pytest.mark.parametrize(
    ("value", "found"),
    [("0;15", "light"), ("15;0", "dark"), ("15;default;0", "dark"), ("", "dark")],
)
def test_background(value, found):
    assert background({"COLORFGBG": value}) == found


def test_what_terminals_can_do():
    assert has_truecolor({"COLORTERM": "truecolor"})
    assert not has_truecolor({})
    assert has_links({"VTE_VERSION": "7200"})
    assert not has_links({"VTE_VERSION": "x", "TERM": "xterm-256color"})
    assert rewraps({"TERM": "xterm-256color"})
    assert rewraps({"TERM": "screen-256color", "TMUX": "1"})
    assert not rewraps({"TERM": "xterm-256color", "XTERM_VERSION": "XTerm(379)"})


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
            shown = render_static(text, width=60, color=True, theme=theme, code_theme=code_theme)
            assert COLORS.search(shown)
            assert not re.search(r"\x1b\[(?:[0-9;]*;)?4[0-8]", shown)
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
    shown = static(text, 40, color=False)
    assert all(f"c{n}: v{n}\n" in shown for n in range(30))
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
    found = highlighter(name)
    tokens = [found.line(line) for line in lines]
    assert any(expected in str(kind) for kind, part in tokens[1] if part.strip())
    assert ["".join(part for _, part in line) for line in tokens] == lines
    after = found.line("x")
    assert "Comment" not in str(after[0][0])


def test_languages():
    assert [language(i) for i in ("py", "{.python title=x}", "C++ x", "", "js:run")] == [
        "py", "python", "C++", "", "js",
    ]  # fmt: skip
    assert highlighter("no-such-language") is None
    assert highlighter("") is None


# The terminal's state (R10)

CHILD = textwrap.dedent(
    """
    import os, sys, signal, termios
    from darkai_cli.events import TextChunk, StreamEnd
    from darkai_cli.output.terminal import TerminalSink
    how, gate = sys.argv[1], int(sys.argv[2])
    signal.alarm(60)  # whatever goes wrong, it does not outlive the test
    if how == "stop":  # only a job with a living parent in its session can be stopped
        mine, parents = os.pipe()
        job = os.fork()
        if job:
            signal.signal(signal.SIGTTOU, signal.SIG_IGN)
            os.setpgid(job, job)
            os.tcsetpgrp(0, job)
            os.read(gate, 1)
            os.kill(job, signal.SIGTSTP)
            _, status = os.waitpid(job, os.WUNTRACED)
            os.write(1, b"STOPPED" if os.WIFSTOPPED(status) else b"NOT")
            os.read(gate, 1)
            os.kill(job, signal.SIGCONT)
            os.read(gate, 1)
            os.write(parents, b"x")
            os.waitpid(job, 0)
            sys.exit()
        signal.alarm(60)
        while os.tcgetpgrp(0) != os.getpid():
            os.sched_yield()
        gate = mine
    sink = TerminalSink(sys.stdout, width=lambda: 60, height=lambda: 20, color=True, input_fd=0)
    def term(signum, frame):
        raise SystemExit(143)
    signal.signal(signal.SIGTERM, term)
    error = None
    try:
        sink.feed(TextChunk("Hello there, this is **text**"))
        echo = termios.tcgetattr(0)[3] & termios.ECHO
        os.read(gate, 1)      # the test decides when it goes on
        if how == "raise":
            raise RuntimeError("bug")
        if how == "exit":
            sys.exit(5)
    except BaseException as exc:
        error = exc
        if how == "exit":
            raise
    sink.close(error)
    print("echo was", "on" if echo else "off")
    """
)


def read_until(fd, pattern, seen=b""):
    while not re.search(pattern, seen):
        ready, _, _ = select.select([fd], [], [], 30)
        assert ready, seen
        try:
            data = os.read(fd, 65536)
        except OSError:
            break
        if not data:
            break
        seen += data
    return seen


@pytest.mark.parametrize("how", ["end", "raise", "exit", "interrupt", "term", "stop"])
def test_the_terminal_is_put_right(how):
    master, slave = pty.openpty()
    gate_out, gate_in = os.pipe()
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, how, str(gate_out)],
        stdin=slave, stdout=slave, stderr=slave, start_new_session=True, pass_fds=[gate_out],
        preexec_fn=lambda:  # noqa: PLW1509 -- the child owns the terminal
        __import__("fcntl").ioctl(0, termios.TIOCSCTTY, 0),
    )  # fmt: skip
    job = 0
    try:
        seen = read_until(master, rb"Hello there")
        assert b"\x1b[?25l" in seen
        if how == "stop":
            job = os.tcgetpgrp(master)
        assert not termios.tcgetattr(slave)[3] & termios.ECHO
        os.write(master, b"typed ahead")
        if how == "stop":
            os.write(gate_in, b"x")
            seen = read_until(master, rb"STOPPED", seen)
            assert seen.endswith(b"\x1b[?25hSTOPPED")
            assert termios.tcgetattr(slave)[3] & termios.ECHO
            os.write(gate_in, b"x")
            seen = read_until(master, rb"\x1b\[\?25h[\s\S]*\x1b\[\?25l[\s\S]*Hello there", seen)
        if how in ("interrupt", "term"):
            child.send_signal(signal.SIGINT if how == "interrupt" else signal.SIGTERM)
        else:
            os.write(gate_in, b"x")
        end = rb"\x1b\[\?25h" if how == "exit" else rb"echo was off"
        seen = read_until(master, end, b"" if how == "exit" else seen)
        child.wait(30)
        assert seen.rindex(b"\x1b[?25h") > seen.rfind(b"\x1b[?25l")
        assert seen.rfind(b"\x1b[?7h") >= seen.rfind(b"\x1b[?7l")
        state = termios.tcgetattr(slave)
        assert state[3] & termios.ECHO
        state[3] &= ~termios.ICANON
        termios.tcsetattr(slave, termios.TCSANOW, state)
        assert os.read(slave, 100) == b"typed ahead"
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        if how == "stop" and job:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(job, signal.SIGKILL)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(10)
        for fd in (master, slave, gate_out, gate_in):
            os.close(fd)
