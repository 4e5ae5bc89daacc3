"""Read a streamed reply of OpenAI's chat completions, as all the services send it.

Each chunk is read with ``json``. What is missing, null, of another type or unknown is passed over,
as long as it is not mistaken for something else. An error is looked for before any content. The
reply is complete if a ``finish_reason`` came, or ``[DONE]``, and no error; after a
``finish_reason`` reading goes on for a moment, because the token count follows. Reasoning has four
names, of which the first that is present counts. Tool calls come in pieces and are given out whole,
at the end.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from darkai_cli.errors import ProviderError, RefusedError, ServiceError
from darkai_cli.events import (
    EndReason,
    Event,
    Notice,
    ReasoningChunk,
    TextChunk,
    ToolCall,
    Usage,
)
from darkai_cli.providers.base import Frame, ProviderSettings
from darkai_cli.providers.dialect import ReplyDecoder, count, dicts, parse, text_in, words
from darkai_cli.providers.think_tags import ThinkTags

AFTER_FINISH = 1.0
"""Seconds to read on after ``finish_reason``: usage and ``[DONE]`` follow."""

MAX_CALLS = 128
"""Tool calls of one reply; the pieces of further ones are dropped."""

_EXTRAS = frozenset({"citations", "search_results", "annotations", "x_groq", "timings"})
"""Fields of a chunk that hold sources or token counts."""

_PLAIN = frozenset(
    {"content", "role", "refusal", "reasoning", "reasoning_content", "reasoning_details"}
)
"""Fields of a delta that holds text or reasoning and nothing else."""


class OpenAIDecoder(ReplyDecoder):
    """One reply."""

    def __init__(self, settings: ProviderSettings) -> None:
        super().__init__(settings, "an OpenAI-compatible service")
        self._tags = ThinkTags()
        self._calls = ToolCallPieces()
        self._reason: EndReason | None = None
        self._refusal = ""
        self._failure: ProviderError | None = None
        self._usage: Usage | None = None

    def feed(self, frame: Frame) -> Iterable[Event]:
        """Return the events of one frame. Raises ``ProviderError`` for an error in it."""
        name, data, _, _ = frame
        message = parse(data)
        if not isinstance(message, dict):
            return self._no_object(message, name, data)
        if message.get("error") or name == "error" or "choices" not in message:
            from darkai_cli.providers import openai_errors  # late: errors are rare

            fault = openai_errors.fault_in(message, bare=name == "error")
            if fault is not None or name == "error":
                raise openai_errors.in_stream(fault, self._settings)
        self._unreadable.reset()
        chunk = self._plain_chunk(message)
        return self._message(message) if chunk is None else (chunk,)

    def _no_object(self, value: object, name: str, data: str) -> Iterable[Event]:
        """Handle a frame that is no JSON object: blank, the end mark, an error, or unreadable."""
        if not data or data.isspace():
            return ()
        if data.startswith("[DONE]"):
            self.ended = True
            return self._finish("stop") if self._reason is None else ()
        from darkai_cli.providers import openai_errors

        fault = openai_errors.fault_in(value)
        if fault is not None or name == "error":
            fault = fault or openai_errors.Fault(words(value) or words(data))
            raise openai_errors.in_stream(fault, self._settings)
        self._unreadable.add()
        return ()

    def _plain_chunk(self, message: dict[str, Any]) -> TextChunk | ReasoningChunk | None:
        """Return the chunk of a message that holds text or reasoning and nothing else, else None.

        Nearly all messages are like that; benchmarks/openai.py measures what this saves.
        """
        choices = message.get("choices")
        if not isinstance(choices, list) or len(choices) != 1:
            return None
        choice = choices[0]
        if not isinstance(choice, dict) or choice.get("index", 0) or choice.get("finish_reason"):
            return None
        delta = choice.get("delta")
        if not isinstance(delta, dict) or not delta.keys() <= _PLAIN or delta.get("refusal"):
            return None
        if (
            message.get("usage")
            or choice.get("usage")
            or choice.get("error")
            or not _EXTRAS.isdisjoint(message)
        ):
            return None
        text = delta.get("content")
        reasoning = delta.get("reasoning_content") or delta.get("reasoning")
        if reasoning or delta.get("reasoning_details"):
            if text or not isinstance(reasoning, str):
                return None
            self._visible = True
            return ReasoningChunk(reasoning)
        if not text or not isinstance(text, str) or not self._tags.passed:
            return None
        self._text = self._visible = True
        return TextChunk(text)

    def _message(self, message: dict[str, Any]) -> list[Event]:
        """Return the events of any chunk."""
        events: list[Event] = []
        if not _EXTRAS.isdisjoint(message):
            events += self._sources(message)
        usage = message.get("usage")
        reason = None
        extra = message.get("x_groq")
        fault = extra.get("error") if isinstance(extra, dict) else None
        for choice in dicts(message.get("choices")):
            if choice.get("index") in (0, None):
                delta = choice.get("delta")
                if not isinstance(delta, dict):
                    delta = choice.get("message")  # a reply that is no stream
                if isinstance(delta, dict):
                    events += self._delta(delta)
                reason = choice.get("finish_reason") or reason
                usage = usage or choice.get("usage")
                fault = fault or choice.get("error")
        if fault:
            from darkai_cli.providers import openai_errors

            cause = openai_errors.fault_in({"error": fault})
            return events + self._fail(openai_errors.in_stream(cause, self._settings))
        if isinstance(reason, str) and self._reason is None:
            events += self._finish(reason)
        if usage or not _EXTRAS.isdisjoint(message):
            events += self._new_usage(usage, message)
        return events

    def _delta(self, delta: dict[str, Any]) -> list[Event]:
        events: list[Event] = []
        reasoning = text_in(delta, "reasoning_content", "reasoning") or _details(delta)
        content = delta.get("content")
        if isinstance(content, list):  # Mistral's reasoning models
            thoughts, content = _parts(content)
            reasoning = reasoning or thoughts
        events += self._reasoning_chunk(reasoning)
        if isinstance(content, str) and content:
            events += self._noted(self._tags.feed(content))
        refusal = delta.get("refusal")
        if isinstance(refusal, str):
            self._refusal += refusal
            events += self._text_chunk(refusal)
        if delta.get("annotations"):
            events += self._sources(delta)
        if delta.get("tool_calls") or delta.get("function_call"):
            self._calls.add(delta)
        return events

    def _noted(self, chunks: Iterable[TextChunk | ReasoningChunk]) -> Iterator[Event]:
        """Yield the chunks, and remember that there were some."""
        for chunk in chunks:
            self._visible = True
            self._text = self._text or isinstance(chunk, TextChunk)
            yield chunk

    def _finish(self, reason: str) -> list[Event]:
        """Return what belongs to the end of the answer; a bad end is raised by ``close``."""
        self.drain_seconds = AFTER_FINISH
        try:
            self._reason = self._end_reason(reason)
        except ServiceError as error:
            return self._fail(error)
        events = list(self._noted(self._tags.close()))
        for event in self._calls.whole(cut=self._reason in ("length", "filtered")):
            if event.type == "tool-call":
                self._visible = True
                if self._reason == "stop":  # some services say so
                    self._reason = "tool-calls"
            events.append(event)
        return events

    def _fail(self, error: ProviderError) -> list[Event]:
        """End the reply; ``close`` raises the error, after the text of this chunk."""
        self._failure, self.ended = error, True
        return []

    def _new_usage(self, usage: object, message: dict[str, Any]) -> list[Event]:
        """Return the token count if it differs from the one before."""
        counts = _usage(usage if isinstance(usage, dict) else {}, message)
        if counts is None or counts == self._usage:
            return []
        self._usage = counts
        return [counts]

    def _sources(self, holder: dict[str, Any]) -> Iterator[Event]:
        """Yield the sources that an answer names: Perplexity's lists, OpenAI's annotations."""
        for name in ("search_results", "annotations", "citations"):
            rows = holder.get(name)
            for row in rows if isinstance(rows, list) else ():
                source = {"url": row} if isinstance(row, str) else row
                if not isinstance(source, dict):
                    continue
                inner = source.get("url_citation")
                source = inner if isinstance(inner, dict) else source
                yield from self._citation(source)

    def close(self) -> Iterator[Event]:
        """Yield the last events. Raises ``ProviderError`` if the reply is not complete."""
        if self._failure is not None:
            raise self._failure
        if self._unreadable.total and not self._visible and self._reason is None:
            raise self._unreadable.error()
        yield from self._noted(self._tags.close())
        yield from self._unreadable.notices()
        if self._reason is None:
            raise self._incomplete(started=True)
        if self._refusal:
            raise RefusedError(f"The model refused: {words(self._refusal)}")
        yield from self._end(self._reason)


def _details(delta: dict[str, Any]) -> str:
    """Return the readable part of OpenRouter's ``reasoning_details``."""
    rows = delta.get("reasoning_details")
    return "".join(text_in(row, "text", "summary") for row in dicts(rows)) if rows else ""


