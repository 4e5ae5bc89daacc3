"""Opening the database: the only way to a connection, for readers and for the journal.

Not a place for queries. The order matters: the busy timeout is set at once, because everything can
meet a lock; the schema's number is read before the journal mode is set, because a newer
darkai's file must not be touched; creation and migration are one ``BEGIN IMMEDIATE`` transaction.
Who must write moves a file that is no database aside and starts a new one; who only reads tells
that it is damaged and leaves it. A database of another program, or of a newer darkai, is not
damaged: it is told and never touched. ``fault`` turns what SQLite says into a ``StoreError``.
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
_ANOTHER_FOLDER = "another folder with `DARKAI_HOME=FOLDER`"
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


class StoreLockedError(StoreError):
    """Another process holds the database, and did so for longer than we wait."""


class StoreDamagedError(StoreError):
    """What is in the file is no database, or not a whole one."""


class StoreUnwritableError(StoreError):
    """The folder or the file may not be written."""


class Opened(NamedTuple):
    """A connection, the inode it was opened on, and what the user should be told."""

    conn: sqlite3.Connection
    inode: int
    warnings: tuple[str, ...] = ()
    writable: bool = True


def connect(path: Path, *, patience: float, replace: bool = True) -> Opened:
    """Open for reading and writing; create or migrate where needed.

    ``patience``: seconds to wait for a lock. ``replace``: whether a damaged file is moved aside
    and a new one started. Raises ``StoreError``.
    """
    warnings: tuple[str, ...] = ()
    for attempt in (1, 2):
        inode = 0
        try:
            inode = _touch(path)
            return Opened(_open(path, patience), inode, warnings)
        except (sqlite3.Error, OSError) as exc:
            error = fault(exc, path)
            if attempt == 2 or not (replace and isinstance(error, StoreDamagedError)):
                raise error from exc
        warnings = set_aside(path, inode)
    raise AssertionError  # the loop returns or raises


def connect_reader(path: Path, *, patience: float, replace: bool) -> Opened:
    """Open for reading; for writing too if the folder allows it. Raises ``StoreError``."""
    try:
        opened = connect(path, patience=patience, replace=replace)
        return opened._replace(writable=os.access(path, os.W_OK))  # SQLite finds out too late
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


def set_aside(path: Path, inode: int) -> tuple[str, ...]:
    """Move the damaged file with that inode away, unless another process has; say so."""
    target = move_aside(path, inode)
    if target is None:
        return ()
    recover = import_command(target)
    return (f"history damaged; moved to `{target}`, starting a new one; recover with {recover}",)


def import_command(path: Path) -> str:
    """What to type to get back what can be read of a damaged history."""
    return f"`darkai history import {_quoted(path)}`"


def _quoted(path: Path) -> str:
    """A path as a shell takes it. Not by ``shlex``: nothing is imported once something is wrong."""
    text = str(path)
    if text.translate(_PLAIN).isalnum():
        return text
    return "'" + text.replace("'", "'\\''") + "'"


def move_aside(path: Path, inode: int) -> Path | None:
    """Move the file with that inode away; where it is now, None if it was not there any more.

    A lock on the folder and the inode make sure that of many processes one moves it, and that a
    fresh database which another has already put in its place stays.
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
        raise fault(exc, path) from exc
    finally:
        os.close(folder)
    return Path(target)


def fault(exc: Exception, path: Path) -> StoreError:
    """What an exception from SQLite or the file system means for the user."""
    if isinstance(exc, StoreError):
        return exc
    code = (getattr(exc, "sqlite_errorcode", None) or 0) & 0xFF
    if code in _BUSY:
        return StoreLockedError(
            f"the history is locked by another process ({path})",
            hint=f"wait for it to finish; `fuser {_quoted(path)}` names it",
        )
    if code in _DAMAGED:
        return StoreDamagedError(
            f"the history is damaged ({path})",
            hint=f"{import_command(path)} moves it aside and takes back what can be read",
        )
    if code in _UNWRITABLE or getattr(exc, "errno", None) in _FORBIDDEN:
        return _unwritable(exc, path)
    room = f"make room: `df -h {_quoted(path.parent)}` shows how much there is"
    if code == sqlite3.SQLITE_FULL or getattr(exc, "errno", None) in _FULL:
        return StoreError(f"disk full ({path})", hint=room)
    if code == sqlite3.SQLITE_IOERR:
        what = f"the history cannot be written, is the disk full? {exc}"
        return StoreError(f"{what} ({path})", hint=room)
    return StoreError(f"{_reason(exc)} ({path})")


