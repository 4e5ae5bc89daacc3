"""What a chat writes to the history beside its turns: the active branch and the title.

The journal writes the turns. A database that is locked or a full disk must not end a chat, so a
write that fails is reported once, kept, and tried again after each turn and at the end.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from darkai_cli import stdio
from darkai_cli.errors import DarkAIError, NotFoundError, UsageError

if TYPE_CHECKING:
    from darkai_cli.history.journal import Journal
    from darkai_cli.history.store import Store

LOCK_SECONDS = 1.0
"""Seconds to wait for a locked database while the user waits at the prompt."""


class SessionHistory:
    """The history of one chat. ``journal``: None to save nothing. ``warn``: shows a warning."""

    def __init__(self, journal: Journal | None, warn: Callable[[str], None]) -> None:
        self.journal = journal
        self._warn = warn
        self._active: dict[str, str | None] = {}
        self._titles: dict[str, str] = {}
        self._last_warning = ""

    def store(self, lock_wait: float = 5.0) -> Store:
        """Return the history, opened. Raises ``UsageError`` if this chat is not saved."""
        from darkai_cli.config import paths
        from darkai_cli.history.store import Store

        if self.journal is None:
            raise UsageError("This chat is not saved", hint="Start it without `--no-save`")
        return Store(paths.history_file(stdio.environ()), lock_wait=lock_wait)

    def set_active(self, conversation: str | None, entry_id: str | None) -> None:
        """Save which message the conversation's active branch ends with."""
        if self.journal is not None and conversation is not None:
            self._active[conversation] = entry_id
            self.flush()

    def forget_active(self, conversation: str) -> None:
        """Drop an unsaved active branch: the journal is about to write a newer one."""
        self._active.pop(conversation, None)

    def rename(self, conversation: str | None, title: str) -> None:
        """Save a conversation's title. May be called in any thread."""
        if self.journal is not None and conversation is not None:
            self._titles[conversation] = title
            self.flush()

    def flush(self) -> None:
        """Write what is unsaved, and show the warnings of the journal and the history."""
        if self.journal is not None:
            while self.journal.warnings:
                self._warn(self.journal.warnings.pop(0))
        if not self._active and not self._titles:
            return
        try:
            with self.store(LOCK_SECONDS) as store:
                self._write(store)
        except DarkAIError as error:
            warning = error.message
            if isinstance(error, NotFoundError):
                # The conversation is in memory, and was not saved yet.
                warning = "the history doesn't have all of this conversation yet"
            if warning != self._last_warning:
                self._last_warning = warning
                self._warn(f"{warning}; changes will be saved later")
        else:
            self._last_warning = ""

    def _write(self, store: Store) -> None:
        from darkai_cli.history import tree

        for conversation, entry_id in list(self._active.items()):
            tree.switch(store, conversation, entry_id)
            if self._active.get(conversation) == entry_id:
                self._active.pop(conversation, None)
        for conversation, title in list(self._titles.items()):
            store.rename(conversation, title)
            if self._titles.get(conversation) == title:
                self._titles.pop(conversation, None)

    def close(self) -> None:
        """Write everything to disk. The chat is over."""
        if self.journal is not None:
            self.journal.close()
            self.flush()
