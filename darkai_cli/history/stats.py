"""Count turns, tokens and times of the history, by model and by day.

This reads every turn. Tables and plots are made by the command.
"""

from __future__ import annotations

from typing import NamedTuple

from darkai_cli.history.store import Store


class ModelStats(NamedTuple):
    """One model of one provider. Times are medians, in milliseconds."""

    provider: str
    model: str
    turns: int
    input_tokens: int
    output_tokens: int
    median_first_text_ms: int | None
    median_duration_ms: int | None


class DayStats(NamedTuple):
    """One day (UTC, ``YYYY-MM-DD``)."""

    day: str
    turns: int
    tokens: int


class Stats(NamedTuple):
    """The whole history. ``states``: the number of turns in each state."""

    conversations: int
    messages: int
    turns: int
    input_tokens: int
    output_tokens: int
    states: dict[str, int]
    models: list[ModelStats]
    days: list[DayStats]
    bytes: int
    attachments: int = 0
    attachment_bytes: int = 0


def stats(store: Store, *, since: int | None = None) -> Stats:
    """Return the numbers of the turns since a time (milliseconds since 1970)."""
    start = (since or 0,)
    models = [
        ModelStats(*row, *(_median(store, row[0], row[1], since or 0, column) for column in _TIMES))
        for row in store.rows(
            "SELECT provider, model, count(*), coalesce(sum(input_tokens), 0),"
            " coalesce(sum(output_tokens), 0) FROM turn WHERE started >= ?"
            " GROUP BY provider, model ORDER BY 3 DESC, 1, 2",
            start,
        )
    ]
    states = dict(
        store.rows("SELECT state, count(*) FROM turn WHERE started >= ? GROUP BY state", start)
    )
    days = store.rows(
        "SELECT date(started / 1000, 'unixepoch') AS day, count(*), coalesce(sum(input_tokens), 0)"
        " + coalesce(sum(output_tokens), 0) FROM turn WHERE started >= ? GROUP BY day ORDER BY day",
        start,
    )
    attachments, attachment_bytes = store.row(
        "SELECT count(*), coalesce(sum(length(a.data)), 0) FROM attachment a"
        " JOIN message m ON m.id = a.message WHERE m.created >= ?",
        start,
    )
    return Stats(
        conversations=store.row("SELECT count(*) FROM conversation WHERE updated >= ?", start)[0],
        messages=store.row("SELECT count(*) FROM message WHERE created >= ?", start)[0],
        turns=sum(model.turns for model in models),
        input_tokens=sum(model.input_tokens for model in models),
        output_tokens=sum(model.output_tokens for model in models),
        states=states,
        models=models,
        days=[DayStats(*row) for row in days],
        bytes=store.path.stat().st_size,
        attachments=attachments,
        attachment_bytes=attachment_bytes,
    )


_TIMES = ("first_text_ms", "duration_ms")


def _median(store: Store, provider: str, model: str, since: int, column: str) -> int | None:
    values = store.rows(
        f"SELECT {column} FROM turn WHERE provider = ? AND model = ? AND started >= ?"  # noqa: S608
        f" AND {column} IS NOT NULL ORDER BY {column}",
        (provider, model, since),
    )
    return values[len(values) // 2][0] if values else None
