"""Export conversations: Markdown and HTML to read, JSON and JSON Lines to import again.

JSON and JSON Lines hold the whole tree, and ``importers`` reads them without loss. Markdown and
HTML show the active branch and say how many messages are in others. All of it is made piece by
piece, so a large history needs little memory.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

from darkai_cli.history import tree
from darkai_cli.history.describe import (
    ToolUse,
    attachment_labels,
    ending,
    indented,
    other_branches,
    parts,
    sources,
    speaker,
    summary,
    tool_uses,
)
from darkai_cli.history.store import Store
from darkai_cli.history.tree import Node
from darkai_cli.text import one_line

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

Format = Literal["md", "json", "jsonl", "html"]
FORMATS: tuple[Format, ...] = ("md", "json", "jsonl", "html")
FORMAT_VERSION = 2
"""Version 2 has attachments. A darkai that knows only version 1 must not import half of it."""

_SUSPECT = re.compile(r"^ {0,3}(?:```|~~~|<[!?A-Za-z])", re.MULTILINE)
_PROBE = "what comes next"
_TAG = re.compile(r" {0,3}<(pre|script|style|textarea)", re.IGNORECASE)
_ENDS = (("<!--", "-->"), ("<?", "?>"), ("<![CDATA[", "]]>"), ("<!", ">"))
_MARKS, _ESCAPED = re.compile(r"([\\`*<\[\]])"), r"\\\1"


def export(store: Store, conversations: Iterable[str], fmt: Format) -> Iterator[str]:
    """Return the conversations with these ids as pieces of text. Raises ``StoreError``."""
    if fmt == "html":
        from darkai_cli.history.html import page

        return page(store, conversations)
    makers = {"md": markdown, "json": _json, "jsonl": _jsonl}
    return makers[fmt](store, conversations)


def markdown(
    store: Store, conversations: Iterable[str], *, with_reasoning: bool = False
) -> Iterator[str]:
    """Yield the active branch of each conversation as Markdown."""
    separator = ""
    for identifier in conversations:
        conversation = store.conversation(identifier)
        title = one_line(conversation.title) or "Untitled"
        yield f"{separator}# {title}\n\n*{summary(conversation)}*\n"
        separator = "\n---\n\n"
        system = None
        branch = tree.branch(store, identifier)
        for node in branch:
            if node.turn is not None and node.turn.system not in (None, system):
                system = node.turn.system
                yield f"\n*System prompt:*\n\n{_quoted(system or '')}\n"
            yield from message_markdown(node, with_reasoning=with_reasoning)
        others = other_branches(store, identifier, branch)
        if others:
            yield f"\n*{others}*\n"


def message_markdown(node: Node, *, with_reasoning: bool = False) -> Iterator[str]:
    """Yield one message as Markdown below its speaker; nothing in it affects what follows."""
    yield f"\n## {one_line(speaker(node))}\n"
    if with_reasoning and node.reasoning:
        yield f"\n*Reasoning:*\n\n{_quoted(node.reasoning.strip())}\n"
    for label in attachment_labels(node):
        yield f"\n[{_MARKS.sub(_ESCAPED, one_line(label[1:-1]))}]\n"
    uses = tool_uses(node)
    for use in uses:
        yield from _tool_use(use)
    if node.text or not (node.attachments or uses):
        yield f"\n{close_blocks(node.text)}\n"
    for title, url in sources(node):
        yield f"\n- {one_line(title)} <{one_line(url)}>\n"
    end = node.turn and ending(node.turn)
    if end:
        yield f"\n> {one_line(end)}\n"


def _tool_use(use: ToolUse) -> Iterator[str]:
    """Yield a tool call and its result, each in a code block: both are foreign text."""
    name = _MARKS.sub(_ESCAPED, one_line(use.name))
    if use.arguments is not None:
        yield f"\n*Called {name}:*\n\n{code_block(indented(use.arguments), 'json')}\n"
    if use.output is not None:
        verb = "failed" if use.failed else "returned"
        yield f"\n*{name} {verb}:*\n\n{code_block(use.output)}\n"


def _quoted(text: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in text.splitlines())


def _json(store: Store, conversations: Iterable[str]) -> Iterator[str]:
    opening = "["
    for identifier in conversations:
        record = conversation_record(store, identifier)
        yield f"{opening}\n{json.dumps(record, ensure_ascii=False, indent=2)}"
        opening = ","
    yield "[]\n" if opening == "[" else "\n]\n"


def conversation_record(store: Store, identifier: str, *, with_data: bool = True) -> dict[str, Any]:
    """Return a conversation as one object. ``with_data``: with the data of its attachments."""
    head, *rest = _records(store, identifier, with_data=with_data)
    return head | {
        "messages": [record for record in rest if record["record"] == "message"],
        "turns": [record for record in rest if record["record"] == "turn"],
    }


def _jsonl(store: Store, conversations: Iterable[str]) -> Iterator[str]:
    yield json.dumps({"record": "history", "version": FORMAT_VERSION}) + "\n"
    for identifier in conversations:
        for record in _records(store, identifier):
            yield json.dumps(record, ensure_ascii=False) + "\n"


def _records(store: Store, identifier: str, *, with_data: bool = True) -> Iterator[dict[str, Any]]:
    """Yield a conversation as objects: itself, its messages (parents first), its turns."""
    conversation = store.conversation(identifier)
    yield {
        "record": "conversation",
        "id": conversation.id,
        "title": conversation.title,
        "created": conversation.created,
        "updated": conversation.updated,
        "active": conversation.active,
        "source": conversation.source,
    }
    all_nodes = tree.nodes(store, identifier)
    for node in all_nodes:
        message = node._asdict() | {"record": "message", "conversation": identifier}
        del message["turn"], message["attachments"]
        if node.attachments:
            message["attachments"] = _attachments(store, node, with_data=with_data)
        yield message | {"parts": parts(node)}
    for turn in sorted(node.turn for node in all_nodes if node.turn is not None):
        yield turn._asdict() | {"record": "turn", "options": json.loads(turn.options)}


def _attachments(store: Store, node: Node, *, with_data: bool) -> list[dict[str, Any]]:
    """Return the attachments of a message as objects."""
    records: list[dict[str, Any]] = [
        {"name": attachment.name, "media_type": attachment.media_type, "size": attachment.size}
        for attachment in node.attachments
    ]
    if with_data:
        for record, image in zip(records, tree.images(store, node), strict=True):
            record["data"] = image.base64
    return records


def close_blocks(text: str) -> str:
    """Return Markdown without blanks at its end, its last block closed.

    A reply that was cut, or written carelessly, can end inside a code block or an HTML block that
    waits for its end mark, and would swallow what follows. A fence in a list or a quotation ends
    with it.
    """
    text = text.rstrip()
    if not _SUSPECT.search(text):
        return text
    last = _blocks().parse(f"{text}\n\n{_PROBE}\n")[-1]
    # If it were in a list, the list would come last.
    if last.type in ("fence", "html_block"):
        return f"{text}\n{_end_of(last)}"
    return text


def code_block(text: str, language: str = "") -> str:
    """Return the text as a code block, with a fence longer than any in it."""
    longest = max(map(len, re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text.rstrip()}\n{fence}"


def _end_of(block: Token) -> str:
    if block.type == "fence":
        return block.markup
    tag = _TAG.match(block.content)
    if tag:
        return f"</{tag[1].lower()}>"
    start = block.content.lstrip()
    return next((end for begin, end in _ENDS if start.startswith(begin)), "")


@cache
def _blocks() -> MarkdownIt:
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark").disable("inline")
