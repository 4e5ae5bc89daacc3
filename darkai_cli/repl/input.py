"""The input line: prompt_toolkit, with the keys of a good shell.

Enter sends; Alt-Enter, Ctrl-J or a backslash at the end of the line begin a new line. A paste stays
one message. Ctrl-C discards the text but keeps it in the input history; on an empty line it leaves
when pressed twice, as Ctrl-D does. Ctrl-X Ctrl-E opens the editor. The mouse is left to the
terminal. ``key_bindings`` has the keys, ``paste_detection`` what a burst of keys means.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from prompt_toolkit import PromptSession
from prompt_toolkit.application import get_app
from prompt_toolkit.auto_suggest import AutoSuggestFromHistory
from prompt_toolkit.data_structures import Size
from prompt_toolkit.enums import EditingMode
from prompt_toolkit.filters import Condition, vi_navigation_mode
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.input.typeahead import get_typeahead
from prompt_toolkit.key_binding import KeyPress
from prompt_toolkit.keys import Keys
from prompt_toolkit.layout.processors import TabsProcessor
from prompt_toolkit.layout.screen import Char
from prompt_toolkit.output.vt100 import Vt100_Output
from prompt_toolkit.styles import Style

from darkai_cli import signals, stdio
from darkai_cli.config import paths
from darkai_cli.errors import Terminated
from darkai_cli.repl import typeahead
from darkai_cli.repl.completer import SlashCompleter
from darkai_cli.repl.input_history import InputHistory
from darkai_cli.repl.key_bindings import Keymap
from darkai_cli.repl.lexer import InputLexer
from darkai_cli.repl.paste_detection import PasteDetectingInput
from darkai_cli.repl.pastes import Pastes
from darkai_cli.repl.preload import Preloader
from darkai_cli.repl.title import TitleBar
from darkai_cli.repl.toolbar import StatusLine

if TYPE_CHECKING:
    from prompt_toolkit.input import Input
    from prompt_toolkit.output import Output

    from darkai_cli.repl.session import ChatSession

MENU_ROWS = 6
"""Rows for the menu of completions, on a terminal that is high enough."""

_TAB_WIDTH = 4
"""Columns between two tab stops in pasted code."""

_STEADY_CURSOR = "\x1b[?12l"
"""Stops the cursor from blinking. prompt_toolkit sends it and never undoes it."""

_BIDI_CONTROLS = {
    chr(code): f"<{code:x}>" for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))
}
"""Controls of the text direction, displayed as codes: a paste must look like what is sent."""

Char.display_mappings.update(_BIDI_CONTROLS)

_STYLE = {
    "prompt": "bold",
    "bottom-toolbar": "noreverse dim",
    "bottom-toolbar.text": "noreverse dim",
    "command": "bold",
    "code": "italic",
    "paste": "reverse",
    "auto-suggestion": "dim",
}


class PromptReader:
    """Reads messages with prompt_toolkit.

    ``source`` is the keyboard; ``terminal`` keeps it from echoing between two inputs. Tests pass
    ``keys`` and ``output`` in place of the terminal, and ``history_file``.
    """

    def __init__(
        self,
        session: ChatSession,
        source: TextIO,
        terminal: typeahead.QuietTerminal | None = None,
        *,
        keys: Input | None = None,
        output: Output | None = None,
        history_file: Path | None = None,
    ) -> None:
        self._session = session
        self._input = keys or PasteDetectingInput(source)
        self._output = output or TerminalOutput(stdio.stdout(), stdio.environ().get("TERM", ""))
        self._terminal = terminal
        write = session.screen.styled if keys is None else _discard
        self._titlebar = TitleBar(write, stdio.environ())
        self._typed_ahead = ""
        self._status = StatusLine()
        self.pastes = Pastes()
        self._preloader = Preloader(session)
        self._completer = SlashCompleter(session)
        self._keymap = Keymap(session, self.pastes)
        is_stored = session.config.input_history and session.saved
        path = (history_file or paths.input_file(stdio.environ())) if is_stored else None
        self._prompt = self._make_prompt(InputHistory(path, self.pastes.expand))

    def _make_prompt(self, history: InputHistory) -> PromptSession[str]:
        vi = self._session.config.edit_mode == "vi"
        prompt: PromptSession[str] = PromptSession(
            message=[("class:prompt", "> ")],
            prompt_continuation=_continuation,
            multiline=True,
            editing_mode=EditingMode.VI if vi else EditingMode.EMACS,
            history=history,
            auto_suggest=AutoSuggestFromHistory(),
            completer=self._completer,
            complete_while_typing=Condition(_in_command),
            complete_in_thread=False,
            lexer=InputLexer(),
            input_processors=[TabsProcessor(tabstop=_TAB_WIDTH, char1=" ", char2=" ")],
            key_bindings=self._keymap.bindings(),
            bottom_toolbar=self._toolbar,
            enable_open_in_editor=False,
            enable_suspend=True,
            mouse_support=False,
            style=Style.from_dict(_STYLE),
            include_default_pygments_style=False,
            reserve_space_for_menu=MENU_ROWS,
            input=self._input,
            output=self._output,
        )
        app = prompt.app
        # After so many seconds an Escape is a key of its own.
        app.ttimeoutlen = 0.1
        # prompt_toolkit would print a warning between the lines.
        app.renderer.cpr_not_supported_callback = None
        app.key_processor.before_key_press += self._before_key
        app.before_render += self._fit_menu
        app.after_render += self._after_first_render
        return prompt

    def read(self, prefill: str) -> str:
        """Return the next message. Raises ``EOFError`` when the user leaves."""
        while True:
            try:
                return self._read(prefill)
            except KeyboardInterrupt:
                # Ctrl-C came before the input was there: it discards nothing.
                signals.clear_interrupt()

    def _read(self, prefill: str) -> str:
        self._status = StatusLine.of(self._session)
        self._completer.forget()
        self._keymap.begin()
        self._titlebar.show(self._session.title)
        self._typed_ahead += self._take_typeahead()
        self.pastes.clear()
        default = self.pastes.shorten(
            "\n".join(part for part in (prefill, self._typed_ahead) if part)
        )
        with _terminable():
            text = self._prompt.prompt(default=default, pre_run=self._on_start)
        return self.pastes.expand(text)

    def _on_start(self) -> None:
        self._typed_ahead = ""
        _handle_termination()

    def confirm(self, question: str) -> bool:
        """Ask yes or no; return True for yes. What was typed before the question is no answer."""
        self._typed_ahead += self._take_typeahead()
        prompt: PromptSession[str] = PromptSession(
            input=self._input, output=self._output, mouse_support=False
        )
        try:
            with _terminable():
                answer = prompt.prompt(f"{question} [y/N] ", pre_run=_handle_termination)
        except (EOFError, KeyboardInterrupt):
            signals.clear_interrupt()
            return False
        return answer.strip().lower() in ("y", "yes")

    @contextlib.contextmanager
    def with_echo(self) -> Iterator[None]:
        """Have the terminal echo inside the block, for others who read from it."""
        if self._terminal is None:
            yield
            return
        self._typed_ahead += self._take_typeahead()
        with self._terminal.with_echo():
            yield

    def close(self) -> None:
        """Restore the terminal and its title."""
        self._titlebar.restore()
        if self._terminal is not None:
            self._terminal.end()

    def _take_typeahead(self) -> str:
        """Return what was typed since the last input, what prompt_toolkit has read included."""
        data = b"".join(_bytes_of(press) for press in get_typeahead(self._input))
        text = typeahead.text_of(data)
        return text + self._terminal.take_typed() if self._terminal is not None else text

    def _before_key(self, _: object) -> None:
        self._keymap.pressed()
        # The first key of a prompt: a request follows soon.
        if len(self._prompt.default_buffer.text) < 2:
            self._preloader.connect()

    def _after_first_render(self, app: Any) -> None:
        """Load what a reply needs, now that the prompt is displayed."""
        app.after_render -= self._after_first_render
        self._preloader.load()

    def _fit_menu(self, app: Any) -> None:
        rows = app.output.get_size().rows
        self._prompt.reserve_space_for_menu = max(0, min(MENU_ROWS, rows - 4))

    def _toolbar(self) -> StyleAndTextTuples:
        width = self._output.get_size().columns
        text = self._keymap.hint or self._status.render(
            width, "normal mode" if vi_navigation_mode() else ""
        )
        return [("class:bottom-toolbar.text", text)]


def _discard(_: str) -> None:
    """Write nothing: tests have no title bar."""


def _bytes_of(press: KeyPress) -> bytes:
    """Return the bytes of a key as it was typed."""
    if press.key == Keys.BracketedPaste:
        return press.data.encode("utf-8", "replace")
    return (press.data if press.key != Keys.CPRResponse else "").encode("utf-8", "replace")


def _in_command() -> bool:
    text = get_app().current_buffer.text
    return text.startswith("/") and not text.startswith("//")


def _continuation(width: int, number: int, wrapped: int) -> str:  # noqa: ARG001 -- prompt-toolkit's
    return " " * width if wrapped else "." + " " * (width - 1)


_TERMINATION_SIGNALS = (signal.SIGTERM, signal.SIGHUP)


def _handle_termination() -> None:
    """Have SIGTERM and SIGHUP end the input: the event loop would lose their exception."""
    app, loop = get_app(), asyncio.get_running_loop()

    def end(number: int) -> None:
        if not app.is_done:
            app.exit(exception=_Termination(number))

    for number in _TERMINATION_SIGNALS:
        if callable(signal.getsignal(number)):
            # Only the main thread can set handlers.
            with contextlib.suppress(ValueError, RuntimeError):
                loop.add_signal_handler(number, end, number)


class _Termination(Exception):  # noqa: N818 -- not an error, and not seen outside
    """SIGTERM or SIGHUP came during the input."""


@contextlib.contextmanager
def _terminable() -> Iterator[None]:
    """Raise ``Terminated`` for a signal that came during the input, and restore the handlers."""
    handlers = {number: signal.getsignal(number) for number in _TERMINATION_SIGNALS}
    try:
        yield
    except _Termination as termination:
        raise Terminated(termination.args[0]) from None
    finally:
        for number, handler in handlers.items():
            # Only the main thread can set handlers.
            with contextlib.suppress(ValueError):
                if callable(handler):
                    signal.signal(number, handler)


class TerminalOutput(Vt100_Output):
    """prompt_toolkit's output to ``out``, without what would outlast the chat."""

    def __init__(self, out: TextIO, term: str) -> None:
        super().__init__(out, lambda: _size(out), term=term)

    def write_raw(self, data: str) -> None:
        """Write a text or an escape sequence."""
        super().write_raw(data.replace(_STEADY_CURSOR, ""))


def _size(out: TextIO) -> Size:
    columns, rows = stdio.size(out)
    return Size(rows=rows, columns=columns)
