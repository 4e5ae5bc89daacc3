"""What is stored, before it is: names of a turn, text that UTF-8 can hold, JSON in one form.

Apart from ``records`` because the journal needs it before the request is sent, when importing
``sqlite3`` would be felt.
"""

from __future__ import annotations

import json
from typing import NamedTuple

_TITLE_LENGTH = 80


class TurnIds(NamedTuple):
    """What a turn and its parts are called."""

    conversation: str
    turn: str
    prompt: str
    reply: str


def dumps(value: object) -> str:
    """JSON as it is stored: compact, the same for equal values, no lone surrogate."""
    return clean(json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True))


def clean(text: str) -> str:
    """Text that UTF-8 can hold: surrogate pairs joined, lone surrogates U+FFFD."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def title_from(prompt: str) -> str:
    """A conversation's title, until the user gives it another: how its first prompt begins."""
    words = " ".join(prompt[: _TITLE_LENGTH * 4].split())
    return words if len(words) <= _TITLE_LENGTH else words[: _TITLE_LENGTH - 1].rstrip() + "…"
