"""What is remembered across processes, and that it never gets in the way."""

from __future__ import annotations

import os
import stat
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from darkai_cli import files
from darkai_cli.config import paths, state

URL = "https://example.invalid/chat"


class Clock:
    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(time, "time", clock)
    return clock


def test_an_outage_is_remembered_for_ten_minutes(clock: Clock) -> None:
    assert not state.outage(URL)
    state.record_outage(URL)
    assert state.outage(URL)
    assert not state.outage(URL + "/other")
    clock.now += 599
    assert state.outage(URL)
    clock.now += 1
    assert not state.outage(URL)


def test_an_outage_in_the_future_is_none(clock: Clock) -> None:
    state.record_outage(URL)
    clock.now -= 1
    assert not state.outage(URL)


def test_an_outage_can_be_forgotten(clock: Clock) -> None:
    state.record_outage(URL)
    state.record_outage("http://b")
    state.clear_outage(URL)
    assert not state.outage(URL)
    assert state.outage("http://b")


def test_old_outages_do_not_pile_up(clock: Clock) -> None:
    for number in range(50):
        state.record_outage(f"{URL}/{number}")
        clock.now += 601
    assert paths.state_file().read_text().count(URL) == 1


def test_clearing_what_was_never_recorded_writes_nothing() -> None:
    state.clear_outage(URL)
    assert not paths.state_file().exists()


def test_the_first_time_comes_once() -> None:
    assert state.first_time("a")
    assert not state.first_time("a")
    assert state.first_time("b")
    state.record_outage(URL)
    assert not state.first_time("a")


def test_the_first_time_comes_once_for_many_at_once() -> None:
    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(state.first_time, ["a"] * 16)) == 1


def test_the_file_is_private() -> None:
    state.first_time("a")
    assert stat.S_IMODE(paths.state_file().stat().st_mode) == 0o600
    assert stat.S_IMODE(paths.data_dir().stat().st_mode) == 0o700


@pytest.mark.parametrize(
    "damage",
    [
        b"{",
        b"null",
        b"\xff",
        b"[" * 100000,
        b'{"outages": 1, "facts": []}',
        b'{"outages": {"%s": "soon"}}' % URL.encode(),
        b'{"outages": {"%s": NaN}}' % URL.encode(),
        b'{"outages": {"%s": 1%s}}' % (URL.encode(), b"0" * 400),
        b" " * (files.LARGEST + 1),
    ],
)
def test_a_damaged_file_counts_as_empty(damage: bytes) -> None:
    paths.data_dir().mkdir()
    paths.state_file().write_bytes(damage)
    assert not state.outage(URL)
    assert state.first_time("a")
    assert not state.first_time("a")
    state.record_outage(URL)
    assert state.outage(URL)


def test_nothing_that_cannot_be_written_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(os.environ["DARKAI_HOME"]).write_text("a file where the folder should be")
    state.record_outage(URL)
    state.clear_outage(URL)
    assert not state.outage(URL)
    assert state.first_time("a")
    assert state.first_time("a")


def test_a_lock_that_is_never_released_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state, "_LOCK_SECONDS", 0)
    files.ensure(paths.data_dir())
    with files.locked(paths.state_file(), 0):
        assert state.first_time("a")
    assert not state.first_time("a")
