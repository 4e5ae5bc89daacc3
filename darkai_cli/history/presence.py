"""A file for each process that journals, by which the others know it and inherit from it.

Its lock says that the process lives, its lines what is not in the database yet, or could not be
written there. Not a pid file: a pid is reused, and means nothing in another container that shares
the folder. The kernel drops a ``flock`` with the process, however it dies, so a file that can be
locked belongs to a dead one. The lines are the journal's records; what was written outlives the
process, not the machine. A file is made before a turn that has not ended can be seen, and removed
when all is in the database.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from base64 import b64encode
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from darkai_cli.history import ids
from darkai_cli.history.turns import Record

_SUFFIX = ".jsonl"


def folder_of(database: Path) -> Path:
    """The folder with the files of the processes that use that database."""
    return Path(f"{database}.journal")


class Presence:
    """This process's own file. Raises ``OSError`` where it cannot be made or written."""

    def __init__(self, database: Path) -> None:
        folder = folder_of(database)
        # `parents` would make the folder of the database with the usual mode.
        folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
        # An empty database, so that whoever looks for a history opens it, and merges this file.
        with contextlib.suppress(OSError):
            database.touch(mode=0o600, exist_ok=False)
        self._size = 0  # of what was spilled: nobody else writes to it
        while True:
            self.owner = ids.new_id()
            self.path = folder / (self.owner + _SUFFIX)
            self._handle = os.open(
                self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600
            )
            if _lock(self._handle) and _names(self.path, self._handle):
                return
            os.close(self._handle)  # taken for dead and removed before it was locked

    def spill(self, records: Iterable[Record]) -> None:
        """Append records; all of them or, with an ``OSError``, none."""
        data = "".join([_encode(record) + "\n" for record in records]).encode()
        size = len(data)
        try:
            while data:
                data = data[os.write(self._handle, data) :]
        except OSError:
            os.ftruncate(self._handle, self._size)
            raise
        self._size += size

    def clear(self) -> None:
        """Forget what was spilled: it is in the database now."""
        if self._size:
            os.ftruncate(self._handle, 0)
            self._size = 0

    def close(self) -> None:
        """Give up the lock; what was spilled stays for the next start."""
        if not self._size:
            self.path.unlink(missing_ok=True)
        os.close(self._handle)


def _base64(data: bytes) -> str:
    """An attachment's data as JSON can hold it."""
    return b64encode(data).decode("ascii")


_encode = json.JSONEncoder(default=_base64).encode


class Abandoned(NamedTuple):
    """The file of a process that is dead. Locked by us until ``close``."""

    owner: str
    path: Path
    handle: int

    def records(self) -> Iterator[Record]:
        """What it spilled; a half-written last line is left out."""
        os.lseek(self.handle, 0, os.SEEK_SET)
        with os.fdopen(os.dup(self.handle), "rb") as file:
            for line in file:
                if line.endswith(b"\n"):
                    yield json.loads(line)

    def close(self, *, remove: bool) -> None:
        """Let go of the file, and remove it once its records are safe."""
        if remove:
            self.path.unlink(missing_ok=True)
        os.close(self.handle)

    def set_aside(self) -> None:
        """Let go of a file that makes no sense, and keep it under a name that is not looked at."""
        self.path.rename(f"{self.path}.unreadable")
        os.close(self.handle)


def abandoned(database: Path) -> Iterator[Abandoned]:
    """The files of dead processes."""
    folder = folder_of(database)
    try:
        paths = sorted(folder.iterdir())
    except OSError:  # no process has journaled yet, or we may not look
        return
    for path in paths:
        if path.suffix != _SUFFIX:
            continue
        try:
            handle = os.open(path, os.O_RDWR)
        except OSError:
            continue  # gone meanwhile
        if _lock(handle) and _names(path, handle):
            yield Abandoned(path.stem, path, handle)
        else:
            os.close(handle)


def present(database: Path, owner: str) -> bool:
    """Whether that process has a file; a dead one's is gone or found by ``abandoned``."""
    return (folder_of(database) / (owner + _SUFFIX)).exists()


def _lock(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _names(path: Path, handle: int) -> bool:
    """Whether the path still means the open file."""
    try:
        return os.path.samestat(path.stat(), os.fstat(handle))
    except OSError:
        return False
