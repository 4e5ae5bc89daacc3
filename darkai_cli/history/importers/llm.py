"""Import the database of Simon Willison's ``llm``.

The format as observed: ``logs.db`` has ``responses`` up to version 0.31, and from 0.32 on
``threads`` and ``turns`` over messages that are shared by their hash, beside the old tables. Ids
are derived from llm's own, so that importing a database again adds only what is new.

Of an attachment that was piped in llm keeps the bytes. Of a file it keeps the path, and the SHA-256
of the content as the id: the file is read only while it has that content, so that no database can
name a file that it does not know already. A URL is not fetched. What is left out is counted.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Callable, Collection, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from darkai_cli.errors import InputError
from darkai_cli.history.ids import derived_id
from darkai_cli.history.importers.draft import (
    DraftMessage,
    ImportedConversation,
    ImportReport,
    read_bounded,
    turn_for,
)
from darkai_cli.history.store import StoredTurn
from darkai_cli.history.turns import dumps, title_from
from darkai_cli.messages import ROLES, Image, sniff_image_type

Progress = Callable[[int, int], None]


def is_database(path: Path) -> bool:
    """Return whether SQLite can read the file, and it is not ours with a damaged header."""
    try:
        with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)) as conn:
            tables = {row[0] for row in conn.execute("SELECT name FROM sqlite_master")}
    except sqlite3.Error:
        return False
    return "message_fts" not in tables


def read(path: Path, report: ImportReport, progress: Progress) -> Iterator[ImportedConversation]:
    """Yield the conversations of llm's database, of both its schemas. Raises ``InputError``."""
    try:
        with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)) as conn:
            conn.row_factory = sqlite3.Row
            tables = {row[0] for row in conn.execute("SELECT name FROM sqlite_master")}
            if not {"threads", "responses"} & tables:
                raise InputError(f"Unknown format: `{path}` is a database, but not llm's")
            images = _LlmImages(conn, tables, report)
            if "responses" in tables:
                yield from _responses(conn, tables, images, progress)
            if "threads" in tables:
                yield from _threads(conn, report, images, progress)
            images.count_others()
            if "tool_calls" in tables:
                (count,) = conn.execute("SELECT count(*) FROM tool_calls").fetchone()
                if count:
                    report.skip("tool call", count)
    except sqlite3.Error as exc:
        raise InputError(f"Can't read `{path}`: {exc}") from exc


def _responses(
    conn: sqlite3.Connection, tables: set[str], images: _LlmImages, progress: Progress
) -> Iterator[ImportedConversation]:
    """Yield the conversations of the old schema: each row is a prompt with its reply."""
    chats: dict[str, list[dict[str, Any]]] = {}
    # Some versions wrote both schemas at once, under the same ids.
    only_old = " WHERE id NOT IN (SELECT id FROM turns)" if "turns" in tables else ""
    for row in conn.execute(f"SELECT * FROM responses{only_old} ORDER BY datetime_utc, id"):  # noqa: S608
        response = dict(row)
        chats.setdefault(response.get("conversation_id") or response["id"], []).append(response)
    names = (
        dict(conn.execute("SELECT id, name FROM conversations").fetchall())
        if "conversations" in tables
        else {}
    )
    for number, (chat, responses) in enumerate(chats.items(), 1):
        messages: list[DraftMessage] = []
        turns = []
        for response in responses:
            above = messages[-1].id if messages else None
            prompt, reply, turn = _response(response, above)
            prompt = prompt._replace(attachments=images.of_response(str(response["id"])))
            has_prompt = prompt.text or prompt.attachments
            messages += [prompt, reply] if has_prompt else [reply._replace(parent=above)]
            turns.append(turn if has_prompt else turn._replace(prompt=None))
        yield _conversation(chat, names.get(chat), messages, turns)
        progress(number, len(chats))


