"""One prompt of a session, from what fits the window to the reply's place in the tree.

A turn in which nothing came leaves no trace in the tree: the text goes back into the input, what
was attached stays attached, and the conversation stands where it stood, in the history too (which
keeps the attempt, as one that failed). Whatever came is kept, however it ended.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

from darkai_cli import signals
from darkai_cli.conversation.branches import MessageEntry, ReplyInfo
from darkai_cli.conversation.fallback_candidates import check_can_resume
from darkai_cli.conversation.outcome import Outcome, Reply
from darkai_cli.conversation.request import TurnRequest
from darkai_cli.conversation.save import Position, TurnRecorder
from darkai_cli.conversation.sinks import Output
from darkai_cli.conversation.turn import run_turn
from darkai_cli.errors import DarkAIError, NotFoundError, StoreError, Terminated, UsageError
from darkai_cli.events import Event, ReasoningChunk, StreamStart, TextChunk, ToolCall
from darkai_cli.history import ids
from darkai_cli.history.turns import TurnIds, title_from
from darkai_cli.messages import Call, Message
from darkai_cli.output.format import OutputOptions

if TYPE_CHECKING:
    from darkai_cli.providers.base import Target
    from darkai_cli.repl.session import ChatSession as Session

CONTINUES = "`/continue` goes on with it, `/retry` asks again"
CUT = ("interrupted", "truncated")
"""States of a reply that can be continued."""


class ReplyCollector:
    """One reply. ``provider``, ``model``: who gives it, at first who was asked."""

    def __init__(self, provider: str, model: str) -> None:
        self.began = time.monotonic()
        self.first: float | None = None
        self.provider, self.model = provider, model
        self.calls: list[Call] = []
        self._texts: list[str] = []
        self._reasoning: list[str] = []

    @property
    def text(self) -> str:
        """The answer."""
        return "".join(self._texts)

    @property
    def reasoning(self) -> str:
        """The reasoning before it."""
        return "".join(self._reasoning)

    def feed(self, event: Event) -> None:
        """Remember one event."""
        if isinstance(event, TextChunk):
            if self.first is None:
                self.first = time.monotonic() - self.began
            self._texts.append(event.text)
        elif isinstance(event, ReasoningChunk):
            self._reasoning.append(event.text)
        elif isinstance(event, StreamStart):
            self.provider, self.model = event.provider, event.model
        elif isinstance(event, ToolCall):
            self.calls.append(Call(event.id, event.name, event.arguments))

    def close(self, error: BaseException | None = None) -> None:
        """Nothing more comes."""


class Asked(NamedTuple):
    """What one turn is about. ``prompt``: the new one, of which ``typed`` was typed; or None."""

    target: Target
    place: Position
    messages: tuple[Message, ...]
    prompt: Message | None = None
    typed: str = ""


class Turned(NamedTuple):
    """How a turn went. ``reply``: its entry in the tree, None if nothing came.

    ``back``: the text that did not get through, to be offered again. ``sent``: how many messages
    went out.
    """

    verdict: Outcome
    reply: MessageEntry | None
    back: str = ""
    sent: int = 0


class SessionOutput(Output):
    """The output of a session's turn: the person sees what they type as an answer."""

    def __init__(self, session: Session, recorder: TurnRecorder) -> None:
        super().__init__(session.config, OutputOptions(quiet=session.quiet), recorder)
        self._session = session

    def ask(self, question: str) -> str:
        """Ask the person at the terminal, with an echo."""
        with self._session.with_echo():
            return super().ask(question)


def send(session: Session, text: str) -> Turned:
    """Ask. What is attached goes along, once."""
    prompt = session.compose(text)
    place = Position(session.conversation, session.branches.active)
    asked = Asked(session.target, place, session.messages(prompt), prompt, text)
    turned = _turn(session, asked)
    return turned if turned.reply is not None else turned._replace(back=text)


def regenerate(session: Session, model: str | None = None) -> Turned:
    """Ask the last prompt again; the new reply stands beside the old one.

    Raises ``NotFoundError`` where nothing was asked.
    """
    prompt = session.branches.prompt()
    target = session.target_for(model) if model else session.target
    before = session.branches.active
    session.branches.move(prompt.id)
    turned = None
    try:
        place = Position(session.conversation, prompt_id=prompt.id)
        turned = _turn(session, Asked(target, place, session.messages()), before)
    finally:
        if turned is None or turned.reply is None:
            session.branches.move(before)
    return turned


def resume(session: Session) -> Turned:
    """Go on with a reply that was cut. Raises ``NotFoundError`` if the last one was not."""
    last = session.branches.branch()[-1:]
    if not last or last[0].answer is None:
        raise NotFoundError("there is no reply to continue", hint="`/retry` asks again")
    cut, answer = last[0], last[0].answer
    if answer.state not in CUT:
        raise NotFoundError("the last reply is whole", hint="`/retry` asks again")
    if not cut.message.content:  # it was stopped while it reasoned
        return regenerate(session)
    assert cut.parent is not None
    messages = session.messages()
    check_can_resume(session.target, messages, f"{answer.provider}/{answer.model}")
    place = Position(
        session.conversation,
        prompt_id=cut.parent,
        resumes=cut.turn,
        partial=cut.message.content,
    )
    return _turn(session, Asked(session.target, place, messages), session.branches.active)


