"""What a session shows of what was said before, and the lines below a reply."""

from __future__ import annotations

from typing import TYPE_CHECKING

from darkai_cli.conversation.context_window import estimate
from darkai_cli.providers.base import format_dollars
from darkai_cli.text import one_line, plural

if TYPE_CHECKING:
    from collections.abc import Iterator

    from darkai_cli.conversation.branches import MessageEntry, ReplyInfo
    from darkai_cli.providers.base import ModelInfo
    from darkai_cli.repl.session import ChatSession

_PROMPT_LINES = 10
_LONGEST = 40_000
"""Characters of a reply that are shown again; ``/raw`` shows all."""


def show_conversation(session: ChatSession) -> None:
    """The conversation that the session goes on with: its name, and its last exchange."""
    title = one_line(session.title)
    session.screen.dim(f"going on with `{title}`; {session.name} answers")
    show_end(session)


def show_end(session: ChatSession) -> None:
    """The last exchange of the active branch, as it was shown, and what can be done with it."""
    shown = session.branches.branch()[-2:]
    for entry in shown:
        if entry.message.role == "user":
            _prompt(session, entry.message.content)
        else:
            _reply(session, entry)


def _prompt(session: ChatSession, text: str) -> None:
    lines = text.strip("\n").split("\n")
    for number, line in enumerate(lines[:_PROMPT_LINES]):
        session.screen.dim(f"{'>' if number == 0 else '.'} {line[:500]}")
    if len(lines) > _PROMPT_LINES:
        session.screen.dim(f". ({len(lines) - _PROMPT_LINES} more lines)")


def _reply(session: ChatSession, entry: MessageEntry) -> None:
    text = entry.message.content
    if len(text) > _LONGEST:
        session.screen.dim("(the end of a long reply; `/raw` shows all of it)")
        text = text[-_LONGEST:].partition("\n")[2] or text[-_LONGEST:]
    if text:
        session.screen.reply(session.config, text)
    answer = entry.answer
    if answer is not None and answer.state in ("interrupted", "truncated"):
        session.screen.dim(f"{answer.state}; `/continue` goes on with it, `/retry` asks again")


def below(session: ChatSession, entry: MessageEntry, sent: int) -> None:
    """The lines below a reply: one, and more with ``/verbose``."""
    answer = entry.answer
    if answer is None or session.quiet:
        return
    known = session.model_info(answer.provider, answer.model)
    session.screen.dim(summary(answer, entry.message.content, known))
    if session.verbose:
        for line in details(session, answer, sent):
            session.screen.dim(line)


def summary(answer: ReplyInfo, text: str, known: ModelInfo | None = None) -> str:
    """The line below a reply: who, how soon, how much, how fast, for how much money."""
    parts = [f"{answer.provider}/{answer.model}"]
    if answer.first_text is not None:
        parts.append(f"first text {answer.first_text:.1f} s")
    told = answer.usage.output if answer.usage is not None else None
    count = told if told is not None else round(estimate(text))
    if count:
        parts.append(f"{'' if told is not None else '~'}{count} tokens")
        writing = (answer.duration or 0) - (answer.first_text or 0)
        if writing > 0.2:
            parts.append(f"{count / writing:.0f}/s")
    dollars = known.cost(answer.usage) if known is not None else None
    if dollars is not None:
        parts.append(format_dollars(dollars))
    return " · ".join(parts)


def details(session: ChatSession, answer: ReplyInfo, sent: int) -> Iterator[str]:
    """What ``/verbose`` tells beyond that: what went out, what was counted, how long it took."""
    fit = session.fit()
    room = f" of ~{fit.room}" if fit.room else ""
    options = ", ".join(f"{name}={value}" for name, value in session.all_options().items())
    yield f"sent {plural(sent, 'message')}" + (f" with {options}" if options else "")
    usage = answer.usage
    if usage is not None:
        counts = (("in", usage.input), ("out", usage.output), ("reasoning", usage.reasoning),
                  ("from a cache", usage.cached))  # fmt: skip
        told = ", ".join(f"{count} {what}" for what, count in counts if count is not None)
        yield f"tokens: {told}" if told else "the service told no tokens"
    else:
        yield "the service told no tokens"
    took = f"{answer.duration:.2f} s in all" if answer.duration is not None else ""
    first = f"first text after {answer.first_text:.2f} s, " if answer.first_text is not None else ""
    yield f"{first}{took}; ~{fit.size}{room} tokens in the conversation now"
