"""From options to sinks: opens what is to be written, and puts it in place or away at the end.

What only the answer needs (Rich above all) is imported once the request is on the wire, in a
thread, while the service thinks; what can be wrong with the destination is found before.
"""

from __future__ import annotations

import gc
import os
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, BinaryIO, Literal, NamedTuple, cast

from darkai_cli import signals, stdio
from darkai_cli.errors import InputError
from darkai_cli.events import Event, TextChunk
from darkai_cli.output.format import OutputOptions, select_format

if TYPE_CHECKING:
    from darkai_cli.config import Config
    from darkai_cli.conversation.rate_limit import WaitPolicy
    from darkai_cli.files import AtomicFile
    from darkai_cli.output.progress import Waiting
    from darkai_cli.output.sink import Sink


class Aside(NamedTuple):
    """What is wanted beside the answer."""

    quiet: bool = False
    verbose: bool = False
    record: str | None = None


class Output:
    """The sinks of one reply."""

    def __init__(
        self,
        config: Config,
        wishes: OutputOptions,
        path: str | None = None,
        aside: Aside | None = None,
    ) -> None:
        self._config = config
        self._wishes = wishes
        self._aside = aside or Aside()
        self._prepared = False
        self.before = ""
        """The text that a resumed reply has already."""
        self._waiting: Waiting | None = None
        terminal = stdio.is_terminal(stdio.stdout())
        self._kind = select_format(
            wishes._replace(
                to_file=path is not None,
                raw=wishes.raw or not (config.markdown or wishes.json or wishes.extract),
            ),
            terminal=terminal,
        )
        self._file = _atomic(path) if path is not None else None
        if self._file is None:
            stdio.binary_stdout()
        self.sinks: list[Sink] = [_First(self._stop_waiting), _Later(self._answer)]
        if self._aside.record is not None:
            self.sinks.insert(0, _recording(self._aside.record))
        self.sinks.append(_Later(self._notices))
        if self._kind != "markdown":
            self.sinks.append(_Later(self._reasoning))

    def wait(self, host: str) -> None:
        """A request to ``host`` begins: say so on a terminal, if nothing comes for a while."""
        if not self._watched:
            return
        from darkai_cli.output.progress import Waiting

        self._stop_waiting()
        err = stdio.stderr()
        self._waiting = Waiting(err, host, width=lambda: stdio.size(err)[0])
        self._waiting.start()

    @property
    def _watched(self) -> bool:
        """Whether a row that changes may be drawn on stderr, for somebody to watch."""
        if self._aside.quiet or self._config.plain or stdio.is_dumb():
            return False
        return stdio.is_terminal(stdio.stderr())

    @property
    def patience(self) -> WaitPolicy:
        """How long to wait for the slots of rate limits: with a countdown where it is watched."""
        from darkai_cli.conversation.rate_limit import patience_of

        return patience_of(self._config, self._count_down if self._watched else None)

    def _count_down(self, why: str, seconds: float) -> None:
        from darkai_cli.output.countdown import count_down

        self._stop_waiting()
        err = stdio.stderr()
        count_down(err, why, seconds, width=lambda: stdio.size(err)[0])

    @property
    def ask(self) -> Callable[[str], str] | None:
        """Puts a question to the person at the terminal; None where nobody is to be asked.

        It takes a terminal to show it on, with its mark, and one to answer from.
        """
        if self._aside.quiet or stdio.is_dumb():
            return None
        there = stdio.is_terminal(stdio.stdin()) and stdio.is_terminal(stdio.stderr())
        return self._asked if there else None

    def _asked(self, question: str) -> str:
        from darkai_cli.conversation import consent

        self._stop_waiting()
        return consent.ask(question)

    def _stop_waiting(self) -> None:
        if self._waiting is not None:
            self._waiting.stop()

    def prepare(self) -> None:
        """The request is on the wire: import what the answer needs while the service thinks."""
        if self._prepared:
            return
        self._prepared = True
        if not gc.isenabled():  # once: what a later reply left behind must not be kept for good
            gc.freeze()
            gc.enable()
        threading.Thread(target=self._import, name="prepare", daemon=True).start()

    def _import(self) -> None:
        signals.block_in_thread()
        import darkai_cli.output.notices

        if self._kind == "markdown":
            import darkai_cli.output.terminal
        elif self._kind == "extract":
            import darkai_cli.output.extract
        elif self._kind in ("raw", "plain"):
            import darkai_cli.output.raw  # noqa: F401

    def _notices(self) -> Sink:
        from darkai_cli.output.notices import NoticeSink

        # With --json notices are events; stderr repeats them only for a person who watches.
        silent = self._kind == "json" and not stdio.is_terminal(stdio.stderr())
        return NoticeSink(
            stdio.print_err,
            quiet=self._aside.quiet or silent,
            verbose=self._aside.verbose,
            hold=self._kind == "markdown",
            sources=self._kind != "markdown",
        )

    def _reasoning(self) -> Sink:
        from darkai_cli.output.notices import ReasoningSink

        wanted = self._config.reasoning
        return ReasoningSink(stdio.stderr(), "hide" if wanted == "auto" else wanted)

    def _answer(self) -> Sink:
        """The answer's own sink; where it must see the whole reply, what came before is in it."""
        sink = self._made()
        whole = self._file is not None or self._kind in ("markdown", "extract")
        if self.before and whole and self._kind != "json":
            sink.feed(TextChunk(self.before))
        return sink

    def _made(self) -> Sink:
        file = self._file.open() if self._file is not None else None
        if self._kind == "json":
            from darkai_cli.output.jsonl import JsonlSink

            return JsonlSink(file or stdio.binary_stdout())
        if self._kind == "extract":
            return _extract(file)
        from darkai_cli.output.raw import PlainSink, RawSink, WholeSink

        sink: Sink
        if self._kind == "markdown":
            sink = _rendered(self._config, quiet=self._aside.quiet)
        elif self._kind == "raw":
            sink = RawSink(file or stdio.binary_stdout())
        else:
            sink = PlainSink(stdio.stdout())
        return WholeSink(sink) if self._wishes.no_stream else sink

    def finish(self, *, complete: bool) -> None:
        """Put the file in place if the reply is complete, else leave the old one as it was."""
        self._stop_waiting()
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


