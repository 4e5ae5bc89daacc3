"""The dialect of Anthropic's Messages API: requests, replies, errors, the list of models.

    event: content_block_delta
    data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hi"}}

The user's options are taken under their common names and under the service's own; what the API
demands and a user rarely says (a limit for the reply, roles that alternate, no blank text) is
filled in here. A reply is a list of content blocks (text, thinking, tool use), each started, filled
by deltas and stopped; ``message_stop`` is the end mark. The event's type is read from the JSON,
since gateways drop the SSE names. Event, block and delta types that are not known are skipped, as
the service asks its clients to do.

Sources: platform.claude.com/docs and the types of the public Python SDK.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from darkai_cli.errors import (
    AuthError,
    BadReplyError,
    InputError,
    ProviderError,
    RateLimitError,
    RefusedError,
    ServiceError,
)
from darkai_cli.events import (
    Event,
    Notice,
    ToolCall,
    Usage,
)
from darkai_cli.messages import ChatRequest, Message
from darkai_cli.providers import dialect
from darkai_cli.providers.base import (
    Dialect,
    Fields,
    Frame,
    Framing,
    HttpRequest,
    ModelInfo,
    ProviderSettings,
)
from darkai_cli.providers.dialect import ReplyDecoder, count, dicts, parse, text_in, words

VERSION = "2023-06-01"
"""The value of ``anthropic-version``: the API's only one so far."""

PAGE = 1000
"""Models on a page: the most that the service allows."""

_RENAMED = {
    "max_completion_tokens": "max_tokens",
    "max_output_tokens": "max_tokens",
    "num_predict": "max_tokens",
    "stop": "stop_sequences",
    "effort": "reasoning_effort",
}
_OWN = (
    "max_tokens", "temperature", "top_p", "top_k", "stop_sequences", "thinking", "think",
    "reasoning_effort", "output_config", "metadata", "service_tier", "tool_choice", "tools",
    "cache_control", "container", "inference_geo",
)  # fmt: skip
_RESERVED = ("model", "messages", "system", "stream")

BUDGETS = {"minimal": 1024, "low": 2048, "medium": 8192, "high": 24_576, "xhigh": 32_000,
           "max": 32_000}  # fmt: skip
"""The budget in tokens for each effort, for models that accept a budget only."""

SMALLEST_BUDGET = 1024


