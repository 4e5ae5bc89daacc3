"""What the arguments of ``darkai history`` mean: the store, ids, times.

A command that only reads does not create the database.
"""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import TYPE_CHECKING

from darkai_cli.cli.print import warn
from darkai_cli.config import paths
from darkai_cli.errors import NotFoundError, UsageError

if TYPE_CHECKING:
    from darkai_cli.history.store import Store

NOTHING = "No saved conversations"
FIRST = 'Start one with `darkai ask "tell me a joke"`'
_SPANS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800, "y": 31_557_600}


def existing_store() -> Store | None:
    """Open the history and return it; None if there is none. Raises ``StoreError``."""
    file = paths.history_file()
    try:
        exists = file.exists()
    except OSError:  # opening it explains why it cannot be read
        exists = True
    return open_store(file) if exists else None


def required_store() -> Store:
    """Open the history and return it. Raises ``NotFoundError`` if there is none; ``StoreError``."""
    store = existing_store()
    if store is None:
        raise NotFoundError(NOTHING, hint=FIRST)
    return store


def open_store(file: Path, *, replace: bool = False) -> Store:
    """Open the history in ``file``, create it if it is missing, and print its warnings.

    ``replace``: move a damaged one aside and start anew. Raises ``StoreError``.
    """
    from darkai_cli.history.store import Store

    store = Store(file, replace=replace)
    for warning in store.warnings:
        warn(warning)
    return store


def check_ids(*identifiers: str | None) -> None:
    """Raise ``UsageError`` for an empty id, which an unset variable in a script makes."""
    if any(identifier is not None and not identifier.strip() for identifier in identifiers):
        raise UsageError("An ID is empty", hint="Run `darkai history list` to see the IDs")


def conversation_id(store: Store, prefix: str | None) -> str:
    """Return the id of the conversation with that prefix, or of the latest for None.

    Raises ``NotFoundError``.
    """
    if prefix is not None:
        return store.find(prefix)
    latest = store.latest()
    if latest is None:
        raise NotFoundError(NOTHING, hint=FIRST)
    return latest


def time_ms(argument: str, option: str) -> int:
    """Return the time for ``2d`` (two days ago) or a date, in milliseconds since 1970.

    ``option`` is named in the ``UsageError`` for anything else.
    """
    text = argument.strip().lower()
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
        f"`{option} {argument}` is not a valid time",
        hint=f"Use `{option} 2d` (s, m, h, d, w, y), or a date such as `{option} 2026-01-31`",
    )
