"""One turn of a chat: what is sent, and where the reply goes in the tree of messages.

If nothing came, the tree stays as it was: the text goes back into the input, and the attachments
stay attached. The history keeps such a turn as failed. Any text that came is added to the tree,
however the reply ended.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

from darkai_cli import signals
from darkai_cli.conversation.branches import MessageEntry, ReplyInfo
from darkai_cli.conversation.fallback_candidates import check_can_resume
from darkai_cli.conversation.outcome import Outcome
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
    from darkai_cli.repl.session import ChatSession

CONTINUE_HINT = "`/continue` picks up where it left off; `/retry` starts over"
CUT_STATES = ("interrupted", "truncated")
"""States of a reply that can be continued."""


class TurnResult(NamedTuple):
    """How a turn went.

    ``reply`` is its entry in the tree, None if nothing came. ``unsent`` is the text to offer again.
    ``sent`` is the number of messages in the request.
    """

    outcome: Outcome
    reply: MessageEntry | None
    unsent: str = ""
    sent: int = 0


def send(session: ChatSession, text: str) -> TurnResult:
    """Send a prompt with the attachments."""
    prompt = session.compose(text)
    position = Position(session.conversation, session.branches.active)
    messages = session.messages(prompt)
    result = _Turn(session, session.target, position, messages, prompt, text).run()
    return result if result.reply is not None else result._replace(unsent=text)


def regenerate(session: ChatSession, model: str | None = None) -> TurnResult:
    """Send the last prompt again, once to ``model``; the new reply is added beside the old one.

    Raises ``NotFoundError`` if there is no prompt or no such model.
    """
    prompt = session.branches.prompt()
    target = session.target_for(model) if model else session.target
    active = session.branches.active
    session.branches.move(prompt.id)
    result = None
    try:
        position = Position(session.conversation, prompt_id=prompt.id)
        result = _Turn(session, target, position, session.messages(), previous=active).run()
    finally:
        if result is None or result.reply is None:
            session.branches.move(active)
    return result


def continue_reply(session: ChatSession) -> TurnResult:
    """Have the model continue the last reply. Raises ``NotFoundError`` if it was not cut off."""
    entry = next(iter(session.branches.branch()[-1:]), None)
    if entry is None or entry.answer is None:
        raise NotFoundError("No reply to continue", hint="`/retry` sends the last prompt again")
    if entry.answer.state not in CUT_STATES:
        raise NotFoundError("The last reply is already complete", hint="`/retry` starts over")
    partial = entry.message.content
    if not partial:
        # It was stopped during the reasoning.
        return regenerate(session)
    messages = session.messages()
    check_can_resume(session.target, messages, f"{entry.answer.provider}/{entry.answer.model}")
    position = Position(
        session.conversation, prompt_id=entry.parent, resumes=entry.turn, partial=partial
    )
    active = session.branches.active
    return _Turn(session, session.target, position, messages, previous=active).run()


class _Turn:
    """A turn that is about to run.

    ``prompt`` is a new prompt, of which the user typed ``text``; None if the turn repeats one or
    continues a reply. ``previous`` is the message that was active before.
    """

    def __init__(
        self,
        session: ChatSession,
        target: Target,
        position: Position,
        messages: tuple[Message, ...],
        prompt: Message | None = None,
        text: str = "",
        *,
        previous: str | None = None,
    ) -> None:
        self._session = session
        self._target = target
        self._position = position
        self._messages = messages
        self._prompt = prompt
        self._text = text
        self._previous = previous if prompt is None else position.parent

    def run(self) -> TurnResult:
        """Run the turn and add the reply to the tree. Raises ``Terminated``."""
        session = self._session
        messages = _fit(session, self._target, self._messages)
        if messages is None:
            error = UsageError(
                "Nothing was sent",
                hint="`/context` shows what doesn't fit; `/context send` sends everything",
            )
            return TurnResult(Outcome("failed", error), None)
        if session.conversation is not None:
            session.history.forget_active(session.conversation)
        collector = ReplyCollector(self._target)
        recorder = TurnRecorder(
            session.history.journal,
            self._position,
            prompt=self._prompt,
            title=session.title or self._title(),
            resume_hint=CONTINUE_HINT,
            quiet=True,
        )
        try:
            outcome = self._stream(messages, collector, recorder)
            if isinstance(outcome.error, Terminated):
                raise outcome.error
            usage = recorder.reply.usage
            counted = usage.input if usage is not None else None
            session.context_window.learn(collector.provider, collector.model, messages, counted)
            if outcome.state == "complete" or recorder.reply.visible:
                entry = self._add_to_tree(outcome, collector, recorder)
            else:
                entry = None
                self._restore(recorder.ids)
        finally:
            signals.clear_interrupt()
        return TurnResult(outcome, entry, sent=len(messages))

    def _stream(
        self, messages: tuple[Message, ...], collector: ReplyCollector, recorder: TurnRecorder
    ) -> Outcome:
        """Send the request, show and save the reply, and return how it ended."""
        session = self._session
        is_session_target = self._target == session.target
        request = TurnRequest(
            session.config,
            self._target,
            messages,
            session.options,
            allow_fallback=session.allow_fallback and is_session_target,
            announces_default=is_session_target,
            log=session.log,
            pool=session.connections,
        )
        output = ChatOutput(session, recorder)
        output.sinks.insert(0, collector)
        try:
            return run_turn(request, output)
        except (StoreError, KeyboardInterrupt) as exc:
            # The reply had come to its end before the history failed, or Ctrl-C came.
            if isinstance(exc, StoreError):
                session.screen.line(f"warning: {exc.message}")
            return recorder.reply.outcome(stayed=True, options=request.all_options)

    def _title(self) -> str:
        """Return a new conversation's title: the start of what was typed, else of the prompt."""
        if self._prompt is None:
            return ""
        images = (image.name for image in self._prompt.images)
        return title_from(self._text) or title_from(self._prompt.content, images)

    def _restore(self, turn: TurnIds | None) -> None:
        """Leave the tree as it was before a turn in which nothing came, in the history too."""
        if turn is not None:
            self._session.conversation = turn.conversation
            self._session.history.set_active(turn.conversation, self._previous)

    def _add_to_tree(
        self, outcome: Outcome, collector: ReplyCollector, recorder: TurnRecorder
    ) -> MessageEntry:
        """Add the prompt and the reply to the tree; return the reply's entry."""
        session, position, error = self._session, self._position, outcome.error
        if isinstance(error, DarkAIError) and outcome.state in CUT_STATES:
            error.hint = CONTINUE_HINT
        turn = recorder.ids or _unsaved_ids(session.conversation)
        session.conversation = turn.conversation
        parent = position.prompt_id
        if self._prompt is not None:
            if not session.title:
                session.title = self._title()
                # The history has the title of an earlier prompt, in reply to which nothing came.
                if position.conversation is not None:
                    session.history.rename(turn.conversation, session.title)
            session.branches.add(MessageEntry(turn.prompt, session.branches.active, self._prompt))
            session.mark_attachments_sent(turn.prompt, self._text)
            parent = turn.prompt
        message = Message(
            "assistant", position.partial + collector.text, calls=tuple(collector.calls)
        )
        answer = ReplyInfo(
            collector.provider,
            collector.model,
            outcome.state,
            recorder.reply.usage,
            collector.first_text,
            time.monotonic() - collector.started,
            collector.reasoning,
            error.message if isinstance(error, DarkAIError) else "",
        )
        entry = MessageEntry(turn.reply, parent, message, answer, turn.turn)
        session.branches.add(entry)
        session.history.flush()
        return entry


