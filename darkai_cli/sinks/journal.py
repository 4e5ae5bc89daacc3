"""The sink that hands a reply to the history's journal, piece by piece, as it is shown.

It only forwards: the journal writes in a thread of its own, so neither painting nor the stream
waits for the disk. How the turn ended is told to the journal by whoever judges the reply.
"""

from __future__ import annotations

from darkai_cli.events import Citation, Event, StreamStart, ToolCall, ToolResult
from darkai_cli.history.journal import Journal


class JournalSink:
    """Forwards what is shown, and who really answered."""

    keeps = True

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._text = journal.text  # looked up once: there are many pieces

    def feed(self, event: Event) -> None:
        """Pass on one event."""
        if event.type == "text-chunk":
            self._text(event.text)
        elif event.type == "reasoning-chunk":
            self._journal.reasoning(event.text)
        elif isinstance(event, StreamStart):
            self._journal.answered(event.provider, event.model)
        elif isinstance(event, ToolCall | ToolResult | Citation):
            self._journal.part(event)

    def close(self, error: BaseException | None = None) -> None:
        """Nothing: the turn's end is told with its verdict."""