def _response(
    response: dict[str, Any], above: str | None
) -> tuple[DraftMessage, DraftMessage, StoredTurn]:
    when, name = _iso(response.get("datetime_utc")), str(response["id"])
    prompt = DraftMessage(
        derived_id(when, "llm", name, "prompt"), above, "user",
        str(response.get("prompt") or ""), "", "[]", when,
    )  # fmt: skip
    reply = DraftMessage(
        derived_id(when, "llm", name, "reply"), prompt.id, "assistant",
        str(response.get("response") or ""), str(response.get("reasoning") or ""), "[]", when,
    )  # fmt: skip
    turn = turn_for(
        derived_id(when, "llm", name, "turn"), reply,
        prompt=prompt.id, provider="llm", model=str(response.get("model") or ""),
    )  # fmt: skip
    return prompt, reply, _with_details(turn, response)._replace(system=response.get("system"))


def _threads(
    conn: sqlite3.Connection, report: ImportReport, images: _LlmImages, progress: Progress
) -> Iterator[ImportedConversation]:
    """Yield the conversations of the new schema: turns whose messages are shared rows."""
    threads = conn.execute("SELECT * FROM threads ORDER BY datetime_utc, id").fetchall()
    for number, thread in enumerate(threads, 1):
        messages: dict[str, DraftMessage] = {}
        turns = []
        for turn in conn.execute(
            "SELECT * FROM turns WHERE thread_id = ? ORDER BY datetime_utc, id", (thread["id"],)
        ).fetchall():
            made = _thread_turn(conn, str(thread["id"]), dict(turn), messages, report, images)
            if made is not None:
                turns.append(made)
        if messages:
            yield _conversation(str(thread["id"]), thread["name"], list(messages.values()), turns)
        progress(number, len(threads))


def _thread_turn(
    conn: sqlite3.Connection,
    thread: str,
    turn: dict[str, Any],
    messages: dict[str, DraftMessage],
    report: ImportReport,
    images: _LlmImages,
) -> StoredTurn | None:
    """Add the new messages of a turn; return the turn, or None if it has no reply."""
    chain = conn.execute(
        "WITH RECURSIVE up(depth, hash, parent, role) AS ("
        " SELECT 0, hash, parent_hash, role FROM messages WHERE hash = ?"
        " UNION ALL SELECT depth + 1, m.hash, m.parent_hash, m.role"
        " FROM up JOIN messages m ON m.hash = up.parent WHERE depth < 100000"
        ") SELECT hash, role FROM up ORDER BY depth DESC",
        (turn["tip_message_hash"],),
    ).fetchall()
    when = _iso(turn["datetime_utc"])
    above, prompt, system, reply = None, None, None, None
    for name, role in chain:
        if name not in messages:
            text, reasoning, seen = _parts(conn, name, report, images)
            if role == "system":
                system = text
                continue
            if role not in ROLES or not (text or reasoning or seen):
                continue
            identifier = derived_id(when, "llm", thread, name)
            messages[name] = DraftMessage(
                identifier, above, role, text, reasoning, "[]", when, seen
            )
        above = messages[name].id
        prompt = above if role == "user" else prompt
        reply = messages[name] if role == "assistant" else reply
    if reply is None:
        report.skip("turn without a reply")
        return None
    made = turn_for(
        derived_id(when, "llm", thread, str(turn["id"]), "turn"), reply,
        prompt=prompt, provider="llm", model=str(turn["model"] or ""),
    )  # fmt: skip
    return _with_details(made, turn)._replace(system=system)


def _parts(
    conn: sqlite3.Connection, message: str, report: ImportReport, images: _LlmImages
) -> tuple[str, str, tuple[Image, ...]]:
    """Return text, reasoning and images of a message of the new schema.

    Long texts are stored as fragments.
    """
    seen: list[Image] = []
    texts: list[str] = []
    thoughts: list[str] = []
    for part in conn.execute(
        "SELECT p.id, p.type, coalesce(nullif(p.text, ''),"
        " (SELECT group_concat(f.content, char(10))"
        " FROM part_fragments pf JOIN fragments f ON f.id = pf.fragment_id"
        " WHERE pf.part_id = p.id)) AS text FROM parts p WHERE message_hash = ? ORDER BY position",
        (message,),
    ).fetchall():
        if part["type"] == "attachment":
            seen += images.of_part(part["id"])
        elif part["type"] in ("text", "reasoning") and part["text"]:
            (texts if part["type"] == "text" else thoughts).append(part["text"])
        elif part["type"] not in ("text", "reasoning"):
            report.skip(f"part of type `{part['type']}`"[:80])
    return "\n".join(texts), "\n".join(thoughts), tuple(seen)


