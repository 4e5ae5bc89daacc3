"""The database of rate limits: when requests were sent, and until when services want no more.

One SQLite file for all processes of the user, private to the user. Strategy: a process that wants
to send reads what was sent and writes its own request down in one ``BEGIN IMMEDIATE`` transaction,
so that of two processes only one gets the last slot; a request that then never left is taken back.
A file that is no database is replaced, since it only holds the counts and holds of the last hours.
A key is stored as its fingerprint.

Most services have no rates and hold nobody. So that a request to one of those need not load SQLite,
the modification time of an empty file, the hold marker, says when the last hold ends.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from darkai_cli import files
from darkai_cli.rate_limits.rates import LONGEST, Rate, Slot, longest_interval, next_slot

PATIENCE = 3.0
"""Seconds to wait for another process."""

LONGEST_HOLD = 86_400.0
"""Seconds: daily quotas exist, and no service may silence a client for longer than that."""

SHORTEST_HOLD = 0.1
"""Seconds: what is over before another request could be made is not written down."""

_VERSION = 2
_LOCK_PAUSE = 0.005
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
    """CREATE TABLE IF NOT EXISTS hold (
        origin TEXT NOT NULL,
        key TEXT NOT NULL,    -- a fingerprint
        until REAL NOT NULL,  -- seconds since the epoch
        PRIMARY KEY (origin, key)
    )""",
    f"PRAGMA user_version = {_VERSION}",
)


class RateLimitStoreError(Exception):
    """The database cannot be used; nothing may fail because of it."""


class Account(NamedTuple):
    """Whose requests are counted together: a service's origin, and the fingerprint of a key."""

    origin: str
    key: str


class Reservation(NamedTuple):
    """The row of a request that was written down, or the slot that it has to wait for."""

    row: int | None
    slot: Slot


