"""``history stats``: the numbers of the history as tables and small plots."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from darkai_cli import stdio
from darkai_cli.cli import print as printing
from darkai_cli.cli import tables
from darkai_cli.cli.history import arguments
from darkai_cli.cli.tables import Cell, Column
from darkai_cli.text import duration, file_size, plural

if TYPE_CHECKING:
    from darkai_cli.cli.print import Screen
    from darkai_cli.history.stats import DayStats, ModelStats, Stats

_MODELS = (
    Column("MODEL", least=12),
    Column("TURNS", right=True),
    Column("", drop=3),
    Column("TOKENS IN", right=True, drop=1),
    Column("OUT", right=True, drop=1),
    Column("FIRST TEXT", right=True),
    Column("REPLY", right=True, drop=2),
)
_BAR = 16
_DAY_BARS = 60


def stats(
    since: Annotated[
        str | None,
        typer.Option("--since", metavar="TIME", help="Not older: 30d, 1y, or a date."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Print the numbers."""
    from darkai_cli.history import stats as library

    start = arguments.moment(since, "--since") if since is not None else None
    store = arguments.existing()
    if store is None:
        stdio.print_err(f"{arguments.NOTHING}; {arguments.FIRST}")
        return
    with store:
        found = library.stats(store, since=start)
    screen = printing.Screen()
    if json:
        screen.json(_object(found))
    elif screen.terminal:
        screen.lines(stats_rows(found, screen.width, screen.ink))
    else:
        _records(found, screen)


def _object(found: Stats) -> dict[str, Any]:
    return found._asdict() | {
        "models": [model._asdict() for model in found.models],
        "days": [day._asdict() for day in found.days],
    }


def _records(found: Stats, screen: Screen) -> None:
    """A record a line: the kind of number, then its fields."""
    for name in ("conversations", "messages", "turns", "input_tokens", "output_tokens", "bytes"):
        screen.record(name, getattr(found, name))
    if found.attachments:
        screen.record("attachments", found.attachments, found.attachment_bytes)
    for state, turns in found.states.items():
        screen.record("state", state, turns)
    for model in found.models:
        screen.record("model", *model)
    for day in found.days:
        screen.record("day", *day)


def stats_rows(found: Stats, width: int, ink: tables.Ink) -> list[str]:
    """The page for a terminal."""
    counts = [
        plural(found.conversations, "conversation"),
        plural(found.turns, "turn"),
        plural(found.messages, "message"),
        file_size(found.bytes),
    ]
    if found.attachments:
        much = file_size(found.attachment_bytes)
        counts.insert(3, f"{plural(found.attachments, 'image')} ({much})")
    rows = _flowed(counts, width)
    if found.input_tokens or found.output_tokens:
        tokens = [f"{found.input_tokens:,} tokens in", f"{found.output_tokens:,} out"]
        rows += _flowed(tokens, width)
    if not found.turns:
        return rows
    return [
        *rows,
        "",
        *_states(found.states, width, ink),
        "",
        *_models(found.models, width, ink),
        "",
        *_days(found.days, width, ink),
    ]


def _flowed(parts: list[str], width: int) -> list[str]:
    """The parts with commas between them, in as many rows as they need."""
    rows = [""]
    for at, part in enumerate(parts):
        piece = part + ("," if at < len(parts) - 1 else "")
        if rows[-1] and len(rows[-1]) + 1 + len(piece) > width:
            rows.append("")
        rows[-1] += f" {piece}" if rows[-1] else piece
    return rows


def _states(states: dict[str, int], width: int, ink: tables.Ink) -> list[str]:
    top = max(states.values())
    ordered = [state for state in printing.STATES if state in states]
    rows = [
        [
            Cell(state, printing.STATES[state]),
            Cell(f"{states[state]:,}"),
            Cell(tables.bar(states[state], top, _BAR), printing.STATES[state]),
        ]
        for state in ordered
    ]
    columns = (Column("ENDED"), Column("TURNS", right=True), Column("", drop=1))
    return tables.table(columns, rows, width, ink)


def _models(models: list[ModelStats], width: int, ink: tables.Ink) -> list[str]:
    top = max(model.turns for model in models)
    rows = [
        [
            Cell(printing.one_line("/".join(filter(None, (one.provider, one.model)))) or "?"),
            Cell(f"{one.turns:,}"),
            Cell(tables.bar(one.turns, top, _BAR), "info"),
            Cell(f"{one.input_tokens:,}" if one.input_tokens else ""),
            Cell(f"{one.output_tokens:,}" if one.output_tokens else ""),
            Cell(_time(one.median_first_text_ms)),
            Cell(_time(one.median_duration_ms)),
        ]
        for one in models
    ]
    return tables.table(_MODELS, rows, width, ink)


def _days(days: list[DayStats], width: int, ink: tables.Ink) -> list[str]:
    """Turns a day, or so many days, as a line of bars; days without any are there too."""
    turns = {date.fromisoformat(one.day): one.turns for one in days}
    first, last = min(turns), max(turns)
    every = [turns.get(first + timedelta(days=at), 0) for at in range((last - first).days + 1)]
    sums, length = tables.grouped(every, min(_DAY_BARS, max(1, width)))
    a_bar = "a day" if length == 1 else f"in {length} days"
    ends = first.isoformat() if first == last else f"{first} to {last}"
    heading = tables.cut(f"{ends}, at most {int(max(sums)):,} {a_bar}", width)
    return [ink("dim", heading), ink("info", tables.sparkline(sums))]


def _time(milliseconds: int | None) -> str:
    """Return a length of time, or "" for one that is not known."""
    return "" if milliseconds is None else duration(milliseconds / 1000)
