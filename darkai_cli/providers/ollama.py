"""The Ollama dialect: the native ``/api/chat``, answered by one JSON object a line.

    {"message":{"role":"assistant","content":"Hi"},"done":false}
    {"message":{"role":"assistant","content":""},"done":true,"done_reason":"stop","eval_count":2}

Not its OpenAI-compatible side, which loses errors in mid-stream. ``"done": true`` is the end mark.
Sampling options go into the sub-object ``options``, what the server itself obeys beside it; names
that are not known are passed on there, since each model may know more.

Sources: docs/api.md, api/types.go and server/routes.go of the public server.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

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
    EndReason,
    Event,
    ReasoningChunk,
    TextChunk,
    ToolCall,
    Usage,
)
from darkai_cli.messages import ChatRequest, Message
from darkai_cli.providers import dialect
from darkai_cli.providers.base import (
    Frame,
    Framing,
    Headers,
    HttpRequest,
    ModelInfo,
    ProviderSettings,
)
from darkai_cli.providers.dialect import ReplyDecoder, count, dicts, parse, text_in, words

if TYPE_CHECKING:
    from darkai_cli.providers.base import Decoder, Dialect, HasModelDetails

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
"""Efforts that other services know, in Ollama's words."""


class OllamaDialect:
    """The native chat API."""

    framing: Framing = "ndjson"

    def request(self, chat: ChatRequest, settings: ProviderSettings) -> HttpRequest:
        """The conversation nearly as it is; a reply at its end is gone on with."""
        found = dialect.options(
            {**settings.options, **chat.options},
            renamed=_RENAMED,
            own=(),
            reserved=_RESERVED,
            known=False,
            service=settings.name,
        )
        beside = {name: found.pop(name) for name in _BESIDE if name in found}
        if "think" in beside:
            beside["think"] = _think(beside["think"])
        nested = found.pop("options", None)
        if isinstance(nested, dict):
            found = {**nested, **found}
        dialect.several(found, "stop")
        messages = [_message(one, chat) for one in chat.messages]
        if not messages:
            raise InputError("there are no messages to send")
        fields: dict[str, Any] = {"model": chat.model, "messages": messages, "stream": True}
        if chat.tools:
            fields["tools"] = [
                {"type": "function", "function": tool._asdict()} for tool in chat.tools
            ]
        if found:
            fields["options"] = found
        return HttpRequest(
            _endpoint(settings, "/chat"),
            dialect.headers(settings, {"accept": "application/x-ndjson"}, dialect.bearer(settings)),
            dialect.body({**fields, **beside}),
        )

    def decoder(self, settings: ProviderSettings) -> OllamaDecoder:
        """A fresh decoder."""
        return OllamaDecoder(settings)

    def error(
        self,
        status: int,
        headers: Headers,  # noqa: ARG002 -- the same for all dialects
        payload: Any,
        settings: ProviderSettings,
    ) -> ProviderError | None:
        """``{"error": "..."}``."""
        fault = payload.get("error") if isinstance(payload, dict) else None
        if isinstance(fault, dict):  # a proxy in front of it
            fault = fault.get("message")
        if not isinstance(fault, str) or not fault.strip():
            return None
        return _explain(words(fault), settings, status)

    def amend(
        self,
        request: HttpRequest,
        chat: ChatRequest,  # noqa: ARG002
        settings: ProviderSettings,  # noqa: ARG002
        told: str,
    ) -> HttpRequest | None:
        """Without ``think``, where the model has no such thing."""
        fields = json.loads(request.body)
        if "does not support thinking" not in told or "think" not in fields:
            return None
        del fields["think"]
        return request._replace(body=dialect.body(fields))

    def models_request(self, settings: ProviderSettings, page: str = "") -> HttpRequest | None:  # noqa: ARG002
        """The models that were pulled; there is one page."""
        own = dialect.headers(settings, {"accept": "application/json"}, dialect.bearer(settings))
        return HttpRequest(_endpoint(settings, "/tags"), own, b"", "GET")

    def models(self, payload: Any) -> tuple[Sequence[ModelInfo], str]:
        """``{"models": [{"name", "details", "capabilities"}]}``: those that can chat."""
        if not isinstance(payload, dict) or "models" not in payload:
            raise BadReplyError("the service sent no list of models")
        return [_model(one) for one in dicts(payload["models"]) if _chats(one)], ""

    def about_request(self, model: str, settings: ProviderSettings) -> HttpRequest:
        """``POST /api/show``."""
        own = dialect.headers(settings, {"accept": "application/json"}, dialect.bearer(settings))
        return HttpRequest(_endpoint(settings, "/show"), own, dialect.body({"model": model}))

    def about(self, payload: Any, model: ModelInfo) -> ModelInfo:
        """``{"capabilities", "model_info": {"llama.context_length": 8192}}``."""
        told = payload if isinstance(payload, dict) else {}
        facts = told.get("model_info")
        facts = facts if isinstance(facts, dict) else {}
        lengths = (value for name, value in facts.items() if name.endswith(".context_length"))
        return model._replace(
            context=count(next(lengths, None)) or model.context, takes=_takes(told) or model.takes
        )


