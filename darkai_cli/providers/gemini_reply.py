"""What the Gemini API answers: a reply as server-sent events, or an error.

    data: {"candidates":[{"content":{"parts":[{"text":"Hi"}],"role":"model"},"index":0}]}

There is no end mark: a candidate's ``finishReason`` says that it is whole, and more events with
sources or counts may follow until the connection ends. An error comes as an event, or bare and
spread over lines in the midst of the events; the latter is no event, so the reader hands it to the
dialect's ``error``. Sources: ai.google.dev/api and the types of the public Python SDK.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from darkai_cli.errors import (
    AuthError,
    ProviderError,
    RateLimitError,
    RefusedError,
    ServiceError,
)
from darkai_cli.events import (
    Citation,
    EndReason,
    Event,
    Notice,
    ReasoningChunk,
    TextChunk,
    ToolCall,
    Usage,
)
from darkai_cli.providers import dialect
from darkai_cli.providers.base import Frame, ProviderSettings
from darkai_cli.providers.dialect import ReplyDecoder, count, dicts, text_in, words

if TYPE_CHECKING:
    from darkai_cli.providers.base import Decoder

AFTER_END = 2.0
"""Seconds to read on after the finish reason: sources and counts may follow."""

_KEY_REASONS = ("API_KEY_INVALID", "API_KEY_EXPIRED", "ACCESS_TOKEN_EXPIRED")
_FILTERED = frozenset(
    {"SAFETY", "RECITATION", "LANGUAGE", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "IMAGE_SAFETY",
     "IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION"}
)  # fmt: skip
_FAULTY = frozenset({"MALFORMED_FUNCTION_CALL", "MALFORMED_RESPONSE"})
"""Finish reasons of a reply that the model got wrong: the next try may be better."""

_PARTS = frozenset({"text", "functionCall", "thought", "thoughtSignature", "partMetadata"})


def explain(
    fault: Mapping[str, Any], settings: ProviderSettings, status: int
) -> ProviderError | None:
    """The error in the service's terms; None leaves a status to the usual explanation.

    A ``status`` of 200 is an error in place of the stream or in it: none is left then.
    """
    host = settings.host
    told = words(fault.get("message"))
    name = text_in(fault, "status")
    http = status if status != 200 else None
    code = http or count(fault.get("code")) or 0
    reasons = [text_in(one, "reason") for one in dicts(fault.get("details"))]
    lower = told.lower()
    if (
        code == 401
        or name == "UNAUTHENTICATED"
        or any(one in _KEY_REASONS for one in reasons)
        or ("api key" in lower and re.search(r"not valid|expired|invalid|leaked", lower))
        or "unregistered callers" in lower
    ):
        return dialect.rejected_key(settings, told, http)
    if "SERVICE_DISABLED" in reasons:
        return AuthError(
            f"{host}: not allowed: {told}",
            hint=f"allow it in that project, or take another's key: `darkai keys set "
            f"{settings.name}`",
            status=http,
        )
    if name == "PERMISSION_DENIED" or code == 403:
        return AuthError(f"{host}: not allowed: {told}", status=http)
    if (name == "RESOURCE_EXHAUSTED" or code == 429) and (fault.get("details") or http is None):
        return _limited(fault, told, host, http)
    if name == "NOT_FOUND" and "model" in lower:
        found = re.search(r"models/(\S{1,100}?)[.,]? (?:is|was) not found", told)
        return dialect.no_model(found[1] if found else "", settings, told, http)
    if name == "FAILED_PRECONDITION" and ("location" in lower or "billing" in lower):
        return AuthError(
            f"{host}: not allowed: {told}",
            hint="the service is not offered from here, or not without billing",
            status=http,
        )
    if code in (400, 422):
        return _invalid(told, host, http)
    if http is not None:
        return None
    more = f": {told or name}" if told or name else " reported an error without saying which"
    return ServiceError(f"{host}{more}", retryable=code >= 500)


def _invalid(told: str, host: str, status: int | None) -> ProviderError:
    """A request that the service does not take."""
    lower = told.lower()
    if "token count" in lower and "exceeds" in lower:
        return RefusedError(
            f"the conversation is too long for the model: {told}",
            hint="send less, or begin a new conversation",
            status=status,
        )
    hint = "is an option (`-o`) not right for this model?"
    if "end with a user" in lower:
        hint = 'ask for the rest instead: `darkai ask -c "go on where you stopped"`'
    return ServiceError(
        f"{host} rejected the request{f' ({status})' if status else ''}: {told}",
        hint=hint,
        status=status,
    )


def _limited(fault: Mapping[str, Any], told: str, host: str, status: int | None) -> RateLimitError:
    """A rate limit. The words speak of quota and billing for one of a minute too.

    So its length is told by ``RetryInfo``, and a day's by the violated quota's name.
    """
    details = dicts(fault.get("details"))
    delay = next((seconds for one in details if (seconds := _seconds(one.get("retryDelay")))), None)
    quotas = [text_in(one, "quotaId") for each in details for one in dicts(each.get("violations"))]
    first = re.split(r"(?<=[.!?])\s", told, maxsplit=1)[0]
    if any("PerDay" in quota for quota in quotas) or delay is None:
        what = "the day's quota is used up" if quotas else "rate limit or quota used up"
        return RateLimitError(
            f"{what} at {host}: {first}",
            hint="wait, check the plan and the billing, or name another model: `-m NAME`",
            status=status,
        )
    return RateLimitError(
        f"rate limited by {host}: {first}", status=status, retryable=True, retry_after=delay
    )


def _seconds(value: object) -> float | None:
    """A protobuf duration, such as ``17.4s``."""
    found = re.fullmatch(r"(\d{1,9}(?:\.\d{1,9})?)s", value) if isinstance(value, str) else None
    return float(found[1]) if found else None


class GeminiDecoder(ReplyDecoder):
    """One reply of ``streamGenerateContent``."""

    def __init__(self, settings: ProviderSettings) -> None:
        super().__init__(settings, "a Gemini service")
        self._begun = False
        self._calls = 0
        self._other = 0
        self._cited: set[str] = set()
        self._usage: Usage | None = None
        self._id = ""
        self._reason = ""
        self._said = ""

    def feed(self, frame: Frame) -> Iterable[Event]:
        """The events of one SSE event."""
        message = self._object(frame)
        if message is None:
            return ()
        fault = message.get("error")
        if fault:
            fault = fault if isinstance(fault, dict) else {"message": fault}
            raise explain(fault, self._settings, 200) or ServiceError(self._host)
        self._begun = True
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
            yield from self._sources(grounding)
        reason = text_in(candidate, "finishReason")
        if reason and reason != "FINISH_REASON_UNSPECIFIED":
            self._reason = reason
            self._said = words(candidate.get("finishMessage"))
            self.linger = AFTER_END

    def _part(self, part: Mapping[str, Any]) -> Iterator[Event]:
        text = part.get("text")
        if isinstance(text, str) and text:
            self._visible = True
            if part.get("thought") is True:
                yield ReasoningChunk(text)
            else:
                self._text = True
                yield TextChunk(text)
        call = part.get("functionCall")
        if isinstance(call, dict):
            self._visible = True
            self._calls += 1
            given = call.get("args")
            arguments = json.dumps(given if isinstance(given, dict) else {}, ensure_ascii=False)
            identifier = text_in(call, "id") or f"call_{self._id}{self._calls}"
            yield ToolCall(identifier, text_in(call, "name"), arguments)
        elif not part.keys() <= _PARTS:
            self._other += 1

    def _sources(self, grounding: Mapping[str, Any]) -> Iterator[Event]:
        for chunk in dicts(grounding.get("groundingChunks")):
            web = chunk.get("web")
            url = text_in(web, "uri") if isinstance(web, dict) else ""
            if isinstance(web, dict) and url and url not in self._cited:
                self._cited.add(url)
                self._visible = True
                yield Citation(url, text_in(web, "title"))

    def _count(self, usage: object) -> None:
        """The totals so far; a count that is missing is 0."""
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
        """The rest, and how the reply ended."""
        if self._usage is not None:
            yield self._usage
        if not self._reason:
            raise self._unfinished(begun=self._begun)
        yield from self._bad.notices()
        if self._other:
            told = f"{self._other} parts of the answer are no text, and are not shown"
            if self._other == 1:
                told = "a part of the answer is no text, and is not shown"
            yield Notice("warning", told)
        reason = self._ending()
        if reason == "filtered":
            why = f"{self._reason.lower()}: {self._said}" if self._said else self._reason.lower()
            yield Notice("warning", f"the service stopped the answer ({why})")
        yield from self._end(reason)

    def _ending(self) -> EndReason:
        """Why the reply ended. Raises ``ServiceError`` where it was no good end."""
        reason = self._reason
        if reason == "MAX_TOKENS":
            return "length"
        if reason in _FILTERED:
            return "filtered"
        if reason in ("STOP", "FUNCTION_CALL"):  # the latter from a stand-in for the service
            return "tool-calls" if self._calls else "stop"
        told = f": {self._said}" if self._said else ""
        raise ServiceError(
            f"{self._host} ended the answer for the reason `{words(reason, 60)}`{told}",
            hint="try again, or ask differently",
            retryable=reason in _FAULTY,
        )


if TYPE_CHECKING:  # it keeps the contract
    _decoder: type[Decoder] = GeminiDecoder
