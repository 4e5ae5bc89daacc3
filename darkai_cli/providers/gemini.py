"""The dialect of Gemini's ``streamGenerateContent``: requests, replies, errors, the list of models.

    data: {"candidates":[{"content":{"parts":[{"text":"Hi"}],"role":"model"},"index":0}]}

The service writes its names in camelCase; options are taken in that form, in snake_case, and under
their common names. There is no end mark: a candidate's ``finishReason`` says that it is whole, and
more events with sources or counts may follow until the connection ends. An error comes as an event,
or bare and spread over lines amid the events; the reader hands a bare one to ``error``.

Sources: ai.google.dev/api and the types of the public Python SDK.
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
from darkai_cli.providers.dialect import ReplyDecoder, count, dicts, text_in, words
from darkai_cli.text import plural

PAGE = 1000
"""Models on a page: the most that the service allows."""

_CONFIG = (
    "temperature", "topP", "topK", "maxOutputTokens", "stopSequences", "seed", "presencePenalty",
    "frequencyPenalty", "responseMimeType", "responseSchema", "responseJsonSchema",
    "responseModalities", "mediaResolution", "thinkingConfig", "enableEnhancedCivicAnswers",
)  # fmt: skip
"""The members of ``generationConfig``."""

_BESIDE = ("safetySettings", "toolConfig", "cachedContent", "tools")
"""Options that stand beside it."""

_THINK = ("thinking", "think", "reasoning_effort")
_RENAMED = {
    **{re.sub(r"([A-Z])", r"_\1", name).lower(): name for name in (*_CONFIG, *_BESIDE)},
    "max_tokens": "maxOutputTokens",
    "max_completion_tokens": "maxOutputTokens",
    "num_predict": "maxOutputTokens",
    "stop": "stopSequences",
    "effort": "reasoning_effort",
}
_RESERVED = ("contents", "systemInstruction", "system_instruction", "model", "stream")

BUDGETS = {"none": 0, "minimal": 1024, "low": 1024, "medium": 8192, "high": 24_576}
"""The budget in tokens for each effort, as in Google's OpenAI-compatible service."""

LEVELS = ("minimal", "low", "medium", "high")
"""The efforts that models since Gemini 3 accept."""

_NO_SIGNATURE = "skip_thought_signature_validator"
"""The documented placeholder for a thought's signature, which calls need since Gemini 3."""


class GeminiDialect(Dialect):
    """The ``streamGenerateContent`` method with server-sent events."""

    framing: Framing = "sse"

    def request(self, chat: ChatRequest, settings: ProviderSettings) -> HttpRequest:
        """Return the request: the conversation as ``contents``, the model in the path."""
        options = dialect.options(
            {**settings.options, **chat.options},
            renamed=_RENAMED,
            own=(*_CONFIG, *_BESIDE, *_THINK),
            reserved=_RESERVED,
            strict=settings.quirks.strict,
            service=settings.name,
        )
        beside = {name: options.pop(name) for name in _BESIDE if name in options}
        dialect.as_list(options, "stopSequences")
        _think(options, chat.model)
        tools = list(dicts(beside.pop("tools", None)))
        if chat.tools:
            tools.append(
                {
                    "functionDeclarations": [
                        {
                            "name": tool.name,
                            "description": tool.description,
                            "parametersJsonSchema": tool.parameters,
                        }
                        for tool in chat.tools
                    ]
                }
            )
        system = dialect.system_prompt(chat.messages)
        fields: dict[str, Any] = {"contents": _contents(chat)}
        if system:
            fields["systemInstruction"] = {"parts": [{"text": system}]}
        if options:
            fields["generationConfig"] = options
        if tools:
            fields["tools"] = tools
        path = f"/{_path(chat.model)}:streamGenerateContent"
        return HttpRequest(
            _with_query(dialect.endpoint(settings, path), "alt=sse"),
            _headers(settings, "text/event-stream"),
            dialect.body({**fields, **beside}),
        )

    def decoder(self, settings: ProviderSettings) -> GeminiDecoder:
        """Return a new decoder."""
        return GeminiDecoder(settings)

    def error(self, status: int, payload: Any, settings: ProviderSettings) -> ProviderError | None:
        """Return the error in ``{"error": {"code", "message", "status"}}``, or in a list."""
        if isinstance(payload, list):
            payload = next(iter(dicts(payload)), None)
        fault = payload.get("error") if isinstance(payload, dict) else None
        return explain(fault, settings, status) if isinstance(fault, dict) else None

    def amend(self, fields: Fields, chosen: Sequence[str], message: str) -> Fields | None:
        """Return the fields without what this model lacks.

        That is: reasoning, a system prompt, continuing a reply by itself.
        """
        lower = message.lower()
        names = {_RENAMED.get(name, name) for name in chosen}
        if "thinking" in lower and not names & {*_THINK, "thinkingConfig"}:
            config = fields.get("generationConfig", {})
            if not config.pop("thinkingConfig", None):
                return None
        elif "developer instruction is not enabled" in lower and "systemInstruction" in fields:
            first = fields["contents"][0]
            first["parts"] = [*fields.pop("systemInstruction")["parts"], *first["parts"]]
        elif "end with a user" in lower and fields["contents"][-1]["role"] == "model":
            fields["contents"].append(
                {"role": "user", "parts": [{"text": dialect.CONTINUE_PROMPT}]}
            )
        else:
            return None
        return fields

    def models_request(self, settings: ProviderSettings, page: str = "") -> HttpRequest | None:
        """Return the request for a page of the list."""
        from urllib.parse import quote

        query = f"pageSize={PAGE}" + (f"&pageToken={quote(page, safe='')}" if page else "")
        url = _with_query(dialect.endpoint(settings, "/models"), query)
        return HttpRequest(url, _headers(settings, "application/json"), b"", "GET")

    def models(self, payload: Any) -> tuple[Sequence[ModelInfo], str]:
        """Return those that can chat in ``{"models": [{"name", ...}], "nextPageToken"}``."""
        listed = payload.get("models") if isinstance(payload, dict) else None
        if not isinstance(listed, list) and payload != {}:  # an empty list is left out
            raise BadReplyError("The service sent no list of models")
        models = [
            ModelInfo(
                text_in(row, "name").removeprefix("models/"),
                title=words(row.get("displayName"), 80),
                context=count(row.get("inputTokenLimit")),
                output=count(row.get("outputTokenLimit")),
            )
            for row in dicts(listed)
            if text_in(row, "name") and _chats(row)
        ]
        return models, text_in(payload, "nextPageToken")


