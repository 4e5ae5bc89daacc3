"""Reading and replacing files: bounded, atomic, private, one writer at a time.

darkai's own small files (configuration, keys, state, caches) are read by ``read`` and written by
``replace``. A file is replaced by renaming a finished one over it, so that a reader or a power cut
sees the old or the new one. A symbolic link to the file itself (dotfile managers make them) is
followed; the temporary file never is one. ``AtomicFile`` writes the files that users name, which
may be large.
"""

from __future__ import annotations

import contextlib
import os
import stat
import time
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from darkai_cli.errors import InputError
from darkai_cli.text import file_size

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LARGEST = 1 << 20
"""The most bytes that ``read`` takes; darkai writes no larger configuration or state."""

_PAUSE = 0.005


def read(file: Path, inspect: Callable[[os.stat_result], None] | None = None) -> bytes | None:
    """Return the file's bytes; None if it does not exist.

    ``inspect`` gets the status of the open file and raises if it must not be read; with it, a
    symbolic link is an error. Raises ``OSError``, also for what is not a regular file or is larger
    than ``LARGEST``.
    """
    # Without O_NONBLOCK, opening a pipe that nobody writes to would block.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0)
    if inspect is not None:
        flags |= getattr(os, "O_NOFOLLOW", 0)
    try:
        handle = os.open(file, flags)
    except FileNotFoundError:
        return None
    try:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(0, "not a regular file")
        if inspect is not None:
            inspect(status)
        parts = []
        remaining = LARGEST + 1
        while remaining > 0 and (part := os.read(handle, remaining)):
            parts.append(part)
            remaining -= len(part)
    finally:
        os.close(handle)
    if remaining <= 0:
        raise OSError(0, f"larger than {file_size(LARGEST)}")
    return b"".join(parts)


def reason(exc: OSError) -> str:
    """Return why the operating system refused, as the part of a message after a colon."""
    text = exc.strerror or str(exc)
    return text[:1].lower() + text[1:]


def ensure(folder: Path) -> None:
    """Create the folder if it is missing, readable by the user only. Raises ``OSError``."""
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)


def create(file: Path, data: bytes) -> None:
    """Write a file, readable by the user only, unless it exists. Raises ``OSError``."""
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return
    with os.fdopen(handle, "wb") as stream:
        stream.write(data)


def replace(file: Path, data: bytes) -> None:
    """Replace the file's content with ``data``; the file keeps its owner and mode.

    A new file is readable by the user only. Raises ``OSError``.
    """
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
    """Write the folder's new entry to disk, where the system can do that."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


@contextlib.contextmanager
def locked(file: Path, seconds: float) -> Iterator[bool]:
    """Lock the file against other processes of darkai; yield whether that worked in ``seconds``.

    Where there are no such locks (Windows, some network folders), it yields True. Raises
    ``OSError`` if the lock file cannot be created.
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


class AtomicFile:
    """A file of any size that appears only when it is complete (``--output``).

    It is written beside its destination and moved into place by ``commit``, so that a reader sees
    the old file or the whole new one. A symbolic link is replaced, not followed. A device or a pipe
    cannot be replaced: its content waits in a nameless file and is copied to it by ``commit``.
    Nothing is on disk before ``open``. Raises ``InputError`` if the path cannot be written.
    """

    def __init__(self, path: str) -> None:
        self._path = Path(path)
        self._temp: Path | None = None
        self._out: BinaryIO | None = None
        try:
            self._mode = self._check()
        except OSError as exc:
            raise self._write_error(exc) from exc

    def _check(self) -> int | None:
        """Return the mode for the new file; None if the path is not a regular file.

        Raises ``OSError`` if the path cannot be written.
        """
        folder = self._path.parent
        if not folder.is_dir():
            raise FileNotFoundError(2, "no such folder")
        try:
            status = self._path.stat()
        except FileNotFoundError:
            if not os.access(folder, os.W_OK):
                raise PermissionError(13, "permission denied") from None
            mask = os.umask(0)
            os.umask(mask)
            return 0o666 & ~mask
        if stat.S_ISDIR(status.st_mode):
            raise IsADirectoryError(21, "it is a folder")
        if not os.access(self._path, os.W_OK):
            raise PermissionError(13, "permission denied")
        if not stat.S_ISREG(status.st_mode) or self._is_descriptor():
            return None
        if not os.access(folder, os.W_OK):
            raise PermissionError(13, "permission denied for its folder")
        return stat.S_IMODE(status.st_mode)

    def _is_descriptor(self) -> bool:
        """Return whether the path is, or leads through, a name such as ``/dev/stdout``."""
        path = os.path.abspath(self._path)  # noqa: PTH100 -- resolve() would follow the link
        for _ in range(40):
            if path.startswith(("/dev/", "/proc/")):
                return True
            try:
                target = os.readlink(path)  # noqa: PTH115 -- a str
            except OSError:
                return False
            path = os.path.join(os.path.dirname(path), target)  # noqa: PTH118, PTH120 -- a str
        return False

    def open(self) -> BinaryIO:
        """Create the temporary file and return it. Raises ``InputError``.

        A second call starts again: the file of the first is removed.
        """
        self.discard()
        if self._mode is None:
            import tempfile

            self._out = cast("BinaryIO", tempfile.TemporaryFile())  # noqa: SIM115 -- see commit
            return self._out
        # The name is stored before the file exists, so that a signal in between cannot leave the
        # file behind.
        name = f".{self._path.name[:50]}.{os.urandom(6).hex()}"
        self._temp = self._path.with_name(name)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
        try:
            self._out = os.fdopen(os.open(self._temp, flags, 0o600), "wb")
        except OSError as exc:
            raise self._write_error(exc) from exc
        return self._out

    def commit(self) -> None:
        """Move the file into place. Raises ``InputError``, and the old file is unchanged then."""
        try:
            out = self._out or self.open()
            if self._temp is None:
                self._copy(out)
                return
            out.flush()
            os.fsync(out.fileno())
            out.close()
            assert self._mode is not None
            self._temp.chmod(self._mode)
            self._temp.replace(self._path)
            self._temp = None
        except OSError as exc:
            raise self._write_error(exc) from exc
        finally:
            self.discard()

    def _copy(self, out: BinaryIO) -> None:
        out.seek(0)
        with self._path.open("wb") as target:
            while piece := out.read(65536):
                target.write(piece)

    def discard(self) -> None:
        """Remove the temporary file. What stood at the path before stays."""
        with contextlib.suppress(OSError):
            if self._out is not None:
                self._out.close()
        if self._temp is not None:
            with contextlib.suppress(OSError):
                self._temp.unlink(missing_ok=True)
            self._temp = None

    def _write_error(self, exc: OSError) -> InputError:
        reason = (exc.strerror or str(exc)).lower()
        return InputError(
            f"Can't write `{self._path}`: {reason}", hint="Choose another file with `--output`"
        )
