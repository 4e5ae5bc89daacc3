"""The gate: what a request passes, and what it leaves behind."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from darkai_cli.rate_limits import holds
from darkai_cli.rate_limits.gate import Gate
from darkai_cli.rate_limits.holds import Account, Holds
from darkai_cli.rate_limits.rates import Rate

ME = Account("https://service.invalid:443", "0a1b2c3d")
ONE = (Rate(1, 60),)


class World:
    """A machine with a clock of its own."""

    def __init__(self, folder: Path) -> None:
        self.now = 1_700_000_000.0
        self.folder = folder
        self.fingerprints = 0

    def account(self) -> Account:
        self.fingerprints += 1
        return ME

    def gate(self, *rates: Rate) -> Gate:
        return Gate(
            self.account,
            rates,
            ledger=self.folder / "limits.db",
            holds=self.folder / "holds",
            clock=lambda: self.now,
        )


@pytest.fixture
def world(isolated: Path) -> World:
    return World(isolated / "darkai")


def test_a_service_without_rates_leaves_nothing_and_needs_no_key(world: World) -> None:
    gate = world.gate()
    assert gate.enter() is None
    gate.sent()
    gate.head(200, {"content-type": "text/event-stream", "x-ratelimit-remaining-requests": "5"})
    gate.leave()
    assert not world.folder.exists()
    assert world.fingerprints == 0


def test_a_request_that_went_counts(world: World) -> None:
    gate = world.gate(*ONE)
    assert gate.enter() is None
    gate.sent()
    gate.leave()
    assert world.gate(*ONE).enter() == (world.now + 60, ONE[0])


def test_one_that_never_went_does_not(world: World) -> None:
    gate = world.gate(*ONE)
    assert gate.enter() is None
    gate.leave()
    assert world.gate(*ONE).enter() is None


def test_a_second_request_of_the_same_turn_counts_too(world: World) -> None:
    two = Rate(2, 60)
    gate = world.gate(two)
    assert gate.enter() is None
    gate.sent()
    gate.sent()  # sent again at once, without what was refused
    gate.leave()
    assert world.gate(two).enter() is not None


def test_a_retry_passes_the_gate_again(world: World) -> None:
    gate = world.gate(*ONE)
    gate.enter()
    gate.sent()
    gate.leave()
    assert gate.enter() is not None


def test_a_hold_is_kept_for_all_and_ends_by_itself(world: World) -> None:
    world.gate().head(429, {"retry-after": "30"})
    closed = world.gate().enter()
    assert closed == (pytest.approx(world.now + 30, abs=0.01), None)
    world.now += 31
    assert world.gate().enter() is None
    assert not list((world.folder / "holds").iterdir())  # and is tidied away


def test_a_hold_is_of_one_key_only(world: World) -> None:
    world.gate().head(429, {"retry-after": "30"})
    other = Holds(world.folder / "holds")
    assert other.until(lambda: ME._replace(key="ffffffff"), world.now) is None
    assert [account for account, _ in other.all(world.now)] == [ME]


def test_a_shorter_hold_does_not_end_a_longer_one(world: World) -> None:
    world.gate().head(429, {"retry-after": "300"})
    world.gate().head(429, {"retry-after": "3"})
    closed = world.gate().enter()
    assert closed is not None
    assert closed.until > world.now + 299


def test_a_429_without_a_time_holds_where_the_rates_are_known(world: World) -> None:
    world.gate(Rate(4, 60), Rate(30, 1800)).head(429, {})
    closed = world.gate().enter()
    assert closed is not None
    assert closed.until == pytest.approx(world.now + 60, abs=0.01)


def test_a_429_without_a_time_holds_nobody_elsewhere(world: World) -> None:
    world.gate().head(429, {})
    assert world.gate().enter() is None


def test_no_hold_outlives_a_clock_that_was_put_right(world: World) -> None:
    world.gate().head(429, {"retry-after": "3600"})
    world.now -= 40 * holds.LONGEST
    assert world.gate().enter() is None


def test_holds_are_private_and_tell_a_person_whom_they_are_about(world: World) -> None:
    world.gate().head(429, {"retry-after": "30"})
    (file,) = (world.folder / "holds").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert json.loads(file.read_text()) == ME._asdict()


def test_whatever_is_wrong_with_the_files_the_request_goes(world: World) -> None:
    world.folder.parent.mkdir(exist_ok=True)
    world.folder.write_text("a file where the folder should be")
    gate = world.gate(*ONE)
    assert gate.enter() is None
    assert "requests are not counted" in (gate.trouble() or "")
    gate.sent()
    gate.head(429, {"retry-after": "30"})
    gate.leave()
    assert gate.enter() is None
    assert gate.trouble() is None  # told once


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written(world: World) -> None:
    world.folder.mkdir(mode=0o500)
    gate = world.gate(*ONE)
    assert gate.enter() is None
    assert gate.trouble() is not None


def test_a_damaged_ledger_counts_as_empty_and_is_told_once(world: World) -> None:
    world.folder.mkdir()
    (world.folder / "limits.db").write_bytes(b"damaged" * 1000)
    gate = world.gate(*ONE)
    assert gate.enter() is None
    assert "begins anew" in (gate.trouble() or "")
    gate.sent()
    gate.leave()
    assert world.gate(*ONE).enter() is not None
