"""darkai's own database on its way back in: another machine's, or a damaged one, row by row.

A database that SQLite finds whole is read with it. Of any other, what can be read (``pages``) is
gathered in a temporary database, and read from there; what is lost is counted. A message whose
parent is lost becomes the beginning of a branch, a conversation whose own row is lost is made anew
from its messages. Of a message of which a part is lost the rest is kept, and says so. The file
itself is never written.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

from darkai_cli.errors import InputError, UsageError
from darkai_cli.history import ids, pages, remains, schema
from darkai_cli.history.database import StoreDamagedError, move_aside
from darkai_cli.history.importers import darkai
from darkai_cli.history.importers.draft import DraftMessage, ImportedConversation, ImportReport
from darkai_cli.history.store import Store, StoredTurn
from darkai_cli.history.turns import title_from, with_pieces
from darkai_cli.messages import ROLES, Image

Progress = Callable[[int, int], None]

COLUMNS = {
    "conversation": ("id", "title", "created", "updated", "active", "source"),
    "message": (
        "n", "id", "conversation", "parent", "role", "text", "reasoning", "parts", "created",
    ),
    "turn": (*StoredTurn._fields, "owner", "folded"),
    "piece": ("turn", "seq", "kind", "text"),
    "attachment": ("message", "seq", "media_type", "name", "data"),
}  # fmt: skip
"""The columns of the tables as they are stored: by their number a row's table is known."""
_CUT = "CREATE TABLE cut (id TEXT PRIMARY KEY)"
_NAMES = {"piece": "turn", "attachment": "message"}
"""The column with the id that a row must have; otherwise ``id``."""
_BY_COUNT = {len(columns): table for table, columns in COLUMNS.items()}
_APPLICATION = slice(68, 72)  # in the file's header


def is_ours(head: bytes) -> bool:
    """Whether a file that begins so is a database of darkai's."""
    return head.startswith(pages.MAGIC) and head[_APPLICATION] == schema.APPLICATION_ID.to_bytes(4)


def put_aside(path: Path) -> Path:
    """Move the history in use away, if it is damaged, to be read back; where it is now.

    Raises ``UsageError`` if it is whole, and ``StoreError``.
    """
    inode = path.stat().st_ino
    try:
        with Store(path) as store:
            problems = store.check()
    except StoreDamagedError:
        problems = ["damaged"]
    if not problems:
        raise UsageError(
            f"`{path}` is the history itself, and it is whole",
            hint="name the file that is to be taken into it",
        )
    return move_aside(path, inode) or path


def read(path: Path, tally: ImportReport, progress: Progress) -> Iterator[ImportedConversation]:
    """The conversations of a database. Raises ``InputError`` if nothing can be read."""
    try:
        whole = _whole(path)
        if whole is not None:
            with closing(whole) as conn:
                yield from _drafts(conn, tally, progress)
            return
        with closing(_gathered(path, tally)) as conn:
            yield from _drafts(conn, tally, progress)
    except (sqlite3.Error, OSError) as exc:
        raise InputError(f"`{path}` cannot be read: {exc}") from exc


def _whole(path: Path) -> sqlite3.Connection | None:
    """A connection to a database that is whole; None if it is not."""
    # without a log nobody writes to it, and looking at it is to leave nothing beside it
    how = "mode=ro" if Path(f"{path}-wal").exists() else "mode=ro&immutable=1"
    conn = sqlite3.connect(f"file:{quote(str(path))}?{how}", uri=True, isolation_level=None)
    try:
        if _is_known(conn, path) and conn.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok":
            conn.execute("BEGIN")
            return conn
    except sqlite3.DatabaseError:
        pass
    except BaseException:
        conn.close()
        raise
    conn.close()
    return None


def _is_known(conn: sqlite3.Connection, path: Path) -> bool:
    """Whether it is a schema of ours. Raises ``InputError`` for one that is yet to come."""
    if conn.execute("PRAGMA application_id").fetchone()[0] != schema.APPLICATION_ID:
        return False
    version = schema.version_of(conn)
    if version > schema.VERSION:
        raise InputError(f"`{path}` was written by a newer darkai", hint="update darkai")
    return version > 0


