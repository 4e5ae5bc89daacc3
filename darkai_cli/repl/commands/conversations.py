"""Commands about conversations: list, search, open, start, name."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from darkai_cli.errors import NotFoundError, UsageError
from darkai_cli.history.turns import title_from
from darkai_cli.repl import transcript
from darkai_cli.repl.commands.command import Action, Prefill, command
from darkai_cli.repl.commands.messages import reject_argument
from darkai_cli.text import ago

if TYPE_CHECKING:
    from darkai_cli.repl.session import ChatSession

_MAX_ROWS = 15


@command("history", topic="history", summary="list the latest conversations")
def history(session: ChatSession, argument: str) -> Action:
    """`/open ID` goes on with one; `darkai history` can do more."""
    reject_argument(argument, "/history")
    with session.store() as store:
        conversations = store.conversations(limit=_MAX_ROWS)
    if not conversations:
        raise NotFoundError("no conversation is saved yet", hint=None)
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
    return None


@command("search", topic="history", summary="search all conversations", arguments="WORDS")
def search(session: ChatSession, argument: str) -> Action:
    """All words must occur; "a phrase" in quotes, `begin*` for beginnings."""
    if not argument:
        raise UsageError("`/search` needs words", hint='`/search "rate limit" retry*`')
    from darkai_cli.history import search as searching

    with session.store() as store:
        hits = searching.search(store, argument, limit=_MAX_ROWS).hits
        shorts = {hit.conversation: store.short(hit.conversation) for hit in hits}
    if not hits:
        raise NotFoundError(f"nothing was found for `{argument[:60]}`", hint=None)
    for hit in hits:
        author = "you" if hit.model is None else hit.model
        session.screen.line(f"{shorts[hit.conversation]}  {hit.title[:40]}, {author}:")
        session.screen.snippet(hit.snippet)
    return None


@command(
    "open", topic="history", summary="go on with another conversation", arguments="ID",
    completes="conversation",
)  # fmt: skip
def open_(session: ChatSession, argument: str) -> Action:
    """The present one stays in the history."""
    if not argument:
        raise UsageError("`/open` needs the id of a conversation", hint="`/history` shows them")
    try:
        session.reopen(argument)
    except NotFoundError as error:
        error.hint = "`/history` lists the latest, `/search WORDS` finds others"
        raise
    transcript.show_conversation(session)
    return Prefill(session.unanswered_prompt())


@command("new", topic="history", summary="begin a new conversation")
def new(session: ChatSession, argument: str) -> Action:
    """Model, system prompt and options stay; the present conversation is in the history."""
    reject_argument(argument, "/new")
    session.start_new()
    session.screen.dim("a new conversation")
    return None


@command("title", topic="history", summary="show or change the title", arguments="[TEXT]")
def title(session: ChatSession, argument: str) -> Action:
    """Until you choose one, it is how the first prompt begins; with `title = "model"` in the
    configuration the model is asked for one after the first exchange.
    """
    if not argument:
        session.screen.line(session.title or "there is no title yet")
        return None
    session.title, session.titled = title_from(argument), True
    session.history.rename(session.conversation, session.title)
    session.screen.dim(f"the title is `{session.title}`")
    return None
