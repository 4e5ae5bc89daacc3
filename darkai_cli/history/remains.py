"""Messages of a damaged database of which only a part could be read: kept, and marked.

Not the reading (``pages``) and not the gathering (``salvage``). What is lost is never guessed at. A
reply says by its turn that it is cut, so that everything that shows one tells it, and ``ask
--resume`` goes on with it; a prompt has no such place, so a line in its text says it.
"""

from __future__ import annotations

import json
from collections.abc import Set as AbstractSet
from typing import Any

from darkai_cli.history import ids
from darkai_cli.history.importers.draft import DraftMessage
from darkai_cli.history.store import StoredTurn
from darkai_cli.messages import ROLES

_LOST = "a part of it was lost when the history was damaged"


def of_message(values: dict[str, Any]) -> dict[str, Any] | None:
    """A row of ``message`` with something in place of what is lost; None if it is of no use."""
    names = (values["id"], values["conversation"])
    if not all(map(ids.is_id, names)) or values["role"] not in ROLES or not values["text"]:
        return None
    created = values["created"]
    return values | {
        "reasoning": values["reasoning"] or "",
        "parts": values["parts"] if _is_json(values["parts"]) else "[]",
        "created": ids.ms_of(values["id"]) if created is None else created,
    }


def without_zeros(values: dict[str, Any], cut: set[str]) -> dict[str, Any]:
    """A row of ``message`` whose end is zeros, which SQLite does not notice, without them.

    Its id is added to ``cut``. Any other row comes back as it is.
    """
    if _is_json(values["parts"]) or not isinstance(values["text"], str):
        return values
    cut.add(values["id"])
    given = {"text": values["text"].rstrip("\0"), "reasoning": "", "parts": "[]"}
    return values | given | {"created": ids.ms_of(values["id"])}


def marked(
    messages: list[DraftMessage], turns: list[StoredTurn], cut: AbstractSet[str]
) -> tuple[list[DraftMessage], list[StoredTurn]]:
    """Both, with what is ``cut`` saying so."""
    told = {turn.reply for turn in turns} & cut
    return (
        [
            one._replace(text=f"{one.text}\n\n[{_LOST}]") if one.id in cut - told else one
            for one in messages
        ],
        [_cut_off(turn) if turn.reply in told else turn for turn in turns],
    )


def _cut_off(turn: StoredTurn) -> StoredTurn:
    return turn._replace(
        state="truncated" if turn.state == "complete" else turn.state,
        error_kind=turn.error_kind or "store",
        error="; ".join(filter(None, (turn.error, _LOST))),
    )


def _is_json(text: object) -> bool:
    try:
        json.loads(text if isinstance(text, str) else "")
    except (ValueError, RecursionError):
        return False
    return True
