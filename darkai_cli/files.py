"""How the user's small files are read and replaced: bounded, whole, private, one writer at a time.

Not what is in them. A file is replaced by renaming a finished one over it, so a reader or a power
cut sees the old or the new one. A symbolic link to the file itself (dotfile managers make them) is
written through; for the temporary file no link is followed.
"""

from __future__ import annotations

import contextlib
import os
import stat
import time
from typing import TYPE_CHECKING

from darkai_cli.text import file_size

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

LARGEST = 1 << 20
"""Bytes; a larger file is none of ours."""

_PAUSE = 0.005


def read(file: Path, inspect: Callable[[os.stat_result], None] | None = None) -> bytes | None:
    """The file's bytes; None if it does not exist.

    ``inspect`` is shown the open file, and raises what forbids to read it; with it no link is
    followed to the file. Raises ``OSError``, also for what is no regular file or is larger than
    ``LARGEST``.
    """
    # Without O_NONBLOCK a pipe that nobody writes to would hold us up.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0)
    if inspect is not None:
        flags |= getattr(os, "O_NOFOLLOW", 0)
    try:
        handle = os.open(file, flags)
    except FileNotFoundError:
        return None
    try:
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode):
            raise OSError(0, "it is no regular file")
        if inspect is not None:
            inspect(found)
        parts = []
        left = LARGEST + 1
        while left > 0 and (part := os.read(handle, left)):
            parts.append(part)
            left -= len(part)
    finally:
        os.close(handle)
    if left <= 0:
        raise OSError(0, f"it is larger than {file_size(LARGEST)}")
    return b"".join(parts)


def reason(exc: OSError) -> str:
    """Why the operating system refused, to stand after a colon."""
    text = exc.strerror or str(exc)
    return text[:1].lower() + text[1:]


def ensure(folder: Path) -> None:
    """Create the folder, for the user alone, if it is not there. Raises ``OSError``."""
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)


def create(file: Path, data: bytes) -> None:
    """Write a file that is not there yet, for the user alone. Raises ``OSError``."""
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return
    with os.fdopen(handle, "wb") as stream:
        stream.write(data)


def replace(file: Path, data: bytes) -> None:
    """Make ``data`` the file's content. A new file is the user's alone. Raises ``OSError``."""
    target = os.path.realpath(file)
    folder, name = os.path.split(target)
    temporary = os.path.join(folder, f".{name}.{os.urandom(6).hex()}")  # noqa: PTH118 -- a str
    # O_EXCL follows no link, not even to where nothing is.
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        try:
            _keep_owner_and_mode(handle, target)
            rest = memoryview(data)
            while rest:
                rest = rest[os.write(handle, rest) :]
            os.fsync(handle)
        finally:
            os.close(handle)
        os.replace(temporary, target)  # noqa: PTH105 -- both are str
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)  # noqa: PTH108 -- a str
        raise
    _sync_folder(folder)


def _keep_owner_and_mode(handle: int, target: str) -> None:
    try:
        old = os.stat(target)  # noqa: PTH116 -- a str
    except FileNotFoundError:
        return
    if hasattr(os, "fchown"):
        with contextlib.suppress(OSError):  # only root may give files away
            os.fchown(handle, old.st_uid, old.st_gid)
    if hasattr(os, "fchmod"):
        os.fchmod(handle, stat.S_IMODE(old.st_mode))


def _sync_folder(folder: str) -> None:
    """Make the new name last; where folders cannot be synced, nothing more can be done."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


@contextlib.contextmanager
def locked(file: Path, seconds: float) -> Iterator[bool]:
    """Keep other processes from changing the file; whether the lock was had within ``seconds``.

    Where there are no such locks (Windows, some network folders) it counts as had. Raises
    ``OSError`` if the lock's file cannot be made.
    """
    try:
        import fcntl
    except ImportError:
        yield True
        return
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    handle = os.open(file.with_name(f".{file.name}.lock"), flags, 0o600)
    try:
        deadline = time.monotonic() + seconds
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    yield False
                    return
                time.sleep(_PAUSE)
            except OSError:
                break
            else:
                break
        yield True
    finally:
        os.close(handle)
