"""Import darkai's own histories: exports as JSON or JSON Lines, and databases, damaged ones too.

Nothing in a file is trusted: a record that is not of the right form is left out and counted. The
rows of a database go through the same checks. A message whose parent is lost becomes the beginning
of a branch; a conversation whose own row is lost is made anew from its messages.
"""

from __future__ import annotations

import json
import sqlite3
from base64 import b64decode
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

from darkai_cli.errors import InputError
from darkai_cli.history import ids, salvage, schema
from darkai_cli.history.export import FORMAT_VERSION
from darkai_cli.history.importers.draft import DraftMessage, ImportedConversation, ImportReport
from darkai_cli.history.store import StoredTurn
from darkai_cli.history.turns import dumps, title_from, with_pieces
from darkai_cli.messages import ROLES, Image

Progress = Callable[[int, int], None]

_MALFORMED = (ValueError, KeyError, TypeError, AttributeError, RecursionError)
"""What a record that is of no known form raises."""
_MAX_INTEGER = (1 << 63) - 1
_OPTIONAL_TEXT = ("prompt", "system", "reason", "error_kind", "error", "resumes")
_COUNTS = (
    "input_tokens", "output_tokens", "reasoning_tokens", "cached_tokens", "first_text_ms",
    "duration_ms",
)  # fmt: skip


def read_jsonl(
    path: Path, report: ImportReport, progress: Progress
) -> Iterator[ImportedConversation]:
    """Yield the conversations of an export with one record a line. Raises ``InputError``."""
    total, done = path.stat().st_size, 0
    conversation: ImportedConversation | None = None
    with path.open("rb") as file:
        for line in file:
            done += len(line)
            try:
                record = json.loads(line)
                kind = record["record"]
                if kind == "history" and record.get("version", 0) > FORMAT_VERSION:
                    raise InputError(f"A newer darkai wrote `{path}`", hint="Update darkai")
                if kind == "conversation":
                    if conversation is not None:
                        yield conversation
                        progress(done, total)
                    conversation = None
                    conversation = _whole_conversation(record, report)
                elif kind in ("message", "turn"):
                    _add(conversation, record, report)
            except _MALFORMED:
                if line.strip():
                    report.skip("malformed line")
    if conversation is not None:
        yield conversation
    progress(total, total)


def is_conversation(value: object) -> bool:
    """Return whether that is a conversation as a JSON export has it, with its messages inside."""
    return isinstance(value, dict) and value.get("record") == "conversation"


def read_json(
    records: list[Any], report: ImportReport, progress: Progress
) -> Iterator[ImportedConversation]:
    """Yield the conversations of a JSON export."""
    for number, record in enumerate(records, 1):
        try:
            conversation = _whole_conversation(record, report)
        except _MALFORMED:
            report.skip("malformed conversation")
        else:
            yield conversation
        progress(number, len(records))


def read_database(
    path: Path, report: ImportReport, progress: Progress
) -> Iterator[ImportedConversation]:
    """Yield the conversations of a database, also of a damaged one.

    The file itself is never written. Raises ``InputError`` if nothing in it can be read.
    """
    try:
        with closing(_open_undamaged(path) or salvage.gather(path, report)) as conn:
            yield from _conversations(conn, report, progress)
    except (sqlite3.Error, OSError) as exc:
        raise InputError(f"Can't read `{path}`: {exc}") from exc


def _open_undamaged(path: Path) -> sqlite3.Connection | None:
    """Open a database of ours; None if it is damaged. Raises ``InputError`` for a newer one."""
    # Without a log nobody writes to it, and an immutable database gets no files beside it.
    mode = "mode=ro" if Path(f"{path}-wal").exists() else "mode=ro&immutable=1"
    conn = sqlite3.connect(f"file:{quote(str(path))}?{mode}", uri=True, isolation_level=None)
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
    """Return whether it has a schema of ours. Raises ``InputError`` for a newer one."""
    if conn.execute("PRAGMA application_id").fetchone()[0] != schema.APPLICATION_ID:
        return False
    version = schema.version_of(conn)
    if version > schema.VERSION:
        raise InputError(f"A newer darkai wrote `{path}`", hint="Update darkai")
    return version > 0


