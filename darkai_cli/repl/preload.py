"""What makes the first reply quick: loaded and connected while the person types.

Once the prompt is shown, a thread imports what a reply needs. With the first key of an input the
service is connected to, unless a connection stands already; nothing is sent on it before Enter.
Nothing here raises, and nothing waits for it: what fails shows itself when it is needed.
"""

from __future__ import annotations

import threading
from importlib import import_module
from typing import TYPE_CHECKING

from darkai_cli import signals

if TYPE_CHECKING:
    from darkai_cli.repl.session import ChatSession

_NEEDED = (
    "darkai_cli.http.client",
    "darkai_cli.http.pool",
    "darkai_cli.providers.client",
    "darkai_cli.conversation.rate_limit",
    "darkai_cli.conversation.retry",
    "darkai_cli.conversation.fallback_candidates",
    "darkai_cli.output.notices",
    "darkai_cli.conversation.journal_sink",
    "darkai_cli.output.progress",
    "darkai_cli.history.writer",
)
_RENDERED = "darkai_cli.output.terminal"


class Preloader:
    """What is done ahead for one session."""

    def __init__(self, session: ChatSession) -> None:
        self._session = session
        self._loading: threading.Thread | None = None
        self._connecting: threading.Thread | None = None

    def load(self) -> None:
        """Import what a reply needs, once."""
        if self._loading is None:
            self._loading = threading.Thread(target=self._load, name="load-ahead", daemon=True)
            self._loading.start()

    def connect(self) -> None:
        """Have a connection to whom the next prompt goes, if there is none."""
        if self._session.target.settings.type == "demo":
            return
        if self._connecting is not None and self._connecting.is_alive():
            return
        self._connecting = threading.Thread(target=self._connect, name="connect-ahead", daemon=True)
        self._connecting.start()

    def _load(self) -> None:
        signals.block_in_thread()
        from darkai_cli.providers import connect

        session = self._session
        for name in _NEEDED:
            import_module(name)
        connect.dialect_of(session.target.settings, session.target.model)
        if session.config.markdown and not session.screen.plain:
            import_module(_RENDERED)

    def _connect(self) -> None:
        signals.block_in_thread()
        if self._loading is not None:
            self._loading.join()  # two threads that import hold each other up
        from darkai_cli.config import state

        if not state.outage(self._session.target.settings.url):
            self._session.prepare()
