"""What each dialect does in each play, seen from outside, is what was written down of it.

Every play is a run of the whole command: a forked process of its own (``forking.py``, which spares
it the start-up) against a real server, for all six dialects. ``plays.py`` says what is played and
what is written down. The snapshot is in the data files beside this one; a change that is meant is
recorded with ``python tests/contract/snapshot/record.py``, and then reviewed as any other change.

``test_dialects.py`` decodes the wire cases without a process, so of their plays every fifth runs by
default, and all of them with the long tests (``pytest -m "soak or not soak" tests/contract``).
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from contract.snapshot.forking import Forking
from contract.snapshot.plays import KINDS, Play, block, load, path_of, perform, plays

RECORD = "python tests/contract/snapshot/record.py"
EVERYTHING = {kind: plays(kind) for kind in KINDS}
snapshot = cache(load)


@pytest.fixture(scope="session")
def forking() -> Iterator[Forking]:
    with Forking() as running:
        yield running


def difference(kind: str, before: Any, after: Any) -> str:
    """The lines that differ."""
    lines = difflib.unified_diff(
        block(before).splitlines(), block(after).splitlines(), "recorded", "now", lineterm="", n=0
    )
    return "\n".join([*lines, f"If that is meant: {RECORD} {kind}"])


def chosen_plays() -> Iterator[Any]:
    """Yield dialect and name of each play; four of five wire cases are marked as long tests."""
    for kind in KINDS:
        for number, name in enumerate(EVERYTHING[kind]):
            is_long = name.startswith("case: ") and number % 5 != 0
            yield pytest.param(kind, name, marks=[pytest.mark.soak] if is_long else [])


@pytest.mark.parametrize(("kind", "name"), [*chosen_plays()])
def test_play(kind: str, name: str, forking: Forking, isolated: Path):
    play: Play = EVERYTHING[kind][name]
    written = perform(forking, kind, play, isolated / "machine")
    recorded = snapshot(kind).get(name)
    if recorded is None:
        pytest.fail(f"{name} was never recorded: {RECORD} {kind}", pytrace=False)
    if written != recorded:
        pytest.fail(difference(kind, recorded, written), pytrace=False)


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_recorded_that_is_not_played(kind: str):
    assert sorted(set(snapshot(kind)) - set(EVERYTHING[kind])) == []


def test_the_data_stay_small():
    assert sum(path_of(kind).stat().st_size for kind in KINDS) < 400_000
