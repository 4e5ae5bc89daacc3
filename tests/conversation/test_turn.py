"""The loop over candidates, attempts and rate limits, with and without asyncio."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import anyio
import pytest

from darkai_cli.config.config import ProviderConfig
from darkai_cli.config.load import load
from darkai_cli.conversation.request import TurnObserver, TurnRequest
from darkai_cli.conversation.turn import astream_turn, stream_turn
from darkai_cli.errors import IncompleteReplyError, NetworkError, ProviderError, RateLimitError
from darkai_cli.events import Event, Notice, StreamEnd, StreamStart, TextChunk, Usage
from darkai_cli.history.turns import TurnIds
from darkai_cli.messages import ChatRequest, Message
from darkai_cli.providers import connect
from darkai_cli.providers.base import ProviderSettings, Target

START, TEXT, END = StreamStart("p", "m"), TextChunk("hi"), StreamEnd("stop")
SETTINGS = ProviderSettings("p", "openai", "http://service.invalid/v1", "m")
MESSAGES = (Message("user", "question"),)


class Client:
    """Plays one script after the other; the last one repeats."""

    def __init__(self, scripts: tuple[list[Event | ProviderError], ...], hooks: Any) -> None:
        self.settings = SETTINGS
        self.requests = 0
        self._scripts = list(scripts)
        self._hooks = hooks

    def stream(self, _: ChatRequest) -> Iterator[Event]:
        script = self._scripts[min(self.requests, len(self._scripts) - 1)]
        self.requests += 1
        if self._hooks.on_sent is not None:
            self._hooks.on_sent()
        for item in script:
            if isinstance(item, ProviderError):
                raise item
            yield item

    async def astream(self, chat: ChatRequest) -> AsyncIterator[Event]:
        for event in self.stream(chat):
            yield event


class Machine:
    """A place where turns are run with a scripted client and without real waiting."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch
        self.sleeps: list[float] = []
        self.client: Client
        monkeypatch.setattr(time, "sleep", self.sleeps.append)
        monkeypatch.setattr(anyio, "sleep", self._asleep)

    async def _asleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)

    def request(self, *scripts: list[Event | ProviderError], **fields: Any) -> TurnRequest:
        def client_for(_target: Target, _config: object, _environ: object, hooks: Any) -> Client:
            self.client = Client(scripts, hooks)
            return self.client

        self._monkeypatch.setattr(connect, "client_for", client_for)
        return TurnRequest(load({}), Target(SETTINGS, "m"), MESSAGES, {}, **fields)


@pytest.fixture
def machine(isolated: object, monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(monkeypatch)


async def collect(request: TurnRequest) -> list[Event]:
    return [event async for event in astream_turn(request)]


def reset() -> NetworkError:
    return NetworkError("reset", retryable=True)


@pytest.mark.parametrize("is_async", [False, True])
def test_a_fault_that_may_pass_is_retried_once_nothing_was_shown(
    machine: Machine, is_async: bool
) -> None:
    request = machine.request([START, Usage(input=1), reset()], [START, TEXT, END])
    events = anyio.run(collect, request) if is_async else list(stream_turn(request))
    assert isinstance(events[0], Notice)
    assert "reset; trying again in" in events[0].text
    assert events[1:] == [START, TEXT, END]
    assert len(machine.sleeps) == 1


@pytest.mark.parametrize("is_async", [False, True])
def test_a_reply_that_was_cut_is_incomplete(machine: Machine, is_async: bool) -> None:
    request = machine.request([START, TEXT, reset()])
    with pytest.raises(IncompleteReplyError) as caught:
        anyio.run(collect, request) if is_async else list(stream_turn(request))
    assert isinstance(caught.value.__cause__, NetworkError)
    assert machine.client.requests == 1


@pytest.mark.parametrize("is_async", [False, True])
def test_the_last_error_says_how_often(machine: Machine, is_async: bool) -> None:
    request = machine.request([reset()], retries=2)
    with pytest.raises(NetworkError, match="reset after 3 tries"):
        anyio.run(collect, request) if is_async else list(stream_turn(request))
    assert machine.client.requests == 3


def test_closing_a_turn_closes_the_reply(machine: Machine) -> None:
    events = stream_turn(machine.request([START, TEXT, TEXT, END]))
    assert [next(events), next(events)] == [START, TEXT]
    events.close()
    assert machine.client.requests == 1


def test_the_start_names_what_the_turn_is_saved_as(machine: Machine) -> None:
    ids = TurnIds("conversation", "turn", "prompt", "reply")
    start, *_ = stream_turn(machine.request([START, TEXT, END], ids=ids))
    assert start == StreamStart("p", "m", "conversation", "turn")


class Recording(TurnObserver):
    def __init__(self) -> None:
        self.calls: list[str] = []

    def request_started(self, host: str) -> None:
        self.calls.append(f"started {host}")

    def request_sent(self) -> None:
        self.calls.append("sent")


def test_the_observer_learns_of_each_request(machine: Machine) -> None:
    observer = Recording()
    list(stream_turn(machine.request([reset()], [START, END]), observer))
    assert observer.calls == ["started service.invalid", "sent"] * 2


def test_each_attempt_of_a_turn_counts_in_the_rate_limit(machine: Machine) -> None:
    request = machine.request([reset()], max_wait=0.0, retries=5)
    request.config.providers["p"] = ProviderConfig(limits=("2/h",))
    with pytest.raises(RateLimitError, match="you can send again at"):
        list(stream_turn(request))
    assert machine.client.requests == 2
