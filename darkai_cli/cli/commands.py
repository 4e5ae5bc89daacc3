"""The table of commands: ``darkai --help`` needs no more, so it imports no command."""

from __future__ import annotations

from collections.abc import Sequence


class CommandRow:
    """A command of a group.

    ``module``, in the group's package, has it as ``attribute``: a ``CommandSpec``, a group, or a
    function with Typer's annotations. ``values_may_be_options``: an argument may begin with a
    hyphen.
    """

    __slots__ = ("attribute", "examples", "help", "module", "values_may_be_options")

    def __init__(
        self,
        module: str,
        attribute: str,
        help: str,  # noqa: A002 -- Typer's name
        *examples: str,
        values_may_be_options: bool = False,
    ) -> None:
        self.module = module
        self.attribute = attribute
        self.help = help
        self.examples: Sequence[str] = examples
        self.values_may_be_options = values_may_be_options


COMMANDS: dict[str, CommandRow] = {
    "ask": CommandRow("ask", "command", "Ask a question and stream the answer."),
    "chat": CommandRow("chat", "command", "Start an interactive chat."),
    "models": CommandRow("models", "group", "List models and choose the default."),
    "history": CommandRow(
        "history", "group", "Search, show, export and manage saved conversations."
    ),
    "config": CommandRow("config", "group", "Show and change the configuration."),
    "keys": CommandRow("keys", "group", "Store, list and remove API keys."),
    "replay": CommandRow("replay", "command", "Play back a recorded reply."),
    "doctor": CommandRow(
        "doctor", "command", "Check the installation, the network and the providers."
    ),
    "completions": CommandRow("completions", "command", "Print a shell completion script."),
}