class ChatOutput(Output):
    """The output of a chat's turn. The user sees what they type in reply to a question."""

    def __init__(self, session: ChatSession, recorder: TurnRecorder) -> None:
        super().__init__(session.config, OutputOptions(quiet=session.quiet), recorder)
        self._session = session

    def ask(self, question: str) -> str:
        """Ask the user, with an echo, and return the line."""
        with self._session.with_echo():
            return super().ask(question)


class ReplyCollector:
    """A sink that collects one reply for the tree: its text, reasoning, tool calls and times."""

    def __init__(self, target: Target) -> None:
        self.provider, self.model = target.settings.name, target.model
        self.started = time.monotonic()
        self.first_text: float | None = None
        """Seconds until the first text."""
        self.calls: list[Call] = []
        self._texts: list[str] = []
        self._reasoning: list[str] = []

    @property
    def text(self) -> str:
        """The text so far."""
        return "".join(self._texts)

    @property
    def reasoning(self) -> str:
        """The reasoning so far."""
        return "".join(self._reasoning)

    def feed(self, event: Event) -> None:
        """Collect one event."""
        if isinstance(event, TextChunk):
            if self.first_text is None:
                self.first_text = time.monotonic() - self.started
            self._texts.append(event.text)
        elif isinstance(event, ReasoningChunk):
            self._reasoning.append(event.text)
        elif isinstance(event, StreamStart):
            self.provider, self.model = event.provider, event.model
        elif isinstance(event, ToolCall):
            self.calls.append(Call(event.id, event.name, event.arguments))

    def close(self, error: BaseException | None = None) -> None:
        """Do nothing: the reply is over."""


def _fit(
    session: ChatSession, target: Target, messages: tuple[Message, ...]
) -> tuple[Message, ...] | None:
    """Return the messages that fit the context window, or None if the user declines to send them.

    ``session.overflow`` says whether messages that do not fit are sent, left out, or asked about.
    """
    fit = session.context_window.fit(target, messages, session.all_options(target))
    if not fit.overflows or session.overflow == "send":
        return messages
    oldest = "the oldest message" if fit.dropped == 1 else f"the oldest {fit.dropped} messages"
    excess = f"~{fit.size} tokens don't fit {target.settings.name}/{target.model}"
    excess = f"{excess} (room for ~{fit.room})"
    if session.overflow == "drop" and not fit.prompt_is_too_long:
        session.screen.line(f"warning: {excess}: left out {oldest}")
        return fit.messages
    if fit.prompt_is_too_long:
        problem = "this prompt alone is too long"
        question = "Send it anyway?"
    else:
        problem = f"{oldest} must be left out"
        question = f"Send without {oldest}?"
    session.screen.line(f"warning: {excess}: {problem}")
    if session.reader is not None and session.reader.confirm(question):
        return fit.messages
    return None


def _unsaved_ids(conversation: str | None) -> TurnIds:
    """Return ids for a turn that is not saved."""
    fresh = ids.new_ids(4)
    return TurnIds(conversation or fresh[0], fresh[1], fresh[2], fresh[3])
