"""The Gemini dialect: what is asked of ``streamGenerateContent``, and its list of models.

Not the reading of a reply: that is ``gemini_reply``. The service writes its names in camelCase;
options are taken in that form, in snake_case, and under their common names.

Sources: ai.google.dev/api and the types of the public Python SDK.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from darkai_cli.errors import BadReplyError, InputError, ProviderError, UsageError
from darkai_cli.messages import ChatRequest, Message
from darkai_cli.providers import dialect
from darkai_cli.providers.base import (
    Framing,
    Headers,
    HttpRequest,
    ModelInfo,
    ProviderSettings,
)
from darkai_cli.providers.dialect import count, dicts, text_in, words
from darkai_cli.providers.gemini_reply import GeminiDecoder, explain

if TYPE_CHECKING:
    from darkai_cli.providers.base import Dialect

PAGE = 1000
"""Models on a page: the most that the service gives."""

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
"""Tokens to think with for an effort, as Google's own OpenAI-compatible service has it."""

LEVELS = ("minimal", "low", "medium", "high")
"""The efforts that models take since Gemini 3."""

_NOT_SIGNED = "skip_thought_signature_validator"
"""The documented stand-in for a thought's signature: since Gemini 3 a call must carry one."""


class GeminiDialect:
    """The ``streamGenerateContent`` method with server-sent events."""

    framing: Framing = "sse"

    def request(self, chat: ChatRequest, settings: ProviderSettings) -> HttpRequest:
        """The conversation as ``contents``; the model stands in the path."""
        found = dialect.options(
            {**settings.options, **chat.options},
            renamed=_RENAMED,
            own=(*_CONFIG, *_BESIDE, *_THINK),
            reserved=_RESERVED,
            known=settings.quirks.strict,
            service=settings.name,
        )
        beside = {name: found.pop(name) for name in _BESIDE if name in found}
        dialect.several(found, "stopSequences")
        _think(found, chat.model)
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
        system = dialect.system_of(chat.messages)
        fields: dict[str, Any] = {"contents": _contents(chat)}
        if system:
            fields["systemInstruction"] = {"parts": [{"text": system}]}
        if found:
            fields["generationConfig"] = found
        if tools:
            fields["tools"] = tools
        path = f"/{_path(chat.model)}:streamGenerateContent"
        return HttpRequest(
            _with_query(dialect.endpoint(settings, path), "alt=sse"),
            _headers(settings, "text/event-stream"),
            dialect.body({**fields, **beside}),
        )

    def decoder(self, settings: ProviderSettings) -> GeminiDecoder:
        """A fresh decoder."""
        return GeminiDecoder(settings)

    def error(
        self,
        status: int,
        headers: Headers,  # noqa: ARG002 -- the same for all dialects
        payload: Any,
        settings: ProviderSettings,
    ) -> ProviderError | None:
        """``{"error": {"code", "message", "status", "details"}}``, alone or in a list."""
        if isinstance(payload, list):
            payload = next(iter(dicts(payload)), None)
        fault = payload.get("error") if isinstance(payload, dict) else None
        return explain(fault, settings, status) if isinstance(fault, dict) else None

    def again(
        self,
        request: HttpRequest,
        chat: ChatRequest,
        settings: ProviderSettings,
        told: str,
    ) -> HttpRequest | None:
        """Without what a model lacks: thoughts, a system prompt, replies that it goes on with."""
        fields = json.loads(request.body)
        lower = told.lower()
        asked = {_RENAMED.get(name, name) for name in (*settings.options, *chat.options)}
        if "thinking" in lower and not asked & {*_THINK, "thinkingConfig"}:
            config = fields.get("generationConfig", {})
            if not config.pop("thinkingConfig", None):
                return None
        elif "developer instruction is not enabled" in lower and "systemInstruction" in fields:
            first = fields["contents"][0]
            first["parts"] = [*fields.pop("systemInstruction")["parts"], *first["parts"]]
        elif "end with a user" in lower and fields["contents"][-1]["role"] == "model":
            fields["contents"].append({"role": "user", "parts": [{"text": dialect.GO_ON}]})
        else:
            return None
        return request._replace(body=dialect.body(fields))

    def models_request(self, settings: ProviderSettings, page: str = "") -> HttpRequest | None:
        """A page of the list."""
        from urllib.parse import quote

        query = f"pageSize={PAGE}" + (f"&pageToken={quote(page, safe='')}" if page else "")
        url = _with_query(dialect.endpoint(settings, "/models"), query)
        return HttpRequest(url, _headers(settings, "application/json"), b"", "GET")

    def models(self, payload: Any) -> tuple[Sequence[ModelInfo], str]:
        """``{"models": [{"name", ...}], "nextPageToken"}``: those that can chat."""
        listed = payload.get("models") if isinstance(payload, dict) else None
        if not isinstance(listed, list) and payload != {}:  # an empty list is left out
            raise BadReplyError("the service sent no list of models")
        found = [
            ModelInfo(
                text_in(one, "name").removeprefix("models/"),
                title=words(one.get("displayName"), 80),
                context=count(one.get("inputTokenLimit")),
                output=count(one.get("outputTokenLimit")),
            )
            for one in dicts(listed)
            if text_in(one, "name") and _chats(one)
        ]
        return found, text_in(payload, "nextPageToken")


