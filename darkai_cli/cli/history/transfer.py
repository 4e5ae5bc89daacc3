"""``darkai history export`` and ``import``."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from darkai_cli import stdio
from darkai_cli.cli import tables
from darkai_cli.cli.history import arguments
from darkai_cli.cli.print import Printer, note, safe_line
from darkai_cli.errors import InputError, UsageError
from darkai_cli.files import reason
from darkai_cli.text import plural

if TYPE_CHECKING:
    from collections.abc import Iterator

    from darkai_cli.history.export import Format
    from darkai_cli.history.importers import Report

_FORMATS = "md|json|jsonl|html"
_BEFORE_BAR = 0.5
_BETWEEN_BARS = 0.1
_BAR = 30


def export(
    identifiers: Annotated[
        list[str] | None,
        typer.Argument(metavar="[ID]...", help="Otherwise the latest.", show_default=False),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="All conversations.")] = False,
    format: Annotated[  # noqa: A002 -- the option's name
        str | None,
        typer.Option("--format", metavar=_FORMATS, help="Otherwise by the name of FILE, or md."),
    ] = None,
    output: Annotated[
        str | None,
        typer.Option("--output", metavar="FILE", help="Write to FILE, once it is complete."),
    ] = None,
) -> None:
    """Write conversations."""
    from darkai_cli.history import export as library

    fmt = _format(format, output)
    arguments.check_ids(*identifiers or ())
    if everything and identifiers:
        raise UsageError("`--all` goes with no ID", hint="leave out one of them")
    with arguments.required_store() as store:
        if everything:
            ids = [row[0] for row in store.rows("SELECT id FROM conversation ORDER BY id")]
        elif identifiers:
            ids = [arguments.conversation_id(store, prefix) for prefix in identifiers]
        else:
            ids = [arguments.conversation_id(store, None)]
        pieces = library.export(store, list(dict.fromkeys(ids)), fmt)
        if output is None:
            _print(pieces)
        else:
            _write(pieces, output)


def _format(format: str | None, output: str | None) -> Format:  # noqa: A002 -- as above
    """Return the format of ``--format``, else that of the file's ending. Raises ``UsageError``."""
    from darkai_cli.history.export import FORMATS

    name = format or (Path(output).suffix[1:].lower() if output else "")
    for known in FORMATS:
        if name == known:
            return known
    if format is not None:
        raise UsageError(f"there is no format `{format}`", hint=f"one of {_FORMATS}")
    return "md"


def _print(pieces: Iterator[str]) -> None:
    from darkai_cli.output.sanitize import sanitize

    printer = Printer()
    for piece in pieces:
        printer.write(sanitize(piece) if printer.is_terminal else piece)


def _write(pieces: Iterator[str], output: str) -> None:
    from darkai_cli.files import AtomicFile

    file = AtomicFile(output)
    try:
        out = file.open()
        for piece in pieces:
            out.write(piece.encode())
    except OSError as exc:
        file.discard()
        raise InputError(f"cannot write `{output}`: {reason(exc)}") from exc
    except BaseException:
        file.discard()
        raise
    file.commit()


def import_file(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What to import.")],
) -> None:
    """Import a file, and print how much was imported and what was left out."""
    from darkai_cli.config import paths
    from darkai_cli.history import importers, salvage

    try:
        file.open("rb").close()  # before a history is created for it
    except OSError as exc:
        raise InputError(f"cannot read `{file}`: {reason(exc)}") from exc
    history = paths.history_file()
    if history.exists() and history.samefile(file):
        file = salvage.put_aside(file)
        note(f"the damaged history is now `{file}`; a new one is started")
    with arguments.open_store(history, replace=True) as store:
        bar = ProgressBar()
        try:
            report = importers.import_file(store, file, bar.update)
        finally:
            bar.clear()
    _print_report(report)


class ProgressBar:
    """A bar on stderr, if that is a terminal and the work takes longer than half a second."""

    def __init__(self) -> None:
        err = stdio.stderr()
        self._is_enabled = stdio.is_terminal(err) and not stdio.is_dumb()
        self._width = stdio.size(err)[0]
        self._next = time.monotonic() + _BEFORE_BAR
        self._is_visible = False

    def update(self, done: int, total: int) -> None:
        """Show how much is done; at most ten times a second."""
        now = time.monotonic()
        if not self._is_enabled or now < self._next or not total:
            return
        self._next = now + _BETWEEN_BARS
        self._is_visible = True
        self._draw("\r" + progress_row(done, total, self._width))

    def clear(self) -> None:
        """Remove the bar."""
        if self._is_visible:
            self._draw("\r\x1b[K")

    def _draw(self, text: str) -> None:
        err = stdio.stderr()
        err.write(text)
        err.flush()


def progress_row(done: int, total: int, width: int) -> str:
    """Return a bar with its percentage, in at most ``width`` cells."""
    part = min(done, total) / total
    room = max(0, min(_BAR, width - 8))
    bar = tables.bar(part, 1, room).ljust(room)
    return f" {bar} {part:4.0%}"[: max(0, width - 1)]


def _print_report(report: Report) -> None:
    printer = Printer()
    if not printer.is_terminal:
        printer.record("source", report.source)
        for name in ("conversations", "messages", "present"):
            printer.record(name, getattr(report, name))
        for reason_text, times in report.skipped.items():
            printer.record("skipped", times, reason_text)
        return
    taken = f"{plural(report.conversations, 'conversation')} taken from {report.source}"
    lines = [f"{taken}, {plural(report.messages, 'message')} in all"]
    if report.present:
        lines.append(f"{plural(report.present, 'message')} already there")
    lines += [
        printer.styled("warn", f"skipped {times:,} times: {safe_line(reason_text)}")
        for reason_text, times in report.skipped.items()
    ]
    printer.lines(lines)