def _parts(content: list[Any]) -> tuple[str, str]:
    """Return reasoning and text of a content that is a list of parts."""
    thoughts, text = [], []
    for part in dicts(content):
        inner = part.get("thinking")
        if isinstance(inner, str):
            thoughts.append(inner)
        thoughts += [text_in(thought, "text") for thought in dicts(inner)]
        text.append(text_in(part, "text"))
    return "".join(thoughts), "".join(text)


def _usage(usage: dict[str, Any], message: dict[str, Any]) -> Usage | None:
    """Return the token counts of a chunk, wherever they stand; None if it has none."""
    groq, timings = message.get("x_groq"), message.get("timings")
    if not usage and isinstance(groq, dict) and isinstance(groq.get("usage"), dict):
        usage = groq["usage"]
    if usage:
        prompt, reply = usage.get("prompt_tokens_details"), usage.get("completion_tokens_details")
        cached = count(prompt.get("cached_tokens")) if isinstance(prompt, dict) else None
        counts = Usage(
            count(usage.get("prompt_tokens")),
            count(usage.get("completion_tokens")),
            count(reply.get("reasoning_tokens")) if isinstance(reply, dict) else None,
            count(usage.get("prompt_cache_hit_tokens")) if cached is None else cached,
        )
        return counts if counts != Usage() else None
    if isinstance(timings, dict):  # llama.cpp, where it was not asked for usage
        new, cached = count(timings.get("prompt_n")), count(timings.get("cache_n"))
        output = count(timings.get("predicted_n"))
        if new is not None and output is not None:
            return Usage(new + (cached or 0), output, None, cached)
    return None


