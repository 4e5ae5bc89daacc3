"""Recordings read back: ``{"t": SECONDS, "event": NAME, "data": {...}}``, a line each.

Written by ``sinks.jsonl.RecordSink``. A recording is a file from anywhere, so every line is checked
and a bad one is named by its number.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from darkai_cli import errors, events
from darkai_cli.errors import DarkAIError, InputError
from darkai_cli.events import Event

MAX_LINE = 4 * 1024 * 1024


def read(lines: Iterable[bytes], name: str) -> Iterator[tuple[float, Event | DarkAIError]]:
    """The events of a recording, with their times in seconds. ``name`` is the file's, for messages.

    Raises ``InputError`` for a line that is no event, or a recording without an end.
    """
    ended = False
    last = 0.0
    for number, raw in enumerate(lines, 1):
        if not raw.strip():
            continue
        line = _object(raw, name, number)
        if ended:
            raise InputError(f"`{name}`, line {number}: something follows the end of the reply")
        moment = line.get("t", last)
        if not isinstance(moment, int | float) or not math.isfinite(moment) or moment < 0:
            raise InputError(f"`{name}`, line {number}: `t` is not a time in seconds")
        last = max(last, float(moment))
        if line.get("event") == "error":
            ended = True
            yield last, _error(line.get("data"))
            continue
        try:
            event = events.from_json(line)
        except ValueError as exc:
            raise InputError(f"`{name}`, line {number}: {exc}") from None
        if event is not None:
            ended = event.type == "stream-end"
            yield last, event
    if not ended:
        raise InputError(
            f"the recording `{name}` ends before the reply does",
            hint="it was cut: the program that wrote it was stopped",
        )


def _object(raw: bytes, name: str, number: int) -> dict[str, Any]:
    try:
        line = json.loads(raw) if len(raw) <= MAX_LINE else None
    except (ValueError, RecursionError):
        line = None
    if not isinstance(line, dict) or not isinstance(line.get("event"), str):
        raise InputError(
            f"`{name}`, line {number}: not an event of a recording",
            hint="recordings are made with `darkai ask --record FILE`",
        )
    return line


def _error(data: Any) -> DarkAIError:
    """The recorded error, as the exception it was."""
    fields = data if isinstance(data, dict) else {}
    kinds = {
        cls.kind: cls
        for cls in _tree(DarkAIError)
        if "kind" in cls.__dict__ and cls is not errors.ProviderError
    }
    kinds["service"] = errors.ServiceError
    kinds["not-found"] = errors.NotFoundError
    cls = kinds.get(fields.get("kind", ""), errors.ServiceError)
    message = fields.get("message")
    hint = fields.get("hint")
    return cls(
        message if isinstance(message, str) else "the recorded reply failed",
        hint=hint if isinstance(hint, str) else None,
    )


def _tree(cls: type[DarkAIError]) -> Iterator[type[DarkAIError]]:
    yield cls
    for below in cls.__subclasses__():
        yield from _tree(below)


def play(
    recording: Iterable[tuple[float, Event | DarkAIError]],
    speed: float | None,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[Event]:
    """The events at the recorded pace times ``speed``, or at once. Raises a recorded error."""
    began = clock()
    for moment, item in recording:
        if speed is not None:
            wait = began + moment / speed - clock()
            if wait > 0:
                sleep(wait)
        if isinstance(item, DarkAIError):
            raise item
        yield item
