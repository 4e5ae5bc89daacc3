"""Recordings: ``{"t": SECONDS, "event": NAME, "data": {...}}``, a line each.

``RecordSink`` writes them (``--record``), ``read`` reads them and ``play`` yields their events at
the recorded pace (``darkai replay``). A recording may come from anywhere, so every line is checked
and a bad one is named by its number.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, BinaryIO

from darkai_cli import errors, events
from darkai_cli.errors import DarkAIError, InputError, as_darkai_error
from darkai_cli.events import Event
from darkai_cli.text import well_formed

MAX_LINE = 4 * 1024 * 1024
MAX_TIME = 1_000_000
"""The latest time in a recording, in seconds; every clock can wait that long."""


class RecordSink:
    """Writes a recording (``--record``): each event with ``t``, the seconds since it began."""

    def __init__(
        self, out: BinaryIO, name: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._out = out
        self._name = name
        self._clock = clock
        self._start = clock()

    def feed(self, event: Event) -> None:
        """Write one event with its time."""
        self._line(events.to_json(event))

    def close(self, error: BaseException | None = None) -> None:
        """Write what ended the reply, and close the file."""
        if isinstance(error, Exception):
            self._line(events.error_to_json(as_darkai_error(error)))
        elif error is not None:
            self._line(events.to_json(events.StreamEnd("cancelled")))
        try:
            self._out.close()
        except OSError as exc:
            raise self._write_error(exc) from exc

    def _line(self, line: dict[str, object]) -> None:
        timed = {"t": round(self._clock() - self._start, 4), **line}
        try:
            self._out.write(json.dumps(timed).encode() + b"\n")
            self._out.flush()
        except OSError as exc:
            raise self._write_error(exc) from exc

    def _write_error(self, exc: OSError) -> InputError:
        """Return the error of a recording that cannot be written; a broken pipe is one, too."""
        reason = (exc.strerror or str(exc)).lower()
        return InputError(f"Can't write the recording `{self._name}`: {reason}")


def read(lines: Iterable[bytes], name: str) -> Iterator[tuple[float, Event | DarkAIError]]:
    """Yield the events of a recording with their times in seconds. ``name`` is the file's.

    Raises ``InputError`` for a line that is no event, or a recording without an end.
    """
    ended = False
    last = 0.0
    for number, raw in enumerate(lines, 1):
        if not raw.strip():
            continue
        line = _object(raw, name, number)
        if ended:
            raise InputError(f"`{name}`, line {number}: data after the end of the reply")
        moment = line.get("t", last)
        if not _is_time(moment):
            raise InputError(f"`{name}`, line {number}: `t` is not a time in seconds")
        last = max(last, float(moment))
        try:
            item = _item(line)
        except ValueError as exc:
            raise InputError(f"`{name}`, line {number}: {exc}") from None
        if item is not None:
            ended = isinstance(item, DarkAIError) or item.type == "stream-end"
            yield last, item
    if not ended:
        raise InputError(
            f"The recording `{name}` is incomplete",
            hint="The program that wrote it was stopped before the reply ended",
        )


def _object(raw: bytes, name: str, number: int) -> dict[str, Any]:
    try:
        line = json.loads(raw) if len(raw) <= MAX_LINE else None
    except (ValueError, RecursionError):
        line = None
    if not isinstance(line, dict) or not isinstance(line.get("event"), str):
        raise InputError(
            f"`{name}`, line {number}: not an event of a recording",
            hint="Make a recording with `darkai ask --record FILE`",
        )
    return line


def _is_time(moment: object) -> bool:
    number = isinstance(moment, int | float) and not isinstance(moment, bool)
    return number and 0 <= moment <= MAX_TIME  # type: ignore[operator]


def _item(line: dict[str, Any]) -> Event | DarkAIError | None:
    """Return the event or error of a line; None if it has no content. Raises ``ValueError``."""
    if line["event"] == "error":
        return _error(line.get("data"))
    event: Any = events.from_json(line)
    if event is None or getattr(event, "text", None) == "":
        return None
    texts = {
        field: well_formed(value)
        for field, value in event._asdict().items()
        if isinstance(value, str) and not value.isascii()
    }
    result: Event = event._replace(**texts)
    return result


def _error(data: Any) -> DarkAIError:
    """Return the recorded error as the exception it was. Raises ``ValueError``."""
    fields = data if isinstance(data, dict) else {}
    kind, message, hint = (fields.get(field) for field in ("kind", "message", "hint"))
    if not isinstance(kind, str) or not isinstance(message, str):
        raise ValueError("`error` lacks a kind or a message")  # noqa: TRY004 -- of a bad line
    if not isinstance(hint, str | None):
        raise ValueError("`error` has an invalid `hint`")  # noqa: TRY004 -- of a bad line
    kinds: dict[str, type[DarkAIError]] = {
        cls.kind: cls
        for cls in _tree(DarkAIError)
        if "kind" in cls.__dict__ and cls is not errors.ProviderError
    }
    kinds["service"] = errors.ServiceError
    kinds["not-found"] = errors.NotFoundError
    cls = kinds.get(kind, errors.ServiceError)  # a newer version may know more kinds
    return cls(well_formed(message), hint=well_formed(hint) if hint else None)


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
    """Yield the events at the recorded pace times ``speed``, or at once. Raise a recorded error."""
    start = clock()
    for moment, item in recording:
        if speed is not None:
            wait = start + moment / speed - clock()
            if wait > 0:
                # With a tiny speed the wait can be longer than `sleep` takes.
                sleep(min(wait, MAX_TIME))
        if isinstance(item, DarkAIError):
            raise item
        yield item
