"""What was said before: the conversation that a prompt continues, or the reply that is resumed.

Reads the history once and closes it; what is said next is the journal's business.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import NamedTuple

from darkai_cli.errors import NotFoundError
from darkai_cli.messages import Message


class Past(NamedTuple):
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


def load(path: Path, typed: str | None, *, resume: bool) -> Past:
    """The latest conversation, or the one whose id begins with ``typed``.

    ``resume``: its last reply is to be continued. Raises ``NotFoundError`` if there is none such.
    """
    from darkai_cli.history.store import Store

    hint = "`darkai history` lists what is saved"
    if not path.exists():
        raise NotFoundError("no conversation is saved yet", hint='darkai ask "tell me a joke"')
    with Store(path) as store:
        identifier = store.find(typed) if typed else store.latest()
        if identifier is None:
            raise NotFoundError("no conversation is saved yet", hint='darkai ask "tell me a joke"')
        found = _resumed(store, identifier) if resume else _continued(store, identifier)
        if found is None:
            raise NotFoundError("the last reply is whole: there is nothing to resume", hint=hint)
        return found._replace(warnings=tuple(store.warnings))


def _continued(store: object, identifier: str) -> Past:
    from darkai_cli.history import tree
    from darkai_cli.history.store import Store

    assert isinstance(store, Store)
    conversation = store.conversation(identifier)
    branch = tree.branch(store, identifier)
    turns = [node.turn for node in branch if node.turn is not None]
    last = turns[-1] if turns else None
    return Past(
        conversation=identifier,
        short=conversation.short,
        title=conversation.title,
        age=max(0.0, time.time() - conversation.updated / 1000),
        messages=tree.messages(branch),
        system=last.system if last is not None else None,
        model=f"{last.provider}/{last.model}" if last is not None else None,
        parent=branch[-1].id if branch else None,
    )


def _resumed(store: object, identifier: str) -> Past | None:
    from darkai_cli.history import tree
    from darkai_cli.history.store import Store

    assert isinstance(store, Store)
    turn = store.last_unfinished(identifier)
    if turn is None or turn.prompt is None:
        return None
    past = _continued(store, identifier)
    reply = next(node for node in tree.branch(store, identifier) if node.id == turn.reply)
    return past._replace(prompt_id=turn.prompt, resumes=turn.id, partial=reply.text)
