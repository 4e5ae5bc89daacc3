"""The ledger: when requests went to which service with which key, for all processes of the user.

One SQLite file, private to the user. Not the arithmetic (``slots``). Strategy: who wants to send
reads what has gone and writes its own request down in one ``BEGIN IMMEDIATE`` transaction, so that
of two processes only one gets the last slot; a request that then never left is taken back. A file
that is no database is replaced, since all it held were counts of the last hours. A key is known
here by its fingerprint only.
"""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from darkai_cli import files
from darkai_cli.rate_limits.holds import Account
from darkai_cli.rate_limits.rates import LONGEST, Rate
from darkai_cli.rate_limits.slots import Slot, longest, next_slot

PATIENCE = 3.0
"""Seconds to wait for another process."""

_VERSION = 1
_RETRY = 0.005
_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_SCHEMA = (
    """CREATE TABLE IF NOT EXISTS request (
        id INTEGER PRIMARY KEY,
        origin TEXT NOT NULL,
        key TEXT NOT NULL,  -- a fingerprint
        at REAL NOT NULL    -- seconds since the epoch
    )""",
    "CREATE INDEX IF NOT EXISTS request_by_account ON request (origin, key, at)",
    f"PRAGMA user_version = {_VERSION}",
)


class LedgerError(Exception):
    """The ledger cannot be used; nothing may fail because of it."""


class Entry(NamedTuple):
    """What ``reserve`` found: the row that was written, or the slot to wait for."""

    row: int | None
    slot: Slot


class Ledger:
    """The ledger in one file, which is opened when it is first used, and again after ``close``."""

    def __init__(
        self,
        file: Path,
        *,
        patience: float = PATIENCE,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._conn: sqlite3.Connection | None = None
        self._file = file
        self._patience = patience
        self._clock = clock
        self._inode = 0
        self.replaced = False
        """Whether a damaged file was replaced by an empty one."""

    def reserve(self, account: Account, rates: Sequence[Rate]) -> Entry:
        """Write a request down if it breaks none of ``rates``, else say when it may go.

        Raises ``LedgerError``.
        """
        with self._transaction() as conn:
            now = self._clock()  # once the lock is had: later than all that others wrote down
            gone = [at for (at,) in conn.execute(_SELECT, (*account, now - longest(rates) - 1))]
            slot = next_slot(rates, gone, now)
            if slot.at > now:
                return Entry(None, slot)
            return Entry(self._insert(conn, account, now, longest(rates)), slot)

    def count(self, account: Account, rates: Sequence[Rate]) -> None:
        """Write down a request that has gone, whatever it breaks. Raises ``LedgerError``."""
        with self._transaction() as conn:
            self._insert(conn, account, self._clock(), longest(rates))

    def went(self, row: int) -> None:
        """A request that was written down goes only now. Raises ``LedgerError``."""
        with self._transaction() as conn:
            conn.execute("UPDATE request SET at = ? WHERE id = ?", (self._clock(), row))

    def take_back(self, row: int) -> None:
        """Forget a request that never went. Raises ``LedgerError``."""
        with self._transaction() as conn:
            conn.execute("DELETE FROM request WHERE id = ?", (row,))

    def gone(self, account: Account, seconds: float) -> list[float]:
        """When requests went within the last ``seconds``. Raises ``LedgerError``."""
        with self._transaction() as conn:
            since = self._clock() - seconds
            return [at for (at,) in conn.execute(_SELECT, (*account, since))]

    def close(self) -> None:
        """Close the file, once the request is over: SQLite may tidy up, which takes its time."""
        conn, self._conn = self._conn, None
        if conn is not None:
            with contextlib.suppress(sqlite3.Error):
                conn.close()

    def __del__(self) -> None:
        self.close()  # for who asks once, through the Python API, and leaves

    @staticmethod
    def _insert(conn: sqlite3.Connection, account: Account, now: float, keep: float) -> int:
        conn.execute(_PRUNE, (*account, now - keep - 1, now - LONGEST))
        row = conn.execute(
            "INSERT INTO request (origin, key, at) VALUES (?, ?, ?)", (*account, now)
        ).lastrowid
        assert row is not None
        return row

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """A connection within one transaction, undone if anything is raised in it."""
        try:
            if self._conn is None:
                self._conn = self._open()
            conn = self._conn
            conn.execute("BEGIN IMMEDIATE")
            yield conn
            conn.execute("COMMIT")
        except (sqlite3.Error, OSError) as exc:
            self.close()  # which undoes what was not committed
            if isinstance(exc, sqlite3.Error) and _code(exc) in _DAMAGED:
                self._replace()
            raise LedgerError(_reason(exc)) from exc

    def _open(self) -> sqlite3.Connection:
        for last in (False, True):
            self._touch()
            try:
                return self._connect()
            except sqlite3.DatabaseError as exc:
                if last or _code(exc) not in _DAMAGED:
                    raise
            self._replace()
        raise AssertionError  # the loop returns or raises

    def _touch(self) -> None:
        """Make sure that the file is there, the user's alone."""
        files.ensure(self._file.parent)
        files.create(self._file, b"")
        status = self._file.stat()
        if status.st_mode & 0o077:
            self._file.chmod(0o600)
        self._inode = status.st_ino

    def _connect(self) -> sqlite3.Connection:
        conn = sqlite3.connect(self._file, timeout=self._patience, isolation_level=None)
        try:
            conn.execute(f"PRAGMA busy_timeout = {int(self._patience * 1000)}")
            # A request waits for this: no sync of the disk. What a power cut can do to the file is
            # what a damaged one costs anyway, the counts of the last hours.
            conn.execute("PRAGMA synchronous = OFF")
            if _version(conn) != _VERSION:
                self._create(conn)
            conn.execute("SELECT max(id) FROM request").fetchone()  # finds a damaged file now
        except BaseException:
            conn.close()
            raise
        return conn

    def _create(self, conn: sqlite3.Connection) -> None:
        deadline = time.monotonic() + self._patience
        while True:  # SQLite does not wait for a lock here in every case
            try:
                conn.execute("PRAGMA journal_mode = WAL")
                break
            except sqlite3.OperationalError as exc:
                if _code(exc) not in _BUSY or time.monotonic() > deadline:
                    raise
            time.sleep(_RETRY)
        conn.execute("BEGIN IMMEDIATE")
        for line in _SCHEMA:
            conn.execute(line)
        conn.execute("COMMIT")

    def _replace(self) -> None:
        """Remove the damaged file, unless another process has. What cannot be removed stays."""
        with contextlib.suppress(OSError), files.locked(self._file, self._patience):
            if self._file.exists() and self._file.stat().st_ino == self._inode:
                for suffix in ("-wal", "-shm", ""):
                    Path(f"{self._file}{suffix}").unlink(missing_ok=True)
                self.replaced = True


_SELECT = "SELECT at FROM request WHERE origin = ? AND key = ? AND at > ?"
_PRUNE = "DELETE FROM request WHERE (origin = ? AND key = ? AND at <= ?) OR at <= ?"


def _version(conn: sqlite3.Connection) -> int:
    version: int = conn.execute("PRAGMA user_version").fetchone()[0]
    if version > _VERSION:
        raise sqlite3.NotSupportedError("it was written by a newer darkai")
    return version


def _code(exc: sqlite3.Error) -> int:
    return (getattr(exc, "sqlite_errorcode", None) or 0) & 0xFF


def _reason(exc: Exception) -> str:
    return files.reason(exc) if isinstance(exc, OSError) else str(exc)
