"""The input history: prompts and commands of earlier sessions, in prompt_toolkit's own format.

Several sessions share the file. Each entry is appended under a lock as soon as it is sent. The
first read of a session trims the file to its newest lines, and converts what an earlier version
wrote: one JSON string a line. A file that is damaged or cannot be written costs only its entries.
"""

from __future__ import annotations

import contextlib
import json
import os
import stat
from collections.abc import Callable, Iterable
from pathlib import Path

from prompt_toolkit.history import FileHistory

from darkai_cli import files

MAX_LINES = 10_000
"""Lines of the file that are left when it is trimmed."""
MAX_BYTES = 16 << 20
"""Bytes at the end of the file that are read."""
MAX_ENTRY = 20_000
"""Characters: a longer entry is remembered for the session only."""
_LOCK_SECONDS = 0.5


class InputHistory(FileHistory):
    """prompt_toolkit's history, in a file that is private to the user.

    ``path``: the file, None to remember entries for this session only. ``expand``: replaces the
    tokens in an entry by the texts they stand for.
    """

    def __init__(self, path: Path | None, expand: Callable[[str], str] = str) -> None:
        super().__init__(path or "")
        self._path = path
        self._expand = expand

    def load_history_strings(self) -> Iterable[str]:
        """Return the entries, the newest first, each once."""
        if self._path is None:
            return []
        try:
            with files.locked(self._path, _LOCK_SECONDS):
                _create(self._path)
                _tidy(self._path)
                return list(dict.fromkeys(super().load_history_strings()))
        except OSError:
            return []

    def append_string(self, string: str) -> None:
        """Add an entry, which may hold tokens."""
        super().append_string(self._expand(string))

    def store_string(self, string: str) -> None:
        """Append an entry to the file."""
        if self._path is None or len(string) > MAX_ENTRY:
            return
        with contextlib.suppress(OSError):
            files.ensure(self._path.parent)
            with files.locked(self._path, _LOCK_SECONDS):
                _create(self._path)
                super().store_string(string)


def _create(path: Path) -> None:
    """Create the file if it is missing. Raises ``OSError`` for a link or anything but a file."""
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    handle = os.open(path, flags, 0o600)
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise OSError(0, "not a regular file")
    finally:
        os.close(handle)


def _tidy(path: Path) -> None:
    """Trim the file and convert the old format, if either is needed."""
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        file.seek(max(0, size - MAX_BYTES))
        data = file.read(MAX_BYTES)
    lines: list[bytes] = []
    for line in data.split(b"\n"):
        lines += _converted(line) if line.startswith(b'"') else [line]
    if len(lines) > MAX_LINES or size > len(data):
        lines = lines[-MAX_LINES:]
        # An entry begins with a comment. What stands before the first one has lost its beginning.
        lines = lines[next((n for n, line in enumerate(lines) if line[:1] == b"#"), len(lines)) :]
    tidied = b"\n".join(lines).rstrip(b"\n") + b"\n"
    if tidied != data or size > len(data):
        files.replace(path, tidied)


def _converted(row: bytes) -> list[bytes]:
    """Return the lines for an entry of the old format, none if it cannot be read."""
    try:
        entry = str(json.loads(row)).encode()
    except (ValueError, RecursionError):
        return []
    return [b"#", *(b"+" + line for line in entry.split(b"\n"))]
