"""What a person sees on a terminal: reasoning, waiting, themes, sizes, and a terminal put right."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import sys
import termios
import time
from pathlib import Path
from threading import Event

import pytest
from support.scenario import DARKAI, environment, run_darkai, run_in_pty, start_in_pty
from support.server import FaultServer, Pause, Reset, reply

COLOR = re.compile(rb"\x1b\[[0-9;]*38;")
CURSOR = re.compile(rb"\x1b\[\d+A")
FENCE = "# Title\n\nSome **text**.\n\n```python\ndef f(): return 'x'\n```\n"


def recording(*events: tuple[str, dict]) -> str:
    path = Path("reply.jsonl")
    start = ("stream-start", {"provider": "demo", "model": "m"})
    path.write_text(
        "".join(
            json.dumps({"event": name, "data": data, "t": 0}) + "\n"
            for name, data in (start, *events, ("stream-end", {"reason": "stop"}))
        )
    )
    return str(path)


def reasoning_chunks(*parts: str) -> list[tuple[str, dict]]:
    return [("reasoning-chunk", {"text": part}) for part in parts]


def text_chunks(*parts: str) -> list[tuple[str, dict]]:
    return [("text-chunk", {"text": part}) for part in parts]


def replayed(path: str, *args: str, **kwargs):
    return run_in_pty("replay", "--instant", path, *args, **kwargs)


# --- reasoning ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mode", "rows"),
    [
        (None, ["▸ reasoning, 3 words", "", "Answer"]),
        ("show", ["One two three.", "", "Answer"]),
        ("hide", ["Answer"]),
    ],
)
def test_reasoning_on_a_terminal(mode, rows) -> None:
    path = recording(*reasoning_chunks("One tw", "o three."), *text_chunks("**Ans", "wer**"))
    screen = replayed(path, *(["--reasoning", mode] if mode else []))
    assert (screen.code, screen.lines) == (0, rows)


@pytest.mark.parametrize(
    ("mode", "stderr"),
    [
        (None, ""),
        ("show", "One two three.\n"),
        ("fold", "note: Reasoning, 14 characters\n"),
    ],
)
def test_reasoning_in_a_pipe_is_beside_the_answer(mode, stderr) -> None:
    path = recording(*reasoning_chunks("One tw", "o three."), *text_chunks("**Ans", "wer**"))
    result = run_darkai("replay", "--instant", path, *(["--reasoning", mode] if mode else []))
    assert (result.code, result.stdout, result.stderr) == (0, b"**Answer**\n", stderr)


def test_a_reply_of_reasoning_only() -> None:
    path = recording(*reasoning_chunks("Only *this*."))
    assert replayed(path).lines == ["▸ reasoning, 2 words"]
    assert replayed(path, "--reasoning", "show").lines == ["Only this."]
    assert replayed(path, "--reasoning", "hide").lines == []
    assert run_darkai("replay", "--instant", path).stdout == b""


def test_interrupted_in_the_middle_of_reasoning() -> None:
    lines = [
        {"event": "stream-start", "data": {"provider": "demo", "model": "m"}, "t": 0},
        {"event": "reasoning-chunk", "data": {"text": "Let me think"}, "t": 0},
        {"event": "text-chunk", "data": {"text": "Answer"}, "t": 1000},
        {"event": "stream-end", "data": {"reason": "stop"}, "t": 1000},
    ]
    Path("slow.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    for mode, first in (("fold", "▸ reasoning, 3 words"), ("show", "Let me think")):
        screen = run_in_pty(
            "replay", "slow.jsonl", "--reasoning", mode, at=[(b"Let me think", signal.SIGINT)]
        )
        assert screen.code == 130
        assert [row for row in screen.lines if row][:2] == [first, "■ interrupted"]


# --- waiting --------------------------------------------------------------------------------------


def test_the_wait_is_told_on_a_terminal_and_gone_before_the_first_text() -> None:
    gate = Event()
    with (
        FaultServer(reply([Pause(gate), "Hello"])) as server,
        start_in_pty("ask", "hi", "--no-save", env={"DARKAI_URL": server.url}) as run,
    ):
        run.wait_for(b"Waiting for 127.0.0.1")
        gate.set()
        screen = run.screen_result()
    assert (screen.code, screen.lines) == (0, ["Hello"])
    last = screen.raw.rindex(b"Waiting for")
    assert last < screen.raw.index(b"\r\x1b[K", last) < screen.raw.index(b"Hello")


def test_the_wait_is_told_while_the_answer_goes_into_a_pipe_and_only_then() -> None:
    gate = Event()
    with (
        FaultServer(reply([Pause(gate), "Hello"])) as server,
        start_in_pty(
            "ask", "hi", "--no-save", on=("stdin", "stderr"), env={"DARKAI_URL": server.url}
        ) as run,
    ):
        run.wait_for(b"Waiting for", "terminal")
        gate.set()
        screen = run.screen_result()
    assert (screen.code, screen.stdout, screen.lines) == (0, b"Hello\n", [])


@pytest.mark.parametrize("args", [["--quiet"], ["--plain"]])
def test_no_wait_where_it_is_not_wanted(args) -> None:
    gate, begun = Event(), Event()
    with (
        FaultServer(reply([Pause(gate), "Hello", Pause(begun)])) as server,
        start_in_pty("ask", "hi", "--no-save", *args, env={"DARKAI_URL": server.url}) as run,
    ):
        server.wait_requests()
        begun.wait(0.8)  # longer than the row would take
        gate.set()
        begun.set()
        screen = run.screen_result()
    assert b"Waiting" not in screen.raw
    assert screen.lines == ["Hello"]


# --- themes, colors, sizes -----------------------------------------------------------------------


def test_theme_and_code_theme_of_the_config() -> None:
    path = recording(*text_chunks(FENCE))
    seen = {
        (theme, code): replayed(path, env={"DARKAI_THEME": theme, "DARKAI_CODE_THEME": code}).raw
        for theme, code in (("dark", "auto"), ("light", "auto"), ("dark", "monokai"))
    }
    assert len(set(seen.values())) == 3
    assert all(COLOR.search(raw) for raw in seen.values())
    light = replayed(path, env={"COLORFGBG": "0;15"}).raw
    assert COLOR.findall(light) == COLOR.findall(seen["light", "auto"])


def test_a_code_theme_that_does_not_exist_is_told_and_replaced() -> None:
    path = recording(*text_chunks(FENCE))
    screen = replayed(path, env={"DARKAI_CODE_THEME": "nope"})
    assert screen.code == 0
    assert screen.lines[0] == "warning: No code theme named `nope`; using `auto`"
    assert COLOR.search(screen.raw)
    assert "warning" not in "".join(
        replayed(path, "--quiet", env={"DARKAI_CODE_THEME": "nope"}).lines
    )


ROWS = ["Title", "━━━━━", "", "Some text.", "", "─── python", "def f(): return 'x'", "───"]


@pytest.mark.parametrize(
    ("args", "env", "color", "moves"),
    [
        ([], {}, True, True),
        ([], {"NO_COLOR": "1"}, False, True),
        ([], {"TERM": "dumb"}, False, False),
        ([], {"CI": "1"}, True, False),
        (["--plain"], {}, True, False),
        (["--plain"], {"NO_COLOR": "1"}, False, False),
    ],
)
def test_the_same_rows_in_every_mode(args, env, color, moves) -> None:
    path = recording(*text_chunks(*re.findall(r"[\s\S]{1,5}", FENCE)))
    screen = replayed(path, *args, env=env)
    assert (screen.code, screen.lines) == (0, ROWS)
    assert bool(COLOR.search(screen.raw)) == color
    assert (b"\x1b[?25l" in screen.raw) == moves
    if not moves:
        assert not CURSOR.search(screen.raw)
    if not (color or moves):
        assert b"\x1b" not in screen.raw


@pytest.mark.parametrize(("cols", "rows"), [(20, 5), (400, 24)])
def test_unusual_sizes(cols, rows) -> None:
    words = [f"wd{n}x" for n in range(300)]
    path = recording(
        *text_chunks(*(f"{word} " for word in words), "\n\n| a | b |\n|---|---|\n| c | d |")
    )
    screen = replayed(path, cols=cols, rows=rows)
    assert screen.code == 0
    assert re.findall(r"wd\d+x", "\n".join(screen.lines)) == words
    assert screen.lines[-3:] == ["a │ b", "──┼──", "c │ d"]


# --- the terminal is put right --------------------------------------------------------------------


def is_right(raw: bytes) -> bool:
    """The last word on each of the terminal's states is the one of a shell's terminal."""
    return (
        raw.rfind(b"\x1b[?25h") > raw.rfind(b"\x1b[?25l")
        and raw.rfind(b"\x1b[?7h") >= raw.rfind(b"\x1b[?7l")
        and raw.rfind(b"\x1b[0m") > max((m.start() for m in COLOR.finditer(raw)), default=-1)
        and raw.rfind(b"\x1b[?2026l") >= raw.rfind(b"\x1b[?2026h")
    )


@pytest.mark.parametrize(
    ("how", "code", "marker"),
    [
        (None, 0, None),
        (signal.SIGINT, 130, "■ interrupted"),
        (signal.SIGTERM, 143, "■ interrupted"),
        ("reset", 14, "■ incomplete"),
    ],
)
def test_however_it_ends_the_terminal_is_right(how, code, marker) -> None:
    gate = Event()
    steps = [Pause(gate), Reset()] if how == "reset" else [Pause(gate), "."]
    with (
        FaultServer(reply(["# Title\n\nsome **bold** `word", *steps])) as server,
        start_in_pty("ask", "hi", "--no-save", env={"DARKAI_URL": server.url}) as run,
    ):
        run.wait_for(b"word")
        assert run._master is not None
        assert not termios.tcgetattr(run._master)[3] & termios.ECHO
        if isinstance(how, signal.Signals):
            run.signal(how)
        else:
            gate.set()
        result = run.finish()
        assert termios.tcgetattr(run._master)[3] & termios.ECHO
        screen = run.screen_result()
    assert result.code == code
    assert is_right(screen.raw)
    assert screen.lines[:2] == ["Title", "━━━━━"]
    assert (marker in screen.lines) if marker else not any("■" in row for row in screen.lines)


def test_a_sink_that_fails_leaves_the_terminal_right() -> None:
    code = (
        "import darkai_cli.output.terminal.renderer as c, sys\n"
        "from darkai_cli.__main__ import main\n"
        "def fail(*a): raise RuntimeError('a bug')\n"
        "c.ReplyRenderer.feed = fail\n"
        "sys.argv[0] = 'darkai'\n"
        "sys.exit(main())\n"
    )
    path = recording(*text_chunks("Hello ", "you"))
    screen = replayed(path, command=(sys.executable, "-c", code))
    assert screen.code not in (0, 130)
    assert is_right(screen.raw)


def test_a_terminal_that_has_gone_ends_it() -> None:
    gate = Event()
    with (
        FaultServer(reply(["Hello", Pause(gate), "."])) as server,
        start_in_pty("ask", "hi", "--no-save", env={"DARKAI_URL": server.url}) as run,
    ):
        run.wait_for(b"Hello")
        run.signal(signal.SIGHUP)
        gate.set()
        assert run.finish().code != 0


# --- a real terminal that re-wraps ----------------------------------------------------------------


class Tmux:
    """A tmux server of the test's own, with one window."""

    def __init__(self, command: str) -> None:
        self._base = ["tmux", "-S", str(Path("tmux").resolve()), "-f", "/dev/null"]
        self("new-session", "-d", "-x", "80", "-y", "24", f"{command}; tmux wait-for -S done; cat")

    def __call__(self, *args: str) -> str:
        return subprocess.run(
            [*self._base, *args], capture_output=True, text=True, check=True, timeout=30,
            env=environment({"TMUX": None, "TERM": "xterm-256color", "LANG": "C.UTF-8"}),
        ).stdout  # fmt: skip

    def text(self) -> str:
        return self("capture-pane", "-p", "-J", "-S", "-")


@pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")
def test_resizing_a_real_terminal_neither_loses_nor_doubles_a_word() -> None:
    gates = [Event() for _ in range(5)]
    parts = [
        "".join(f"wd{n}x{' ' if n % 40 else '. '}" for n in range(at, at + 60))
        for at in range(100, 400, 60)
    ]
    parts[1] = "\n\n- " + parts[1] + "\n- "
    parts[3] = "\n\n" + parts[3]
    steps = [item for pair in zip(parts, map(Pause, gates), strict=True) for item in pair]
    with FaultServer(reply(steps)) as server:
        command = f"DARKAI_URL={server.url} {' '.join(DARKAI)} ask hi --no-save"
        tmux = Tmux(command)
        try:
            for width, gate, part in zip((80, 40, 120, 60, 80), gates, parts, strict=True):
                last = re.findall(r"wd\d+x", part)[-1]
                deadline = time.monotonic() + 20
                while time.monotonic() < deadline:
                    if last in tmux.text():
                        break
                else:
                    pytest.fail(tmux.text())
                tmux("resize-window", "-x", str(width), "-y", "24")
                gate.set()
            tmux("wait-for", "done")
            seen = re.findall(r"wd\d+x", tmux.text())
        finally:
            tmux("kill-server")
    assert seen == [f"wd{n}x" for n in range(100, 400)]
