"""Create the screenshots of ``darkai ask`` as SVG, from the program's output on a terminal.

Run in the repository's root: ``python docs/images/make.py``. The script starts ``darkai`` on a
pseudo-terminal. The emulator ``pyte`` reads the output, and its cells become the picture. This
needs the development tools.
"""
# ruff: noqa: INP001 -- a script, in no package

from __future__ import annotations

import fcntl
import os
import struct
import subprocess
import sys
import tempfile
import termios
from html import escape
from pathlib import Path
from typing import NamedTuple

import pyte
from rich.cells import cell_len

CELL, ROW, MARGIN = 8.4, 18, 12
HEIGHT = 24
_NAMED = {
    "black": "#000000", "red": "#c23621", "green": "#25bc24", "brown": "#adad27",
    "blue": "#492ee1", "magenta": "#d338d3", "cyan": "#33bbc8", "white": "#cbcccd",
}  # fmt: skip


class Shot(NamedTuple):
    """A picture: from the row that reads ``first`` to before the row that starts with ``end``."""

    name: str
    width: int
    theme: str
    first: str
    end: str


SHOTS = (
    Shot("dark-80", 80, "dark", "Lists", "Tables"),
    Shot("light-80", 80, "light", "Code", "Footnotes, HTML, maths"),
    Shot("dark-40", 40, "dark", "Tables", "That was everything. long 500 has more"),
)


class Screen(pyte.Screen):
    """A terminal with 1,000 rows that remembers which cells are dim."""

    def __init__(self, width: int) -> None:
        super().__init__(width, 1_000)
        self.dim: set[tuple[int, int]] = set()
        self._is_dim = False

    def select_graphic_rendition(self, *codes: int, **kwargs: object) -> None:
        """Track the one attribute that pyte does not know."""
        if not codes or codes[0] in (0, 2):
            self._is_dim = bool(codes) and codes[0] == 2
        super().select_graphic_rendition(*codes, **kwargs)

    def draw(self, data: str) -> None:
        """Draw each character separately, because pyte drops text after a joiner."""
        for char in data:
            at = (self.cursor.y, self.cursor.x)
            super().draw(char)
            (self.dim.add if self._is_dim else self.dim.discard)(at)


def run_on_terminal(width: int, theme: str) -> Screen:
    """Return the terminal after ``darkai ask -p demo markdown``."""
    master, slave = os.openpty()
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", HEIGHT, width, 0, 0))
    screen = Screen(width)
    stream = pyte.ByteStream(screen)
    with tempfile.TemporaryDirectory() as home:
        env = {
            "PATH": os.environ["PATH"], "HOME": home, "DARKAI_HOME": home, "DARKAI_THEME": theme,
            "DARKAI_DEMO_DELAY": "0", "TERM": "xterm-256color", "COLORTERM": "truecolor",
            "LANG": "C.UTF-8",
        }  # fmt: skip
        command = [sys.executable, "-m", "darkai_cli", "ask", "-p", "demo", "--no-save", "markdown"]
        process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, env=env)
        os.close(slave)
        while True:
            try:
                data = os.read(master, 65_536)
            except OSError:  # the other side has been closed
                break
            stream.feed(data)
        process.wait(60)
    os.close(master)
    return screen


def picture(screen: Screen, rows: range, theme: str) -> str:
    """Return the rows as SVG."""
    ground, ink = ("#16181d", "#d6d9de") if theme == "dark" else ("#ffffff", "#1f2328")
    width = screen.columns * CELL + 2 * MARGIN
    height = len(rows) * ROW + 2 * MARGIN
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" '
        f'width="{width:g}" height="{height:g}" font-size="14" xml:space="preserve" '
        "font-family=\"'DejaVu Sans Mono','Cascadia Mono',Menlo,Consolas,monospace\">"
    )
    parts = [head, f'<rect width="100%" height="100%" rx="8" fill="{ground}"/>']
    for number, y in enumerate(rows):
        base = MARGIN + number * ROW + 13
        parts.extend(_row(screen, y, base, ink))
    return "\n".join([*parts, "</svg>\n"])


def _row(screen: Screen, y: int, base: int, ink: str) -> list[str]:
    """Return the SVG of one row, an element for each run of cells that look the same."""
    runs: list[tuple[int, int, str, str]] = []
    for x in range(screen.columns):
        cell = screen.buffer[y][x]
        if cell.data in ("", " "):
            continue
        color = _NAMED.get(cell.fg, ink if cell.fg == "default" else f"#{cell.fg}")
        look = f'fill="{color}"'
        look += ' font-weight="bold"' if cell.bold else ""
        look += ' font-style="italic"' if cell.italics else ""
        lines = ["underline"] * cell.underscore + ["line-through"] * cell.strikethrough
        look += f' text-decoration="{" ".join(lines)}"' if lines else ""
        look += ' opacity="0.6"' if (y, x) in screen.dim else ""
        wide = max(1, cell_len(cell.data))
        if runs and wide == 1 and runs[-1][3] == look and sum(runs[-1][:2]) == x:
            start, cells, text, _ = runs.pop()
            runs.append((start, cells + 1, text + cell.data, look))
        else:
            runs.append((x, wide, cell.data, look))
    return [
        f'<text x="{MARGIN + x * CELL:.1f}" y="{base}" textLength="{cells * CELL:.1f}" '
        f'lengthAdjust="spacingAndGlyphs" {look}>{escape(text)}</text>'
        for x, cells, text, look in runs
    ]


def main() -> None:
    """Write all pictures into this file's folder."""
    for shot in SHOTS:
        screen = run_on_terminal(shot.width, shot.theme)
        lines = [row.rstrip() for row in screen.display]
        begin = lines.index(shot.first)
        end = next(y for y in range(begin + 1, len(lines)) if lines[y].startswith(shot.end))
        while not lines[end - 1]:
            end -= 1
        path = Path(__file__).with_name(f"{shot.name}.svg")
        path.write_text(picture(screen, range(begin, end), shot.theme), encoding="utf-8")
        print(f"{path.name}: {end - begin} rows")


if __name__ == "__main__":
    main()
