"""Make the sinks of a reply from the output options, and put what they wrote in place at the end.

What only the answer needs (Rich above all) is imported once the request is on the wire, in a
thread, while the service thinks; a destination that cannot be used is an error before that.
"""

from __future__ import annotations

import gc
import os
import threading
from typing import TYPE_CHECKING, BinaryIO, Literal, NamedTuple, cast

from darkai_cli import signals, stdio, tty
from darkai_cli.conversation.request import TurnObserver
from darkai_cli.conversation.save import TurnRecorder
from darkai_cli.errors import InputError
from darkai_cli.events import TextChunk
from darkai_cli.output.format import OutputOptions, select_format
from darkai_cli.output.sink import LateSink, Sink

if TYPE_CHECKING:
    from darkai_cli.config import Config
    from darkai_cli.files import AtomicFile
    from darkai_cli.output.progress import Spinner

QUESTION_MARK = "\x1b[7m ? \x1b[27m "


class Output(TurnObserver):
    """The sinks of one reply, and what a terminal shows while it is awaited.

    ``recorder`` saves the turn, if it is to be saved. Raises ``UsageError`` and ``InputError`` for
    a destination that cannot be used.
    """

    def __init__(
        self, config: Config, options: OutputOptions, recorder: TurnRecorder | None = None
    ) -> None:
        self._config = config
        self._options = options
        self.recorder = recorder or TurnRecorder()
        self._is_prepared = False
        self._waiting: Spinner | None = None
        raw = options.raw or not (config.markdown or options.json or options.extract)
        terminal = stdio.is_terminal(stdio.stdout())
        self._format = select_format(options._replace(raw=raw), terminal=terminal)
        self._file = _atomic(options.file) if options.file is not None else None
        if self._file is None:
            stdio.binary_stdout()  # raises if stdout is closed
        self.sinks: list[Sink | LateSink] = [
            LateSink(self._answer_sink),
            LateSink(self._notice_sink, takes_text=False),
        ]
        if options.record is not None:
            self.sinks.insert(0, _recording(options.record))
        if self._format != "markdown" and config.reasoning not in ("auto", "hide"):
            self.sinks.append(LateSink(self._reasoning_sink))

    def request_started(self, host: str) -> None:
        """Show on a terminal that ``host`` is waited for, if nothing comes for a while."""
        if not self.counts_down:
            return
        from darkai_cli.output.progress import Spinner

        self.wait_ended()
        self._waiting = Spinner(stdio.stderr(), host)
        self._waiting.start()

    @property
    def counts_down(self) -> bool:
        """Whether a row that changes may be drawn on stderr, for somebody to watch."""
        if self._options.quiet or self._config.plain or stdio.is_dumb():
            return False
        return stdio.is_terminal(stdio.stderr())

    def count_down(self, reason: str, seconds: float) -> None:
        """Wait so many seconds and show how many remain, and why."""
        from darkai_cli.output.progress import count_down

        self.wait_ended()
        count_down(stdio.stderr(), reason, seconds)

    @property
    def can_ask(self) -> bool:
        """Whether a question can be shown on a terminal, with its mark, and answered from one."""
        if self._options.quiet or stdio.is_dumb():
            return False
        return stdio.is_terminal(stdio.stdin()) and stdio.is_terminal(stdio.stderr())

    def ask(self, question: str) -> str:
        """Ask the person at the terminal; return the line without blanks around it.

        Only for what costs money or sends a prompt to a service that nobody chose. The question
        begins with a mark in reverse video, which text of a model or a service can never have: no
        control character of theirs reaches the terminal, and nothing is rendered like it. What was
        typed before the question is discarded. Returns "" at the end of the input.
        """
        from darkai_cli.output.sanitize import sanitize_line

        self.wait_ended()
        err = stdio.stderr()
        tty.discard_pending(stdio.stdin().fileno())
        err.write(f"{QUESTION_MARK}{sanitize_line(question, 300)} ")
        err.flush()
        signals.raise_pending()
        line = ""
        try:
            line = stdio.stdin().readline()
        except (OSError, ValueError):  # the terminal has gone, or what came is no text
            return ""
        finally:
            if not line.endswith("\n"):
                stdio.print_err("")
        return line.strip()

    def wait_ended(self) -> None:
        """Clear the row that shows what is waited for, before anything else is written."""
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting.stop()

    def request_sent(self) -> None:
        """The request is on the wire: history and sinks get ready while the service thinks."""
        self.prepare()
        self.recorder.sent()

    def prepare(self) -> None:
        """Import what the answer needs, in a thread."""
        if self._is_prepared:
            return
        self._is_prepared = True
        # Only once: what a later reply leaves behind must stay collectable.
        if not gc.isenabled():
            gc.freeze()
            gc.enable()
        threading.Thread(target=self._import, name="prepare", daemon=True).start()

    def _import(self) -> None:
        signals.block_in_thread()
        import darkai_cli.output.notices

        if self._format == "markdown":
            import darkai_cli.output.terminal
        elif self._format == "extract":
            import darkai_cli.output.extract
        elif self._format in ("raw", "plain"):
            import darkai_cli.output.raw  # noqa: F401

    def _notice_sink(self) -> Sink:
        from darkai_cli.output.notices import NoticeSink

        # With --json notices are events; stderr repeats them only for a person who watches.
        silent = self._format == "json" and not stdio.is_terminal(stdio.stderr())
        return NoticeSink(
            stdio.print_err,
            quiet=self._options.quiet or silent,
            verbose=self._options.verbose,
            hold=self._format == "markdown",
            sources=self._format != "markdown",
        )

    def _reasoning_sink(self) -> Sink:
        from darkai_cli.output.notices import ReasoningSink

        return ReasoningSink(stdio.stderr(), shows_text=self._config.reasoning == "show")

    def _answer_sink(self) -> Sink:
        """Return the answer's sink; one that shows the whole reply begins with what is resumed."""
        sink = self._new_answer_sink()
        partial = self.recorder.position.partial
        shows_whole = self._file is not None or self._format in ("markdown", "extract")
        if partial and shows_whole and self._format != "json":
            sink.feed(TextChunk(partial))
        return sink

    def _new_answer_sink(self) -> Sink:
        file = self._file.open() if self._file is not None else None
        if self._format == "json":
            from darkai_cli.output.jsonl import JsonlSink

            return JsonlSink(file or stdio.binary_stdout())
        if self._format == "extract":
            return _extract(file)
        from darkai_cli.output.raw import BufferedSink, PlainSink, RawSink

        sink: Sink
        if self._format == "markdown":
            sink = _rendered(self._config, quiet=self._options.quiet)
        elif self._format == "raw":
            sink = RawSink(file or stdio.binary_stdout())
        else:
            sink = PlainSink(stdio.stdout())
        return BufferedSink(sink) if self._options.no_stream else sink

    def finish(self, *, complete: bool) -> None:
        """Put the file in place if the reply is complete, else leave the old one as it was."""
        self.wait_ended()
        if self._file is not None:
            if complete:
                self._file.commit()
            else:
                self._file.discard()


