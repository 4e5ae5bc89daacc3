"""What is told beside the answer, on stderr: notices, sources, and with ``-v`` what the reply took.

Everything here is foreign text as far as the terminal is concerned, and is filtered line by line.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from typing import Literal, TextIO

from darkai_cli import stdio
from darkai_cli.events import Citation, Event, StreamStart, ToolCall, Usage
from darkai_cli.output.raw import put
from darkai_cli.output.sanitize import Sanitizer, sanitize_line

LABELS = {"info": "note", "warning": "warning"}


def tell(label: Literal["note", "warning"], text: str) -> None:
    """A line on stderr that is no error and belongs to no reply."""
    stdio.print_err(f"{label}: {sanitize_line(text, 1000)}")


class NoticeSink:
    """Notices, sources and tools wanted as lines; a summary at the end where ``verbose``.

    ``hold``: keep notices back while an answer is being shown on the same terminal. ``sources``:
    False where the answer's own sink lists them.
    """

    def __init__(
        self,
        tell: Callable[[str], None],
        *,
        quiet: bool,
        verbose: bool,
        hold: bool = False,
        sources: bool = True,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._tell = tell
        self._quiet = quiet
        self._verbose = verbose
        self._hold = hold
        self._held: list[str] = []
        self._with_sources = sources
        self._clock = clock
        self._began = clock()
        self._first: float | None = None
        self._start: StreamStart | None = None
        self._usage: Usage | None = None
        self._sources: list[Citation] = []
        self._calls: list[ToolCall] = []
        """Calls without a result so far."""

    def feed(self, event: Event) -> None:
        """Tell a notice at once; remember the rest."""
        if event.type in ("text-chunk", "reasoning-chunk"):
            if self._first is None:
                self._first = self._clock()
        elif event.type == "notice":
            self._notice(f"{LABELS[event.level]}: {sanitize_line(event.text, 1000)}")
        elif isinstance(event, Citation):
            self._sources.append(event)
        elif isinstance(event, ToolCall):
            self._calls.append(event)
        elif event.type == "tool-result":
            self._calls = [call for call in self._calls if call.id != event.id]
        elif isinstance(event, StreamStart):
            self._start = event
        elif isinstance(event, Usage):
            self._usage = event

    def _notice(self, line: str) -> None:
        if self._quiet:
            return
        if self._hold and self._first is not None:
            self._held.append(line)
        else:
            self._tell(line)

    def close(self, error: BaseException | None = None) -> None:  # noqa: ARG002 -- told elsewhere
        """Tell what was held back, tools not run, the sources, and what the reply took."""
        for line in self._held:
            self._tell(line)
        for call in () if self._quiet else self._calls:
            self._tell(_unanswered(call))
        if self._sources and self._with_sources and not self._quiet:
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


def _unanswered(call: ToolCall) -> str:
    """The line for a tool that the model asked for and nobody ran."""
    name, given = sanitize_line(call.name, 60), sanitize_line(call.arguments, 200)
    return (
        f"warning: the model wants the tool `{name}` run with `{given}`, which darkai does not do; "
        "ask for an answer without tools"
    )


class ReasoningSink:
    """The model's reasoning on stderr: all of it, its length, or nothing."""

    def __init__(self, err: TextIO, mode: Literal["show", "fold", "hide"]) -> None:
        self._err = err
        self._mode = mode
        self._sanitizer = Sanitizer()
        self._length = 0

    def feed(self, event: Event) -> None:
        """Show a piece, or count it; end it where the answer begins."""
        if event.type == "reasoning-chunk":
            self._length += len(event.text)
            if self._mode == "show":
                self._write(self._sanitizer.feed(event.text))
        elif self._length and event.type == "text-chunk":
            self._end()

    def close(self, error: BaseException | None = None) -> None:  # noqa: ARG002 -- the end is the same
        """End reasoning that no answer followed."""
        if self._length:
            self._end()

    def _end(self) -> None:
        if self._mode == "show":
            self._write(self._sanitizer.finish() + "\n")
        elif self._mode == "fold":
            self._write(f"note: reasoning, {self._length} characters\n")
        self._length = 0

    def _write(self, text: str) -> None:
        with contextlib.suppress(OSError, ValueError):  # nobody listening is no error
            put(self._err, text)
