"""Measure the rendering of a streamed reply, as ratios. Run: ``python benchmarks/render.py``.

The figures are the CPU time of the process and the bytes written, compared with other programs that
render the same text. Frames are painted as at 10 frames and 360 tokens a second (a token is four
characters), without waiting. "static" is the whole text rendered once by the same elements.
"""

from __future__ import annotations

import io
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from processes import Run, Service, darkai, in_turn, measure_on_terminal, ratio
from rich.console import Console
from rich.live import Live
from rich.markdown import Markdown

from darkai_cli.events import StreamEnd, TextChunk
from darkai_cli.output.terminal import TerminalSink, render_static
from darkai_cli.output.terminal.terminal_sink import Mode

WIDTH, HEIGHT = 80, 24
FRAME = 36 * 4
TOKEN = 4
_WORDS = [
    *("the", "model", "answers", "with", "words", "of", "ordinary", "length", "and", "sometimes"),
    *("**bold**", "or", "`code`", "or", "*emphasis*", "while", "it", "explains", "a", "thing"),
]
_CODE = ("def f(x, y=1):", "    return x + y", "# a comment", "for i in range(10):", "    print(i)")


def answer(size: int, seed: int = 1) -> str:
    """Return a long reply as models write them: paragraphs, lists, code, tables."""
    dice = random.Random(seed)

    def words(low: int, high: int) -> str:
        return " ".join(dice.choices(_WORDS, k=dice.randint(low, high)))

    def table() -> list[str]:
        rows = [f"| {words(1, 6)} | {words(1, 6)} | {words(1, 6)} |" for _ in range(8)]
        return ["| a | b | c |", "|---|---|---|", *rows]

    parts: list[str] = []
    total = 0
    while total < size:
        kind = dice.random()
        if kind < 0.5:
            lines = [words(30, 110)]
        elif kind < 0.55:
            lines = ["## " + words(3, 6)]
        elif kind < 0.75:
            lines = ["- " + words(4, 25) for _ in range(6)]
        elif kind < 0.92:
            lines = ["```python", *dice.choices(_CODE, k=dice.randint(5, 40)), "```"]
        else:
            lines = table()
        parts.append("\n".join(lines))
        total += len(parts[-1]) + 2
    return "\n\n".join(parts)[:size]


_LINE = "some words with **bold** text and `code` in them, nothing special here"
KINDS: dict[str, tuple[str, str]] = {
    "one line": ("", _LINE + " "),
    "paragraph": ("", _LINE + "\n"),
    "quote": ("", f"> {_LINE}\n"),
    "bullet list": ("", f"- {_LINE}\n"),
    "list item": ("- a\n\n", f"  {_LINE}\n\n"),
    "table": ("| a | b |\n|---|---|\n", f"| x | {_LINE} |\n"),
    "code fence": ("```python\n", f"x = f(1)  # {_LINE}\n"),
    "code in a list": ("1. a\n   ```python\n", f"   x = f(1)  # {_LINE}\n"),
    "HTML": ("<div>\n", f"<p>{_LINE}</p>\n"),
    "definitions": ("", "[label]: https://example.com/address\n"),
}


class Counter(io.StringIO):
    """A terminal that only counts bytes."""

    size = 0

    def write(self, data: str) -> int:
        self.size += len(data.encode())
        return len(data)


class ByHand:
    """A painter that paints only when the benchmark calls it."""

    def __init__(self, paint: Callable[[], None]) -> None:
        self.paint = paint

    def request(self) -> None:
        """Do nothing: the benchmark paints."""

    def settle(self) -> None:
        """Paint a text that is larger than a frame."""
        self.paint()

    def stop(self) -> None:
        """Do nothing: no thread runs."""


def streamed(text: str, mode: Mode) -> tuple[float, int, float]:
    """Return CPU seconds, bytes and the 99th percentile of a frame's CPU seconds."""
    page = Counter()
    sink = TerminalSink(
        page,
        width=lambda: WIDTH,
        height=lambda: HEIGHT,
        color=True,
        mode=mode,
        truecolor=True,
        painter=ByHand,
    )
    frames = []
    began = time.process_time()
    for at in range(0, len(text), FRAME):
        start = time.process_time()
        sink.feed(TextChunk(text[at : at + FRAME]))
        sink.paint()
        frames.append(time.process_time() - start)
    sink.feed(StreamEnd("stop"))
    sink.close()
    return time.process_time() - began, page.size, sorted(frames)[int(len(frames) * 0.99)]


def static(text: str) -> tuple[float, int]:
    """Return the CPU seconds and bytes of rendering the whole text once."""
    began = time.process_time()
    size = len(render_static(text, width=WIDTH, color=True, truecolor=True).encode())
    return time.process_time() - began, size


def _console() -> tuple[Counter, Console]:
    page = Counter()
    return page, Console(
        file=page, force_terminal=True, width=WIDTH, height=HEIGHT, color_system="truecolor"
    )


def rich_static(text: str) -> tuple[float, int]:
    """Return the CPU seconds and bytes of Rich's own Markdown."""
    page, console = _console()
    began = time.process_time()
    console.print(Markdown(text))
    return time.process_time() - began, page.size


def rich_live(text: str) -> tuple[float, int]:
    """Return those of ``rich.live.Live(Markdown(all so far))`` at each frame."""
    page, console = _console()
    began = time.process_time()
    with Live(console=console, auto_refresh=False) as live:
        for at in range(FRAME, len(text) + FRAME, FRAME):
            live.update(Markdown(text[:at]), refresh=True)
    return time.process_time() - began, page.size


