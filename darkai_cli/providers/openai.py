"""The dialect of OpenAI's chat completions, and of the many services that speak it.

    data: {"choices":[{"index":0,"delta":{"content":"Hi"},"finish_reason":null}]}
    data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}
    data: {"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":2}}
    data: [DONE]

This file has the request, and what ``responses``, the other format of OpenAI's, shares with it;
``openai_stream`` reads the reply, ``openai_faults`` explains errors, ``openai_models`` reads lists
of models. Where the services differ, a field of ``Quirks`` or the shape of the data decides, never
a name. Sources: OpenAI's openapi.yaml; the servers' sources of vLLM, llama.cpp, Ollama; the public
documentation of the services.

A conversation that ends with the assistant is a reply to be continued. Most servers of open models
go on with it by themselves; ``Quirks.resume`` says what else a service wants to be told: a field,
or, where there is no such thing, the request in words.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from darkai_cli.errors import InputError, ProviderError
from darkai_cli.messages import ChatRequest, Image, Message, ToolSpec
from darkai_cli.providers.base import (
    Framing,
    Headers,
    HttpRequest,
    ModelInfo,
    ProviderSettings,
)
from darkai_cli.providers.dialect import GO_ON, bearer, body, endpoint, headers, options, parse
from darkai_cli.providers.openai_stream import OpenAIDecoder

if TYPE_CHECKING:
    from darkai_cli.providers.base import Decoder, Dialect

OWN = (
    "audio", "frequency_penalty", "function_call", "functions", "logit_bias", "logprobs",
    "max_completion_tokens", "max_tokens", "metadata", "modalities", "n", "parallel_tool_calls",
    "prediction", "presence_penalty", "prompt_cache_key", "prompt_cache_retention",
    "reasoning_effort", "response_format", "safety_identifier", "seed", "service_tier", "stop",
    "store", "stream_options", "temperature", "tool_choice", "tools", "top_logprobs", "top_p",
    "user", "verbosity", "web_search_options",
)  # fmt: skip
"""The options of OpenAI itself, by its API description."""

_LIMITS = ("max_tokens", "max_completion_tokens")
_UNKNOWN = (
    "unsupported", "not support", "unknown", "unrecognized", "unexpected", "extra", "not permitted",
)  # fmt: skip


class Compatible:
    """What OpenAI's two formats have alike: how errors and the list of models look."""

    framing: Framing = "sse"

    def error(
        self,
        status: int,
        headers: Headers,  # noqa: ARG002 -- the same for all dialects
        payload: Any,
        settings: ProviderSettings,
    ) -> ProviderError | None:
        """What an error says beyond its status."""
        from darkai_cli.providers import openai_errors

        return openai_errors.refusal(status, payload, settings)

    def models_request(self, settings: ProviderSettings, page: str = "") -> HttpRequest | None:  # noqa: ARG002
        """``GET /models``, or where else the service has its list."""
        from darkai_cli.providers import openai_models

        return openai_models.request(settings)

    def models(self, payload: Any) -> tuple[Sequence[ModelInfo], str]:
        """The models in any of the services' lists, which have no pages."""
        from darkai_cli.providers import openai_models

        return openai_models.read(payload), ""


class OpenAIDialect(Compatible):
    """The format of ``POST /chat/completions``."""

    def request(self, chat: ChatRequest, settings: ProviderSettings) -> HttpRequest:
        """The request for a streamed reply."""
        if not chat.messages:
            raise InputError("there are no messages to send")
        quirks = settings.quirks
        limit = quirks.limit or "max_tokens"
        chosen = options(
            {**settings.options, **chat.options},
            renamed={
                "max_tokens": limit,
                "max_output_tokens": limit,
                "num_predict": limit,
                "stop_sequences": "stop",
            },
            own=OWN,
            reserved=("model", "messages", "stream"),
            known=quirks.strict,
            service=settings.name,
        )
        fields: dict[str, Any] = {
            "model": chat.model,
            "messages": messages_of(chat.messages),
            "stream": True,
        }
        if quirks.usage:
            fields["stream_options"] = {"include_usage": True}
        add_tools(fields, [_tool(tool) for tool in chat.tools], chosen)
        if chat.messages[-1].role == "assistant":
            _resume(fields, quirks.resume)
        return posted(settings, "/chat/completions", {**fields, **chosen})

    def decoder(self, settings: ProviderSettings) -> OpenAIDecoder:
        """A fresh decoder."""
        return OpenAIDecoder(settings)

    def amend(
        self,
        request: HttpRequest,
        chat: ChatRequest,  # noqa: ARG002
        settings: ProviderSettings,  # noqa: ARG002
        told: str,
    ) -> HttpRequest | None:
        """The request without ``stream_options``, or with the other name of the length's limit.

        Nothing else that the user asked for is dropped: it would not be what they asked for.
        """
        fields = parse(request.body.decode())
        told = told.lower()
        changed = False
        if "stream_options" in fields and ("stream_options" in told or "include_usage" in told):
            del fields["stream_options"]
            changed = True
        if any(word in told for word in _UNKNOWN):
            changed = _other_limit(fields, told) or changed
        return request._replace(body=body(fields)) if changed else None


