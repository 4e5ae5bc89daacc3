"""The sink that shows a reply on a terminal while it arrives.

``feed`` only stores what came and wakes the painter. A frame takes what has been stored, lets the
renderer decide what is final, and writes once. Text that comes faster than it can be shown does not
pile up: ``feed`` then waits for a frame, so nothing is read from the service meanwhile, and rows
are made and written a few hundred at a time. In ``append`` mode only final rows are written,
without cursor movements, for dumb terminals, screen readers and logs.
"""

from __future__ import annotations

import contextlib
import itertools
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Literal, Protocol

from darkai_cli.errors import DarkAIError, Terminated
from darkai_cli.events import Citation, EndReason, Event, ReasoningChunk, StreamEnd, TextChunk
from darkai_cli.output.raw import write_text
from darkai_cli.output.terminal.painter import Painter
from darkai_cli.output.terminal.renderer import Reasoning, ReplyRenderer, Section, static_rows
from darkai_cli.output.terminal.screen import LiveScreen, PaintedRow, paint
from darkai_cli.output.terminal.theme import Background, Ink
from darkai_cli.tty import TerminalState

if TYPE_CHECKING:
    from typing import TextIO

    from darkai_cli.output.terminal.wrap import Line

Mode = Literal["live", "append"]

PREVIEW_ROWS = 20
"""The most rows of the preview; on a low terminal it leaves two rows for the rest."""

BACKLOG = 16_384
"""Characters that may wait for a frame, which renders as many in some 30 milliseconds."""

_ROWS_AT_ONCE = 500
"""Rows in one write. Only the end of an endless block has more."""

_LEAST_WIDTH = 8
_ENDINGS: dict[EndReason, str] = {
    "length": "cut off at the length limit",
    "filtered": "stopped by the content filter",
    "cancelled": "interrupted",
}


class PainterLike(Protocol):
    """What calls the sink's ``paint``: a ``Painter``, or a test."""

    def request(self) -> None:
        """Ask for a frame, because something has changed."""

    def settle(self) -> None:
        """Draw the frame now, and return when that is done."""

    def stop(self) -> None:
        """Stop drawing."""


