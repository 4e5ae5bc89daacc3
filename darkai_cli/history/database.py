"""Open the database, and say what errors of SQLite mean.

The order of the steps matters. The busy timeout is set at once, because every step can meet a lock.
The schema's number is read before the journal mode is set, because the file of a newer darkai must
not be changed. Creation and migration are one ``BEGIN IMMEDIATE`` transaction.

The journal moves a damaged file aside and starts a new one; readers report the damage and leave the
file. A database of another program or of a newer darkai is not damaged: it is never changed.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from darkai_cli.errors import StoreError
from darkai_cli.history import schema
from darkai_cli.history.turns import pending_folder

_RETRY = 0.01
_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_UNWRITABLE = (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM)
_FORBIDDEN = (errno.EACCES, errno.EPERM, errno.EROFS)
_PLAIN = str.maketrans(dict.fromkeys("/._-+:@", "a"))
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_ANOTHER_FOLDER = "use another folder with `DARKAI_HOME=FOLDER`"
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


class StoreLockedError(StoreError):
    """Another process held the database for longer than we wait."""


class StoreDamagedError(StoreError):
    """The file is no database, or a damaged one."""


class StoreUnwritableError(StoreError):
    """We may not write to the folder or the file."""


class Opened(NamedTuple):
    """A connection, the inode it was opened on, and warnings for the user."""

    conn: sqlite3.Connection
    inode: int
    warnings: tuple[str, ...] = ()
    writable: bool = True


def connect(path: Path, *, lock_wait: float, replace: bool = True) -> Opened:
    """Open the database for reading and writing; create or migrate it if needed.

    ``lock_wait``: seconds to wait for a lock. ``replace``: whether to move a damaged file aside and
    start a new one. Raises ``StoreError``.
    """
    warnings: tuple[str, ...] = ()
    for attempt in (1, 2):
        inode = 0
        try:
            inode = _create_private(path)
            return Opened(_open(path, lock_wait), inode, warnings)
        except (sqlite3.Error, OSError) as exc:
            error = store_error(exc, path)
            if attempt == 2 or not (replace and isinstance(error, StoreDamagedError)):
                raise error from exc
        warnings = replace_damaged(path, inode)
    raise AssertionError  # The loop returned or raised.


def connect_reader(path: Path, *, lock_wait: float, replace: bool) -> Opened:
    """Open the database for reading and, if possible, for writing. Raises ``StoreError``."""
    try:
        opened = connect(path, lock_wait=lock_wait, replace=replace)
        # SQLite notices a read-only file only at the first write.
        return opened._replace(writable=os.access(path, os.W_OK))
    except StoreUnwritableError:
        conn = _open_read_only(path) if os.access(path, os.R_OK) else None
        if conn is None:
            raise
        return Opened(conn, path.stat().st_ino, writable=False)


@contextlib.contextmanager
def transaction(conn: sqlite3.Connection) -> Iterator[None]:
    """Make the block one write transaction: all of it is written or, after an exception, nothing.

    Raises ``sqlite3.Error``.
    """
    conn.execute("BEGIN IMMEDIATE")
    try:
        yield
        conn.execute("COMMIT")
    except BaseException:
        if conn.in_transaction:
            conn.execute("ROLLBACK")
        raise


def replace_damaged(path: Path, inode: int) -> tuple[str, ...]:
    """Move the damaged file with that inode aside, unless another process has; return warnings."""
    target = move_aside(path, inode)
    if target is None:
        return ()
    recover = import_command(target)
    return (f"The history is damaged; it is now `{target}`. To recover it: {recover}",)


def import_command(path: Path) -> str:
    """Return the command that recovers what can be read of a damaged history."""
    return f"`darkai history import {_quoted(path)}`"


def _quoted(path: Path) -> str:
    """Return a path quoted for a shell, without importing ``shlex`` after something failed."""
    text = str(path)
    if text.translate(_PLAIN).isalnum():
        return text
    return "'" + text.replace("'", "'\\''") + "'"


def move_aside(path: Path, inode: int) -> Path | None:
    """Move the file with that inode aside and return its new path; None if it is gone already.

    The lock on the folder and the inode make sure that only one of many processes moves it, and
    that the new database of another one stays.
    """
    import fcntl

    folder = os.open(path.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        if not path.exists() or path.stat().st_ino != inode:
            return None
        target = _free_name(f"{path}.damaged-{time.strftime('%Y%m%d-%H%M%S')}")
        for suffix in ("-wal", "-shm", ""):
            part = Path(f"{path}{suffix}")
            if part.exists():
                part.rename(f"{target}{suffix}")
    except OSError as exc:
        raise store_error(exc, path) from exc
    finally:
        os.close(folder)
    return Path(target)


def store_error(exc: Exception, path: Path) -> StoreError:
    """Return what an exception from SQLite or the file system means for the user."""
    if isinstance(exc, StoreError):
        return exc
    code = (getattr(exc, "sqlite_errorcode", None) or 0) & 0xFF
    if code in _BUSY:
        return StoreLockedError(
            f"Another process holds the history (`{path}`)",
            hint=f"Wait for it to finish; `fuser {_quoted(path)}` shows which one it is",
        )
    if code in _DAMAGED:
        return StoreDamagedError(
            f"The history is damaged (`{path}`)",
            hint=f"{import_command(path)} moves it aside and recovers what it can",
        )
    if code in _UNWRITABLE or getattr(exc, "errno", None) in _FORBIDDEN:
        return _unwritable(exc, path)
    room = f"Free some space; `df -h {_quoted(path.parent)}` shows how much is left"
    if code == sqlite3.SQLITE_FULL or getattr(exc, "errno", None) in _FULL:
        return StoreError(f"The disk is full (`{path}`)", hint=room)
    if code == sqlite3.SQLITE_IOERR:
        return StoreError(f"Can't write the history, is the disk full? {exc} (`{path}`)", hint=room)
    return StoreError(f"{_reason(exc)} (`{path}`)")


def _unwritable(exc: Exception, path: Path) -> StoreUnwritableError:
    """Return an error that names the file or folder that can't be written, and the remedy."""
    paths = (path, path.parent, pending_folder(path))
    candidates = [p for p in paths if _exists(p)] or [_nearest_folder(path.parent)]
    denied = next((p for p in candidates if not os.access(p, os.W_OK)), candidates[-1])
    kind = "file" if denied == path else "folder"
    if getattr(exc, "errno", None) == errno.EROFS:
        return StoreUnwritableError(
            f"Can't write the history: the {kind} `{denied}` is on a read-only file system",
            hint=f"U{_ANOTHER_FOLDER[1:]}",
        )
    return StoreUnwritableError(
        f"Can't write the history: no permission to write to the {kind} `{denied}`",
        hint=f"`chmod u+w {_quoted(denied)}` allows it if you own the {kind}; or {_ANOTHER_FOLDER}",
    )


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # We may not even search its folder.
        return False


