"""Read a conversation as a tree of messages, and choose its active branch.

Nothing here removes or changes a message: undo, fork and regenerate only move the conversation's
``active`` mark, and the next turn starts a new branch from there. A reply that is still being
written is read as far as it is in the database.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, cast

from darkai_cli.errors import NotFoundError
from darkai_cli.history.store import Store, StoredTurn
from darkai_cli.history.turns import with_pieces
from darkai_cli.messages import Image, Message, Role

_COLUMNS = "id, parent, role, text, reasoning, parts, created"


class Attachment(NamedTuple):
    """An attachment of a message, without its data. ``size``: bytes."""

    seq: int
    media_type: str
    name: str
    size: int


class Node(NamedTuple):
    """A message in its tree. ``turn``: the turn it is the reply of, None for other messages.

    ``parts``: its tool calls, results and citations, as JSON text. ``created``: milliseconds since
    1970. ``attachments``: ``images`` returns their data.
    """

    id: str
    parent: str | None
    role: str
    text: str
    reasoning: str
    parts: str
    created: int
    turn: StoredTurn | None
    attachments: tuple[Attachment, ...] = ()


class TreeRow(NamedTuple):
    """One row of a drawn tree: the lines to print before the message, and the message."""

    rails: str
    node: Node
    active: bool


def nodes(store: Store, conversation: str) -> list[Node]:
    """Return all messages, each after its parent, siblings by age."""
    rows = store.rows(
        f"SELECT {_COLUMNS} FROM message WHERE conversation = ? ORDER BY n",  # noqa: S608
        (conversation,),
    )
    return _in_order(_nodes_from(store, conversation, rows))


def branch(store: Store, conversation: str, leaf: str | None = None) -> list[Node]:
    """Return the messages from the root to ``leaf``, or to the active one."""
    end = leaf or store.conversation(conversation).active
    rows = store.rows(
        "WITH RECURSIVE up(depth, id, parent) AS ("
        "  SELECT 0, id, parent FROM message WHERE id = :end AND conversation = :conversation"
        "  UNION ALL SELECT depth + 1, m.id, m.parent FROM up JOIN message m ON m.id = up.parent"
        ") SELECT m.id, m.parent, m.role, m.text, m.reasoning, m.parts, m.created"
        " FROM up JOIN message m ON m.id = up.id ORDER BY up.depth DESC",
        {"end": end, "conversation": conversation},
    )
    return _nodes_from(store, conversation, rows)


def messages(store: Store, nodes_of_branch: Iterable[Node]) -> tuple[Message, ...]:
    """Return a branch as it is sent to a service, without the replies that have no text."""
    return tuple(
        message(store, node) for node in nodes_of_branch if node.text or node.role != "assistant"
    )


def message(store: Store, node: Node) -> Message:
    """Return a message as it is sent to a service, with its images.

    Its tool calls are left out: their places in the text are not stored, and a service refuses a
    call whose result does not follow it.
    """
    return Message(cast("Role", node.role), node.text, images(store, node))  # roles are checked


def images(store: Store, node: Node) -> tuple[Image, ...]:
    """Return the attachments of a message with their data."""
    if not node.attachments:
        return ()
    rows = store.rows(
        "SELECT media_type, data, name FROM attachment WHERE message = ? ORDER BY seq", (node.id,)
    )
    return tuple(Image(media_type, bytes(data), name) for media_type, data, name in rows)


def switch(store: Store, conversation: str, message: str | None) -> None:
    """Make the branch that ends with ``message`` the active one (None: the empty branch).

    Raises ``NotFoundError`` if the message is not in the conversation.
    """
    with store.writing() as conn:
        changed = conn.execute(
            "UPDATE conversation SET active = :message WHERE id = :conversation AND (:message IS"
            " NULL OR EXISTS (SELECT 1 FROM message WHERE id = :message"
            " AND conversation = :conversation))",
            {"message": message, "conversation": conversation},
        ).rowcount
    if not changed:
        raise NotFoundError("The message is not in this conversation")


def draw(all_nodes: Iterable[Node], active: Iterable[str] = ()) -> list[TreeRow]:
    """Return the rows of the drawn tree. A chain without branches is not indented."""
    active_ids = set(active)
    children = _children(all_nodes)
    rows: list[TreeRow] = []
    stack = [(node, "", "") for node in reversed(children.get(None, []))]
    if len(stack) > 1:
        stack = _fan(children[None], "")
    while stack:
        node, rails, below = stack.pop()
        rows.append(TreeRow(rails, node, node.id in active_ids))
        replies = children.get(node.id, [])
        if len(replies) == 1:
            stack.append((replies[0], below, below))
        else:
            stack.extend(_fan(replies, below))
    return rows


def _fan(siblings: list[Node], rails: str) -> list[tuple[Node, str, str]]:
    """Return siblings as stack entries, the first on top: node, rails of its row, rails below."""
    entries = [(node, f"{rails}├─ ", f"{rails}│  ") for node in siblings[:-1]]
    entries += [(node, f"{rails}└─ ", f"{rails}   ") for node in siblings[-1:]]
    return entries[::-1]


def _children(all_nodes: Iterable[Node]) -> dict[str | None, list[Node]]:
    children: dict[str | None, list[Node]] = {}
    for node in all_nodes:
        children.setdefault(node.parent, []).append(node)
    return children


def _in_order(all_nodes: list[Node]) -> list[Node]:
    """Sort parents before children, also where clocks went backwards."""
    children = _children(all_nodes)
    ordered: list[Node] = []
    stack = children.get(None, [])[::-1]
    while stack:
        node = stack.pop()
        ordered.append(node)
        stack.extend(reversed(children.get(node.id, [])))
    return ordered


def _nodes_from(store: Store, conversation: str, rows: list[Any]) -> list[Node]:
    turns = {turn.reply: turn for turn in store.turns(conversation)}
    pieces = _pieces(store, turns)
    by_message = _attachments(store, conversation)
    nodes = []
    for identifier, parent, role, text, reasoning, parts, created in rows:
        content = with_pieces((identifier, text, reasoning, parts), pieces.get(identifier, []))
        node = Node(identifier, parent, role, *content[1:], created, turns.get(identifier))
        if identifier in by_message:
            node = node._replace(attachments=tuple(by_message[identifier]))
        nodes.append(node)
    return nodes


def _attachments(store: Store, conversation: str) -> dict[str, list[Attachment]]:
    """Return the attachments by message. Without any in the history, this reads nothing else."""
    attachments: dict[str, list[Attachment]] = {}
    for identifier, *values in store.rows(
        "SELECT a.message, a.seq, a.media_type, a.name, length(a.data)"
        " FROM (SELECT 1 FROM attachment LIMIT 1) CROSS JOIN message m"  # in this order
        " CROSS JOIN attachment a ON a.message = m.id"
        " WHERE m.conversation = ? ORDER BY a.message, a.seq",
        (conversation,),
    ):
        attachments.setdefault(identifier, []).append(Attachment(*values))
    return attachments


def _pieces(store: Store, turns: Mapping[str, StoredTurn]) -> dict[str, list[tuple[str, str]]]:
    """Return the pieces of replies that are still being written, by message."""
    return {
        reply: store.rows("SELECT kind, text FROM piece WHERE turn = ? ORDER BY seq", (turn.id,))
        for reply, turn in turns.items()
        if turn.state == "streaming"
    }
