"""What makes the first reply quick: loaded and connected while the person types.

Once the prompt is shown, a thread imports what a reply needs. With the first key of an input the
service is connected to, unless a connection stands already; nothing is sent on it before Enter.
Nothing here raises, and nothing waits for it: what fails shows itself when it is needed.
"""

from __future__ import annotations

import threading
from importlib import import_module
from typing import TYPE_CHECKING

from darkai_cli import stops

if TYPE_CHECKING:
    from darkai_cli.repl.session import Session

_NEEDED = (
    "darkai_cli.wire.transport",
    "darkai_cli.wire.pool",
    "darkai_cli.providers.http",
    "darkai_cli.conversation.admission",
    "darkai_cli.conversation.turn",
    "darkai_cli.conversation.substitutes",
    "darkai_cli.sinks.notices",
    "darkai_cli.sinks.journal",
    "darkai_cli.sinks.waiting",
    "darkai_cli.history.writer",
)
_RENDERED = "darkai_cli.sinks.terminal"


class Warming:
    """What is done ahead for one session."""

    def __init__(self, session: Session) -> None:
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
        stops.deaf()
        from darkai_cli.providers import registry

        session = self._session
        for name in _NEEDED:
            import_module(name)
        registry.dialect_of(session.target.settings, session.target.model)
        if session.config.markdown and not session.screen.plain:
            import_module(_RENDERED)

    def _connect(self) -> None:
        stops.deaf()
        if self._loading is not None:
            self._loading.join()  # two threads that import hold each other up
        from darkai_cli.config import state

        if not state.outage(self._session.target.settings.url):
            self._session.prepare()