def _chats(row: Mapping[str, Any]) -> bool:
    methods = row.get("supportedGenerationMethods")
    return not isinstance(methods, list) or "generateContent" in methods


def _path(model: str) -> str:
    """Return the model's path below the base URL: ``models/NAME``, ``tunedModels/NAME``.

    The name is quoted, so that it never leads to another path.
    """
    from urllib.parse import quote

    kind, slash, name = model.partition("/")
    if not slash or kind not in ("models", "tunedModels"):
        kind, name = "models", model
    return f"{kind}/{quote(name, safe='')}"


def _with_query(url: str, query: str) -> str:
    return f"{url}{'&' if '?' in url else '?'}{query}"


def _headers(settings: ProviderSettings, accept: str) -> dict[str, str]:
    own = {"accept": accept}
    if settings.key is not None:  # in a header: URLs are logged
        name = settings.quirks.key_header or "x-goog-api-key"
        own[name] = settings.key.reveal(settings.url)
    return dialect.headers(settings, own)


def version_of(model: str) -> tuple[int, int]:
    """Return the generation in a model's name: (2, 5) for ``gemini-2.5-flash``; else (0, 0)."""
    match = re.search(r"gemini-(\d{1,2})(?:\.(\d{1,2}))?(?!\d)", model)
    return (int(match[1]), int(match[2] or 0)) if match else (0, 0)


def _think(options: dict[str, Any], model: str) -> None:
    """Replace the common options for reasoning by ``thinkingConfig``.

    Models of the 2.5 series accept a budget of tokens, later ones a level. Thoughts are requested
    from models that have some by default; ``amend`` drops that if the model refuses it.
    """
    level, thinking = dialect.pop_reasoning(options, tuple(BUDGETS))
    version = version_of(model)
    config: dict[str, Any] = {}
    if isinstance(thinking, bool) or thinking is None:
        if level is not None and version >= (3, 0) and level in LEVELS:
            config["thinkingLevel"] = level
        elif level is not None:
            config["thinkingBudget"] = BUDGETS[level]
        elif thinking is False:
            config["thinkingBudget"] = 0
        elif thinking is True and version < (3, 0):
            config["thinkingBudget"] = -1  # as much as the model sees fit
    else:
        config["thinkingBudget"] = thinking
    by_default = version >= (2, 5) and not re.search(r"lite|image|tts|live|audio", model)
    wanted = thinking is not None or level is not None
    if (wanted or by_default) and config.get("thinkingBudget") != 0:
        config["includeThoughts"] = True
    own = options.get("thinkingConfig")
    if isinstance(own, dict):
        config |= own
    if config:
        options["thinkingConfig"] = config


