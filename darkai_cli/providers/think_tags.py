"""Reasoning that a model writes into its answer, between ``<think>`` and ``</think>``.

Not a parser of markup: only a reply that *begins* with ``<think>``, white space before it or none,
has such reasoning, and it ends at the first ``</think>``. Anywhere else both are text. So an answer
that speaks of the tags stays as it is, and a reply that opens with them is told apart for sure.

Strategy: what may still become a tag is held back, at most the tag's length, so that the pieces in
which the text comes make no difference.
"""

from __future__ import annotations

from darkai_cli.events import ReasoningChunk, TextChunk

OPEN, CLOSE = "<think>", "</think>"
MAX_SPACE = 64
"""Characters of white space that are held back while nothing else has come."""


class ThinkTags:
    """The text of one reply, told apart.

    ``passed``: all that comes from here on is the answer, so that nobody needs to ask.
    """

    def __init__(self) -> None:
        self.passed = False
        self._held = ""
        self._inside = False
        self._after = False

    def feed(self, text: str) -> tuple[TextChunk | ReasoningChunk, ...]:
        """The events of the next piece."""
        if self.passed:
            return (TextChunk(text),) if text else ()
        text = self._held + text
        self._held = ""
        if self._inside:
            return self._reason(text)
        if self._after:
            return self._answer(text)
        start = text.lstrip()
        if start.startswith(OPEN):
            self._inside = True
            return self._reason(start[len(OPEN) :])
        if OPEN.startswith(start) and len(text) - len(start) <= MAX_SPACE:
            self._held = text
            return ()
        self.passed = True
        return (TextChunk(text),)

    def _reason(self, text: str) -> tuple[TextChunk | ReasoningChunk, ...]:
        inner, end, rest = text.partition(CLOSE)
        if end:
            self._inside, self._after = False, True
        else:
            keep = next(n for n in range(len(CLOSE) - 1, -1, -1) if text.endswith(CLOSE[:n]))
            self._held = text[len(text) - keep :]
            inner = text[: len(text) - keep]
        found = (ReasoningChunk(inner),) if inner else ()
        return (*found, *self._answer(rest)) if end else found

    def _answer(self, text: str) -> tuple[TextChunk | ReasoningChunk, ...]:
        """The first text after the reasoning, without the blank lines between the two."""
        text = text.lstrip("\r\n")
        if not text:
            return ()
        self.passed = True
        return (TextChunk(text),)

    def close(self) -> tuple[TextChunk | ReasoningChunk, ...]:
        """What is still held back: the reply ends here."""
        held, self._held = self._held, ""
        self.passed = not self._inside
        if not held:
            return ()
        return (ReasoningChunk(held),) if self._inside else (TextChunk(held),)
