"""The dialect of Ollama's native ``/api/chat``, which answers with one JSON object a line.

    {"message":{"role":"assistant","content":"Hi"},"done":false}
    {"message":{"role":"assistant","content":""},"done":true,"done_reason":"stop","eval_count":2}

Ollama's OpenAI-compatible API is not used, because it loses errors in mid-stream. ``"done": true``
is the end mark. Sampling options go into the object ``options``, those of the server beside it;
unknown names are passed on in ``options``, since each model may know more.

Sources: docs/api.md, api/types.go and server/routes.go of the public server.
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
    RefusedError,
    ServiceError,
    UnknownModelError,
)
from darkai_cli.events import (
    Event,
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

_BESIDE = ("think", "format", "keep_alive", "truncate", "shift", "logprobs", "top_logprobs")
"""Options that stand beside the sub-object ``options``."""

_RENAMED = {
    "max_tokens": "num_predict",
    "max_completion_tokens": "num_predict",
    "max_output_tokens": "num_predict",
    "repetition_penalty": "repeat_penalty",
    "thinking": "think",
    "reasoning_effort": "think",
    "effort": "think",
}
_RESERVED = ("model", "messages", "stream", "tools")

_EFFORTS = {"none": False, "minimal": "low", "xhigh": "max"}
"""Efforts that other services know, in Ollama's terms."""


class OllamaDialect(Dialect):
    """The native chat API."""

    framing: Framing = "ndjson"

    def request(self, chat: ChatRequest, settings: ProviderSettings) -> HttpRequest:
        """Return the request; the server continues a reply at the end by itself."""
        options = dialect.options(
            {**settings.options, **chat.options},
            renamed=_RENAMED,
            own=(),
            reserved=_RESERVED,
            strict=False,
            service=settings.name,
        )
        beside = {name: options.pop(name) for name in _BESIDE if name in options}
        if "think" in beside:
            beside["think"] = _think(beside["think"])
        nested = options.pop("options", None)
        if isinstance(nested, dict):
            options = {**nested, **options}
        dialect.as_list(options, "stop")
        messages = [_message(message, chat) for message in chat.messages]
        if not messages:
            raise InputError("There are no messages to send")
        fields: dict[str, Any] = {"model": chat.model, "messages": messages, "stream": True}
        if chat.tools:
            fields["tools"] = [
                {"type": "function", "function": tool._asdict()} for tool in chat.tools
            ]
        if options:
            fields["options"] = options
        return HttpRequest(
            _endpoint(settings, "/chat"),
            dialect.headers(settings, {"accept": "application/x-ndjson"}, dialect.bearer(settings)),
            dialect.body({**fields, **beside}),
        )

    def decoder(self, settings: ProviderSettings) -> OllamaDecoder:
        """Return a new decoder."""
        return OllamaDecoder(settings)

    def error(self, status: int, payload: Any, settings: ProviderSettings) -> ProviderError | None:
        """Return the error in ``{"error": "..."}``."""
        fault = payload.get("error") if isinstance(payload, dict) else None
        if isinstance(fault, dict):  # a proxy in front of it
            fault = fault.get("message")
        if not isinstance(fault, str) or not fault.strip():
            return None
        return _explain(words(fault), settings, status)

    def amend(self, fields: Fields, chosen: Sequence[str], message: str) -> Fields | None:  # noqa: ARG002
        """Return the fields without ``think``, if the model does not reason."""
        if "does not support thinking" not in message or "think" not in fields:
            return None
        del fields["think"]
        return fields

    def models_request(self, settings: ProviderSettings, page: str = "") -> HttpRequest | None:  # noqa: ARG002
        """Return the request for the list of pulled models, which has one page."""
        own = dialect.headers(settings, {"accept": "application/json"}, dialect.bearer(settings))
        return HttpRequest(_endpoint(settings, "/tags"), own, b"", "GET")

    def models(self, payload: Any) -> tuple[Sequence[ModelInfo], str]:
        """Return those that can chat in ``{"models": [{"name", "details", "capabilities"}]}``."""
        if not isinstance(payload, dict) or "models" not in payload:
            raise BadReplyError("The service sent no list of models")
        return [_model(row) for row in dicts(payload["models"]) if _chats(row)], ""

    def about_request(self, model: str, settings: ProviderSettings) -> HttpRequest:
        """Return ``POST /api/show``."""
        own = dialect.headers(settings, {"accept": "application/json"}, dialect.bearer(settings))
        return HttpRequest(_endpoint(settings, "/show"), own, dialect.body({"model": model}))

    def about(self, payload: Any, model: ModelInfo) -> ModelInfo:
        """Add ``{"capabilities", "model_info": {"llama.context_length": 8192}}`` to the model."""
        details = payload if isinstance(payload, dict) else {}
        facts = details.get("model_info")
        facts = facts if isinstance(facts, dict) else {}
        lengths = (value for name, value in facts.items() if name.endswith(".context_length"))
        return model._replace(
            context=count(next(lengths, None)) or model.context,
            takes=_takes(details) or model.takes,
        )


