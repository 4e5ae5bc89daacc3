"""The command line in Typer's terms: the tree of commands, their help, errors in a line.

A group knows its commands by name and imports one when it is called. Commands that are declared for
``parser`` become Typer commands here. The help fits a terminal of 40 columns.
Nothing of this is imported for a line that ``parser.read`` understands.
"""

from __future__ import annotations

import difflib
import importlib
import inspect
import re
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup, TyperOption

from darkai_cli import stdio
from darkai_cli.cli.commands import COMMANDS, CommandRow
from darkai_cli.cli.parser import CommandSpec, Option
from darkai_cli.cli.tables import wrapped
from darkai_cli.errors import UsageError

CommandLineError: Any = typer.BadParameter.__base__
"""Typer's own error for wrong options and arguments (it has no public name)."""
_HELP = {"help_option_names": ["-h", "--help"]}
_WIDEST = 100
_NAME_COLUMN = 30
"""The widest name that has its description beside it, and not below it."""
_NARROW = 60
"""Below this width all descriptions stand below the names."""


class HelpMixin:
    """A Typer command or group with our help; ``examples`` are command lines.

    Typer has no public way to arrange the help, so this replaces the one method that makes it.
    """

    examples: Sequence[str] = ()

    def get_help(self, ctx: Any) -> str:
        """Return the help as text for the terminal."""
        command: Any = self
        width = min(stdio.size(stdio.stdout())[0], _WIDEST)
        parameters = [param for param in command.get_params(ctx) if not param.hidden]
        arguments = [param for param in parameters if param.param_type_name == "argument"]
        options = [param for param in parameters if param.param_type_name == "option"]
        sections = [
            ("Arguments", [(param.make_metavar(ctx=ctx), param.help or "") for param in arguments]),
            ("Commands", command.command_rows() if hasattr(command, "command_rows") else []),
            ("Options", [(_option_name(param, ctx), param.help or "") for param in options]),
        ]
        lines = [*_usage(command, ctx, width), "", *wrapped(command.help or "", width)]
        for title, rows in sections:
            lines += _section(title, rows, width)
        if self.examples:
            lines += ["", "Examples:", *(f"  {example}" for example in self.examples)]
        return "\n".join(lines)


class HelpCommand(HelpMixin, TyperCommand):
    """A command with our help."""


class LazyGroup(HelpMixin, TyperGroup):
    """A group whose commands are imported when they are called.

    ``rows`` are its commands by name, ``package`` has their modules, and ``default`` names the
    command that is run when none is named.
    """

    def __init__(
        self,
        name: str,
        rows: Mapping[str, CommandRow],
        *,
        package: str = "darkai_cli.cli",
        help: str,  # noqa: A002 -- Typer's name
        default: str | None = None,
        examples: Sequence[str] = (),
        params: list[Any] | None = None,
    ) -> None:
        super().__init__(
            name=name, help=help, params=params, rich_markup_mode=None, context_settings=_HELP,
            subcommand_metavar="[COMMAND] [ARGS]..." if default else "COMMAND [ARGS]...",
        )  # fmt: skip
        self.rows = rows
        self.package = package
        self.examples = examples
        self.default = default

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the arguments; options without a command are those of the default command."""
        is_option = bool(args) and args[0].startswith("-")
        if self.default and (not args or (is_option and args[0] not in ("-h", "--help", "--"))):
            args = [self.default, *args]
        return super().parse_args(ctx, args)

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 -- the signature is Typer's
        """Return the names, in the order of the table."""
        return list(self.rows)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002 -- the signature is Typer's
        """Return the command of that name; None if there is none."""
        row = self.rows.get(cmd_name)
        return None if row is None else load(cmd_name, row, self.package)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Return the command that the arguments name. Raises ``UsageError`` for an unknown name."""
        name = args[0]
        if name not in self.rows and not name.startswith("-"):
            path = ctx.command_path
            close = difflib.get_close_matches(name, self.rows, n=1)
            hints = [f"Did you mean `{path} {close[0]}`?"] if close else []
            if path == "darkai":
                hints.append(f"To ask it as a question: `darkai ask {shlex.quote(name)}`")
            unknown = f"{path} {name}".removeprefix("darkai ")
            raise UsageError(
                f"Unknown command `{unknown}`", hint=" ".join(hints) or f"Run `{path} --help`"
            )
        return super().resolve_command(ctx, args)

    def command_rows(self) -> list[tuple[str, str]]:
        """Return the names and descriptions of the commands for the help."""
        return [
            (f"{name} (default)" if name == self.default else name, row.help)
            for name, row in self.rows.items()
        ]


