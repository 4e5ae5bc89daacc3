"""The events of a reply, which pass from every provider to every sink.

Each event is a named tuple whose last field is its literal ``type``: its name in ``--json``, in
recordings and in the DarkAI protocol. Events are immutable, compare by value, and have no identity:
ids and times belong to the history. A reply has notices first, then ``StreamStart``, then any of
the others, and at the end exactly one ``StreamEnd`` or an exception from ``darkai_cli.errors``,
which is written as an ``error`` line (``error_to_json``).
"""

from __future__ import annotations

import json
from typing import Any, Literal, NamedTuple, TypeAlias, get_args

from darkai_cli.errors import DarkAIError
from darkai_cli.secrets import mask_known

EndReason = Literal["stop", "length", "tool-calls", "filtered", "cancelled", "eof"]
Level = Literal["info", "warning"]


class StreamStart(NamedTuple):
    """The reply begins. ``conversation`` and ``turn`` are None if the turn is not saved."""

    provider: str
    model: str
    conversation: str | None = None
    turn: str | None = None
    type: Literal["stream-start"] = "stream-start"


class TextChunk(NamedTuple):
    """A piece of the answer, never empty."""

    text: str
    type: Literal["text-chunk"] = "text-chunk"


class ReasoningChunk(NamedTuple):
    """A piece of the model's reasoning, never empty."""

    text: str
    type: Literal["reasoning-chunk"] = "reasoning-chunk"


class ToolCall(NamedTuple):
    """The model calls a tool. ``arguments`` is the complete JSON text."""

    id: str
    name: str
    arguments: str
    type: Literal["tool-call"] = "tool-call"


class ToolResult(NamedTuple):
    """The output of a tool."""

    id: str
    name: str
    output: str
    is_error: bool
    type: Literal["tool-result"] = "tool-result"


class Citation(NamedTuple):
    """A search result or source."""

    url: str
    title: str
    type: Literal["citation"] = "citation"


class Notice(NamedTuple):
    """A message for the user: a retry, a fallback, a wait. May come before ``StreamStart``."""

    level: Level
    text: str
    type: Literal["notice"] = "notice"


class Usage(NamedTuple):
    """Token totals so far; the last event counts. None: the service reports no number."""

    input: int | None = None
    output: int | None = None
    reasoning: int | None = None
    cached: int | None = None
    type: Literal["usage"] = "usage"


class StreamEnd(NamedTuple):
    """The reply has ended, for this reason."""

    reason: EndReason
    type: Literal["stream-end"] = "stream-end"


Event: TypeAlias = (
    StreamStart
    | TextChunk
    | ReasoningChunk
    | ToolCall
    | ToolResult
    | Citation
    | Notice
    | Usage
    | StreamEnd
)

VISIBLE = (TextChunk, ReasoningChunk, ToolCall, Citation)
"""The events after which a request is never retried automatically."""

_CLASSES: dict[str, Any] = {
    "stream-start": StreamStart,
    "text-chunk": TextChunk,
    "reasoning-chunk": ReasoningChunk,
    "tool-call": ToolCall,
    "tool-result": ToolResult,
    "citation": Citation,
    "notice": Notice,
    "usage": Usage,
    "stream-end": StreamEnd,
}


_CHOICES = {"reason": get_args(EndReason), "level": get_args(Level)}
_FLAGS = ("is_error",)
_LARGEST = 2**63 - 1
"""The largest number of tokens: a database's integers hold no larger one."""


def to_json(event: Event) -> dict[str, Any]:
    """Return the event as ``{"event": NAME, "data": {...}}``."""
    data = event._asdict()
    return {"event": data.pop("type"), "data": data}


def encode(event: Event) -> str:
    """Return the event as one line of JSON, without the newline."""
    if event.type == "text-chunk":  # nearly all of them
        return '{"event": "text-chunk", "data": {"text": ' + json.dumps(event.text) + "}}"
    return json.dumps(to_json(event))


def from_json(line: dict[str, Any]) -> Event | None:
    """Return the event that ``to_json`` wrote; None for an unknown name (of a newer version).

    Raises ``ValueError`` if the data does not fit the name. An empty text passes.
    """
    name = line.get("event")
    if not isinstance(name, str):
        raise ValueError("`event` is not a name")  # noqa: TRY004 -- one kind of error for the caller
    cls = _CLASSES.get(name)
    if cls is None:
        return None
    data = line.get("data")
    if not isinstance(data, dict):
        raise ValueError("`data` is not an object")  # noqa: TRY004 -- one kind of error
    fields = [field for field in cls._fields if field != "type"]
    for field in fields:
        if field in data and not _fits(cls, field, data[field]):
            raise ValueError(f"`{name}` has an invalid `{field}`")
    try:
        event: Event = cls(**{field: data[field] for field in fields if field in data})
    except TypeError:
        missing = [f for f in fields if f not in data and f not in cls._field_defaults]
        raise ValueError(f"`{name}` lacks {', '.join(missing)}") from None
    return event


def _fits(cls: Any, field: str, value: object) -> bool:
    """Return whether the field of such an event may have this value."""
    if value is None:
        return field in cls._field_defaults  # all of them None
    if field in _CHOICES:
        return isinstance(value, str) and value in _CHOICES[field]
    if field in _FLAGS:
        return isinstance(value, bool)
    if cls is Usage:
        return isinstance(value, int) and value is not True and 0 <= value <= _LARGEST
    return isinstance(value, str)


def error_to_json(error: DarkAIError) -> dict[str, Any]:
    """Return the error as ``{"event": "error", "data": {...}}``."""
    return {
        "event": "error",
        "data": {
            "kind": error.kind,
            "message": mask_known(error.message),
            "hint": mask_known(error.hint) if error.hint else error.hint,
            "exit_code": error.exit_code,
            "retryable": error.retryable,
            "status": error.status,
        },
    }
