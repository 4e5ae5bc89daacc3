"""A streamed reply of OpenAI's chat completions, as all the services send it.

Not strict: what is missing, null, of another type or unknown is passed over, as long as it is not
taken for something else. An error is looked for before any content. The reply is complete if a
``finish_reason`` came, or ``[DONE]``, and no error; after the former it is read on for a moment,
because the count of tokens follows. Reasoning has four names, of which the first that is there
counts. Tool calls come in pieces and are given out whole, at the end.

Strategy for speed: nearly all chunks of a reply are the same text but for one string. So the first
of them is read as JSON, and remembered as what stands before and after that string (``_Shape``);
while the next ones match, only the string is read. OpenRouter writes each piece of reasoning twice
into a chunk; there the shape has the same string in two places. A shape is tried out before it is
used, so that the outcome is that of reading all of the JSON.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from json.decoder import scanstring  # type: ignore[attr-defined]  # what json reads strings with
from typing import Any

from darkai_cli.errors import (
    RefusedError,
    ServiceError,
)
from darkai_cli.events import (
    Citation,
    EndReason,
    Event,
    ReasoningChunk,
    TextChunk,
    Usage,
)
from darkai_cli.providers.base import Frame, ProviderSettings
from darkai_cli.providers.dialect import ReplyDecoder, count, dicts, parse, text_in, words
from darkai_cli.providers.openai_calls import Calls
from darkai_cli.providers.think_tags import Thinking

AFTER_FINISH = 1.0
"""Seconds to read on after ``finish_reason``: usage and ``[DONE]`` follow."""

_REASONS: dict[str, EndReason] = {
    "length": "length", "max_tokens": "length", "model_length": "length",
    "tool_calls": "tool-calls", "function_call": "tool-calls", "tool_use": "tool-calls",
    "content_filter": "filtered", "safety": "filtered", "recitation": "filtered",
}  # fmt: skip
"""What is not here is a good end: ``stop``, and what services invent."""

_FAILURES = {
    "error": "the model's own provider failed",
    "abort": "the service gave the answer up",
    "aborted": "the service gave the answer up",
    "insufficient_system_resource": "the service ran out of capacity",
}
_EXTRAS = frozenset({"citations", "search_results", "annotations", "x_groq", "timings"})
_PLAIN = frozenset({"content", "role", "refusal"})
_NEVER = "\n"  # in no data that is read: no shape is known
_ONCE = ("content", "reasoning_content", "reasoning")
_TWICE = ["reasoning", "reasoning_details"]
_PROBE = "?"
_PADDING = ',"obfuscation":"'
_MAX_TRIES = 8
_new = tuple.__new__  # half the price of TextChunk(...), with the same result


class OpenAIDecoder(ReplyDecoder):
    """One reply."""

    def __init__(self, settings: ProviderSettings) -> None:
        super().__init__(settings, "an OpenAI-compatible service")
        self._thinking = Thinking()
        self._calls = Calls()
        self._reason: EndReason | None = None
        self._refusal = ""
        self._usage: Usage | None = None
        self._cited: set[str] = set()
        # the shape of the usual chunk
        self._before = _NEVER
        self._at = 0
        self._behind: str | None = None
        self._padding = ""
        self._between = self._end_of_two = ""
        """What stands between the two places of a string that comes twice, and behind both."""
        self._cls: type[TextChunk | ReasoningChunk] = TextChunk
        self._kind = "text-chunk"
        self._hit = False
        self._tries = 0

    def feed(self, frame: Frame) -> Iterable[Event]:
        """The events of one frame."""
        name, data, _, _ = frame
        if data.startswith(self._before) and name == "message":
            try:
                text, end = scanstring(data, self._at, True)
            except ValueError:
                return self._read(name, data)
            rest = data[end:]
            if (
                rest == self._behind
                or (
                    self._padding
                    and rest.startswith(self._padding)
                    and rest.endswith('"}')
                    and rest[len(self._padding) : -2].isalnum()
                )
                or (
                    self._between
                    and rest == self._between + data[self._at : end] + self._end_of_two
                )
            ):
                self._hit = True
                return (_new(self._cls, (text, self._kind)),) if text else ()
        return self._read(name, data)

    def _read(self, name: str, data: str) -> Iterable[Event]:
        """The events of a frame that is not the usual one."""
        if not data or data.isspace():
            return ()
        if data.startswith("[DONE]"):
            self.ended = True
            return self._finish("stop") if self._reason is None else ()
        message = parse(data)
        if not isinstance(message, dict):
            self._no_object(message, name, data)
            return ()
        if message.get("error") or name == "error" or "choices" not in message:
            from darkai_cli.providers import openai_errors  # late: errors are rare

            fault = openai_errors.fault_in(message, bare=name == "error")
            if fault is not None or name == "error":
                raise openai_errors.in_stream(fault, self._settings)
        self._bad.readable()
        return self._plain(message, data) or self._message(message, data)

    def _no_object(self, value: object, name: str, data: str) -> None:
        """What is no object is an error, or cannot be read."""
        from darkai_cli.providers import openai_errors

        fault = openai_errors.fault_in(value)
        if fault is not None or name == "error":
            fault = fault or openai_errors.Fault(words(value) or words(data))
            raise openai_errors.in_stream(fault, self._settings)
        self._before = _NEVER  # so that the next good one is told to `_bad`
        self._bad.add()

    def _plain(self, message: dict[str, Any], data: str) -> tuple[TextChunk, ...]:
        """The text of a chunk with text and nothing else; () if it is another: a short way."""
        choices = message.get("choices")
        if (
            not isinstance(choices, list)
            or len(choices) != 1
            or not self._thinking.settled
            or message.get("usage")
            or not _EXTRAS.isdisjoint(message)
        ):
            return ()
        choice = choices[0]
        delta = choice.get("delta") if isinstance(choice, dict) else None
        if not isinstance(delta, dict) or not delta.keys() <= _PLAIN or choice.get("index", 0):
            return ()
        text = delta.get("content")
        if not isinstance(text, str) or not text or delta.get("refusal"):
            return ()
        if choice.get("finish_reason") or choice.get("usage"):
            return ()
        self._text = self._visible = True
        if self._tries < _MAX_TRIES:
            self._learn(delta, data)
        return (TextChunk(text),)

    def _message(self, message: dict[str, Any], data: str) -> list[Event]:
        events: list[Event] = []
        if not _EXTRAS.isdisjoint(message):
            events += self._sources(message)
        usage = message.get("usage")
        reason = None
        for choice in dicts(message.get("choices")):
            if choice.get("index") in (0, None):
                delta = choice.get("delta")
                if not isinstance(delta, dict):
                    delta = choice.get("message")  # a reply that is no stream
                if isinstance(delta, dict):
                    events += self._delta(delta)
                    if len(events) == 1:
                        self._learn(delta, data)
                reason = choice.get("finish_reason") or reason
                usage = usage or choice.get("usage")
        if isinstance(reason, str) and self._reason is None:
            events += self._finish(reason)
        if usage or not _EXTRAS.isdisjoint(message):
            events += self._counted(usage, message)
        return events

    def _delta(self, delta: dict[str, Any]) -> list[Event]:
        events: list[Event] = []
        reasoning = text_in(delta, "reasoning_content", "reasoning") or _details(delta)
        content = delta.get("content")
        if isinstance(content, list):  # Mistral's reasoning models
            thoughts, content = _parts(content)
            reasoning = reasoning or thoughts
        if reasoning:
            self._visible = True
            events.append(ReasoningChunk(reasoning))
        if isinstance(content, str) and content:
            events += self._told(self._thinking.feed(content))
        refusal = delta.get("refusal")
        if isinstance(refusal, str) and refusal:
            self._refusal += refusal
            self._text = self._visible = True
            events.append(TextChunk(refusal))
        if delta.get("annotations"):
            events += self._sources(delta)
        if delta.get("tool_calls") or delta.get("function_call"):
            self._calls.add(delta)
        return events

    def _told(self, chunks: Iterable[TextChunk | ReasoningChunk]) -> Iterator[Event]:
        for chunk in chunks:
            self._visible = True
            self._text = self._text or isinstance(chunk, TextChunk)
            yield chunk

    def _learn(self, delta: dict[str, Any], data: str) -> None:
        """Remember the shape of a chunk, if it differs from others only in one string."""
        if self._tries >= _MAX_TRIES or self._reason is not None:
            return
        filled = [name for name, value in delta.items() if value and name != "role"]
        twice = filled == _TWICE
        if not twice and (len(filled) != 1 or filled[0] not in _ONCE):
            return
        name = filled[0]
        if name == "content" and not self._thinking.settled:
            return
        self._tries = 0 if self._hit else self._tries + 1
        self._before, self._hit = _NEVER, False
        at = _string_at(data, name, 0)
        if at < 0:
            return
        _, end = scanstring(data, at, True)
        known = self._two(data, at, end) if twice else self._one(data, name, at, end)
        if known:
            self._before, self._at = data[:at], at
            self._cls = TextChunk if name == "content" else ReasoningChunk
            self._kind = "text-chunk" if name == "content" else "reasoning-chunk"

    def _one(self, data: str, name: str, at: int, end: int) -> bool:
        """Whether the string from ``at`` to ``end`` is all that tells the chunk from others."""
        behind = data[end:]
        padding, _, rest = behind.rpartition(_PADDING)
        padding = padding + _PADDING if rest[-2:] == '"}' and rest[:-2].isalnum() else ""
        self._behind, self._padding, self._between = behind, padding, ""
        probe = data[:at] + _PROBE + '"' + (f'{padding}{_PROBE}"}}' if padding else behind)

        def put(wanted: Any) -> None:
            wanted["choices"][0]["delta"][name] = _PROBE
            if padding:
                wanted["obfuscation"] = _PROBE

        return _same(probe, data, put)

    def _two(self, data: str, at: int, end: int) -> bool:
        """The same where the string comes again, behind the first."""
        again = _string_at(data, "text", end)
        if again < 0:
            return False
        last = again + end - at  # elsewhere if it is another string: then the probe fails
        self._behind, self._padding = None, ""
        self._between, self._end_of_two = data[end:again], data[last:]
        probe = f'{data[:at]}{_PROBE}"{self._between}{_PROBE}"{self._end_of_two}'

        def put(wanted: Any) -> None:
            delta = wanted["choices"][0]["delta"]
            delta["reasoning"] = delta["reasoning_details"][0]["text"] = _PROBE

        return _same(probe, data, put)

    def _finish(self, reason: str) -> list[Event]:
        """The answer is over; what belongs to it is given out."""
        self._before = _NEVER
        self.linger = AFTER_FINISH
        name = reason.lower()
        if name in _FAILURES:
            raise ServiceError(f"{self._host}: {_FAILURES[name]} (`{name}`)", retryable=True)
        self._reason = _REASONS.get(name, "stop")
        events = list(self._told(self._thinking.close()))
        for event in self._calls.whole(cut=self._reason in ("length", "filtered")):
            if event.type == "tool-call":
                self._visible = True
                if self._reason == "stop":  # some say so
                    self._reason = "tool-calls"
            events.append(event)
        return events

    def _counted(self, usage: object, message: dict[str, Any]) -> list[Event]:
        found = _usage(usage if isinstance(usage, dict) else {}, message)
        if found is None or found == self._usage:
            return []
        self._usage = found
        return [found]

    def _sources(self, where: dict[str, Any]) -> Iterator[Event]:
        """The sources that an answer names: Perplexity's lists, OpenAI's annotations."""
        for name in ("search_results", "annotations", "citations"):
            given = where.get(name)
            for one in given if isinstance(given, list) else ():
                source = {"url": one} if isinstance(one, str) else one
                if not isinstance(source, dict):
                    continue
                inner = source.get("url_citation")
                source = inner if isinstance(inner, dict) else source
                url = text_in(source, "url")
                if url and url not in self._cited:
                    self._cited.add(url)
                    self._visible = True
                    yield Citation(url, text_in(source, "title"))

    def close(self) -> Iterator[Event]:
        """The rest, and how the reply ended."""
        if self._bad.total and not self._visible and self._reason is None:
            raise self._bad.nothing()
        yield from self._told(self._thinking.close())
        yield from self._bad.notices()
        if self._reason is None:
            raise self._unfinished(begun=True)
        if self._refusal:
            raise RefusedError(f"the model refused: {words(self._refusal)}")
        yield from self._end(self._reason)


def _details(delta: dict[str, Any]) -> str:
    """The readable part of OpenRouter's ``reasoning_details``."""
    given = delta.get("reasoning_details")
    return "".join(text_in(one, "text", "summary") for one in dicts(given)) if given else ""


