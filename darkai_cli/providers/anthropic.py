"""The Anthropic dialect: what is asked of the Messages API, and its list of models.

Not the reading of a reply: that is ``anthropic_reply``. The user's options are taken under their
common names and under the service's own; what the API demands and a user rarely says (a limit for
the reply, roles that alternate, no blank text) is filled in here.

Sources: platform.claude.com/docs and the types of the public Python SDK.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from darkai_cli.errors import (
    BadReplyError,
    InputError,
    ProviderError,
    UsageError,
)
from darkai_cli.messages import ChatRequest, Message
from darkai_cli.providers import dialect
from darkai_cli.providers.anthropic_reply import AnthropicDecoder, explain
from darkai_cli.providers.base import (
    Framing,
    Headers,
    HttpRequest,
    ModelInfo,
    ProviderSettings,
)
from darkai_cli.providers.dialect import count, dicts, text_in, words

if TYPE_CHECKING:
    from darkai_cli.providers.base import Dialect

VERSION = "2023-06-01"
"""The value of ``anthropic-version``: the API's only one so far."""

PAGE = 1000
"""Models on a page: the most that the service gives."""

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
"""Tokens to think with, where a model takes a budget and the user said how hard it shall try."""

SMALLEST_BUDGET = 1024


class AnthropicDialect:
    """The Messages API."""

    framing: Framing = "sse"

    def request(self, chat: ChatRequest, settings: ProviderSettings) -> HttpRequest:
        """The conversation as alternating messages, the system prompt beside it."""
        found = dialect.options(
            {**settings.options, **chat.options},
            renamed=_RENAMED,
            own=_OWN,
            reserved=_RESERVED,
            known=settings.quirks.strict,
            service=settings.name,
        )
        found.setdefault("max_tokens", most_tokens(chat.model))
        _think(found, chat.model)
        dialect.several(found, "stop_sequences")
        tools = [
            {"name": tool.name, "description": tool.description, "input_schema": tool.parameters}
            for tool in chat.tools
        ] + list(dicts(found.pop("tools", None)))
        system = dialect.system_of(chat.messages)
        fields: dict[str, Any] = {"model": chat.model}
        if system:
            fields["system"] = system
        fields["messages"] = _messages(chat.messages)
        if tools:
            fields["tools"] = tools
        return HttpRequest(
            dialect.endpoint(settings, "/messages"),
            _headers(settings, "text/event-stream"),
            dialect.body({**fields, **found, "stream": True}),
        )

    def decoder(self, settings: ProviderSettings) -> AnthropicDecoder:
        """A fresh decoder."""
        return AnthropicDecoder(settings)

    def error(
        self,
        status: int,
        headers: Headers,  # noqa: ARG002 -- the same for all dialects
        payload: Any,
        settings: ProviderSettings,
    ) -> ProviderError | None:
        """``{"type": "error", "error": {"type", "message"}}``."""
        fault = payload.get("error") if isinstance(payload, dict) else None
        if not isinstance(fault, dict):
            return None
        return explain(fault, settings, status)

    def again(
        self,
        request: HttpRequest,
        chat: ChatRequest,
        settings: ProviderSettings,
        told: str,
    ) -> HttpRequest | None:
        """Another way, where the request was right for other models but not for this one.

        A reply that is to be continued: since 4.6 models refuse to begin with it (a *prefill*) and
        are asked in words. darkai's own ``max_tokens``: the model's bound, in two wordings,
        ``max_tokens: 64000 > 8192, which is the maximum`` and ``input length and max_tokens exceed
        context limit: 188240 + 64000 > 200000``.
        """
        fields = json.loads(request.body)
        if "prefill" in told and fields["messages"][-1]["role"] == "assistant":
            fields["messages"].append({"role": "user", "content": dialect.GO_ON})
            return request._replace(body=dialect.body(fields))
        names = {_RENAMED.get(name, name) for name in (*settings.options, *chat.options)}
        if "max_tokens" in names or "max_tokens" not in told:
            return None
        asked = fields["max_tokens"]
        context = re.search(r"(\d{1,9}) \+ \d{1,9} > (\d{1,9})", told)
        if context:
            bound = int(context[2]) - int(context[1])
        else:
            numbers = (int(one) for one in re.findall(r"(?<![\w.-])\d{1,9}(?![\w.-])", told))
            bound = max((one for one in numbers if one < asked), default=0)
        if not 0 < bound < asked:
            return None
        return request._replace(body=dialect.body({**fields, "max_tokens": bound}))

    def models_request(self, settings: ProviderSettings, page: str = "") -> HttpRequest | None:
        """A page of the list, after the model ``page``."""
        from urllib.parse import quote

        url = dialect.endpoint(settings, "/models")
        url += f"{'&' if '?' in url else '?'}limit={PAGE}"
        if page:
            url += f"&after_id={quote(page, safe='')}"
        return HttpRequest(url, _headers(settings, "application/json"), b"", "GET")

    def models(self, payload: Any) -> tuple[Sequence[ModelInfo], str]:
        """``{"data": [{"id", ...}], "has_more", "last_id"}``."""
        listed = payload.get("data") if isinstance(payload, dict) else None
        if not isinstance(listed, list):
            raise BadReplyError("the service sent no list of models")
        found = [_model(one) for one in dicts(listed) if text_in(one, "id")]
        return found, text_in(payload, "last_id") if payload.get("has_more") is True else ""


