"""Separate reasoning that a model writes into its answer, between ``<think>`` and ``</think>``.

Only a reply that begins with ``<think>``, perhaps after white space, has such reasoning; it ends at
the first ``</think>``. Anywhere else both tags are text, so that an answer about the tags stays as
it is.

Strategy: what may still become a tag is held back, at most the tag's length, so that it does not
matter in which pieces the text comes.
"""

from __future__ import annotations

from darkai_cli.events import ReasoningChunk, TextChunk

OPEN, CLOSE = "<think>", "</think>"
MAX_SPACE = 64
"""Characters of white space that are held back at the beginning."""


class ThinkTags:
    """The state of one reply. ``passed``: everything from here on is the answer."""

    def __init__(self) -> None:
        self.passed = False
        self._held = ""
        self._inside = False
        self._after = False

    def feed(self, text: str) -> tuple[TextChunk | ReasoningChunk, ...]:
        """Return the events of the next piece."""
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
        reasoning, end, rest = text.partition(CLOSE)
        if end:
            self._inside, self._after = False, True
        else:
            held_length = next(n for n in range(len(CLOSE) - 1, -1, -1) if text.endswith(CLOSE[:n]))
            self._held = text[len(text) - held_length :]
            reasoning = text[: len(text) - held_length]
        events = (ReasoningChunk(reasoning),) if reasoning else ()
        return (*events, *self._answer(rest)) if end else events

    def _answer(self, text: str) -> tuple[TextChunk | ReasoningChunk, ...]:
        """Return the first text after the reasoning, without the blank lines between the two."""
        text = text.lstrip("\r\n")
        if not text:
            return ()
        self.passed = True
        return (TextChunk(text),)

    def close(self) -> tuple[TextChunk | ReasoningChunk, ...]:
        """Return what is still held back at the end of the reply."""
        text, self._held = self._held, ""
        self.passed = not self._inside
        if not text:
            return ()
        return (ReasoningChunk(text),) if self._inside else (TextChunk(text),)