class MarkdownStyle(NamedTuple):
    """How Markdown looks on this terminal. ``append``: nothing is drawn over."""

    append: bool
    theme: Literal["light", "dark"]
    links: bool
    truecolor: bool


def markdown_style(config: Config) -> MarkdownStyle:
    """Return how Markdown looks, as this terminal and the config have it."""
    from darkai_cli.output.terminal import capabilities

    environ = stdio.environ()
    append = config.plain or stdio.is_dumb() or "CI" in environ
    return MarkdownStyle(
        append=append,
        theme=capabilities.background(environ) if config.theme == "auto" else config.theme,
        links=not append and capabilities.has_links(environ),
        truecolor=capabilities.has_truecolor(environ),
    )


def _rendered(config: Config, *, quiet: bool) -> Sink:
    """Return the sink that renders on the terminal; an unknown ``code_theme`` brings a warning."""
    from darkai_cli.output.notices import tell
    from darkai_cli.output.terminal import TerminalSink, capabilities
    from darkai_cli.output.terminal.theme import has_code_theme

    out, environ = stdio.stdout(), stdio.environ()
    style = markdown_style(config)
    if not (quiet or has_code_theme(config.code_theme)):
        tell("warning", f"No code theme named `{config.code_theme}`; using `auto`")
    return TerminalSink(
        out,
        width=lambda: stdio.size(out)[0],
        height=lambda: stdio.size(out)[1],
        color=stdio.use_color(out),
        theme=style.theme,
        code_theme=config.code_theme,
        mode="append" if style.append else "live",
        links=style.links,
        reasoning="fold" if config.reasoning == "auto" else config.reasoning,
        tmux="TMUX" in environ,
        truecolor=style.truecolor,
        rewraps=capabilities.rewraps(environ),
        marks=not (config.plain or stdio.is_dumb()),
        input_fd=0 if stdio.is_terminal(stdio.stdin()) else None,
    )


def _atomic(path: str) -> AtomicFile:
    from darkai_cli.files import AtomicFile

    return AtomicFile(path)


def _extract(file: BinaryIO | None) -> Sink:
    from darkai_cli.output.extract import ExtractSink
    from darkai_cli.output.raw import text_writer
    from darkai_cli.output.sanitize import sanitize

    if file is None and stdio.is_terminal(stdio.stdout()):
        write = text_writer(stdio.binary_stdout())
        return ExtractSink(lambda text: write(sanitize(text)))
    return ExtractSink(text_writer(file or stdio.binary_stdout()))


def _recording(path: str) -> Sink:
    from darkai_cli.output.recording import RecordSink

    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    except OSError as exc:
        reason = (exc.strerror or str(exc)).lower()
        raise InputError(
            f"Can't write `{path}`: {reason}", hint="Choose another file with `--record`"
        ) from exc
    return RecordSink(cast("BinaryIO", os.fdopen(handle, "wb")), path)