class RateLimitStore:
    """The database in one file, which is opened when it is first used, and again after ``close``.

    Every method raises ``RateLimitStoreError`` if the database cannot be used. ``replaced``:
    whether a damaged file was replaced by an empty one.
    """

    def __init__(
        self,
        file: Path,
        *,
        hold_marker: Path | None = None,
        patience: float = PATIENCE,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._hold_marker = hold_marker
        self._conn: sqlite3.Connection | None = None
        self._file = file
        self._patience = patience
        self._clock = clock
        self._inode = 0
        self.replaced = False

    def reserve(self, account: Account, rates: Sequence[Rate]) -> Reservation:
        """Write a request down if it breaks none of ``rates``, else say when it may be sent."""
        with self._transaction() as conn:
            now = self._clock()  # within the lock: later than all that others wrote down
            since = now - longest_interval(rates) - 1
            sent_at = [at for (at,) in conn.execute(_SELECT_REQUESTS, (*account, since))]
            slot = next_slot(rates, sent_at, now)
            if slot.at > now:
                return Reservation(None, slot)
            return Reservation(self._insert(conn, account, now, rates), slot)

    def count(self, account: Account, rates: Sequence[Rate]) -> None:
        """Write down a request that was sent, whatever it breaks."""
        with self._transaction() as conn:
            self._insert(conn, account, self._clock(), rates)

    def mark_sent(self, row: int) -> None:
        """A request that was reserved is sent only now."""
        with self._transaction() as conn:
            conn.execute("UPDATE request SET at = ? WHERE id = ?", (self._clock(), row))

    def take_back(self, row: int) -> None:
        """Forget a request that was never sent."""
        with self._transaction() as conn:
            conn.execute("DELETE FROM request WHERE id = ?", (row,))

    def hold(self, account: Account, until: float) -> None:
        """Hold the account's requests until then, or for as long as they are held already."""
        now = self._clock()
        if until - now < SHORTEST_HOLD:
            return
        until = min(until, now + LONGEST_HOLD)
        with self._transaction() as conn:
            conn.execute(_DELETE_HOLDS, (now, now + LONGEST_HOLD + 1))
            conn.execute(_INSERT_HOLD, (*account, until))
            (latest,) = conn.execute("SELECT max(until) FROM hold").fetchone()
            if self._hold_marker is not None:
                files.create(self._hold_marker, b"")
                os.utime(self._hold_marker, (now, latest))

    def held_until(self, account: Account) -> float | None:
        """Return when the account's hold ends, in seconds since the epoch; None without a hold."""
        with self._errors_named():
            row = self._connection().execute(_SELECT_HOLD, account).fetchone()
        return row[0] if row is not None and _counts(row[0], self._clock()) else None

    def close(self) -> None:
        """Close the file, once the request is over: SQLite may tidy up, which takes its time."""
        conn, self._conn = self._conn, None
        if conn is not None:
            with contextlib.suppress(sqlite3.Error):
                conn.close()

    def __del__(self) -> None:
        self.close()  # for a generator of the Python API that nobody closes

    @staticmethod
    def _insert(
        conn: sqlite3.Connection, account: Account, now: float, rates: Sequence[Rate]
    ) -> int:
        conn.execute(_PRUNE, (*account, now - longest_interval(rates) - 1, now - LONGEST))
        row = conn.execute(
            "INSERT INTO request (origin, key, at) VALUES (?, ?, ?)", (*account, now)
        ).lastrowid
        assert row is not None
        return row

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """A connection within one transaction, undone if anything is raised in it."""
        with self._errors_named():
            conn = self._connection()
            conn.execute("BEGIN IMMEDIATE")
            yield conn
            conn.execute("COMMIT")

    @contextlib.contextmanager
    def _errors_named(self) -> Iterator[None]:
        """Raise ``RateLimitStoreError`` for errors of SQLite or disk; replace a damaged file."""
        try:
            yield
        except (sqlite3.Error, OSError) as exc:
            self.close()  # which undoes what was not committed
            if isinstance(exc, sqlite3.Error) and _code(exc) in _DAMAGED:
                self._replace()
            raise RateLimitStoreError(_reason(exc)) from exc

    def _connection(self) -> sqlite3.Connection:
        if self._conn is None:
            self._conn = self._open()
        return self._conn

    def _open(self) -> sqlite3.Connection:
        self._touch()
        try:
            return self._connect()
        except sqlite3.DatabaseError as exc:
            if _code(exc) not in _DAMAGED:
                raise
        self._replace()
        self._touch()
        return self._connect()

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
            time.sleep(_LOCK_PAUSE)
        conn.execute("BEGIN IMMEDIATE")
        for statement in _SCHEMA:
            conn.execute(statement)
        conn.execute("COMMIT")

    def _replace(self) -> None:
        """Remove the damaged file, unless another process has. What cannot be removed stays."""
        with contextlib.suppress(OSError), files.locked(self._file, self._patience):
            if self._file.exists() and self._file.stat().st_ino == self._inode:
                for suffix in ("-wal", "-shm", ""):
                    Path(f"{self._file}{suffix}").unlink(missing_ok=True)
                self.replaced = True


class Overview(NamedTuple):
    """What the database holds: when requests were sent, and when each hold ends."""

    sent_at: dict[Account, list[float]]
    holds: dict[Account, float]


def overview(file: Path, now: float, patience: float = 2.0) -> Overview:
    """Return what the database holds, without making, changing, counting or replacing anything.

    Raises ``RateLimitStoreError``.
    """
    sent_at: dict[Account, list[float]] = {}
    holds: dict[Account, float] = {}
    try:
        if not file.exists():
            return Overview(sent_at, holds)
        url = f"file:{quote(str(file))}?mode=ro"
        with contextlib.closing(sqlite3.connect(url, uri=True, timeout=patience)) as conn:
            for origin, key, at in conn.execute("SELECT origin, key, at FROM request ORDER BY at"):
                sent_at.setdefault(Account(str(origin), str(key)), []).append(float(at))
            rows = conn.execute("SELECT origin, key, until FROM hold") if _version(conn) > 1 else ()
            for origin, key, until in rows:
                if _counts(until, now):
                    holds[Account(str(origin), str(key))] = float(until)
    except (sqlite3.Error, OSError) as exc:
        raise RateLimitStoreError(_reason(exc)) from exc
    return Overview(sent_at, holds)


_SELECT_REQUESTS = "SELECT at FROM request WHERE origin = ? AND key = ? AND at > ?"
_PRUNE = "DELETE FROM request WHERE (origin = ? AND key = ? AND at <= ?) OR at <= ?"
_SELECT_HOLD = "SELECT until FROM hold WHERE origin = ? AND key = ?"
_DELETE_HOLDS = "DELETE FROM hold WHERE until <= ? OR until > ?"
_INSERT_HOLD = """INSERT INTO hold (origin, key, until) VALUES (?, ?, ?)
    ON CONFLICT (origin, key) DO UPDATE SET until = max(until, excluded.until)"""


def _counts(until: float, now: float) -> bool:
    """Whether a hold is in force. One too far ahead comes from a clock corrected since."""
    return now < until <= now + LONGEST_HOLD + 1


def _version(conn: sqlite3.Connection) -> int:
    version: int = conn.execute("PRAGMA user_version").fetchone()[0]
    if version > _VERSION:
        raise sqlite3.NotSupportedError("it was written by a newer darkai")
    return version


def _code(exc: sqlite3.Error) -> int:
    return (getattr(exc, "sqlite_errorcode", None) or 0) & 0xFF


def _reason(exc: Exception) -> str:
    return files.reason(exc) if isinstance(exc, OSError) else str(exc)
