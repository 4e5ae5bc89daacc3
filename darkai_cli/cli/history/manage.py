"""``darkai history rename``, ``rm``, ``path``, ``vacuum`` and ``check``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from darkai_cli import stdio
from darkai_cli.cli import tables
from darkai_cli.cli.history import arguments
from darkai_cli.cli.print import Printer, local_time, note, safe_line
from darkai_cli.errors import StoreError, UsageError
from darkai_cli.text import file_size, plural

if TYPE_CHECKING:
    from darkai_cli.history.store import Store

_LISTED = 10
"""How many of the conversations to be removed are listed above the question."""


def rename(
    identifier: Annotated[
        str, typer.Argument(metavar="ID", help="Conversation (any unique prefix of its ID).")
    ],
    title: Annotated[list[str], typer.Argument(metavar="TITLE...", help="New title.")],
) -> None:
    """Rename it."""
    arguments.check_ids(identifier)
    with arguments.required_store() as store:
        store.rename(store.find(identifier), " ".join(title))


def rm(
    identifiers: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[ID]...",
            help="Conversations (any unique prefix of an ID).",
            show_default=False,
        ),
    ] = None,
    older_than: Annotated[
        str | None,
        typer.Option(
            "--older-than",
            metavar="TIME",
            help="Remove all older than TIME, such as 90d or a date.",
        ),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Don't ask for confirmation.")] = False,
) -> None:
    """Remove them, after a question."""
    arguments.check_ids(*identifiers or ())
    if not identifiers and older_than is None:
        raise UsageError(
            "No conversation to remove",
            hint="Run `darkai history rm ID`, or use `--older-than 90d`",
        )
    before = arguments.time_ms(older_than, "--older-than") if older_than is not None else None
    with arguments.required_store() as store:
        ids = [store.find(prefix) for prefix in identifiers or ()]
        if before is not None:
            ids += store.older_than(before)
        ids = list(dict.fromkeys(ids))
        if not ids:
            note(f"No conversations are older than {older_than}")
        elif yes or _confirmed(store, ids):
            removed = store.remove(ids)
            note(f"Removed {plural(removed, 'conversation')}")
        else:
            note("Nothing removed")


def _confirmed(store: Store, ids: list[str]) -> bool:
    """Ask the user and return the answer. Raises ``UsageError`` if there is no terminal."""
    terminals = (stdio.stdin(), stdio.stderr())
    if not all(stdio.is_terminal(stream) for stream in terminals):
        raise UsageError(
            f"Removing {plural(len(ids), 'conversation')} needs a confirmation",
            hint="Use `--yes` to confirm",
        )
    for row in map(store.conversation, ids[:_LISTED]):
        title = tables.cut(safe_line(row.title), 50)
        stdio.print_err(f"  {row.short}  {local_time(row.updated)}  {title}")
    if len(ids) > _LISTED:
        stdio.print_err(f"  and {len(ids) - _LISTED:,} more")
    return bool(typer.confirm(f"Remove {plural(len(ids), 'conversation')} permanently?", err=True))


def path() -> None:
    """Print where the history is, or would be."""
    from darkai_cli.config import paths

    Printer().value(str(paths.history_file()))


def vacuum() -> None:
    """Give unused space back."""
    store = arguments.existing_store()
    if store is None:
        note(arguments.NOTHING)
        return
    with store:
        sizes = store.vacuum()
    printer = Printer()
    if printer.is_terminal:
        printer.lines([f"{file_size(sizes.before)} before, {file_size(sizes.after)} after"])
    else:
        printer.record(*sizes)


def check(
    repair: Annotated[
        bool, typer.Option("--repair", help="Rebuild the search index from the messages.")
    ] = False,
) -> None:
    """Read all of it and say what is wrong."""
    from darkai_cli.history.database import import_command

    store = arguments.existing_store()
    if store is None:
        note(arguments.NOTHING)
        return
    with store:
        if repair:
            store.rebuild_index()
        problems = store.check()
        file = store.path
    printer = Printer()
    for problem in problems:
        printer.lines([safe_line(problem)])
    if problems:
        raise StoreError(
            f"The history has {plural(len(problems), 'problem')} ({file})",
            hint="Use `--repair` to rebuild the search index. For other damage, run"
            f" {import_command(file)} to recover what can be read",
        )
    printer.lines(["ok"])
