"""Imported conversations, and how they are stored.

An importer gives a conversation the same ids each time it reads it. What the history has already
stays as it is, so storing it again only adds what is new. A message is stored only below a parent
in the same conversation, so that no file can make a cycle or reach into another conversation.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from darkai_cli.history.store import Store, StoredTurn
from darkai_cli.history.turns import attach, number_at
from darkai_cli.messages import MAX_IMAGE, Image
from darkai_cli.text import well_formed

_BATCH = 2000
"""Messages in one transaction; between two, other processes can write."""
_USUAL_SIZE = 4096
"""Bytes of a usual message."""


def read_bounded(file: Path) -> bytes | None:
    """Return the bytes of a file beside an export; None if it cannot be read.

    At most one byte more than an image may have is read, which shows that a file is too long.
    """
    try:
        with file.open("rb") as opened:
            return opened.read(MAX_IMAGE + 1)
    except OSError:
        return None


class DraftMessage(NamedTuple):
    """A message, ready to be stored."""

    id: str
    parent: str | None
    role: str
    text: str
    reasoning: str
    parts: str
    created: int
    attachments: tuple[Image, ...] = ()

    @property
    def weight(self) -> int:
        """How much there is to write, in messages of usual size."""
        return 1 + sum(len(image.data) for image in self.attachments) // _USUAL_SIZE


class ImportedConversation(NamedTuple):
    """A conversation, ready to be stored: parents before children."""

    id: str
    title: str
    created: int
    updated: int
    active: str | None
    source: str
    messages: list[DraftMessage]
    turns: list[StoredTurn]


class ImportReport:
    """What an import added and what it left out.

    ``source``: the program that the file is from. ``conversations``, ``messages``: how many are
    new. ``present``: messages that the history had already. ``skipped``: what was left out, and how
    often.
    """

    def __init__(self) -> None:
        self.source = ""
        self.conversations = 0
        self.messages = 0
        self.present = 0
        self.skipped: Counter[str] = Counter()

    def skip(self, why: str, count: int = 1) -> None:
        """Count something that was left out."""
        self.skipped[why] += count


def store_all(
    store: Store, conversations: Iterable[ImportedConversation], report: ImportReport
) -> None:
    """Store conversations, several in each transaction. Raises ``StoreError``."""
    batch: list[ImportedConversation] = []
    size = 0
    for conversation in conversations:
        batch.append(conversation)
        size += sum(message.weight for message in conversation.messages)
        if size >= _BATCH:
            _store_batch(store, batch, report)
            batch, size = [], 0
    _store_batch(store, batch, report)


def _store_batch(store: Store, batch: list[ImportedConversation], report: ImportReport) -> None:
    if batch:
        with store.writing() as conn:
            for conversation in batch:
                _store_one(conn, conversation, report)


def _store_one(
    conn: sqlite3.Connection, conversation: ImportedConversation, report: ImportReport
) -> None:
    new = conn.execute(
        "INSERT OR IGNORE INTO conversation (id, title, created, updated, source)"
        " VALUES (?, ?, ?, ?, ?)",
        (
            conversation.id,
            well_formed(conversation.title),
            conversation.created,
            conversation.updated,
            well_formed(conversation.source),
        ),
    ).rowcount
    report.conversations += new
    stored = {
        row[0]
        for row in conn.execute("SELECT id FROM message WHERE conversation = ?", (conversation.id,))
    }
    added = 0
    for message in conversation.messages:
        if message.id in stored:
            report.present += 1
            _attach(conn, message)
        elif message.parent is not None and message.parent not in stored:
            report.skip("message whose parent is missing")
        elif _insert_message(conn, conversation.id, message):
            stored.add(message.id)
            added += 1
        else:
            report.skip("message of another conversation")
    report.messages += added
    for turn in conversation.turns:
        if turn.reply in stored and (turn.prompt is None or turn.prompt in stored):
            _insert_turn(conn, turn._replace(conversation=conversation.id))
        else:
            report.skip("turn whose messages are missing")
    if new:
        active = conversation.active if conversation.active in stored else None
        conn.execute("UPDATE conversation SET active = ? WHERE id = ?", (active, conversation.id))
    elif added:
        conn.execute(
            "UPDATE conversation SET updated = max(updated, ?) WHERE id = ?",
            (conversation.updated, conversation.id),
        )
        _move_active(conn, conversation, stored)


def _move_active(
    conn: sqlite3.Connection, conversation: ImportedConversation, stored: set[str]
) -> None:
    """Make the new end active if it continues the branch that is active."""
    row = conn.execute(
        "SELECT active FROM conversation WHERE id = ?", (conversation.id,)
    ).fetchone()
    parents = {message.id: message.parent for message in conversation.messages}
    above: str | None = conversation.active if conversation.active in stored else None
    seen: set[str | None] = {None}
    while above not in seen and above != row[0]:
        seen.add(above)
        above = parents.get(above or "")
    if above is not None and above == row[0]:
        conn.execute(
            "UPDATE conversation SET active = ? WHERE id = ?",
            (conversation.active, conversation.id),
        )


def _insert_message(conn: sqlite3.Connection, conversation: str, message: DraftMessage) -> int:
    """Write a message, unless its id exists; return how many were written."""
    written = conn.execute(
        "INSERT OR IGNORE INTO message"
        " (n, id, conversation, parent, role, text, reasoning, parts, created)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            number_at(conn, message.created), message.id, conversation, message.parent,
            message.role, well_formed(message.text), well_formed(message.reasoning), message.parts,
            message.created,
        ),
    ).rowcount  # fmt: skip
    if written:
        _attach(conn, message)
    return written


def _attach(conn: sqlite3.Connection, message: DraftMessage) -> None:
    """Write the attachments of a message, unless it has some already."""
    if not message.attachments:
        return
    existing = "SELECT 1 FROM attachment WHERE message = ? LIMIT 1"
    if conn.execute(existing, (message.id,)).fetchone():
        return
    for seq, image in enumerate(message.attachments):
        attach(
            conn,
            message.id,
            seq,
            (well_formed(image.media_type), well_formed(image.name), image.data),
        )


def _insert_turn(conn: sqlite3.Connection, turn: StoredTurn) -> None:
    values = [well_formed(value) if isinstance(value, str) else value for value in turn]
    marks = ", ".join("?" * len(values))
    conn.execute(
        f"INSERT OR IGNORE INTO turn ({', '.join(StoredTurn._fields)}) VALUES ({marks})",  # noqa: S608
        values,
    )


def turn_for(
    identifier: str,
    reply: DraftMessage,
    *,
    prompt: str | None,
    provider: str,
    model: str,
    state: str = "complete",
) -> StoredTurn:
    """Return the turn of a reply of which little more than its text is known."""
    return StoredTurn(
        id=identifier, conversation="", prompt=prompt, reply=reply.id, provider=provider,
        model=model, options="{}", system=None, state=state, reason=None, error_kind=None,
        error=None, input_tokens=None, output_tokens=None, reasoning_tokens=None,
        cached_tokens=None, first_text_ms=None, duration_ms=None, started=reply.created,
        resumes=None,
    )  # fmt: skip
