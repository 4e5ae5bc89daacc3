"""``darkai history export`` and ``import``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from darkai_cli.cli.history import arguments
from darkai_cli.cli.print import Printer, note, safe_line
from darkai_cli.errors import InputError, UsageError
from darkai_cli.files import AtomicFile, reason
from darkai_cli.output.sanitize import sanitize
from darkai_cli.text import plural

if TYPE_CHECKING:
    from collections.abc import Iterator

    from darkai_cli.history.export import Format
    from darkai_cli.history.importers.draft import ImportReport

_FORMATS = "md|json|jsonl|html"


def export(
    identifiers: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[ID]...",
            help="Conversations (any unique prefix of an ID; default: the latest).",
            show_default=False,
        ),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Export all conversations.")] = False,
    format: Annotated[  # noqa: A002 -- the option's name
        str | None,
        typer.Option(
            "--format", metavar=_FORMATS, help="Format (default: by the ending of FILE, or md)."
        ),
    ] = None,
    output: Annotated[
        str | None,
        typer.Option("--output", metavar="FILE", help="Write to FILE when the export is complete."),
    ] = None,
) -> None:
    """Write conversations."""
    from darkai_cli.history import export as library

    fmt = _format(format, output)
    arguments.check_ids(*identifiers or ())
    if everything and identifiers:
        raise UsageError("`--all` and an ID can't be used together", hint="Leave out one of them")
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
        raise UsageError(
            f"Unknown format `{format}`", hint=f"Choose one of {_FORMATS.replace('|', ', ')}"
        )
    return "md"


def _print(pieces: Iterator[str]) -> None:
    printer = Printer()
    for piece in pieces:
        printer.write(sanitize(piece) if printer.is_terminal else piece)


def _write(pieces: Iterator[str], output: str) -> None:
    file = AtomicFile(output)
    try:
        out = file.open()
        for piece in pieces:
            out.write(piece.encode())
    except OSError as exc:
        file.discard()
        raise InputError(f"Can't write `{output}`: {reason(exc)}") from exc
    except BaseException:
        file.discard()
        raise
    file.commit()


def import_file(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="Export of darkai, ChatGPT, llm or aichat (detected from the content).",
        ),
    ],
) -> None:
    """Import a file, and print how much was imported and what was left out."""
    from darkai_cli.config import paths
    from darkai_cli.history import importers, salvage
    from darkai_cli.output.progress import ProgressBar

    try:
        file.open("rb").close()  # before a history is created for it
    except OSError as exc:
        raise InputError(f"Can't read `{file}`: {reason(exc)}") from exc
    history = paths.history_file()
    if history.exists() and history.samefile(file):
        file = salvage.put_aside(file)
        note(f"Moved the damaged history to `{file}`; starting a new one")
    with arguments.open_store(history, replace=True) as store:
        bar = ProgressBar()
        try:
            report = importers.import_file(store, file, bar.update)
        finally:
            bar.clear()
    _print_report(report)


def _print_report(report: ImportReport) -> None:
    printer = Printer()
    if not printer.is_terminal:
        printer.record("source", report.source)
        for name in ("conversations", "messages", "present"):
            printer.record(name, getattr(report, name))
        for reason_text, times in report.skipped.items():
            printer.record("skipped", times, reason_text)
        return
    conversations = plural(report.conversations, "conversation")
    messages = plural(report.messages, "message")
    lines = [f"Imported {conversations} from {report.source} ({messages})"]
    if report.present:
        lines.append(f"{plural(report.present, 'message')} already imported")
    lines += [
        printer.styled("warn", f"Skipped {plural(times, 'item')}: {safe_line(reason_text)}")
        for reason_text, times in report.skipped.items()
    ]
    printer.lines(lines)