def _fitting(session: Session, asked: Asked) -> tuple[Message, ...] | None:
    """What is really sent; None where the person would rather not."""
    fit = session.context_window.fit(
        asked.target, asked.messages, session.all_options(asked.target)
    )
    if not fit.overflows or session.overflow == "send":
        return asked.messages
    who = f"{asked.target.settings.name}/{asked.target.model}"
    many = "message" if fit.dropped == 1 else f"{fit.dropped} messages"
    left_out = f"the oldest {many} would have to stay out"
    if fit.prompt_is_too_long:
        left_out = "this prompt alone is too long" + (f", and {left_out}" if fit.dropped else "")
    over = f"~{fit.size} tokens, but {who} has room for ~{fit.room}"
    if session.overflow == "drop" and not fit.prompt_is_too_long:
        session.screen.line(f"warning: {over}: the oldest {many} stayed out")
        return fit.messages
    session.screen.line(f"warning: {over}: {left_out}")
    question = "send it all the same?" if fit.prompt_is_too_long else "send without them?"
    if session.reader is not None and session.reader.confirm(question):
        return fit.messages
    return None


def _turn(session: Session, asked: Asked, before: str | None = None) -> Turned:
    """One turn, from the request to the tree. ``before``: where the tree stood before a retry."""
    messages = _fitting(session, asked)
    if messages is None:
        error = UsageError(
            "nothing was sent",
            hint="`/context` shows what does not fit; `/context send` sends all the same",
        )
        return Turned(Outcome("failed", error), None)
    if session.conversation is not None:
        session.history.forget_active(session.conversation)
    is_session_target = asked.target == session.target
    request = TurnRequest(
        session.config,
        asked.target,
        messages,
        session.options,
        allow_fallback=session.allow_fallback and is_session_target,
        announces_default=is_session_target,
        log=session.log,
        pool=session.connections,
    )
    recorder = TurnRecorder(
        session.history.journal,
        asked.place,
        prompt=asked.prompt,
        title=session.title or title_of(asked),
        resume_hint=CONTINUES,
        quiet=True,
    )
    out = SessionOutput(session, recorder)
    reply = recorder.reply
    heard = ReplyCollector(asked.target.settings.name, asked.target.model)
    out.sinks.insert(0, heard)
    try:
        try:
            verdict = run_turn(request, out)
        except (StoreError, KeyboardInterrupt) as exc:  # the reply had come to its end
            verdict = reply.outcome(stayed=True, options=request.all_options)
            if isinstance(exc, StoreError):
                session.screen.line(f"warning: {exc.message}")
        if isinstance(verdict.error, Terminated):
            raise verdict.error
        session.context_window.learn(heard.provider, heard.model, messages, _counted(reply))
        turned = _kept(session, asked, heard, reply, verdict, recorder.ids, before)
    finally:
        signals.clear_interrupt()
    return turned._replace(sent=len(messages))


def _counted(reply: Reply) -> int | None:
    return reply.usage.input if reply.usage is not None else None


def title_of(asked: Asked) -> str:
    """A conversation's first title: how what was typed begins, not what was attached."""
    text, images = (asked.prompt.content, asked.prompt.images) if asked.prompt else ("", ())
    return title_from(asked.typed) or title_from(text, (image.name for image in images))


def _kept(
    session: Session,
    asked: Asked,
    heard: ReplyCollector,
    reply: Reply,
    verdict: Outcome,
    turn: TurnIds | None,
    before: str | None,
) -> Turned:
    """The turn in the tree; one in which nothing came stays out of it."""
    place, error = asked.place, verdict.error
    if verdict.state != "complete" and not reply.visible:
        if turn is not None:
            session.conversation = turn.conversation
            standing = before if asked.prompt is None else place.parent
            session.history.set_active(turn.conversation, standing)
        return Turned(verdict, None)
    if isinstance(error, DarkAIError) and verdict.state in CUT:
        error.hint = CONTINUES
    if turn is None:
        fresh = ids.new_ids(4)
        turn = TurnIds(session.conversation or fresh[0], fresh[1], fresh[2], fresh[3])
    session.conversation = turn.conversation
    parent = place.prompt_id
    if asked.prompt is not None:
        if not session.title:
            session.title = title_of(asked)
            if place.conversation is not None:  # begun by a prompt that got no answer
                session.history.rename(turn.conversation, session.title)
        session.branches.add(MessageEntry(turn.prompt, session.branches.active, asked.prompt))
        session.mark_attachments_sent(turn.prompt, asked.typed)
        parent = turn.prompt
    answer = ReplyInfo(
        heard.provider,
        heard.model,
        verdict.state,
        reply.usage,
        heard.first,
        time.monotonic() - heard.began,
        heard.reasoning,
        error.message if isinstance(error, DarkAIError) else "",
    )
    message = Message("assistant", place.partial + heard.text, calls=tuple(heard.calls))
    entry = MessageEntry(turn.reply, parent, message, answer, turn.turn)
    session.branches.add(entry)
    session.history.flush()
    return Turned(verdict, entry)
