"""The dialect of OpenAI's chat completions, which many services speak: requests.

    data: {"choices":[{"index":0,"delta":{"content":"Hi"},"finish_reason":null}]}
    data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}
    data: {"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":2}}
    data: [DONE]

``openai_stream`` reads the reply, ``openai_errors`` explains errors, ``openai_models`` reads lists
of models; ``openai_responses`` is OpenAI's other format. Where the services differ, a field of
``Quirks`` or the shape of the data decides, never a name.

A conversation that ends with the assistant is a reply to be continued. Most servers of open models
continue it by themselves; ``Quirks.resume`` says what other services need: a field, or a request in
words.

Sources: OpenAI's openapi.yaml; the sources of vLLM, llama.cpp and Ollama; the public documentation
of the services.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from darkai_cli.errors import InputError, ProviderError
from darkai_cli.messages import ChatRequest, Image, Message, ToolSpec
from darkai_cli.providers.base import (
    Dialect,
    Fields,
    Framing,
    HttpRequest,
    ModelInfo,
    ProviderSettings,
)
from darkai_cli.providers.dialect import (
    CONTINUE_PROMPT,
    bearer,
    body,
    endpoint,
    headers,
    options,
)
from darkai_cli.providers.openai_stream import OpenAIDecoder

OWN = (
    "audio", "frequency_penalty", "function_call", "functions", "logit_bias", "logprobs",
    "max_completion_tokens", "max_tokens", "metadata", "modalities", "n", "parallel_tool_calls",
    "prediction", "presence_penalty", "prompt_cache_key", "prompt_cache_retention",
    "reasoning_effort", "response_format", "safety_identifier", "seed", "service_tier", "stop",
    "store", "stream_options", "temperature", "tool_choice", "tools", "top_logprobs", "top_p",
    "user", "verbosity", "web_search_options",
)  # fmt: skip
"""The options that OpenAI itself accepts, by its API description."""

_LIMITS = ("max_tokens", "max_completion_tokens")
_UNKNOWN_FIELD = (
    "unsupported", "not support", "unknown", "unrecognized", "unexpected", "extra", "not permitted",
)  # fmt: skip


class OpenAIErrorsAndModels(Dialect):
    """What OpenAI's two formats have in common: errors and the list of models."""

    framing: Framing = "sse"

    def error(self, status: int, payload: Any, settings: ProviderSettings) -> ProviderError | None:
        """Return the error if its body says more than its status."""
        from darkai_cli.providers import openai_errors

        return openai_errors.refusal(status, payload, settings)

    def models_request(self, settings: ProviderSettings, page: str = "") -> HttpRequest | None:  # noqa: ARG002
        """Return ``GET /models``, or the path that the quirks name."""
        from darkai_cli.providers import openai_models

        return openai_models.request(settings)

    def models(self, payload: Any) -> tuple[Sequence[ModelInfo], str]:
        """Return the models in the list of any of the services; none has pages."""
        from darkai_cli.providers import openai_models

        return openai_models.read(payload), ""


class OpenAIDialect(OpenAIErrorsAndModels):
    """The format of ``POST /chat/completions``."""

    def request(self, chat: ChatRequest, settings: ProviderSettings) -> HttpRequest:
        """Return the request for a streamed reply."""
        if not chat.messages:
            raise InputError("There are no messages to send")
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
            strict=quirks.strict,
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
            _add_resume(fields, quirks.resume)
        return posted(settings, "/chat/completions", {**fields, **chosen})

    def decoder(self, settings: ProviderSettings) -> OpenAIDecoder:
        """Return a new decoder."""
        return OpenAIDecoder(settings)

    def amend(self, fields: Fields, chosen: Sequence[str], message: str) -> Fields | None:  # noqa: ARG002
        """Return the fields without ``stream_options``, or with the other name of the limit.

        Options that the user set are never dropped.
        """
        message = message.lower()
        changed = False
        if "stream_options" in fields and (
            "stream_options" in message or "include_usage" in message
        ):
            del fields["stream_options"]
            changed = True
        if any(word in message for word in _UNKNOWN_FIELD):
            changed = _rename_limit(fields, message) or changed
        return fields if changed else None


def posted(settings: ProviderSettings, path: str, fields: dict[str, Any]) -> HttpRequest:
    """Return the request that posts ``fields`` and accepts a stream."""
    return HttpRequest(
        endpoint(settings, path),
        headers(settings, {"accept": "text/event-stream"}, bearer(settings)),
        body(fields),
    )


def add_tools(fields: dict[str, Any], tools: list[dict[str, Any]], chosen: dict[str, Any]) -> None:
    """Add the tools to the fields, then those that the user wrote as an option."""
    if tools:
        more = chosen.pop("tools", None)
        fields["tools"] = [*tools, *more] if isinstance(more, list) else tools


def messages_of(messages: Sequence[Message]) -> list[dict[str, Any]]:
    """Return the conversation as the service takes it.

    A tool's message takes text only, and nothing may stand between the outputs of several tools. So
    images in outputs follow in a message of the user's, after the last output.
    """
    rows: list[dict[str, Any]] = []
    late: list[Image] = []
    for message in messages:
        if message.role != "tool" and late:
            rows.append({"role": "user", "content": _parts("", late)})
            late = []
        if message.role == "tool":
            output = {"role": "tool", "tool_call_id": message.call_id, "content": message.content}
            rows.append(output)
            late += message.images
        elif message.calls:
            rows.append(_message_with_calls(message))
        elif message.images:
            rows.append({"role": message.role, "content": _parts(message.content, message.images)})
        else:
            rows.append({"role": message.role, "content": message.content})
    if late:
        rows.append({"role": "user", "content": _parts("", late)})
    return rows


def _parts(text: str, images: Sequence[Image]) -> list[dict[str, Any]]:
    parts: list[dict[str, Any]] = [
        {"type": "image_url", "image_url": {"url": data_url(image)}} for image in images
    ]
    return [*parts, {"type": "text", "text": text}] if text else parts


def data_url(image: Image) -> str:
    """Return the image as a ``data:`` URL."""
    return f"data:{image.media_type};base64,{image.base64}"


def _message_with_calls(message: Message) -> dict[str, Any]:
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


def _add_resume(fields: dict[str, Any], resume: str) -> None:
    """Make the service continue the last message, in one of the ways of ``Quirks.resume``."""
    if resume == "prefix":
        fields["messages"][-1]["prefix"] = True
    elif resume == "continue":
        fields.update(continue_final_message=True, add_generation_prompt=False)
    elif resume == "ask":
        fields["messages"].append({"role": "user", "content": CONTINUE_PROMPT})


def _rename_limit(fields: dict[str, Any], message: str) -> bool:
    """Rename the field that limits the length if it is the wrong one of two; whether it was."""
    for name, other in (_LIMITS, _LIMITS[::-1]):
        if name in fields and other not in fields and name in message:
            fields[other] = fields.pop(name)
            return True
    return False
