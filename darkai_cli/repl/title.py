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

_WITHOUT_TITLE_BAR = ("linux", "dumb", "unknown", "ansi", "vt", "cons", "eterm", "sun", "emacs")
_PUSH, _POP = "\x1b[22;2t", "\x1b[23;2t"
MAX_TITLE = 60
"""Characters of a title in the title bar."""

TITLE_PROMPT = (
    "Give the conversation above a title of at most six words, in its own language. "
    "Answer with the title alone, without quotation marks."
)
_MESSAGE_CHARACTERS = 2000
"""Characters of each message that the model gets."""
_REPLY_CHARACTERS = 200
"""Characters of the reply that are read."""


class TitleBar:
    """Sets the title with ``write``, unless ``TERM`` names a terminal without a title bar."""

    def __init__(self, write: Callable[[str], None], environ: Mapping[str, str]) -> None:
        self._write = write
        term = environ.get("TERM", "")
        self._has_title_bar = bool(term) and not term.startswith(_WITHOUT_TITLE_BAR)
        self._current: str | None = None

    def show(self, title: str) -> None:
        """Set the title to ``darkai: `` and the printable characters of ``title``."""
        if not self._has_title_bar:
            return
        from darkai_cli.output.sanitize import sanitize_line

        plain = "".join(char for char in sanitize_line(title, MAX_TITLE) if char.isprintable())
        text = f"darkai: {plain}" if plain else "darkai"
        if text == self._current:
            return
        self._write(f"{_PUSH if self._current is None else ''}\x1b]2;{text}\x07")
        self._current = text

    def restore(self) -> None:
        """Restore the terminal's own title. Does nothing the second time."""
        if self._current is not None:
            self._current = None
            self._write(_POP)


class TitleGenerator:
    """Has the model write a title for the session's conversation, in a thread."""

    def __init__(self, session: ChatSession) -> None:
        self._session = session
        self._connections: ConnectionPool | None = None

    def start(self) -> None:
        """Ask for a title after the first turn, if the configuration says so. Returns at once."""
        session = self._session
        conversation, before = session.conversation, session.title
        entries = session.branches.branch()
        if session.config.title != "model" or conversation is None or len(entries) != 2:
            return
        answer = entries[1].answer
        if answer is None or answer.state != "complete" or answer.provider == "demo":
            return
        if session.titled:
            return
        session.titled = True
        self._connections = ConnectionPool()
        threading.Thread(
            target=self._run,
            args=(conversation, before, [entry.message for entry in entries], self._connections),
            name="title",
            daemon=True,
        ).start()

    def stop(self) -> None:
        """Stop a running request: a prompt follows, or the session ends."""
        if self._connections is not None:
            self._connections.close()
            self._connections = None

    def _run(
        self, conversation: str, before: str, messages: list[Message], connections: ConnectionPool
    ) -> None:
        signals.block_in_thread()
        try:
            title = self._request(messages, connections)
        except Exception:  # noqa: BLE001 -- the user did not ask for a title: its errors are silent
            return
        session = self._session
        if not title or connections is not self._connections:
            return
        if session.conversation == conversation and session.title == before:
            session.title = title
            session.history.rename(conversation, title)

    def _request(self, messages: list[Message], connections: ConnectionPool) -> str:
        from darkai_cli.conversation.request import TurnRequest
        from darkai_cli.conversation.turn import stream_turn

        session = self._session
        excerpts = [
            message._replace(content=message.content[:_MESSAGE_CHARACTERS], images=())
            for message in messages
        ]
        request = TurnRequest(
            session.config,
            session.target,
            (*excerpts, Message("user", TITLE_PROMPT)),
            session.options,
            retries=0,
            max_wait=0.0,
            pool=connections,
        )
        text = ""
        with closing(stream_turn(request)) as events:
            for event in events:
                text += event.text if isinstance(event, TextChunk) else ""
                is_stopped = connections is not self._connections
                if is_stopped or len(text) > _REPLY_CHARACTERS or "\n" in text.strip():
                    break
        return clean_title(text)


def clean_title(text: str) -> str:
    """Return the title in a model's reply: the first line, without quotes and Markdown."""
    lines = text.strip().splitlines()
    line = lines[0].strip() if lines else ""
    if line.lower().startswith("title:"):
        line = line[len("title:") :]
    line = line.replace("**", "").replace("`", "").strip(" #*_\"'“”„«»").rstrip(".")
    return title_from("".join(char if char.isprintable() else " " for char in line))
