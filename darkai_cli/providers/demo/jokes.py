"""The jokes of the demo provider, all of our own writing, and the choice among them.

The texts are in ``jokes.txt``. A seed made from the prompt picks the place to start, and jokes that
the conversation already holds are passed over, so that the choice is never random. A joke keeps its
number for good: new ones go to the end.
"""

from __future__ import annotations

import zlib
from functools import cache
from pathlib import Path
from typing import Literal, NamedTuple, cast

Topic = Literal["terminal", "pipes", "network", "programming", "darkai", "life"]


class Joke(NamedTuple):
    """One joke, as Markdown."""

    topic: Topic
    text: str


@cache
def jokes() -> tuple[Joke, ...]:
    """Return the jokes of ``jokes.txt``: the topic, the text, and a line ``%`` between two."""
    text = Path(__file__).with_name("jokes.txt").read_text("utf-8").rstrip("\n")
    entries = (entry.partition("\n") for entry in text.split("\n%\n"))
    return tuple(Joke(cast("Topic", topic), joke) for topic, _, joke in entries)


def numbered(number: int) -> str | None:
    """Return joke ``number``, counted from 1, or None if there is no such joke."""
    return jokes()[number - 1].text if 1 <= number <= len(jokes()) else None


def pick(
    seed: str, *, topic: Topic | None = None, count: int = 1, conversation: str = ""
) -> list[str]:
    """Return ``count`` different jokes, or all there are; equal seeds give equal jokes.

    A joke that is in ``conversation`` comes again only when no other is left.
    """
    texts = [joke.text for joke in jokes() if topic in (None, joke.topic)]
    start = zlib.crc32(seed.encode("utf-8", "surrogatepass")) % len(texts)
    rotated = texts[start:] + texts[:start]
    fresh = [text for text in rotated if text not in conversation]
    return (fresh + [text for text in rotated if text in conversation])[:count]
