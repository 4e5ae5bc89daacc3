"""What dialects share: parts of requests, reading JSON, common errors, the base of all decoders.

No I/O, and no field of one service. ``endpoint``, ``headers``, ``body`` and ``options`` build a
request; ``parse``, ``words``, ``text_in``, ``count`` and ``dicts`` read foreign JSON without ever
raising; ``rejected_key`` and ``no_model`` are errors that most services have.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from darkai_cli.errors import (
    AuthError,
    BadReplyError,
    RefusedError,
    ServiceError,
    UnknownModelError,
    UsageError,
)
from darkai_cli.events import (
    Citation,
    EndReason,
    Event,
    Notice,
    ReasoningChunk,
    StreamEnd,
    TextChunk,
)
from darkai_cli.messages import Call, Message
from darkai_cli.providers.base import Decoder, Frame, ProviderSettings
from darkai_cli.text import one_line, plural

MAX_BAD = 50
"""More unreadable events in a row than this break the protocol."""

CONTINUE_PROMPT = (
    "Continue your last message exactly where it stopped. Repeat nothing, and add no remark."
)
"""The prompt for a model that does not continue a reply by itself."""

REJECTED = (
    "This model may not accept one of your options (`-o`, or `options` in the configuration); "
    "`-m NAME` chooses another model"
)
"""The hint for a request that was rejected."""

OPTION_HINT = "This model may not accept one of your options (`-o`)"
"""The hint for a request that a service with a dialect of its own rejected."""

SMALLER = "Send fewer or smaller files, or start a new conversation"
"""The hint for a request that is too large."""

BILLING = "Check billing at the service, or use another one: `-p NAME`"
"""The hint for a quota that is used up."""

_MAX_DIGITS = 400


def endpoint(settings: ProviderSettings, path: str) -> str:
    """Return the URL of ``path`` below the provider's base URL, which may end with it already.

    The query of the base URL and that of the quirks are kept: ``http://host/v1?api-version=1``.
    """
    base, mark, query = settings.url.partition("?")
    base = base.rstrip("/")
    url = base if base.endswith(path) else base + path
    queries = [part for part in (query if mark else "", settings.quirks.query) if part]
    return f"{url}?{'&'.join(queries)}" if queries else url


def bearer(settings: ProviderSettings) -> dict[str, str]:
    """Return the header with the provider's key: ``Authorization: Bearer``, or its own."""
    if settings.key is None:
        return {}
    value = settings.key.reveal(settings.url)
    name = settings.quirks.key_header
    return {name: value} if name else {"authorization": f"Bearer {value}"}


def headers(settings: ProviderSettings, *more: Mapping[str, str]) -> dict[str, str]:
    """Return the headers of a JSON request: ``more``, and over them the user's own."""
    merged = {"content-type": "application/json"}
    for group in (*more, settings.headers):
        merged.update({name.lower(): value for name, value in group.items()})
    return merged


