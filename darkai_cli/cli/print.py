"""Where the rows go: a terminal in colour, or a pipe with a record a line.

On a terminal all foreign text is made safe. In a pipe it is exact, but for the fields of a
tab-separated line, where control characters are escaped. What is no data goes to stderr.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from darkai_cli import stdio, text
from darkai_cli.output.sanitize import sanitize_line
from darkai_cli.output.tsv import field

_COLOURS = {"id": "33", "good": "32", "bad": "31", "warn": "33", "info": "36", "match": "1;31"}
_ATTRIBUTES = {"dim": "2", "bold": "1", "match": "1"}
_TITLE = 500
STATES = {
    "complete": "dim", "streaming": "info", "interrupted": "warn", "truncated": "warn",
    "failed": "bad",
}  # fmt: skip
"""The style of each state."""


class Screen:
    """Standard output: what it is, and how to write on it."""

    def __init__(self) -> None:
        out = stdio.stdout()
        self.terminal = stdio.is_terminal(out)
        self.colour = self.terminal and stdio.use_color(out)
        self.attributes = self.terminal and not stdio.is_dumb()
        self._out = stdio.binary_stdout()
        self._encoding = (out.encoding or "utf-8") if self.terminal else "utf-8"

    @property
    def width(self) -> int:
        """The columns of the terminal."""
        return stdio.size(stdio.stdout())[0]

    def ink(self, style: str, text: str) -> str:
        """The text in a style: in colour, in bold and dim only, or as it is."""
        codes = [_ATTRIBUTES.get(style) if self.attributes else None]
        if self.colour:
            codes = [_COLOURS.get(style) or codes[0]]
        return f"\x1b[{codes[0]}m{text}\x1b[0m" if codes[0] and text else text

    def write(self, text: str) -> None:
        """Write text that is safe here. Raises ``InputError`` if it cannot be written."""
        from darkai_cli.output.sink import write_error

        try:
            self._out.write(text.encode(self._encoding, "replace"))
            if self.terminal:
                self._out.flush()  # what stderr says next comes next
        except OSError as exc:
            raise write_error(exc) from exc

    def lines(self, rows: Iterable[str]) -> None:
        """Write lines that are safe here."""
        self.write("".join([f"{row}\n" for row in rows]))

    def record(self, *fields: object) -> None:
        """Write a tab-separated line."""
        self.write("\t".join(map(field, fields)) + "\n")

    def json(self, value: Any) -> None:
        """Write a JSON object as a line."""
        self.write(json.dumps(value, ensure_ascii=not self._is_utf8()) + "\n")

    def _is_utf8(self) -> bool:
        return self._encoding.replace("-", "").lower() == "utf8" and not self.terminal


def one_line(foreign: str) -> str:
    """Foreign text as a safe line: runs of blanks are one."""
    return sanitize_line(text.one_line(foreign[: _TITLE * 4]), _TITLE)


def iso(ms: int) -> str:
    """A time for programs: ``2026-01-31T12:00:00Z``."""
    import time

    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(ms // 1000))


def local(ms: int) -> str:
    """A time for people, where they are."""
    import time

    return time.strftime("%Y-%m-%d %H:%M", time.localtime(ms // 1000))
