"""What a slash command is, and what it can ask of the loop.

A command's function does its work and returns what is to happen next, or None: back to the prompt.
It raises ``DarkAIError`` for what it cannot do; the loop tells it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from darkai_cli.repl.session import ChatSession

Topic = Literal["talk", "branches", "model", "files", "history", "session"]
Completes = Literal[
    "", "command", "model", "option", "set-option", "path", "conversation", "exchange", "branch",
    "copy", "config",
]  # fmt: skip
"""What an argument is, for completion."""


class Send(NamedTuple):
    """Send this text as the next prompt."""

    text: str


class Prefill(NamedTuple):
    """Put this text into the input, to be changed and sent."""

    text: str


class Regenerate(NamedTuple):
    """Ask the last prompt again. ``model``: by whom, None for the one in use."""

    model: str | None = None


class ContinueReply(NamedTuple):
    """Go on with the reply that was cut."""


class Quit(NamedTuple):
    """Leave."""


Action: TypeAlias = Send | Prefill | Regenerate | ContinueReply | Quit | None
CommandFunction: TypeAlias = Callable[["ChatSession", str], Action]


class SlashCommand(NamedTuple):
    """A slash command. ``arguments``: as the help shows them, such as ``[N]``.

    ``names``: its own, then other ones for it, without the slash.
    """

    names: tuple[str, ...]
    arguments: str
    summary: str
    topic: Topic
    run: CommandFunction
    detail: str
    completes: Completes = ""

    @property
    def name(self) -> str:
        """Its own name, with the slash."""
        return f"/{self.names[0]}"


def command(
    *names: str, topic: Topic, summary: str, arguments: str = "", completes: Completes = ""
) -> Callable[[CommandFunction], SlashCommand]:
    """Declare a function as the command of these names. Its docstring is the longer help."""

    def declare(run: CommandFunction) -> SlashCommand:
        return SlashCommand(
            names, arguments, summary, topic, run, (run.__doc__ or "").strip(), completes
        )

    return declare