class TerminalSink:
    """Shows text, reasoning and sources of one reply.

    ``width`` and ``height`` are called at each frame. ``mode``: ``live`` has a preview, ``append``
    has none. Without ``color``, live mode keeps bold and italic, and append mode writes no escape
    sequences. ``links``: write OSC 8 hyperlinks. ``tmux``: write no synchronized output.
    ``rewraps``: the terminal re-wraps its rows when its width changes. ``marks`` off puts rows that
    are not the reply's own in brackets. ``input_fd``: stdin if it is a terminal.
    """

    def __init__(
        self,
        out: TextIO,
        *,
        width: Callable[[], int],
        height: Callable[[], int],
        color: bool,
        theme: Background = "dark",
        code_theme: str = "auto",
        mode: Mode = "live",
        links: bool = False,
        reasoning: Reasoning = "fold",
        tmux: bool = False,
        truecolor: bool = False,
        rewraps: bool = True,
        marks: bool = True,
        input_fd: int | None = None,
        clock: Callable[[], float] = time.monotonic,
        painter: Callable[[Callable[[], None]], PainterLike] | None = None,
    ) -> None:
        self._out = out
        self._width, self._height = width, height
        self._mode = mode
        self._ink = Ink(color=color, attributes=color or mode == "live", truecolor=truecolor)
        self._screen = LiveScreen(sync=not tmux, rewraps=rewraps)
        self._renderer = ReplyRenderer(
            theme=theme,
            code_theme=code_theme,
            links=links,
            reasoning=reasoning,
            width=self._columns(),
            marks=marks,
        )
        self._inbox: deque[tuple[Section, str]] = deque()
        # Characters; each of the two is counted by one thread only.
        self._received = self._painted = 0
        self._lock = threading.Lock()
        self._painter = painter(self.paint) if painter else Painter(self.paint, clock)
        self._state = TerminalState(self._write_state, input_fd, self._pause, self._resume)
        self._citations: list[Citation] = []
        self._ending = ""
        self._has_begun = False

    def feed(self, event: Event) -> None:
        """Take one event. Raises what writing a frame raised, such as ``BrokenPipeError``."""
        if isinstance(event, TextChunk):
            self._receive("text", event.text)
        elif isinstance(event, ReasoningChunk):
            self._receive("reasoning", event.text)
        elif isinstance(event, Citation):
            self._citations.append(event)
        elif isinstance(event, StreamEnd):
            self._ending = _ENDINGS.get(event.reason, "")

    def close(self, error: BaseException | None = None) -> None:
        """Show the rest, the sources and how the reply ended; restore the terminal."""
        if isinstance(error, KeyboardInterrupt | Terminated):
            self._ending = "interrupted"
        elif isinstance(error, DarkAIError):
            self._ending = "incomplete"
        elif error is not None:
            self._ending = "failed"
        try:
            self._painter.stop()
            with self._lock:
                self._write(self._last_rows(), is_last=True)
        finally:
            self._state.leave()

    def paint(self) -> None:
        """Draw a frame. Called by the painter."""
        with self._lock:
            self._write(self._drain())

    def _receive(self, section: Section, text: str) -> None:
        try:
            for at in range(0, len(text), BACKLOG):
                self._store(section, text[at : at + BACKLOG])
        except BaseException:
            self._state.leave()  # a sink that has failed is not closed
            raise

    def _store(self, section: Section, text: str) -> None:
        self._inbox.append((section, text))
        self._received += len(text)
        if not self._has_begun:
            self._has_begun = True
            if self._mode == "live":
                self._state.enter()
        self._painter.request()
        while self._received - self._painted > BACKLOG:
            self._painter.settle()

    def _drain(self) -> Iterator[Line]:
        """Return the rows that have become final by what was stored."""
        inbox = [self._inbox.popleft() for _ in range(len(self._inbox))]
        self._painted += sum([len(text) for _, text in inbox])
        self._renderer.width = self._columns()
        for section, parts in itertools.groupby(inbox, lambda part: part[0]):
            yield from self._renderer.feed(section, "".join([text for _, text in parts]))

    def _last_rows(self) -> Iterator[Line]:
        yield from self._drain()
        yield from self._renderer.finish()
        yield from self._renderer.sources(self._citations)
        if self._ending and self._has_begun:
            yield from self._renderer.marker(self._ending)

    def _write(self, rows: Iterator[Line], *, is_last: bool = False) -> None:
        """Write all ``rows``, and below them the preview."""
        batch = list(itertools.islice(rows, _ROWS_AT_ONCE))
        while len(batch) == _ROWS_AT_ONCE:
            self._write_batch(batch, is_last=True)
            batch = list(itertools.islice(rows, _ROWS_AT_ONCE))
        self._write_batch(batch, is_last=is_last)

    def _write_batch(self, rows: list[Line], *, is_last: bool) -> None:
        final = [paint(row, self._ink) for row in rows]
        if self._mode == "append":
            data = "".join([f"{row.text}\n" for row in final])
        else:
            height = self._height()
            limit = max(1, min(height - 2, PREVIEW_ROWS))
            preview: list[PaintedRow] = []
            if not is_last:
                preview = [paint(row, self._ink) for row in self._renderer.preview(limit)]
            data = self._screen.frame(final, preview, self._renderer.width, height)
        if data:
            write_text(self._out, data)

    def _columns(self) -> int:
        return max(_LEAST_WIDTH, self._width())

    def _write_state(self, sequence: str) -> None:
        """Write an escape sequence; a terminal that has gone is no error."""
        with contextlib.suppress(OSError, ValueError):
            write_text(self._out, sequence)

    def _pause(self) -> None:
        """Remove the preview before a stop: it would stay in the scrollback."""
        if self._lock.acquire(timeout=0.5):
            try:
                width = self._renderer.width
                with contextlib.suppress(OSError, ValueError):
                    write_text(self._out, self._screen.frame([], [], width, self._height()))
                self._screen.forget()
            finally:
                self._lock.release()

    def _resume(self) -> None:
        self._painter.request()


def render_static(
    text: str,
    *,
    width: int,
    color: bool,
    theme: Background = "dark",
    code_theme: str = "auto",
    links: bool = False,
    truecolor: bool = False,
) -> str:
    """Return a Markdown text as it stands in the scrollback after it was streamed."""
    ink = Ink(color=color, attributes=color, truecolor=truecolor)
    rows = static_rows(
        text, width=max(_LEAST_WIDTH, width), theme=theme, code_theme=code_theme, links=links
    )
    return "".join([f"{paint(row, ink).text}\n" for row in rows])
