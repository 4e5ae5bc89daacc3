"""What was said before: the conversation that a prompt continues, or the reply that is resumed.

Reads the history once and closes it; what is said next is the journal's business.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import NamedTuple

from darkai_cli.errors import NotFoundError
from darkai_cli.messages import Message


class Resumed(NamedTuple):
    """A conversation as it will be continued.

    ``parent``: the message that the next prompt stands below. When a reply is resumed,
    ``prompt_id`` is the prompt it answers, ``resumes`` its turn, and ``partial`` its text so far.
    ``model``: ``provider/model`` of the last turn. ``age``: seconds since it changed.
    """

    conversation: str
    short: str
    title: str
    age: float
    messages: tuple[Message, ...]
    system: str | None
    model: str | None
    parent: str | None
    prompt_id: str | None = None
    resumes: str | None = None
    partial: str = ""
    warnings: tuple[str, ...] = ()


def load(path: Path, typed: str | None, *, resume: bool) -> Resumed:
    """The latest conversation, or the one whose id begins with ``typed``.

    ``resume``: its last reply is to be continued. Raises ``NotFoundError`` if there is none such,
    and ``StoreError``: a damaged history is left where it is, since a question without what was
    said before is another question.
    """
    from darkai_cli.history.store import Store

    if not path.exists():
        raise _nothing_saved()
    with Store(path) as store:
        identifier = store.find(typed) if typed else _latest(store)
        found = _resumed(store, identifier) if resume else _continued(store, identifier)
        return found._replace(warnings=tuple(store.warnings))


def _latest(store: object) -> str:
    from darkai_cli.history.store import Store

    assert isinstance(store, Store)
    identifier = store.latest()
    if identifier is None:
        raise _nothing_saved()
    return identifier


def _nothing_saved() -> NotFoundError:
    return NotFoundError("no conversation is saved yet", hint='darkai ask "tell me a joke"')


def _continued(store: object, identifier: str) -> Resumed:
    from darkai_cli.history import tree
    from darkai_cli.history.store import Store

    assert isinstance(store, Store)
    conversation = store.conversation(identifier)
    branch = tree.branch(store, identifier)
    turns = [node.turn for node in branch if node.turn is not None]
    last = turns[-1] if turns else None
    return Resumed(
        conversation=identifier,
        short=conversation.short,
        title=conversation.title,
        age=max(0.0, time.time() - conversation.updated / 1000),
        messages=tree.messages(store, branch),
        system=last.system if last is not None else None,
        model=f"{last.provider}/{last.model}" if last is not None else None,
        parent=branch[-1].id if branch else None,
    )


def _resumed(store: object, identifier: str) -> Resumed:
    from darkai_cli.history import tree
    from darkai_cli.history.store import Store

    assert isinstance(store, Store)
    turn = store.last_unfinished(identifier)
    if turn is None or turn.prompt is None:
        raise _nothing_to_resume(store, identifier)
    past = _continued(store, identifier)
    reply = next(node for node in tree.branch(store, identifier) if node.id == turn.reply)
    return past._replace(prompt_id=turn.prompt, resumes=turn.id, partial=reply.text)


def _nothing_to_resume(store: object, identifier: str) -> NotFoundError:
    """Why: the reply is whole, did not begin, or is not over."""
    from darkai_cli.history.store import Store

    assert isinstance(store, Store)
    active = store.conversation(identifier).active
    turn = store.turn_of(active) if active else None
    state = turn.state if turn else None
    if state == "failed":
        return NotFoundError(
            "the last reply failed before it began: there is nothing to resume",
            hint="ask again, with `darkai ask -c` in the same conversation",
        )
    if state == "streaming":
        return NotFoundError(
            "the last reply is still being written by another darkai",
            hint="wait for it to end, or stop it",
        )
    other = store.latest_unfinished()
    if other is None:
        hint = "`darkai history` lists what is saved"
    else:
        found = store.conversation(other)
        hint = (
            f"`darkai ask --resume --conversation {found.short}` continues the latest that is not"
            f" whole, `{found.title}`"
        )
    return NotFoundError("the last reply is whole: there is nothing to resume", hint=hint)
