"""How a turn waits for its slot: countdown, notice, or the time of the next slot."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from darkai_cli.config.load import load
from darkai_cli.conversation.rate_limit import WaitPolicy, gate_of, patience_of, slot, wait_for_slot
from darkai_cli.conversation.retry import retried
from darkai_cli.errors import NetworkError, RateLimitError
from darkai_cli.events import Event, Notice, StreamEnd, StreamStart, TextChunk
from darkai_cli.output.countdown import count_down
from darkai_cli.providers.base import ProviderSettings
from darkai_cli.rate_limits.gate import Gate
from darkai_cli.rate_limits.holds import Account
from darkai_cli.rate_limits.rates import Rate

REPLY = [StreamStart("p", "m"), TextChunk("hi"), StreamEnd("stop")]
NOON = time.mktime((2026, 1, 15, 12, 0, 0, 0, 0, -1))


class World:
    def __init__(self, folder: Path) -> None:
        self.now = NOON
        self.folder = folder
        self.slept: list[float] = []
        self.counted: list[tuple[str, float]] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def count_down(self, why: str, seconds: float) -> None:
        self.counted.append((why, seconds))
        self.now += seconds

    def gate(self, *rates: Rate) -> Gate:
        return Gate(
            lambda: Account("https://service.invalid:443", ""),
            rates,
            ledger=self.folder / "limits.db",
            holds=self.folder / "holds",
            clock=lambda: self.now,
        )

    def ask(
        self, *rates: Rate, seconds: float | None = 60, terminal: bool = False, fails: bool = False
    ) -> list[Event]:
        gate = self.gate(*rates)

        def source() -> Iterator[Event]:
            if fails:
                raise NetworkError("refused")
            gate.sent()
            yield from REPLY

        patience = WaitPolicy(
            seconds, self.count_down if terminal else None, self.sleep, lambda: self.now
        )
        return list(wait_for_slot(gate, "service.invalid", source, patience))


@pytest.fixture
def world(isolated: Path) -> World:
    return World(isolated / "darkai")


def test_a_pipe_is_told_once_and_waits(world: World) -> None:
    assert world.ask(Rate(1, 30)) == REPLY
    world.now += 12
    first, *rest = world.ask(Rate(1, 30))
    assert first == Notice(
        "info",
        "service.invalid takes 1 request in 30 seconds; waiting until 12:00:30, in 18 s",
    )
    assert rest == REPLY
    assert world.slept == [18]


def test_a_pipe_does_not_wait_for_longer_than_it_may(world: World) -> None:
    world.ask(Rate(1, 3600))
    with pytest.raises(RateLimitError) as caught:
        world.ask(Rate(1, 3600))
    error = caught.value
    assert error.message == (
        "service.invalid takes 1 request an hour; the next slot opens at 13:00:00, in 60 min"
    )
    assert "--max-wait 3601" in (error.hint or "")
    assert error.exit_code == 6
    assert world.slept == []


def test_nobody_waits_where_no_wait_is_allowed(world: World) -> None:
    world.ask(Rate(1, 1))
    with pytest.raises(RateLimitError, match="in 1 s"):
        world.ask(Rate(1, 1), seconds=0)


def test_a_terminal_counts_down_and_says_nothing_else(world: World) -> None:
    world.ask(Rate(1, 7200))
    assert world.ask(Rate(1, 7200), seconds=None, terminal=True) == REPLY
    assert world.counted == [("service.invalid takes 1 request in 2 hours", 7200)]


def test_all_waits_of_a_turn_count_together(world: World) -> None:
    """Others may take the slot that was waited for."""
    world.ask(Rate(1, 40))
    stranger = world.gate(Rate(1, 40))

    def robbed(seconds: float) -> None:
        World.sleep(world, seconds)
        stranger.enter()

    world.sleep = robbed  # type: ignore[method-assign]
    with pytest.raises(RateLimitError):
        world.ask(Rate(1, 40))
    assert world.slept == [40]


def test_a_request_that_never_went_takes_no_slot(world: World) -> None:
    with pytest.raises(NetworkError):
        world.ask(Rate(1, 60), fails=True)
    assert world.ask(Rate(1, 60), seconds=0) == REPLY


def test_a_reply_that_is_not_read_to_the_end_has_taken_its_slot(world: World) -> None:
    gate = world.gate(Rate(1, 60))

    def source() -> Iterator[Event]:
        gate.sent()
        yield from REPLY

    events = wait_for_slot(gate, "h", source, WaitPolicy(0, None, world.sleep, lambda: world.now))
    next(events)
    events.close()
    with pytest.raises(RateLimitError):
        world.ask(Rate(1, 60), seconds=0)


def test_a_refusal_is_no_try() -> None:
    refused = RateLimitError("the next slot opens at 13:00:00")
    sources = [NetworkError("reset", retryable=True), refused]

    def source() -> Iterator[Event]:
        raise sources.pop(0)
        yield

    with pytest.raises(RateLimitError) as caught:
        list(retried(source, 2, sleep=lambda _: None))
    assert caught.value.message == "the next slot opens at 13:00:00"


def test_a_slot_of_another_day_tells_the_day() -> None:
    assert slot(NOON + 86_400, NOON) == "until 2026-01-16 12:00:00, in 24 h"
    assert slot(NOON + 0.2, NOON, "at") == "at 12:00:00, in 1 s"


def provider(url: str, name: str = "p") -> ProviderSettings:
    return ProviderSettings(name, "openai", url, "m")


def rates_of(settings: ProviderSettings, environ: dict[str, str]) -> tuple[Rate, ...]:
    gate = gate_of(settings, lambda: None, load({}, environ=environ), environ)
    return tuple(gate._rates)


def test_the_public_service_has_known_rates_and_nobody_else(isolated: Path) -> None:
    environ = {"DARKAI_HOME": str(isolated / "darkai")}
    known = rates_of(provider("https://darkai.foundation/chat"), environ)
    assert known == (Rate(4, 60), Rate(30, 1800), Rate(80, 21_600))
    assert rates_of(provider("https://darkai.foundation.example/chat"), environ) == ()
    assert rates_of(provider("http://localhost:8000/chat"), environ) == ()


def test_configured_rates_replace_what_is_known(isolated: Path) -> None:
    folder = isolated / "darkai"
    folder.mkdir()
    (folder / "config.toml").write_text('[providers.darkai]\nlimits = ["2/min"]\n')
    environ = {"DARKAI_HOME": str(folder)}
    found = rates_of(provider("https://darkai.foundation/chat", "darkai"), environ)
    assert found == (Rate(2, 60),)


def test_whoever_sees_the_countdown_waits_for_as_long_as_it_takes(isolated: Path) -> None:
    environ = {"DARKAI_HOME": str(isolated / "darkai")}
    assert patience_of(load({}, environ=environ), None).seconds == 60
    shown = lambda why, seconds: None  # noqa: E731
    assert patience_of(load({}, environ=environ), shown).seconds is None
    assert patience_of(load({"max_wait": 5.0}, environ=environ), shown).seconds == 5


class Screen:
    def __init__(self) -> None:
        self.text = ""

    def write(self, text: str) -> None:
        self.text += text

    def flush(self) -> None:
        pass


def counted(seconds: float, width: int = 80) -> str:
    screen, now = Screen(), [NOON]

    def sleep(length: float) -> None:
        now[0] += length

    count_down(screen, "a\x1b[2Jb", seconds, width=lambda: width, clock=lambda: now[0], sleep=sleep)  # type: ignore[arg-type]
    return screen.text


def test_the_row_counts_down_and_is_gone_at_the_end() -> None:
    shown = counted(2.5)
    assert [f"next slot in {n} s" in shown for n in (3, 2, 1, 0)] == [True, True, True, False]
    assert shown.endswith("\r\x1b[K")
    assert "\x1b[2J" not in shown


def test_the_row_never_fills_the_terminal() -> None:
    for row in counted(1.0, width=20).split("\r")[1:-1]:
        assert len(row.replace("\x1b[2m", "").replace("\x1b[0m\x1b[K", "")) < 20


def test_the_row_is_gone_however_it_ends() -> None:
    screen = Screen()

    def sleep(_: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        count_down(screen, "why", 3605, clock=lambda: NOON, sleep=sleep)  # type: ignore[arg-type]
    assert "next slot in 1:00:05" in screen.text
    assert screen.text.endswith("\r\x1b[K")
