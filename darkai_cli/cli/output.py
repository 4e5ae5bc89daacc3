"""From options to sinks: opens what is to be written, and puts it in place or away at the end."""

from __future__ import annotations

import os
from typing import BinaryIO, TextIO, cast

from darkai_cli import streams
from darkai_cli.errors import InputError
from darkai_cli.sinks.atomic import AtomicFile
from darkai_cli.sinks.base import Sink
from darkai_cli.sinks.choose import Wishes, choose
from darkai_cli.sinks.notices import NoticeSink


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
        self._file: AtomicFile | None = None
        self.kind = choose(
            wishes._replace(to_file=path is not None),
            terminal=streams.is_terminal(streams.stdout()),
        )
        self.sinks: list[Sink] = []
        if record is not None:
            self.sinks.append(_recording(record))
        if path is not None:
            self._file = AtomicFile(path)
        out = self._file.out if self._file is not None else None
        self.sinks.append(_answer(self.kind, out, wishes))
        if self.kind != "json" or verbose or streams.is_terminal(streams.stderr()):
            self.sinks.append(NoticeSink(streams.tell, quiet=quiet, verbose=verbose))

    def finish(self, *, complete: bool) -> None:
        """Put the file in place if the reply is complete, else leave the old one as it was."""
        if self._file is None:
            return
        if complete:
            self._file.commit()
        else:
            self._file.discard()
        self._file = None


def _answer(kind: str, file: BinaryIO | None, wishes: Wishes) -> Sink:
    """The sink of the answer itself."""
    if kind == "json":
        from darkai_cli.sinks.jsonl import JsonlSink

        return JsonlSink(file or streams.binary_stdout())
    if kind == "extract":
        return _extract(file)
    from darkai_cli.sinks.raw import PlainSink, RawSink, WholeSink

    sink: RawSink | PlainSink
    if kind == "raw":
        sink = RawSink(file or streams.binary_stdout())
    else:
        sink = PlainSink(streams.stdout())
    return WholeSink(sink) if wishes.no_stream else sink


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
