"""Read the history, and rename, remove and check conversations.

New turns are written by the journal. Each query finds its rows through an index, so that its cost
does not grow with the history. Each write is one transaction.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, Self

from darkai_cli.errors import NotFoundError, StoreError
from darkai_cli.history import ids, recovery
from darkai_cli.history.database import connect_reader, store_error, transaction
from darkai_cli.text import well_formed

_LOCK_WAIT = 5.0
_RECENT = 1000
"""Conversations among which one to resume is looked for."""


class Conversation(NamedTuple):
    """One row of the list. Times are milliseconds since 1970.

    ``short`` is the prefix of ``id`` that is shown to people. Provider, model and state are those
    of the latest turn, None if there is none.
    """

    id: str
    short: str
    title: str
    created: int
    updated: int
    source: str
    active: str | None
    turns: int
    provider: str | None
    model: str | None
    state: str | None


class StoredTurn(NamedTuple):
    """A row of ``turn``. Times are milliseconds; docs/reference/history.md explains the columns."""

    id: str
    conversation: str
    prompt: str | None
    reply: str
    provider: str
    model: str
    options: str
    system: str | None
    state: str
    reason: str | None
    error_kind: str | None
    error: str | None
    input_tokens: int | None
    output_tokens: int | None
    reasoning_tokens: int | None
    cached_tokens: int | None
    first_text_ms: int | None
    duration_ms: int | None
    started: int
    resumes: str | None


_TURN = ", ".join(StoredTurn._fields)
_RESUMABLE = (
    "(t.state IN ('interrupted', 'truncated') OR t.state = 'failed' AND t.resumes IS NOT NULL)"
)


class Sizes(NamedTuple):
    """Bytes of the database file before and after ``vacuum``."""

    before: int
    after: int


_SELECT = (
    "SELECT c.id, c.title, c.created, c.updated, c.source, c.active,"
    " (SELECT count(*) FROM turn WHERE conversation = c.id), t.provider, t.model, t.state"
    " FROM conversation c LEFT JOIN turn t ON t.id ="
    " (SELECT id FROM turn WHERE conversation = c.id ORDER BY id DESC LIMIT 1)"
)


class Store:
    """An open history, for one thread. Use it as a context manager.

    ``path``: the database file; it is created if it is missing. ``lock_wait``: seconds to wait for
    a lock. ``replace``: whether to move a damaged file aside and start a new one. ``warnings``:
    messages for the user. The constructor and every method raise ``StoreError``.
    """

    def __init__(self, path: Path, *, lock_wait: float = _LOCK_WAIT, replace: bool = False) -> None:
        self.path = path
        opened = connect_reader(path, lock_wait=lock_wait, replace=replace)
        self.conn = opened.conn
        self.writable = opened.writable
        self.warnings = opened.warnings
        if opened.writable:
            try:
                self.warnings += recovery.recover(self.conn, path)
            except BaseException:
                self.conn.close()
                raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the database."""
        self.conn.close()

    def rows(self, sql: str, values: Sequence[Any] | dict[str, Any] = ()) -> list[Any]:
        """Return all rows of a query."""
        try:
            return self.conn.execute(sql, values).fetchall()
        except sqlite3.Error as exc:
            raise store_error(exc, self.path) from exc

    def row(self, sql: str, values: Sequence[Any] | dict[str, Any] = ()) -> Any:
        """Return the first row of a query, or None."""
        rows = self.rows(sql, values)
        return rows[0] if rows else None

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Make the block one write transaction: all of it is written, or nothing if it raises."""
        try:
            with transaction(self.conn):
                yield self.conn
        except sqlite3.Error as exc:
            raise store_error(exc, self.path) from exc

    def conversations(
        self,
        *,
        limit: int | None = 20,
        since: int | None = None,
        model: str | None = None,
        state: str | None = None,
    ) -> list[Conversation]:
        """Return the conversations, the latest first.

        ``since``: only those changed at that time or later. ``model``, ``state``: only those whose
        latest turn has it.
        """
        rows = self.rows(
            f"{_SELECT} WHERE c.updated >= :since AND (:model IS NULL OR t.model = :model)"
            " AND (:state IS NULL OR t.state = :state)"
            " ORDER BY c.updated DESC LIMIT :limit",
            {
                "since": since or 0,
                "model": model,
                "state": state,
                "limit": -1 if limit is None else limit,
            },
        )
        return [Conversation(row[0], self.short(row[0]), *row[1:]) for row in rows]

    def conversation(self, identifier: str) -> Conversation:
        """Return a conversation by its full id. Raises ``NotFoundError``."""
        row = self.row(
            f"{_SELECT} WHERE c.id = ?",
            (identifier,),
        )
        if row is None:
            raise _not_found(identifier)
        return Conversation(row[0], self.short(row[0]), *row[1:])

    def latest(self) -> str | None:
        """Return the id of the conversation that changed last, or None."""
        row = self.row("SELECT id FROM conversation ORDER BY updated DESC, id DESC LIMIT 1")
        return row and str(row[0])

    def find(self, prefix: str) -> str:
        """Return the id of the conversation whose id begins with ``prefix``, as people enter it.

        Raises ``NotFoundError`` if there is none, or more than one.
        """
        matches = self._ids_with_prefix(ids.normalized(prefix))
        if len(matches) == 1:
            return matches[0]
        if not matches:
            raise _not_found(prefix)
        raise NotFoundError(
            f"Several conversations have ids that begin with `{prefix}`",
            hint=f"Use more of the id: {', '.join(f'`{self.short(match)}`' for match in matches)}",
        )

    def short(self, identifier: str) -> str:
        """Return the shortest prefix that is unique to this conversation."""
        before = self.row(
            "SELECT id FROM conversation WHERE id < ? ORDER BY id DESC LIMIT 1", (identifier,)
        )
        after = self.row(
            "SELECT id FROM conversation WHERE id > ? ORDER BY id LIMIT 1", (identifier,)
        )
        return ids.shortest(identifier, before and before[0], after and after[0])

    def turns(self, conversation: str) -> list[StoredTurn]:
        """Return the turns of a conversation, in the order of their prompts."""
        return [
            StoredTurn(*row)
            for row in self.rows(
                f"SELECT {_TURN} FROM turn WHERE conversation = ? ORDER BY id",  # noqa: S608
                (conversation,),
            )
        ]

    def turn_of(self, reply: str) -> StoredTurn | None:
        """Return the turn whose reply this message is, or None for a user's message."""
        row = self.row(f"SELECT {_TURN} FROM turn WHERE reply = ?", (reply,))  # noqa: S608
        return row and StoredTurn(*row)

    def latest_unfinished(self) -> str | None:
        """Return the latest of the conversations whose last reply can be resumed, or None."""
        row = self.row(
            "SELECT c.id FROM (SELECT id, active, updated FROM conversation"  # noqa: S608
            f" ORDER BY updated DESC LIMIT {_RECENT}) c JOIN turn t ON t.reply = c.active"
            f" WHERE {_RESUMABLE} AND t.prompt IS NOT NULL ORDER BY c.updated DESC LIMIT 1"
        )
        return row and str(row[0])

    def last_unfinished(self, conversation: str) -> StoredTurn | None:
        """Return the turn of the active reply if it can be resumed, or None.

        It can if it was interrupted or truncated, or failed while continuing one that was.
        """
        row = self.row(
            f"SELECT {', '.join(f't.{name}' for name in StoredTurn._fields)}"  # noqa: S608
            " FROM conversation c JOIN turn t ON t.reply = c.active"
            f" WHERE c.id = ? AND {_RESUMABLE}",
            (conversation,),
        )
        return row and StoredTurn(*row)

    def rename(self, conversation: str, title: str) -> None:
        """Give a conversation another title. Raises ``NotFoundError``."""
        with self.writing() as conn:
            changed = conn.execute(
                "UPDATE conversation SET title = ? WHERE id = ?", (well_formed(title), conversation)
            ).rowcount
        if not changed:
            raise _not_found(conversation)

    def remove(self, conversations: Iterable[str]) -> int:
        """Remove conversations with all that belongs to them; return how many there were."""
        with self.writing() as conn:
            return sum(
                conn.execute("DELETE FROM conversation WHERE id = ?", (identifier,)).rowcount
                for identifier in conversations
            )

    def older_than(self, ms: int) -> list[str]:
        """Return the ids of conversations last changed before that time, the oldest first."""
        rows = self.rows("SELECT id FROM conversation WHERE updated < ? ORDER BY updated", (ms,))
        return [row[0] for row in rows]

    def vacuum(self) -> Sizes:
        """Return unused space to the disk; what was removed is then gone from the file too."""
        before = self.path.stat().st_size
        try:
            self.conn.execute("INSERT INTO message_fts(message_fts) VALUES ('optimize')")
            self.conn.execute("VACUUM")
            self.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except sqlite3.Error as exc:
            raise store_error(exc, self.path) from exc
        return Sizes(before, self.path.stat().st_size)

    def check(self) -> list[str]:
        """Read all of the database and return its problems in words."""
        try:
            problems = [
                str(row[0]) for row in self.conn.execute("PRAGMA integrity_check") if row[0] != "ok"
            ]
            for table, number, parent, _ in self.conn.execute("PRAGMA foreign_key_check"):
                problems.append(f"row {number} of `{table}` refers to a missing row of `{parent}`")
            problems += [
                f"{problem}: `{identifier}`"
                for problem, sql in _CONSISTENCY
                for (identifier,) in self.rows(sql)
            ]
        except sqlite3.Error as exc:
            problems = [str(exc)]
        except StoreError as exc:
            problems = [exc.message]
        return problems + self._check_index()

    def rebuild_index(self) -> None:
        """Rebuild the full-text index from the messages."""
        with self.writing() as conn:
            conn.execute("INSERT INTO message_fts(message_fts) VALUES ('rebuild')")

    def _check_index(self) -> list[str]:
        if not self.writable:
            return []
        try:
            self.conn.execute(
                "INSERT INTO message_fts(message_fts, rank) VALUES ('integrity-check', 1)"
            )
        except sqlite3.DatabaseError as exc:
            return [f"the search index does not match the messages: {exc}"]
        return []

    def _ids_with_prefix(self, prefix: str) -> list[str]:
        """Return up to five ids that begin with the prefix; none for an empty one."""
        rows = self.rows(
            "SELECT id FROM conversation WHERE ? <> '' AND id >= ? AND id < ? ORDER BY id LIMIT 5",
            (prefix, prefix, prefix + "~"),
        )
        return [row[0] for row in rows]


_CONSISTENCY = (
    (
        "the parts of a message are damaged",
        "SELECT id FROM message WHERE parts NOT LIKE '[%]'",
    ),
    (
        "the active message of a conversation is missing",
        (
            "SELECT id FROM conversation c WHERE active IS NOT NULL AND NOT EXISTS"
            " (SELECT 1 FROM message WHERE id = c.active AND conversation = c.id)"
        ),
    ),
    (
        "the parent of a message is in another conversation",
        (
            "SELECT m.id FROM message m JOIN message p ON p.id = m.parent"
            " WHERE p.conversation <> m.conversation"
        ),
    ),
)


def _not_found(identifier: str) -> NotFoundError:
    return NotFoundError(f"No conversation `{identifier}`", hint="`darkai history list` lists them")
