"""What a reply brought, from its events, and how it ended: a state for the history, and an error.

``Reply`` is a sink beside the others. The error, if there is one, has the exit code.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from darkai_cli.errors import DarkAIError, IncompleteReplyError, RefusedError
from darkai_cli.events import EndReason, Event, Usage

State = Literal["complete", "interrupted", "truncated", "failed"]

LIMIT_OPTIONS = frozenset(
    {"max_tokens", "max_completion_tokens", "max_output_tokens", "maxOutputTokens", "num_predict"}
)
"""Options with which a user limits the length of a reply."""


class Outcome(NamedTuple):
    """How a reply ended. ``error``: what to show and exit with, None for success."""

    state: State
    error: BaseException | None


class Reply:
    """What one reply brought. ``visible``: whether anything of it was shown."""

    def __init__(self) -> None:
        self.usage: Usage | None = None
        self.reason: EndReason | None = None
        self.error: BaseException | None = None
        self.visible = False

    def feed(self, event: Event) -> None:
        """Take one event."""
        kind = event.type
        if kind in ("text-chunk", "reasoning-chunk", "tool-call", "citation"):
            self.visible = True
        elif isinstance(event, Usage):
            self.usage = event
        elif event.type == "stream-end":
            self.reason = event.reason

    def close(self, error: BaseException | None = None) -> None:
        """The reply is over."""
        self.error = error

    def outcome(self, *, stayed: bool, options: Mapping[str, Any]) -> Outcome:
        """Return how the reply ended. ``stayed``: whether the output was read to the end."""
        error = self.error
        if isinstance(error, DarkAIError):
            return Outcome("truncated" if self.visible else "failed", error)
        if error is not None or (not stayed and self.reason is None):
            return Outcome("interrupted", error)
        if self.reason == "cancelled":  # by a signal, while it was recorded
            return Outcome("interrupted", KeyboardInterrupt())
        if self.reason == "length":
            if LIMIT_OPTIONS & options.keys():
                return Outcome("truncated", None)
            cut = IncompleteReplyError(
                "The reply was cut off at the model's length limit",
                hint="Ask for a shorter reply, or for the rest",
            )
            cut.reported = True  # by the reason in the last event
            return Outcome("truncated", cut)
        if self.reason == "filtered":
            refused = RefusedError("The service stopped the reply (content filter)")
            refused.reported = True
            return Outcome("truncated", refused)
        return Outcome("complete", None)
