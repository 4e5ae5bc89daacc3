"""What a turn is asked to do, and what it tells its caller while it runs.

``TurnRequest`` is all that is decided before the first request of a turn. ``TurnObserver`` learns
what is no event of the reply: that a request begins, is on the wire, or has to wait.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from darkai_cli.config import Config
    from darkai_cli.history.turns import TurnIds
    from darkai_cli.http.connection import ConnectionPool
    from darkai_cli.messages import Message
    from darkai_cli.providers.base import Target


class TurnRequest(NamedTuple):
    """Everything that is decided about a turn before its first request.

    ``target``: the provider and model to ask first. ``messages``: all that is sent. ``options``:
    those of this turn, over the provider's. ``allow_fallback``: whether other providers may answer.
    ``announces_default``: whether the first use ever of the public service is worth a notice.
    ``connect_timeout`` and ``max_wait`` in seconds, and ``retries``: None for the configured ones.
    ``log``: takes the lines of ``--debug``. ``pool``: keeps the connection for the next turn.
    ``ids``: what the turn is saved as.
    """

    config: Config
    target: Target
    messages: tuple[Message, ...]
    options: Mapping[str, Any]
    allow_fallback: bool = False
    announces_default: bool = False
    connect_timeout: float | None = None
    retries: int | None = None
    max_wait: float | None = None
    log: Callable[[str], None] | None = None
    pool: ConnectionPool | None = None
    ids: TurnIds | None = None

    @property
    def all_options(self) -> dict[str, Any]:
        """The options in force: the provider's, and over them those of this turn."""
        return {**self.target.settings.options, **self.options}


class TurnObserver:
    """What a turn tells its caller beside the events; this one, the Python API's, ignores it."""

    @property
    def can_ask(self) -> bool:
        """Whether a person can be asked."""
        return False

    @property
    def counts_down(self) -> bool:
        """Whether a countdown can be shown."""
        return False

    def request_started(self, host: str) -> None:
        """A request to ``host`` begins."""

    def request_sent(self) -> None:
        """The request is on the wire."""

    def wait_ended(self) -> None:
        """The request is not waited for any more: its first event has come, or it has failed."""

    def count_down(self, reason: str, seconds: float) -> None:
        """Wait so many seconds and show how many remain, and why."""

    def ask(self, question: str) -> str:  # noqa: ARG002 -- nobody can be asked here
        """Ask the person at the terminal and return the answer; "" is no agreement."""
        return ""


SILENT = TurnObserver()
