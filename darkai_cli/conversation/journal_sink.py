"""What hands a reply to the history's journal: it takes the events as they pass to the sinks.

It only forwards: the journal writes in a thread of its own, so neither painting nor the stream
waits for the disk. A call for each piece of a long reply would be felt, so that from the first text
on the events pass through iterators that are written in C. How the turn ended is told to the
journal by whoever judges the reply.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, filterfalse

from darkai_cli.events import Event, StreamStart
from darkai_cli.history.journal import Journal


class JournalTap:
    """Gives the journal all events, and tells where the reply is saved and who really answered."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def passing(self, events: Iterator[Event]) -> Iterator[Event]:
        """The events, each of which is the journal's before anybody is shown it."""
        # `take` returns None, so that nothing is left out
        return chain(self._beginning(events), filterfalse(self._journal.take, events))

    def _beginning(self, events: Iterator[Event]) -> Iterator[Event]:
        """The events up to the first text."""
        journal = self._journal
        for event in events:
            if event.type == "text-chunk":
                journal.text(event.text)
                yield event
                return
            if isinstance(event, StreamStart):
                journal.answered(event.provider, event.model)
                names = journal.turn_ids
                assert names is not None
                yield event._replace(conversation=names.conversation, turn=names.turn)
            else:
                journal.take(event)
                yield event