def _endpoint(settings: ProviderSettings, path: str) -> str:
    """The URL below ``/api``, which the base URL may name already."""
    base = settings.url.partition("?")[0].rstrip("/")
    return dialect.endpoint(settings, path if base.endswith("/api") else f"/api{path}")


def _think(value: Any) -> Any:
    """``true``, ``false`` or a level; of a budget of tokens only whether there is one."""
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
        calls = (call for one in chat.messages for call in one.calls)
        name = next((call.name for call in calls if call.id == message.call_id), "")
        fields["tool_name"] = message.name or name
        fields["tool_call_id"] = message.call_id
    return fields


def _chats(row: Mapping[str, Any]) -> bool:
    able = row.get("capabilities")
    named = bool(text_in(row, "name", "model"))
    return named and (not isinstance(able, list) or not able or "completion" in able)


def _model(row: Mapping[str, Any]) -> ModelInfo:
    details = row.get("details")
    size = quantized = ""
    if isinstance(details, dict):
        size, quantized = text_in(details, "parameter_size"), text_in(details, "quantization_level")
    context = count(details.get("context_length")) if isinstance(details, dict) else None
    name = text_in(row, "name", "model")
    short = name.removesuffix(":latest")  # what the tag is where none is named
    return ModelInfo(
        name,
        aliases=() if short == name else (short,),
        title=words(f"{size} {quantized}".strip(), 40),
        context=context,
        takes=_takes(row),
    )


def _takes(row: Mapping[str, Any]) -> tuple[str, ...]:
    """What a model takes beside text, where the server says so."""
    able = row.get("capabilities")
    if not isinstance(able, list) or not able:
        return ()
    return ("text", "image") if "vision" in able else ("text",)


def _explain(told: str, settings: ProviderSettings, status: int) -> ProviderError | None:
    """The error in the server's terms; None leaves a status to the usual explanation.

    A ``status`` of 200 is an error in place of the stream or in it: none is left then.
    """
    host = settings.host
    http = status if status != 200 else None
    lower = told.lower()
    missing = re.search(r"""model ["'`]?([^"'`\s]{1,100})["'`]? not found""", told)
    if missing:
        name = missing[1]
        return UnknownModelError(
            f"model `{name}` is not on {host}", hint=f"`ollama pull {name}`", status=http
        )
    if status == 401 or lower == "unauthorized":
        if settings.key is None:
            hint = f"`ollama signin`, or `darkai keys set {settings.name}`"
            return AuthError(f"{host} wants you to sign in: {told}", hint=hint, status=http)
        return dialect.rejected_key(settings, told, http)
    if "context length" in lower or "context size" in lower or "prompt is too long" in lower:
        return RefusedError(
            f"the conversation is too long for the model: {told}",
            hint="send less, or give it more room: `-o num_ctx=16384`",
            status=http,
        )
    if "more system memory" in lower or "out of memory" in lower:
        return ServiceError(f"{host}: {told}", hint="name a smaller model: `-m NAME`", status=http)
    if "image input" in lower:  # a 500, which another try does not change
        return ServiceError(
            f"{host}: {told}", hint="name a model that takes images: `-m NAME`", status=http
        )
    if status in (400, 422):
        hint = "is an option (`-o`) not right for this model?"
        if "does not support tools" in lower:
            hint = "name a model that takes tools: `-m NAME`"
        elif "does not support chat" in lower:
            hint = "name a model that can chat: `-m NAME`"
        return ServiceError(
            f"{host} rejected the request ({status}): {told}", hint=hint, status=http
        )
    if http is not None:
        return None
    return ServiceError(f"{host}: {told}", retryable="server busy" in lower)


class OllamaDecoder(ReplyDecoder):
    """One reply of the chat API."""

    def __init__(self, settings: ProviderSettings) -> None:
        super().__init__(settings, "an Ollama server")
        self._begun = False
        self._calls = 0
        self._reason = ""
        self._usage: Usage | None = None

    def feed(self, frame: Frame) -> Iterable[Event]:
        """The events of one line."""
        line = parse(frame.data)
        if not isinstance(line, dict):
            self._bad.add()
            return ()
        self._bad.readable()
        fault = line.get("error")
        if fault:
            if isinstance(fault, dict):
                fault = fault.get("message")
            told = words(fault) or "an error without a reason"
            raise _explain(told, self._settings, 200) or ServiceError(told)
        self._begun = True
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
        thought = text_in(message, "thinking")
        if thought:
            self._visible = True
            yield ReasoningChunk(thought)
        text = text_in(message, "content")
        if text:
            self._text = self._visible = True
            yield TextChunk(text)
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
        """The rest, and how the reply ended."""
        if not self.ended:
            raise self._unfinished(begun=self._begun)
        if self._usage is not None:
            yield self._usage
        yield from self._bad.notices()
        reason: EndReason = "stop"
        if self._reason == "length":
            reason = "length"
        elif self._calls:
            reason = "tool-calls"
        if self._reason in ("load", "unload"):
            only = f"{self._host} only {self._reason}ed the model, and asked it nothing"
            yield from self._end(reason, only)
        else:
            yield from self._end(reason)


if TYPE_CHECKING:  # they keep the contracts
    _dialect: type[Dialect] = OllamaDialect
    _details: type[HasModelDetails] = OllamaDialect
    _decoder: type[Decoder] = OllamaDecoder
