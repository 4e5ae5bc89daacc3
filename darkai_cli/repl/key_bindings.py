"""The keys of the input beside prompt_toolkit's own: send, new line, leave, open the editor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prompt_toolkit.application import get_app, run_in_terminal
from prompt_toolkit.filters import Condition, is_searching, vi_mode, vi_navigation_mode
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.keys import Keys

from darkai_cli import signals
from darkai_cli.config import editor
from darkai_cli.errors import DarkAIError
from darkai_cli.repl.pastes import Pastes, as_input

if TYPE_CHECKING:
    from prompt_toolkit.buffer import Buffer

    from darkai_cli.repl.session import ChatSession

LEAVE_HINT = "Press Ctrl-C again or Ctrl-D to leave"


class Keymap:
    """The keys of one chat. Ctrl-C twice on an empty line, with no key in between, leaves."""

    def __init__(self, session: ChatSession, pastes: Pastes) -> None:
        self._session = session
        self._pastes = pastes
        self._key_count = 0
        self._warned_at: int | None = None
        """The number of the key that made the hint appear."""
        self._is_editing = False

    def begin(self) -> None:
        """Begin a new input."""
        self._warned_at = None

    def pressed(self) -> None:
        """Count a key, before its action runs."""
        self._key_count += 1

    @property
    def hint(self) -> str:
        """The hint to show until the next key, or ""."""
        return LEAVE_HINT if self._warned_at == self._key_count else ""

    def bindings(self) -> KeyBindings:
        """Return the key bindings for prompt_toolkit."""
        keys = KeyBindings()
        keys.add("enter", filter=~is_searching)(self._enter)
        keys.add("escape", "enter", filter=~is_searching & ~vi_mode)(_new_line)
        keys.add("c-j", filter=~is_searching & ~vi_navigation_mode)(_new_line)
        keys.add(Keys.BracketedPaste)(self._paste)
        keys.add("c-c", filter=~is_searching)(self._cancel)
        keys.add("<sigint>")(self._cancel)
        keys.add("c-d", filter=Condition(_is_empty))(_leave)
        keys.add("c-x", "c-e")(self._edit)
        keys.add("v", filter=vi_navigation_mode)(self._edit)
        return keys

    def _enter(self, event: KeyPressEvent) -> None:
        buffer = event.current_buffer
        if buffer.complete_state is not None and buffer.complete_state.current_completion:
            buffer.complete_state = None
            return
        document = buffer.document
        if document.is_cursor_at_the_end and document.text_before_cursor.endswith("\\"):
            buffer.delete_before_cursor()
            buffer.insert_text("\n")
            return
        buffer.validate_and_handle()

    def _paste(self, event: KeyPressEvent) -> None:
        text = event.data.replace("\r\n", "\n").replace("\r", "\n")
        display_text = self._pastes.shorten(text)
        if not event.current_buffer.document.text_before_cursor.strip():
            display_text = as_input(display_text)
        event.current_buffer.insert_text(display_text)

    def _cancel(self, event: KeyPressEvent) -> None:
        signals.clear_interrupt()
        if self._is_editing:
            # Ctrl-C was meant for the editor.
            return
        buffer = event.current_buffer
        if buffer.text:
            buffer.append_to_history()
            buffer.reset()
        elif self._warned_at is not None and self._key_count <= self._warned_at + 1:
            event.app.exit(exception=EOFError)
        else:
            self._warned_at = self._key_count

    def _edit(self, event: KeyPressEvent) -> None:
        """Open the editor on the text."""
        if not self._is_editing:
            self._is_editing = True
            event.app.create_background_task(self._run_editor(event.current_buffer))

    async def _run_editor(self, buffer: Buffer) -> None:
        session, text = self._session, self._pastes.expand(buffer.text)

        def edit() -> str:
            try:
                return editor.edit_text(text, session.config.editor, session.child_environment())
            except DarkAIError as error:
                session.screen.error(error)
                return text

        try:
            edited = await run_in_terminal(edit, in_executor=True)
        finally:
            self._is_editing = False
        if edited != text:
            buffer.text = self._pastes.shorten(edited)
        buffer.cursor_position = len(buffer.text)


def _new_line(event: KeyPressEvent) -> None:
    event.current_buffer.insert_text("\n")


def _leave(event: KeyPressEvent) -> None:
    event.app.exit(exception=EOFError)


def _is_empty() -> bool:
    return not get_app().current_buffer.text
