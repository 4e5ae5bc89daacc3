"""A chat without a terminal: the lines to type are given, what it shows is a list of texts."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import pytest

from darkai_cli.conversation.branches import Branches
from darkai_cli.errors import NetworkError
from darkai_cli.events import Event, ReasoningChunk, StreamEnd, StreamStart, TextChunk, Usage
from darkai_cli.messages import ChatRequest
from darkai_cli.providers import connect
from darkai_cli.providers.base import Target
from darkai_cli.repl import main
from darkai_cli.repl.screen import ChatScreen
from darkai_cli.repl.session import ChatSession

_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


class Hand:
    """A user: types the lines, answers each question with the next of ``answers``, then leaves.

    ``offered``: what stood in the input before each line. A line may be a function, called first.
    """

    def __init__(self, *lines: str | Callable[[], str], answers: Sequence[bool] = ()) -> None:
        self._lines = list(lines)
        self._answers = list(answers)
        self.offered: list[str] = []
        self.questions: list[str] = []
        self.closed = False

    def read(self, prefill: str) -> str:
        self.offered.append(prefill)
        if not self._lines:
            raise EOFError
        line = self._lines.pop(0)
        return line if isinstance(line, str) else line()

    def confirm(self, question: str) -> bool:
        self.questions.append(question)
        return self._answers.pop(0) if self._answers else False

    def with_echo(self) -> AbstractContextManager[None]:
        return nullcontext()

    def close(self) -> None:
        self.closed = True


class Paper:
    """A screen that collects what it shows."""

    def __init__(self) -> None:
        self.pieces: list[str] = []
        self.screen = ChatScreen(plain=False, write=self.pieces.append)

    @property
    def text(self) -> str:
        return _COLOURS.sub("", "".join(self.pieces))

    def take(self) -> str:
        """Return the text since the last call."""
        text, self.pieces[:] = self.text, []
        return text


def new_session(paper: Paper, *, save: bool = True, **flags: Any) -> ChatSession:
    """A session; by default with a service of the user's own, at ``DARKAI_URL``."""
    options: Mapping[str, Any] = flags.pop("options", {})
    flags = {"provider": "darkai", "retries": 0} | flags
    return ChatSession(flags, paper.screen, options=options, save=save)


def talk(
    session: ChatSession, *lines: str | Callable[[], str], answers: Sequence[bool] = ()
) -> Hand:
    """Type the lines, and leave."""
    hand = Hand(*lines, answers=answers)
    assert main.run(session, hand) == 0
    return hand


class Service:
    """In place of every provider: plays the next script and collects the requests.

    A script is a list of texts, events and exceptions to be raised; the last one is played again
    and again. A script that ends without an exception is a complete reply.
    """

    def __init__(self, *scripts: Sequence[str | Event | BaseException]) -> None:
        self.scripts = list(scripts) or [["fine"]]
        self.requests: list[ChatRequest] = []
        self.targets: list[Target] = []

    def install(self, monkeypatch: pytest.MonkeyPatch) -> Service:
        def made(target: Target, *_: Any) -> _Provider:
            return _Provider(self, target)

        monkeypatch.setattr(connect, "client_for", made)
        return self

    def next(self) -> Sequence[str | Event | BaseException]:
        return self.scripts.pop(0) if len(self.scripts) > 1 else self.scripts[0]


class _Provider:
    def __init__(self, service: Service, target: Target) -> None:
        self.settings = target.settings
        self._service = service
        self._target = target

    def stream(self, chat: ChatRequest) -> Iterator[Event]:
        self._service.requests.append(chat)
        self._service.targets.append(self._target)
        yield StreamStart(self.settings.name, chat.model)
        for step in self._service.next():
            if isinstance(step, BaseException):
                raise step
            yield TextChunk(step) if isinstance(step, str) else step
            if isinstance(step, StreamEnd):
                return
        yield StreamEnd("stop")


def texts(session: ChatSession) -> list[str]:
    """Return the texts of the active branch."""
    return [entry.message.content for entry in session.branches.branch()]


def shape(tree: Branches) -> tuple[Any, ...]:
    """Return all that a tree is, to compare two."""
    rows = [
        (
            entry.id,
            entry.parent,
            entry.message.role,
            entry.message.content,
            entry.answer
            and (
                entry.answer.state,
                entry.answer.reasoning,
                entry.answer.provider,
                entry.answer.model,
            ),
        )
        for entry in tree.entries()
    ]
    return sorted(rows), tree.active


def lost() -> NetworkError:
    """The connection is lost."""
    return NetworkError("the connection was lost")


def thought(text: str) -> Event:
    """A piece of reasoning."""
    return ReasoningChunk(text)


def counted(given: int, made: int) -> Event:
    """What the service counted."""
    return Usage(given, made)
