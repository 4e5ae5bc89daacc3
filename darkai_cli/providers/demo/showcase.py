"""A page with every Markdown construct, and texts of any length, for the demo provider."""

from __future__ import annotations

from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from darkai_cli.providers.demo.jokes import jokes

if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST = 200_000
"""The most words of ``long_text``: above, a reply would pass the bound of 16 MiB."""


def markdown_page() -> str:
    """Return the page with every Markdown construct, from ``showcase.md``."""
    return Path(__file__).with_name("showcase.md").read_text("utf-8")


def long_text(words: int) -> Iterator[str]:
    """Yield Markdown of at least ``words`` words: the jokes in turn, up to the end of one.

    A word is what stands between blanks. The text is made joke by joke, so that a reply of a
    hundred thousand words costs no more memory than one of a hundred.
    """
    block = f"# A text of about {words} words\n"
    made = 0
    for number in count(1):
        yield block
        made += len(block.split())
        if made >= words:
            return
        joke = jokes()[(number - 1) % len(jokes())]
        block = f"\n## {number}. {joke.topic}\n\n{joke.text}\n"
