"""What the Anthropic API answers: a reply as named server-sent events, or an error.

    event: content_block_delta
    data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hi"}}

A reply is a list of content blocks (text, thinking, tool use), each started, filled by deltas and
stopped; ``message_stop`` is the end mark. The event's type is read from the JSON, since gateways
drop the SSE names. Event, block and delta types that are not known are skipped, as the service
asks its clients to do. Sources: platform.claude.com/docs and the types of the public Python SDK.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from darkai_cli.errors import (
    AuthError,
    ProviderError,
    RateLimitError,
    RefusedError,
    ServiceError,
)
from darkai_cli.events import (
    Citation,
    EndReason,
    Event,
    Notice,
    ReasoningChunk,
    TextChunk,
    ToolCall,
    Usage,
)
from darkai_cli.providers import dialect
from darkai_cli.providers.base import Frame, ProviderSettings
from darkai_cli.providers.dialect import ReplyDecoder, count, parse, text_in, words

if TYPE_CHECKING:
    from darkai_cli.providers.base import Decoder

_END: Mapping[str, EndReason] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool-calls",
    "refusal": "filtered",
}


def explain(
    fault: Mapping[str, Any], settings: ProviderSettings, status: int
) -> ProviderError | None:
    """The error in the service's terms; None leaves a status to the usual explanation.

    A ``status`` of 200 is an error in place of the stream or in it: none is left then.
    """
    kind = text_in(fault, "type")
    told = words(fault.get("message")) or kind or "an error without a reason"
    host = settings.host
    http = status if status != 200 else None
    if kind in ("authentication_error", "no_db_connection") or status == 401:  # or LiteLLM's
        return dialect.rejected_key(settings, told, http)
    if kind == "permission_error":
        return AuthError(f"{host}: not allowed: {told}", status=http)
    if kind == "billing_error" or "credit balance" in told or "usage limits" in told:
        return RateLimitError(f"quota used up at {host}: {told}", hint=dialect.BILLING, status=http)
    if kind == "not_found_error" and "model" in told:
        return dialect.no_model(told.partition("model:")[2].strip(), settings, told, http)
    if "nvalid model name" in told:  # LiteLLM's, with 400
        name = told.partition("model=")[2].rstrip("'}")
        return dialect.no_model(name, settings, told, http)
    if kind == "request_too_large":
        return RefusedError(
            f"the request is too large for {host}: {told}", hint=dialect.SMALLER, status=http
        )
    if kind in ("invalid_request_error", "exceed_context_size_error") or status == 400:
        # the second is llama.cpp's own name; gateways give their 400 none
        return _invalid(told, host, http)
    if "input is not supported" in told:  # llama.cpp: a 500, which another try does not change
        return ServiceError(
            f"{host}: {told}", hint="name a model that takes images: `-m NAME`", status=http
        )
    if http is not None:
        return None
    if kind == "rate_limit_error":
        return RateLimitError(f"rate limited by {host}: {told}", retryable=True)
    name = f"{host} is overloaded" if kind == "overloaded_error" else host
    return ServiceError(f"{name}: {told}", retryable=True)


def _invalid(told: str, host: str, status: int | None) -> ProviderError:
    """A request that the service does not take."""
    if re.search("prompt is too long|exceed context limit|context size", told):
        return RefusedError(
            f"the conversation is too long for the model: {told}",
            hint="send less, or begin a new conversation",
            status=status,
        )
    hint = "is an option (`-o`) not right for this model?"
    if "prefill" in told:
        told = "this model does not go on with a reply that was cut (no prefill)"
        hint = 'ask for the rest instead: `darkai ask -c "go on where you stopped"`'
    elif ".image." in told:
        hint = "send smaller images, or fewer (`-f`)"
    elif "thinking.type.enabled" in told or "adaptive" in told:
        hint = "this model takes no budget: `-o reasoning_effort=high` (low, medium, high, max)"
    return ServiceError(
        f"{host} rejected the request{f' ({status})' if status else ''}: {told}",
        hint=hint,
        status=status,
    )


class AnthropicDecoder(ReplyDecoder):
    """One reply of the Messages API."""

    def __init__(self, settings: ProviderSettings) -> None:
        super().__init__(settings, "an Anthropic service")
        self._begun = False
        self._calls: dict[object, _HalfCall] = {}
        self._cited: set[str] = set()
        self._counts: dict[str, int] = {}
        self._reason = ""
        self._refusal = ""

    def feed(self, frame: Frame) -> Iterable[Event]:
        """The events of one SSE event."""
        message = self._object(frame)
        if message is None:
            return ()
        kind = message.get("type")
        if kind == "content_block_delta":
            delta = message.get("delta")
            return self._delta(delta, message.get("index")) if isinstance(delta, dict) else ()
        if kind == "error" or frame.event == "error" or message.get("error"):
            fault = message.get("error")
            raise explain(
                fault if isinstance(fault, dict) else {"message": fault}, self._settings, 200
            ) or ServiceError(f"{self._host} reported an error")
        self._begun = True
        if kind == "content_block_start":
            return self._block(message.get("content_block"), message.get("index"))
        if kind == "content_block_stop":
            return self._called(message.get("index"))
        if kind == "message_start":
            started = message.get("message")
            return self._used(started.get("usage") if isinstance(started, dict) else None)
        if kind == "message_delta":
            self._ending(message.get("delta"))
            return self._used(message.get("usage"))
        if kind == "message_stop":
            self.ended = True
        return ()

    def _delta(self, delta: dict[str, Any], index: object) -> Iterable[Event]:
        self._begun = True
        kind = delta.get("type")
        if kind == "text_delta":
            return self._said(delta.get("text"))
        if kind == "thinking_delta":
            return self._thought(delta.get("thinking"))
        if kind == "input_json_delta":
            half = self._calls.get(_key(index))
            piece = delta.get("partial_json")
            if half is not None and isinstance(piece, str):
                half.pieces.append(piece)
        elif kind == "citations_delta":
            return self._citation(delta.get("citation"))
        return ()

    def _said(self, text: object) -> Iterable[Event]:
        if not isinstance(text, str) or not text:
            return ()
        self._text = self._visible = True
        return (TextChunk(text),)

    def _thought(self, text: object) -> Iterable[Event]:
        if not isinstance(text, str) or not text:
            return ()
        self._visible = True
        return (ReasoningChunk(text),)

    def _citation(self, citation: object) -> Iterable[Event]:
        if not isinstance(citation, dict):
            return ()
        url = text_in(citation, "url")
        if not url or url in self._cited:
            return ()
        self._cited.add(url)
        self._visible = True
        return (Citation(url, text_in(citation, "title")),)

    def _block(self, block: object, index: object) -> Iterable[Event]:
        if not isinstance(block, dict):
            return ()
        kind = block.get("type")
        if kind == "text":
            return self._said(block.get("text"))
        if kind == "thinking":
            return self._thought(block.get("thinking"))
        if kind == "tool_use":
            self._calls[_key(index)] = _HalfCall(block)
        return ()

    def _called(self, index: object) -> Iterable[Event]:
        """The call of a block that has stopped, if it is one and whole."""
        half = self._calls.pop(_key(index), None)
        if half is None:
            return ()
        arguments = half.arguments
        if arguments is None:
            told = f"a call of the tool `{half.name}` was cut off, and is left out"
            return (Notice("warning", told),)
        self._visible = True
        return (ToolCall(half.id, half.name, arguments),)

    def _ending(self, delta: object) -> None:
        if not isinstance(delta, dict):
            return
        self._reason = text_in(delta, "stop_reason") or self._reason
        details = delta.get("stop_details")
        if isinstance(details, dict):
            self._refusal = words(details.get("explanation"))

    def _used(self, usage: object) -> Iterable[Event]:
        """The totals so far: each count replaces the one before."""
        if not isinstance(usage, dict):
            return ()
        for name, value in usage.items():
            number = count(value)
            if number is not None:
                self._counts[name] = number
        details = usage.get("output_tokens_details")
        thought = count(details.get("thinking_tokens")) if isinstance(details, dict) else None
        known = self._counts
        cached = known.get("cache_read_input_tokens")
        fresh = known.get("input_tokens")
        whole = None
        if fresh is not None:
            whole = fresh + (cached or 0) + known.get("cache_creation_input_tokens", 0)
        return (Usage(whole, known.get("output_tokens"), thought, cached),)

    def close(self) -> Iterator[Event]:
        """The rest, and how the reply ended."""
        if not self.ended:
            raise self._unfinished(begun=self._begun)
        for index in list(self._calls):
            yield from self._called(index)
        yield from self._bad.notices()
        if self._reason == "pause_turn":
            raise ServiceError(
                f"{self._host} paused the answer before its end",
                hint='ask for the rest: `darkai ask -c "go on"`',
            )
        reason = _END.get(self._reason, "stop")
        if reason == "filtered" and self._refusal:
            yield Notice("warning", f"the model refused: {self._refusal}")
        yield from self._end(reason)


class _HalfCall:
    """A call of a tool whose arguments are still coming."""

    def __init__(self, block: Mapping[str, Any]) -> None:
        self.id = text_in(block, "id")
        self.name = text_in(block, "name")
        self.pieces: list[str] = []
        self._given = block.get("input")

    @property
    def arguments(self) -> str | None:
        """The JSON text; None if it is no whole object."""
        text = "".join(self.pieces)
        if not text.strip():
            return json.dumps(self._given if isinstance(self._given, dict) else {})
        return text if isinstance(parse(text), dict) else None


def _key(index: object) -> object:
    """A block's number, or whatever stands in its place, as a key."""
    return index if isinstance(index, (int, str)) else None


if TYPE_CHECKING:  # it keeps the contract
    _decoder: type[Decoder] = AnthropicDecoder