def _unwritable(exc: Exception, path: Path) -> StoreUnwritableError:
    """Which file or folder it is that may not be written, and what to do about it."""
    ours = (path, path.parent, pending_folder(path))
    candidates = [one for one in ours if _is_there(one)] or [_nearest(path.parent)]
    denied = next((one for one in candidates if not os.access(one, os.W_OK)), candidates[-1])
    what = "file" if denied == path else "folder"
    if getattr(exc, "errno", None) == errno.EROFS:
        return StoreUnwritableError(
            f"the history cannot be written: the {what} `{denied}` is on a read-only file system",
            hint=f"use {_ANOTHER_FOLDER}",
        )
    return StoreUnwritableError(
        f"the history cannot be written: no permission to write to the {what} `{denied}`",
        hint=f"`ls -ld {_quoted(denied)}` shows who may; `chmod u+w` allows it to its owner; or"
        f" use {_ANOTHER_FOLDER}",
    )


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # its folder may not even be searched
        return False


def _nearest(folder: Path) -> Path:
    """The folder, or the one above it that is there."""
    return next((one for one in (folder, *folder.parents) if _is_there(one)), folder)


def _reason(exc: Exception) -> str:
    if isinstance(exc, OSError):
        return f"the history cannot be used: {exc.strerror}"
    return f"the history failed: {exc}"


def _touch(path: Path) -> int:
    """Make sure that the file is there, the user's alone; its inode.

    An existing file is never opened here: POSIX locks of the whole process go when any descriptor
    of the file is closed, those of an SQLite connection in another thread too.
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


def refuse_foreign(conn: sqlite3.Connection, path: Path) -> None:
    """Refuse what a newer darkai or another program wrote, before anything is written."""
    version = schema.version_of(conn)
    application = conn.execute("PRAGMA application_id").fetchone()[0]
    tables = conn.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if application != schema.APPLICATION_ID and (version or tables):
        raise StoreError(
            f"`{path}` is a database of another program",
            hint=f"move it away, or use {_ANOTHER_FOLDER}",
        )
    if version > schema.VERSION:
        raise StoreError(
            f"the history was written by a newer darkai: schema {version}, and this one knows "
            f"{schema.VERSION} ({path})",
            hint=f"update darkai, or use {_ANOTHER_FOLDER}",
        )


def _open(path: Path, patience: float) -> sqlite3.Connection:
    # Whoever has the journal's lock uses its connection, in whichever thread.
    conn = sqlite3.connect(path, timeout=patience, isolation_level=None, check_same_thread=False)
    try:
        if schema.version_of(conn) != schema.VERSION:
            refuse_foreign(conn, path)
            _switch_to_wal(conn, patience)
            with transaction(conn):
                schema.migrate(conn, path)
        conn.execute("PRAGMA synchronous = NORMAL")
        conn.execute("PRAGMA cache_size = -512")  # KiB: a reply is small, and so are we
        conn.execute("PRAGMA foreign_keys = ON")
    except BaseException:
        conn.close()
        raise
    return conn


def _switch_to_wal(conn: sqlite3.Connection, patience: float) -> None:
    """Set WAL, which the file remembers; SQLite does not wait for a lock here in every case."""
    deadline = time.monotonic() + patience
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
    """A connection that writes nothing; None if there is no way."""
    from urllib.parse import quote

    log = Path(f"{path}-wal")
    settled = not log.exists() or not log.stat().st_size
    for mode in ("mode=ro", "mode=ro&immutable=1") if settled else ("mode=ro",):
        conn = sqlite3.connect(f"file:{quote(str(path))}?{mode}", uri=True, isolation_level=None)
        try:
            if schema.version_of(conn) == schema.VERSION:
                return conn
        except sqlite3.Error:
            pass  # the next way, or none: the caller raises the reason it already has
        conn.close()
    return None


def _free_name(wanted: str) -> str:
    name, number = wanted, 1
    while Path(name).exists():
        number += 1
        name = f"{wanted}-{number}"
    return name
