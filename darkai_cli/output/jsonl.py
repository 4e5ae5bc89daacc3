"""Events as JSON Lines: what ``--json`` writes to stdout and ``--record`` to a file.

One object a line, flushed at each event. An error is the last line.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import BinaryIO

from darkai_cli import events
from darkai_cli.errors import DarkAIError, InputError
from darkai_cli.events import Event
from darkai_cli.output.sink import write_error


def as_ours(error: Exception) -> DarkAIError:
    """The error itself, or what an unforeseen one is: a bug."""
    if isinstance(error, DarkAIError):
        return error
    return DarkAIError(f"a bug in darkai: {type(error).__name__}: {error}")


class JsonlSink:
    """``{"event": NAME, "data": {...}}``, a line each."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out

    def feed(self, event: Event) -> None:
        """Write one event."""
        self._line(events.encode(event))

    def close(self, error: BaseException | None = None) -> None:
        """Write the error that ended the stream, or that the user did."""
        if error is None:
            return
        if isinstance(error, Exception):
            told = as_ours(error)
            self._line(json.dumps(events.error_to_json(told)))
            told.reported = True
        else:
            self._line(events.encode(events.StreamEnd("cancelled")))

    def _line(self, text: str) -> None:
        try:
            self._out.write(text.encode() + b"\n")
            self._out.flush()
        except OSError as exc:
            raise write_error(exc) from exc


class RecordSink:
    """A recording: the same lines with ``t``, the seconds since the request was made."""

    keeps = True

    def __init__(
        self, out: BinaryIO, name: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._out = out
        self._name = name
        self._clock = clock
        self._began = clock()

    def feed(self, event: Event) -> None:
        """Write one event with its time."""
        self._line(events.to_json(event))

    def close(self, error: BaseException | None = None) -> None:
        """Write how it ended, and close the file."""
        if isinstance(error, Exception):
            self._line(events.error_to_json(as_ours(error)))
        elif error is not None:
            self._line(events.to_json(events.StreamEnd("cancelled")))
        try:
            self._out.close()
        except OSError as exc:
            raise self._fault(exc) from exc

    def _line(self, line: dict[str, object]) -> None:
        timed = {"t": round(self._clock() - self._began, 4), **line}
        try:
            self._out.write(json.dumps(timed).encode() + b"\n")
            self._out.flush()
        except OSError as exc:
            raise self._fault(exc) from exc

    def _fault(self, exc: OSError) -> InputError:
        """A recording that cannot be written: also where its reader has gone."""
        reason = (exc.strerror or str(exc)).lower()
        return InputError(f"cannot write the recording `{self._name}`: {reason}")
