"""A session's side of the history: what is written beside the journal, and what could not be yet.

The journal writes the turns. Here is where the mark of the active branch and the title go. Neither
may end a session: what the history does not take (locked, a full disk) is told once and kept for
the next time, at the latest for the end. Not the reading of a conversation (``reopened``).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from darkai_cli import stdio
from darkai_cli.errors import DarkAIError, NotFoundError, UsageError

if TYPE_CHECKING:
    from darkai_cli.history.journal import Journal
    from darkai_cli.history.store import Store

PATIENCE = 1.0
"""Seconds to wait for a lock while somebody waits at the prompt."""


class SessionHistory:
    """What is to be kept of a session. ``journal`` None: nothing. ``tell`` takes a warning."""

    def __init__(self, journal: Journal | None, tell: Callable[[str], None]) -> None:
        self.journal = journal
        self._tell = tell
        self._marks: dict[str, str | None] = {}
        self._titles: dict[str, str] = {}
        self._told = ""

    def store(self, patience: float = 5.0) -> Store:
        """The history, to read and to change. Raises ``UsageError`` where nothing is kept."""
        from darkai_cli.config import paths
        from darkai_cli.history.store import Store

        if self.journal is None:
            raise UsageError("this session is not saved", hint="start it without `--no-save`")
        return Store(paths.history_file(stdio.environ()), patience=patience)

    def mark(self, conversation: str | None, active: str | None) -> None:
        """The branch of a conversation that ends there is the active one."""
        if self.journal is not None and conversation is not None:
            self._marks[conversation] = active
            self.settle()

    def unmarked(self, conversation: str) -> None:
        """The journal is about to move the mark itself: what was to be written is out of date."""
        self._marks.pop(conversation, None)

    def rename(self, conversation: str | None, title: str) -> None:
        """A conversation has another title. May be called in any thread."""
        if self.journal is not None and conversation is not None:
            self._titles[conversation] = title
            self.settle()

    def settle(self) -> None:
        """Write what was not written yet; tell what the journal or the history warns of."""
        if self.journal is not None:
            while self.journal.warnings:
                self._tell(self.journal.warnings.pop(0))
        if not self._marks and not self._titles:
            return
        try:
            with self.store(PATIENCE) as store:
                self._write(store)
        except DarkAIError as error:
            told = error.message
            if isinstance(error, NotFoundError):  # it is in memory, and was not saved yet
                told = "the history has not got all of this conversation yet"
            if told != self._told:
                self._told = told
                self._tell(f"{told}; what changed is kept for later")
        else:
            self._told = ""

    def _write(self, store: Store) -> None:
        from darkai_cli.history import tree

        for conversation, active in list(self._marks.items()):
            tree.switch(store, conversation, active)
            if self._marks.get(conversation) == active:
                self._marks.pop(conversation, None)
        for conversation, title in list(self._titles.items()):
            store.rename(conversation, title)
            if self._titles.get(conversation) == title:
                self._titles.pop(conversation, None)

    def close(self) -> None:
        """The session is over: everything is on disk afterwards."""
        if self.journal is not None:
            self.journal.close()
            self.settle()
