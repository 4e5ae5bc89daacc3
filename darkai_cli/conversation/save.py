"""Save a turn in the history: where it stands in its conversation, what came, how it ended.

Nothing here delays a request: the journal opens the database in its own thread, once the request
has been sent, and takes events through a queue.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from darkai_cli import stdio
from darkai_cli.config import paths
from darkai_cli.conversation.outcome import Reply
from darkai_cli.errors import DarkAIError, StoreError
from darkai_cli.events import Event, StreamStart
from darkai_cli.secrets import mask_known

if TYPE_CHECKING:
    from darkai_cli.conversation.outcome import Outcome
    from darkai_cli.conversation.request import TurnRequest
    from darkai_cli.history.journal import Journal
    from darkai_cli.history.turns import TurnIds
    from darkai_cli.messages import Message

_SHORT = 12
"""Characters of an id that name one conversation: its time and some of its randomness."""


class Position(NamedTuple):
    """Where in a conversation a turn stands; by default it begins one.

    ``parent``: the message above the prompt. Where a saved prompt is answered again, ``prompt_id``
    names it; where its reply is continued, ``resumes`` is that turn and ``partial`` its text.
    """

    conversation: str | None = None
    parent: str | None = None
    prompt_id: str | None = None
    resumes: str | None = None
    partial: str = ""


NEW_CONVERSATION = Position()


def open_journal() -> Journal:
    """Return the journal of this process. Nothing is opened before a turn begins."""
    from darkai_cli.history.journal import Journal

    return Journal(paths.history_file(stdio.environ()))


class TurnRecorder:
    """The sink that saves one turn in the history; without a journal it saves nothing.

    ``prompt``: the new message; None where a saved prompt is answered again. ``title``: of a new
    conversation. ``resume_hint``: how to continue a reply that was cut; None for the command that
    does. ``quiet``: no notes for the user. ``reply``: what the turn brought, judged at its end.
    ``ids``: what the turn is called, once it has begun.
    """

    def __init__(
        self,
        journal: Journal | None = None,
        position: Position = NEW_CONVERSATION,
        *,
        prompt: Message | None = None,
        title: str | None = None,
        resume_hint: str | None = None,
        quiet: bool = False,
    ) -> None:
        self.reply = Reply()
        self.ids: TurnIds | None = None
        self.position = position
        self._journal = journal
        self._prompt = prompt
        self._title = title
        self._resume_hint = resume_hint
        self._quiet = quiet
        self._usual_hint: str | None = None
        """The hint of the error, before it said how to continue."""

    @property
    def is_saving(self) -> bool:
        """Whether the turn is saved."""
        return self._journal is not None

    def begin(self, request: TurnRequest) -> TurnIds | None:
        """The turn begins. Return what it is called; None if it is not saved."""
        if self._journal is None:
            return None
        position, prompt, messages = self.position, self._prompt, request.messages
        self.ids = self._journal.begin(
            prompt.content if prompt is not None else None,
            provider=request.target.settings.name,
            model=request.target.model,
            conversation=position.conversation,
            parent=position.parent if prompt is not None else None,
            prompt_id=position.prompt_id if prompt is None else None,
            title=self._title,
            options=request.all_options,
            system=messages[0].content if messages and messages[0].role == "system" else None,
            resumes=position.resumes,
            partial=position.partial,
            images=prompt.images if prompt is not None else (),
        )
        return self.ids

    def sent(self) -> None:
        """The request is on the wire."""
        if self._journal is not None:
            self._journal.sent()

    def feed(self, event: Event) -> None:
        """Note one event, and hand it to the journal, which writes it in a thread of its own."""
        journal = self._journal
        if event.type == "text-chunk":
            self.reply.visible = True  # all that ``Reply.feed`` does, for most events of a reply
            if journal is not None:
                journal.text(event.text)
            return
        self.reply.feed(event)
        if journal is None:
            return
        if isinstance(event, StreamStart):
            journal.answered(event.provider, event.model)
        else:
            journal.take(event)

    def close(self, error: BaseException | None = None) -> None:
        """The reply is over: an error that cut it says what continues it, if it is saved."""
        self.reply.close(error)
        if self.reply.visible and isinstance(error, DarkAIError) and self.ids is not None:
            self._usual_hint, error.hint = error.hint, self._resume

    def end(self, outcome: Outcome) -> None:
        """The turn is over. Raises ``StoreError`` if it is not saved and nothing else failed."""
        journal, reply, error = self._journal, self.reply, outcome.error
        if journal is None or self.ids is None:
            return
        fault = error if isinstance(error, DarkAIError) else None
        try:
            journal.end(
                outcome.state,
                reason=reply.reason,
                error_kind=fault.kind if fault is not None else None,
                error=mask_known(fault.message) if fault is not None else None,
                usage=reply.usage,
            )
        except StoreError as exc:
            if error is None:
                raise
            if fault is not None and fault.hint == self._resume:
                fault.hint = self._usual_hint  # nothing is saved, so nothing can be resumed
            _print("warning", exc.message)
            return
        if outcome.state not in ("interrupted", "truncated"):
            return
        if fault is not None:
            fault.hint = self._resume
        elif error is not None and not self._quiet and reply.visible:
            _print("note", f"Stopped. The reply so far is saved. {self._resume}")

    def close_journal(self) -> None:
        """Close the journal, after the last turn, and show its warnings."""
        if self._journal is None:
            return
        self._journal.close()
        for warning in () if self._quiet else self._journal.warnings:
            _print("warning", warning)

    @property
    def _resume(self) -> str:
        """What continues this reply, also after other conversations."""
        if self._resume_hint is not None:
            return self._resume_hint
        assert self.ids is not None
        short = self.ids.conversation[:_SHORT]
        return f"To continue it: `darkai ask --resume --conversation {short}`"


def _print(label: Literal["note", "warning"], text: str) -> None:
    from darkai_cli.output.notices import tell  # not before the request is sent

    tell(label, text)
