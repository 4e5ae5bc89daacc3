"""From what was typed to what the library takes: the store, ids, times.

A command that only reads never makes the database: where there is no file there is no history.
"""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import TYPE_CHECKING

from darkai_cli.config import paths
from darkai_cli.errors import NotFoundError, UsageError

if TYPE_CHECKING:
    from darkai_cli.history.store import Store

NOTHING = "nothing is saved yet"
FIRST = '`darkai ask "tell me a joke"` makes the first conversation'
_SPANS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800, "y": 31_557_600}


def existing() -> Store | None:
    """The history, open; None if there is none. Raises ``StoreError``."""
    file = paths.history_file()
    try:
        is_there = file.exists()
    except OSError:  # who may not look is told so when it is opened
        is_there = True
    return opened(file) if is_there else None


def required() -> Store:
    """The history, open. Raises ``NotFoundError`` if there is none, and ``StoreError``."""
    store = existing()
    if store is None:
        raise NotFoundError(NOTHING, hint=FIRST)
    return store


def opened(file: Path, *, replace: bool = False) -> Store:
    """The history in ``file``, made if it is not there; its warnings are told.

    ``replace``: one that is damaged is moved aside. Raises ``StoreError``.
    """
    from darkai_cli.history.store import Store
    from darkai_cli.output.notices import tell

    store = Store(file, replace=replace)
    for warning in store.warnings:
        tell("warning", warning)
    return store


def named(*identifiers: str | None) -> None:
    """Raise ``UsageError`` for an empty id: in a script, a variable that nothing is in."""
    if any(typed is not None and not typed.strip() for typed in identifiers):
        raise UsageError("an ID is empty", hint="`darkai history list` shows them")


def chosen(store: Store, typed: str | None) -> str:
    """The id of the conversation that was meant: a prefix, or None for the latest.

    Raises ``NotFoundError``.
    """
    if typed is not None:
        return store.find(typed)
    latest = store.latest()
    if latest is None:
        raise NotFoundError(NOTHING, hint=FIRST)
    return latest


def moment(typed: str, option: str) -> int:
    """The time that was meant, in milliseconds since 1970: ``2d`` ago, or a date.

    Raises ``UsageError``.
    """
    text = typed.strip().lower()
    span = re.fullmatch(r"(\d{1,6}) ?([smhdwy])", text, re.ASCII)
    if span:
        return max(0, int((time.time() - int(span[1]) * _SPANS[span[2]]) * 1000))
    if re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.ASCII):
        from datetime import datetime

        try:
            return max(0, int(datetime.fromisoformat(text).timestamp() * 1000))
        except (ValueError, OverflowError, OSError):
            pass
    raise UsageError(
        f"`{option} {typed}` is no time",
        hint=f"`{option} 2d` (s, m, h, d, w, y), or a date such as `{option} 2026-01-31`",
    )
