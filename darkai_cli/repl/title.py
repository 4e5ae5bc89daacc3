"""The title in the terminal's title bar, and the title that a model writes for a conversation.

The terminal keeps its old title on a stack of its own and gives it back when the session ends.
Terminals that would print such sequences instead of obeying them get none.

With ``title = "model"`` in the configuration, the model that gave the first reply is asked for a
title, once for a conversation: in a thread, over a connection of its own, so that the input never
waits. The next prompt stops the request, since some servers answer one request at a time. A request
that fails, or that a rate limit would delay, leaves the title as it was: the first prompt's start.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import closing
from typing import TYPE_CHECKING

from darkai_cli import signals
from darkai_cli.events import TextChunk
from darkai_cli.history.turns import title_from
from darkai_cli.http.connection import ConnectionPool
from darkai_cli.messages import Message

if TYPE_CHECKING:
    from darkai_cli.repl.session import ChatSession

_WITHOUT = ("linux", "dumb", "unknown", "ansi", "vt", "cons", "eterm", "sun", "emacs")
_PUSH, _POP = "\x1b[22;2t", "\x1b[23;2t"
LONGEST = 60
"""Characters of a title."""

WISH = (
    "Give the conversation above a title of at most six words, in its own language. "
    "Answer with the title alone, without quotation marks."
)
_SHOWN = 2000
"""Characters of each message that the model is shown."""
_ENOUGH = 200
"""Characters of a title; after them nothing more is read."""


class TitleBar:
    """Sets it with ``write``, if the terminal that ``environ`` names has one."""

    def __init__(self, write: Callable[[str], None], environ: Mapping[str, str]) -> None:
        self._write = write
        term = environ.get("TERM", "")
        self._has_one = bool(term) and not term.startswith(_WITHOUT)
        self._shown: str | None = None

    def show(self, title: str) -> None:
        """Show the program's name and a title, without anything that is no plain character."""
        if not self._has_one:
            return
        from darkai_cli.output.sanitize import sanitize_line

        plain = "".join(char for char in sanitize_line(title, LONGEST) if char.isprintable())
        shown = f"darkai: {plain}" if plain else "darkai"
        if shown == self._shown:
            return
        self._write(f"{_PUSH if self._shown is None else ''}\x1b]2;{shown}\x07")
        self._shown = shown

    def restore(self) -> None:
        """Give back the title that was there. Does nothing the second time."""
        if self._shown is not None:
            self._shown = None
            self._write(_POP)


class TitleGenerator:
    """Makes the title of a session's conversation."""

    def __init__(self, session: ChatSession) -> None:
        self._session = session
        self._connections: ConnectionPool | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Ask, if it is wanted and was not done yet. Returns at once."""
        session = self._session
        conversation, before = session.conversation, session.title
        said = session.branches.branch()
        if session.config.title != "model" or conversation is None or len(said) != 2:
            return
        answer = said[1].answer
        if answer is None or answer.state != "complete" or answer.provider == "demo":
            return
        if session.titled:
            return
        session.titled = True
        self._connections = ConnectionPool()
        self._thread = threading.Thread(
            target=self._run,
            args=(conversation, before, [entry.message for entry in said], self._connections),
            name="title",
            daemon=True,
        )
        self._thread.start()

    def stop(self) -> None:
        """No more of it: the model is wanted for something else, or the session is over."""
        if self._connections is not None:
            self._connections.close()
            self._connections = None

    def wait(self) -> None:
        """Until it is done; for tests."""
        if self._thread is not None:
            self._thread.join(30)

    def _run(
        self, conversation: str, before: str, said: list[Message], connections: ConnectionPool
    ) -> None:
        signals.block_in_thread()
        try:
            title = self._title(said, connections)
        except Exception as exc:  # noqa: BLE001 -- a title is worth no word about what went wrong
            del exc
            return
        session = self._session
        if not title or connections is not self._connections:
            return
        if session.conversation == conversation and session.title == before:
            session.title = title
            session.history.rename(conversation, title)

    def _title(self, said: list[Message], connections: ConnectionPool) -> str:
        from darkai_cli.conversation.request import TurnRequest
        from darkai_cli.conversation.turn import stream_turn

        session = self._session
        shown = [one._replace(content=one.content[:_SHOWN], images=()) for one in said]
        messages = (*shown, Message("user", WISH))
        request = TurnRequest(
            session.config,
            session.target,
            messages,
            session.options,
            retries=0,
            max_wait=0.0,
            pool=connections,
        )
        text = ""
        with closing(stream_turn(request)) as events:
            for event in events:
                text += event.text if isinstance(event, TextChunk) else ""
                stopped = connections is not self._connections
                if stopped or len(text) > _ENOUGH or "\n" in text.strip():
                    break
        return cleaned(text)


def cleaned(text: str) -> str:
    """A title out of what a model said: its first line, without marks around it."""
    lines = text.strip().splitlines()
    line = lines[0].strip() if lines else ""
    if line.lower().startswith("title:"):
        line = line[len("title:") :]
    line = line.replace("**", "").replace("`", "").strip(" #*_\"'“”„«»").rstrip(".")
    return title_from("".join(char if char.isprintable() else " " for char in line))