def _parts(content: list[Any]) -> tuple[str, str]:
    """Reasoning and text of a content that is a list of parts."""
    thoughts, text = [], []
    for part in dicts(content):
        inner = part.get("thinking")
        if isinstance(inner, str):
            thoughts.append(inner)
        thoughts += [text_in(one, "text") for one in dicts(inner)]
        text.append(text_in(part, "text"))
    return "".join(thoughts), "".join(text)


def _string_at(data: str, name: str, start: int) -> int:
    """Where the text of the field ``name`` begins, behind its quotation mark; -1 for no text."""
    mark = f'"{name}":'
    at = data.find(mark, start)
    if at < 0:
        return -1
    at += len(mark)
    at += data[at : at + 1] == " "
    return at + 1 if data[at : at + 1] == '"' else -1


def _same(probe: str, data: str, put: Callable[[Any], None]) -> bool:
    """Whether ``probe`` is the chunk ``data`` once ``put`` has put the probe into that."""
    seen, wanted = parse(probe), parse(data)
    try:
        put(wanted)
        return isinstance(seen, dict) and json.dumps(seen) == json.dumps(wanted)
    except (LookupError, TypeError, ValueError, RecursionError):
        return False


def _usage(usage: dict[str, Any], message: dict[str, Any]) -> Usage | None:
    """The counts of tokens, wherever they stand."""
    groq, timings = message.get("x_groq"), message.get("timings")
    if not usage and isinstance(groq, dict) and isinstance(groq.get("usage"), dict):
        usage = groq["usage"]
    if usage:
        given, made = usage.get("prompt_tokens_details"), usage.get("completion_tokens_details")
        cached = count(given.get("cached_tokens")) if isinstance(given, dict) else None
        found = Usage(
            count(usage.get("prompt_tokens")),
            count(usage.get("completion_tokens")),
            count(made.get("reasoning_tokens")) if isinstance(made, dict) else None,
            count(usage.get("prompt_cache_hit_tokens")) if cached is None else cached,
        )
        return found if found != Usage() else None
    if isinstance(timings, dict):  # llama.cpp, where it was not asked for usage
        new, cached = count(timings.get("prompt_n")), count(timings.get("cache_n"))
        output = count(timings.get("predicted_n"))
        if new is not None and output is not None:
            return Usage(new + (cached or 0), output, None, cached)
    return None
