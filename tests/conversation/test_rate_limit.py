"""How a turn waits for its slot: countdown, notice, or the time of the next slot."""

from __future__ import annotations

import time
from pathlib import Path

import anyio
import pytest

from darkai_cli.config.load import load
from darkai_cli.conversation.rate_limit import (
    WaitPolicy,
    await_slot,
    format_slot,
    longest_wait,
    rates_of,
    wait_for_slot,
)
from darkai_cli.conversation.request import TurnObserver
from darkai_cli.errors import RateLimitError
from darkai_cli.events import Notice
from darkai_cli.providers.base import ProviderSettings
from darkai_cli.rate_limits.gate import Closed, Gate
from darkai_cli.rate_limits.rates import Rate

NOON = time.mktime((2026, 1, 15, 12, 0, 0, 0, 0, -1))


class Machine:
    """A machine with a clock of its own, which every wait moves."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = NOON
        self.sleeps: list[float] = []
        self._file = folder / "limits.db"
        monkeypatch.setattr(time, "sleep", self.sleep)
        monkeypatch.setattr(anyio, "sleep", self.asleep)

    def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.now += seconds

    async def asleep(self, seconds: float) -> None:
        self.sleep(seconds)

    def gate(self, *rates: Rate) -> Gate:
        return Gate("https://service.invalid", rates, file=self._file, clock=lambda: self.now)

    def policy(self, limit: float | None = 60) -> WaitPolicy:
        return WaitPolicy("service.invalid", limit, lambda: self.now)

    def send(
        self,
        *rates: Rate,
        limit: float | None = 60,
        observer: TurnObserver | None = None,
        is_async: bool = False,
    ) -> list[Notice]:
        """Wait for a slot and send a request in it; return the notices."""
        gate = self.gate(*rates)

        async def collect() -> list[Notice]:
            return [notice async for notice in await_slot(gate, self.policy(limit))]

        if is_async:
            notices = anyio.run(collect)
        else:
            notices = list(wait_for_slot(gate, self.policy(limit), observer or TurnObserver()))
        gate.sent()
        gate.leave()
        return notices


class Countdown(TurnObserver):
    """A terminal that counts down."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self.countdowns: list[tuple[str, float]] = []

    @property
    def counts_down(self) -> bool:
        return True

    def count_down(self, reason: str, seconds: float) -> None:
        self.countdowns.append((reason, seconds))
        self._machine.now += seconds


@pytest.fixture
def machine(isolated: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(isolated / "darkai", monkeypatch)


@pytest.mark.parametrize("is_async", [False, True])
def test_without_a_terminal_one_notice_announces_the_wait(machine: Machine, is_async: bool) -> None:
    assert machine.send(Rate(1, 30)) == []
    machine.now += 12
    assert machine.send(Rate(1, 30), is_async=is_async) == [
        Notice(
            "info",
            "service.invalid allows 1 request in 30 seconds; waiting until 12:00:30, in 18 s",
        )
    ]
    assert machine.sleeps == [18]


def test_no_wait_is_longer_than_allowed(machine: Machine) -> None:
    machine.send(Rate(1, 3600))
    with pytest.raises(RateLimitError) as caught:
        machine.send(Rate(1, 3600))
    error = caught.value
    assert error.message == (
        "service.invalid allows 1 request an hour; you can send again at 13:00:00, in 60 min"
    )
    assert "--max-wait 3601" in (error.hint or "")
    assert error.exit_code == 6
    assert machine.sleeps == []


def test_nobody_waits_where_no_wait_is_allowed(machine: Machine) -> None:
    machine.send(Rate(1, 1))
    with pytest.raises(RateLimitError, match="in 1 s"):
        machine.send(Rate(1, 1), limit=0)


def test_a_terminal_counts_down_and_shows_no_notice(machine: Machine) -> None:
    machine.send(Rate(1, 7200))
    terminal = Countdown(machine)
    assert machine.send(Rate(1, 7200), limit=None, observer=terminal) == []
    assert terminal.countdowns == [("service.invalid allows 1 request in 2 hours", 7200)]


def test_all_waits_of_an_attempt_count_together(machine: Machine) -> None:
    """Others may take the slot that was waited for."""
    policy = machine.policy(60)
    assert policy.wait(Closed(machine.now + 40, None)).seconds == 40
    with pytest.raises(RateLimitError, match=r"service\.invalid asked us to wait"):
        policy.wait(Closed(machine.now + 40, None))


def test_a_moment_is_waited_without_a_notice(machine: Machine) -> None:
    assert machine.policy(0).wait(Closed(machine.now + 0.04, None)).notice is None


def test_a_slot_of_another_day_shows_the_day() -> None:
    assert format_slot(NOON + 86_400, NOON) == "until 2026-01-16 12:00:00, in 24 h"
    assert format_slot(NOON + 0.2, NOON, "at") == "at 12:00:00, in 1 s"


def provider(url: str, name: str = "p") -> ProviderSettings:
    return ProviderSettings(name, "openai", url, "m")


def known_rates(settings: ProviderSettings, environ: dict[str, str]) -> list[Rate]:
    return rates_of(settings, load({}, environ=environ))


def test_the_public_service_has_known_rates_and_nobody_else(isolated: Path) -> None:
    environ = {"DARKAI_HOME": str(isolated / "darkai")}
    rates = known_rates(provider("https://darkai.foundation/chat"), environ)
    assert rates == [Rate(4, 60), Rate(30, 1800), Rate(80, 21_600)]
    assert known_rates(provider("https://darkai.foundation.example/chat"), environ) == []
    assert known_rates(provider("http://localhost:8000/chat"), environ) == []


def test_configured_rates_replace_what_is_known(isolated: Path) -> None:
    folder = isolated / "darkai"
    folder.mkdir()
    (folder / "config.toml").write_text('[providers.darkai]\nlimits = ["2/min"]\n')
    environ = {"DARKAI_HOME": str(folder)}
    rates = known_rates(provider("https://darkai.foundation/chat", "darkai"), environ)
    assert rates == [Rate(2, 60)]


def test_a_countdown_runs_for_as_long_as_it_takes(isolated: Path) -> None:
    environ = {"DARKAI_HOME": str(isolated / "darkai")}
    assert longest_wait(load({}, environ=environ), counts_down=False) == 60
    assert longest_wait(load({}, environ=environ), counts_down=True) is None
    assert longest_wait(load({"max_wait": 5.0}, environ=environ), counts_down=True) == 5
