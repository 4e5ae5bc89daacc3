"""The ledger: one file for all processes, which never gets in the way."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from darkai_cli.rate_limits.holds import Account
from darkai_cli.rate_limits.rates import Rate
from darkai_cli.rate_limits.store import Ledger, LedgerError

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
def ledger(file: Path, clock: Clock) -> Ledger:
    return Ledger(file, clock=clock)


def test_the_last_slot_is_had_once(ledger: Ledger, clock: Clock) -> None:
    assert ledger.reserve(ME, TWO).row
    clock.now += 10
    assert ledger.reserve(ME, TWO).row
    refused = ledger.reserve(ME, TWO)
    assert refused.row is None
    assert refused.slot == (1_700_000_060.0, TWO[0])
    clock.now = refused.slot.at
    assert ledger.reserve(ME, TWO).row


def test_each_service_and_key_counts_on_its_own(ledger: Ledger) -> None:
    for _ in range(2):
        assert ledger.reserve(ME, TWO).row
    assert ledger.reserve(OTHER_KEY, TWO).row
    assert ledger.reserve(ME._replace(origin="https://other.invalid:443"), TWO).row


def test_a_request_that_never_went_is_taken_back(ledger: Ledger) -> None:
    row = ledger.reserve(ME, TWO).row
    ledger.reserve(ME, TWO)
    ledger.take_back(row)
    assert ledger.reserve(ME, TWO).row


def test_a_request_counts_from_when_it_went(ledger: Ledger, clock: Clock) -> None:
    row = ledger.reserve(ME, (Rate(1, 60),)).row
    clock.now += 7
    ledger.went(row)
    assert ledger.reserve(ME, (Rate(1, 60),)).slot.at == clock.now + 60


def test_what_counts_no_more_is_forgotten(ledger: Ledger, clock: Clock, file: Path) -> None:
    for _ in range(50):
        clock.now += 100
        ledger.reserve(ME, TWO)
    with sqlite3.connect(file) as conn:
        assert conn.execute("SELECT count(*) FROM request").fetchone()[0] <= 2
    conn.close()


def test_no_key_is_in_it_and_it_is_private(ledger: Ledger, file: Path) -> None:
    ledger.reserve(ME, TWO)
    for part in file.parent.iterdir():
        assert stat.S_IMODE(part.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize(
    "damage",
    [b"no database at all, but long enough to be one" * 30, b"SQLite format 3\0" + b"\xff" * 5000],
)
def test_a_damaged_file_is_replaced(ledger: Ledger, file: Path, damage: bytes) -> None:
    file.parent.mkdir(parents=True)
    file.write_bytes(damage)
    assert ledger.reserve(ME, TWO).row
    assert ledger.replaced
    assert len(ledger.gone(ME, 60)) == 1


def test_a_file_that_was_damaged_later_is_replaced_for_the_next(file: Path, clock: Clock) -> None:
    first = Ledger(file, clock=clock)
    for _ in range(3):
        first.count(ME, TWO)
    first.close()
    data = bytearray(file.read_bytes())
    data[4096 * 2 :] = b"\xa5" * len(data[4096 * 2 :])  # the index, not the head
    file.write_bytes(data)
    second = Ledger(file, clock=clock)
    try:
        second.reserve(ME, TWO)
    except LedgerError:
        assert Ledger(file, clock=clock).reserve(ME, TWO).row
    else:
        assert second.replaced


def test_a_newer_file_is_left_alone(ledger: Ledger, file: Path) -> None:
    ledger.reserve(ME, TWO)
    ledger.close()
    with sqlite3.connect(file) as conn:
        conn.execute("PRAGMA user_version = 99")
    conn.close()
    with pytest.raises(LedgerError, match="newer darkai"):
        Ledger(file).reserve(ME, TWO)


def test_a_folder_that_cannot_be_is_told(isolated: Path) -> None:
    (isolated / "file").write_text("")
    with pytest.raises(LedgerError):
        Ledger(isolated / "file" / "limits.db").reserve(ME, TWO)


def test_a_lock_that_is_never_released_is_told(ledger: Ledger, file: Path) -> None:
    ledger.reserve(ME, TWO)
    holder = sqlite3.connect(file, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    try:
        with pytest.raises(LedgerError, match="locked"):
            Ledger(file, patience=0.01).reserve(ME, TWO)
    finally:
        holder.close()


CHILD = """
import sys
from pathlib import Path
from darkai_cli.rate_limits.rates import Rate
from darkai_cli.rate_limits.holds import Account
from darkai_cli.rate_limits.store import Ledger
sys.stdin.read()
ledger = Ledger(Path(sys.argv[1]), patience=30)
got = [ledger.reserve(Account("https://a:443", ""), (Rate(20, 3600),)).row is not None for _ in range(2)]
print(sum(got))
"""


def test_thirty_two_first_starts_at_once_never_take_a_slot_too_many(file: Path) -> None:
    children = [
        subprocess.Popen(
            [sys.executable, "-c", CHILD, str(file)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=dict(os.environ),
        )
        for _ in range(32)
    ]
    for child in children:
        child.stdin.close()  # go
    outputs = [child.stdout.read() for child in children]
    codes = [child.wait(60) for child in children]
    for child in children:
        child.stdout.close()
    assert codes == [0] * 32
    assert sum(int(output) for output in outputs) == 20


def test_nobody_reads_the_count_while_another_decides(file: Path) -> None:
    """Else two would both see the last slot."""
    outcome: list[str] = []
    Ledger(file).reserve(OTHER_KEY, TWO)

    def meanwhile() -> float:
        try:
            Ledger(file, patience=0).reserve(ME, TWO)
        except LedgerError as exc:
            outcome.append(str(exc))
        return 1_700_000_000.0

    assert Ledger(file, clock=meanwhile).reserve(ME, TWO).row
    assert outcome == ["database is locked"]
