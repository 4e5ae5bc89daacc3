"""Writes what a command prints: styled lines on a terminal, one record a line in a pipe.

On a terminal all foreign text is made safe. In a pipe text is exact, except in the fields of
tab-separated lines, where control characters are escaped. Notes and warnings go to stderr.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterable
from typing import Any

from darkai_cli import stdio
from darkai_cli.output.notices import tell
from darkai_cli.output.sanitize import sanitize, sanitize_line

_COLORS = {"id": "33", "good": "32", "bad": "31", "warn": "33", "info": "36", "match": "1;31"}
_ATTRIBUTES = {"dim": "2", "bold": "1", "match": "1"}
_LONGEST = 500
_NAMED_ESCAPES = {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"}
_UNSAFE = re.compile(
    "[\0-\x1f\\\\\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)
"""What a field of a tab-separated line cannot contain."""
STATES = {
    "complete": "dim", "streaming": "info", "interrupted": "warn", "truncated": "warn",
    "failed": "bad",
}  # fmt: skip
"""The style of each state that a turn can have."""


class Printer:
    """Standard output: ``is_terminal`` says whether people or a program read it."""

    def __init__(self) -> None:
        out = stdio.stdout()
        self.is_terminal = stdio.is_terminal(out)
        self.has_color = self.is_terminal and stdio.use_color(out)
        self._has_attributes = self.is_terminal and not stdio.is_dumb()
        self._out = stdio.binary_stdout()
        self._encoding = (out.encoding or "utf-8") if self.is_terminal else "utf-8"

    @property
    def width(self) -> int:
        """The columns of the terminal."""
        return stdio.size(stdio.stdout())[0]

    def styled(self, style: str, text: str) -> str:
        """Return the text in a style, as far as the terminal can show it."""
        code = _ATTRIBUTES.get(style) if self._has_attributes else None
        if self.has_color:
            code = _COLORS.get(style) or code
        return f"\x1b[{code}m{text}\x1b[0m" if code and text else text

    def write(self, text: str) -> None:
        """Write text that is safe on this output. Raises ``InputError`` if that fails."""
        from darkai_cli.output.sink import write_error

        # Half of a UTF-16 pair stands for a byte of a path that is not UTF-8.
        errors = "replace" if self.is_terminal else "backslashreplace"
        try:
            self._out.write(text.encode(self._encoding, errors))
            if self.is_terminal:
                self._out.flush()  # so that it stands above what stderr says next
        except OSError as exc:
            raise write_error(exc) from exc

    def lines(self, rows: Iterable[str]) -> None:
        """Write lines that are safe on this output."""
        self.write("".join([f"{row}\n" for row in rows]))

    def value(self, text: str) -> None:
        """Write one value on a line: exact in a pipe, safe on a terminal."""
        self.write((sanitize(text) if self.is_terminal else text) + "\n")

    def record(self, *fields: object) -> None:
        """Write a tab-separated line."""
        self.write("\t".join(map(field, fields)) + "\n")

    def json(self, value: Any) -> None:
        """Write a JSON value on a line."""
        self.write(json.dumps(value, ensure_ascii=self.is_terminal) + "\n")


def note(text: str) -> None:
    """Print a line on stderr that explains the output."""
    tell("note", text)


def warn(text: str) -> None:
    """Print a warning on stderr."""
    tell("warning", text)


def field(value: object) -> str:
    r"""Return a value as one field of a tab-separated line, which it cannot break; "" for None.

    Backslash, tab and line breaks become ``\\``, ``\t``, ``\n``, ``\r``. Other control
    characters, and those that change the direction of text, become ``\x1b`` or ``\u202e``, because
    such lines end up on a terminal one day. So every value can be read back.
    """
    return "" if value is None else _UNSAFE.sub(_escaped, str(value))


def _escaped(match: re.Match[str]) -> str:
    char = match[0]
    code = ord(char)
    return _NAMED_ESCAPES.get(char) or (f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}")


def safe_line(text: str) -> str:
    """Return foreign text as one line that is safe on a terminal."""
    return sanitize_line(" ".join(text[: _LONGEST * 4].split()), _LONGEST)


def utc_time(ms: int) -> str:
    """Return a time for programs: ``2026-01-31T12:00:00Z``."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(ms // 1000))


def local_time(ms: int) -> str:
    """Return a time for people, in their time zone: ``2026-01-31 13:00``."""
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(ms // 1000))
