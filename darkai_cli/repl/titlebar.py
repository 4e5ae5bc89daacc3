"""The terminal's own title: what is talked about, and afterwards the one that was there.

The old title is kept by the terminal, on a stack of its own. Terminals that would print such
sequences instead of obeying them get none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

_WITHOUT = ("linux", "dumb", "unknown", "ansi", "vt", "cons", "eterm", "sun", "emacs")
_PUSH, _POP = "\x1b[22;2t", "\x1b[23;2t"
LONGEST = 60
"""Characters of a title."""


class TitleBar:
    """Sets it with ``write``, if the terminal that ``environ`` names has one."""

    def __init__(self, write: Callable[[str], None], environ: Mapping[str, str]) -> None:
        self._write = write
        term = environ.get("TERM", "")
        self._has_one = bool(term) and not term.startswith(_WITHOUT)
        self._shown: str | None = None

    def show(self, title: str) -> None:
        """Show the program's name and a title, without anything that is no plain character."""
        if not self._has_one:
            return
        from darkai_cli.output.sanitize import sanitize_line

        plain = "".join(char for char in sanitize_line(title, LONGEST) if char.isprintable())
        shown = f"darkai: {plain}" if plain else "darkai"
        if shown == self._shown:
            return
        self._write(f"{_PUSH if self._shown is None else ''}\x1b]2;{shown}\x07")
        self._shown = shown

    def restore(self) -> None:
        """Give back the title that was there. Does nothing the second time."""
        if self._shown is not None:
            self._shown = None
            self._write(_POP)