def body(fields: Mapping[str, Any]) -> bytes:
    """Return the fields as JSON. Raises ``UsageError`` that names a field JSON cannot hold."""
    try:
        text = json.dumps(fields, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as exc:
        for name, value in fields.items():
            try:
                json.dumps({name: value}, allow_nan=False)
            except (TypeError, ValueError, RecursionError):
                break
        raise UsageError(
            f"The option `{name}` isn't a JSON value",
            hint="Options are numbers, texts, true, false, null, and lists and tables of these",
        ) from exc
    return text.encode("utf-8", "replace")


def options(
    given: Mapping[str, Any],
    *,
    renamed: Mapping[str, str],
    own: Iterable[str],
    reserved: Iterable[str],
    strict: bool,
    service: str,
) -> dict[str, Any]:
    """Return the options under the service's names.

    ``renamed``: the service's name for each common one, such as ``max_tokens``. ``own``: the names
    that the service knows. ``reserved``: fields that darkai fills in. ``strict``: any name that is
    not in ``own`` is an error. Raises ``UsageError``.
    """
    fields: dict[str, Any] = {}
    names = set(own)
    for name, value in given.items():
        field = renamed.get(name, name)
        if field in reserved:
            raise UsageError(
                f"The option `{name}` is set by darkai itself",
                hint="Give the prompt as an argument, the model with `-m NAME`, the system prompt "
                "with `-s TEXT`",
            )
        if strict and field not in names:
            raise _unknown_option(name, {*names, *renamed}, service)
        fields[field] = value
    return fields


def as_list(fields: dict[str, Any], name: str) -> None:
    """Make the option ``name`` a list if it is a single text, which some services accept."""
    if isinstance(fields.get(name), str):
        fields[name] = [fields[name]]


def pop_reasoning(fields: dict[str, Any], efforts: Sequence[str]) -> tuple[str | None, Any]:
    """Take the common options for reasoning out of ``fields``; return effort and ``thinking``.

    Raises ``UsageError`` for an effort that is not one of ``efforts``.
    """
    level = fields.pop("reasoning_effort", None)
    thinking = fields.pop("think", None)
    thinking = fields.pop("thinking", thinking)
    if isinstance(thinking, str):
        level, thinking = level or thinking, None
    if level is not None and level not in efforts:
        raise UsageError(
            f"The option `reasoning_effort` can't be `{level}`", hint=f"Use {', '.join(efforts)}"
        )
    return level, thinking


def system_prompt(messages: Iterable[Message]) -> str:
    """Return the text of all system messages, for services that take it apart; "" for none."""
    text = "\n\n".join(message.content for message in messages if message.role == "system")
    return text if text.strip() else ""


def _unknown_option(name: str, known: set[str], service: str) -> UsageError:
    close = close_to(name, sorted(known))
    listed = ", ".join(sorted(known))
    return UsageError(
        f"`{service}` has no option `{name}`",
        hint=f"Did you mean {either(close)}?" if close else f"Its options are {listed}",
    )


def close_to(name: str, known: Iterable[str]) -> list[str]:
    """Return the names most similar to ``name``, the most similar first; at most three."""
    import difflib

    return difflib.get_close_matches(name, list(known), n=3, cutoff=0.6)


def either(names: Iterable[str]) -> str:
    """Return names for a sentence: ``a``, ``b`` or ``c``, each in backticks."""
    *most, last = [f"`{name}`" for name in names]
    return f"{', '.join(most)} or {last}" if most else last


def parse(data: str) -> Any:
    """Return the JSON value in ``data``, or None if it has none.

    Python refuses to read an integer of more than 4300 digits; such a one is infinite here.
    """
    try:
        try:
            return json.loads(data)
        except json.JSONDecodeError:
            return None
        except ValueError:
            return json.loads(data, parse_int=_integer)
    except (ValueError, RecursionError):
        return None


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) < _MAX_DIGITS else float("inf")


def words(value: object, limit: int = 200) -> str:
    """Return foreign text as one line of at most ``limit`` characters; "" for what is no text."""
    if not isinstance(value, str):
        return ""
    return one_line(value, limit)


def text_in(value: Mapping[str, Any], *names: str) -> str:
    """Return the first of the fields that is a text and not empty; "" if none is."""
    for name in names:
        text = value.get(name)
        if isinstance(text, str) and text:
            return text
    return ""


def count(value: object) -> int | None:
    """Return a number of tokens; None for anything else (services send 1e400, texts, null)."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    if not 0 <= value < 2**63:  # this excludes NaN too
        return None
    return int(value)


def dicts(value: object) -> Sequence[dict[str, Any]]:
    """Return the objects in a list; () for what is no list."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else ()


class UnreadableEvents:
    """Counts the events of one reply that could not be read."""

    def __init__(self, host: str, service: str) -> None:
        """``service``: whose protocol was expected, for the hint."""
        self.total = 0
        self._in_row = 0
        self._host = host
        self._service = service

    def add(self) -> None:
        """Count one more. Raises ``BadReplyError`` if they are too many in a row."""
        self.total += 1
        self._in_row += 1
        if self._in_row > MAX_BAD:
            raise BadReplyError(
                f"{self._host} sent {self._in_row} unreadable events in a row", hint=self._hint
            )

    def reset(self) -> None:
        """Take note of an event that could be read: a new row begins."""
        self._in_row = 0

    def notices(self) -> tuple[Notice, ...]:
        """Return what to tell the user at the end of the reply."""
        if not self.total:
            return ()
        return (Notice("warning", f"Skipped {plural(self.total, 'unreadable event')}"),)

    def error(self) -> BadReplyError:
        """Return the error of a reply in which nothing else came."""
        return BadReplyError(
            f"{self._host} sent no readable reply ({plural(self.total, 'unreadable event')})",
            hint=self._hint,
        )

    @property
    def _hint(self) -> str:
        return f"Is it the URL of {self._service}?"


