"""What a session remembers of a reply while it comes: its text, its reasoning, who gave it, when.

A sink beside those that show and save.
"""

from __future__ import annotations

import time

from darkai_cli.events import Event, ReasoningChunk, StreamStart, TextChunk, ToolCall
from darkai_cli.messages import Call


class ReplyCollector:
    """One reply. ``provider``, ``model``: who gives it, at first who was asked."""

    def __init__(self, provider: str, model: str) -> None:
        self.began = time.monotonic()
        self.first: float | None = None
        self.provider, self.model = provider, model
        self.calls: list[Call] = []
        self._texts: list[str] = []
        self._reasoning: list[str] = []

    @property
    def text(self) -> str:
        """The answer."""
        return "".join(self._texts)

    @property
    def reasoning(self) -> str:
        """The reasoning before it."""
        return "".join(self._reasoning)

    def feed(self, event: Event) -> None:
        """Remember one event."""
        if isinstance(event, TextChunk):
            if self.first is None:
                self.first = time.monotonic() - self.began
            self._texts.append(event.text)
        elif isinstance(event, ReasoningChunk):
            self._reasoning.append(event.text)
        elif isinstance(event, StreamStart):
            self.provider, self.model = event.provider, event.model
        elif isinstance(event, ToolCall):
            self.calls.append(Call(event.id, event.name, event.arguments))

    def close(self, error: BaseException | None = None) -> None:
        """Nothing more comes."""
