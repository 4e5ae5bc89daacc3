"""What a start does about processes that died: merge what they spilled, end what they left open.

Not for live processes: whoever holds the lock on its presence file is left alone. It costs a look
into one folder and one index lookup when there is nothing to do, and gives way at once when the
database is locked: the next start will find the same.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from darkai_cli.history import presence, turns
from darkai_cli.history.database import StoreLockedError, fault


def recover(conn: sqlite3.Connection, path: Path) -> tuple[str, ...]:
    """Take care of the dead; what the user should be told. Raises ``StoreError``."""
    dead = list(presence.abandoned(path))
    patience = conn.execute("PRAGMA busy_timeout").fetchone()[0]
    merged = False
    unreadable: list[presence.Abandoned] = []
    try:
        owners = _dead_owners(conn, path, dead)
        if owners:
            conn.execute("PRAGMA busy_timeout = 0")
            unreadable = _merge(conn, dead, owners)
            merged = True
    except (sqlite3.Error, OSError) as exc:
        error = fault(exc, path)
        if not isinstance(error, StoreLockedError):
            raise error from exc
    finally:
        conn.execute(f"PRAGMA busy_timeout = {patience}")
        for entry in dead:
            if entry in unreadable:
                entry.set_aside()
            else:
                entry.close(remove=merged)
    return tuple(
        f"a spilled turn cannot be read; kept as `{e.path}.unreadable`" for e in unreadable
    )


def _dead_owners(
    conn: sqlite3.Connection, path: Path, dead: list[presence.Abandoned]
) -> set[str | None]:
    rows = conn.execute("SELECT DISTINCT owner FROM turn WHERE state = 'streaming'").fetchall()
    gone = {owner for (owner,) in rows if owner is None or not presence.present(path, owner)}
    return gone | {entry.owner for entry in dead}


def _merge(
    conn: sqlite3.Connection, dead: list[presence.Abandoned], owners: set[str | None]
) -> list[presence.Abandoned]:
    """Do it in one transaction; the files that could not be read."""
    unreadable = []
    conn.execute("BEGIN IMMEDIATE")
    try:
        for entry in dead:
            conn.execute("SAVEPOINT spill")
            try:
                for record in entry.records():
                    turns.apply(conn, record)
            except (ValueError, KeyError, TypeError, sqlite3.IntegrityError):
                conn.execute("ROLLBACK TO spill")
                unreadable.append(entry)
            conn.execute("RELEASE spill")
        for owner in owners:
            turns.interrupt(conn, owner)
        conn.execute("COMMIT")
    except BaseException:
        if conn.in_transaction:
            conn.execute("ROLLBACK")
        raise
    return unreadable