def _usage(command: Any, ctx: Any, width: int) -> list[str]:
    """Return the usage line, wrapped with an indent."""
    # Typer puts braces around the arguments that are required, which usually means a choice.
    pieces = [
        piece[1:-1] if piece.startswith("{") else piece
        for piece in command.collect_usage_pieces(ctx)
    ]
    first, *more = wrapped(" ".join(["Usage:", ctx.command_path, *pieces]), width - 4)
    return [first, *(f"    {row}" for row in more)]


def _option_name(option: Any, ctx: Any) -> str:
    """Return the flags and the metavar of an option; long flags stand in a column."""
    flags = sorted((*option.opts, *option.secondary_opts), key=len)
    indent = "" if len(flags[0]) == 2 else " " * len("-x, ")
    metavar = "" if option.is_flag else f" {option.make_metavar(ctx=ctx)}"
    return f"{indent}{', '.join(flags)}{metavar}"


def _section(title: str, rows: Sequence[tuple[str, str]], width: int) -> Iterator[str]:
    """Yield a heading, and each name with its description beside or below it."""
    if not rows:
        return
    yield from ("", f"{title}:")
    names = [len(name) for name, _ in rows if len(name) <= _NAME_COLUMN]
    column = max(names, default=0) + 4
    for name, description in rows:
        if width < _NARROW or len(name) > _NAME_COLUMN:
            yield f"  {name.strip() if width < _NARROW else name}"
            yield from (f"      {row}" for row in wrapped(description, width - 6))
            continue
        first, *more = wrapped(description, width - column)
        yield f"  {name}".ljust(column) + first
        yield from (" " * column + row for row in more)


def load(name: str, row: CommandRow, package: str = "darkai_cli.cli") -> Any:
    """Import a command and return it as Typer's object."""
    target = getattr(importlib.import_module(f"{package}.{row.module}"), row.attribute)
    if isinstance(target, LazyGroup):
        return target
    if isinstance(target, CommandSpec):
        return declared_command(name, target)
    command = _typer_command(name, target, row.help, ignore_unknown=row.values_may_be_options)
    command.examples = row.examples
    return command


def declared_command(name: str, command: CommandSpec) -> Any:
    """Return a command that is declared for ``parser`` as Typer's object."""
    typer_command = _typer_command(name, _with_typer_annotations(command), command.help)
    typer_command.examples = command.examples
    return typer_command


def _typer_command(
    name: str,
    function: Callable[..., Any],
    help: str,  # noqa: A002 -- Typer's name
    *,
    ignore_unknown: bool = False,
) -> Any:
    """Return a function with Typer's annotations as a command."""
    app = typer.Typer(add_completion=False, rich_markup_mode=None)
    settings = {**_HELP, "ignore_unknown_options": ignore_unknown}
    app.command(name, cls=HelpCommand, help=help, context_settings=settings)(function)
    return typer.main.get_command(app)


def _with_typer_annotations(command: CommandSpec) -> Callable[..., int]:
    """Return the command's function, its parameters annotated for Typer."""

    def call(**given: Any) -> int:
        return command.function(**given)

    parameters = [
        parameter.replace(annotation=_typer_annotation(parameter.annotation))
        for parameter in inspect.signature(command.function).parameters.values()
    ]
    call.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    call.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return call