def _nearest_folder(folder: Path) -> Path:
    """Return the folder or, if it does not exist, the nearest one above it that does."""
    return next((path for path in (folder, *folder.parents) if _exists(path)), folder)


def _reason(exc: Exception) -> str:
    if isinstance(exc, OSError):
        return f"Can't use the history: {exc.strerror}"
    return f"The history failed: {exc}"


def _create_private(path: Path) -> int:
    """Make sure that the file exists and only the user can read it; return its inode.

    An existing file is never opened here: closing it would drop all POSIX locks of the process on
    it, also those of a SQLite connection in another thread.
    """
    try:
        status = path.stat()
    except FileNotFoundError:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError):
            path.touch(mode=0o600, exist_ok=False)
        status = path.stat()
    if status.st_mode & 0o077:
        path.chmod(0o600)
    return status.st_ino


def check_ours(conn: sqlite3.Connection, path: Path) -> None:
    """Raise ``StoreError`` if a newer darkai or another program wrote the file."""
    version = schema.version_of(conn)
    application = conn.execute("PRAGMA application_id").fetchone()[0]
    tables = conn.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if application != schema.APPLICATION_ID and (version or tables):
        raise StoreError(
            f"`{path}` is a database of another program",
            hint=f"Move it away, or {_ANOTHER_FOLDER}",
        )
    if version > schema.VERSION:
        raise StoreError(
            f"A newer darkai wrote the history: schema {version}, this one knows up to "
            f"{schema.VERSION} (`{path}`)",
            hint=f"Update darkai, or {_ANOTHER_FOLDER}",
        )


def _open(path: Path, lock_wait: float) -> sqlite3.Connection:
    # The journal's connection is used by whichever thread holds the journal's lock.
    conn = sqlite3.connect(path, timeout=lock_wait, isolation_level=None, check_same_thread=False)
    try:
        if schema.version_of(conn) != schema.VERSION:
            check_ours(conn, path)
            _switch_to_wal(conn, lock_wait)
            with transaction(conn):
                schema.migrate(conn, path)
        conn.execute("PRAGMA synchronous = NORMAL")
        conn.execute("PRAGMA cache_size = -512")  # KiB: a reply is small, and so are we
        conn.execute("PRAGMA foreign_keys = ON")
    except BaseException:
        conn.close()
        raise
    return conn


def _switch_to_wal(conn: sqlite3.Connection, lock_wait: float) -> None:
    """Set WAL mode, which the file remembers. SQLite does not always wait for a lock here."""
    deadline = time.monotonic() + lock_wait
    while True:
        try:
            conn.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as exc:
            busy = (exc.sqlite_errorcode & 0xFF) in _BUSY
            if not busy or time.monotonic() > deadline:
                raise
            time.sleep(_RETRY)
        else:
            return


def _open_read_only(path: Path) -> sqlite3.Connection | None:
    """Return a connection that writes nothing; None if SQLite can't open one."""
    from urllib.parse import quote

    log = Path(f"{path}-wal")
    log_is_empty = not log.exists() or not log.stat().st_size
    for mode in ("mode=ro", "mode=ro&immutable=1") if log_is_empty else ("mode=ro",):
        conn = sqlite3.connect(f"file:{quote(str(path))}?{mode}", uri=True, isolation_level=None)
        try:
            if schema.version_of(conn) == schema.VERSION:
                return conn
        except sqlite3.Error:
            pass  # The caller raises the error that it already has.
        conn.close()
    return None


def _free_name(base: str) -> str:
    name, number = base, 1
    while Path(name).exists():
        number += 1
        name = f"{base}-{number}"
    return name