class _First:
    """Calls ``then`` at the first event that shows, or at the end."""

    def __init__(self, then: Callable[[], None]) -> None:
        self._then = then

    def feed(self, event: Event) -> None:
        if event.type != "stream-start":
            self._then()

    def close(self, error: BaseException | None = None) -> None:  # noqa: ARG002 -- a sink's
        self._then()


class Look(NamedTuple):
    """How Markdown looks on this terminal. ``append``: nothing is drawn over."""

    append: bool
    theme: Literal["light", "dark"]
    links: bool
    truecolor: bool


def look(config: Config) -> Look:
    """The look, as this terminal and the config have it."""
    from darkai_cli.output.terminal import capabilities

    environ = stdio.environ()
    append = config.plain or stdio.is_dumb() or "CI" in environ
    return Look(
        append=append,
        theme=capabilities.background(environ) if config.theme == "auto" else config.theme,
        links=not append and capabilities.has_links(environ),
        truecolor=capabilities.has_truecolor(environ),
    )


def _rendered(config: Config, *, quiet: bool) -> Sink:
    """Markdown on the terminal; a ``code_theme`` that does not exist is told, and replaced."""
    from darkai_cli.output.notices import tell
    from darkai_cli.output.terminal import TerminalSink, capabilities
    from darkai_cli.output.terminal.theme import has_code_theme

    out, environ = stdio.stdout(), stdio.environ()
    chosen = look(config)
    if not (quiet or has_code_theme(config.code_theme)):
        tell("warning", f"there is no code theme `{config.code_theme}`; `auto` is used")
    return TerminalSink(
        out,
        width=lambda: stdio.size(out)[0],
        height=lambda: stdio.size(out)[1],
        colour=stdio.use_color(out),
        theme=chosen.theme,
        code_theme=config.code_theme,
        mode="append" if chosen.append else "live",
        links=chosen.links,
        reasoning="fold" if config.reasoning == "auto" else config.reasoning,
        tmux="TMUX" in environ,
        truecolor=chosen.truecolor,
        rewraps=capabilities.rewraps(environ),
        marks=not (config.plain or stdio.is_dumb()),
        input_fd=0 if stdio.is_terminal(stdio.stdin()) else None,
    )


def _atomic(path: str) -> AtomicFile:
    from darkai_cli.files import AtomicFile

    return AtomicFile(path)


def _extract(file: BinaryIO | None) -> Sink:
    from darkai_cli.output.extract import ExtractSink
    from darkai_cli.output.raw import writer
    from darkai_cli.output.sanitize import sanitize

    if file is None and stdio.is_terminal(stdio.stdout()):
        write = writer(stdio.binary_stdout())
        return ExtractSink(lambda text: write(sanitize(text)))
    return ExtractSink(writer(file or stdio.binary_stdout()))


def _recording(path: str) -> Sink:
    from darkai_cli.output.jsonl import RecordSink

    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    except OSError as exc:
        reason = (exc.strerror or str(exc)).lower()
        raise InputError(
            f"cannot write `{path}`: {reason}", hint="name another file with `--record`"
        ) from exc
    return RecordSink(cast("BinaryIO", os.fdopen(handle, "wb")), path)
