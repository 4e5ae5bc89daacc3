"""What the chat shows of earlier messages, and the lines below a reply."""

from __future__ import annotations

from typing import TYPE_CHECKING

from darkai_cli.conversation.context_window import estimate
from darkai_cli.providers.base import format_dollars
from darkai_cli.repl.turn import CONTINUE_HINT, CUT_STATES
from darkai_cli.text import one_line, plural

if TYPE_CHECKING:
    from collections.abc import Iterator

    from darkai_cli.conversation.branches import MessageEntry, ReplyInfo
    from darkai_cli.providers.base import ModelInfo
    from darkai_cli.repl.session import ChatSession

_PROMPT_LINES = 10
_MAX_REPLY = 40_000
"""Characters of an earlier reply that are displayed; ``/raw`` prints all."""


def show_conversation(session: ChatSession) -> None:
    """Show the title of the resumed conversation and its last turn."""
    session.screen.dim(f'Resumed "{one_line(session.title)}" with {session.name}.')
    show_end(session)


def show_end(session: ChatSession) -> None:
    """Show the last turn of the active branch."""
    for entry in session.branches.branch()[-2:]:
        if entry.message.role == "user":
            _prompt(session, entry.message.content)
        else:
            _reply(session, entry)


def _prompt(session: ChatSession, text: str) -> None:
    lines = text.strip("\n").split("\n")
    for number, line in enumerate(lines[:_PROMPT_LINES]):
        session.screen.dim(f"{'>' if number == 0 else '.'} {line[:500]}")
    if len(lines) > _PROMPT_LINES:
        session.screen.dim(f". ({plural(len(lines) - _PROMPT_LINES, 'more line')})")


def _reply(session: ChatSession, entry: MessageEntry) -> None:
    text = entry.message.content
    if len(text) > _MAX_REPLY:
        session.screen.dim("(end of a long reply; `/raw` prints all of it)")
        text = text[-_MAX_REPLY:].partition("\n")[2] or text[-_MAX_REPLY:]
    if text:
        session.screen.reply(session.config, text)
    answer = entry.answer
    if answer is not None and answer.state in CUT_STATES:
        ending = "cut off" if answer.state == "truncated" else answer.state
        session.screen.dim(f"The reply was {ending}. {CONTINUE_HINT}.")


def show_summary(session: ChatSession, entry: MessageEntry, sent: int) -> None:
    """Show the line below a reply, and more with ``/verbose``.

    ``sent``: the number of messages in the request.
    """
    answer = entry.answer
    if answer is None or session.quiet:
        return
    info = session.model_info(answer.provider, answer.model)
    session.screen.dim(summary(answer, entry.message.content, info))
    if session.verbose:
        for line in details(session, answer, sent):
            session.screen.dim(line)


def summary(answer: ReplyInfo, text: str, info: ModelInfo | None = None) -> str:
    """Return the line below a reply: model, time to the first text, tokens, speed, cost."""
    parts = [f"{answer.provider}/{answer.model}"]
    if answer.first_text is not None:
        parts.append(f"first token {answer.first_text:.1f} s")
    reported = answer.usage.output if answer.usage is not None else None
    count = reported if reported is not None else round(estimate(text))
    if count:
        parts.append(f"{'' if reported is not None else '~'}{count} tokens")
        seconds = (answer.duration or 0) - (answer.first_text or 0)
        if seconds > 0.2:
            parts.append(f"{count / seconds:.0f}/s")
    dollars = info.cost(answer.usage) if info is not None else None
    if dollars is not None:
        parts.append(format_dollars(dollars))
    return " · ".join(parts)


def details(session: ChatSession, answer: ReplyInfo, sent: int) -> Iterator[str]:
    """Yield the lines of ``/verbose``: messages and options sent, tokens, times."""
    fit = session.fit()
    room = f" of ~{fit.room}" if fit.room else ""
    options = ", ".join(f"{name}={value}" for name, value in session.all_options().items())
    yield f"sent {plural(sent, 'message')}" + (f" with {options}" if options else "")
    usage = answer.usage
    if usage is not None:
        counts = (("in", usage.input), ("out", usage.output), ("reasoning", usage.reasoning),
                  ("cached", usage.cached))  # fmt: skip
        listed = ", ".join(f"{count} {name}" for name, count in counts if count is not None)
        yield f"tokens: {listed}" if listed else "tokens: not reported by the service"
    else:
        yield "tokens: not reported by the service"
    took = f"{answer.duration:.2f} s in total" if answer.duration is not None else ""
    first = (
        f"first token after {answer.first_text:.2f} s, " if answer.first_text is not None else ""
    )
    yield f"{first}{took}; ~{fit.size}{room} tokens in the conversation"
