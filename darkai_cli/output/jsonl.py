"""Events as JSON Lines (``--json``): one object a line, flushed at each event."""

from __future__ import annotations

import json
from typing import BinaryIO

from darkai_cli import events
from darkai_cli.errors import as_darkai_error
from darkai_cli.events import Event
from darkai_cli.output.sink import write_error


class JsonlSink:
    """Writes ``{"event": NAME, "data": {...}}``, a line each; an error is the last line."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out

    def feed(self, event: Event) -> None:
        """Write one event."""
        self._line(events.encode(event))

    def close(self, error: BaseException | None = None) -> None:
        """Write what ended the stream: an error, or ``cancelled`` for Ctrl-C."""
        if error is None:
            return
        if isinstance(error, Exception):
            darkai_error = as_darkai_error(error)
            self._line(json.dumps(events.error_to_json(darkai_error)))
            darkai_error.reported = True
        else:
            self._line(events.encode(events.StreamEnd("cancelled")))

    def _line(self, text: str) -> None:
        try:
            self._out.write(text.encode() + b"\n")
            self._out.flush()
        except OSError as exc:
            raise write_error(exc) from exc
