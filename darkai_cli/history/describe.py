"""Describe conversations in words: who wrote a message, when, and how a reply ended.

The exports, the HTML page and the commands share these. They add layout and markup themselves.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any, NamedTuple

from darkai_cli.history.store import Conversation, Store, StoredTurn
from darkai_cli.history.tree import Attachment, Node
from darkai_cli.text import file_size, plural, well_formed

_ENDINGS = {
    "streaming": "is still being written",
    "interrupted": "was interrupted",
    "truncated": "was cut off",
    "failed": "failed",
}
_LINE = 72
"""Arguments with at most so many characters stay on one line."""


def ending(turn: StoredTurn) -> str | None:
    """Return a sentence about how a reply ended; None if it is complete."""
    if turn.state not in _ENDINGS:
        return None
    cause = turn.error or turn.reason
    return f"This reply {_ENDINGS[turn.state]}" + (f": {cause}" if cause else "") + "."


def utc_time(ms: int) -> str:
    """Return a time in milliseconds since 1970 as people read it, in UTC."""
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")


def summary(conversation: Conversation) -> str:
    """Return the line below a conversation's title: when it began, its turns and its id."""
    turns = plural(conversation.turns, "turn")
    return f"{utc_time(conversation.created)}, {turns}, {conversation.id}"


def other_branches(store: Store, conversation: str, branch: list[Node]) -> str | None:
    """Return a sentence about the messages that are not in ``branch``; None if all are."""
    total = store.row("SELECT count(*) FROM message WHERE conversation = ?", (conversation,))[0]
    other = total - len(branch)
    return f"{plural(other, 'message')} in other branches not shown." if other else None


def speaker(node: Node) -> str:
    """Return who wrote a message: the provider and model, or the role."""
    if node.turn is not None:
        return "/".join(filter(None, (node.turn.provider, node.turn.model))) or "assistant"
    return {"user": "You", "system": "System", "tool": "Tool"}.get(node.role, node.role)


def attachment_labels(node: Node) -> list[str]:
    """Return a label like ``[image photo.png, 34 KiB]`` for each attachment. It is foreign text."""
    return [f"[{attachment_label(attachment)}]" for attachment in node.attachments]


def attachment_label(attachment: Attachment) -> str:
    """Return an attachment's kind, name and size. It is foreign text."""
    kind = "image" if attachment.media_type.startswith("image/") else "file"
    return f"{kind} {attachment.name}".rstrip() + f", {file_size(attachment.size)}"


class ToolUse(NamedTuple):
    """A tool call of a reply and its result, both foreign text.

    ``arguments``: as the model gave them; None if only the result is known. ``output``: None if
    there is no result.
    """

    name: str
    arguments: str | None
    output: str | None = None
    failed: bool = False


def tool_uses(node: Node) -> list[ToolUse]:
    """Return the tool calls of a reply in their order, each with its result."""
    uses: list[ToolUse] = []
    open_calls: list[tuple[object, int]] = []
    for event, data in _events(node):
        name = _text(data.get("name")) or "a tool"
        if event == "tool-call":
            open_calls.append((data.get("id"), len(uses)))
            uses.append(ToolUse(name, _text(data.get("arguments"))))
        elif event == "tool-result":
            output, failed = _text(data.get("output")), bool(data.get("is_error"))
            call = next((call for call in open_calls if call[0] == data.get("id")), None)
            if call is None:
                uses.append(ToolUse(name, None, output, failed))
            else:
                open_calls.remove(call)
                uses[call[1]] = uses[call[1]]._replace(output=output, failed=failed)
    return uses


def tool_use_lines(node: Node) -> list[str]:
    """Return the tool calls of a reply and their results as lines. They are foreign text."""
    lines = []
    for use in tool_uses(node):
        if use.arguments is not None:
            lines.append(f"called {use.name} {use.arguments}")
        if use.output is not None:
            lines.append(f"{use.name} {'failed' if use.failed else 'returned'}: {use.output}")
    return lines


def indented(arguments: str) -> str:
    """Return long JSON on several lines; short or other text as it is."""
    if len(arguments) <= _LINE:
        return arguments
    try:
        return well_formed(json.dumps(json.loads(arguments), ensure_ascii=False, indent=2))
    except (ValueError, RecursionError):
        return arguments


def parts(node: Node) -> list[dict[str, Any]]:
    """Return the events that are stored with a message; none if they are damaged."""
    try:
        items = json.loads(node.parts)
    except (ValueError, RecursionError):
        return []  # ``Store.check`` reports it.
    return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []


def _events(node: Node) -> list[tuple[object, dict[str, Any]]]:
    """Return the name and data of each event that is stored with a reply."""
    return [
        (part.get("event"), part["data"])
        for part in parts(node)
        if isinstance(part.get("data"), dict)
    ]


def _text(value: object) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def sources(node: Node) -> list[tuple[str, str]]:
    """Return title and address of each source that a reply cites."""
    return [
        (str(data.get("title") or ""), str(data.get("url") or ""))
        for event, data in _events(node)
        if event == "citation"
    ]
