"""The command line as Typer sees it: the tree of commands, their help, what is wrong with a line.

The root is a group that knows its commands by name and imports one when it is called. Commands that
only declare their line (``declared``) become Typer's here; groups such as ``history`` bring an
``app`` of their own. Nothing here is imported for a line that ``declared.read`` understands.
"""

from __future__ import annotations

import difflib
import importlib
import inspect
import re
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from darkai_cli.cli.commands import COMMANDS, Row
from darkai_cli.cli.parser import Command, Option
from darkai_cli.errors import UsageError

CommandLineError: Any = typer.BadParameter.__base__
"""Typer's own error for wrong flags and arguments (it has no public name)."""
_HELP = {"help_option_names": ["-h", "--help"]}


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
    module = importlib.import_module(row.module)
    command = getattr(module, "command", None)
    return typer.main.get_command(module.app if command is None else declared_app(command))


def declared_app(command: Command) -> typer.Typer:
    """A declared command as an application of its own."""

    def call(**given: Any) -> int:
        return command.function(**given)

    parameters = inspect.signature(command.function).parameters.values()
    shown = [one.replace(annotation=_annotation(one.annotation)) for one in parameters]
    call.__signature__ = inspect.Signature(shown)  # type: ignore[attr-defined]
    call.__annotations__ = {one.name: one.annotation for one in shown}
    app = typer.Typer(add_completion=False, rich_markup_mode=None, context_settings=_HELP)
    app.command(help=command.help)(call)
    return app


def _annotation(annotation: Any) -> Any:
    """The same parameter in Typer's terms."""
    declared = annotation.__metadata__[0]
    if isinstance(declared, Option):
        said = typer.Option(*declared.flags, metavar=declared.metavar, help=declared.help)
    else:
        said = typer.Argument(metavar=declared.metavar, help=declared.help, show_default=False)
    return Annotated[annotation.__origin__, said]


app = typer.Typer(
    cls=LazyGroup, add_completion=False, rich_markup_mode=None, context_settings=_HELP
)


@app.callback(
    help="A command-line chat client.",
    epilog=(
        'darkai ask "tell me a joke" | git diff | darkai ask "review this" | darkai COMMAND --help'
    ),
)
def _root(
    version: bool = typer.Option(False, "--version", help="Print the version and exit."),
) -> None:
    """What is common to all commands."""


def root() -> Any:
    """The root's command object, with all others below it."""
    return typer.main.get_command(app)


def run(arguments: list[str]) -> int:
    """Run one line; the exit code. Raises ``DarkAIError`` or ``KeyboardInterrupt``."""
    name = arguments[0]
    # Without the group around it, which costs as much as a command; but completions shows it all.
    if name in COMMANDS and name != "completions":
        command, arguments, program = load(COMMANDS[name]), arguments[1:], f"darkai {name}"
    else:
        command, program = root(), "darkai"
    try:
        code = command.main(arguments, prog_name=program, standalone_mode=False)
    except CommandLineError as exc:
        if arguments and arguments[0] in getattr(command, "commands", ()):
            program = f"{program} {arguments[0]}"
        raise _usage_error(exc, program) from exc
    except typer.Abort:
        raise KeyboardInterrupt from None
    except SystemExit:  # Typer's own way out where nobody reads what it prints
        raise BrokenPipeError from None
    return code if isinstance(code, int) else 0


def _usage_error(exc: Any, program: str) -> UsageError:
    """Typer's complaint in our words: one line, and what to type next."""
    context = exc.ctx  # None where an option lacks its value
    path = context.command_path if context is not None else program
    message = re.sub(r"'([^'`]*)'", r"`\1`", exc.format_message().strip().rstrip("."))
    return UsageError(message[:1].lower() + message[1:], hint=f"`{path} --help`")