def _gathered(path: Path, tally: ImportReport) -> sqlite3.Connection:
    """A temporary database with the rows that can be read. Raises ``InputError`` for none."""
    conn = sqlite3.connect("", isolation_level=None)  # on disk, gone when it is closed
    try:
        for statement in (*schema.TABLES, *schema.ATTACHMENTS):
            conn.execute(statement)
        conn.execute("BEGIN")
        conn.execute(_CUT)
        with pages.Pages(path) as found:
            for row in found.rows():
                if row.cut and not _keep_cut(conn, row):
                    found.lost_rows += 1
                elif not row.cut:
                    _keep(conn, row)
            _tell_lost(conn, path, {"row": found.lost_rows, "page": found.lost_pages}, tally)
    except BaseException:
        conn.close()
        raise
    return conn


def _tell_lost(
    conn: sqlite3.Connection, path: Path, lost: dict[str, int], tally: ImportReport
) -> None:
    if not conn.execute("SELECT 1 FROM message").fetchone():
        raise InputError(
            f"`{path}` holds nothing of a history that can be read",
            hint="it stays as it is; `strings FILE` shows what text is left in it",
        )
    for what, count in lost.items():
        if count:
            tally.skip(f"{what} of the damaged file that cannot be read", count)


def _keep(conn: sqlite3.Connection, row: pages.Row) -> None:
    table = _BY_COUNT.get(len(row.values))
    if table is None or (row.number is None) != (table == "piece"):
        return
    values = dict(zip(COLUMNS[table], row.values, strict=True))
    if not ids.is_id(values[_NAMES.get(table, "id")]):
        return
    if table == "message":
        if values["role"] not in ROLES:
            return
        values["n"] = row.number
        whole = "id IN (SELECT id FROM cut) AND id = ?"  # better than a part of it, found before
        conn.execute(f"DELETE FROM message WHERE {whole}", (values["id"],))  # noqa: S608
        conn.execute("DELETE FROM cut WHERE id = ?", (values["id"],))
    marks = ", ".join("?" * len(values))
    conn.execute(
        f"INSERT OR IGNORE INTO {table} ({', '.join(values)}) VALUES ({marks})",  # noqa: S608
        tuple(values.values()),
    )


def _keep_cut(conn: sqlite3.Connection, row: pages.Row) -> bool:
    """Take what there is of a message; whether there is any of it."""
    if row.number is None or _BY_COUNT.get(len(row.values)) != "message":
        return False
    found = remains.of_message(dict(zip(COLUMNS["message"], row.values, strict=True)))
    if found is None:
        return False
    before = conn.total_changes
    _keep(conn, pages.Row(row.number, tuple(found.values())))
    if conn.total_changes > before:
        conn.execute("INSERT INTO cut VALUES (?)", (found["id"],))
    return True


def _cut(conn: sqlite3.Connection, conversation: str) -> set[str]:
    """The messages of which only a part could be read; none where SQLite read the file."""
    if not _has_table(conn, "cut"):
        return set()
    sql = "SELECT m.id FROM message m JOIN cut ON cut.id = m.id WHERE m.conversation = ?"
    return {row[0] for row in conn.execute(sql, (conversation,))}


def _drafts(
    conn: sqlite3.Connection, tally: ImportReport, progress: Progress
) -> Iterator[ImportedConversation]:
    found = conn.execute(
        "SELECT id FROM conversation UNION SELECT conversation FROM message ORDER BY 1"
    ).fetchall()
    _tell_unattached(conn, tally)
    for number, (identifier,) in enumerate(found, 1):
        try:
            draft = _draft(conn, identifier, tally)
        except darkai.MALFORMED:
            tally.skip("conversation that cannot be understood")
        else:
            yield draft
        progress(number, len(found))


