"""From options to sinks: opens what is to be written, and puts it in place or away at the end.

What only the answer needs is imported once the request is on the wire, in a thread, while the
service thinks (``prepare``); what can be wrong with the destination is found before.
"""

from __future__ import annotations

import gc
import os
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, BinaryIO, TextIO, cast

from darkai_cli import streams
from darkai_cli.errors import InputError
from darkai_cli.events import Event
from darkai_cli.sinks.choose import Wishes, choose

if TYPE_CHECKING:
    from darkai_cli.sinks.atomic import AtomicFile
    from darkai_cli.sinks.base import Sink


class Output:
    """The sinks of one reply."""

    def __init__(
        self,
        wishes: Wishes,
        *,
        path: str | None = None,
        record: str | None = None,
        quiet: bool = False,
        verbose: bool = False,
    ) -> None:
        self._wishes = wishes
        self._quiet = quiet
        self._verbose = verbose
        self._file = _atomic(path) if path is not None else None
        self._kind = choose(
            wishes._replace(to_file=path is not None),
            terminal=streams.is_terminal(streams.stdout()),
        )
        if self._file is None:
            streams.binary_stdout()
        self.sinks: list[Sink] = [_Later(self._notices), _Later(self._answer)]
        if record is not None:
            self.sinks.insert(0, _recording(record))

    def prepare(self) -> None:
        """The request is on the wire: import what the answer needs while the service thinks."""
        gc.freeze()
        gc.enable()
        threading.Thread(target=self._import, name="prepare", daemon=True).start()

    def _import(self) -> None:
        import darkai_cli.sinks.notices
        import darkai_cli.sinks.raw  # noqa: F401

    def _notices(self) -> Sink:
        from darkai_cli.sinks.notices import NoticeSink

        # With --json notices are events; stderr repeats them only for a person who watches.
        silent = self._kind == "json" and not streams.is_terminal(streams.stderr())
        return NoticeSink(streams.tell, quiet=self._quiet or silent, verbose=self._verbose)

    def _answer(self) -> Sink:
        file = self._file.out if self._file is not None else None
        if self._kind == "json":
            from darkai_cli.sinks.jsonl import JsonlSink

            return JsonlSink(file or streams.binary_stdout())
        if self._kind == "extract":
            return _extract(file)
        from darkai_cli.sinks.raw import PlainSink, RawSink, WholeSink

        sink: RawSink | PlainSink
        if self._kind == "raw":
            sink = RawSink(file or streams.binary_stdout())
        else:
            sink = PlainSink(streams.stdout())
        return WholeSink(sink) if self._wishes.no_stream else sink

    def finish(self, *, complete: bool) -> None:
        """Put the file in place if the reply is complete, else leave the old one as it was."""
        if self._file is not None:
            if complete:
                self._file.commit()
            else:
                self._file.discard()


class _Later:
    """A sink that is made when its first event comes."""

    def __init__(self, make: Callable[[], Sink]) -> None:
        self._make = make
        self._sink: Sink | None = None

    def feed(self, event: Event) -> None:
        if self._sink is None:
            self._sink = self._make()
            self.feed = self._sink.feed  # type: ignore[method-assign]
        self._sink.feed(event)

    def close(self, error: BaseException | None = None) -> None:
        if self._sink is None:
            self._sink = self._make()
        self._sink.close(error)


def _atomic(path: str) -> AtomicFile:
    from darkai_cli.sinks.atomic import AtomicFile

    return AtomicFile(path)


def _extract(file: BinaryIO | None) -> Sink:
    from darkai_cli.sinks.extract import ExtractSink
    from darkai_cli.sinks.sanitize import sanitize

    if file is None and streams.is_terminal(streams.stdout()):
        screen: TextIO = streams.stdout()

        def write(text: str) -> None:
            screen.write(sanitize(text))
            screen.flush()

        return ExtractSink(write)
    out = file or streams.binary_stdout()

    def write_bytes(text: str) -> None:
        out.write(text.encode())
        out.flush()

    return ExtractSink(write_bytes)


def _recording(path: str) -> Sink:
    from darkai_cli.sinks.jsonl import RecordSink

    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    except OSError as exc:
        reason = (exc.strerror or str(exc)).lower()
        raise InputError(
            f"cannot write `{path}`: {reason}", hint="name another file with `--record`"
        ) from exc
    return RecordSink(cast("BinaryIO", os.fdopen(handle, "wb")))
