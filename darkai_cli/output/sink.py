"""Sinks, which take the events of a reply, and ``dispatch``, the loop that moves events into them.

``dispatch`` closes the event iterator, and so the connection, however the loop ends. A sink whose
reader has gone (``BrokenPipeError``) ends the reply quietly. A sink that fails otherwise is fed no
more, and its error is raised at the end; the others are fed on if the caller wants that (the
history must get the text although the terminal is broken).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from darkai_cli.errors import InputError
from darkai_cli.events import Event


class Sink(Protocol):
    """A consumer of one reply's events."""

    def feed(self, event: Event) -> None:
        """Take one event."""
        ...

    def close(self, error: BaseException | None = None) -> None:
        """End the output; ``error`` is what cut the reply off, if anything did. Called once."""
        ...


class LateSink:
    """Stands for a sink that is made when the first event has come, or at the end if none comes.

    What ``make`` imports does not delay the request then. ``takes_text``: False for a sink that has
    no use for the text of the reply; it is fed all other events.
    """

    def __init__(self, make: Callable[[], Sink], *, takes_text: bool = True) -> None:
        self.make = make
        self.takes_text = takes_text


def dispatch(
    events: Iterator[Event], sinks: Sequence[Sink | LateSink], *, read_on: bool = False
) -> bool:
    """Feed the events to the sinks, close all, and return whether the reader stayed to the end.

    ``read_on``: read the reply to its end although a sink has failed, because the history must get
    all of the text. Returns False if a closed pipe ended the reply. Raises what the events raised
    (after the sinks were closed with it), else the first error of a sink.
    """
    group = _SinkGroup(sinks)
    fault: BaseException | None = None
    try:
        for event in events:
            if group.late:
                group.make()
            for sink in group.text_sinks if event.type == "text-chunk" else group.sinks:
                try:
                    sink.feed(event)
                except BrokenPipeError:
                    group.reader_left = True
                except Exception as exc:  # noqa: BLE001 -- raised below, once the others are fed
                    group.drop(sink, exc)
            if group.reader_left or (group.error is not None and not read_on):
                break
    except BaseException as exc:
        fault = exc
        raise
    finally:
        close = getattr(events, "close", None)
        if close is not None:
            close()
        group.close(fault)
        if group.error is not None and fault is None:
            raise group.error
    return not group.reader_left


class _SinkGroup:
    """The sinks of one reply. One that fails is fed no more; ``error`` is the first failure.

    ``late``: what ``make`` has not opened yet. ``text_sinks``: those of the ``sinks`` that take
    text. ``reader_left``: whether the reader of an output has closed it.
    """

    def __init__(self, sinks: Sequence[Sink | LateSink]) -> None:
        self.late = sinks
        self.sinks: tuple[Sink, ...] = ()
        self.text_sinks: tuple[Sink, ...] = ()
        self.error: Exception | None = None
        self.reader_left = False

    def make(self) -> None:
        """Make the sinks that are not made yet."""
        late, self.late = self.late, ()
        for entry in late:
            try:
                sink = entry.make() if isinstance(entry, LateSink) else entry
            except BrokenPipeError:
                self.reader_left = True
            except Exception as exc:  # noqa: BLE001 -- raised by the caller
                self.error = self.error or exc
            else:
                self.sinks += (sink,)
                if not isinstance(entry, LateSink) or entry.takes_text:
                    self.text_sinks += (sink,)

    def drop(self, sink: Sink, error: Exception) -> None:
        """Feed the sink no more."""
        self.error = self.error or error
        self.sinks = tuple(other for other in self.sinks if other is not sink)
        self.text_sinks = tuple(other for other in self.text_sinks if other is not sink)

    def close(self, fault: BaseException | None) -> None:
        """Close each sink. ``fault``: what ended the reply, if anything did."""
        self.make()
        for sink in self.sinks:
            try:
                sink.close(fault)
            except BrokenPipeError:
                self.reader_left = True
            except Exception as exc:  # noqa: BLE001 -- raised by the caller
                self.error = self.error or exc


def write_error(error: OSError) -> Exception:
    """Return the error to raise for an output that can't be written; a broken pipe is itself."""
    if isinstance(error, BrokenPipeError):
        return error
    reason = (error.strerror or str(error)).lower()
    return InputError(f"Can't write the reply: {reason}", hint="The text so far was written")
