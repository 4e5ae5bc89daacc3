"""``darkai history list`` and ``search``."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from darkai_cli.cli import tables
from darkai_cli.cli.history import arguments
from darkai_cli.cli.print import STATES, Printer, note, safe_line, utc_time
from darkai_cli.cli.tables import Cell, Column
from darkai_cli.output.sanitize import sanitize_line
from darkai_cli.text import ago, one_line, plural

if TYPE_CHECKING:
    from darkai_cli.history.search import Hit, SearchResult
    from darkai_cli.history.store import Conversation, Store

NARROW = 70
"""Below this width a conversation takes two lines, and a hit does not name the model."""

State = Literal["streaming", "complete", "interrupted", "truncated", "failed"]
_COLUMNS = (
    Column("ID"),
    Column("TITLE", least=16),
    Column("MODEL", least=14),
    Column("TURNS", right=True, drop=1),
    Column("STATE"),
    Column("AGE", right=True),
)
_LEAST = 4
"""The fewest cells in which a cut text is still worth showing."""
Limit = Annotated[
    int, typer.Option("--limit", metavar="N", min=1, help="Show at most N (default 20).")
]
Since = Annotated[
    str | None,
    typer.Option("--since", metavar="TIME", help="Only newer than TIME, such as 2d, 3h or a date."),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object per line.")]


def list_conversations(
    limit: Limit = 20,
    since: Since = None,
    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            "-m",
            metavar="NAME",
            help="Only those whose latest reply is from this model.",
        ),
    ] = None,
    state: Annotated[
        State | None,
        typer.Option(
            "--state",
            metavar="STATE",
            help="Only those whose latest reply is streaming, complete, interrupted, truncated or"
            " failed.",
        ),
    ] = None,
    json: Json = False,
) -> None:
    """List the conversations."""
    start = arguments.time_ms(since, "--since") if since is not None else None
    store = arguments.existing_store()
    if store is None:
        note(f"{arguments.NOTHING}. {arguments.FIRST}")
        return
    with store:
        conversations = store.conversations(limit=limit, since=start, model=model, state=state)
        if not conversations:
            _print_none(store)
        _print(conversations, json=json)


def _print_none(store: Store) -> None:
    """Say why the list is empty."""
    if store.latest() is None:
        note(f"{arguments.NOTHING}. {arguments.FIRST}")
    else:
        note("No matching conversations. Run `darkai history list` to see all")


def _print(conversations: list[Conversation], *, json: bool) -> None:
    printer = Printer()
    if not json and printer.is_terminal:
        if conversations:
            now = time.time() * 1000
            printer.lines(list_rows(conversations, printer.width, now, printer.styled))
        return
    for row in conversations:
        times = {"created": utc_time(row.created), "updated": utc_time(row.updated)}
        if json:
            values = row._asdict() | times
            del values["active"]
            printer.json(values)
        else:
            printer.record(row.id, row.title, row.model, row.turns, row.state, times["updated"])


def list_rows(
    conversations: list[Conversation], width: int, now: float, styled: tables.Styler
) -> list[str]:
    """Return the lines of the list for a terminal; ``now`` is in milliseconds since 1970."""
    rows = [
        [
            Cell(conversation.short, "id"),
            Cell(safe_line(conversation.title) or "(no title)"),
            Cell(safe_line(conversation.model or "")),
            Cell(str(conversation.turns)),
            Cell(conversation.state or "", STATES.get(conversation.state or "", "")),
            Cell(ago((now - conversation.updated) / 1000), "dim"),
        ]
        for conversation in conversations
    ]
    if width >= NARROW:
        return tables.table(_COLUMNS, rows, width, styled)
    lines = []
    for short, title, model, turns, state, age in rows:
        lines.append(styled("bold", tables.cut(title.text, width)))
        facts = [state, age, Cell(plural(int(turns.text), "turn")), model]
        lines.append(_joined([short, *(cell for cell in facts if cell.text)], width, styled))
    return lines


def _joined(row: list[Cell], width: int, styled: tables.Styler) -> str:
    """Return the cells with blanks between them, cut at the width."""
    parts: list[str] = []
    remaining = width
    for cell in row:
        room = remaining - (2 if parts else 0)
        if room < min(_LEAST, tables.cells(cell.text)):
            break
        text = tables.cut(cell.text, room)
        parts.append(styled(cell.style, text))
        remaining = room - tables.cells(text)
    return "  ".join(parts)


def search(
    words: Annotated[
        list[str],
        typer.Argument(metavar="WORDS...", help='Words, "phrases" and prefix*.'),
    ],
    limit: Limit = 20,
    since: Since = None,
    json: Json = False,
) -> None:
    """Search in everything that was said."""
    from darkai_cli.history import search as library

    start = arguments.time_ms(since, "--since") if since is not None else None
    query = " ".join(words)
    store = arguments.existing_store()
    if store is None:
        note(f"{arguments.NOTHING}. {arguments.FIRST}")
        return
    with store:
        result = library.search(store, query, limit=limit, since=start)
        _print_hits(store, result, json=json)
        _print_notes(result, query, limit)


def _print_notes(result: SearchResult, query: str, limit: int) -> None:
    """Say which words were ignored, and how many hits there are."""
    if result.ignored:
        ignored = ", ".join(f"`{word}`" for word in result.ignored)
        note(f"Ignoring punctuation: {ignored}")
    if not result.hits:
        note(f"No matches for `{query}`")
    elif result.by_date:
        note(
            f"More than {result.total - 1:,} messages contain `{query}`: showing the newest"
            f" {len(result.hits)}, by date",
        )
    elif len(result.hits) == limit and result.total > limit:
        note(f"Showing the best {limit} of {result.total:,}; use `--limit` for more")


def _print_hits(store: Store, result: SearchResult, *, json: bool) -> None:
    printer = Printer()
    for hit in result.hits:
        if json:
            snippet = [{"text": text, "match": is_match} for text, is_match in hit.snippet]
            printer.json(hit._asdict() | {"created": utc_time(hit.created), "snippet": snippet})
        elif printer.is_terminal:
            _print_hit(store, hit, printer)
        else:
            snippet_text = one_line("".join(text for text, _ in hit.snippet))
            when = utc_time(hit.created)
            printer.record(hit.conversation, hit.title, hit.role, hit.model, when, snippet_text)


def _print_hit(store: Store, hit: Hit, printer: Printer) -> None:
    short = store.short(hit.conversation)
    age = ago(time.time() - hit.created / 1000)
    speaker = "you" if hit.role == "user" else safe_line(hit.model or hit.role)
    speaker = tables.cut(speaker, 20) if printer.width >= NARROW else ""
    about = "  " + ", ".join(filter(None, (speaker, age)))
    room = max(8, printer.width - len(short) - 2 - tables.cells(about))
    title = tables.cut(safe_line(hit.title), room)
    heading = printer.styled("id", short), "  ", printer.styled("bold", title)
    printer.lines([
        "".join((*heading, printer.styled("dim", about))),
        *snippet_rows(hit.snippet, printer.width, printer.styled),
    ])  # fmt: skip


def snippet_rows(
    snippet: tuple[tuple[str, bool], ...], width: int, styled: tables.Styler, indent: int = 4
) -> list[str]:
    """Return a snippet as indented rows, broken between words, its matches in a style."""
    room = max(8, width - indent)
    rows: list[list[str]] = [[]]
    used = 0
    for word in _words(snippet):
        length = sum(tables.cells(text) for text, _ in word)
        blank = " " if used else ""
        if used and used + 1 + length > room:
            rows.append([])
            used, blank = 0, ""
        for text, is_match in word:
            for piece in tables.folded(text, room):
                if used + tables.cells(piece) > room:  # the word is longer than a row
                    rows.append([])
                    used, blank = 0, ""
                rows[-1].append(blank + (styled("match", piece) if is_match else piece))
                used += len(blank) + tables.cells(piece)
                blank = ""
    return [" " * indent + "".join(row) for row in rows if row]


def _words(snippet: tuple[tuple[str, bool], ...]) -> list[list[tuple[str, bool]]]:
    """Return the words of a snippet; a match and a comma behind it are one word."""
    words: list[list[tuple[str, bool]]] = [[]]
    for text, is_match in snippet:
        safe = sanitize_line(text.replace("\n", " ").replace("\t", " "), 2000)
        for at, part in enumerate(safe.split(" ")):
            if at:
                words.append([])
            if part:
                words[-1].append((part, is_match))
    return [word for word in words if word]
