"""The dialect of OpenAI's Responses API, which some of its models require and other servers copy.

    event: response.output_text.delta
    data: {"type":"response.output_text.delta","output_index":0,"content_index":0,"delta":"Hey"}

    event: response.completed
    data: {"type":"response.completed","response":{"status":"completed","usage":{...}}}

The event's type is read from the JSON. The end is one of the events ``response.completed``,
``.incomplete`` and ``.failed``; a stream without it was cut off. Text in ``*.done`` events is used
only if no pieces of it came. Nothing is stored at the service: ``store`` is false unless the user
sets it, and the whole conversation is sent.

Source: OpenAI's openapi.yaml.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from darkai_cli.errors import (
    InputError,
    RefusedError,
    ServiceError,
)
from darkai_cli.events import (
    EndReason,
    Event,
    ReasoningChunk,
    TextChunk,
    ToolCall,
    Usage,
)
from darkai_cli.messages import ChatRequest, Image, Message, ToolSpec
from darkai_cli.providers import openai_errors
from darkai_cli.providers.base import (
    Fields,
    Frame,
    HttpRequest,
    ProviderSettings,
)
from darkai_cli.providers.dialect import (
    CONTINUE_PROMPT,
    ReplyDecoder,
    count,
    dicts,
    options,
    parse,
    system_prompt,
    text_in,
    words,
)
from darkai_cli.providers.openai import OpenAIErrorsAndModels, add_tools, data_url, posted

OWN = (
    "include", "max_output_tokens", "max_tool_calls", "metadata",
    "parallel_tool_calls", "previous_response_id", "prompt_cache_key", "prompt_cache_retention",
    "reasoning", "reasoning_effort", "safety_identifier", "service_tier", "store", "stream_options",
    "temperature", "text", "tool_choice", "tools", "top_logprobs", "top_p", "truncation", "user",
    "verbosity",
)  # fmt: skip
"""The options that OpenAI accepts, by its API description, and the two of ``_NESTED``."""

_NESTED = {"reasoning_effort": ("reasoning", "effort"), "verbosity": ("text", "verbosity")}

_FINAL_EVENTS = frozenset(
    {"response.completed", "response.incomplete", "response.failed", "response.cancelled"}
)
_REASONING_EVENTS = frozenset(
    {"response.reasoning_text.delta", "response.reasoning_summary_text.delta"}
)


class ResponsesDialect(OpenAIErrorsAndModels):
    """The format of ``POST /responses``."""

    def request(self, chat: ChatRequest, settings: ProviderSettings) -> HttpRequest:
        """Return the request for a streamed reply."""
        if not chat.messages:
            raise InputError("There are no messages to send")
        chosen = options(
            {**settings.options, **chat.options},
            renamed={
                "max_tokens": "max_output_tokens",
                "max_completion_tokens": "max_output_tokens",
                "num_predict": "max_output_tokens",
            },
            own=OWN,
            reserved=("model", "input", "stream", "background", "instructions"),
            strict=settings.quirks.strict,
            service=f"{settings.name} (Responses)",
        )
        for name, (outer, inner) in _NESTED.items():
            if name in chosen:
                table = chosen.get(outer)
                chosen[outer] = {
                    **(table if isinstance(table, dict) else {}),
                    inner: chosen.pop(name),
                }
        instructions = system_prompt(chat.messages)
        fields: dict[str, Any] = {
            "model": chat.model,
            "input": input_of(chat.messages),
            "stream": True,
            "store": False,
        }
        if instructions:
            fields["instructions"] = instructions
        add_tools(fields, [_tool(tool) for tool in chat.tools], chosen)
        if chat.messages[-1].role == "assistant":  # the service does not continue it by itself
            fields["input"].append({"role": "user", "content": CONTINUE_PROMPT})
        return posted(settings, "/responses", {**fields, **chosen})

    def decoder(self, settings: ProviderSettings) -> ResponsesDecoder:
        """Return a new decoder."""
        return ResponsesDecoder(settings)

    def amend(self, fields: Fields, chosen: Sequence[str], message: str) -> Fields | None:  # noqa: ARG002
        """Return the fields without ``store``, which servers that copy the API may not know."""
        if fields.get("store") is not False or "store" not in message.lower():
            return None
        del fields["store"]
        return fields


def input_of(messages: Sequence[Message]) -> list[dict[str, Any]]:
    """Return the conversation as the service takes it, without the system prompt."""
    items: list[dict[str, Any]] = []
    for message in messages:
        if message.role == "system":
            continue
        if message.role == "tool":
            output: Any = message.content
            if message.images:
                output = _parts(message.content, message.images)
            items.append(
                {"type": "function_call_output", "call_id": message.call_id, "output": output}
            )
            continue
        if message.images:
            content = _parts(message.content, message.images)
            items.append({"role": message.role, "content": content})
        elif message.content or not message.calls:
            # llama.cpp does not know a reply of its own without a type
            kind = {"type": "message"} if message.role == "assistant" else {}
            items.append({**kind, "role": message.role, "content": message.content})
        items += [
            {
                "type": "function_call",
                "call_id": call.id,
                "name": call.name,
                "arguments": call.arguments,
            }
            for call in message.calls
        ]
    return items


def _parts(text: str, images: Sequence[Image]) -> list[dict[str, Any]]:
    parts = [{"type": "input_image", "image_url": data_url(image)} for image in images]
    return [*parts, {"type": "input_text", "text": text}] if text else parts


def _tool(tool: ToolSpec) -> dict[str, Any]:
    return {
        "type": "function",
        "name": tool.name,
        "description": tool.description,
        "parameters": dict(tool.parameters),
        "strict": False,  # else the schema would have to follow rules of its own
    }


class ResponsesDecoder(ReplyDecoder):
    """One reply."""

    def __init__(self, settings: ProviderSettings) -> None:
        super().__init__(settings, "a service with OpenAI's Responses API")
        self._reason: EndReason | None = None
        self._text_source = ""
        """The place that the text was taken from: it comes in pieces, and again in three others."""
        self._reasoned = False
        self._call_ids: set[str] = set()
        self._refusal = ""

    def feed(self, frame: Frame) -> Iterable[Event]:
        """Return the events of one frame. Raises ``ProviderError`` for an error in it."""
        name, data, _, _ = frame
        message = parse(data)
        if not isinstance(message, dict):
            self._no_object(name, data)
            return ()
        self._unreadable.reset()
        kind = message.get("type") or name
        if kind == "response.output_text.delta" and "error" not in message:  # the hot one
            text = message.get("delta")
            if isinstance(text, str) and text:
                self._text = self._visible = True
                self._text_source = "delta"
                return (TextChunk(text),)
            return ()
        return self._rare_event(message, kind, name)

    def _no_object(self, name: str, data: str) -> None:
        """Handle what is no object: blank, an end mark, an error, or unreadable."""
        if not data or data.isspace():
            return
        if data.startswith("[DONE]"):
            self.ended = self._reason is not None
        elif name == "error":
            raise openai_errors.in_stream(openai_errors.Fault(words(data)), self._settings)
        else:
            self._unreadable.add()

    def _rare_event(self, message: dict[str, Any], kind: object, name: str) -> Iterator[Event]:
        if name == "error" or kind == "error" or message.get("error"):
            fault = openai_errors.fault_in(message, bare=message.get("object") != "response")
            raise openai_errors.in_stream(fault, self._settings)
        if message.get("object") == "response":  # a reply that is no stream
            message, kind = {"response": message}, f"response.{message.get('status')}"
        if not isinstance(kind, str):
            return
        if kind in _REASONING_EVENTS:
            text = text_in(message, "delta")
            if text:
                self._visible = self._reasoned = True
                yield ReasoningChunk(text)
        elif kind == "response.reasoning_summary_part.added" and self._reasoned:
            yield ReasoningChunk("\n\n")  # they are paragraphs
        elif kind == "response.refusal.delta":
            self._text_source = "delta"
            yield from self._refused(text_in(message, "delta"))
        elif kind in ("response.output_text.done", "response.refusal.done"):
            yield from self._part(message, "done")
        elif kind == "response.output_text.annotation.added":
            yield from self._citation(message.get("annotation"))
        elif kind == "response.output_item.done":
            yield from self._item(message.get("item"), "item")
        elif kind in _FINAL_EVENTS:
            response = message.get("response")
            yield from self._final_response(response if isinstance(response, dict) else {}, kind)

    def _refused(self, text: str) -> Iterator[Event]:
        self._refusal += text
        yield from self._text_chunk(text)

    def _part(self, part: dict[str, Any], place: str) -> Iterator[Event]:
        """Yield a part's text, if it did not come from another place, and its sources."""
        text, refused = text_in(part, "text"), text_in(part, "refusal")
        if self._text_source in ("", place) and (text or refused):
            self._text_source = place
            yield from self._text_chunk(text)
            yield from self._refused(refused)
        for annotation in dicts(part.get("annotations")):
            yield from self._citation(annotation)

    def _item(self, item: object, place: str) -> Iterator[Event]:
        """Yield what of a complete item has not been given out yet."""
        if not isinstance(item, dict):
            return
        kind = item.get("type")
        if kind == "function_call":
            identifier = text_in(item, "call_id", "id")
            name = text_in(item, "name")
            if name and identifier not in self._call_ids:
                self._call_ids.add(identifier)
                self._visible = True
                arguments = text_in(item, "arguments").strip() or "{}"
                yield ToolCall(identifier or f"call_{len(self._call_ids)}", name, arguments)
        elif kind == "message":
            for part in dicts(item.get("content")):
                yield from self._part(part, place)

    def _final_response(self, response: dict[str, Any], kind: object) -> Iterator[Event]:
        """Read the last event; what it repeats is used if it did not come before."""
        if kind == "response.failed":
            raise openai_errors.in_stream(openai_errors.fault_in(response), self._settings)
        if kind == "response.cancelled":
            raise ServiceError(f"{self._host} aborted the reply")
        status = response.get("status")
        details = response.get("incomplete_details")
        why = text_in(details, "reason") if isinstance(details, dict) else ""
        cut = status == "incomplete" or bool(why)
        for item in dicts(response.get("output")):
            if not cut or item.get("type") == "message" or item.get("status") == "completed":
                yield from self._item(item, "end")
        usage = response.get("usage")
        if isinstance(usage, dict):
            yield from _usage(usage)
        self._reason = self._end_reason(why or "length") if cut else "stop"
        if cut and self._reason == "stop":  # an unknown reason
            self._reason = "length"
        if self._call_ids and self._reason == "stop":
            self._reason = "tool-calls"
        self.ended = True

    def close(self) -> Iterator[Event]:
        """Yield the last events. Raises ``ProviderError`` if the reply is not complete."""
        if self._unreadable.total and not self._visible and self._reason is None:
            raise self._unreadable.error()
        yield from self._unreadable.notices()
        if self._reason is None:
            raise self._incomplete(started=True)
        if self._refusal:
            raise RefusedError(f"The model refused: {words(self._refusal)}")
        yield from self._end(self._reason)


def _usage(usage: dict[str, Any]) -> Iterator[Usage]:
    prompt, reply = usage.get("input_tokens_details"), usage.get("output_tokens_details")
    counts = Usage(
        count(usage.get("input_tokens")),
        count(usage.get("output_tokens")),
        count(reply.get("reasoning_tokens")) if isinstance(reply, dict) else None,
        count(prompt.get("cached_tokens")) if isinstance(prompt, dict) else None,
    )
    if counts != Usage():
        yield counts