def _endpoint(settings: ProviderSettings, path: str) -> str:
    """Return the URL below ``/api``, which the base URL may end with already."""
    base = settings.url.partition("?")[0].rstrip("/")
    return dialect.endpoint(settings, path if base.endswith("/api") else f"/api{path}")


def _think(value: Any) -> Any:
    """Return ``true``, ``false`` or a level; a budget of tokens becomes ``true`` or ``false``."""
    if isinstance(value, str):
        return _EFFORTS.get(value, value)
    return bool(value) if isinstance(value, int) else value


def _message(message: Message, chat: ChatRequest) -> dict[str, Any]:
    fields: dict[str, Any] = {"role": message.role, "content": message.content}
    if message.images:
        fields["images"] = [image.base64 for image in message.images]
    if message.calls:
        fields["tool_calls"] = [
            {"id": call.id, "function": {"name": call.name, "arguments": dialect.arguments(call)}}
            for call in message.calls
        ]
    if message.role == "tool":
        calls = (call for earlier in chat.messages for call in earlier.calls)
        name = next((call.name for call in calls if call.id == message.call_id), "")
        fields["tool_name"] = message.name or name
        fields["tool_call_id"] = message.call_id
    return fields


def _chats(row: Mapping[str, Any]) -> bool:
    capabilities = row.get("capabilities")
    named = bool(text_in(row, "name", "model"))
    return named and (
        not isinstance(capabilities, list) or not capabilities or "completion" in capabilities
    )


def _model(row: Mapping[str, Any]) -> ModelInfo:
    details = row.get("details")
    size = quantized = ""
    if isinstance(details, dict):
        size, quantized = text_in(details, "parameter_size"), text_in(details, "quantization_level")
    context = count(details.get("context_length")) if isinstance(details, dict) else None
    name = text_in(row, "name", "model")
    short = name.removesuffix(":latest")  # the tag of a name without one
    return ModelInfo(
        name,
        aliases=() if short == name else (short,),
        title=words(f"{size} {quantized}".strip(), 40),
        context=context,
        takes=_takes(row),
    )


