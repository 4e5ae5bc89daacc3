"""The table of commands: ``darkai --help`` needs no more, so it imports no command."""

from __future__ import annotations

from typing import NamedTuple


class CommandRow(NamedTuple):
    """A command of a group.

    ``module``, in the group's package, has it as ``attribute``: a ``CommandSpec``, a group, or a
    function with Typer's annotations. ``values_may_be_options``: an argument may begin with a
    hyphen.
    """

    module: str
    attribute: str
    help: str
    values_may_be_options: bool = False


COMMANDS: dict[str, CommandRow] = {
    "ask": CommandRow("ask", "command", "Ask one thing, get one streamed reply."),
    "chat": CommandRow("chat", "command", "Talk: an interactive session."),
    "models": CommandRow("models", "group", "Which models there are, and which is used."),
    "history": CommandRow("history", "group", "Find, show, export and tidy saved conversations."),
    "config": CommandRow("config", "group", "Show and change the configuration."),
    "keys": CommandRow("keys", "group", "Store, list and remove API keys."),
    "replay": CommandRow("replay", "command", "Play a recorded reply."),
    "doctor": CommandRow("doctor", "command", "Check installation, network and providers."),
    "completions": CommandRow("completions", "command", "Print the completion script for a shell."),
}
