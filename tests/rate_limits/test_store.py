"""The database of rate limits: one file for all processes, which never gets in the way."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from darkai_cli.rate_limits.rates import Rate
from darkai_cli.rate_limits.store import (
    LONGEST_HOLD,
    Account,
    RateLimitStore,
    RateLimitStoreError,
    overview,
)

ME = Account("https://service.invalid:443", "0a1b2c3d")
OTHER_KEY = ME._replace(key="ffffffff")
TWO = (Rate(2, 60),)


class Clock:
    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def file(isolated: Path) -> Path:
    return isolated / "darkai" / "limits.db"


@pytest.fixture
def store(file: Path, clock: Clock) -> RateLimitStore:
    return RateLimitStore(file, clock=clock)


def test_the_last_slot_is_given_once(store: RateLimitStore, clock: Clock) -> None:
    assert store.reserve(ME, TWO).row
    clock.now += 10
    assert store.reserve(ME, TWO).row
    refused = store.reserve(ME, TWO)
    assert refused.row is None
    assert refused.slot == (1_700_000_060.0, TWO[0])
    clock.now = refused.slot.at
    assert store.reserve(ME, TWO).row


def test_each_service_and_key_counts_on_its_own(store: RateLimitStore) -> None:
    for _ in range(2):
        assert store.reserve(ME, TWO).row
    assert store.reserve(OTHER_KEY, TWO).row
    assert store.reserve(ME._replace(origin="https://other.invalid:443"), TWO).row


def test_a_request_that_was_never_sent_is_taken_back(store: RateLimitStore) -> None:
    row = store.reserve(ME, TWO).row
    store.reserve(ME, TWO)
    store.take_back(row)
    assert store.reserve(ME, TWO).row


def test_a_request_counts_from_when_it_was_sent(store: RateLimitStore, clock: Clock) -> None:
    row = store.reserve(ME, (Rate(1, 60),)).row
    clock.now += 7
    store.mark_sent(row)
    assert store.reserve(ME, (Rate(1, 60),)).slot.at == clock.now + 60


def test_what_counts_no_more_is_forgotten(store: RateLimitStore, clock: Clock, file: Path) -> None:
    for _ in range(50):
        clock.now += 100
        store.reserve(ME, TWO)
    with sqlite3.connect(file) as conn:
        assert conn.execute("SELECT count(*) FROM request").fetchone()[0] <= 2
    conn.close()


@pytest.mark.parametrize(
    "damage",
    [b"no database at all, but long enough to be one" * 30, b"SQLite format 3\0" + b"\xff" * 5000],
)
def test_a_damaged_file_is_replaced(store: RateLimitStore, file: Path, damage: bytes) -> None:
    file.parent.mkdir(parents=True)
    file.write_bytes(damage)
    assert store.reserve(ME, TWO).row
    assert store.replaced
    assert len(overview(file, 1_700_000_000.0).sent_at[ME]) == 1


def test_a_file_that_was_damaged_later_is_replaced_for_the_next(file: Path, clock: Clock) -> None:
    first = RateLimitStore(file, clock=clock)
    for _ in range(3):
        first.count(ME, TWO)
    first.close()
    data = bytearray(file.read_bytes())
    data[4096 * 2 :] = b"\xa5" * len(data[4096 * 2 :])  # the index, not the head
    file.write_bytes(data)
    second = RateLimitStore(file, clock=clock)
    try:
        second.reserve(ME, TWO)
    except RateLimitStoreError:
        assert RateLimitStore(file, clock=clock).reserve(ME, TWO).row
    else:
        assert second.replaced


OLD_SCHEMA = """
CREATE TABLE request (id INTEGER PRIMARY KEY, origin TEXT NOT NULL, key TEXT NOT NULL, at REAL NOT NULL);
CREATE INDEX request_by_account ON request (origin, key, at);
PRAGMA user_version = 1;
"""


def test_a_database_of_the_first_version_is_used(file: Path, clock: Clock) -> None:
    file.parent.mkdir(parents=True)
    with sqlite3.connect(file) as conn:
        conn.executescript(OLD_SCHEMA)
        conn.execute("INSERT INTO request (origin, key, at) VALUES (?, ?, ?)", (*ME, clock.now - 1))
    conn.close()
    assert overview(file, clock.now) == ({ME: [clock.now - 1]}, {})
    store = RateLimitStore(file, clock=clock)
    assert store.reserve(ME, TWO).row
    assert store.reserve(ME, TWO).row is None
    store.hold(ME, clock.now + 30)
    assert store.held_until(ME) == clock.now + 30
    assert overview(file, clock.now).holds == {ME: clock.now + 30}


def test_a_hold_counts_for_its_service_and_key_until_it_ends(
    store: RateLimitStore, clock: Clock, file: Path
) -> None:
    store.hold(ME, clock.now + 30)
    store.hold(ME, clock.now + 3)
    assert store.held_until(ME) == clock.now + 30
    store.hold(OTHER_KEY._replace(key="eeeeeeee"), clock.now + 10**9)
    assert overview(file, clock.now).holds[OTHER_KEY._replace(key="eeeeeeee")] == (
        clock.now + LONGEST_HOLD
    )
    assert store.held_until(OTHER_KEY) is None
    clock.now += 31
    assert store.held_until(ME) is None


def test_a_look_makes_nothing(file: Path) -> None:
    assert overview(file, 0.0) == ({}, {})
    assert not file.parent.exists()


def test_a_newer_file_is_left_alone(store: RateLimitStore, file: Path) -> None:
    store.reserve(ME, TWO)
    store.close()
    with sqlite3.connect(file) as conn:
        conn.execute("PRAGMA user_version = 99")
    conn.close()
    with pytest.raises(RateLimitStoreError, match="newer darkai"):
        RateLimitStore(file).reserve(ME, TWO)


def test_a_lock_that_is_never_released_is_an_error(store: RateLimitStore, file: Path) -> None:
    store.reserve(ME, TWO)
    holder = sqlite3.connect(file, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    try:
        with pytest.raises(RateLimitStoreError, match="locked"):
            RateLimitStore(file, patience=0.01).reserve(ME, TWO)
    finally:
        holder.close()


CHILD = """
import sys
from pathlib import Path
from darkai_cli.rate_limits.rates import Rate
from darkai_cli.rate_limits.store import Account, RateLimitStore
sys.stdin.read()
store = RateLimitStore(Path(sys.argv[1]), patience=30)
got = [store.reserve(Account("https://a:443", ""), (Rate(20, 3600),)).row is not None for _ in range(2)]
print(sum(got))
"""


def test_sixteen_first_starts_at_once_never_take_a_slot_too_many(file: Path) -> None:
    children = [
        subprocess.Popen(
            [sys.executable, "-c", CHILD, str(file)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=dict(os.environ),
        )
        for _ in range(16)
    ]
    for child in children:
        child.stdin.close()  # go
    outputs = [child.stdout.read() for child in children]
    codes = [child.wait(60) for child in children]
    for child in children:
        child.stdout.close()
    assert codes == [0] * 16
    assert sum(int(output) for output in outputs) == 20


def test_nobody_reads_the_count_while_another_decides(file: Path) -> None:
    """Else two would both see the last slot."""
    outcome: list[str] = []
    RateLimitStore(file).reserve(OTHER_KEY, TWO)

    def meanwhile() -> float:
        try:
            RateLimitStore(file, patience=0).reserve(ME, TWO)
        except RateLimitStoreError as exc:
            outcome.append(str(exc))
        return 1_700_000_000.0

    assert RateLimitStore(file, clock=meanwhile).reserve(ME, TWO).row
    assert outcome == ["database is locked"]
