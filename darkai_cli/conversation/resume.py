"""Read a conversation back from the history, to continue it or to resume its last reply.

``load`` reads the active branch, which ``ask -c`` and ``ask --resume`` send. ``reopen`` reads all
branches, as a chat session needs them: there a reply in which nothing came (the service failed, or
somebody stopped it before its first word) stays in the history but not in the tree, and its prompt
is given to be offered again. The history is read once and closed.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from darkai_cli.conversation.branches import Branches, MessageEntry, ReplyInfo
from darkai_cli.conversation.save import Position
from darkai_cli.errors import NotFoundError
from darkai_cli.events import Usage
from darkai_cli.history import tree
from darkai_cli.history.store import Store, StoredTurn
from darkai_cli.messages import Image, Message


class Resumed(NamedTuple):
    """A conversation as it will be continued.

    ``position``: where the next turn stands. ``short``: the beginning of its id. ``age``: seconds
    since it changed. ``system`` and ``model`` (``provider/model``): those of the last turn.
    ``messages``: the active branch, for a prompt that continues it. For a session: ``entries``, all
    messages, and ``unsent``, a prompt that got no answer, or "", with its ``unsent_images``.
    """

    position: Position
    short: str
    title: str
    age: float
    system: str | None
    model: str | None
    warnings: tuple[str, ...]
    messages: tuple[Message, ...] = ()
    entries: tuple[MessageEntry, ...] = ()
    unsent: str = ""
    unsent_images: tuple[Image, ...] = ()

    def branches(self) -> Branches:
        """Return the tree of all messages."""
        return Branches(self.entries, self.position.parent)


def load(path: Path, prefix: str | None, *, resume: bool) -> Resumed:
    """Return the latest conversation, or the one whose id begins with ``prefix``.

    ``resume``: its last reply is to be continued. Raises ``NotFoundError`` if there is none such,
    and ``StoreError``: a damaged history is left where it is, since a question without what was
    said before is another question.
    """
    nothing_saved = NotFoundError(
        "No conversation has been saved yet", hint='`darkai ask "tell me a joke"`'
    )
    with _open(path, nothing_saved) as store:
        identifier = _find(store, prefix, nothing_saved)
        branch = tree.branch(store, identifier)
        if resume:
            position = _unfinished(store, branch, identifier)
        else:
            position = Position(identifier, branch[-1].id if branch else None)
        messages = tree.messages(store, branch)
        return _resumed(store, branch, position)._replace(messages=messages)


def reopen(path: Path, prefix: str | None) -> Resumed:
    """Return the latest conversation, or the one whose id begins with ``prefix``.

    All its branches are in it. Raises ``NotFoundError`` and ``StoreError``.
    """
    nothing_saved = NotFoundError(
        "No conversation has been saved yet", hint="`darkai chat` starts one"
    )
    with _open(path, nothing_saved) as store:
        identifier = _find(store, prefix, nothing_saved)
        nodes = tree.nodes(store, identifier)
        counting = _counting(nodes)
        active = _nearest_counting(nodes, counting, store.conversation(identifier).active)
        unsent = _unsent(nodes, counting, active)
        branch = tree.branch(store, identifier)
        return _resumed(store, branch, Position(identifier, active))._replace(
            entries=tuple(_entry(store, node) for node in nodes if node.id in counting),
            unsent=unsent.text if unsent is not None else "",
            unsent_images=tree.images(store, unsent) if unsent is not None else (),
        )


def _open(path: Path, nothing_saved: NotFoundError) -> Store:
    if not path.exists():
        raise nothing_saved
    return Store(path)


def _find(store: Store, prefix: str | None, nothing_saved: NotFoundError) -> str:
    identifier = store.find(prefix) if prefix else store.latest()
    if identifier is None:
        raise nothing_saved
    return identifier


def _resumed(store: Store, branch: list[tree.Node], position: Position) -> Resumed:
    """Return what is known of the conversation at ``position``, without its messages."""
    assert position.conversation is not None
    conversation = store.conversation(position.conversation)
    turns = [node.turn for node in branch if node.turn is not None]
    last = turns[-1] if turns else None
    return Resumed(
        position,
        conversation.short,
        conversation.title,
        max(0.0, time.time() - conversation.updated / 1000),
        last.system if last is not None else None,
        f"{last.provider}/{last.model}" if last is not None else None,
        tuple(store.warnings),
    )


def _unfinished(store: Store, branch: list[tree.Node], identifier: str) -> Position:
    """Return the position of the last reply, which was cut. Raises ``NotFoundError``."""
    turn = store.last_unfinished(identifier)
    if turn is None or turn.prompt is None:
        raise _nothing_to_resume(store, identifier)
    reply = next(node for node in branch if node.id == turn.reply)
    return Position(
        identifier, branch[-1].id, prompt_id=turn.prompt, resumes=turn.id, partial=reply.text
    )


def _nothing_to_resume(store: Store, identifier: str) -> NotFoundError:
    """Return why: the reply is complete, did not begin, or is not over."""
    active = store.conversation(identifier).active
    turn = store.turn_of(active) if active else None
    state = turn.state if turn else None
    if state == "failed":
        return NotFoundError(
            "The last reply failed before it began, so there is nothing to resume",
            hint="Ask again in the same conversation with `darkai ask -c`",
        )
    if state == "streaming":
        return NotFoundError(
            "Another darkai is still writing the last reply",
            hint="Wait for it to finish, or stop it",
        )
    other = store.latest_unfinished()
    if other is None:
        hint = "`darkai history` lists the saved conversations"
    else:
        conversation = store.conversation(other)
        hint = (
            f"To continue the latest incomplete reply, in `{conversation.title}`: "
            f"`darkai ask --resume --conversation {conversation.short}`"
        )
    return NotFoundError("The last reply is already complete", hint=hint)


def _counting(nodes: list[tree.Node]) -> set[str]:
    """Return the ids of the messages that count: replies in which something came, and prompts.

    A prompt that has only replies in which nothing came does not count either.
    """
    texts = {node.turn.id: node.text for node in nodes if node.turn is not None}
    above = {node.parent for node in nodes}
    nothing = {node.id for node in nodes if node.id not in above and _came_to_nothing(node, texts)}
    answered: dict[str | None, bool] = {}
    for node in nodes:
        answered[node.parent] = answered.get(node.parent, False) or node.id not in nothing
    return {
        node.id
        for node in nodes
        if node.id not in nothing and (node.role != "user" or answered.get(node.id, True))
    }


def _came_to_nothing(node: tree.Node, texts: Mapping[str, str]) -> bool:
    """Return whether this is a reply in which nothing came beyond what it was to continue."""
    turn = node.turn
    if turn is None or turn.state in ("complete", "streaming"):
        return False
    before = texts.get(turn.resumes, "") if turn.resumes else ""
    return not node.reasoning and node.parts == "[]" and node.text in ("", before)


def _nearest_counting(nodes: list[tree.Node], counting: set[str], active: str | None) -> str | None:
    """Return the message that counts and is next above the active one."""
    parents = {node.id: node.parent for node in nodes}
    while active is not None and active not in counting:
        active = parents.get(active)
    return active


def _unsent(nodes: list[tree.Node], counting: set[str], active: str | None) -> tree.Node | None:
    """Return the latest prompt, if it got no answer and would stand below the active message."""
    turns = [node for node in nodes if node.turn is not None]
    if not turns:
        return None
    last = max(turns, key=lambda node: node.turn.id if node.turn is not None else "")
    prompt = next((node for node in nodes if node.id == last.parent), None)
    if prompt is None or prompt.id in counting or prompt.parent != active:
        return None
    return prompt


def _entry(store: Store, node: tree.Node) -> MessageEntry:
    answer = None if node.turn is None else _reply_info(node.turn, node.reasoning)
    turn = node.turn.id if node.turn else None
    return MessageEntry(node.id, node.parent, tree.message(store, node), answer, turn)


def _reply_info(turn: StoredTurn, reasoning: str) -> ReplyInfo:
    return ReplyInfo(
        turn.provider,
        turn.model,
        turn.state,
        Usage(turn.input_tokens, turn.output_tokens, turn.reasoning_tokens, turn.cached_tokens),
        None if turn.first_text_ms is None else turn.first_text_ms / 1000,
        None if turn.duration_ms is None else turn.duration_ms / 1000,
        reasoning,
        turn.error or "",
    )
