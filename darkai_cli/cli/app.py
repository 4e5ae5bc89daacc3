"""The command line's root: a group that knows its commands by name and loads one when it is called.

Help lines come from a table, so that ``darkai --help`` and completion import no command. ``run`` is
what ``__main__`` calls; it returns the exit code and raises our errors, never ``SystemExit``.
"""

from __future__ import annotations

import difflib
import importlib
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import typer
from typer.core import TyperGroup

from darkai_cli import streams
from darkai_cli.errors import UsageError

CommandLineError: Any = typer.BadParameter.__base__
"""Typer's own error for wrong flags and arguments (it has no public name)."""


class Row(NamedTuple):
    """A command: the module that has it as ``app``, and its help line."""

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


class LazyGroup(TyperGroup):
    """A group whose commands are imported when they are resolved."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 -- the signature is Typer's
        """The names, in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002 -- likewise
        """The command of that name; None if there is none."""
        row = COMMANDS.get(cmd_name)
        return None if row is None else load(row)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that the arguments name. Raises ``UsageError`` with the nearest name."""
        name = args[0]
        if name not in COMMANDS and not name.startswith("-"):
            close = difflib.get_close_matches(name, COMMANDS, n=1)
            raise UsageError(
                f"there is no command `{name}`",
                hint=f"did you mean `darkai {close[0]}`?" if close else f'darkai ask "{name} ..."',
            )
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002 -- likewise
        """The list of commands in the help."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, row.help) for name, row in COMMANDS.items()])


def load(row: Row) -> Any:
    """The command object that a row names."""
    return typer.main.get_command(importlib.import_module(row.module).app)


app = typer.Typer(
    cls=LazyGroup,
    add_completion=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback(
    help="A command-line chat client.",
    epilog=(
        'darkai ask "tell me a joke" | git diff | darkai ask "review this" | darkai COMMAND --help'
    ),
)
def root(
    version: bool = typer.Option(False, "--version", help="Print the version and exit."),
) -> None:
    """What is common to all commands."""


def run(args: Sequence[str]) -> int:
    """Run one command line; the exit code. Raises ``DarkAIError`` or ``KeyboardInterrupt``."""
    arguments = list(args)
    if not arguments:
        alone = _alone()
        if alone is None:
            run(["--help"])
            return UsageError.exit_code
        arguments = [alone]
    name = arguments[0]
    # Without the group around it, which costs as much as a command; but completions shows it all.
    if name in COMMANDS and name != "completions":
        command, arguments, program = load(COMMANDS[name]), arguments[1:], f"darkai {name}"
    else:
        command, program = typer.main.get_command(app), "darkai"
    try:
        code = command.main(arguments, prog_name=program, standalone_mode=False)
    except CommandLineError as exc:
        if arguments and arguments[0] in getattr(command, "commands", ()):
            program = f"{program} {arguments[0]}"
        raise usage_error(exc, program) from exc
    except typer.Abort:
        raise KeyboardInterrupt from None
    except SystemExit:  # Typer's own way out where nobody reads what it prints
        raise BrokenPipeError from None
    return code if isinstance(code, int) else 0


def _alone() -> str | None:
    """The command that `darkai` without arguments stands for: a pipe's text is asked, people talk.

    None where there is neither.
    """
    if streams.has_input():
        return "ask"
    both = (streams.stdin(), streams.stdout())
    return "chat" if all(streams.is_terminal(stream) for stream in both) else None


def usage_error(exc: Any, program: str) -> UsageError:
    """Typer's complaint in our words: one line, and what to type next."""
    context = exc.ctx  # None where an option lacks its value
    path = context.command_path if context is not None else program
    message = re.sub(r"'([^'`]*)'", r"`\1`", exc.format_message().strip().rstrip("."))
    return UsageError(message[:1].lower() + message[1:], hint=f"`{path} --help`")