def _contents(chat: ChatRequest) -> list[dict[str, Any]]:
    """Return the messages, adjacent ones of one role merged."""
    names = {call.id: call.name for message in chat.messages for call in message.calls}
    signed = version_of(chat.model) >= (3, 0)
    merged: list[dict[str, Any]] = []
    for message in chat.messages:
        parts = list(_parts(message, names, signed=signed))
        if message.role == "system" or not parts:
            continue
        role = "model" if message.role == "assistant" else "user"
        if merged and merged[-1]["role"] == role:
            merged[-1]["parts"].extend(parts)
        else:
            merged.append({"role": role, "parts": parts})
    if not merged:
        raise InputError("There are no messages to send")
    return merged


def _parts(message: Message, names: Mapping[str, str], *, signed: bool) -> Iterable[dict[str, Any]]:
    if message.role == "tool":
        name = message.name or names.get(message.call_id, "")
        output = dialect.parse(message.content)
        if not isinstance(output, dict):
            output = {"result": message.content}
        yield {"functionResponse": {"name": name, "response": output}}
        return
    for image in message.images:
        yield {"inlineData": {"mimeType": image.media_type, "data": image.base64}}
    if message.content:
        yield {"text": message.content}
    for number, call in enumerate(message.calls):
        part: dict[str, Any] = {
            "functionCall": {"name": call.name, "args": dialect.arguments(call)}
        }
        if signed and not number:  # the first of a step carries it
            part["thoughtSignature"] = _NO_SIGNATURE
        yield part


AFTER_END = 2.0
"""Seconds to read on after the finish reason: sources and counts may follow."""

_KEY_REASONS = ("API_KEY_INVALID", "API_KEY_EXPIRED", "ACCESS_TOKEN_EXPIRED")
_PARTS = frozenset({"text", "functionCall", "thought", "thoughtSignature", "partMetadata"})


def explain(
    fault: Mapping[str, Any], settings: ProviderSettings, status: int
) -> ProviderError | None:
    """Return the error in the service's terms; None to leave a status to ``http_errors``.

    ``status``: 200 for an error in the stream or in its place, which is always explained.
    """
    host = settings.host
    message = words(fault.get("message"))
    name = text_in(fault, "status")
    http_status = status if status != 200 else None
    code = http_status or count(fault.get("code")) or 0
    reasons = [text_in(reason, "reason") for reason in dicts(fault.get("details"))]
    lower = message.lower()
    if (
        code == 401
        or name == "UNAUTHENTICATED"
        or any(reason in _KEY_REASONS for reason in reasons)
        or ("api key" in lower and re.search(r"not valid|expired|invalid|leaked", lower))
        or "unregistered callers" in lower
    ):
        return dialect.rejected_key(settings, message, http_status)
    if "SERVICE_DISABLED" in reasons:
        return AuthError(
            f"Access denied by {host}: {message}",
            hint=f"Enable it in that project, or use another project's key: `darkai keys set "
            f"{settings.name}`",
            status=http_status,
        )
    if name == "PERMISSION_DENIED" or code == 403:
        return AuthError(f"Access denied by {host}: {message}", status=http_status)
    if (name == "RESOURCE_EXHAUSTED" or code == 429) and (
        fault.get("details") or http_status is None
    ):
        return _limited(fault, message, host, http_status)
    if name == "NOT_FOUND" and "model" in lower:
        match = re.search(r"models/(\S{1,100}?)[.,]? (?:is|was) not found", message)
        return dialect.no_model(match[1] if match else "", settings, message, http_status)
    if name == "FAILED_PRECONDITION" and ("location" in lower or "billing" in lower):
        return AuthError(
            f"Access denied by {host}: {message}",
            hint="The service isn't available in your location, or not without billing",
            status=http_status,
        )
    if code in (400, 422):
        return _invalid(message, host, http_status)
    if http_status is not None:
        return None
    more = f": {message or name}" if message or name else " reported an error without details"
    return ServiceError(f"{host}{more}", retryable=code >= 500)


def _invalid(message: str, host: str, status: int | None) -> ProviderError:
    """Return the error for a request that the service rejected."""
    lower = message.lower()
    if "token count" in lower and "exceeds" in lower:
        return dialect.too_long(message, status)
    hint = dialect.OPTION_HINT
    if "end with a user" in lower:
        hint = 'Ask for the rest instead: `darkai ask -c "continue where you stopped"`'
    return dialect.rejected_request(host, message, status, hint)


