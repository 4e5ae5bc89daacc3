"""The retry policy: only what may pass, only before the first visible event."""

from __future__ import annotations

import pytest

from darkai_cli.conversation.retry import RetryPolicy
from darkai_cli.errors import (
    IncompleteReplyError,
    NetworkError,
    ProviderError,
    RateLimitError,
    RefusedError,
    ReplyTimeoutError,
    ServiceError,
)
from darkai_cli.events import Notice, StreamEnd, StreamStart, TextChunk, Usage

START, TEXT, END = StreamStart("p", "m"), TextChunk("hi"), StreamEnd("stop")


def policy(retries: int = 2) -> RetryPolicy:
    return RetryPolicy(retries, jitter=lambda: 1.0)


def reset() -> NetworkError:
    return NetworkError("reset", retryable=True)


def test_events_are_released_from_the_first_visible_one_on() -> None:
    attempts = policy()
    notice = Notice("info", "n")
    assert attempts.release(START) == []
    assert attempts.release(notice) == [notice]
    assert (attempts.started, attempts.visible) == (False, False)
    assert attempts.release(TEXT) == [START, TEXT]
    assert (attempts.started, attempts.visible) == (True, True)
    assert attempts.release(END) == [END]


def test_a_reply_without_text_is_released_whole_at_its_end() -> None:
    attempts = policy()
    attempts.release(START)
    assert attempts.release(END) == [START, END]
    assert (attempts.started, attempts.visible) == (True, False)


def test_a_retry_forgets_the_beginning_of_the_attempt_before() -> None:
    attempts = policy()
    attempts.release(START)
    attempts.release(Usage(input=1))
    attempts.delay_after(reset())
    assert attempts.release(TEXT) == [TEXT]


def test_the_delay_doubles_and_the_last_error_says_how_often() -> None:
    attempts = policy()
    assert [attempts.delay_after(reset()) for _ in range(3)] == [1.0, 2.0, None]
    assert attempts.final_error(reset()).message == "reset after 3 tries"


@pytest.mark.parametrize(
    ("message", "final"),
    [
        ("h failed (500: boom)", "h failed (500: boom) after 2 tries"),
        ("limited by h: slow down", "limited by h: slow down; tried 2 times"),
    ],
)
def test_how_often_is_no_part_of_the_service_s_words(message: str, final: str) -> None:
    attempts = policy(1)
    attempts.delay_after(reset())
    assert attempts.final_error(ServiceError(message, retryable=True)).message == final


@pytest.mark.parametrize(
    "error", [NetworkError("refused"), ServiceError("400"), RateLimitError("quota")]
)
def test_what_cannot_pass_is_not_repeated(error: ProviderError) -> None:
    attempts = policy()
    assert attempts.delay_after(error) is None
    assert attempts.final_error(error) is error


def test_a_connect_timeout_is_tried_once_more() -> None:
    attempts = policy(5)
    slow = ReplyTimeoutError("slow", retryable=True)
    assert attempts.delay_after(slow) == 1.0
    assert attempts.delay_after(slow) is None


def test_nothing_is_repeated_after_the_first_visible_event() -> None:
    attempts = policy()
    attempts.release(TEXT)
    fault = reset()
    assert attempts.delay_after(fault) is None
    error = attempts.final_error(fault)
    assert isinstance(error, IncompleteReplyError)
    assert error.message == "reset; the reply is incomplete"
    assert error.__cause__ is fault
    refused = RefusedError("filtered")
    assert attempts.final_error(refused) is refused


def test_retry_after_is_obeyed() -> None:
    error = RateLimitError("429", retryable=True, retry_after=7.0)
    assert policy().delay_after(error) == 7.0


def test_no_retries() -> None:
    attempts = policy(0)
    assert attempts.delay_after(reset()) is None
    assert attempts.final_error(reset()).message == "reset"


def test_a_wait_that_darkai_refused_is_no_try() -> None:
    attempts = policy()
    attempts.delay_after(reset())
    refused = RateLimitError("you can send again at 13:00:00")
    assert attempts.final_error(refused).message == "you can send again at 13:00:00"
