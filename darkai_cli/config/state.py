"""Small facts that are kept between processes, in ``state.json``.

All of it may be lost, so a file that is damaged or cannot be read counts as empty, a file that
cannot be written is ignored, and nothing here raises or waits for long.
"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from darkai_cli import files
from darkai_cli.config import paths

if TYPE_CHECKING:
    from collections.abc import Callable

OUTAGE_SECONDS = 600
"""How long a failure to reach a service is remembered."""

_LOCK_SECONDS = 0.5


def outage(url: str) -> bool:
    """Return whether the service at ``url`` failed to answer within the last ten minutes."""
    return _recent(_read()["outages"].get(url))


def record_outage(url: str) -> None:
    """Record that the service at ``url`` did not answer."""
    _change(lambda state: state["outages"].update({url: time.time()}))


def clear_outage(url: str) -> None:
    """Remove the record of the service at ``url``, which answers again."""
    if url in _read()["outages"]:
        _change(lambda state: state["outages"].pop(url, None))


def first_time(fact: str) -> bool:
    """Return True the first time ever for each ``fact``, or always if nothing can be stored."""
    if fact in _read()["facts"]:
        return False
    first = True

    def note(state: dict[str, dict[str, Any]]) -> None:
        nonlocal first
        first = fact not in state["facts"]
        state["facts"].setdefault(fact, time.time())

    _change(note)
    return first


def _recent(when: object) -> bool:
    """Return whether the time is less than ten minutes ago, and not in the future."""
    now = time.time()
    return isinstance(when, (int, float)) and now - OUTAGE_SECONDS < when <= now


def _read() -> dict[str, dict[str, Any]]:
    try:
        state = json.loads(files.read(paths.state_file()) or b"{}")
    except (OSError, ValueError, RecursionError):
        state = {}
    known: dict[str, dict[str, Any]] = {"outages": {}, "facts": {}}
    for name in known:
        part = state.get(name) if isinstance(state, dict) else None
        if isinstance(part, dict):
            known[name] = part
    return known


def _change(edit: Callable[[dict[str, dict[str, Any]]], object]) -> None:
    file = paths.state_file()
    try:
        files.ensure(file.parent)
        with files.locked(
            file, _LOCK_SECONDS
        ):  # not had: better two writers than a command held up
            state = _read()
            state["outages"] = {u: at for u, at in state["outages"].items() if _recent(at)}
            edit(state)
            files.replace(file, json.dumps(state, indent=1).encode())
    except (OSError, ValueError):
        return
