"""What stderr shows beside the answer: notices, reasoning, sources, and a summary with ``-v``.

All of it may hold foreign text, so each line is filtered.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from typing import Literal, TextIO

from darkai_cli import stdio
from darkai_cli.events import Citation, Event, StreamStart, ToolCall, Usage
from darkai_cli.output.raw import write_text
from darkai_cli.output.sanitize import Sanitizer, sanitize_line
from darkai_cli.text import plural

_LABELS = {"info": "note", "warning": "warning"}


def tell(label: Literal["note", "warning"], text: str) -> None:
    """Write a note or a warning, which belongs to no reply, to stderr."""
    stdio.print_err(f"{label}: {sanitize_line(text, 1000)}")


class NoticeSink:
    """Writes notices, sources and tool calls as lines, and a summary if ``verbose``.

    ``write_line`` writes a line. ``hold``: hold notices back while an answer is being shown on the
    same terminal. ``sources``: False if the sink of the answer lists them.
    """

    def __init__(
        self,
        write_line: Callable[[str], None],
        *,
        quiet: bool,
        verbose: bool,
        hold: bool = False,
        sources: bool = True,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._write_line = write_line
        self._quiet = quiet
        self._verbose = verbose
        self._hold = hold
        self._held_lines: list[str] = []
        self._with_sources = sources
        self._clock = clock
        self._start_time = clock()
        self._first_text: float | None = None
        self._start: StreamStart | None = None
        self._usage: Usage | None = None
        self._sources: list[Citation] = []
        self._calls: list[ToolCall] = []
        """Tool calls that have no result."""

    def feed(self, event: Event) -> None:
        """Write a notice at once; store the rest for the end."""
        if event.type == "notice":
            self._notice(f"{_LABELS[event.level]}: {sanitize_line(event.text, 1000)}")
        elif isinstance(event, Citation):
            self._sources.append(event)
        elif isinstance(event, ToolCall):
            self._calls.append(event)
        elif event.type == "tool-result":
            self._calls = [call for call in self._calls if call.id != event.id]
        elif isinstance(event, StreamStart):  # which comes together with the first token
            self._start = event
            self._first_text = self._clock()
        elif isinstance(event, Usage):
            self._usage = event

    def _notice(self, line: str) -> None:
        if self._quiet:
            return
        if self._hold and self._first_text is not None:
            self._held_lines.append(line)
        else:
            self._write_line(line)

    def close(self, error: BaseException | None = None) -> None:  # noqa: ARG002 -- of every sink
        """Write held notices, tool calls without a result, the sources, and the summary."""
        for line in self._held_lines:
            self._write_line(line)
        for call in () if self._quiet else self._calls:
            self._write_line(_tool_line(call))
        if self._sources and self._with_sources and not self._quiet:
            self._write_line("Sources:")
            for number, source in enumerate(self._sources, 1):
                title = f" {sanitize_line(source.title)}" if source.title else ""
                self._write_line(f"  [{number}] {sanitize_line(source.url, 500)}{title}")
        if self._verbose and self._start is not None:
            self._write_line(f"note: {self._summary(self._start)}")

    def _summary(self, start: StreamStart) -> str:
        parts: list[str] = [sanitize_line(f"{start.provider}/{start.model}")]
        usage = self._usage
        if usage is not None and (usage.input is not None or usage.output is not None):
            parts.append(f"{usage.input or 0} tokens in, {usage.output or 0} out")
        if self._first_text is not None:
            parts.append(f"first text after {self._first_text - self._start_time:.2f} s")
        parts.append(f"{self._clock() - self._start_time:.2f} s in total")
        return ", ".join(parts)


def _tool_line(call: ToolCall) -> str:
    """Return the line for a tool call that has no result."""
    name, arguments = sanitize_line(call.name, 60), sanitize_line(call.arguments, 200)
    return (
        f"warning: The model called the tool `{name}` with `{arguments}`, but darkai can't run "
        "tools; ask for an answer without them"
    )


class ReasoningSink:
    """Writes the model's reasoning on stderr: its text, or in one note how long it was."""

    def __init__(self, err: TextIO, *, shows_text: bool) -> None:
        self._err = err
        self._shows_text = shows_text
        self._sanitizer = Sanitizer()
        self._length = 0

    def feed(self, event: Event) -> None:
        """Show or count a piece of reasoning; end it when the answer begins."""
        if event.type == "reasoning-chunk":
            self._length += len(event.text)
            if self._shows_text:
                self._write(self._sanitizer.feed(event.text))
        elif self._length and event.type == "text-chunk":
            self._end()

    def close(self, error: BaseException | None = None) -> None:  # noqa: ARG002 -- of every sink
        """End reasoning that is not followed by an answer."""
        if self._length:
            self._end()

    def _end(self) -> None:
        if self._shows_text:
            self._write(self._sanitizer.finish() + "\n")
        else:
            self._write(f"note: Reasoning, {plural(self._length, 'character')}\n")
        self._length = 0

    def _write(self, text: str) -> None:
        with contextlib.suppress(OSError, ValueError):  # nobody listening is no error
            write_text(self._err, text)
