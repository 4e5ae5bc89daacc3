"""Search the messages for words, "phrases" and prefixes*.

The words are handed to FTS5 as quoted strings, so that no input is a syntax error. Punctuation is
not in the index: a word that has some (``C++``) is looked up by its letters, and the text of each
hit is compared with the whole word. All words must occur. Hits are ranked; that costs a look at
each of them, so beyond ``RANKED`` hits the newest come first, and the result says so.
"""

from __future__ import annotations

import os
import re
from typing import Any, NamedTuple

from darkai_cli.history.store import Store
from darkai_cli.history.turns import first_number
from darkai_cli.text import well_formed

RANKED = 10_000
_SNIPPET_WORDS = 16
_TERM = re.compile(r'"([^"]*)"?(\*?)|([^\s"]+)')
_TOKENS = re.compile(r"[^\W_]+")


class Hit(NamedTuple):
    """A message with all the words.

    ``snippet``: pieces of its text, each with whether it is a match. ``created``: milliseconds
    since 1970. ``model``: the model of a reply, None for a user's message.
    """

    conversation: str
    title: str
    message: str
    role: str
    model: str | None
    created: int
    snippet: tuple[tuple[str, bool], ...]


class SearchResult(NamedTuple):
    """The hits of a search.

    ``total``: how many messages have all the words, at most ``RANKED`` + 1. ``by_date``: there are
    more than ``RANKED``, and the newest come first. ``ignored``: words without a letter or digit.
    """

    hits: list[Hit]
    total: int
    by_date: bool
    ignored: tuple[str, ...]


class Query(NamedTuple):
    """A query for FTS5, and the words with punctuation that the text must contain."""

    match: str
    literal: tuple[str, ...]
    ignored: tuple[str, ...]


def parse(words: str) -> Query:
    """Return the query for what a person entered."""
    match, literal, ignored = [], [], []
    for term in _TERM.finditer(well_formed(words).replace("\0", " ")):
        phrase, star, word = term.groups()
        if word is not None:
            star = "*" if word.endswith("*") and len(word) > 1 else ""
            phrase = word[: len(word) - len(star)]
        tokens = _TOKENS.findall(phrase)
        if not tokens:
            if phrase.strip() or star:
                ignored.append(term.group())
            continue
        match.append(f'"{phrase}"' + (" *" if star else ""))
        if word is not None and tokens != [phrase] and not phrase.replace("_", "").isalnum():
            literal.append(phrase.lower())
    return Query(" AND ".join(match), tuple(literal), tuple(ignored))


def search(store: Store, words: str, *, limit: int = 20, since: int | None = None) -> SearchResult:
    """Return the messages with all the words, the best (or, of very many, the newest) first.

    ``since``: only messages of that time or later. Raises ``StoreError``.
    """
    query = parse(words)
    if not query.match:
        return SearchResult([], 0, by_date=False, ignored=query.ignored)
    values = {"match": query.match, "since": first_number(since or 0), "limit": limit}
    where = "message_fts MATCH :match" + (" AND rowid >= :since" if since else "")
    total = store.row(
        f"SELECT count(*) FROM (SELECT 1 FROM message_fts WHERE {where} LIMIT {RANKED + 1})",  # noqa: S608
        values,
    )[0]
    by_date = total > RANKED
    order = "f.rowid DESC" if by_date else "f.rank"
    literal = "".join(
        f" AND instr(lower(m.text || ' ' || m.reasoning), :word{at})"
        for at in range(len(query.literal))
    )
    values |= {f"word{at}": word for at, word in enumerate(query.literal)}
    source = "message_fts f" + (" JOIN message m ON m.n = f.rowid" if literal else "")
    numbers = store.rows(
        f"SELECT f.rowid FROM {source} WHERE {where.replace('rowid', 'f.rowid')}{literal}"  # noqa: S608
        f" ORDER BY {order} LIMIT :limit",
        values,
    )
    hits = [_hit(store, query.match, number) for (number,) in numbers]
    return SearchResult(hits, total, by_date, query.ignored)


def _hit(store: Store, match: str, number: int) -> Hit:
    # Random marks, so that no text can contain them.
    secret = os.urandom(8).hex()
    start, end = f"\x02{secret}", f"\x03{secret}"
    row: Any = store.row(
        "SELECT m.conversation, c.title, m.id, m.role, t.model, m.created,"
        " snippet(message_fts, -1, :start, :end, '…', :words)"
        " FROM message_fts JOIN message m ON m.n = message_fts.rowid"
        " JOIN conversation c ON c.id = m.conversation LEFT JOIN turn t ON t.reply = m.id"
        " WHERE message_fts MATCH :match AND message_fts.rowid = :number",
        {"match": match, "number": number, "start": start, "end": end, "words": _SNIPPET_WORDS},
    )
    return Hit._make((*row[:-1], _pieces(row[-1], start, end)))


def _pieces(snippet: str, start: str, end: str) -> tuple[tuple[str, bool], ...]:
    pieces = []
    before, *marked = snippet.split(start)
    pieces.append((before, False))
    for part in marked:
        match, _, after = part.partition(end)
        pieces += [(match, True), (after, False)]
    return tuple(piece for piece in pieces if piece[0])
