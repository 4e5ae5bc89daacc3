"""How a person types: prompt-toolkit, with the keys of a good shell.

Enter sends; Alt-Enter, Ctrl-J and a backslash at the end of the line begin a new line. A paste
stays one message. Ctrl-C drops what was typed, and keeps it in the input history; on an empty line,
the second one leaves, as Ctrl-D does. Ctrl-X Ctrl-E opens the editor. The mouse stays the
terminal's. Which key does what is in ``keys``, what a burst of keys means in ``keyboard``.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Callable, Iterator
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
from darkai_cli.repl.paste_detection import Keyboard
from darkai_cli.repl.pastes import Pastes
from darkai_cli.repl.preload import Preloader
from darkai_cli.repl.title import TitleBar
from darkai_cli.repl.toolbar import Facts

if TYPE_CHECKING:
    from prompt_toolkit.input import Input
    from prompt_toolkit.output import Output

    from darkai_cli.repl.session import ChatSession

MENU = 6
"""Rows for the menu of completions, where the terminal has them to spare."""

_TAB = 4
"""Columns between two tab stops, in code that was pasted."""

_STEADY_CURSOR = "\x1b[?12l"
"""Sent with each cursor that is shown; nobody would make it blink again."""

_TURNS = {chr(code): f"<{code:x}>" for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))}
"""Characters that turn the direction of the text: pasted ones could show what is not sent."""

Char.display_mappings.update(_TURNS)

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
    """Reads with prompt-toolkit. ``source``: the keyboard, which ``hush`` keeps quiet in between.

    ``keys``, ``output``: for tests, in place of the terminal. ``typed``: the file of typed lines.
    """

    def __init__(
        self,
        session: ChatSession,
        source: TextIO,
        hush: typeahead.QuietTerminal | None = None,
        *,
        keys: Input | None = None,
        output: Output | None = None,
        typed: Path | None = None,
    ) -> None:
        self._session = session
        self._input = keys or Keyboard(source)
        self._output = output or Drawing(stdio.stdout(), stdio.environ().get("TERM", ""))
        self._hush = hush
        write = session.screen.styled if keys is None else _nowhere
        self._titlebar = TitleBar(write, stdio.environ())
        self._waiting = ""
        self._facts = Facts()
        self.pastes = Pastes()
        self._warming = Preloader(session)
        self._completer = SlashCompleter(session)
        self._keymap = Keymap(session, self.pastes)
        keep = session.config.input_history and session.saved
        place = (typed or paths.input_file(stdio.environ())) if keep else None
        self._prompt = self._prompted(InputHistory(place, self.pastes.whole))

    def _prompted(self, history: InputHistory) -> PromptSession[str]:
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
            input_processors=[TabsProcessor(tabstop=_TAB, char1=" ", char2=" ")],
            key_bindings=self._keymap.bindings(),
            bottom_toolbar=self._toolbar,
            enable_open_in_editor=False,
            enable_suspend=True,
            mouse_support=False,
            style=Style.from_dict(_STYLE),
            include_default_pygments_style=False,
            reserve_space_for_menu=MENU,
            input=self._input,
            output=self._output,
        )
        app = prompt.app
        app.ttimeoutlen = 0.1  # an Escape of its own is known after so many seconds
        app.renderer.cpr_not_supported_callback = None  # it would warn between the lines
        app.key_processor.before_key_press += self._pressed
        app.before_render += self._fit_menu
        app.after_render += self._shown
        return prompt

    def read(self, prefill: str) -> str:
        """The next message. Raises ``EOFError`` to leave."""
        while True:
            try:
                return self._read(prefill)
            except KeyboardInterrupt:  # before the input was there: it drops nothing
                signals.clear_interrupt()

    def _read(self, prefill: str) -> str:
        self._facts = Facts.of(self._session)
        self._completer.forget()
        self._keymap.begin()
        self._titlebar.show(self._session.title)
        self._waiting += self._taken()
        self.pastes.clear()
        default = self.pastes.take("\n".join(part for part in (prefill, self._waiting) if part))
        with _terminable():
            typed = self._prompt.prompt(default=default, pre_run=self._began)
        return self.pastes.whole(typed)

    def _began(self) -> None:
        self._waiting = ""
        _listen()

    def confirm(self, question: str) -> bool:
        """Ask yes or no; no by default. What was typed before the question answers nothing."""
        self._waiting += self._taken()
        asked: PromptSession[str] = PromptSession(
            input=self._input, output=self._output, mouse_support=False
        )
        try:
            with _terminable():
                answer = asked.prompt(f"{question} [y/N] ", pre_run=_listen)
        except (EOFError, KeyboardInterrupt):
            signals.clear_interrupt()
            return False
        return answer.strip().lower() in ("y", "yes")

    @contextlib.contextmanager
    def with_echo(self) -> Iterator[None]:
        """The terminal as others expect it: for a question, or a program that reads from it."""
        if self._hush is None:
            yield
            return
        self._waiting += self._taken()
        with self._hush.with_echo():
            yield

    def close(self) -> None:
        """Give the terminal back as it was."""
        self._titlebar.restore()
        if self._hush is not None:
            self._hush.end()

    def _taken(self) -> str:
        """What was typed since the last input, also what prompt-toolkit has read already."""
        read = b"".join(_bytes_of(press) for press in get_typeahead(self._input))
        text = typeahead.text_of(read)
        return text + self._hush.taken() if self._hush is not None else text

    def _pressed(self, _: object) -> None:
        self._keymap.pressed()
        if len(self._prompt.default_buffer.text) < 2:  # soon a request, unless it is a command
            self._warming.connect()

    def _shown(self, app: Any) -> None:
        """The prompt is there: what a reply needs can be loaded now."""
        app.after_render -= self._shown
        self._warming.load()

    def _fit_menu(self, app: Any) -> None:
        rows = app.output.get_size().rows
        self._prompt.reserve_space_for_menu = max(0, min(MENU, rows - 4))

    def _toolbar(self) -> StyleAndTextTuples:
        width = self._output.get_size().columns
        text = self._keymap.warning or self._facts.line(
            width, "normal mode" if vi_navigation_mode() else ""
        )
        return [("class:bottom-toolbar.text", text)]


def _nowhere(_: str) -> None:
    """No terminal, no title."""


def _bytes_of(press: KeyPress) -> bytes:
    """A key as it was typed."""
    if press.key == Keys.BracketedPaste:
        return press.data.encode("utf-8", "replace")
    return (press.data if press.key != Keys.CPRResponse else "").encode("utf-8", "replace")


def _in_command() -> bool:
    text = get_app().current_buffer.text
    return text.startswith("/") and not text.startswith("//")


def _continuation(width: int, number: int, wrapped: int) -> str:  # noqa: ARG001 -- prompt-toolkit's
    return " " * width if wrapped else "." + " " * (width - 1)


_ENDINGS = (signal.SIGTERM, signal.SIGHUP)


def _listen() -> None:
    """Have SIGTERM and SIGHUP end the input: raised in the event loop they would be lost."""
    app, loop = get_app(), asyncio.get_running_loop()

    def end(number: int) -> None:
        if not app.is_done:
            app.exit(exception=_Ended(number))

    for number in _ENDINGS:
        if callable(signal.getsignal(number)):
            with contextlib.suppress(ValueError, RuntimeError):  # not in the main thread
                loop.add_signal_handler(number, end, number)


class _Ended(Exception):  # noqa: N818 -- never seen outside: an event loop swallows other kinds
    """A signal that ends the session came while somebody typed."""


@contextlib.contextmanager
def _terminable() -> Iterator[None]:
    """The session's own handlers again afterwards; what came meanwhile is raised."""
    handlers: dict[int, Callable[..., Any]] = {}
    for number in _ENDINGS:
        handler = signal.getsignal(number)
        if callable(handler):
            handlers[number] = handler
    try:
        yield
    except _Ended as ended:
        raise Terminated(ended.args[0]) from None
    finally:
        for ending, earlier in handlers.items():
            with contextlib.suppress(ValueError):  # not in the main thread
                signal.signal(ending, earlier)


class Drawing(Vt100_Output):
    """prompt-toolkit's output on ``out``."""

    def __init__(self, out: TextIO, term: str) -> None:
        super().__init__(out, lambda: _size(out), term=term)

    def write_raw(self, data: str) -> None:
        """Send a sequence."""
        super().write_raw(data.replace(_STEADY_CURSOR, ""))


def _size(out: TextIO) -> Size:
    columns, rows = stdio.size(out)
    return Size(rows=rows, columns=columns)
