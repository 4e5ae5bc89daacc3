"""A chat session on an emulated terminal, and what a person sees of it.

with chatting(env={"DARKAI_URL": server.url}) as chat:
    chat.type("hello\\r")
    chat.until("Hello to you")
    chat.prompt()
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from support.scenario import Running, Terminal, start_in_pty
from support.server import FaultServer

DEMO = {"DARKAI_PROVIDER": "demo", "DARKAI_DEMO_DELAY": "0"}


class Chat:
    """A session under watch."""

    def __init__(self, run: Running) -> None:
        self.run = run
        assert run.screen is not None
        self.screen: Terminal = run.screen

    def type(self, keys: str | bytes) -> None:
        """Type, in one go."""
        self.run.type(keys)

    def until(self, text: str) -> None:
        """Wait until the text is to be seen, scrollback included."""
        self.run.wait_until(lambda screen: any(text in line for line in screen.all_lines()))

    def gone(self, text: str) -> None:
        """Wait until the text is on the screen no more."""
        self.run.wait_until(lambda screen: not any(text in row for row in screen.display))

    def input(self, text: str = "") -> None:
        """Wait until the input holds this text, with the cursor at its end."""
        self.run.wait_until(lambda screen: input_text(screen) == text)

    def foot(self, text: str) -> str:
        """The status line, once it holds the text."""
        self.run.wait_until(lambda screen: text in screen.display[-1])
        return self.screen.display[-1].rstrip()

    def leave(self) -> Any:
        """Ctrl-D on an empty input; how the run ended."""
        self.input()
        self.type("\x04")
        return self.run.screen_result()


def to(server: FaultServer) -> dict[str, str | None]:
    """Return the environment of a chat with this DarkAI service."""
    return {"DARKAI_URL": server.url}


def query(server: FaultServer, number: int = 1) -> str:
    """Return the conversation in a request, once it came."""
    return str(server.wait_requests(number)[number - 1].json()["query"])


def poll(holds: Callable[[], Any], seconds: float = 20) -> None:
    """Wait for something that shows on no screen: a file, a row of a database."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "the time ran out"
        threading.Event().wait(0.02)


def input_text(screen: Terminal) -> str | None:
    """The input from its prompt to the cursor; None if the cursor is not in one."""
    rows = list(screen.display[: screen.cursor.y])
    rows.append(screen.display[screen.cursor.y][: screen.cursor.x])
    for number in range(len(rows) - 1, -1, -1):
        if rows[number].startswith("> "):
            lines = [rows[number][2:], *(row[2:] for row in rows[number + 1 :])]
            if all(row[:2] in (". ", "  ") for row in rows[number + 1 :]):
                return "\n".join([*(line.rstrip() for line in lines[:-1]), lines[-1]])
            return None
    return None


@contextmanager
def chatting(
    *args: str,
    env: dict[str, str | None] | None = None,
    rows: int = 24,
    cols: int = 80,
    stdin: bytes | None = None,
    ready: bool = True,
    **more: Any,
) -> Iterator[Chat]:
    """``darkai chat`` with these arguments, by default with the demo provider."""
    if stdin is not None:
        more["on"] = ("stdout", "stderr")
    with start_in_pty(
        "chat", *args, rows=rows, cols=cols, stdin=stdin, env=DEMO if env is None else env, **more
    ) as run:
        chat = Chat(run)
        if ready:
            chat.input()
        yield chat