def _conversations(
    conn: sqlite3.Connection, report: ImportReport, progress: Progress
) -> Iterator[ImportedConversation]:
    identifiers = conn.execute(
        "SELECT id FROM conversation UNION SELECT conversation FROM message ORDER BY 1"
    ).fetchall()
    _count_unattached(conn, report)
    for number, (identifier,) in enumerate(identifiers, 1):
        try:
            conversation = _conversation_from(conn, identifier, report)
        except _MALFORMED:
            report.skip("malformed conversation")
        else:
            yield conversation
        progress(number, len(identifiers))


def _conversation_from(
    conn: sqlite3.Connection, identifier: str, report: ImportReport
) -> ImportedConversation:
    messages, turns = _messages_from(conn, identifier, report), []
    message_ids = {message.id for message in messages}
    for record in _records(conn, "turn WHERE conversation = ? ORDER BY id", identifier):
        try:
            turn = _turn(record | {"options": json.loads(record["options"])})
        except _MALFORMED:
            report.skip("malformed turn")
            continue
        turns.append(turn if turn.prompt in message_ids else turn._replace(prompt=None))
    heads = list(_records(conn, "conversation WHERE id = ?", identifier))
    if not heads:
        report.skip("lost title, replaced by the first message")
        first, last = messages[0], messages[-1]
        title = title_from(first.text, (image.name for image in first.attachments))
        return ImportedConversation(
            identifier, title, first.created, last.created, last.id, "darkai", messages, turns
        )
    conversation = _conversation(heads[0])._replace(messages=messages, turns=turns)
    if conversation.active is None or conversation.active in message_ids:
        return conversation
    return conversation._replace(active=messages[-1].id if messages else None)


def _messages_from(
    conn: sqlite3.Connection, conversation: str, report: ImportReport
) -> list[DraftMessage]:
    """Return the messages of a conversation, parents first."""
    messages: dict[str, DraftMessage] = {}
    attachments = _attachments_from(conn, conversation, report)
    for record in _records(conn, "message WHERE conversation = ? ORDER BY n", conversation):
        try:
            columns = (record["id"], record["text"], record["reasoning"], record["parts"])
            _, text, reasoning, parts = with_pieces(columns, _pieces_from(conn, record["id"]))
            message = _message(
                record | {"text": text, "reasoning": reasoning, "parts": json.loads(parts)}
            )
        except _MALFORMED:
            report.skip("malformed message")
        else:
            own = tuple(attachments.get(message.id, ()))
            messages[message.id] = message._replace(attachments=own)
    for message in list(messages.values()):
        if message.parent is not None and message.parent not in messages:
            report.skip("lost message; the next one begins a branch")
            messages[message.id] = message._replace(parent=None)
    ordered = _in_order(messages.values())
    if len(ordered) < len(messages):
        report.skip("message in a reference cycle", len(messages) - len(ordered))
    return ordered


def _attachments_from(
    conn: sqlite3.Connection, conversation: str, report: ImportReport
) -> dict[str, list[Image]]:
    """Return the attachments of a conversation by message; before version 3 there are none."""
    attachments: dict[str, list[Image]] = {}
    if not _has_attachments(conn):
        return attachments
    for message, media_type, name, data in conn.execute(
        "SELECT a.message, a.media_type, a.name, a.data"
        " FROM message m CROSS JOIN attachment a ON a.message = m.id"
        " WHERE m.conversation = ? ORDER BY a.message, a.seq",
        (conversation,),
    ):
        if isinstance(media_type, str) and isinstance(name, str) and isinstance(data, bytes):
            attachments.setdefault(message, []).append(Image(media_type, data, name))
        else:
            report.skip("malformed attachment")
    return attachments


def _count_unattached(conn: sqlite3.Connection, report: ImportReport) -> None:
    if _has_attachments(conn):
        (count,) = conn.execute(
            "SELECT count(*) FROM attachment WHERE message NOT IN (SELECT id FROM message)"
        ).fetchone()
        if count:
            report.skip("attachment of a lost message", count)


def _has_attachments(conn: sqlite3.Connection) -> bool:
    sql = "SELECT 1 FROM sqlite_master WHERE name = 'attachment'"
    return conn.execute(sql).fetchone() is not None


def _pieces_from(conn: sqlite3.Connection, reply: str) -> list[tuple[str, str]]:
    """Return kind and text of the pieces of a reply that had not ended."""
    return conn.execute(
        "SELECT p.kind, p.text FROM turn t JOIN piece p ON p.turn = t.id WHERE t.reply = ?"
        " ORDER BY p.seq",
        (reply,),
    ).fetchall()