def _with_details(turn: StoredTurn, row: dict[str, Any]) -> StoredTurn:
    try:
        options = json.loads(row.get("options_json") or "{}")
    except ValueError:
        options = {}
    return turn._replace(
        options=dumps(options if isinstance(options, dict) else {}),
        input_tokens=_count(row.get("input_tokens")),
        output_tokens=_count(row.get("output_tokens")),
        duration_ms=_count(row.get("duration_ms")),
    )


def _conversation(
    name: str, title: str | None, messages: list[DraftMessage], turns: list[StoredTurn]
) -> ImportedConversation:
    first, last = messages[0], messages[-1]
    return ImportedConversation(
        derived_id(first.created, "llm", name),
        title_from(title or first.text, (image.name for image in first.attachments)),
        first.created,
        last.created,
        last.id,
        "llm",
        messages,
        turns,
    )


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and value >= 0 else None


def _iso(value: object) -> int:
    """Return milliseconds since 1970; 0 for no time. Without a zone, it is UTC."""
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        return 0
    return max(0, int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000))


class _LlmImages:
    """The images of a database. ``tables``: the names of its tables."""

    def __init__(
        self, conn: sqlite3.Connection, tables: Collection[str], report: ImportReport
    ) -> None:
        self._conn = conn
        self._tables = tables
        self._report = report
        self._seen: set[str] = set()

    def of_response(self, response: str) -> tuple[Image, ...]:
        """Return the images of a prompt of the old schema."""
        return self._of("prompt_attachments", "response_id", response)

    def of_part(self, part: int) -> tuple[Image, ...]:
        """Return the images in a part of a message of the new schema."""
        return self._of("part_attachments", "part_id", part)

    def count_others(self) -> None:
        """Count the attachments of no message, such as those of tool results."""
        if "attachments" in self._tables:
            identifiers = {str(row[0]) for row in self._conn.execute("SELECT id FROM attachments")}
            if identifiers - self._seen:
                self._report.skip("attachment", len(identifiers - self._seen))

    def _of(self, table: str, column: str, name: str | int) -> tuple[Image, ...]:
        if not {table, "attachments"} <= set(self._tables):
            return ()
        rows = self._conn.execute(
            f"SELECT a.* FROM {table} p JOIN attachments a ON a.id = p.attachment_id"  # noqa: S608
            f' WHERE p.{column} = ? ORDER BY p."order"',
            (name,),
        ).fetchall()
        images = []
        for row in rows:
            self._seen.add(str(row["id"]))
            image = _image(row)
            if isinstance(image, Image):
                images.append(image)
            else:
                self._report.skip(image)
        return tuple(images)


def _image(row: sqlite3.Row) -> Image | str:
    """Return the image, or why it is left out."""
    path = Path(str(row["path"] or ""))
    data = row["content"]
    if not data:
        if row["url"]:
            return "attachment with only a URL"
        data = _content(path, str(row["id"]))
        if data is None:
            return "attachment whose file is gone or changed"
    media_type = sniff_image_type(data) if isinstance(data, bytes) else None
    return Image(media_type, data, path.name) if media_type else "attachment that isn't an image"


def _content(path: Path, digest: str) -> bytes | None:
    """Return the bytes of a file if they are those that were attached, or None."""
    if not path.is_absolute() or not path.is_file():
        return None
    data = read_bounded(path)
    return data if data is not None and hashlib.sha256(data).hexdigest() == digest else None
