"""Read what can be read of a damaged history.

A copy of the file is mended as far as SQLite needs to open it: padded to its length and, where its
beginning is damaged, given the first page of a new history. Then SQLite is asked for one row after
the other. The row numbers come from each table and its indexes, read forwards and backwards up to
the first damaged page. Rows that can be read go to a temporary database; those that are known but
cannot be read are counted. The file itself is never written.
"""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Iterable
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from darkai_cli.errors import InputError, UsageError
from darkai_cli.history import ids, schema
from darkai_cli.history.database import StoreDamagedError, move_aside
from darkai_cli.history.store import Store
from darkai_cli.messages import ROLES

if TYPE_CHECKING:
    from darkai_cli.history.importers.draft import ImportReport

MAGIC = b"SQLite format 3\0"
_PAGE = 4096
_HEADER = 100
_APPLICATION_ID = slice(68, 72)
_PAGE_COUNT = slice(28, 32)
_CHANGE_COUNTER, _COUNT_VALID_FOR = slice(24, 28), slice(92, 96)
_LOST = "part of it was lost when the history was damaged"
_CHUNK = 256
_MOST_PADDING = 1000
"""A header that claims more than so many times the pages that are there is not believed."""

_ID_COLUMNS = {
    "conversation": "id", "message": "id", "turn": "id", "piece": "turn", "attachment": "message",
}  # fmt: skip
"""The tables, and the column of each that holds an id."""


def is_ours(head: bytes) -> bool:
    """Return whether a file that begins like this is a database of darkai's."""
    return head.startswith(MAGIC) and head[_APPLICATION_ID] == schema.APPLICATION_ID.to_bytes(4)


def put_aside(path: Path) -> Path:
    """Move the history in use away, if it is damaged, and return where it is now.

    Raises ``UsageError`` if it is undamaged, and ``StoreError``.
    """
    inode = path.stat().st_ino
    try:
        with Store(path) as store:
            problems = store.check()
    except StoreDamagedError:
        problems = ["damaged"]
    if not problems:
        raise UsageError(
            f"`{path}` is the history in use, and it is not damaged",
            hint="Name the file to import",
        )
    return move_aside(path, inode) or path


def gather(path: Path, report: ImportReport) -> sqlite3.Connection:
    """Return a temporary database with the rows that can be read; count the others.

    Raises ``InputError`` if there are none, ``sqlite3.Error`` and ``OSError``.
    """
    gathered = sqlite3.connect("", isolation_level=None)  # a file that goes when it is closed
    try:
        _gather_rows(path, gathered, report)
    except BaseException:
        gathered.close()
        raise
    return gathered


def _gather_rows(path: Path, gathered: sqlite3.Connection, report: ImportReport) -> None:
    for statement in (*schema.TABLES, *schema.ATTACHMENTS, "CREATE TABLE cut (id TEXT)"):
        gathered.execute(statement)
    gathered.execute("BEGIN")
    with tempfile.TemporaryDirectory(prefix="darkai-") as folder:
        copy, missing_pages = _mended_copy(path, Path(folder))
        with closing(_connect(copy)) as damaged:
            lost_rows = sum(_copy_rows(damaged, gathered, table) for table in _ID_COLUMNS)
    if not gathered.execute("SELECT 1 FROM message").fetchone():
        raise InputError(
            f"No readable history in `{path}`",
            hint="The file is unchanged; `strings FILE` shows the text in it",
        )
    for count, what in (
        (lost_rows, "unreadable row of the damaged file"),
        (missing_pages, "missing page of the damaged file"),
        (_mark_cut_messages(gathered), "damaged end of a message; its beginning was recovered"),
    ):
        if count:
            report.skip(what, count)