def _draft(conn: sqlite3.Connection, identifier: str, tally: ImportReport) -> ImportedConversation:
    cut = _cut(conn, identifier)
    messages, turns = _messages(conn, identifier, cut, tally), []
    held = {message.id for message in messages}
    for record in _records(conn, "turn", identifier):
        try:
            turn = darkai.turn(record | {"options": json.loads(record["options"])})
        except darkai.MALFORMED:
            tally.skip("turn that cannot be understood")
            continue
        turns.append(turn if turn.prompt in held else turn._replace(prompt=None))
    cut &= held
    if cut:
        tally.skip("message of which a part is lost; the rest of it is kept", len(cut))
        messages, turns = remains.marked(messages, turns, cut)
    head = next(_records(conn, "conversation", identifier, key="id"), None)
    if head is None:
        tally.skip("title that is lost; made anew from the first message")
        first, last = messages[0], messages[-1]
        title = title_from(first.text, (one.name for one in first.attachments))
        return ImportedConversation(
            identifier, title, first.created, last.created, last.id, "darkai",
            messages, turns,
        )  # fmt: skip
    made = darkai.conversation(head)
    if made.active is not None and made.active not in held:
        made = made._replace(active=messages[-1].id if messages else None)
    return made._replace(messages=messages, turns=turns)


def _messages(
    conn: sqlite3.Connection, conversation: str, cut: set[str], tally: ImportReport
) -> list[DraftMessage]:
    """The messages, parents first. ``cut``: those of which a part is lost; more may be added."""
    found: dict[str, DraftMessage] = {}
    attached = _attachments(conn, conversation, tally)
    for row in _records(conn, "message", conversation):
        try:
            record = remains.without_zeros(row, cut)
            columns = (record["id"], record["text"], record["reasoning"], record["parts"])
            _, text, reasoning, parts = with_pieces(columns, _pieces(conn, record["id"]))
            made = darkai.message(
                record | {"text": text, "reasoning": reasoning, "parts": json.loads(parts)}
            )
        except darkai.MALFORMED:
            tally.skip("message that cannot be understood")
        else:
            found[made.id] = made._replace(attachments=tuple(attached.get(made.id, ())))
    for message in list(found.values()):
        if message.parent is not None and message.parent not in found:
            tally.skip("message that is lost; what follows it begins a branch")
            found[message.id] = message._replace(parent=None)
    ordered = darkai.in_order(found.values())
    if len(ordered) < len(found):
        tally.skip("message in a circle", len(found) - len(ordered))
    return ordered


def _attachments(
    conn: sqlite3.Connection, conversation: str, tally: ImportReport
) -> dict[str, list[Image]]:
    """What goes along with the messages of a conversation; before version 3 there was nothing."""
    found: dict[str, list[Image]] = {}
    if not _has_table(conn, "attachment"):
        return found
    for message, media_type, name, data in conn.execute(
        "SELECT a.message, a.media_type, a.name, a.data"
        " FROM message m CROSS JOIN attachment a ON a.message = m.id"
        " WHERE m.conversation = ? ORDER BY a.message, a.seq",
        (conversation,),
    ):
        if isinstance(media_type, str) and isinstance(name, str) and isinstance(data, bytes):
            found.setdefault(message, []).append(Image(media_type, data, name))
        else:
            tally.skip("attachment that cannot be understood")
    return found


def _tell_unattached(conn: sqlite3.Connection, tally: ImportReport) -> None:
    if _has_table(conn, "attachment"):
        (lost,) = conn.execute(
            "SELECT count(*) FROM attachment WHERE message NOT IN (SELECT id FROM message)"
        ).fetchone()
        if lost:
            tally.skip("attachment of a message that is lost", lost)


def _has_table(conn: sqlite3.Connection, name: str) -> bool:
    row = conn.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (name,)).fetchone()
    return row is not None


def _pieces(conn: sqlite3.Connection, reply: str) -> list[tuple[str, str]]:
    """What was written of a reply that had not ended."""
    return conn.execute(
        "SELECT p.kind, p.text FROM turn t JOIN piece p ON p.turn = t.id WHERE t.reply = ?"
        " ORDER BY p.seq",
        (reply,),
    ).fetchall()


def _records(
    conn: sqlite3.Connection, table: str, identifier: str, key: str = "conversation"
) -> Iterator[dict[str, Any]]:
    columns = COLUMNS[table]
    order = "n" if table == "message" else "id"
    for row in conn.execute(
        f"SELECT {', '.join(columns)} FROM {table} WHERE {key} = ? ORDER BY {order}",  # noqa: S608
        (identifier,),
    ):
        yield dict(zip(columns, row, strict=True))
