"""A file that appears only when it is complete (``--output``).

Written beside its destination and moved into place at the end, so that a reader sees the old file
or the whole new one. A symbolic link is replaced, not followed. A device or a pipe cannot be
replaced: it is written to directly, at the end.
"""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from pathlib import Path
from typing import BinaryIO, cast

from darkai_cli.errors import InputError


class AtomicFile:
    """The file under construction: nothing is on disk before ``open``."""

    def __init__(self, path: str) -> None:
        self._path = Path(path)
        self._temp: Path | None = None
        self._out: BinaryIO | None = None
        try:
            self._mode = self._check()
        except OSError as exc:
            raise self._unwritable(exc) from exc

    def _check(self) -> int | None:
        """The mode the file is to have; None where the path is no regular file."""
        folder = self._path.parent
        if not folder.is_dir():
            raise FileNotFoundError(2, "there is no such folder")
        try:
            found = self._path.stat()
        except FileNotFoundError:
            if not os.access(folder, os.W_OK):
                raise PermissionError(13, "permission denied") from None
            mask = os.umask(0)
            os.umask(mask)
            return 0o666 & ~mask
        if stat.S_ISDIR(found.st_mode):
            raise IsADirectoryError(21, "it is a folder")
        if not os.access(self._path, os.W_OK):
            raise PermissionError(13, "permission denied")
        if not stat.S_ISREG(found.st_mode) or self._is_descriptor():
            return None
        if not os.access(folder, os.W_OK):
            raise PermissionError(13, "permission denied for its folder")
        return stat.S_IMODE(found.st_mode)

    def _is_descriptor(self) -> bool:
        """Whether the path is, or leads through, one like ``/dev/stdout``."""
        path = os.path.abspath(self._path)  # noqa: PTH100 -- resolve() would follow the link
        for _ in range(40):
            if path.startswith(("/dev/", "/proc/")):
                return True
            try:
                target = os.readlink(path)  # noqa: PTH115 -- a str
            except OSError:
                return False
            path = os.path.join(os.path.dirname(path), target)  # noqa: PTH118, PTH120 -- likewise
        return False

    def open(self) -> BinaryIO:
        """What to write to. Raises ``InputError``.

        Called again after a stop in the middle of the first time, it leaves nothing behind either.
        """
        self.discard()
        if self._mode is None:
            self._out = cast("BinaryIO", tempfile.TemporaryFile())  # noqa: SIM115 -- see commit
            return self._out
        # The name is known before the file is there, so that no stop in between leaves it behind.
        name = f".{self._path.name[:50]}.{os.urandom(6).hex()}"
        self._temp = self._path.with_name(name)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
        try:
            self._out = os.fdopen(os.open(self._temp, flags, 0o600), "wb")
        except OSError as exc:
            raise self._unwritable(exc) from exc
        return self._out

    def commit(self) -> None:
        """Put the file in place. Raises ``InputError``; the old file is whole then."""
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
            raise self._unwritable(exc) from exc
        finally:
            self.discard()

    def _copy(self, out: BinaryIO) -> None:
        out.seek(0)
        with self._path.open("wb") as target:
            while piece := out.read(65536):
                target.write(piece)

    def discard(self) -> None:
        """Forget what is not in place yet; what was there before stays."""
        with contextlib.suppress(OSError):
            if self._out is not None:
                self._out.close()
        if self._temp is not None:
            with contextlib.suppress(OSError):
                self._temp.unlink(missing_ok=True)
            self._temp = None

    def _unwritable(self, exc: OSError) -> InputError:
        reason = (exc.strerror or str(exc)).lower()
        return InputError(
            f"cannot write `{self._path}`: {reason}", hint="name another file with `--output`"
        )
