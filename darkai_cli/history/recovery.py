"""Lock files that say which processes write to the history, and what is done once one has died.

A process that writes a turn holds a lock on ``history.db.pending/ID.lock``. The kernel drops the
lock with the process, however it ends, so a lock file that can be locked belongs to a dead process.
(A process number would be reused, and means nothing in another container that shares the folder.)
Beside it, ``ID.json`` holds the records that such a process could not write to the database, as a
JSON array of ``turns`` records. It is replaced as a whole, so a reader never sees half of it; what
is in it survives the process, but not a power cut.

Whoever opens the history next merges the files of dead processes and marks the turns that they left
open as interrupted. Processes that live are left alone.

``sqlite3`` is loaded only once the database is open: the journal writes the first text of a reply
to ``ID.json`` before it loads that.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from darkai_cli.history import ids, turns
from darkai_cli.history.turns import pending_folder

if TYPE_CHECKING:
    import sqlite3

_LOCK, _RECORDS, _UNFINISHED = ".lock", ".json", ".tmp"


class ProcessLock:
    """The lock file of this process, and its file of pending records.

    It has to exist before others can see a turn of this process that has not ended. Raises
    ``OSError``, here and from ``write_pending``.
    """

    def __init__(self, database: Path) -> None:
        folder = pending_folder(database)
        # With `parents`, mkdir would make the database's own folder readable by others.
        folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
        # Records are merged by whoever opens the history, and nobody opens one that isn't there.
        with contextlib.suppress(OSError):
            database.touch(mode=0o600, exist_ok=False)
        while True:
            self.owner = ids.new_id()
            self._base = folder / self.owner
            handle = _try_lock(self._base.with_suffix(_LOCK), os.O_CREAT | os.O_EXCL)
            if handle is not None:
                break  # else another process took it for a dead one's, before it was locked
        self._handle = handle
        self._has_records = False

    def write_pending(self, records: Iterable[str]) -> None:
        """Replace the pending records by these, each a JSON object."""
        unfinished = self._base.with_suffix(_UNFINISHED)
        handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(b"[" + ",\n".join(records).encode() + b"]\n")
            unfinished.replace(self._base.with_suffix(_RECORDS))
        except OSError:
            unfinished.unlink(missing_ok=True)
            raise
        self._has_records = True

    def clear_pending(self) -> None:
        """Remove the pending records: they are in the database now."""
        if self._has_records:
            # A file that stays is merged again later, which changes nothing.
            with contextlib.suppress(OSError):
                self._base.with_suffix(_RECORDS).unlink(missing_ok=True)
            self._has_records = False

    def release(self) -> None:
        """Give up the lock; pending records stay for the next start."""
        self._base.with_suffix(_LOCK).unlink(missing_ok=True)
        os.close(self._handle)


class _DeadProcess(NamedTuple):
    """A process that ended without cleaning up. ``handle`` holds its lock meanwhile."""

    base: Path
    handle: int

    @property
    def owner(self) -> str:
        return self.base.name

    @property
    def records_file(self) -> Path:
        return self.base.with_suffix(_RECORDS)

    def set_records_aside(self) -> str:
        """Keep records that can't be read under a name that is not looked at; return a warning."""
        target = f"{self.records_file}.unreadable"
        with contextlib.suppress(OSError):
            self.records_file.rename(target)
        return f"Can't read a turn that was waiting to be saved; its file is now `{target}`"

    def close(self, *, remove: bool) -> None:
        """Give up the lock; ``remove``: and the files, now that their records are merged."""
        if remove:
            for suffix in (_RECORDS, _UNFINISHED, _LOCK):
                self.base.with_suffix(suffix).unlink(missing_ok=True)
        os.close(self.handle)


def recover(conn: sqlite3.Connection, path: Path) -> tuple[str, ...]:
    """Merge what dead processes left, end their turns, and return warnings for the user.

    Where there is nothing to do, this lists a folder and looks into an index. Where the database is
    locked it returns at once: the next start finds the same. Raises ``StoreError``.
    """
    import sqlite3

    from darkai_cli.history.database import StoreLockedError, store_error

    dead = list(_dead_processes(path))
    merged = False
    warnings: list[str] = []
    try:
        owners = _dead_owners(conn, path) | {process.owner for process in dead}
        if owners:
            warnings = _merge(conn, dead, owners)
            merged = True
    except (sqlite3.Error, OSError) as exc:
        error = store_error(exc, path)
        if not isinstance(error, StoreLockedError):
            raise error from exc
    finally:
        for process in dead:
            process.close(remove=merged)
    return tuple(warnings)


def _dead_processes(database: Path) -> Iterator[_DeadProcess]:
    """Yield the processes that have left files, each locked, so that one start merges them."""
    folder = pending_folder(database)
    try:
        files = [path for path in folder.iterdir() if path.suffix in (_LOCK, _RECORDS, _UNFINISHED)]
    except OSError:
        return  # Nothing was ever written here, or we may not look.
    for owner in sorted({path.stem for path in files}):
        base = folder / owner
        try:
            handle = _try_lock(base.with_suffix(_LOCK), os.O_CREAT)
        except OSError:
            continue
        if handle is not None:
            yield _DeadProcess(base, handle)


def _dead_owners(conn: sqlite3.Connection, database: Path) -> set[str | None]:
    """Return the owners of open turns who have no lock file."""
    rows = conn.execute("SELECT DISTINCT owner FROM turn WHERE state = 'streaming'").fetchall()
    folder = pending_folder(database)
    return {
        owner for (owner,) in rows if owner is None or not (folder / f"{owner}{_LOCK}").exists()
    }


def _merge(
    conn: sqlite3.Connection, dead: list[_DeadProcess], owners: set[str | None]
) -> list[str]:
    """Do it all in one transaction, without waiting for a lock; return warnings."""
    from darkai_cli.history.database import transaction

    patience = conn.execute("PRAGMA busy_timeout").fetchone()[0]
    conn.execute("PRAGMA busy_timeout = 0")
    try:
        with transaction(conn):
            unreadable = [process for process in dead if not _merge_records(conn, process)]
            for owner in owners:
                turns.interrupt(conn, owner)
    finally:
        conn.execute(f"PRAGMA busy_timeout = {patience}")
    return [process.set_records_aside() for process in unreadable]


def _merge_records(conn: sqlite3.Connection, process: _DeadProcess) -> bool:
    """Write the pending records of a process, all or none; False if they make no sense."""
    import sqlite3

    conn.execute("SAVEPOINT records")
    try:
        for record in json.loads(process.records_file.read_bytes()):
            turns.apply(conn, record, process.owner)
    except FileNotFoundError:
        pass  # All of its records are in the database.
    except (OSError, ValueError, KeyError, TypeError, sqlite3.IntegrityError):
        conn.execute("ROLLBACK TO records")
        return False
    finally:
        conn.execute("RELEASE records")
    return True


def _try_lock(path: Path, flags: int) -> int | None:
    """Open and lock a file; None if another process has locked or removed it. Raises ``OSError``.

    The lock is worth something only while the path still leads to the file that was opened.
    """
    handle = os.open(path, os.O_RDWR | flags, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        same = os.path.samestat(path.stat(), os.fstat(handle))
    except (BlockingIOError, FileNotFoundError):
        same = False
    except BaseException:
        os.close(handle)
        raise
    if not same:
        os.close(handle)
        return None
    return handle
