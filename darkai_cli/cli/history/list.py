"""``history list`` and ``history search``: many conversations, in as few words as there is room."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import typer

from darkai_cli import stdio
from darkai_cli.cli import print as printing
from darkai_cli.cli import tables
from darkai_cli.cli.history import arguments
from darkai_cli.cli.tables import Cell, Column
from darkai_cli.output import notices
from darkai_cli.output.sanitize import sanitize_line
from darkai_cli.text import ago, one_line, plural

if TYPE_CHECKING:
    from darkai_cli.cli.print import Screen
    from darkai_cli.history.search import Found, Hit
    from darkai_cli.history.store import Conversation, Store

SETTINGS = {"search": {"ignore_unknown_options": True}}  # a word may begin with a hyphen
NARROW = 70
"""Below so many columns a conversation takes two lines, and a hit does without the model."""

_STATES = "streaming|complete|interrupted|truncated|failed"
_COLUMNS = (
    Column("ID"),
    Column("TITLE", least=16),
    Column("MODEL", least=14),
    Column("TURNS", right=True, drop=1),
    Column("STATE"),
    Column("AGE", right=True),
)
_LEAST = 4
"""Cells below which what is left of a longer text says nothing."""
Limit = Annotated[int, typer.Option("--limit", metavar="N", min=1, help="At most so many.")]
Since = Annotated[
    str | None,
    typer.Option("--since", metavar="TIME", help="Not older: 2d, 3h, or a date."),
]
Json = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]


def list_(
    limit: Limit = 20,
    since: Since = None,
    model: Annotated[
        str | None,
        typer.Option("--model", "-m", metavar="NAME", help="Whose latest reply is this model's."),
    ] = None,
    state: Annotated[
        str | None,
        typer.Option("--state", metavar=_STATES, help="Whose latest reply ended so."),
    ] = None,
    json: Json = False,
) -> None:
    """List the conversations."""
    start = arguments.moment(since, "--since") if since is not None else None
    if state is not None and state not in _STATES.split("|"):
        from darkai_cli.errors import UsageError

        raise UsageError(f"there is no state `{state}`", hint=f"one of {_STATES}")
    store = arguments.existing()
    if store is None:
        stdio.print_err(f"{arguments.NOTHING}; {arguments.FIRST}")
        return
    with store:
        found = store.conversations(limit=limit, since=start, model=model, state=state)
        if not found:
            _tell_none(store)
        _print(found, json=json)


def _tell_none(store: Store) -> None:
    if store.latest() is None:
        stdio.print_err(f"{arguments.NOTHING}; {arguments.FIRST}")
    else:
        stdio.print_err("no conversation is like that; `darkai history list` shows them all")


def _print(found: list[Conversation], *, json: bool) -> None:
    screen = printing.Screen()
    for one in found:
        times = {"created": printing.iso(one.created), "updated": printing.iso(one.updated)}
        if json:
            values = one._asdict() | times
            del values["active"]
            screen.json(values)
        elif not screen.terminal:
            screen.record(one.id, one.title, one.model, one.turns, one.state, times["updated"])
    if screen.terminal and not json and found:
        screen.lines(list_rows(found, screen.width, time.time() * 1000, screen.ink))


def list_rows(found: list[Conversation], width: int, now: float, ink: tables.Ink) -> list[str]:
    """The list for a terminal."""
    rows = [
        [
            Cell(one.short, "id"),
            Cell(printing.one_line(one.title) or "(no title)"),
            Cell(printing.one_line(one.model or "")),
            Cell(str(one.turns)),
            Cell(one.state or "", printing.STATES.get(one.state or "", "")),
            Cell(ago((now - one.updated) / 1000), "dim"),
        ]
        for one in found
    ]
    if width >= NARROW:
        return tables.table(_COLUMNS, rows, width, ink)
    lines = []
    for short, title, model, turns, state, age in rows:
        lines.append(ink("bold", tables.cut(title.text, width)))
        rest = [state, age, Cell(plural(int(turns.text), "turn")), model]
        lines.append(_joined([short, *(cell for cell in rest if cell.text)], width, ink))
    return lines


def _joined(row: list[Cell], width: int, ink: tables.Ink) -> str:
    """Cells with blanks between them, cut where the row ends."""
    parts: list[str] = []
    left = width
    for cell in row:
        room = left - (2 if parts else 0)
        if room < min(_LEAST, tables.cells(cell.text)):
            break
        text = tables.cut(cell.text, room)
        parts.append(ink(cell.style, text))
        left = room - tables.cells(text)
    return "  ".join(parts)


def search(
    words: Annotated[
        list[str],
        typer.Argument(metavar="WORDS...", help='Words, "phrases" and beginnings*.'),
    ],
    limit: Limit = 20,
    since: Since = None,
    json: Json = False,
) -> None:
    """Search in everything that was said."""
    from darkai_cli.history import search as library

    start = arguments.moment(since, "--since") if since is not None else None
    typed = " ".join(words)
    store = arguments.existing()
    if store is None:
        stdio.print_err(f"{arguments.NOTHING}; {arguments.FIRST}")
        return
    with store:
        found = library.search(store, typed, limit=limit, since=start)
        _print_hits(store, found, json=json)
        _tell_about(found, typed, limit)


def _tell_about(found: Found, typed: str, limit: int) -> None:
    """What the hits alone do not say."""
    if found.ignored:
        ignored = ", ".join(f"`{one}`" for one in found.ignored)
        notices.tell("note", f"punctuation alone cannot be found: {ignored}")
    if not found.hits:
        notices.tell("note", f"no message has `{typed}`")
    elif found.by_date:
        notices.tell(
            "note",
            f"more than {found.total - 1:,} messages have `{typed}`: ordered by date, the newest"
            f" {len(found.hits)} shown",
        )
    elif len(found.hits) == limit and found.total > limit:
        notices.tell("note", f"the best {limit} of {found.total:,}; `--limit` shows more")


def _print_hits(store: Store, found: Found, *, json: bool) -> None:
    screen = printing.Screen()
    for hit in found.hits:
        if json:
            snippet = [{"text": text, "match": is_match} for text, is_match in hit.snippet]
            screen.json(hit._asdict() | {"created": printing.iso(hit.created), "snippet": snippet})
        elif screen.terminal:
            _print_hit(store, hit, screen)
        else:
            snippet_text = one_line("".join(text for text, _ in hit.snippet))
            when = printing.iso(hit.created)
            screen.record(hit.conversation, hit.title, hit.role, hit.model, when, snippet_text)


def _print_hit(store: Store, hit: Hit, screen: Screen) -> None:
    short = store.short(hit.conversation)
    age = ago(time.time() - hit.created / 1000)
    who = "you" if hit.role == "user" else printing.one_line(hit.model or hit.role)
    who = tables.cut(who, 20) if screen.width >= NARROW else ""
    about = "  " + ", ".join(filter(None, (who, age)))
    room = max(8, screen.width - len(short) - 2 - tables.cells(about))
    title = tables.cut(printing.one_line(hit.title), room)
    screen.lines([
        f"{screen.ink('id', short)}  {screen.ink('bold', title)}{screen.ink('dim', about)}",
        *snippet_rows(hit.snippet, screen.width, screen.ink),
    ])  # fmt: skip


def snippet_rows(
    snippet: tuple[tuple[str, bool], ...], width: int, ink: tables.Ink, indent: int = 4
) -> list[str]:
    """A snippet as indented rows, broken between words, its matches painted."""
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
                if used + tables.cells(piece) > room:  # one that is longer than a row
                    rows.append([])
                    used, blank = 0, ""
                rows[-1].append(blank + (ink("match", piece) if is_match else piece))
                used += len(blank) + tables.cells(piece)
                blank = ""
    return [" " * indent + "".join(row) for row in rows if row]


def _words(snippet: tuple[tuple[str, bool], ...]) -> list[list[tuple[str, bool]]]:
    """What stands between blanks: a match that is followed by a comma makes one word with it."""
    words: list[list[tuple[str, bool]]] = [[]]
    for text, is_match in snippet:
        safe = sanitize_line(text.replace("\n", " ").replace("\t", " "), 2000)
        for at, part in enumerate(safe.split(" ")):
            if at:
                words.append([])
            if part:
                words[-1].append((part, is_match))
    return [word for word in words if word]
