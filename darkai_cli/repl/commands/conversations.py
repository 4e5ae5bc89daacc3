"""Commands about conversations: list, search, open, start, name."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from darkai_cli.errors import NotFoundError, UsageError
from darkai_cli.history.turns import title_from
from darkai_cli.repl import transcript
from darkai_cli.repl.commands.command import Action, Prefill, command
from darkai_cli.repl.commands.messages import reject_argument
from darkai_cli.repl.pastes import as_input
from darkai_cli.text import ago

if TYPE_CHECKING:
    from darkai_cli.repl.session import ChatSession

_MAX_ROWS = 15


@command("history", summary="List recent conversations")
def history(session: ChatSession, argument: str) -> None:
    """`/open ID` resumes one. `darkai history` in your shell can do more."""
    reject_argument(argument, "/history")
    with session.store() as store:
        conversations = store.conversations(limit=_MAX_ROWS)
    if not conversations:
        raise NotFoundError("No conversations are saved yet", hint=None)
    now = time.time()
    width = max(len(conversation.short) for conversation in conversations)
    for conversation in conversations:
        mark = "*" if conversation.id == session.conversation else " "
        when = ago(now - conversation.updated / 1000)
        session.screen.line(
            f"{mark} {conversation.short:<{width}}  {when:>11}  {conversation.title}"[
                : session.screen.width - 1
            ]
        )


@command("search", summary="Search all conversations", arguments="WORDS")
def search(session: ChatSession, argument: str) -> None:
    """Finds messages with all the words. Quotes hold a phrase together, `retr*` finds all
    words that begin with these letters.
    """
    if not argument:
        raise UsageError("`/search` needs words", hint='`/search "rate limit" retry*`')
    from darkai_cli.history import search as searching

    with session.store() as store:
        hits = searching.search(store, argument, limit=_MAX_ROWS).hits
        shorts = {hit.conversation: store.short(hit.conversation) for hit in hits}
    if not hits:
        raise NotFoundError(f"No matches for `{argument[:60]}`", hint=None)
    for hit in hits:
        author = "you" if hit.model is None else hit.model
        session.screen.line(f"{shorts[hit.conversation]}  {hit.title[:40]}, {author}:")
        session.screen.snippet(hit.snippet)


@command("open", summary="Resume another conversation", arguments="ID", completes="conversation")
def open_(session: ChatSession, argument: str) -> Action:
    """The current conversation stays in the history. Any unique prefix of an ID works."""
    if not argument:
        raise UsageError("`/open` needs the ID of a conversation", hint="`/history` lists them")
    try:
        session.reopen(argument)
    except NotFoundError as error:
        error.hint = "`/history` lists recent conversations, `/search` finds older ones"
        raise
    transcript.show_conversation(session)
    return Prefill(as_input(session.unanswered_prompt()))


@command("new", summary="Start a new conversation")
def new(session: ChatSession, argument: str) -> None:
    """Keeps the model, the system prompt and the options. The current conversation stays in the
    history.
    """
    reject_argument(argument, "/new")
    session.start_new()
    session.screen.dim("Started a new conversation.")


@command("title", summary="Show or change the title", arguments="[TEXT]")
def title(session: ChatSession, argument: str) -> None:
    """By default the title is the beginning of the first prompt. With `title = "model"` in the
    configuration, darkai asks the model for one after the first turn.
    """
    if not argument:
        session.screen.line(session.title or "No title yet.")
        return
    session.title, session.titled = title_from(argument), True
    session.history.rename(session.conversation, session.title)
    session.screen.dim(f'Title: "{session.title}"')
