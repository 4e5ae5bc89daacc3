"""The gate: what a request passes, what it leaves behind, and what response headers say about the next."""

from __future__ import annotations

import stat
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkai_cli.http.retry_after import retry_after
from darkai_cli.rate_limits.gate import Gate, held_until
from darkai_cli.rate_limits.rates import Rate
from darkai_cli.rate_limits.store import LONGEST_HOLD, Account, overview
from darkai_cli.secrets import Secret

URL = "https://service.invalid/v1"
ACCOUNT = Account("https://service.invalid:443", "")
ONE = (Rate(1, 60),)


class Machine:
    """A machine with a clock of its own."""

    def __init__(self, folder: Path) -> None:
        self.now = 1_700_000_000.0
        self.folder = folder
        self.file = folder / "limits.db"

    def gate(self, *rates: Rate) -> Gate:
        return Gate(URL, rates, file=self.file, clock=lambda: self.now)

    def holds(self) -> dict[Account, float]:
        return overview(self.file, self.now).holds


@pytest.fixture
def machine(isolated: Path) -> Machine:
    return Machine(isolated / "darkai")


def test_a_service_without_rates_leaves_nothing(machine: Machine) -> None:
    gate = machine.gate()
    assert gate.enter() is None
    gate.sent()
    gate.head(200, {"x-ratelimit-remaining-requests": "5"}, None)
    gate.leave()
    assert not machine.folder.exists()


def test_a_request_that_was_sent_counts(machine: Machine) -> None:
    gate = machine.gate(*ONE)
    assert gate.enter() is None
    gate.sent()
    gate.leave()
    assert machine.gate(*ONE).enter() == (machine.now + 60, ONE[0])


def test_one_that_was_never_sent_does_not(machine: Machine) -> None:
    gate = machine.gate(*ONE)
    assert gate.enter() is None
    gate.leave()
    assert machine.gate(*ONE).enter() is None


def test_a_second_request_of_the_same_turn_counts_too(machine: Machine) -> None:
    two = Rate(2, 60)
    gate = machine.gate(two)
    assert gate.enter() is None
    gate.sent()
    gate.sent()  # sent again at once, without what was refused
    gate.leave()
    assert machine.gate(two).enter() is not None


def test_a_hold_is_for_all_and_ends_by_itself(machine: Machine) -> None:
    machine.gate().head(429, {}, 30.0)
    assert machine.gate().enter() == (machine.now + 30, None)
    machine.now += 31
    assert machine.gate().enter() is None


def test_a_hold_is_of_one_key_only(machine: Machine) -> None:
    gate = machine.gate()
    gate.key = Secret("sk-0123456789abcdef", "https://service.invalid")
    gate.head(429, {}, 30.0)
    assert [account.key for account in machine.holds()] == [gate.key.fingerprint]
    assert machine.gate().enter() is None
    assert gate.enter() is not None


def test_a_429_without_a_time_holds_where_the_rates_are_known(machine: Machine) -> None:
    machine.gate(Rate(4, 60), Rate(30, 1800)).head(429, {}, None)
    assert machine.holds() == {ACCOUNT: machine.now + 60}


def test_a_429_without_a_time_holds_nobody_elsewhere(machine: Machine) -> None:
    machine.gate().head(429, {}, None)
    assert machine.gate().enter() is None


def test_retry_after_counts_only_where_the_service_refuses(machine: Machine) -> None:
    machine.gate().head(200, {"retry-after": "5"}, 5.0)
    assert machine.gate().enter() is None
    machine.gate().head(503, {"retry-after": "5"}, 5.0)
    assert machine.gate().enter() is not None


def test_no_hold_outlives_a_clock_that_was_put_right(machine: Machine) -> None:
    machine.gate().head(429, {}, 3600.0)
    machine.now -= 40 * LONGEST_HOLD
    assert machine.gate().enter() is None


