"""Long pastes: one token in the input, the whole text in the message.

A block that is pasted stays one message in any case. One with many lines would fill the screen, so
the input shows ``[pasted 240 lines]`` in its place; what is sent, edited in the editor or kept in
the input history is the text itself. A token that the person changes is no token any more: what
they see is what is sent.
"""

from __future__ import annotations

LINES = 12
"""Pastes with more lines than this are shown as a token."""
CHARACTERS = 2000
"""And those with more characters."""


class Pastes:
    """The pastes of one input."""

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}

    def take(self, text: str) -> str:
        """What to put into the input for a pasted text."""
        lines = text.count("\n") + (not text.endswith("\n"))
        if lines <= LINES and len(text) <= CHARACTERS:
            return text
        what = f"{lines} lines" if lines > 1 else f"{len(text)} characters"
        token, number = f"[pasted {what}]", 2
        while self._texts.get(token, text) != text:
            token, number = f"[pasted {what}, {number}]", number + 1
        self._texts[token] = text
        return token

    def whole(self, text: str) -> str:
        """The input with the pasted texts in place of their tokens."""
        if not self._texts or "[pasted " not in text:
            return text
        import re

        tokens = sorted(self._texts, key=len, reverse=True)
        found = "|".join(map(re.escape, tokens))
        return re.sub(found, lambda match: self._texts[match[0]], text)

    def clear(self) -> None:
        """The input has been sent."""
        self._texts.clear()