def posted(settings: ProviderSettings, path: str, fields: dict[str, Any]) -> HttpRequest:
    """The request that posts ``fields`` and wants a stream."""
    return HttpRequest(
        endpoint(settings, path),
        headers(settings, {"accept": "text/event-stream"}, bearer(settings)),
        body(fields),
    )


def add_tools(fields: dict[str, Any], tools: list[dict[str, Any]], chosen: dict[str, Any]) -> None:
    """Put the tools among the fields, and behind them those that the user wrote as an option."""
    if tools:
        more = chosen.pop("tools", None)
        fields["tools"] = [*tools, *more] if isinstance(more, list) else tools


def messages_of(messages: Sequence[Message]) -> list[dict[str, Any]]:
    """The conversation as the service takes it.

    An image in a tool's output follows in a message of the user's, after the last of the outputs:
    a tool's own message takes text only, and nothing may stand between the outputs.
    """
    found: list[dict[str, Any]] = []
    late: list[Image] = []
    for message in messages:
        if message.role != "tool" and late:
            found.append({"role": "user", "content": _parts("", late)})
            late = []
        if message.role == "tool":
            output = {"role": "tool", "tool_call_id": message.call_id, "content": message.content}
            found.append(output)
            late += message.images
        elif message.calls:
            found.append(_calling(message))
        elif message.images:
            found.append({"role": message.role, "content": _parts(message.content, message.images)})
        else:
            found.append({"role": message.role, "content": message.content})
    if late:
        found.append({"role": "user", "content": _parts("", late)})
    return found


def _parts(text: str, images: Sequence[Image]) -> list[dict[str, Any]]:
    parts: list[dict[str, Any]] = [
        {"type": "image_url", "image_url": {"url": data_url(image)}} for image in images
    ]
    return [*parts, {"type": "text", "text": text}] if text else parts


def data_url(image: Image) -> str:
    """The image as a URL that holds it."""
    return f"data:{image.media_type};base64,{image.base64}"


def _calling(message: Message) -> dict[str, Any]:
    calls = [
        {
            "id": call.id,
            "type": "function",
            "function": {"name": call.name, "arguments": call.arguments},
        }
        for call in message.calls
    ]
    return {"role": "assistant", "content": message.content or None, "tool_calls": calls}


def _tool(tool: ToolSpec) -> dict[str, Any]:
    return {
        "type": "function",
        "function": {
            "name": tool.name,
            "description": tool.description,
            "parameters": dict(tool.parameters),
        },
    }


def _resume(fields: dict[str, Any], how: str) -> None:
    """Have the service go on with the last message."""
    if how == "prefix":
        fields["messages"][-1]["prefix"] = True
    elif how == "continue":
        fields.update(continue_final_message=True, add_generation_prompt=False)
    elif how == "ask":
        fields["messages"].append({"role": "user", "content": GO_ON})


def _other_limit(fields: dict[str, Any], told: str) -> bool:
    """Whether the field that limits the length was the wrong one of the two, and is now right."""
    for name, other in (_LIMITS, _LIMITS[::-1]):
        if name in fields and other not in fields and name in told:
            fields[other] = fields.pop(name)
            return True
    return False


if TYPE_CHECKING:  # they keep the contracts
    _dialect: type[Dialect] = OpenAIDialect
    _decoder: type[Decoder] = OpenAIDecoder