def _takes(row: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the kinds of input of a model; () if the server does not say."""
    capabilities = row.get("capabilities")
    if not isinstance(capabilities, list) or not capabilities:
        return ()
    return ("text", "image") if "vision" in capabilities else ("text",)


def _explain(message: str, settings: ProviderSettings, status: int) -> ProviderError | None:
    """Return the error in the server's terms; None to leave a status to ``http_errors``.

    ``status``: 200 for an error in the stream or in its place, which is always explained.
    """
    host = settings.host
    http_status = status if status != 200 else None
    lower = message.lower()
    missing = re.search(r"""model ["'`]?([^"'`\s]{1,100})["'`]? not found""", message)
    if missing:
        name = missing[1]
        return UnknownModelError(
            f"No model named `{name}` on {host}", hint=f"`ollama pull {name}`", status=http_status
        )
    if status == 401 or lower == "unauthorized":
        if settings.key is None:
            hint = f"`ollama signin`, or `darkai keys set {settings.name}`"
            return AuthError(
                f"{host} requires you to sign in: {message}", hint=hint, status=http_status
            )
        return dialect.rejected_key(settings, message, http_status)
    if "context length" in lower or "context size" in lower or "prompt is too long" in lower:
        return RefusedError(
            f"The conversation is too long for the model: {message}",
            hint="Send less, or enlarge the context window: `-o num_ctx=16384`",
            status=http_status,
        )
    if "more system memory" in lower or "out of memory" in lower:
        return ServiceError(
            f"{host}: {message}", hint="Choose a smaller model: `-m NAME`", status=http_status
        )
    if "image input" in lower:  # a 500, which another try does not change
        return ServiceError(
            f"{host}: {message}",
            hint="Choose a model that accepts images: `-m NAME`",
            status=http_status,
        )
    if status in (400, 422):
        hint = dialect.OPTION_HINT
        if "does not support tools" in lower:
            hint = "Choose a model that supports tools: `-m NAME`"
        elif "does not support chat" in lower:
            hint = "Choose a model that can chat: `-m NAME`"
        return dialect.rejected_request(host, message, http_status, hint)
    if http_status is not None:
        return None
    return ServiceError(f"{host}: {message}", retryable="server busy" in lower)


class OllamaDecoder(ReplyDecoder):
    """One reply of the chat API."""

    def __init__(self, settings: ProviderSettings) -> None:
        super().__init__(settings, "an Ollama server")
        self._started = False
        self._calls = 0
        self._reason = ""
        self._usage: Usage | None = None

    def feed(self, frame: Frame) -> Iterable[Event]:
        """Return the events of one line. Raises ``ProviderError`` for an error in it."""
        line = parse(frame.data)
        if not isinstance(line, dict):
            self._unreadable.add()
            return ()
        self._unreadable.reset()
        fault = line.get("error")
        if fault:
            if isinstance(fault, dict):
                fault = fault.get("message")
            text = words(fault) or "The server reported an error without a reason"
            raise _explain(text, self._settings, 200) or ServiceError(text)
        self._started = True
        events: tuple[Event, ...] = ()
        message = line.get("message")
        if isinstance(message, dict):
            events = tuple(self._message(message, line))
        if line.get("done") is True:
            self.ended = True
            self._reason = text_in(line, "done_reason")
            self._usage = Usage(
                count(line.get("prompt_eval_count")) or 0, count(line.get("eval_count")) or 0
            )  # a count of 0 is left out
        return events

    def _message(self, message: Mapping[str, Any], line: Mapping[str, Any]) -> Iterator[Event]:
        yield from self._reasoning_chunk(message.get("thinking"))
        yield from self._text_chunk(message.get("content"))
        for call in dicts(message.get("tool_calls")):
            function = call.get("function")
            if isinstance(function, dict):
                self._visible = True
                self._calls += 1
                given = function.get("arguments")
                given = parse(given) if isinstance(given, str) else given
                arguments = given if isinstance(given, dict) else {}
                # Without an id of its own, one that no other reply of the conversation has.
                moment = re.sub(r"[^0-9]", "", text_in(line, "created_at"))
                yield ToolCall(
                    text_in(call, "id") or f"call_{moment}{self._calls}",
                    text_in(function, "name"),
                    json.dumps(arguments, ensure_ascii=False),
                )

    def close(self) -> Iterator[Event]:
        """Yield the last events. Raises ``ProviderError`` if the reply is not complete."""
        if not self.ended:
            raise self._incomplete(started=self._started)
        if self._usage is not None:
            yield self._usage
        yield from self._unreadable.notices()
        if self._reason in ("load", "unload"):
            only = f"{self._host} only {self._reason}ed the model; it sent no text"
            yield from self._end("stop", only)
        else:
            reason = self._end_reason(self._reason or "stop")
            yield from self._end("tool-calls" if self._calls and reason == "stop" else reason)
