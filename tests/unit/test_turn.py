"""Retry: only what may pass, only before the first visible event, told each time."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from darkai_cli.conversation.retry import aretried, retried
from darkai_cli.errors import (
    IncompleteReplyError,
    NetworkError,
    ProviderError,
    RateLimitError,
    ReplyTimeoutError,
    ServiceError,
)
from darkai_cli.events import Event, Notice, StreamEnd, StreamStart, TextChunk, Usage

START, TEXT, END = StreamStart("p", "m"), TextChunk("hi"), StreamEnd("stop")


class Source:
    """Gives one script after the other; the last one repeats."""

    def __init__(self, *scripts: list[Event | ProviderError]) -> None:
        self.scripts = list(scripts)
        self.opened = 0

    def __call__(self) -> Iterator[Event]:
        script = self.scripts[min(self.opened, len(self.scripts) - 1)]
        self.opened += 1
        for item in script:
            if isinstance(item, ProviderError):
                raise item
            yield item


def run(source: Source, retries: int = 2) -> tuple[list[Event], ProviderError | None, list[float]]:
    slept: list[float] = []
    found: list[Event] = []
    try:
        for event in retried(source, retries, sleep=slept.append, jitter=lambda: 1.0):
            found.append(event)
    except ProviderError as exc:
        return found, exc, slept
    return found, None, slept


def reset() -> NetworkError:
    return NetworkError("reset", retryable=True)


def test_what_may_pass_is_asked_again_with_backoff() -> None:
    source = Source([reset()], [ServiceError("busy", retryable=True)], [START, TEXT, END])
    found, error, slept = run(source)
    assert error is None
    assert [event for event in found if not isinstance(event, Notice)] == [START, TEXT, END]
    assert slept == [1.0, 2.0]
    assert "trying again in 1.0 s" in found[0].text


def test_the_last_error_says_how_often() -> None:
    source = Source([reset()])
    _found, error, slept = run(source)
    assert source.opened == 3
    assert error.message == "reset after 3 tries"
    assert len(slept) == 2


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("h failed (500: boom)", "h failed (500: boom) after 3 tries"),
        ("limited by h: slow down", "limited by h: slow down; tried 3 times"),
    ],
)
def test_how_often_is_no_part_of_the_service_s_words(message: str, told: str) -> None:
    _found, error, _slept = run(Source([ServiceError(message, retryable=True)]))
    assert error.message == told


@pytest.mark.parametrize(
    "error", [NetworkError("refused"), ServiceError("400"), RateLimitError("quota")]
)
def test_what_cannot_pass_is_not(error: ProviderError) -> None:
    source = Source([error])
    assert run(source)[1] is error
    assert source.opened == 1


def test_a_connect_timeout_is_tried_once_more() -> None:
    source = Source([ReplyTimeoutError("slow", retryable=True)])
    run(source, retries=5)
    assert source.opened == 2


def test_never_after_the_first_word() -> None:
    source = Source([START, TEXT, reset()])
    found, error, _ = run(source)
    assert found == [START, TEXT]
    assert isinstance(error, IncompleteReplyError)
    assert error.exit_code == 14
    assert isinstance(error.__cause__, NetworkError)
    assert source.opened == 1


def test_one_beginning_although_two_were_made() -> None:
    source = Source([START, Usage(input=1), reset()], [START, TEXT, END])
    found = [event for event in run(source)[0] if not isinstance(event, Notice)]
    assert found == [START, TEXT, END]


def test_retry_after_is_obeyed() -> None:
    source = Source([RateLimitError("429", retryable=True, retry_after=7.0)], [START, END])
    assert run(source)[2] == [7.0]


def test_no_retries() -> None:
    source = Source([reset()])
    assert run(source, retries=0)[1].message == "reset"


def test_a_reply_without_text_is_given_out_whole() -> None:
    assert run(Source([START, END]))[0] == [START, END]


def test_the_asynchronous_loop_decides_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    import anyio

    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    monkeypatch.setattr(anyio, "sleep", sleep)
    source = Source([reset()], [START, TEXT, END])

    async def opened():
        for event in source():
            yield event

    async def collect() -> list[Event]:
        return [event async for event in aretried(opened, 2, jitter=lambda: 1.0)]

    found = anyio.run(collect)
    assert found[1:] == [START, TEXT, END]
    assert slept == [1.0]