class AnthropicDialect(Dialect):
    """The Messages API."""

    framing: Framing = "sse"

    def request(self, chat: ChatRequest, settings: ProviderSettings) -> HttpRequest:
        """Return the request: alternating messages, the system prompt beside them."""
        options = dialect.options(
            {**settings.options, **chat.options},
            renamed=_RENAMED,
            own=_OWN,
            reserved=_RESERVED,
            strict=settings.quirks.strict,
            service=settings.name,
        )
        options.setdefault("max_tokens", most_tokens(chat.model))
        _think(options, chat.model)
        dialect.as_list(options, "stop_sequences")
        tools = [
            {"name": tool.name, "description": tool.description, "input_schema": tool.parameters}
            for tool in chat.tools
        ] + list(dicts(options.pop("tools", None)))
        system = dialect.system_prompt(chat.messages)
        fields: dict[str, Any] = {"model": chat.model}
        if system:
            fields["system"] = system
        fields["messages"] = _messages(chat.messages)
        if tools:
            fields["tools"] = tools
        return HttpRequest(
            dialect.endpoint(settings, "/messages"),
            _headers(settings, "text/event-stream"),
            dialect.body({**fields, **options, "stream": True}),
        )

    def decoder(self, settings: ProviderSettings) -> AnthropicDecoder:
        """Return a new decoder."""
        return AnthropicDecoder(settings)

    def error(self, status: int, payload: Any, settings: ProviderSettings) -> ProviderError | None:
        """Return the error in ``{"type": "error", "error": {"type", "message"}}``."""
        fault = payload.get("error") if isinstance(payload, dict) else None
        if not isinstance(fault, dict):
            return None
        return explain(fault, settings, status)

    def amend(self, fields: Fields, chosen: Sequence[str], message: str) -> Fields | None:
        """Return the fields in the form that this model accepts, where others accept the first.

        To continue a reply: models since 4.6 refuse to begin with it (a *prefill*), so they get the
        request in words. Where darkai's own ``max_tokens`` is too large, it becomes the model's
        limit, which the service names in two forms: ``max_tokens: 64000 > 8192, which is the
        maximum`` and ``input length and max_tokens exceed context limit: 188240 + 64000 > 200000``.
        """
        if "prefill" in message and fields["messages"][-1]["role"] == "assistant":
            fields["messages"].append({"role": "user", "content": dialect.CONTINUE_PROMPT})
            return fields
        names = {_RENAMED.get(name, name) for name in chosen}
        if "max_tokens" in names or "max_tokens" not in message:
            return None
        limit = fields["max_tokens"]
        context = re.search(r"(\d{1,9}) \+ \d{1,9} > (\d{1,9})", message)
        if context:
            bound = int(context[2]) - int(context[1])
        else:
            numbers = (
                int(number) for number in re.findall(r"(?<![\w.-])\d{1,9}(?![\w.-])", message)
            )
            bound = max((number for number in numbers if number < limit), default=0)
        if not 0 < bound < limit:
            return None
        return {**fields, "max_tokens": bound}

    def models_request(self, settings: ProviderSettings, page: str = "") -> HttpRequest | None:
        """Return the request for the page of the list after the model ``page``."""
        from urllib.parse import quote

        url = dialect.endpoint(settings, "/models")
        url += f"{'&' if '?' in url else '?'}limit={PAGE}"
        if page:
            url += f"&after_id={quote(page, safe='')}"
        return HttpRequest(url, _headers(settings, "application/json"), b"", "GET")

    def models(self, payload: Any) -> tuple[Sequence[ModelInfo], str]:
        """Return the models in ``{"data": [{"id", ...}], "has_more", "last_id"}``."""
        listed = payload.get("data") if isinstance(payload, dict) else None
        if not isinstance(listed, list):
            raise BadReplyError("The service sent no list of models")
        models = [_model(row) for row in dicts(listed) if text_in(row, "id")]
        return models, text_in(payload, "last_id") if payload.get("has_more") is True else ""


def version_of(model: str) -> tuple[int, int] | None:
    """Return the generation in a model's name: (4, 5) for ``claude-sonnet-4-5``; None for others.

    Older names have it first (``claude-3-5-haiku-20241022``); a date is not part of it.
    """
    match = re.search(r"claude-(?:[a-z]+-)?(\d)(?:[-.](\d{1,2}))?(?!\d)", model)
    return (int(match[1]), int(match[2] or 0)) if match else None


def most_tokens(model: str) -> int:
    """Return the longest reply of a model: the API requires a number, a small one cuts answers.

    By the service's table of models: 4096 for Claude 3, 8192 for 3.5, 64k since 3.7 (32k for
    Opus 4 and 4.1), 128k since 4.6. ``amend`` corrects a number that is too high.
    """
    version = version_of(model)
    if version is None:
        return 8192  # services that speak the same protocol: one that most of them take
    if version < (3, 5):
        return 4096
    if version < (3, 7):
        return 8192
    if version >= (4, 6):
        return 128_000
    return 32_000 if "opus" in model and version < (4, 5) else 64_000


