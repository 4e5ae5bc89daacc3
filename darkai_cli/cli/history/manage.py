"""What changes the history, or looks after its file.

``history rename`` and ``rm``; ``path``, ``vacuum`` and ``check``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from darkai_cli import stdio
from darkai_cli.cli import print as printing
from darkai_cli.cli import tables
from darkai_cli.cli.history import arguments
from darkai_cli.errors import StoreError, UsageError
from darkai_cli.text import file_size, plural

if TYPE_CHECKING:
    from darkai_cli.history.store import Store

_NAMED = 10
"""How many of the conversations to be removed are named in the question."""


def rename(
    identifier: Annotated[str, typer.Argument(metavar="ID", help="Which conversation.")],
    title: Annotated[list[str], typer.Argument(metavar="TITLE...", help="Its new title.")],
) -> None:
    """Rename it."""
    arguments.named(identifier)
    with arguments.required() as store:
        store.rename(store.find(identifier), " ".join(title))


def rm(
    identifiers: Annotated[
        list[str] | None,
        typer.Argument(metavar="[ID]...", help="Which conversations.", show_default=False),
    ] = None,
    older_than: Annotated[
        str | None,
        typer.Option("--older-than", metavar="TIME", help="All that are older: 90d, or a date."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Remove them, after a question."""
    arguments.named(*identifiers or ())
    if not identifiers and older_than is None:
        raise UsageError(
            "nothing to remove is named", hint="`darkai history rm ID`, or `--older-than 90d`"
        )
    before = arguments.moment(older_than, "--older-than") if older_than is not None else None
    with arguments.required() as store:
        found = [store.find(one) for one in identifiers or ()]
        if before is not None:
            found += store.older_than(before)
        found = list(dict.fromkeys(found))
        if not found:
            stdio.print_err(f"nothing is older than {older_than}")
        elif yes or _confirmed(store, found):
            removed = store.remove(found)
            stdio.print_err(f"removed {plural(removed, 'conversation')}")
        else:
            stdio.print_err("nothing removed")


def _confirmed(store: Store, found: list[str]) -> bool:
    """Ask. Raises ``UsageError`` where nobody can be asked."""
    terminals = (stdio.stdin(), stdio.stderr())
    if not all(stdio.is_terminal(stream) for stream in terminals):
        raise UsageError(
            f"removing {plural(len(found), 'conversation')} must be confirmed",
            hint="`--yes` does it without a question",
        )
    for one in map(store.conversation, found[:_NAMED]):
        age = printing.local(one.updated)
        stdio.print_err(f"  {one.short}  {age}  {tables.cut(printing.one_line(one.title), 50)}")
    if len(found) > _NAMED:
        stdio.print_err(f"  and {len(found) - _NAMED:,} more")
    return bool(typer.confirm(f"Remove {plural(len(found), 'conversation')} for good?", err=True))


def path() -> None:
    """Print where the history is, or would be."""
    from darkai_cli.config import paths
    from darkai_cli.output.sanitize import sanitize_line

    screen = printing.Screen()
    file = str(paths.history_file()).encode("utf-8", "backslashreplace").decode()
    screen.lines([sanitize_line(file, 10_000) if screen.terminal else file])


def vacuum() -> None:
    """Give unused space back."""
    store = arguments.existing()
    if store is None:
        stdio.print_err(arguments.NOTHING)
        return
    with store:
        sizes = store.vacuum()
    screen = printing.Screen()
    if screen.terminal:
        screen.lines([f"{file_size(sizes.before)} before, {file_size(sizes.after)} now"])
    else:
        screen.record(*sizes)


def check(
    repair: Annotated[
        bool, typer.Option("--repair", help="Make the search index anew, from the messages.")
    ] = False,
) -> None:
    """Read all of it and say what is wrong."""
    from darkai_cli.history.database import import_command

    store = arguments.existing()
    if store is None:
        stdio.print_err(arguments.NOTHING)
        return
    with store:
        if repair:
            store.rebuild_index()
        problems = store.check()
        file = store.path
    screen = printing.Screen()
    for problem in problems:
        screen.lines([printing.one_line(problem)])
    if problems:
        raise StoreError(
            f"the history has {plural(len(problems), 'problem')} ({file})",
            hint="`--repair` makes the search index anew; for the rest,"
            f" {import_command(file)} moves the file aside and takes back what can be read",
        )
    screen.lines(["ok"])
