"""Long pastes: a token in the input, the whole text in the message.

A paste of many lines would fill the screen, so the input shows ``[pasted 240 lines]`` in its place.
What is sent, opened in the editor or stored in the input history is the text. A token that the user
changes is sent as it is displayed.
"""

from __future__ import annotations

MAX_LINES = 12
"""A paste with more lines becomes a token."""
MAX_CHARACTERS = 2000
"""A paste with more characters becomes a token."""


class Pastes:
    """The pastes of one input."""

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}

    def shorten(self, text: str) -> str:
        """Return what the input shows for a pasted text: the text, or a token for it."""
        lines = text.count("\n") + (not text.endswith("\n"))
        if lines <= MAX_LINES and len(text) <= MAX_CHARACTERS:
            return text
        size = f"{lines} lines" if lines > 1 else f"{len(text)} characters"
        token, number = f"[pasted {size}]", 2
        while self._texts.get(token, text) != text:
            token, number = f"[pasted {size}, {number}]", number + 1
        self._texts[token] = text
        return token

    def expand(self, text: str) -> str:
        """Return the input with each token replaced by its text."""
        if not self._texts or "[pasted " not in text:
            return text
        import re

        tokens = sorted(self._texts, key=len, reverse=True)
        pattern = "|".join(map(re.escape, tokens))
        return re.sub(pattern, lambda match: self._texts[match[0]], text)

    def clear(self) -> None:
        """Forget all pastes: the input was sent."""
        self._texts.clear()