def _typer_annotation(annotation: Any) -> Any:
    """Return Typer's annotation for a parameter that is declared for ``parser``."""
    declared = annotation.__metadata__[0]
    info: Any
    if isinstance(declared, Option):
        info = typer.Option(
            *declared.flags, metavar=declared.metavar, help=declared.help, hidden=declared.hidden
        )
    else:
        info = typer.Argument(metavar=declared.metavar, help=declared.help, show_default=False)
    return Annotated[annotation.__origin__, info]


def root() -> LazyGroup:
    """Return the root command, with all others below it."""
    version = TyperOption(
        param_decls=["--version"], is_flag=True, help="Print the version and exit."
    )
    return LazyGroup(
        "darkai",
        COMMANDS,
        help="A command-line chat client.",
        params=[version],
        examples=(
            'darkai ask "tell me a joke"',
            'git diff | darkai ask "write a commit message"',
            "darkai chat -m openai/gpt-4o",
            "darkai COMMAND --help",
        ),
    )


def run(arguments: list[str]) -> int:
    """Run one command line and return the exit code.

    Raises ``DarkAIError`` or ``KeyboardInterrupt``.
    """
    name = arguments[0]
    command: Any = root()
    program = "darkai"
    # Creating the root's context costs as much as running a command.
    if name in COMMANDS:
        command, arguments, program = load(name, COMMANDS[name]), arguments[1:], f"darkai {name}"
    try:
        code = command.main(arguments, prog_name=program, standalone_mode=False)
    except CommandLineError as exc:
        if arguments and arguments[0] in getattr(command, "rows", ()):
            program = f"{program} {arguments[0]}"
        raise _usage_error(exc, program) from exc
    except typer.Abort:
        raise KeyboardInterrupt from None
    except SystemExit:  # Typer exits when nobody reads what it prints
        raise BrokenPipeError from None
    return code if isinstance(code, int) else 0


def _usage_error(exc: Any, program: str) -> UsageError:
    """Return our error for one of Typer's: what is wrong, and what to type next."""
    context = exc.ctx  # None where an option lacks its value
    path = context.command_path if context is not None else program
    hint = f"Run `{path} --help` for the usage"
    kind = type(exc).__name__
    message = exc.format_message()
    extra = re.search(r"unexpected extra argument\(s\) \((.*)\)", message, re.DOTALL)
    if kind == "NoSuchOption":
        message = f"Unknown option `{exc.option_name}`"
        close = difflib.get_close_matches(
            exc.option_name, exc.possibilities or (), n=1, cutoff=0.75
        )
        if close:
            hint = f"Did you mean `{close[0]}`?"
    elif kind == "BadOptionUsage":
        message = f"`{exc.option_name}` needs a value"
    elif kind == "MissingParameter":
        message = f"Missing argument `{exc.param.human_readable_name}`"
    elif kind == "BadParameter" and exc.param is not None:
        value = re.search(r"value for [^:]*: '?(.*?)'? is not ", message, re.DOTALL)
        actual = f", not `{value[1]}`" if value else ""
        message = f"`{_flag(exc.param)}` must be {_expected(exc.param)}{actual}"
    elif extra is not None and path.endswith("keys set"):
        message = "A key can't be an argument: it would stay in your shell's history"
        hint = (
            f"Run `{path} PROVIDER`, then type or paste the key; a key typed here is best replaced"
        )
    elif extra is not None:
        message = f"Too many arguments: `{extra[1]}`"
    return UsageError(message, hint=hint)


def _flag(param: Any) -> str:
    """Return the name of an option or argument on the command line."""
    return max(param.opts, key=len) if param.param_type_name == "option" else param.metavar or ""


def _expected(param: Any) -> str:
    """Return what an option or argument takes."""
    choices = getattr(param.type, "choices", ())
    if choices:
        return f"one of {', '.join(choices)}"
    if param.type.name.startswith("float"):
        return "a number of seconds" if param.metavar == "SECONDS" else "a number"
    least = getattr(param.type, "min", None)
    return "a whole number" if least is None else f"a whole number from {least}"
