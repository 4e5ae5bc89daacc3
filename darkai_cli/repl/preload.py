"""Prepare the first reply while the user types: import what it needs, and connect.

A thread imports the modules once the prompt is displayed. The first key of an input starts a thread
that connects to the service, unless a connection is open; nothing is sent on it before Enter.
Nothing here raises or is waited for: an error shows when the request meets it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING

from darkai_cli import signals

if TYPE_CHECKING:
    from darkai_cli.repl.session import ChatSession

_MODULES = (
    "darkai_cli.conversation.turn",
    "darkai_cli.history.journal",
    "darkai_cli.http.client",
    "darkai_cli.output.notices",
    "darkai_cli.output.progress",
    "darkai_cli.providers.client",
)
_RENDERER = "darkai_cli.output.terminal"


class Preloader:
    """Imports modules and opens a connection ahead of a session's requests."""

    def __init__(self, session: ChatSession) -> None:
        self._session = session
        self._import_thread: threading.Thread | None = None
        self._connect_thread: threading.Thread | None = None

    def load(self) -> None:
        """Start importing what a reply needs, once. Returns at once."""
        if self._import_thread is None:
            self._import_thread = _thread(self._load)
            self._import_thread.start()

    def connect(self) -> None:
        """Start connecting to the model's service. Returns at once."""
        if self._session.target.settings.type == "demo":
            return
        if self._connect_thread is not None and self._connect_thread.is_alive():
            return
        self._connect_thread = _thread(self._connect)
        self._connect_thread.start()

    def _load(self) -> None:
        signals.block_in_thread()
        from darkai_cli.providers import connect

        session = self._session
        for name in _MODULES:
            import_module(name)
        connect.dialect_of(session.target.settings, session.target.model)
        if session.config.markdown and not session.screen.plain:
            import_module(_RENDERER)

    def _connect(self) -> None:
        signals.block_in_thread()
        if self._import_thread is not None:
            # Two threads that import slow each other down.
            self._import_thread.join()
        from darkai_cli.config import state

        if not state.outage(self._session.target.settings.url):
            self._session.prepare()


def _thread(target: Callable[[], None]) -> threading.Thread:
    return threading.Thread(target=target, name="preload", daemon=True)
