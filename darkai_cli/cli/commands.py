"""The commands by name.

Help lines stand here, so that ``darkai --help`` and completion import no command.
"""

from __future__ import annotations

from typing import NamedTuple


class Row(NamedTuple):
    """A command: the module that has it as ``command`` or ``app``, and its help line."""

    module: str
    help: str


COMMANDS: dict[str, Row] = {
    "ask": Row("darkai_cli.cli.ask", "Ask one thing, get one streamed reply."),
    "chat": Row("darkai_cli.cli.chat", "Talk: an interactive session."),
    "models": Row("darkai_cli.cli.models", "Which models there are, and which is used."),
    "history": Row("darkai_cli.cli.history", "Find, show, export and tidy saved conversations."),
    "config": Row("darkai_cli.cli.config", "Show and change the configuration."),
    "keys": Row("darkai_cli.cli.keys", "Store, list and remove API keys."),
    "replay": Row("darkai_cli.cli.replay", "Play a recorded reply."),
    "doctor": Row("darkai_cli.cli.doctor", "Check installation, network and providers."),
    "completions": Row("darkai_cli.cli.completions", "Print the completion script for a shell."),
}
