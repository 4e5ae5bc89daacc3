"""The lines typed in earlier sessions: one JSON text a line, the newest last, private to the user.

Each line is appended as soon as it is sent, under a lock, so that several sessions share the file.
It is read once, at the start of a session, and cut to the newest lines when it has grown too long.
A file that is damaged or cannot be written costs nothing but the lines.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable, Iterable
from pathlib import Path

from prompt_toolkit.history import History

from darkai_cli import files

KEPT = 5000
"""Lines that are kept; the file is cut when it has twice as many."""
LONGEST = 20_000
"""Characters: a longer prompt is not kept as a typed line."""
READ = 16 << 20
"""Bytes at the end of the file that are read."""


class TypedLines(History):
    """prompt-toolkit's history over such a file. ``path`` None: only for this session.

    ``whole``: puts what a token stands for in its place.
    """

    def __init__(self, path: Path | None, whole: Callable[[str], str] | None = None) -> None:
        super().__init__()
        self._path = path
        self._whole = whole
        self._count = 0

    def load_history_strings(self) -> Iterable[str]:
        """The lines, the newest first, each once."""
        lines = self._read()
        self._count = len(lines)
        return list(dict.fromkeys(reversed(lines)))[:KEPT]

    def append_string(self, string: str) -> None:
        """Keep a line, which may hold tokens."""
        super().append_string(string if self._whole is None else self._whole(string))

    def store_string(self, string: str) -> None:
        """Keep a line in the file."""
        if self._path is None or len(string) > LONGEST:
            return
        self._count += 1
        try:
            files.ensure(self._path.parent)
            with files.locked(self._path, 0.5):
                if self._count >= 2 * KEPT:
                    rows = [*self._read()[-KEPT + 1 :], string]
                    files.replace(self._path, _encoded(rows))
                    self._count = len(rows)
                else:
                    self._append(_encoded([string]))
        except (OSError, ValueError):
            return

    def _append(self, data: bytes) -> None:
        assert self._path is not None
        handle = _open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND)
        try:
            size = os.fstat(handle).st_size
            torn = size and os.pread(handle, 1, size - 1) != b"\n"  # by a crash, or by hand
            os.write(handle, b"\n" + data if torn else data)
        finally:
            os.close(handle)

    def _read(self) -> list[str]:
        if self._path is None:
            return []
        try:
            handle = _open(self._path, os.O_RDONLY)
        except OSError:
            return []
        with os.fdopen(handle, "rb") as file:
            file.seek(max(0, os.fstat(handle).st_size - READ))
            rows = file.read(READ).split(b"\n")
        return [line for line in map(_line_of, rows) if line]


def _open(path: Path, flags: int) -> int:
    """The regular file. Raises ``OSError``, also for what is none."""
    handle = os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o600)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise OSError(0, "it is no regular file")
    return handle


def _line_of(row: bytes) -> str:
    """The line that a row holds; "" for none."""
    if not row.startswith(b'"'):
        return ""
    try:
        line = json.loads(row)
        line.encode()  # half a character is none
    except (ValueError, RecursionError):
        return ""
    return str(line)


def _encoded(lines: Iterable[str]) -> bytes:
    return "".join(json.dumps(line) + "\n" for line in lines).encode()
