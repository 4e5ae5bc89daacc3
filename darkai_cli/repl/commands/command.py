"""What a slash command is, and what it can ask the loop to do next.

A command's function does its work and returns an action, or None to go back to the prompt. It
raises ``DarkAIError`` for what it cannot do; the loop shows the error.
"""

from __future__ import annotations

from collections.abc import Callable
from inspect import getdoc
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from darkai_cli.repl.session import ChatSession

Completes = Literal[
    "", "command", "model", "option", "set-option", "path", "conversation", "turn", "branch",
    "copy", "config",
]  # fmt: skip
"""What kind of argument is completed."""


class Send(NamedTuple):
    """Send this text as the next prompt."""

    text: str


class Prefill(NamedTuple):
    """Put this text into the input, where the user can change and send it."""

    text: str


class Regenerate(NamedTuple):
    """Send the last prompt again. ``model``: to this model, None for the current one."""

    model: str | None = None


class ContinueReply(NamedTuple):
    """Continue the reply that was cut off."""


class Quit(NamedTuple):
    """Leave the chat."""


Action: TypeAlias = Send | Prefill | Regenerate | ContinueReply | Quit | None
CommandFunction: TypeAlias = Callable[["ChatSession", str], Action]


class SlashCommand(NamedTuple):
    """A slash command.

    ``names``: its name, then its aliases, without the slash. ``arguments``: as in the help, such
    as ``[N]``. ``summary``: one line of help, ``detail`` the paragraphs after it.
    """

    names: tuple[str, ...]
    arguments: str
    summary: str
    run: CommandFunction
    detail: str
    completes: Completes = ""

    @property
    def name(self) -> str:
        """The command's name, with the slash."""
        return f"/{self.names[0]}"

    @property
    def usage(self) -> str:
        """The command's name and arguments."""
        return f"{self.name} {self.arguments}".rstrip()


def command(
    *names: str, summary: str, arguments: str = "", completes: Completes = ""
) -> Callable[[CommandFunction], SlashCommand]:
    """Make a function the command of these names. Its docstring becomes the longer help."""

    def declare(run: CommandFunction) -> SlashCommand:
        return SlashCommand(names, arguments, summary, run, getdoc(run) or "", completes)

    return declare