def _records(conn: sqlite3.Connection, source: str, identifier: str) -> Iterator[dict[str, Any]]:
    """Yield the rows of a table as records by column."""
    cursor = conn.execute(f"SELECT * FROM {source}", (identifier,))  # noqa: S608 -- our own text
    columns = [column[0] for column in cursor.description]
    for row in cursor:
        yield dict(zip(columns, row, strict=True))


def _whole_conversation(record: dict[str, Any], report: ImportReport) -> ImportedConversation:
    """Return a conversation with its messages and turns. Raises one of ``_MALFORMED``."""
    conversation = _conversation(record)
    for inner in [*record.get("messages", ()), *record.get("turns", ())]:
        try:
            _add(conversation, inner, report)
        except _MALFORMED:
            report.skip("malformed message or turn")
    return conversation


def _in_order(messages: Iterable[DraftMessage]) -> list[DraftMessage]:
    """Sort parents before their children; leave out what hangs on nothing, or on itself."""
    children: dict[str | None, list[DraftMessage]] = {}
    for message in messages:
        children.setdefault(message.parent, []).append(message)
    ordered: list[DraftMessage] = []
    stack = children.get(None, [])[::-1]
    while stack:
        message = stack.pop()
        ordered.append(message)
        stack.extend(reversed(children.get(message.id, [])))
    return ordered


def _add(
    conversation: ImportedConversation | None, record: dict[str, Any], report: ImportReport
) -> None:
    """Add a message or turn to the conversation before it. Raises one of ``_MALFORMED``."""
    if conversation is None or record["conversation"] != conversation.id:
        raise ValueError("its conversation is not there")
    if record["record"] == "message":
        attachments = tuple(_attachments(record, report))
        conversation.messages.append(_message(record)._replace(attachments=attachments))
    else:
        conversation.turns.append(_turn(record))


def _attachments(record: dict[str, Any], report: ImportReport) -> Iterator[Image]:
    """Yield the attachments of a message; what makes no sense is left out and counted."""
    given: Any = record.get("attachments") or []
    for item in given if isinstance(given, list) else [given]:
        try:
            media_type, name = _text(item["media_type"]), _text(item["name"])
            data = item.get("data")
            if data is None:  # as `history show --json` writes it
                report.skip("attachment without its data")
            else:
                yield Image(media_type, b64decode(_text(data), validate=True), name)
        except _MALFORMED:
            report.skip("malformed attachment")


def _conversation(record: dict[str, Any]) -> ImportedConversation:
    """Return a conversation without its messages. Raises one of ``_MALFORMED``."""
    return ImportedConversation(
        _id(record["id"]),
        _text(record["title"]),
        _whole_number(record["created"]),
        _whole_number(record["updated"]),
        None if record["active"] is None else _id(record["active"]),
        _text(record["source"]),
        [],
        [],
    )


def _message(record: dict[str, Any]) -> DraftMessage:
    """Return a message without its attachments. Raises one of ``_MALFORMED``."""
    parts = record["parts"]
    if record["role"] not in ROLES or not all(isinstance(part, dict) for part in parts):
        raise ValueError("not a message")
    return DraftMessage(
        _id(record["id"]),
        None if record["parent"] is None else _id(record["parent"]),
        record["role"],
        _text(record["text"]),
        _text(record["reasoning"]),
        dumps(list(parts)),
        _whole_number(record["created"]),
    )


def _turn(record: dict[str, Any]) -> StoredTurn:
    """Return a turn; one that was streaming is interrupted. Raises one of ``_MALFORMED``."""
    values = {name: record[name] for name in StoredTurn._fields}
    for name in ("id", "reply"):
        _id(values[name])
    for name in ("provider", "model"):
        _text(values[name])
    for name in _OPTIONAL_TEXT:
        _text(values[name] or "")
    for name in ("started", *_COUNTS):
        _whole_number(values[name] or 0)
    if values["state"] not in schema.STATES or not isinstance(values["options"], dict):
        raise ValueError("not a turn")
    if values["state"] == "streaming":
        values["state"] = "interrupted"
    return StoredTurn(**(values | {"options": dumps(values["options"])}))


def _id(value: object) -> str:
    if not ids.is_id(value):
        raise ValueError("not an id")
    return str(value)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("not a text")  # noqa: TRY004 -- one kind of error for the caller
    return value


def _whole_number(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _MAX_INTEGER:
        raise ValueError("not a whole number")
    return value