def _chats(row: Mapping[str, Any]) -> bool:
    methods = row.get("supportedGenerationMethods")
    return not isinstance(methods, list) or "generateContent" in methods


def _path(model: str) -> str:
    """The model's place below the base URL: ``models/NAME``, or a full name such as a tuned one's.

    Quoted, so that a name can never lead to another path.
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
    if settings.key is not None:  # in a header, where it is never logged with the URL
        name = settings.quirks.key_header or "x-goog-api-key"
        own[name] = settings.key.reveal(settings.url)
    return dialect.headers(settings, own)


def version_of(model: str) -> tuple[int, int]:
    """The generation in a model's name: (2, 5) for ``gemini-2.5-flash``; (0, 0) for others."""
    found = re.search(r"gemini-(\d{1,2})(?:\.(\d{1,2}))?(?!\d)", model)
    return (int(found[1]), int(found[2] or 0)) if found else (0, 0)


def _think(found: dict[str, Any], model: str) -> None:
    """The common ways to ask for reasoning, as ``thinkingConfig``.

    Models of the 2.5 series take a budget of tokens, later ones a level. Thoughts are asked for
    where a model has some by default; ``again`` takes that back where it is refused.
    """
    level = found.pop("reasoning_effort", None)
    asked = found.pop("think", None)
    asked = found.pop("thinking", asked)
    if isinstance(asked, str):
        level, asked = level or asked, None
    version = version_of(model)
    config: dict[str, Any] = {}
    if level is not None and level not in BUDGETS:
        raise UsageError(
            f"the option `reasoning_effort` cannot be `{level}`",
            hint=f"it is {', '.join(BUDGETS)}",
        )
    if isinstance(asked, bool) or asked is None:
        if level is not None and version >= (3, 0) and level in LEVELS:
            config["thinkingLevel"] = level
        elif level is not None:
            config["thinkingBudget"] = BUDGETS[level]
        elif asked is False:
            config["thinkingBudget"] = 0
        elif asked is True and version < (3, 0):
            config["thinkingBudget"] = -1  # as much as the model sees fit
    else:
        config["thinkingBudget"] = asked
    by_default = version >= (2, 5) and not re.search(r"lite|image|tts|live|audio", model)
    wanted = asked is not None or level is not None
    if (wanted or by_default) and config.get("thinkingBudget") != 0:
        config["includeThoughts"] = True
    own = found.get("thinkingConfig")
    if isinstance(own, dict):
        config |= own
    if config:
        found["thinkingConfig"] = config


def _contents(chat: ChatRequest) -> list[dict[str, Any]]:
    """The messages, neighbours of one role as one."""
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
        raise InputError("there are no messages to send")
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
            part["thoughtSignature"] = _NOT_SIGNED
        yield part


if TYPE_CHECKING:  # it keeps the contract
    _dialect: type[Dialect] = GeminiDialect
