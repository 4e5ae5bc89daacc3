"""What is said about conversations wherever they are shown: who speaks, when, how a reply ended.

Words only, shared by the exports, the HTML page and the command; no layout and no markup.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime

from darkai_cli.history.store import Conversation, Store, Turn
from darkai_cli.history.tree import Attachment, Node

_ENDED = {
    "streaming": "is still being written",
    "interrupted": "was interrupted",
    "truncated": "was cut off",
    "failed": "failed",
}


def ending(turn: Turn) -> str | None:
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
    count = f"{found.turns} turn{'' if found.turns == 1 else 's'}"
    return f"{moment(found.created)}, {count}, {found.id}"


def hidden_messages(store: Store, conversation: str, shown: list[Node]) -> str | None:
    """A sentence about the messages that are in other branches, if there are any."""
    total = store.row("SELECT count(*) FROM message WHERE conversation = ?", (conversation,))[0]
    other = total - len(shown)
    if not other:
        return None
    return f"{other} message{'' if other == 1 else 's'} of other branches not shown."


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
    return f"{kind} {one.name}".rstrip() + f", {_size(one.size)}"


def _size(count: int) -> str:
    if count < 1 << 10:
        return f"{count} bytes"
    return f"{count / (1 << 10):.0f} KiB" if count < 1 << 20 else f"{count / (1 << 20):.1f} MiB"


def calls(node: Node) -> list[str]:
    """Each tool call of a reply, and what came of it, as a line: foreign text."""
    lines = []
    for part in json.loads(node.parts):
        data = part.get("data")
        if not isinstance(data, dict):
            continue
        name = data.get("name") or "a tool"
        if part.get("event") == "tool-call":
            given = data.get("arguments")
            given = given if isinstance(given, str) else json.dumps(given, ensure_ascii=False)
            lines.append(f"called {name} {given}")
        elif part.get("event") == "tool-result":
            how = "failed" if data.get("is_error") else "gave"
            lines.append(f"{name} {how}: {data.get('output')}")
    return lines


def sources(node: Node) -> list[tuple[str, str]]:
    """Title and address of each source that a reply cites."""
    cited = [
        part["data"]
        for part in json.loads(node.parts)
        if part.get("event") == "citation" and isinstance(part.get("data"), dict)
    ]
    return [(str(data.get("title") or ""), str(data.get("url") or "")) for data in cited]