def rejected_key(settings: ProviderSettings, message: str, status: int | None = None) -> AuthError:
    """Return the error for a key that is missing, wrong or expired.

    ``message``: the service's own message, or "".
    """
    host = settings.host
    more = f": {message}" if message else ""
    variable = f", or set {settings.key_env[0]}" if settings.key_env else ""
    hint = f"`darkai keys set {settings.name}`{variable}"
    if settings.key is not None:
        rejected = f"{host} rejected the API key (from {settings.key.source}){more}"
        return AuthError(rejected, hint=hint, status=status)
    if any("key" in name.lower() or name.lower() == "authorization" for name in settings.headers):
        rejected = f"{host} rejected the API key (from the provider's `headers`){more}"
        return AuthError(rejected, hint="`darkai config edit`", status=status)
    return AuthError(f"{host} requires an API key{more}", hint=hint, status=status)


def no_model(
    name: str, settings: ProviderSettings, message: str, status: int | None = None
) -> UnknownModelError:
    """Return the error for a model that the service does not have.

    ``name``: the model, "" if only the service's own ``message`` names it.
    """
    host = settings.host
    hint = f"`darkai models list -p {settings.name}` lists its models; choose one with `-m NAME`"
    if not name:
        return UnknownModelError(f"{host}: {message}", hint=hint, status=status)
    known = {*settings.models, settings.default_model} - {"", name}
    close = close_to(name, sorted(known))
    if close:
        hint = f"Did you mean {either(close)}? `darkai models list -p {settings.name}` lists all"
    return UnknownModelError(f"No model named `{name}` at {host}", hint=hint, status=status)


def too_long(message: str, status: int | None) -> RefusedError:
    """Return the error for a conversation that does not fit the model's context window."""
    text = f"The conversation is too long for the model: {message}"
    return RefusedError(text, hint="Send less, or start a new conversation", status=status)


def rejected_request(host: str, message: str, status: int | None, hint: str) -> ServiceError:
    """Return the error for a request that the service rejected."""
    number = f" ({status})" if status else ""
    text = f"{host} rejected the request{number}: {message}"
    return ServiceError(text, hint=hint, status=status)


END_REASONS: Mapping[str, EndReason] = {
    "stop": "stop", "end": "stop", "eos": "stop", "end_turn": "stop", "stop_sequence": "stop",
    "tool_calls": "tool-calls", "tool_use": "tool-calls", "function_call": "tool-calls",
    "length": "length", "max_tokens": "length", "max_output_tokens": "length",
    "model_length": "length", "model_context_window_exceeded": "length", "pause_turn": "length",
    "timeout": "length", "content_filter": "filtered", "refusal": "filtered",
    "sensitive": "filtered", "safety": "filtered", "recitation": "filtered",
    "language": "filtered", "blocklist": "filtered", "prohibited_content": "filtered",
    "spii": "filtered", "model_armor": "filtered", "image_safety": "filtered",
    "image_prohibited_content": "filtered", "image_recitation": "filtered",
}  # fmt: skip
"""Why a reply ended, by the names that services use, in lower case."""

_FAILURE_REASONS: Mapping[str, str] = {
    "error": "the model's own provider failed",
    "network_error": "the connection to the model failed",
    "abort": "the service aborted the reply",
    "aborted": "the service aborted the reply",
    "insufficient_system_resource": "the service ran out of capacity",
    "malformed_function_call": "the model made an unreadable tool call",
    "malformed_response": "the model made an unreadable reply",
    "function_call_filter": "the service blocked the model's tool call",
}
"""Reasons of a reply that is not complete, and what each means; a detail may follow a colon."""

