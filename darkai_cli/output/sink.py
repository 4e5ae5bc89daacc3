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

    What ``make`` imports does not delay the request then.
    """

    def __init__(self, make: Callable[[], Sink]) -> None:
        self.make = make


def dispatch(
    events: Iterator[Event], sinks: Sequence[Sink | LateSink], *, read_on: bool = False
) -> bool:
    """Feed every event to every sink and close them; return False if a closed pipe ended the reply.

    ``read_on``: read the reply to its end although a sink has failed, because the history must get
    all of the text. Raises what the events raised (after the sinks were closed with it), else the
    first error of a sink.
    """
    group = _SinkGroup(sinks)
    fault: BaseException | None = None
    try:
        for event in events:
            group.feed(event)
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

    ``reader_left``: whether the reader of an output has closed it.
    """

    def __init__(self, sinks: Sequence[Sink | LateSink]) -> None:
        self._late = sinks
        self._sinks: list[Sink] = []
        self.error: Exception | None = None
        self.reader_left = False

    def feed(self, event: Event) -> None:
        """Feed the event to each sink."""
        if self._late:
            self._make()
        for sink in tuple(self._sinks):
            try:
                sink.feed(event)
            except BrokenPipeError:
                self.reader_left = True
            except Exception as exc:  # noqa: BLE001 -- raised at the end, once the others are fed
                self._sinks.remove(sink)
                self.error = self.error or exc

    def close(self, fault: BaseException | None) -> None:
        """Close each sink. ``fault``: what ended the reply, if anything did."""
        self._make()
        for sink in self._sinks:
            try:
                sink.close(fault)
            except BrokenPipeError:
                self.reader_left = True
            except Exception as exc:  # noqa: BLE001 -- raised by the caller
                self.error = self.error or exc

    def _make(self) -> None:
        late, self._late = self._late, ()
        for sink in late:
            try:
                self._sinks.append(sink.make() if isinstance(sink, LateSink) else sink)
            except BrokenPipeError:
                self.reader_left = True
            except Exception as exc:  # noqa: BLE001 -- raised by the caller
                self.error = self.error or exc


def write_error(error: OSError) -> Exception:
    """Return the error to raise for an output that can't be written; a broken pipe is itself."""
    if isinstance(error, BrokenPipeError):
        return error
    reason = (error.strerror or str(error)).lower()
    return InputError(f"cannot write the reply: {reason}", hint="the text so far was written")
