"""Small facts that are remembered from one process to the next, in ``state.json``.

Not history, not configuration: all of it may be lost. So a file that is damaged, unreadable or not
writable counts as empty, and nothing here ever raises or waits for long.
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

_PATIENCE = 0.5


def outage(url: str) -> bool:
    """Whether the service at ``url`` failed to answer less than ten minutes ago."""
    return _recent(_read()["outages"].get(url))


def record_outage(url: str) -> None:
    """Remember that the service at ``url`` did not answer."""
    _change(lambda state: state["outages"].update({url: time.time()}))


def clear_outage(url: str) -> None:
    """Forget it: the service at ``url`` answers again."""
    if url in _read()["outages"]:
        _change(lambda state: state["outages"].pop(url, None))


def first_time(fact: str) -> bool:
    """True once ever for each ``fact``; on a machine that keeps nothing, each time."""
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
    """Whether the time lies less than ten minutes back; a clock that stepped back voids it."""
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
        with files.locked(file, _PATIENCE):  # not had: better two writers than a command held up
            state = _read()
            state["outages"] = {u: at for u, at in state["outages"].items() if _recent(at)}
            edit(state)
            files.replace(file, json.dumps(state, indent=1).encode())
    except (OSError, ValueError):
        return
