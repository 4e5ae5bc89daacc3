"""Where the input is drawn: the terminal, without what would outlast a session or mislead."""

from __future__ import annotations

from typing import TextIO

from prompt_toolkit.data_structures import Size
from prompt_toolkit.layout.screen import Char
from prompt_toolkit.output.vt100 import Vt100_Output

from darkai_cli import stdio

_STEADY_CURSOR = "\x1b[?12l"
"""Sent with each cursor that is shown; nobody would make it blink again."""

_TURNS = {chr(code): f"<{code:x}>" for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))}
"""Characters that turn the direction of the text: pasted ones could show what is not sent."""

Char.display_mappings.update(_TURNS)


class Drawing(Vt100_Output):
    """prompt-toolkit's output on ``out``."""

    def __init__(self, out: TextIO, term: str) -> None:
        super().__init__(out, lambda: _size(out), term=term)

    def write_raw(self, data: str) -> None:
        """Send a sequence."""
        super().write_raw(data.replace(_STEADY_CURSOR, ""))


def _size(out: TextIO) -> Size:
    columns, rows = stdio.size(out)
    return Size(rows=rows, columns=columns)
