"""One turn carried out: events into sinks and history, and the verdict on how it ended.

The same for ``ask`` and ``chat``. What ended a reply is not raised here but told in the verdict, so
that a session can go on; a command that has nothing to go on with raises it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from darkai_cli.conversation.outcome import Outcome, Reply
from darkai_cli.errors import DarkAIError
from darkai_cli.output.sink import dispatch

if TYPE_CHECKING:
    from darkai_cli.conversation.save import TurnRecorder
    from darkai_cli.conversation.sinks import Output
    from darkai_cli.events import Event


def run_turn(
    open_events: Callable[[], Iterator[Event]],
    out: Output,
    saving: TurnRecorder,
    options: Mapping[str, Any],
    *,
    quiet: bool = False,
    reply: Reply | None = None,
) -> Outcome:
    """Show and save the events that ``open_events`` gives; how they ended.

    ``reply``: a fresh one, for a caller that wants to look at it afterwards. Raises
    ``BrokenPipeError`` where the output's reader has gone, and what goes wrong with the output or
    the history.
    """
    reply = reply if reply is not None else Reply()
    stayed = True
    try:
        try:
            stayed = dispatch(open_events(), [_Watched(reply, saving), *saving.sinks, *out.sinks])
        except BaseException as exc:
            if reply.reason is None and reply.error is None:
                reply.close(exc)  # before the pump, or a second signal that it could not tell
            if isinstance(exc, BrokenPipeError) or reply.error is not exc:
                raise
    finally:
        verdict = reply.verdict(stayed=stayed, options=options)
        try:
            out.finish(complete=verdict.state == "complete")
        finally:
            saving.end(verdict, reply, quiet=quiet)
    return verdict


class _Watched:
    """The reply as the first of the sinks.

    An error that cuts it gets its hint before the others write the error down.
    """

    def __init__(self, reply: Reply, saving: TurnRecorder) -> None:
        self.feed = reply.feed  # the reply's own: nothing is added to an event's way
        self._reply = reply
        self._saving = saving

    def close(self, error: BaseException | None = None) -> None:
        """The reply is over."""
        self._reply.close(error)
        if self._reply.visible and isinstance(error, DarkAIError):
            self._saving.explain(error)
