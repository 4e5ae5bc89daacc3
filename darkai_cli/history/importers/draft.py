"""What an importer hands over, and how it gets into the store: once, whole, in order.

A draft is a conversation as it was read, with ids that are the same whenever it is read. What is
in the store already stays as it is, so taking a draft again only adds what it has more. A message
is taken only below a parent that is there, in the same conversation, so that no file can make a
cycle or reach into another conversation.
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

_BATCH = 2000  # messages in one transaction: others get their turn to write
_USUAL = 4096  # bytes of a message


def bytes_of(file: Path) -> bytes | None:
    """What is in a file that lies beside an export; None if it cannot be read.

    One byte more than an image may have is read, so that a longer file can be told.
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
        return 1 + sum(len(one.data) for one in self.attachments) // _USUAL


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
    """What an import took, and what it left and why."""

    def __init__(self) -> None:
        self.conversations = 0
        self.messages = 0
        self.present = 0
        self.skipped: Counter[str] = Counter()

    def skip(self, why: str, count: int = 1) -> None:
        """Something was left out."""
        self.skipped[why] += count


def take_all(store: Store, drafts: Iterable[ImportedConversation], tally: ImportReport) -> None:
    """Store the drafts, some in each transaction. Raises ``StoreError``."""
    batch: list[ImportedConversation] = []
    size = 0
    for draft in drafts:
        batch.append(draft)
        size += sum(message.weight for message in draft.messages)
        if size >= _BATCH:
            _take(store, batch, tally)
            batch, size = [], 0
    _take(store, batch, tally)


def _take(store: Store, batch: list[ImportedConversation], tally: ImportReport) -> None:
    if batch:
        with store.writing() as conn:
            for draft in batch:
                _take_one(conn, draft, tally)


def _take_one(conn: sqlite3.Connection, draft: ImportedConversation, tally: ImportReport) -> None:
    new = conn.execute(
        "INSERT OR IGNORE INTO conversation (id, title, created, updated, source)"
        " VALUES (?, ?, ?, ?, ?)",
        (
            draft.id,
            well_formed(draft.title),
            draft.created,
            draft.updated,
            well_formed(draft.source),
        ),
    ).rowcount
    tally.conversations += new
    held = {
        row[0] for row in conn.execute("SELECT id FROM message WHERE conversation = ?", (draft.id,))
    }
    added = 0
    for message in draft.messages:
        if message.id in held:
            tally.present += 1
            _attach(conn, message)
        elif message.parent is not None and message.parent not in held:
            tally.skip("message whose parent is missing")
        elif _insert_message(conn, draft.id, message):
            held.add(message.id)
            added += 1
        else:
            tally.skip("message of another conversation")
    tally.messages += added
    for turn in draft.turns:
        if turn.reply in held and (turn.prompt is None or turn.prompt in held):
            _insert_turn(conn, turn._replace(conversation=draft.id))
        else:
            tally.skip("turn whose messages are missing")
    if new:
        active = draft.active if draft.active in held else None
        conn.execute("UPDATE conversation SET active = ? WHERE id = ?", (active, draft.id))
    elif added:
        conn.execute(
            "UPDATE conversation SET updated = max(updated, ?) WHERE id = ?",
            (draft.updated, draft.id),
        )
        _go_on(conn, draft, held)


def _go_on(conn: sqlite3.Connection, draft: ImportedConversation, held: set[str]) -> None:
    """Move the active mark along, where the conversation went on from it and not beside it."""
    row = conn.execute("SELECT active FROM conversation WHERE id = ?", (draft.id,)).fetchone()
    parents = {message.id: message.parent for message in draft.messages}
    above: str | None = draft.active if draft.active in held else None
    seen: set[str | None] = {None}
    while above not in seen and above != row[0]:
        seen.add(above)
        above = parents.get(above or "")
    if above is not None and above == row[0]:
        conn.execute("UPDATE conversation SET active = ? WHERE id = ?", (draft.active, draft.id))


def _insert_message(conn: sqlite3.Connection, conversation: str, message: DraftMessage) -> int:
    """Write a message, unless its id is taken; how many were written."""
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
    """Write what goes along with a message, unless something is there already."""
    if not message.attachments:
        return
    there = "SELECT 1 FROM attachment WHERE message = ? LIMIT 1"
    if conn.execute(there, (message.id,)).fetchone():
        return
    for seq, one in enumerate(message.attachments):
        attach(
            conn, message.id, seq, (well_formed(one.media_type), well_formed(one.name), one.data)
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
    """The turn of a reply of which little more than its text is known."""
    return StoredTurn(
        id=identifier, conversation="", prompt=prompt, reply=reply.id, provider=provider,
        model=model, options="{}", system=None, state=state, reason=None, error_kind=None,
        error=None, input_tokens=None, output_tokens=None, reasoning_tokens=None,
        cached_tokens=None, first_text_ms=None, duration_ms=None, started=reply.created,
        resumes=None,
    )  # fmt: skip
