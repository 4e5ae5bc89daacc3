"""A conversation of the history, taken back into memory whole: all branches, as a session needs it.

Not for ``ask -c``, which reads only the branch that it sends (``past``). A reply in which nothing
came (the service failed, or somebody stopped it before its first word) stays in the history, but a
session never had it in its tree: its prompt went back into the input. So it is left out here, and
its prompt is given to be offered again, if that is where the conversation stands.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from darkai_cli.conversation.branches import Answer, Branches, Entry
from darkai_cli.errors import NotFoundError
from darkai_cli.events import Usage
from darkai_cli.history import tree
from darkai_cli.history.store import Store, StoredTurn
from darkai_cli.messages import Image


class Reopened(NamedTuple):
    """A conversation as a session goes on with it. ``age``: seconds since it changed.

    ``model``: ``provider/model`` of its last turn. ``system``: that turn's system prompt.
    ``unsent``: a prompt that stands next and got no answer, or "", with its ``unsent_images``.
    """

    conversation: str
    short: str
    title: str
    age: float
    branches: Branches
    system: str | None
    model: str | None
    unsent: str
    unsent_images: tuple[Image, ...]
    warnings: tuple[str, ...]


def reopen(path: Path, typed: str | None) -> Reopened:
    """The latest conversation, or the one whose id begins with ``typed``.

    Raises ``NotFoundError`` and ``StoreError``.
    """
    if not path.exists():
        raise NotFoundError("no conversation is saved yet", hint="`darkai chat` begins one")
    with Store(path) as store:
        identifier = store.find(typed) if typed else store.latest()
        if identifier is None:
            raise NotFoundError("no conversation is saved yet", hint="`darkai chat` begins one")
        row = store.conversation(identifier)
        nodes = tree.nodes(store, identifier)
        kept = _kept(nodes)
        active = _standing(nodes, kept, row.active)
        branches = Branches((_entry(store, node) for node in nodes if node.id in kept), active)
        unsent = _unsent(nodes, kept, active)
        turns = [node.turn for node in tree.branch(store, identifier) if node.turn is not None]
        last = turns[-1] if turns else None
        return Reopened(
            identifier,
            row.short,
            row.title,
            max(0.0, time.time() - row.updated / 1000),
            branches,
            last.system if last is not None else None,
            f"{last.provider}/{last.model}" if last is not None else None,
            unsent.text if unsent is not None else "",
            tree.images(store, unsent) if unsent is not None else (),
            tuple(store.warnings),
        )


def _kept(nodes: list[tree.Node]) -> set[str]:
    """The ids of the messages that count: replies in which something came, and prompts.

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
    """Whether this is a reply in which nothing came beyond what it was to continue."""
    turn = node.turn
    if turn is None or turn.state in ("complete", "streaming"):
        return False
    before = texts.get(turn.resumes, "") if turn.resumes else ""
    return not node.reasoning and node.parts == "[]" and node.text in ("", before)


def _standing(nodes: list[tree.Node], kept: set[str], active: str | None) -> str | None:
    """The message that counts and is next above the active one."""
    parents = {node.id: node.parent for node in nodes}
    while active is not None and active not in kept:
        active = parents.get(active)
    return active


def _unsent(nodes: list[tree.Node], kept: set[str], active: str | None) -> tree.Node | None:
    """The latest prompt, if it got no answer and would stand below the active message."""
    turns = [node for node in nodes if node.turn is not None]
    if not turns:
        return None
    last = max(turns, key=lambda node: node.turn.id if node.turn is not None else "")
    prompt = next((node for node in nodes if node.id == last.parent), None)
    if prompt is None or prompt.id in kept or prompt.parent != active:
        return None
    return prompt


def _entry(store: Store, node: tree.Node) -> Entry:
    answer = None if node.turn is None else _answer(node.turn, node.reasoning)
    turn = node.turn.id if node.turn else None
    return Entry(node.id, node.parent, tree.message(store, node), answer, turn)


def _answer(turn: StoredTurn, reasoning: str) -> Answer:
    return Answer(
        turn.provider,
        turn.model,
        turn.state,
        Usage(turn.input_tokens, turn.output_tokens, turn.reasoning_tokens, turn.cached_tokens),
        None if turn.first_text_ms is None else turn.first_text_ms / 1000,
        None if turn.duration_ms is None else turn.duration_ms / 1000,
        reasoning,
        turn.error or "",
    )