class _CallPieces:
    """One tool call, as far as it has come."""

    def __init__(self, identifier: str, name: str) -> None:
        self.id = identifier
        self.name = name
        self.pieces: list[str] = []


class ToolCallPieces:
    """Puts the tool calls of one reply together.

    The pieces of several calls may come in turn, by ``index``; but some services leave the index
    out, give all calls the same index, repeat name and id in each piece, or send a call whole with
    an object for its arguments. The arguments are not checked: a model may write what is no JSON,
    and whoever runs the tool says so to the model.
    """

    def __init__(self) -> None:
        self._calls: list[_CallPieces] = []
        self._by_index: dict[object, _CallPieces] = {}
        self._done = False

    def add(self, delta: dict[str, Any]) -> None:
        """Take in the pieces of one delta."""
        for piece in dicts(delta.get("tool_calls")):
            function = piece.get("function")
            self._add_piece(piece, function if isinstance(function, dict) else {})
        old = delta.get("function_call")
        if isinstance(old, dict):  # before there were tools: one call, without an id
            self._add_piece({"index": -1}, old)

    def _add_piece(self, piece: dict[str, Any], function: dict[str, Any]) -> None:
        identifier, name = text_in(piece, "id"), text_in(function, "name")
        arguments = function.get("arguments")
        if isinstance(arguments, dict):
            arguments = json.dumps(arguments, ensure_ascii=False)
        elif not isinstance(arguments, str):
            arguments = ""
        if not (identifier or name or arguments):
            return
        call = self._call_of(piece.get("index"), identifier, name)
        if call is not None:
            call.id = call.id or identifier
            call.name = call.name or name
            call.pieces.append(arguments)

    def _call_of(self, index: object, identifier: str, name: str) -> _CallPieces | None:
        """Return the call that a piece belongs to, perhaps a new one; None beyond ``MAX_CALLS``."""
        if isinstance(index, int):
            known = self._by_index.get(index)
            # Some services give all calls the index 0: another id then means another call.
            other = known is not None and identifier and name and known.id not in ("", identifier)
            if known is not None and not other:
                return known
        elif identifier:
            for call in self._calls:
                if call.id == identifier:
                    return call
        elif self._calls and not name:
            return self._calls[-1]
        if len(self._calls) >= MAX_CALLS:
            return None
        call = _CallPieces(identifier, name)
        self._calls.append(call)
        if isinstance(index, int):
            self._by_index[index] = call
        return call

    def whole(self, *, cut: bool) -> Iterator[ToolCall | Notice]:
        """Yield each call, the first time this is asked for.

        ``cut``: the reply was stopped, so that the last call may lack its end; such a call is left
        out with a notice.
        """
        if self._done:
            return
        self._done = True
        for number, call in enumerate(self._calls):
            arguments = "".join(call.pieces)
            if not arguments.strip():
                arguments = "{}"
            if not call.name or (cut and parse(arguments) is None):
                call_text = (
                    f"call of the tool `{words(call.name, 60)}`" if call.name else "tool call"
                )
                yield Notice("warning", f"Left out a {call_text} that was cut off")
                continue
            yield ToolCall(call.id or f"call_{number}", call.name, arguments)
