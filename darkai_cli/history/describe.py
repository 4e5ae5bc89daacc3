"""What is said about conversations wherever they are shown: who speaks, when, how a reply ended.

Words only, shared by the exports, the HTML page and the command; no layout and no markup.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any, NamedTuple

from darkai_cli.history.store import Conversation, Store, StoredTurn
from darkai_cli.history.tree import Attachment, Node
from darkai_cli.text import file_size, plural, well_formed

_ENDED = {
    "streaming": "is still being written",
    "interrupted": "was interrupted",
    "truncated": "was cut off",
    "failed": "failed",
}
_SHORT = 72
"""Arguments of so many characters stay on one line."""


def ending(turn: StoredTurn) -> str | None:
    """How a reply ended, as a sentence; None if it is complete."""
    if turn.state not in _ENDED:
        return None
    why = turn.error or turn.reason
    return f"This reply {_ENDED[turn.state]}" + (f": {why}" if why else "") + "."


def moment(ms: int) -> str:
    """A time as people read it, UTC."""
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")


def summary(found: Conversation) -> str:
    """What stands below a conversation's title."""
    count = plural(found.turns, "turn")
    return f"{moment(found.created)}, {count}, {found.id}"


def hidden_messages(store: Store, conversation: str, shown: list[Node]) -> str | None:
    """A sentence about the messages that are in other branches, if there are any."""
    total = store.row("SELECT count(*) FROM message WHERE conversation = ?", (conversation,))[0]
    other = total - len(shown)
    if not other:
        return None
    return f"{plural(other, 'message')} of other branches not shown."


def speaker(node: Node) -> str:
    """Whose message it is."""
    if node.turn is not None:
        return "/".join(filter(None, (node.turn.provider, node.turn.model))) or "assistant"
    return {"user": "You", "system": "System", "tool": "Tool"}.get(node.role, node.role)


def attached(node: Node) -> list[str]:
    """What goes along with a message, each as ``[image photo.png, 34 KiB]``: foreign text."""
    return [f"[{what(one)}]" for one in node.attachments]


def what(one: Attachment) -> str:
    """An attachment's kind, name and size."""
    kind = "image" if one.media_type.startswith("image/") else "file"
    return f"{kind} {one.name}".rstrip() + f", {file_size(one.size)}"


class Called(NamedTuple):
    """A tool call of a reply, and what came of it: foreign text.

    ``arguments``: as the model gave them; None where only the result is known. ``output``: None
    where nothing came back.
    """

    name: str
    arguments: str | None
    output: str | None = None
    failed: bool = False


def called(node: Node) -> list[Called]:
    """The tool calls of a reply in their order, each with its result."""
    found: list[Called] = []
    open_calls: list[tuple[object, int]] = []
    for event, data in _parts(node):
        name = _text(data.get("name")) or "a tool"
        if event == "tool-call":
            open_calls.append((data.get("id"), len(found)))
            found.append(Called(name, _text(data.get("arguments"))))
        elif event == "tool-result":
            output, failed = _text(data.get("output")), bool(data.get("is_error"))
            mine = next((one for one in open_calls if one[0] == data.get("id")), None)
            if mine is None:
                found.append(Called(name, None, output, failed))
            else:
                open_calls.remove(mine)
                found[mine[1]] = found[mine[1]]._replace(output=output, failed=failed)
    return found


def calls(node: Node) -> list[str]:
    """Each tool call of a reply, and what came of it, as lines: foreign text."""
    lines = []
    for one in called(node):
        if one.arguments is not None:
            lines.append(f"called {one.name} {one.arguments}")
        if one.output is not None:
            lines.append(f"{one.name} {'failed' if one.failed else 'gave'}: {one.output}")
    return lines


def spread(arguments: str) -> str:
    """Arguments on several lines, if they are long and JSON; else as they are."""
    if len(arguments) <= _SHORT:
        return arguments
    try:
        return well_formed(json.dumps(json.loads(arguments), ensure_ascii=False, indent=2))
    except (ValueError, RecursionError):
        return arguments


def parts(node: Node) -> list[dict[str, Any]]:
    """What is kept with a message besides its text; nothing, where damage made it unreadable."""
    try:
        found = json.loads(node.parts)
    except (ValueError, RecursionError):
        return []  # `history check` tells it
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _parts(node: Node) -> list[tuple[object, dict[str, Any]]]:
    """The events that are kept with a reply; those of no known form are left out."""
    found = parts(node)
    return [(one.get("event"), one["data"]) for one in found if isinstance(one.get("data"), dict)]


def _text(value: object) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def sources(node: Node) -> list[tuple[str, str]]:
    """Title and address of each source that a reply cites."""
    cited = [data for event, data in _parts(node) if event == "citation"]
    return [(str(data.get("title") or ""), str(data.get("url") or "")) for data in cited]