def version_of(model: str) -> tuple[int, int] | None:
    """The generation in a model's name: (4, 5) for ``claude-sonnet-4-5``; None for foreign ones.

    Older names have it first (``claude-3-5-haiku-20241022``); a date is no part of it.
    """
    found = re.search(r"claude-(?:[a-z]+-)?(\d)(?:[-.](\d{1,2}))?(?!\d)", model)
    return (int(found[1]), int(found[2] or 0)) if found else None


def most_tokens(model: str) -> int:
    """The longest reply of a model: the API wants a number, and a small one would cut answers.

    By the service's table of models: 4096 for Claude 3, 8192 for 3.5, 64k since 3.7 (32k for
    Opus 4 and 4.1), 128k since 4.6. A bound that is too high is put right by ``again``.
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


def _think(found: dict[str, Any], model: str) -> None:
    """The common ways to ask for reasoning, in the form that the model's generation takes.

    Since 4.6 models decide themselves how long they think, and take an effort (``adaptive``);
    older ones take a budget of tokens. A table for ``thinking`` passes as it is.
    """
    level = found.pop("reasoning_effort", None)
    asked = found.pop("think", None)
    asked = found.pop("thinking", asked)
    if isinstance(asked, str):
        level, asked = level or asked, None
    if level is not None and level not in (*BUDGETS, "none"):
        raise UsageError(
            f"the option `reasoning_effort` cannot be `{level}`",
            hint=f"it is none, {', '.join(BUDGETS)}",
        )
    adaptive = (version_of(model) or (0, 0)) >= (4, 6)
    if level == "none":
        asked, level = False, None
    if isinstance(asked, Mapping):
        found["thinking"] = asked
    elif asked is False or asked == 0:
        found["thinking"] = {"type": "disabled"}
    elif isinstance(asked, int) and asked is not True:
        found["thinking"] = {"type": "enabled", "budget_tokens": asked}
    elif asked or level:
        found["thinking"] = (
            {"type": "adaptive", "display": "summarized"}  # else its text stays away since 4.7
            if adaptive
            else {"type": "enabled", "budget_tokens": _budget(level, found["max_tokens"])}
        )
    if adaptive and level:
        given = found.get("output_config")
        effort = "low" if level == "minimal" else level
        found["output_config"] = {**(given if isinstance(given, dict) else {}), "effort": effort}


def _budget(level: str | None, most: Any) -> int:
    """The budget of an effort; it must leave room for the answer."""
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
    """The messages, neighbours of one role as one; blank texts, which are refused, left out.

    A reply at the end is one to be continued: white space at its end is refused too.
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
        raise InputError("there are no messages to send")
    return [
        {
            "role": role,
            "content": blocks[0]["text"] if [one["type"] for one in blocks] == ["text"] else blocks,
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
    """A call's id in the letters that the service takes; other services use more."""
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
    """A date and time as seconds since the epoch; the epoch itself stands for an unknown one."""
    from datetime import datetime

    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
        return int(moment.timestamp()) or None if moment else None
    except (ValueError, OverflowError):
        return None


if TYPE_CHECKING:  # they keep the contracts
    _dialect: type[Dialect] = AnthropicDialect