def test_without_a_hold_in_force_sqlite_is_not_loaded(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.gate().head(429, {}, 30.0)
    machine.now += 31
    monkeypatch.setitem(sys.modules, "sqlite3", None)
    monkeypatch.delitem(sys.modules, "darkai_cli.rate_limits.store")
    assert machine.gate().enter() is None


def test_all_files_are_private(machine: Machine) -> None:
    machine.gate(*ONE).head(429, {}, 30.0)
    modes = {stat.S_IMODE(file.stat().st_mode) for file in machine.folder.iterdir()}
    assert modes == {0o600}
    assert stat.S_IMODE(machine.folder.stat().st_mode) == 0o700


def test_whatever_is_wrong_with_the_files_the_request_goes(machine: Machine) -> None:
    machine.folder.parent.mkdir(exist_ok=True)
    machine.folder.write_text("a file where the folder should be")
    gate = machine.gate(*ONE)
    assert gate.enter() is None
    assert "Can't count requests" in (gate.trouble() or "")
    gate.sent()
    gate.head(429, {}, 30.0)
    gate.leave()
    assert gate.enter() is None
    assert gate.trouble() is None  # only once


def test_a_damaged_database_counts_as_empty_and_is_mentioned_once(machine: Machine) -> None:
    machine.folder.mkdir()
    machine.file.write_bytes(b"damaged" * 1000)
    gate = machine.gate(*ONE)
    assert gate.enter() is None
    assert "starts over" in (gate.trouble() or "")
    gate.sent()
    gate.leave()
    assert machine.gate(*ONE).enter() is not None


NOW = 1_700_000_000.0  # 2023-11-14 22:13:20 UTC


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("17", 17),
        (" 1.5 ", 1.5),
        ("Tue, 14 Nov 2023 22:14:20 GMT", 60),
        ("Tue, 14 Nov 2023 22:00:00 GMT", 0),
        ("", None),
        ("soon", None),
        ("-5", None),
    ],
)
def test_retry_after_is_a_number_or_a_date(value: str, seconds: float | None) -> None:
    assert retry_after(value, NOW) == seconds


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        # OpenAI and Groq: until the bucket is full
        ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "1s"}, 1),
        ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "6m0s"}, 360),
        ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "2m59.56s"}, 179.56),
        ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "20ms"}, 0.02),
        ({"x-ratelimit-remaining-requests": "59", "x-ratelimit-reset-requests": "1s"}, None),
        # ... of which the next request needs a part
        (
            {
                "x-ratelimit-limit-requests": "60",
                "x-ratelimit-remaining-requests": "0",
                "x-ratelimit-reset-requests": "1m0s",
            },
            1,
        ),
        (
            {
                "anthropic-ratelimit-requests-remaining": "0",
                "anthropic-ratelimit-requests-reset": "2023-11-14T22:14:00Z",
            },
            40,
        ),
        (
            {
                "anthropic-ratelimit-requests-limit": "50",
                "anthropic-ratelimit-requests-remaining": "0",
                "anthropic-ratelimit-requests-reset": "2023-11-14T22:14:10+00:00",
            },
            1,
        ),
        # OpenRouter, GitHub
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1700000030000"}, 30),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1700000045"}, 45),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "7"}, 7),
        ({"x-ratelimit-remaining": "3", "x-ratelimit-reset": "1700000045"}, None),
        # the drafts
        ({"ratelimit-remaining": "0", "ratelimit-reset": "12"}, 12),
        ({"ratelimit": "limit=10, remaining=0, reset=50"}, 50),
        ({"ratelimit": '"default";r=0;t=30'}, 30),
        ({"ratelimit": '"default";r=50;t=30'}, None),
        # what has passed does not count
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1600000000"}, None),
        ({"x-ratelimit-remaining": "0"}, None),
    ],
)
def test_the_counters_of_services(headers: dict[str, str], seconds: float | None) -> None:
    until = held_until(headers, None, NOW)
    expected = None if seconds is None else pytest.approx(NOW + seconds, abs=1e-3)
    assert until == expected


def test_the_latest_time_counts() -> None:
    reset = {"ratelimit-remaining": "0", "ratelimit-reset": "12"}
    assert held_until(reset, 3.0, NOW) == NOW + 12


NAMES = st.sampled_from(
    [
        "x-ratelimit-remaining", "x-ratelimit-reset", "x-ratelimit-remaining-requests",
        "x-ratelimit-reset-requests", "x-ratelimit-limit-requests", "ratelimit", "ratelimit-remaining",
        "ratelimit-reset", "anthropic-ratelimit-requests-remaining",
        "anthropic-ratelimit-requests-reset",
    ]
)  # fmt: skip
VALUES = st.text() | st.just("0") | st.integers(-5, 10**20).map(str) | st.floats().map(str)


@given(VALUES, st.dictionaries(NAMES, VALUES))
def test_no_header_fails_a_request(value: str, headers: dict[str, str]) -> None:
    until = held_until(headers, retry_after(value, NOW), NOW)
    assert until is None or until > NOW
