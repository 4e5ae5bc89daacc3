"""Sinks: where a reply goes. And the pump, the only loop that moves events into them.

The pump closes the event iterator, and so the connection, however the loop ends. A sink whose
reader has gone (``BrokenPipeError``) ends the reply quietly; a sink that fails otherwise is taken
out of the loop and its error is raised at the end; the others are fed on if the caller wants that
(the history must get the text although the terminal is broken).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from darkai_cli.errors import InputError
from darkai_cli.events import Event


class Sink(Protocol):
    """A consumer of one reply's events."""

    def feed(self, event: Event) -> None:
        """Take one event."""
        ...

    def close(self, error: BaseException | None = None) -> None:
        """The reply is over; ``error`` is what ended it, if anything did. Called once."""
        ...


def dispatch(events: Iterator[Event], sinks: Sequence[Sink], *, read_on: bool = False) -> bool:
    """Feed every event to every sink, close all, and say whether the reader stayed to the end.

    ``read_on``: read the reply to its end although a sink has failed. Returns False where a closed
    pipe ended the reply. Raises what the events raised (after the sinks were closed with it), else
    the first error of a sink.
    """
    open_sinks = list(sinks)
    fault: BaseException | None = None
    failed: Exception | None = None
    stayed = True
    try:
        for event in events:
            for sink in tuple(open_sinks):
                try:
                    sink.feed(event)
                except BrokenPipeError:
                    stayed = False
                except Exception as exc:  # noqa: BLE001 -- raised below, once the others are fed
                    open_sinks.remove(sink)
                    failed = failed or exc
            if not stayed or (failed and not read_on):
                break
    except BaseException as exc:
        fault = exc
        raise
    finally:
        close = getattr(events, "close", None)
        if close is not None:
            close()
        for sink in open_sinks:
            try:
                sink.close(fault)
            except BrokenPipeError:
                stayed = False
            except Exception as exc:  # noqa: BLE001 -- raised below
                failed = failed or exc
        if failed is not None and fault is None:
            raise failed
    return stayed


def write_error(error: OSError) -> Exception:
    """The error to raise where an output cannot be written; a broken pipe stays what it is."""
    if isinstance(error, BrokenPipeError):
        return error
    reason = (error.strerror or str(error)).lower()
    return InputError(f"cannot write the reply: {reason}", hint="the text so far was written")
