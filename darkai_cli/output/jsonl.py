"""Events as JSON Lines (``--json``): one object a line, flushed at each event."""

from __future__ import annotations

import json
from typing import BinaryIO

from darkai_cli import events
from darkai_cli.errors import as_darkai_error
from darkai_cli.events import Event
from darkai_cli.output.raw import text_writer


class JsonlSink:
    """Writes ``{"event": NAME, "data": {...}}``, a line each; an error is the last line."""

    def __init__(self, out: BinaryIO) -> None:
        self._write = text_writer(out)

    def feed(self, event: Event) -> None:
        """Write one event."""
        self._write(events.encode(event) + "\n")

    def close(self, error: BaseException | None = None) -> None:
        """Write what ended the stream: an error, or ``cancelled`` for Ctrl-C."""
        if error is None:
            return
        if isinstance(error, Exception):
            darkai_error = as_darkai_error(error)
            self._write(json.dumps(events.error_to_json(darkai_error)) + "\n")
            darkai_error.reported = True
        else:
            self._write(events.encode(events.StreamEnd("cancelled")) + "\n")