_PLAIN_REASONS = frozenset({
    "stop", "end", "eos", "end_turn", "stop_sequence", "tool_calls", "tool_use", "function_call",
    "length", "max_tokens", "max_output_tokens", "model_length", "content_filter", "refusal",
})  # fmt: skip
"""Reasons whose name says no more than darkai's own."""


class ReplyDecoder(Decoder):
    """The base of all decoders: the state of one reply that has nothing to do with its format.

    ``_text``: some text of the answer came. ``_visible``: anything came that users see.
    """

    def __init__(self, settings: ProviderSettings, service: str) -> None:
        """``service``: whose protocol is expected, for the hint if something else comes."""
        self.ended = False
        self.drain_seconds: float | None = None
        self._settings = settings
        self._host = settings.host
        self._unreadable = UnreadableEvents(settings.host, service)
        self._text = self._visible = False
        self._cited: set[str] = set()
        self._end_notice: Notice | None = None

    def _object(self, frame: Frame) -> dict[str, Any] | None:
        """Return the frame's JSON object; None for one that is empty or cannot be read."""
        value = parse(frame.data)
        if isinstance(value, dict):
            self._unreadable.reset()
            return value
        if frame.data and not frame.data.isspace() and not frame.data.startswith("[DONE]"):
            self._unreadable.add()
        return None

    def _text_chunk(self, text: object) -> tuple[TextChunk, ...]:
        """Return a chunk of the answer; () for what is no text, or empty."""
        if not isinstance(text, str) or not text:
            return ()
        self._text = self._visible = True
        return (TextChunk(text),)

    def _reasoning_chunk(self, text: object) -> tuple[ReasoningChunk, ...]:
        """Return a chunk of reasoning; () for what is no text, or empty."""
        if not isinstance(text, str) or not text:
            return ()
        self._visible = True
        return (ReasoningChunk(text),)

    def _citation(self, source: object, url_field: str = "url") -> tuple[Citation, ...]:
        """Return a source, the first time that it is named; () for what is no source."""
        url = text_in(source, url_field) if isinstance(source, dict) else ""
        if not isinstance(source, dict) or not url or url in self._cited:
            return ()
        self._cited.add(url)
        self._visible = True
        return (Citation(url, text_in(source, "title")),)

    def _incomplete(self, *, started: bool) -> ServiceError:
        """Return the error of a reply whose end mark never came.

        ``started``: some of the reply could be read.
        """
        if self._unreadable.total and not started:
            return self._unreadable.error()
        if self._visible:
            return ServiceError("The reply ended without an end mark; it may be cut off")
        return ServiceError(f"{self._host} sent an empty reply", hint="Try again", retryable=True)

    def _end_reason(self, name: str, details: str = "") -> EndReason:
        """Return why the reply ended, from the service's word for it and what it says more.

        A word that says more than darkai's own, or that is unknown, is shown at the end. Raises
        ``ServiceError`` if the reply failed.
        """
        lower = name.lower()
        label = words(f"{name}: {details}" if details else name, 200)
        failure = _FAILURE_REASONS.get(lower.partition(":")[0])
        if failure is not None:
            raise ServiceError(f"{self._host}: {failure} (`{label}`)", retryable=True)
        reason = END_REASONS.get(lower)
        if reason is None:
            text = f"The service ended the reply with a reason unknown to darkai: `{label}`"
            self._end_notice = Notice("warning", text)
        elif lower not in _PLAIN_REASONS:
            verb = "stopped" if reason == "filtered" else "cut off"
            why = f"{lower}: {details}" if details else lower
            self._end_notice = Notice(
                "warning", f"The service {verb} the reply ({words(why, 200)})"
            )
        return reason or "stop"

    def _end(self, reason: EndReason, empty: str = "The model sent no text") -> Iterator[Event]:
        """Yield the last events of a complete reply. ``empty``: the notice if it has no text."""
        if reason == "stop" and not self._text:
            yield Notice("warning", empty)
        if self._end_notice is not None:
            yield self._end_notice
        yield StreamEnd(reason)


def arguments(call: Call) -> dict[str, Any]:
    """Return a call's arguments as an object; an empty one if they are none."""
    value = parse(call.arguments)
    return value if isinstance(value, dict) else {}
