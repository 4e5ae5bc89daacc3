"""The command line's root: from a line to the command that it names.

An ordinary line of a command that declares its options is read here and now; all else goes to Typer
(``tree``). ``run`` is what ``__main__`` calls; it returns the exit code and raises our errors,
never ``SystemExit``.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence

from darkai_cli import stdio
from darkai_cli.cli import parser
from darkai_cli.cli.commands import COMMANDS
from darkai_cli.errors import UsageError


def run(args: Sequence[str]) -> int:
    """Run one command line; the exit code. Raises ``DarkAIError`` or ``KeyboardInterrupt``."""
    arguments = list(args)
    if not arguments:
        alone = _alone()
        if alone is None:
            run(["--help"])
            return UsageError.exit_code
        arguments = [alone]
    row = COMMANDS.get(arguments[0])
    command = row and getattr(importlib.import_module(row.module), "command", None)
    if isinstance(command, parser.Command):
        given = parser.read(command.function, arguments[1:])
        if given is not None:
            return command.function(**given)
    from darkai_cli.cli import groups

    return groups.run(arguments)


def _alone() -> str | None:
    """The command that `darkai` without arguments stands for: a pipe's text is asked, people talk.

    None where there is neither.
    """
    if stdio.has_input():
        return "ask"
    both = (stdio.stdin(), stdio.stdout())
    return "chat" if all(stdio.is_terminal(stream) for stream in both) else None
