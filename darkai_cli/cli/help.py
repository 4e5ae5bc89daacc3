"""Writes the help of a command: Usage, Arguments, Options, Commands and Examples.

The help fits a terminal of 40 columns. Typer has no public way to arrange it, so ``HelpMixin``
replaces the one method that makes the text.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from typer.core import TyperCommand

from darkai_cli import stdio
from darkai_cli.cli.tables import wrapped

if TYPE_CHECKING:
    from collections.abc import Iterator

_WIDEST = 100
_NAME_COLUMN = 30
"""The widest name that has its description beside it, and not below it."""
_NARROW = 60
"""Below this width all descriptions stand below the names."""

Rows = Sequence[tuple[str, str]]


class HelpMixin:
    """A Typer command or group with our help; ``examples`` are command lines."""

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


def _section(title: str, rows: Rows, width: int) -> Iterator[str]:
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
