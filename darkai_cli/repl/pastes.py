"""Long pastes: a token in the input, the whole text in the message.

A paste of many lines would fill the screen, so the input shows ``[pasted 240 lines]`` in its place.
What is sent, opened in the editor or stored in the input history is the text. A token that the user
changes is sent as it is displayed.

Only what the user types is a command. A text that is pasted or offered and begins with ``/`` or
``!`` stands in the input as the user would have to type it to send it: with that sign doubled.
"""

from __future__ import annotations

MAX_LINES = 12
"""A paste with more lines becomes a token."""
MAX_CHARACTERS = 2000
"""A paste with more characters becomes a token."""


def as_input(text: str) -> str:
    """Return what to type to send ``text``: a ``/`` or ``!`` at its beginning is doubled."""
    start = len(text) - len(text.lstrip())
    return (
        text[:start] + text[start] + text[start:] if text[start : start + 1] in ("/", "!") else text
    )


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
        """Return the input with each token replaced by its text, which is never a command."""
        if not self._texts or "[pasted " not in text:
            return text
        import re

        tokens = sorted(self._texts, key=len, reverse=True)
        pattern = "|".join(map(re.escape, tokens))
        expanded = re.sub(pattern, lambda match: self._texts[match[0]], text)
        return as_input(expanded) if re.match(rf"\s*(?:{pattern})", text) else expanded

    def clear(self) -> None:
        """Forget all pastes: the input was sent."""
        self._texts.clear()
