"""A reply's way into the history: what it continues, the journal it is written to, how it ended.

Nothing here is on the way of a request but a queue: the journal opens the database in its own
thread, once the request has been sent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from darkai_cli import stdio
from darkai_cli.config import paths
from darkai_cli.errors import DarkAIError, StoreError
from darkai_cli.secrets import mask_known

if TYPE_CHECKING:
    from darkai_cli.conversation.outcome import Outcome, Reply
    from darkai_cli.conversation.resume import Resumed
    from darkai_cli.history.journal import Journal
    from darkai_cli.history.turns import TurnIds
    from darkai_cli.messages import Image
    from darkai_cli.output.sink import Tap


_SHORT = 12
"""Characters of an id that mean one conversation: its time and some of its randomness."""


class Place(NamedTuple):
    """Where in a conversation a turn stands; by default it begins one.

    ``parent``: the message above the prompt. Where a prompt that is there is answered again,
    ``prompt_id`` names it; where its reply is continued, ``resumes`` is that turn and ``partial``
    its text so far.
    """

    conversation: str | None = None
    parent: str | None = None
    prompt_id: str | None = None
    resumes: str | None = None
    partial: str = ""

    @classmethod
    def of(cls, past: Resumed) -> Place:
        """The place after what was said before."""
        return cls(past.conversation, past.parent, past.prompt_id, past.resumes, past.partial)


def journal() -> Journal:
    """The journal of this process. Nothing is opened before a turn begins."""
    from darkai_cli.history.journal import Journal

    return Journal(paths.history_file(stdio.environ()))


class TurnRecorder:
    """One turn's way into the history; without a journal it does nothing."""

    def __init__(self, journal: Journal | None, place: Place, continues: str | None = None) -> None:
        """``continues``: what goes on with a reply that was cut; None: the command for it."""
        self._place = place
        self._continues = continues
        self._journal = journal
        self._ids: TurnIds | None = None
        self._usual: str | None = None
        """The hint of the error, before it said how to continue."""

    @property
    def ids(self) -> TurnIds | None:
        """What the turn is called, once it has begun."""
        return self._ids

    @property
    def sinks(self) -> list[Tap]:
        """The journal's tap, if there is a journal."""
        if self._journal is None:
            return []
        from darkai_cli.conversation.journal_sink import JournalTap

        return [JournalTap(self._journal)]

    def begin(
        self,
        prompt: str | None,
        target: Any,
        system: str | None,
        options: Mapping[str, Any],
        *,
        title: str | None = None,
        images: Sequence[Image] = (),
    ) -> None:
        """The turn begins; ``target`` is who is asked first.

        ``title``: of a new conversation. ``images`` go along with the prompt.
        """
        if self._journal is None:
            return
        place = self._place
        self._ids = self._journal.begin(
            prompt,
            provider=target.settings.name,
            model=target.model,
            conversation=place.conversation,
            parent=place.parent if prompt is not None else None,
            prompt_id=place.prompt_id if prompt is None else None,
            title=title,
            options=options,
            system=system,
            resumes=place.resumes,
            partial=place.partial,
            images=images,
        )

    def sent(self) -> None:
        """The request is on the wire."""
        if self._journal is not None:
            self._journal.sent()

    def explain(self, error: DarkAIError) -> None:
        """Have the error that cut the reply say what continues it, if that is being kept."""
        if self._journal is not None and self._ids is not None:
            self._usual, error.hint = error.hint, self._resume

    def end(self, verdict: Outcome, reply: Reply, *, quiet: bool) -> None:
        """The turn is over. Raises ``StoreError`` if it could not be saved, and it alone failed."""
        journal = self._journal
        if journal is None or self._ids is None:
            return
        error = verdict.error
        known = isinstance(error, DarkAIError)
        try:
            journal.end(
                verdict.state,
                reason=reply.reason,
                error_kind=error.kind if isinstance(error, DarkAIError) else None,
                error=mask_known(error.message) if isinstance(error, DarkAIError) else None,
                usage=reply.usage,
            )
        except StoreError as exc:
            if error is None:
                raise
            if isinstance(error, DarkAIError) and error.hint == self._resume:
                error.hint = self._usual  # with nothing kept there is nothing to resume
            _tell("warning", exc.message)
            return
        if verdict.state not in ("interrupted", "truncated"):
            return
        if known:
            assert isinstance(error, DarkAIError)
            error.hint = self._resume
        elif error is not None and not quiet and reply.visible:
            _tell("note", f"stopped; the reply so far is kept: {self._resume}")

    def close(self, *, quiet: bool) -> None:
        """No more turns: close the journal, and tell what it warns of."""
        if self._journal is None:
            return
        self._journal.close()
        for warning in () if quiet else self._journal.warnings:
            _tell("warning", warning)

    @property
    def _resume(self) -> str:
        """What continues this reply, also once others have been asked for."""
        if self._continues is not None:
            return self._continues
        assert self._ids is not None
        short = self._ids.conversation[:_SHORT]
        return f"`darkai ask --resume --conversation {short}` continues it"


def _tell(label: Literal["note", "warning"], text: str) -> None:
    from darkai_cli.output.notices import tell  # not before the request is sent

    tell(label, text)