def _think(options: dict[str, Any], model: str) -> None:
    """Replace the common options for reasoning by those that the model's generation accepts.

    Models since 4.6 accept an effort (``adaptive``), older ones a budget of tokens. A table for
    ``thinking`` is passed on as it is.
    """
    level, thinking = dialect.pop_reasoning(options, ("none", *BUDGETS))
    adaptive = (version_of(model) or (0, 0)) >= (4, 6)
    if level == "none":
        thinking, level = False, None
    if isinstance(thinking, Mapping):
        options["thinking"] = thinking
    elif thinking is False or thinking == 0:
        options["thinking"] = {"type": "disabled"}
    elif isinstance(thinking, int) and thinking is not True:
        options["thinking"] = {"type": "enabled", "budget_tokens": thinking}
    elif thinking or level:
        options["thinking"] = (
            {"type": "adaptive", "display": "summarized"}  # else its text stays away since 4.7
            if adaptive
            else {"type": "enabled", "budget_tokens": _budget(level, options["max_tokens"])}
        )
    if adaptive and level:
        given = options.get("output_config")
        effort = "low" if level == "minimal" else level
        options["output_config"] = {**(given if isinstance(given, dict) else {}), "effort": effort}


def _budget(level: str | None, most: Any) -> int:
    """Return the budget of an effort; it must leave tokens for the answer."""
    budget = BUDGETS[level or "medium"]
    if isinstance(most, int):
        budget = min(budget, max(SMALLEST_BUDGET, most // 2))
    return budget


def _headers(settings: ProviderSettings, accept: str) -> dict[str, str]:
    own = {"accept": accept, "anthropic-version": VERSION}
    if settings.key is not None:
        name = settings.quirks.key_header or "x-api-key"
        own[name] = settings.key.reveal(settings.url)
    return dialect.headers(settings, own)


def _messages(messages: Sequence[Message]) -> list[dict[str, Any]]:
    """Return the messages, adjacent ones of one role merged, without blank texts.

    The service refuses blank texts, and white space at the end of a reply to be continued.
    """
    merged: list[tuple[str, list[dict[str, Any]]]] = []
    for message in messages:
        blocks = _blocks(message)
        if message.role == "system" or not blocks:
            continue
        role = "assistant" if message.role == "assistant" else "user"
        if merged and merged[-1][0] == role:
            merged[-1][1].extend(blocks)
        else:
            merged.append((role, blocks))
    if merged and merged[-1][0] == "assistant" and merged[-1][1][-1]["type"] == "text":
        last = merged[-1][1][-1]
        last["text"] = last["text"].rstrip()
    if not merged:
        raise InputError("There are no messages to send")
    return [
        {
            "role": role,
            "content": blocks[0]["text"]
            if [block["type"] for block in blocks] == ["text"]
            else blocks,
        }
        for role, blocks in merged
    ]


def _blocks(message: Message) -> list[dict[str, Any]]:
    if message.role == "tool":
        return [
            {
                "type": "tool_result",
                "tool_use_id": _identifier(message.call_id),
                "content": message.content,
            }
        ]
    blocks: list[dict[str, Any]] = [
        {
            "type": "image",
            "source": {"type": "base64", "media_type": image.media_type, "data": image.base64},
        }
        for image in message.images
    ]
    if message.content.strip():
        blocks.append({"type": "text", "text": message.content})
    blocks += [
        {
            "type": "tool_use",
            "id": _identifier(call.id),
            "name": call.name,
            "input": dialect.arguments(call),
        }
        for call in message.calls
    ]
    return blocks


def _identifier(given: str) -> str:
    """Return a call's id in the letters that the service accepts; other services use more."""
    return re.sub(r"[^\w-]", "_", given, flags=re.ASCII)


def _model(row: Mapping[str, Any]) -> ModelInfo:
    capabilities = row.get("capabilities")
    image = capabilities.get("image_input") if isinstance(capabilities, dict) else None
    takes: tuple[str, ...] = ()
    if isinstance(image, dict):
        takes = ("text", "image") if image.get("supported") is True else ("text",)
    return ModelInfo(
        row["id"],
        title=words(row.get("display_name"), 80),
        context=count(row.get("max_input_tokens")),
        output=count(row.get("max_tokens")),
        takes=takes,
        created=_moment(row.get("created_at")),
    )


def _moment(value: object) -> int | None:
    """Return a date as seconds since the epoch; None if unknown, which the epoch itself means."""
    from datetime import datetime

    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
        return int(moment.timestamp()) or None if moment else None
    except (ValueError, OverflowError):
        return None


def explain(
    fault: Mapping[str, Any], settings: ProviderSettings, status: int
) -> ProviderError | None:
    """Return the error in the service's terms; None to leave a status to ``http_errors``.

    ``status``: 200 for an error in the stream or in its place, which is always explained.
    """
    kind = text_in(fault, "type")
    message = words(fault.get("message")) or kind or "no reason given"
    host = settings.host
    http_status = status if status != 200 else None
    if kind in ("authentication_error", "no_db_connection") or status == 401:  # or LiteLLM's
        return dialect.rejected_key(settings, message, http_status)
    if kind == "permission_error":
        return AuthError(f"Access denied by {host}: {message}", status=http_status)
    if kind == "billing_error" or "credit balance" in message or "usage limits" in message:
        return RateLimitError(
            f"Quota used up at {host}: {message}", hint=dialect.BILLING, status=http_status
        )
    if kind == "not_found_error" and "model" in message:
        return dialect.no_model(
            message.partition("model:")[2].strip(), settings, message, http_status
        )
    if "nvalid model name" in message:  # LiteLLM's, with 400
        name = message.partition("model=")[2].rstrip("'}")
        return dialect.no_model(name, settings, message, http_status)
    if kind == "request_too_large":
        return RefusedError(
            f"The request is too large for {host}: {message}",
            hint=dialect.SMALLER,
            status=http_status,
        )
    if kind in ("invalid_request_error", "exceed_context_size_error") or status == 400:
        # the second is llama.cpp's own name; gateways give their 400 none
        return _invalid(message, host, http_status)
    if "input is not supported" in message:  # llama.cpp: a 500, which another try does not change
        return ServiceError(
            f"{host}: {message}",
            hint="Choose a model that accepts images: `-m NAME`",
            status=http_status,
        )
    if http_status is not None:
        return None
    if kind == "rate_limit_error":
        return RateLimitError(f"Rate limited by {host}: {message}", retryable=True)
    name = f"{host} is overloaded" if kind == "overloaded_error" else host
    return ServiceError(f"{name}: {message}", retryable=True)


def _invalid(message: str, host: str, status: int | None) -> ProviderError:
    """Return the error for a request that the service rejected."""
    if re.search("prompt is too long|exceed context limit|context size", message):
        return dialect.too_long(message, status)
    hint = dialect.OPTION_HINT
    if "prefill" in message:
        message = "this model can't continue a reply that was cut off (no prefill)"
        hint = 'Ask for the rest instead: `darkai ask -c "continue where you stopped"`'
    elif ".image." in message:
        hint = "Send smaller or fewer images (`-f`)"
    elif "thinking.type.enabled" in message or "adaptive" in message:
        hint = "Set an effort, not a budget: `-o reasoning_effort=high` (low, medium, high, max)"
    return dialect.rejected_request(host, message, status, hint)


class AnthropicDecoder(ReplyDecoder):
    """One reply of the Messages API."""

    def __init__(self, settings: ProviderSettings) -> None:
        super().__init__(settings, "an Anthropic service")
        self._started = False
        self._calls: dict[object, _PartialCall] = {}
        self._counts: dict[str, int] = {}
        self._reason = ""
        self._refusal = ""

    def feed(self, frame: Frame) -> Iterable[Event]:
        """Return the events of one SSE event. Raises ``ProviderError`` for an error in it."""
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
        self._started = True
        if kind == "content_block_start":
            return self._block(message.get("content_block"), message.get("index"))
        if kind == "content_block_stop":
            return self._finished_call(message.get("index"))
        if kind == "message_start":
            started = message.get("message")
            return self._new_usage(started.get("usage") if isinstance(started, dict) else None)
        if kind == "message_delta":
            self._read_stop(message.get("delta"))
            return self._new_usage(message.get("usage"))
        if kind == "message_stop":
            self.ended = True
        return ()

    def _delta(self, delta: dict[str, Any], index: object) -> Iterable[Event]:
        self._started = True
        kind = delta.get("type")
        if kind == "text_delta":
            return self._text_chunk(delta.get("text"))
        if kind == "thinking_delta":
            return self._reasoning_chunk(delta.get("thinking"))
        if kind == "input_json_delta":
            call = self._calls.get(_key(index))
            piece = delta.get("partial_json")
            if call is not None and isinstance(piece, str):
                call.pieces.append(piece)
        elif kind == "citations_delta":
            return self._citation(delta.get("citation"))
        return ()

    def _block(self, block: object, index: object) -> Iterable[Event]:
        if not isinstance(block, dict):
            return ()
        kind = block.get("type")
        if kind == "text":
            return self._text_chunk(block.get("text"))
        if kind == "thinking":
            return self._reasoning_chunk(block.get("thinking"))
        if kind == "tool_use":
            self._calls[_key(index)] = _PartialCall(block)
        return ()

    def _finished_call(self, index: object) -> Iterable[Event]:
        """Return the tool call of a block that has stopped, if it is one and complete."""
        call = self._calls.pop(_key(index), None)
        if call is None:
            return ()
        arguments = call.arguments
        if arguments is None:
            text = f"Left out a call of the tool `{call.name}` that was cut off"
            return (Notice("warning", text),)
        self._visible = True
        return (ToolCall(call.id, call.name, arguments),)

    def _read_stop(self, delta: object) -> None:
        if not isinstance(delta, dict):
            return
        self._reason = text_in(delta, "stop_reason") or self._reason
        details = delta.get("stop_details")
        if isinstance(details, dict):
            self._refusal = words(details.get("explanation"))

    def _new_usage(self, usage: object) -> Iterable[Event]:
        """Return the totals so far: each count replaces the one before."""
        if not isinstance(usage, dict):
            return ()
        for name, value in usage.items():
            number = count(value)
            if number is not None:
                self._counts[name] = number
        details = usage.get("output_tokens_details")
        reasoning = count(details.get("thinking_tokens")) if isinstance(details, dict) else None
        counts = self._counts
        cached = counts.get("cache_read_input_tokens")
        fresh = counts.get("input_tokens")
        total = None
        if fresh is not None:
            total = fresh + (cached or 0) + counts.get("cache_creation_input_tokens", 0)
        return (Usage(total, counts.get("output_tokens"), reasoning, cached),)

    def close(self) -> Iterator[Event]:
        """Yield the last events. Raises ``ProviderError`` if the reply is not complete."""
        if not self.ended:
            raise self._incomplete(started=self._started)
        for index in list(self._calls):
            yield from self._finished_call(index)
        yield from self._unreadable.notices()
        if self._reason == "pause_turn":
            raise ServiceError(
                f"{self._host} paused the reply before its end",
                hint='Ask for the rest: `darkai ask -c "continue"`',
            )
        reason = self._end_reason(self._reason or "end_turn")
        if reason == "filtered" and self._refusal:
            yield Notice("warning", f"The model refused: {self._refusal}")
        yield from self._end(reason)


class _PartialCall:
    """A tool call whose arguments are still coming."""

    def __init__(self, block: Mapping[str, Any]) -> None:
        self.id = text_in(block, "id")
        self.name = text_in(block, "name")
        self.pieces: list[str] = []
        self._given = block.get("input")

    @property
    def arguments(self) -> str | None:
        """Return the JSON text; None if it is not a complete object."""
        text = "".join(self.pieces)
        if not text.strip():
            return json.dumps(self._given if isinstance(self._given, dict) else {})
        return text if isinstance(parse(text), dict) else None


def _key(index: object) -> object:
    """Return a block's number as a key; None for what is no number or text."""
    return index if isinstance(index, (int, str)) else None