def _message(event: str, **data: str) -> bytes:
    return f"data: {json.dumps({'event': event, 'data': data})}\n\n".encode()


def on_terminal(texts: list[str], *options: str) -> Run:
    """Run ``darkai ask`` on a terminal, with ``texts`` as the chunks of a loopback service."""
    made = {text: _message("text-chunk", text=text) for text in set(texts)}
    service = Service([*map(made.__getitem__, texts), _message("stream-end")])
    with tempfile.TemporaryDirectory() as home:
        env = {
            "PATH": os.environ["PATH"],
            "DARKAI_HOME": home,
            "HOME": home,
            "LANG": "C.UTF-8",
            "DARKAI_URL": f"http://127.0.0.1:{service.port}/chat",
        }
        command = [*darkai(sys.executable), "ask", "hi", "--no-save", *options]
        return measure_on_terminal(command, env, HEIGHT, WIDTH)


def burst(chunks: int) -> float:
    """Return the CPU time of the program for many chunks at once, as a ratio to ``--raw``."""
    text = answer(chunks * TOKEN)
    texts = [text[at : at + TOKEN] for at in range(0, len(text), TOKEN)]
    rendered, raw = in_turn(
        3, lambda: on_terminal(texts).cpu, lambda: on_terminal(texts, "--raw").cpu
    )
    return ratio(rendered, raw)


LARGE: dict[str, tuple[str, str]] = {
    "one line of x": ("", "x" * 1_000),
    "one line of words": ("", "some words of text " * 50),
    "one line with emoji": ("", "\U0001f600 " + "some words of text " * 50),
    "paragraphs": ("", "some words of text some words\n\n" * 20),
    "one quote": ("", "> some words of text\n" * 40),
    "one list item": ("- a\n\n", "  some words of text some words\n\n" * 20),
    "one table": ("| a | b |\n|---|---|\n", "| some words | of text, some words |\n" * 20),
    "one line of code": ("```python\n", "x" * 1_000),
}


def large(name: str) -> float:
    """Return the program's peak memory in MiB while it renders 10 MB that arrive at once.

    Call it in a new process: the system counts a large parent's pages as its child's.
    """
    head, text = LARGE[name]
    return on_terminal([head] * bool(head) + [text] * (10_000_000 // len(text.encode()))).rss


def first_text() -> float:
    """Return the CPU milliseconds from the first chunk to its bytes, with all modules imported."""
    code = (
        "import io, time\n"
        "from darkai_cli.events import TextChunk\n"
        "from darkai_cli.output.terminal import TerminalSink\n"
        "began = time.process_time()\n"
        "sink = TerminalSink(io.StringIO(), width=lambda: 80, height=lambda: 24, color=True,\n"
        "    painter=lambda paint: type('P', (), {'request': staticmethod(paint)}))\n"
        "sink.feed(TextChunk('Hello, **world**'))\n"
        "print((time.process_time() - began) * 1000)\n"
    )
    runs = [subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
            for _ in range(5)]  # fmt: skip
    return min(float(run.stdout) for run in runs)


def main() -> None:
    """Print all rows."""
    text = answer(40_000 * TOKEN)
    static(text[:20_000])
    rich_static(text[:20_000])
    base, size = min(static(text) for _ in range(3))
    other, other_size = min(rich_static(text) for _ in range(3))
    print(
        f"40,000 tokens, {WIDTH}x{HEIGHT}, 10 frames a second; 1 = one static rendering by darkai"
    )
    print(f"{'':24}{'CPU':>8}{'bytes':>8}{'p99 of a frame':>16}")
    print(f"{'Rich, static':24}{other / base:8.2f}{other_size / size:8.2f}")
    modes: tuple[Mode, ...] = ("live", "append")
    for mode in modes:
        cpu, written, worst = min(streamed(text, mode) for _ in range(3))
        print(f"{mode:24}{cpu / base:8.2f}{written / size:8.2f}{worst * 1000:13.1f} ms")
    short = answer(4_000 * TOKEN)
    ours, ours_size, _ = streamed(short, "live")
    live, live_size = rich_live(short)
    print("\n4,000 tokens, darkai : rich.live.Live(Markdown)")
    print(f"CPU 1 : {live / ours:.0f}, bytes 1 : {live_size / ours_size:.1f}")
    print("\none block, ratio of CPU for twice the text; p99 of a frame")
    for name, (head, line) in KINDS.items():
        once, twice = (streamed(head + line * count, "live") for count in (600, 1200))
        print(f"{name:24}{twice[0] / once[0]:8.2f}{'':8}{twice[2] * 1000:13.1f} ms")
    print(f"\n100,000 chunks on a terminal: {burst(100_000):.2f} times the CPU time of --raw")
    print(f"first text: {first_text():.1f} ms CPU after its arrival")
    print("\n10 MB at once, peak memory of the process")
    for name in LARGE:
        code = f"import render; print(round(render.large({name!r})))"
        command = [sys.executable, "-c", code]
        result = subprocess.run(
            command, cwd=Path(__file__).parent, capture_output=True, check=True, text=True
        )
        print(f"{name:24}{result.stdout.strip():>8} MiB")


if __name__ == "__main__":
    main()
