"""A file that appears only when it is complete (``--output``).

Written beside its destination and moved into place at the end, so that a reader sees the old file
or the whole new one. A device or a pipe cannot be replaced: it is written to directly, at the end.
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
    """The file under construction; ``out`` is what to write to."""

    def __init__(self, path: str) -> None:
        self._path = Path(path)
        self._temp: Path | None = None
        try:
            self._mode = self._check()
            if self._mode is None:
                self.out = cast("BinaryIO", tempfile.TemporaryFile())  # noqa: SIM115 -- closed in commit and discard
                return
            handle, name = tempfile.mkstemp(
                prefix=f".{self._path.name[:50]}.", dir=self._path.parent
            )
        except OSError as exc:
            raise self._unwritable(exc) from exc
        self._temp = Path(name)
        self.out = cast("BinaryIO", os.fdopen(handle, "wb"))

    def _check(self) -> int | None:
        """The mode the file is to have; None where the path is no regular file."""
        try:
            found = self._path.stat()
        except FileNotFoundError:
            mask = os.umask(0)
            os.umask(mask)
            return 0o666 & ~mask
        if stat.S_ISDIR(found.st_mode):
            raise IsADirectoryError(21, "it is a folder")
        if not os.access(self._path, os.W_OK):
            raise PermissionError(13, "permission denied")
        return stat.S_IMODE(found.st_mode) if stat.S_ISREG(found.st_mode) else None

    def commit(self) -> None:
        """Put the file in place. Raises ``InputError``; the old file is whole then."""
        try:
            if self._temp is None:
                self._copy()
                return
            self.out.flush()
            os.fsync(self.out.fileno())
            self.out.close()
            assert self._mode is not None
            self._temp.chmod(self._mode)
            self._temp.replace(self._path)
            self._temp = None
        except OSError as exc:
            self.discard()
            raise self._unwritable(exc) from exc

    def _copy(self) -> None:
        self.out.seek(0)
        with self._path.open("wb") as target:
            while piece := self.out.read(65536):
                target.write(piece)
        self.out.close()

    def discard(self) -> None:
        """Forget it; what was there before stays."""
        with contextlib.suppress(OSError):
            self.out.close()
        if self._temp is not None:
            self._temp.unlink(missing_ok=True)
            self._temp = None

    def _unwritable(self, exc: OSError) -> InputError:
        reason = (exc.strerror or str(exc)).lower()
        return InputError(
            f"cannot write `{self._path}`: {reason}", hint="name another file with `--output`"
        )
