"""``darkai history``: conversations found, shown, carried away and tidied up.

This is the group; a subcommand's module is imported, and its options are read, when it is called.
``reading`` lists and searches, ``showing`` shows one conversation, ``numbers`` makes statistics,
``carrying`` exports and imports, ``tidying`` changes. ``opening`` gets them the store, ``layout``
makes rows of text that fit, ``printing`` puts them on a terminal or into a pipe.
"""

from __future__ import annotations

import difflib
import importlib
from typing import Any, NamedTuple

import typer
from typer.core import TyperGroup

from darkai_cli.errors import UsageError


class Row(NamedTuple):
    """A subcommand: the function that is it, and its help line."""

    module: str
    function: str
    help: str


COMMANDS: dict[str, Row] = {
    "list": Row("list", "list_", "The conversations, the latest first."),
    "show": Row("show", "show", "A conversation."),
    "search": Row("list", "search", "Messages with all these words."),
    "tree": Row("show", "tree", "A conversation with all its branches."),
    "diff": Row("show", "diff", "What differs between two replies or conversations."),
    "rename": Row("manage", "rename", "Give a conversation another title."),
    "rm": Row("manage", "rm", "Remove conversations."),
    "stats": Row("stats", "stats", "How many turns and tokens, with which model, how fast."),
    "export": Row("transfer", "export", "Write conversations as Markdown, JSON or HTML."),
    "import": Row("transfer", "import_", "Take conversations from a file."),
    "path": Row("manage", "path", "Where the history is."),
    "vacuum": Row("manage", "vacuum", "Give the room of what was removed back to the disk."),
    "check": Row("manage", "check", "Look whether the database is whole."),
}
_SETTINGS = {"help_option_names": ["-h", "--help"]}


class HistoryGroup(TyperGroup):
    """The subcommands, each made when it is asked for; without a name, ``list``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Take the arguments; options without a command are those of ``list``."""
        if not args or (args[0].startswith("-") and args[0] not in ("-h", "--help", "--")):
            args = ["list", *args]
        return super().parse_args(ctx, args)

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 -- the signature is Typer's
        """The names, in the order of the table."""
        return [*COMMANDS]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002 -- likewise
        """The command of that name; None if there is none."""
        row = COMMANDS.get(cmd_name)
        if row is None:
            return None
        module = importlib.import_module(f"{__name__}.{row.module}")
        alone = typer.Typer(add_completion=False, rich_markup_mode=None)
        settings = _SETTINGS | getattr(module, "SETTINGS", {}).get(cmd_name, {})
        alone.command(cmd_name, help=row.help, context_settings=settings)(
            getattr(module, row.function)
        )
        return typer.main.get_command(alone)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that the arguments name. Raises ``UsageError`` with the nearest name."""
        name = args[0]
        if name not in COMMANDS and not name.startswith("-"):
            close = difflib.get_close_matches(name, COMMANDS, n=1)
            hint = f"darkai history {close[0]}" if close else "darkai history --help"
            raise UsageError(f"there is no command `history {name}`", hint=f"`{hint}`")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002 -- likewise
        """The list of commands in the help."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, row.help) for name, row in COMMANDS.items()])


app = typer.Typer(
    cls=HistoryGroup,
    add_completion=False,
    rich_markup_mode=None,
    context_settings=_SETTINGS,
)


@app.callback(
    help="Find, show, export and tidy saved conversations.",
    epilog="ID is how an id begins, as `darkai history list` shows it; without one, the latest.",
)
def root() -> None:
    """What is common to the subcommands."""
