"""The entry to the command line: finds the command that a line names, and runs it.

An ordinary line of a command that is declared for ``parser`` is read without Typer; every other
line goes to Typer (``groups``). Errors are raised, never ``SystemExit``.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence

from darkai_cli import stdio
from darkai_cli.cli import parser
from darkai_cli.cli.commands import COMMANDS
from darkai_cli.errors import UsageError


def run(args: Sequence[str]) -> int:
    """Run one command line and return the exit code.

    Raises ``DarkAIError`` or ``KeyboardInterrupt``.
    """
    arguments = list(args)
    if not arguments:
        name = _default_command()
        if name is None:
            run(["--help"])
            return UsageError.exit_code
        arguments = [name]
    row = COMMANDS.get(arguments[0])
    if row is not None and row.attribute == "command":
        command: parser.CommandSpec = importlib.import_module(
            f"darkai_cli.cli.{row.module}"
        ).command
        given = parser.read(command.function, arguments[1:])
        if given is not None:
            return command.function(**given)
    from darkai_cli.cli import groups

    return groups.run(arguments)


def _default_command() -> str | None:
    """Return the command that `darkai` alone means: ``ask`` if stdin has text, ``chat`` for people.

    None if there is neither input nor a terminal.
    """
    if stdio.has_input():
        return "ask"
    streams = (stdio.stdin(), stdio.stdout())
    return "chat" if all(stdio.is_terminal(stream) for stream in streams) else None
