"""Why a reply ended: the names of all services, and errors that come as an end."""

from __future__ import annotations

import json
from typing import Any

import pytest

from darkai_cli.config import Config
from darkai_cli.errors import ProviderError, ServiceError
from darkai_cli.providers.base import Frame
from darkai_cli.providers.openai_stream import OpenAIDecoder
from darkai_cli.providers.settings import settings_of

GOOD = ["stop", "end", "eos", "end_turn", "stop_sequence"]
CUT = [
    "length", "max_tokens", "MAX_TOKENS", "max_output_tokens", "model_context_window_exceeded",
    "pause_turn", "timeout",
]  # fmt: skip
FILTERED = [
    "sensitive", "content_filter", "refusal", "PROHIBITED_CONTENT", "BLOCKLIST", "SPII", "SAFETY",
    "RECITATION", "MODEL_ARMOR",
]  # fmt: skip
FAILED = [
    "network_error", "error", "insufficient_system_resource", "MALFORMED_FUNCTION_CALL",
    "function_call_filter: UNEXPECTED_TOOL_CALL",
]  # fmt: skip


def decode(*messages: dict[str, Any]) -> tuple[list[Any], ProviderError | None]:
    """Return the events of an OpenAI reply, and the error that ended it."""
    decoder = OpenAIDecoder(settings_of(Config(), "openai"))
    events: list[Any] = []
    try:
        for message in messages:
            events += decoder.feed(Frame("", json.dumps(message), "", None))
        events += decoder.close()
    except ProviderError as error:
        return events, error
    return events, None


def chunk(content: str = "", reason: str | None = None, **fields: Any) -> dict[str, Any]:
    choice = {"index": 0, "delta": {"content": content}, "finish_reason": reason, **fields}
    return {"choices": [choice]}


def ended_by(reason: str) -> tuple[list[Any], ProviderError | None]:
    return decode(chunk("Hi"), chunk(reason=reason))


@pytest.mark.parametrize(
    ("reason", "end"),
    [
        *((reason, "stop") for reason in GOOD),
        *((reason, "length") for reason in CUT),
        *((reason, "filtered") for reason in FILTERED),
    ],
)
def test_the_names_of_an_end(reason: str, end: str):
    events, error = ended_by(reason)
    assert error is None
    assert events[-1].reason == end


@pytest.mark.parametrize("reason", FAILED)
def test_a_failure_under_the_name_of_an_end(reason: str):
    events, error = ended_by(reason)
    assert [event.type for event in events] == ["text-chunk"]
    assert isinstance(error, ServiceError)
    assert f"`{reason}`" in error.message


def test_text_beside_a_failure_is_not_lost():
    events, error = decode(chunk("Hi", "error"))
    assert [event.text for event in events] == ["Hi"]
    assert isinstance(error, ServiceError)


@pytest.mark.parametrize("reason", ["something_new", "OTHER"])
def test_an_unknown_reason_is_named_and_no_failure(reason: str):
    events, error = ended_by(reason)
    assert error is None
    assert f"`{reason}`" in events[-2].text
    assert events[-1].reason == "stop"


@pytest.mark.parametrize(
    "message",
    [
        chunk(error={"code": 502, "message": "the upstream hung up"}),
        chunk(" there", error={"code": 502, "message": "the upstream hung up"}),
        {**chunk(), "x_groq": {"error": "the upstream hung up"}},
    ],
)
def test_an_error_inside_a_chunk(message: dict[str, Any]):
    events, error = decode(chunk("Hi"), message, chunk(reason="stop"))
    assert events[0].text == "Hi"
    assert (
        "".join(event.text for event in events) == "Hi" + message["choices"][0]["delta"]["content"]
    )
    assert error is not None
    assert "the upstream hung up" in error.message
