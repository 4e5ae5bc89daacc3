"""``darkai history stats``: the numbers of the history as tables and small plots."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from darkai_cli.cli import tables
from darkai_cli.cli.history import arguments
from darkai_cli.cli.print import STATES, Printer, note, safe_line
from darkai_cli.cli.tables import Cell, Column
from darkai_cli.text import duration, file_size, plural

if TYPE_CHECKING:
    from darkai_cli.history.stats import DayStats, ModelStats, Stats

_MODELS = (
    Column("MODEL", least=12),
    Column("TURNS", right=True),
    Column("", drop=3),
    Column("TOKENS IN", right=True, drop=1),
    Column("OUT", right=True, drop=1),
    Column("FIRST TOKEN", right=True),
    Column("REPLY", right=True, drop=2),
)
_BAR = 16
_DAY_BARS = 60


def stats(
    since: Annotated[
        str | None,
        typer.Option(
            "--since", metavar="TIME", help="Only newer than TIME, such as 30d, 1y or a date."
        ),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Print the numbers."""
    from darkai_cli.history import stats as library

    start = arguments.time_ms(since, "--since") if since is not None else None
    store = arguments.existing_store()
    if store is None:
        note(f"{arguments.NOTHING}. {arguments.FIRST}")
        return
    with store:
        numbers = library.stats(store, since=start)
    printer = Printer()
    if json:
        printer.json(_object(numbers))
    elif printer.is_terminal:
        printer.lines(stats_rows(numbers, printer.width, printer.styled))
    else:
        _print_records(numbers, printer)


def _object(numbers: Stats) -> dict[str, Any]:
    return numbers._asdict() | {
        "models": [model._asdict() for model in numbers.models],
        "days": [day._asdict() for day in numbers.days],
    }


def _print_records(numbers: Stats, printer: Printer) -> None:
    """Print a record for each number: its kind, then its fields."""
    for name in ("conversations", "messages", "turns", "input_tokens", "output_tokens", "bytes"):
        printer.record(name, getattr(numbers, name))
    if numbers.attachments:
        printer.record("attachments", numbers.attachments, numbers.attachment_bytes)
    for state, turns in numbers.states.items():
        printer.record("state", state, turns)
    for model in numbers.models:
        printer.record("model", *model)
    for day in numbers.days:
        printer.record("day", *day)


def stats_rows(numbers: Stats, width: int, styled: tables.Styler) -> list[str]:
    """Return the lines for a terminal."""
    counts = [
        plural(numbers.conversations, "conversation"),
        plural(numbers.turns, "turn"),
        plural(numbers.messages, "message"),
        file_size(numbers.bytes),
    ]
    if numbers.attachments:
        much = file_size(numbers.attachment_bytes)
        counts.insert(3, f"{plural(numbers.attachments, 'image')} ({much})")
    rows = _flowed(counts, width)
    if numbers.input_tokens or numbers.output_tokens:
        tokens = [f"{numbers.input_tokens:,} tokens in", f"{numbers.output_tokens:,} out"]
        rows += _flowed(tokens, width)
    if not numbers.turns:
        return rows
    return [
        *rows,
        "",
        *_states(numbers.states, width, styled),
        "",
        *_models(numbers.models, width, styled),
        "",
        *_days(numbers.days, width, styled),
    ]


def _flowed(parts: list[str], width: int) -> list[str]:
    """Return the parts with commas between them, in as many rows as they need."""
    rows = [""]
    for at, part in enumerate(parts):
        piece = part + ("," if at < len(parts) - 1 else "")
        if rows[-1] and len(rows[-1]) + 1 + len(piece) > width:
            rows.append("")
        rows[-1] += f" {piece}" if rows[-1] else piece
    return rows


def _states(states: dict[str, int], width: int, styled: tables.Styler) -> list[str]:
    top = max(states.values())
    ordered = [state for state in STATES if state in states]
    rows = [
        [
            Cell(state, STATES[state]),
            Cell(f"{states[state]:,}"),
            Cell(tables.bar(states[state], top, _BAR), STATES[state]),
        ]
        for state in ordered
    ]
    columns = (Column("ENDED"), Column("TURNS", right=True), Column("", drop=1))
    return tables.table(columns, rows, width, styled)


def _models(models: list[ModelStats], width: int, styled: tables.Styler) -> list[str]:
    top = max(model.turns for model in models)
    rows = [
        [
            Cell(safe_line("/".join(filter(None, (row.provider, row.model)))) or "?"),
            Cell(f"{row.turns:,}"),
            Cell(tables.bar(row.turns, top, _BAR), "info"),
            Cell(f"{row.input_tokens:,}" if row.input_tokens else ""),
            Cell(f"{row.output_tokens:,}" if row.output_tokens else ""),
            Cell(_time(row.median_first_text_ms)),
            Cell(_time(row.median_duration_ms)),
        ]
        for row in models
    ]
    return tables.table(_MODELS, rows, width, styled)


def _days(days: list[DayStats], width: int, styled: tables.Styler) -> list[str]:
    """Return the turns of each day, or group of days, as a sparkline with a heading."""
    turns = {date.fromisoformat(row.day): row.turns for row in days}
    first, last = min(turns), max(turns)
    counts = [turns.get(first + timedelta(days=at), 0) for at in range((last - first).days + 1)]
    sums, length = tables.grouped(counts, min(_DAY_BARS, max(1, width)))
    a_bar = "a day" if length == 1 else f"in {length} days"
    ends = first.isoformat() if first == last else f"{first} to {last}"
    heading = tables.cut(f"{ends}, at most {int(max(sums)):,} {a_bar}", width)
    return [styled("dim", heading), styled("info", tables.sparkline(sums))]


def _time(milliseconds: int | None) -> str:
    """Return a length of time, or "" for one that is not known."""
    return "" if milliseconds is None else duration(milliseconds / 1000)
