"""What is told beside the answer, on stderr: notices, sources, and with ``-v`` what the reply took.

Everything here is foreign text as far as the terminal is concerned, and is filtered line by line.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from darkai_cli.events import Citation, Event, StreamStart, Usage
from darkai_cli.sinks.sanitize import sanitize_line

LABELS = {"info": "note", "warning": "warning"}


class NoticeSink:
    """Notices and sources as lines; a summary at the end where ``verbose``."""

    def __init__(
        self,
        tell: Callable[[str], None],
        *,
        quiet: bool,
        verbose: bool,
        before: Callable[[], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._tell = tell
        self._quiet = quiet
        self._verbose = verbose
        self._before = before
        self._clock = clock
        self._began = clock()
        self._first: float | None = None
        self._start: StreamStart | None = None
        self._usage: Usage | None = None
        self._sources: list[Citation] = []

    def feed(self, event: Event) -> None:
        """Tell a notice at once; remember the rest."""
        kind = event.type
        if kind == "text-chunk":
            if self._first is None:
                self._first = self._clock()
        elif event.type == "notice":
            if not self._quiet:
                if self._before is not None:
                    self._before()
                self._tell(f"{LABELS[event.level]}: {sanitize_line(event.text, 1000)}")
        elif isinstance(event, Citation):
            self._sources.append(event)
        elif isinstance(event, StreamStart):
            self._start = event
        elif isinstance(event, Usage):
            self._usage = event

    def close(self, error: BaseException | None = None) -> None:  # noqa: ARG002 -- told elsewhere
        """Tell the sources, and what the reply took."""
        if self._sources and not self._quiet:
            self._tell("sources:")
            for number, source in enumerate(self._sources, 1):
                title = f" {sanitize_line(source.title)}" if source.title else ""
                self._tell(f"  [{number}] {sanitize_line(source.url, 500)}{title}")
        if self._verbose and self._start is not None:
            self._tell(f"note: {self._summary(self._start)}")

    def _summary(self, start: StreamStart) -> str:
        parts: list[str] = [sanitize_line(f"{start.provider}/{start.model}")]
        usage = self._usage
        if usage is not None and (usage.input is not None or usage.output is not None):
            parts.append(f"{usage.input or 0} tokens in, {usage.output or 0} out")
        if self._first is not None:
            parts.append(f"first text after {self._first - self._began:.2f} s")
        parts.append(f"{self._clock() - self._began:.2f} s in all")
        return ", ".join(parts)
