"""``history export`` and ``history import``: conversations on their way out and in."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from darkai_cli import stdio
from darkai_cli.cli import print as printing
from darkai_cli.cli import tables
from darkai_cli.cli.history import arguments
from darkai_cli.errors import InputError, UsageError
from darkai_cli.output import notices
from darkai_cli.text import plural

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from darkai_cli.history.export import Format
    from darkai_cli.history.importers import Report
    from darkai_cli.history.store import Store

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
    arguments.named(*identifiers or ())
    if everything and identifiers:
        raise UsageError("`--all` goes with no ID", hint="leave out one of them")
    with arguments.required() as store:
        if everything:
            found = [one[0] for one in store.rows("SELECT id FROM conversation ORDER BY id")]
        elif identifiers:
            found = [arguments.chosen(store, typed) for typed in identifiers]
        else:
            found = [arguments.chosen(store, None)]
        pieces = library.export(store, list(dict.fromkeys(found)), fmt)
        if output is None:
            _print(pieces)
        else:
            _write(pieces, output)


def _format(format: str | None, output: str | None) -> Format:  # noqa: A002 -- as above
    """The format that was named, or that the file's name says. Raises ``UsageError``."""
    from darkai_cli.history.export import FORMATS

    wanted = format or (Path(output).suffix[1:].lower() if output else "")
    for known in FORMATS:
        if wanted == known:
            return known
    if format is not None:
        raise UsageError(f"there is no format `{format}`", hint=f"one of {_FORMATS}")
    return "md"


def _print(pieces: Iterator[str]) -> None:
    from darkai_cli.output.sanitize import sanitize

    screen = printing.Screen()
    for piece in pieces:
        screen.write(sanitize(piece) if screen.terminal else piece)


def _write(pieces: Iterator[str], output: str) -> None:
    from darkai_cli.files import AtomicFile

    file = AtomicFile(output)
    try:
        out = file.open()
        for piece in pieces:
            out.write(piece.encode())
    except OSError as exc:
        file.discard()
        reason = (exc.strerror or str(exc)).lower()
        raise InputError(f"cannot write `{output}`: {reason}") from exc
    except BaseException:
        file.discard()
        raise
    file.commit()


def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What to import.")],
) -> None:
    """Take what the file has, and say what was left out."""
    from darkai_cli.config import paths
    from darkai_cli.history import importers, salvage

    try:
        file.open("rb").close()  # before a history is made for it
    except OSError as exc:
        reason = (exc.strerror or str(exc)).lower()
        raise InputError(f"cannot read `{file}`: {reason}") from exc
    history = paths.history_file()
    if history.exists() and history.samefile(file):
        file = salvage.put_aside(file)
        notices.tell("note", f"the damaged history is now `{file}`; a new one is started")
    with arguments.opened(history, replace=True) as store:
        report = _import(store, importers.import_file, file)
    _report(report)


def _import(store: Store, take: Callable[..., Report], file: Path) -> Report:
    err = stdio.stderr()
    if not stdio.is_terminal(err) or stdio.is_dumb():
        return take(store, file)
    progress = Progress(stdio.size(err)[0])
    try:
        return take(store, file, progress.step)
    finally:
        progress.clear()


class Progress:
    """A bar on stderr, for what takes longer than half a second."""

    def __init__(self, width: int) -> None:
        self._width = width
        self._next = time.monotonic() + _BEFORE_BAR
        self._shown = False

    def step(self, done: int, total: int) -> None:
        """So much is done."""
        now = time.monotonic()
        if now < self._next or not total:
            return
        self._next = now + _BETWEEN_BARS
        self._shown = True
        self._draw("\r" + progress_row(done, total, self._width))

    def clear(self) -> None:
        """Take it away."""
        if self._shown:
            self._draw("\r\x1b[K")

    def _draw(self, text: str) -> None:
        err = stdio.stderr()
        err.write(text)
        err.flush()


def progress_row(done: int, total: int, width: int) -> str:
    """A bar with its percentage, in at most ``width`` cells."""
    part = min(done, total) / total
    room = max(0, min(_BAR, width - 8))
    bar = tables.pad(tables.bar(part, 1, room), room)
    return f" {bar} {part:4.0%}"[: max(0, width - 1)]


def _report(report: Report) -> None:
    screen = printing.Screen()
    if not screen.terminal:
        screen.record("source", report.source)
        for name in ("conversations", "messages", "present"):
            screen.record(name, getattr(report, name))
        for why, often in report.skipped.items():
            screen.record("skipped", often, why)
        return
    taken = f"{plural(report.conversations, 'conversation')} taken from {report.source}"
    lines = [f"{taken}, {plural(report.messages, 'message')} in all"]
    if report.present:
        lines.append(f"{plural(report.present, 'message')} already there")
    lines += [
        screen.ink("warn", f"skipped {often:,} times: {printing.one_line(why)}")
        for why, often in report.skipped.items()
    ]
    screen.lines(lines)