def _mended_copy(path: Path, folder: Path) -> tuple[Path, int]:
    """Return a copy that SQLite can open, if there is any, and how many pages it lacks."""
    copy, log = folder / "history.db", Path(f"{path}-wal")
    shutil.copyfile(path, copy)
    if log.exists():
        shutil.copyfile(log, f"{copy}-wal")
    with copy.open("r+b") as file:
        header = bytearray(file.read(_HEADER).ljust(_HEADER, b"\0"))
        present = -(-file.seek(0, 2) // _PAGE)
        claimed = int.from_bytes(header[_PAGE_COUNT]) if header.startswith(MAGIC) else 0
        pages = claimed if present < claimed <= present * _MOST_PADDING else present
        file.truncate(pages * _PAGE)
    fresh = _new_first_page(folder / "fresh.db")
    for first_page in (header, fresh[:_HEADER], fresh):
        first_page[_PAGE_COUNT] = pages.to_bytes(4)
        first_page[_COUNT_VALID_FOR] = first_page[_CHANGE_COUNTER]
        with copy.open("r+b") as file:
            file.write(first_page)
        if _has_tables(copy):
            break
    return copy, pages - present


def _new_first_page(path: Path) -> bytearray:
    """Return the first page of a new history, which says where each table begins."""
    with Store(path) as store:
        store.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with path.open("rb") as file:
        return bytearray(file.read(_PAGE))


def _connect(path: Path) -> sqlite3.Connection:
    conn = sqlite3.connect(path, isolation_level=None)
    conn.text_factory = lambda data: data.decode(errors="replace")
    return conn


def _has_tables(path: Path) -> bool:
    """Return whether SQLite finds our tables in the file."""
    with closing(_connect(path)) as conn:
        try:
            tables = {row[0] for row in conn.execute("SELECT name FROM sqlite_master")}
        except sqlite3.DatabaseError:
            return False
    return {"conversation", "message", "turn", "piece"} <= tables


def _copy_rows(damaged: sqlite3.Connection, gathered: sqlite3.Connection, table: str) -> int:
    """Copy the rows of a table that can be read and make sense; return how many do not."""
    columns = [row[1] for row in gathered.execute(f"PRAGMA table_info({table})")]
    select = f"SELECT {', '.join(columns)} FROM {table}"  # noqa: S608 -- our own names
    if table == "piece":  # It has no row numbers.
        return _insert(gathered, table, columns, _scan(damaged, select))
    # The damaged file's own schema may be foreign, or gone.
    indexes = [row[1] for row in gathered.execute(f"PRAGMA index_list({table})")]
    sources = [f"{table} NOT INDEXED", *(f"{table} INDEXED BY {name}" for name in indexes)]
    numbers = {
        number
        for source in sources
        for (number,) in _scan(damaged, f"SELECT rowid FROM {source}")  # noqa: S608
    }
    lost = 0
    for number in sorted(numbers):
        try:
            rows = damaged.execute(f"{select} WHERE rowid = ?", (number,)).fetchall()
        except sqlite3.Error:
            row = _beginning_of_message(damaged, number) if table == "message" else None
            rows = [] if row is None else [row]
            if row is not None:
                gathered.execute("INSERT INTO cut VALUES (?)", (row[1],))
            lost += row is None
        lost += _insert(gathered, table, columns, rows)
    return lost


def _scan(conn: sqlite3.Connection, select: str) -> set[tuple[Any, ...]]:
    """Return the rows of a query from both its ends, each up to the first damaged page."""
    rows: set[tuple[Any, ...]] = set()
    for backwards in (0, 1):
        conn.execute(f"PRAGMA reverse_unordered_selects = {backwards}")
        with suppress(sqlite3.Error):
            rows.update(conn.execute(select))
    return rows


def _insert(
    gathered: sqlite3.Connection, table: str, columns: list[str], rows: Iterable[tuple[Any, ...]]
) -> int:
    """Insert the rows that make sense; return how many do not."""
    insert = f"INSERT OR IGNORE INTO {table} VALUES ({', '.join('?' * len(columns))})"  # noqa: S608
    lost = 0
    for row in rows:
        values = dict(zip(columns, row, strict=True))
        sensible = ids.is_id(values[_ID_COLUMNS[table]]) and values.get("role", "user") in ROLES
        lost += not (sensible and gathered.execute(insert, row).rowcount)
    return lost


def _beginning_of_message(conn: sqlite3.Connection, number: int) -> tuple[Any, ...] | None:
    """Return a row with the text of a message up to its first damaged page, None for no text."""
    text = bytearray()
    head = None
    with suppress(sqlite3.Error):
        head = conn.execute(
            "SELECT n, id, conversation, parent, role FROM message WHERE n = ?", (number,)
        ).fetchone()
        with conn.blobopen("message", "text", number, readonly=True) as blob:
            while part := blob.read(min(_CHUNK, len(blob) - blob.tell())):
                text += part
    content = text.decode(errors="ignore").rstrip("\0")
    if head is None or not ids.is_id(head[1]) or not content:
        return None
    return (*head, content, "", "[]", ids.ms_of(head[1]))


def _mark_cut_messages(gathered: sqlite3.Connection) -> int:
    """Say of each message that lacks its end that it does; return how many do.

    A reply says so by its turn, a prompt in its text.
    """
    gathered.execute(
        "UPDATE turn SET state = iif(state = 'complete', 'truncated', state),"
        " error_kind = coalesce(error_kind, 'store'), error = coalesce(error || '; ', '') || ?"
        " WHERE reply IN (SELECT id FROM cut)",
        (_LOST,),
    )
    gathered.execute(
        "UPDATE message SET text = text || ? WHERE id IN (SELECT id FROM cut)"
        " AND id NOT IN (SELECT reply FROM turn)",
        (f"\n\n[{_LOST}]",),
    )
    count: int = gathered.execute("SELECT count(*) FROM cut").fetchone()[0]
    return count
