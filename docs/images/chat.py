"""Create the screenshots of ``darkai chat`` as SVG, from real chats on a pseudo-terminal.

Run in the repository's root: ``python docs/images/chat.py``. The script types the keys of a
``Talk`` line by line, each after the terminal has been silent for a moment. The cells of the
emulator's screen become the picture (``make.py``).
"""
# ruff: noqa: INP001 -- a script, in no package

from __future__ import annotations

import fcntl
import itertools
import os
import select
import struct
import subprocess
import sys
import tempfile
import termios
from pathlib import Path
from typing import NamedTuple

import pyte
from make import _NAMED, CELL, MARGIN, ROW, Screen, picture

QUIET = 1.0
"""Seconds without output after which a line counts as done."""


class Talk(NamedTuple):
    """A picture: its size and theme, and the keys to type; a carriage return is Enter."""

    name: str
    width: int
    height: int
    theme: str
    keys: tuple[str, ...]


TALKS = (
    Talk(
        "chat-dark",
        80,
        25,
        "dark",
        (
            "joke 3\r",
            "/file notes.txt\r",
            "echo what is in these notes?\r",
            "!date -d 2024-05-01 +%A\r",
            "n\r",
            "/context\r",
            "/set temperature=0.2\r",
        ),
    ),
    Talk(
        "chat-branches",
        80,
        25,
        "light",
        (
            "joke 3\r",
            "echo one\r",
            "/edit 2\r",
            "\x15echo two\r",  # Ctrl-U first
            "/tree\r",
            "/diff 1 2\r",
            "/goto 1\r",
        ),
    ),
    Talk("chat-menu", 80, 14, "dark", ("joke 3\r", "/co")),
)


class Watched(Screen):
    """A screen that replies to requests, as a real terminal does."""

    def __init__(self, width: int, height: int, master: int) -> None:
        self._master = master
        super().__init__(width)
        self.resize(height, width)

    def index(self) -> None:
        """Scroll, and move the dim cells along."""
        if self.cursor.y == self.lines - 1:
            self.dim = {(y - 1, x) for y, x in self.dim if y}
        super().index()

    def write_process_input(self, data: str) -> None:
        """Send a reply to the program."""
        os.write(self._master, data.encode())


def run_chat(talk: Talk) -> Watched:
    """Return the terminal after the chat."""
    master, slave = os.openpty()
    size = struct.pack("HHHH", talk.height, talk.width, 0, 0)
    fcntl.ioctl(master, termios.TIOCSWINSZ, size)
    screen = Watched(talk.width, talk.height, master)
    stream = pyte.ByteStream(screen)
    with tempfile.TemporaryDirectory() as home:
        Path(home, "notes.txt").write_text("call Anna\nbuy bread\n", encoding="utf-8")
        env = {
            "PATH": os.environ["PATH"], "HOME": home, "DARKAI_HOME": home, "SHELL": "/bin/sh",
            "DARKAI_THEME": talk.theme, "DARKAI_DEMO_DELAY": "0.01", "TERM": "xterm-256color",
            "COLORTERM": "truecolor", "LANG": "C.UTF-8",
        }  # fmt: skip
        command = [sys.executable, "-m", "darkai_cli", "chat", "-p", "demo"]
        process = subprocess.Popen(
            command, stdin=slave, stdout=slave, stderr=slave, env=env, cwd=home,
            start_new_session=True,
        )  # fmt: skip
        os.close(slave)
        for keys in ("", *talk.keys):
            os.write(master, keys.encode())
            while select.select([master], [], [], QUIET)[0]:
                stream.feed(os.read(master, 65_536))
        process.kill()
        process.wait(60)
    os.close(master)
    return screen


def grounds(screen: Watched) -> list[str]:
    """Return the SVG of cells with a background color, such as the menu's."""
    elements = []
    for y in range(screen.lines):
        colors = [screen.buffer[y][x].bg for x in range(screen.columns)]
        x = 0
        for color, run in itertools.groupby(colors):
            cells = len(list(run))
            if color != "default":
                fill = _NAMED.get(color, f"#{color}")
                elements.append(
                    f'<rect x="{MARGIN + x * CELL:.1f}" y="{MARGIN + y * ROW}" '
                    f'width="{cells * CELL:.1f}" height="{ROW}" fill="{fill}"/>'
                )
            x += cells
    return elements


def main() -> None:
    """Write all pictures into this file's folder."""
    for talk in TALKS:
        screen = run_chat(talk)
        path = Path(__file__).with_name(f"{talk.name}.svg")
        head, ground, *rest = picture(screen, range(talk.height), talk.theme).split("\n")
        path.write_text("\n".join([head, ground, *grounds(screen), *rest]), encoding="utf-8")
        print(f"{path.name}:")
        print("\n".join(row.rstrip() for row in screen.display))


if __name__ == "__main__":
    main()
