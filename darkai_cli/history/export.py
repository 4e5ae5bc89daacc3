"""Conversations on their way out: Markdown and HTML to read, JSON and JSON Lines to keep.

JSON and JSON Lines carry the whole tree, and ``importers`` takes JSON Lines back without loss.
Markdown and HTML show the active branch and say what else there is. Everything is made piece by
piece, conversation by conversation, so that a large history needs no large memory.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

from darkai_cli.history import tree
from darkai_cli.history.describe import (
    Called,
    attached,
    called,
    ending,
    hidden_messages,
    parts,
    sources,
    speaker,
    spread,
    summary,
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
"""2: what goes along with a message is in it. Who knows only 1 is not to import half of it."""

_SUSPECT = re.compile(r"^ {0,3}(?:```|~~~|<[!?A-Za-z])", re.MULTILINE)
_PROBE = "what comes next"
_TAG = re.compile(r" {0,3}<(pre|script|style|textarea)", re.IGNORECASE)
_ENDS = (("<!--", "-->"), ("<?", "?>"), ("<![CDATA[", "]]>"), ("<!", ">"))
_MARKS, _ESCAPED = re.compile(r"([\\`*<\[\]])"), r"\\\1"


def export(store: Store, conversations: Iterable[str], fmt: Format) -> Iterator[str]:
    """The conversations with these ids, as pieces of text. Raises ``StoreError``."""
    if fmt == "html":
        from darkai_cli.history.html import page

        return page(store, conversations)
    makers = {"md": markdown, "json": _json, "jsonl": _jsonl}
    return makers[fmt](store, conversations)


def markdown(
    store: Store, conversations: Iterable[str], *, with_reasoning: bool = False
) -> Iterator[str]:
    """The active branch of each, as Markdown."""
    between = ""
    for identifier in conversations:
        found = store.conversation(identifier)
        yield f"{between}# {one_line(found.title) or 'Untitled'}\n\n*{summary(found)}*\n"
        between = "\n---\n\n"
        system = None
        shown = tree.branch(store, identifier)
        for node in shown:
            if node.turn is not None and node.turn.system not in (None, system):
                system = node.turn.system
                yield f"\n*System prompt:*\n\n{_quoted(system or '')}\n"
            yield from said(node, with_reasoning=with_reasoning)
        hidden = hidden_messages(store, identifier, shown)
        if hidden:
            yield f"\n*{hidden}*\n"


def said(node: Node, *, with_reasoning: bool = False) -> Iterator[str]:
    """One message as Markdown, under who said it; nothing in it reaches beyond it."""
    yield f"\n## {one_line(speaker(node))}\n"
    if with_reasoning and node.reasoning:
        yield f"\n*Reasoning:*\n\n{_quoted(node.reasoning.strip())}\n"
    for named in attached(node):
        yield f"\n[{_MARKS.sub(_ESCAPED, one_line(named[1:-1]))}]\n"
    made = called(node)
    for one in made:
        yield from _call(one)
    if node.text or not (node.attachments or made):
        yield f"\n{closed(node.text)}\n"
    for title, url in sources(node):
        yield f"\n- {one_line(title)} <{one_line(url)}>\n"
    told = node.turn and ending(node.turn)
    if told:
        yield f"\n> {one_line(told)}\n"


def _call(one: Called) -> Iterator[str]:
    """A tool call, and what came of it. Both are foreign: each is in a code block of its own."""
    name = _MARKS.sub(_ESCAPED, one_line(one.name))
    if one.arguments is not None:
        yield f"\n*Called {name}:*\n\n{fenced(spread(one.arguments), 'json')}\n"
    if one.output is not None:
        how = "failed" if one.failed else "gave"
        yield f"\n*{name} {how}:*\n\n{fenced(one.output)}\n"


def _quoted(text: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in text.splitlines())


def _json(store: Store, conversations: Iterable[str]) -> Iterator[str]:
    opening = "["
    for identifier in conversations:
        found = whole(store, identifier)
        yield f"{opening}\n{json.dumps(found, ensure_ascii=False, indent=2)}"
        opening = ","
    yield "[]\n" if opening == "[" else "\n]\n"


def whole(store: Store, identifier: str, *, with_data: bool = True) -> dict[str, Any]:
    """A conversation as one object. ``with_data``: of what goes along with its messages."""
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
    """A conversation as objects: itself, its messages (parents first), its turns."""
    found = store.conversation(identifier)
    yield {
        "record": "conversation",
        "id": found.id,
        "title": found.title,
        "created": found.created,
        "updated": found.updated,
        "active": found.active,
        "source": found.source,
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
    """What goes along with a message, as objects."""
    found: list[dict[str, Any]] = [
        {"name": one.name, "media_type": one.media_type, "size": one.size}
        for one in node.attachments
    ]
    if with_data:
        for record, image in zip(found, tree.images(store, node), strict=True):
            record["data"] = image.base64
    return found


def closed(text: str) -> str:
    """The text without blanks at its end, and with the end mark that it lacks."""
    text = text.rstrip()
    if not _SUSPECT.search(text):
        return text
    last = _blocks().parse(f"{text}\n\n{_PROBE}\n")[-1]
    if last.type in ("fence", "html_block"):  # in a list, the list would come last
        return f"{text}\n{_end_of(last)}"
    return text


def fenced(text: str, language: str = "") -> str:
    """The text as a code block, with a fence that nothing in it ends."""
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
