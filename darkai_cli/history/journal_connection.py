"""The journal's own connection: records go in, in one transaction, or nothing has happened.

Not the store, which people's commands use. Opened when the first records come; if dead processes
have left something behind it is taken care of then. Apart from ``writer``, so that a reply which
has only begun loads no ``sqlite3``.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Sequence
from pathlib import Path

from darkai_cli.history import turns
from darkai_cli.history.database import Opened, connect, fault, set_aside
from darkai_cli.history.presence import folder_of
from darkai_cli.history.turns import Record

_PATIENCE = 0.05
"""Seconds to wait for a lock; then the records are spilled."""


class Database:
    """The history as the journal writes it; for one thread. ``warnings`` is added to."""

    def __init__(self, path: Path, warnings: list[str]) -> None:
        self._path = path
        self._warnings = warnings
        self._opened: Opened | None = None

    def commit(self, given: Sequence[Record], own: str = "") -> None:
        """Write the records; ``own`` is the name of this process's file. Raises ``StoreError``."""
        try:
            conn = self._connection(own)
            conn.execute("BEGIN IMMEDIATE")
            try:
                turns.write(conn, given)
                conn.execute("COMMIT")
            except BaseException:
                if conn.in_transaction:
                    conn.execute("ROLLBACK")
                raise
        except (sqlite3.Error, OSError) as exc:
            raise fault(exc, self._path) from exc

    def replace(self) -> None:
        """Move a database that proved to be damaged aside; the next commit starts a new one."""
        if self._opened is not None:
            self._opened.conn.close()
            self._warnings.extend(set_aside(self._path, self._opened.inode))
            self._opened = None

    def close(self) -> None:
        """Close the connection."""
        if self._opened is not None:
            self._opened.conn.close()
            self._opened = None

    def _connection(self, own: str) -> sqlite3.Connection:
        if self._opened is None:
            self._opened = connect(self._path, patience=_PATIENCE)
            self._warnings.extend(self._opened.warnings)
            if _is_unfinished(self._opened.conn, self._path, own):
                from darkai_cli.history import recovery

                self._warnings.extend(recovery.recover(self._opened.conn, self._path))
        return self._opened.conn


def _is_unfinished(conn: sqlite3.Connection, path: Path, own: str) -> bool:
    """Whether other processes write, or have died while they did."""
    folder = folder_of(path)
    with contextlib.suppress(OSError):  # we may not look
        folder.mkdir(mode=0o700, exist_ok=True)
        with os.scandir(folder) as entries:
            if any(entry.name != own for entry in entries):
                return True
    found = conn.execute("SELECT 1 FROM turn WHERE state = 'streaming' LIMIT 1").fetchone()
    return found is not None