def _limited(
    fault: Mapping[str, Any], message: str, host: str, status: int | None
) -> RateLimitError:
    """Return the error for a rate limit.

    The message mentions quota and billing even for a limit per minute. So ``RetryInfo`` tells the
    wait, and the name of the violated quota tells a limit per day.
    """
    details = dicts(fault.get("details"))
    delay = next(
        (seconds for detail in details if (seconds := _seconds(detail.get("retryDelay")))), None
    )
    quotas = [
        text_in(violation, "quotaId")
        for detail in details
        for violation in dicts(detail.get("violations"))
    ]
    first = re.split(r"(?<=[.!?])\s", message, maxsplit=1)[0]
    if any("PerDay" in quota for quota in quotas) or delay is None:
        what = "Daily quota used up" if quotas else "Rate limit or quota used up"
        return RateLimitError(
            f"{what} at {host}: {first}",
            hint="Wait, check your plan and billing, or choose another model: `-m NAME`",
            status=status,
        )
    return RateLimitError(
        f"Rate limited by {host}: {first}", status=status, retryable=True, retry_after=delay
    )


def _seconds(value: object) -> float | None:
    """Return the seconds of a protobuf duration, such as ``17.4s``."""
    match = re.fullmatch(r"(\d{1,9}(?:\.\d{1,9})?)s", value) if isinstance(value, str) else None
    return float(match[1]) if match else None


class GeminiDecoder(ReplyDecoder):
    """One reply of ``streamGenerateContent``."""

    def __init__(self, settings: ProviderSettings) -> None:
        super().__init__(settings, "a Gemini service")
        self._started = False
        self._calls = 0
        self._other_parts = 0
        self._usage: Usage | None = None
        self._id = ""
        self._reason = ""
        self._finish_message = ""

    def feed(self, frame: Frame) -> Iterable[Event]:
        """Return the events of one SSE event. Raises ``ProviderError`` for an error in it."""
        message = self._object(frame)
        if message is None:
            return ()
        fault = message.get("error")
        if fault:
            fault = fault if isinstance(fault, dict) else {"message": fault}
            raise explain(fault, self._settings, 200) or ServiceError(
                f"{self._host} reported an error"
            )
        self._started = True
        self._count(message.get("usageMetadata"))
        self._id = text_in(message, "responseId") or self._id
        blocked = message.get("promptFeedback")
        reason = text_in(blocked, "blockReason") if isinstance(blocked, dict) else ""
        if reason and reason != "BLOCK_REASON_UNSPECIFIED":
            raise RefusedError(f"{self._host} blocked the prompt ({words(reason, 60)})")
        events: list[Event] = []
        for candidate in dicts(message.get("candidates")):
            if candidate.get("index") in (None, 0):
                events.extend(self._candidate(candidate))
        return events

    def _candidate(self, candidate: Mapping[str, Any]) -> Iterator[Event]:
        content = candidate.get("content")
        for part in dicts(content.get("parts")) if isinstance(content, dict) else ():
            yield from self._part(part)
        grounding = candidate.get("groundingMetadata")
        if isinstance(grounding, dict):
            for chunk in dicts(grounding.get("groundingChunks")):
                yield from self._citation(chunk.get("web"), "uri")
        reason = text_in(candidate, "finishReason")
        if reason and reason != "FINISH_REASON_UNSPECIFIED":
            self._reason = reason
            self._finish_message = words(candidate.get("finishMessage"))
            self.drain_seconds = AFTER_END

    def _part(self, part: Mapping[str, Any]) -> Iterator[Event]:
        text = part.get("text")
        if part.get("thought") is True:
            yield from self._reasoning_chunk(text)
        else:
            yield from self._text_chunk(text)
        call = part.get("functionCall")
        if isinstance(call, dict):
            self._visible = True
            self._calls += 1
            given = call.get("args")
            arguments = json.dumps(given if isinstance(given, dict) else {}, ensure_ascii=False)
            identifier = text_in(call, "id") or f"call_{self._id}{self._calls}"
            yield ToolCall(identifier, text_in(call, "name"), arguments)
        elif not part.keys() <= _PARTS:
            self._other_parts += 1

    def _count(self, usage: object) -> None:
        """Store the totals so far; a missing count is 0."""
        if not isinstance(usage, dict) or not usage:
            return

        def of(name: str) -> int:
            return count(usage.get(name)) or 0

        thought = of("thoughtsTokenCount")
        self._usage = Usage(
            of("promptTokenCount") + of("toolUsePromptTokenCount"),
            of("candidatesTokenCount") + thought,
            thought,
            of("cachedContentTokenCount"),
        )

    def close(self) -> Iterator[Event]:
        """Yield the last events. Raises ``ProviderError`` if the reply is not complete."""
        if self._usage is not None:
            yield self._usage
        if not self._reason:
            raise self._incomplete(started=self._started)
        yield from self._unreadable.notices()
        if self._other_parts:
            text = f"Left out {plural(self._other_parts, 'part')} of the reply that can't be shown"
            yield Notice("warning", text)
        reason = self._end_reason(self._reason, self._finish_message)
        if reason in ("stop", "tool-calls"):
            reason = "tool-calls" if self._calls else "stop"
        yield from self._end(reason)
