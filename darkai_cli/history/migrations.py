"""From any older schema to ours, in numbered steps and one transaction, after a copy was made.

A new file goes through the same steps as an old one, so that there is one way to the present
schema and not two. ``PRAGMA user_version`` is the number of steps that were taken. To change the
schema, append a step and count it in ``stored.VERSION``; its test starts from the version before
with data in it.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from darkai_cli.history import schema, stored

STEPS: tuple[tuple[str, ...], ...] = (
    schema.TABLES,  # 1: conversations, messages, turns
    schema.SEARCH,  # 2: the full-text index, built from the messages that are there
    schema.ATTACHMENTS,  # 3: the images that went along with a prompt
)


def migrate(conn: sqlite3.Connection, path: Path) -> None:
    """Take the steps that are missing. Safe for any number of processes at once.

    Raises ``sqlite3.Error`` or ``OSError``; nothing has changed then.
    """
    conn.execute("BEGIN IMMEDIATE")
    try:
        found = stored.version_of(conn)  # another process may have been first
        if 0 < found < stored.VERSION:
            _copy(path, Path(f"{path}.before-v{stored.VERSION}"))
        for step in STEPS[found:]:
            for statement in step:
                conn.execute(statement)
        if found < stored.VERSION:
            conn.execute(f"PRAGMA application_id = {schema.APPLICATION_ID}")
            conn.execute(f"PRAGMA user_version = {stored.VERSION}")
        conn.execute("COMMIT")
    except BaseException:
        if conn.in_transaction:
            conn.execute("ROLLBACK")
        raise


def _copy(path: Path, target: Path) -> None:
    """Copy the committed state of the database, the write-ahead log included."""
    unfinished = Path(f"{target}.tmp")
    unfinished.unlink(missing_ok=True)
    unfinished.touch(mode=0o600, exist_ok=False)
    reader, writer = sqlite3.connect(path), sqlite3.connect(unfinished)
    try:
        reader.backup(writer)
    finally:
        writer.close()
        reader.close()
    unfinished.replace(target)
