"""What Markdown text left open is closed, so that what is put below it is not swallowed.

A reply that was cut, or written carelessly, can end inside a code block; a prompt can, too. Only
what runs on to the end of a document matters: code fences and HTML blocks that wait for their end
mark. A fence inside a list or a quotation ends with it.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

_SUSPECT = re.compile(r"^ {0,3}(?:```|~~~|<[!?A-Za-z])", re.MULTILINE)
_PROBE = "what comes next"
_TAG = re.compile(r" {0,3}<(pre|script|style|textarea)", re.IGNORECASE)
_ENDS = (("<!--", "-->"), ("<?", "?>"), ("<![CDATA[", "]]>"), ("<!", ">"))


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
