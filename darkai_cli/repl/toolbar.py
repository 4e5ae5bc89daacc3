"""The status line below the input: model, title, tokens, branch, attachments."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from darkai_cli.output.sanitize import sanitize_line

if TYPE_CHECKING:
    from darkai_cli.repl.session import ChatSession

SEPARATOR = " · "


class StatusLine(NamedTuple):
    """The parts of the status line, gathered once for an input: typing changes none of them.

    ``parts``: texts with a rank. On a narrow terminal the parts of the highest rank are dropped.
    """

    parts: tuple[tuple[int, str], ...] = ()

    @classmethod
    def of(cls, session: ChatSession) -> StatusLine:
        """Return the status of a session."""
        fit = session.fit()
        place, count = session.branches.active_number()
        attached = len(session.pending.texts) + len(session.pending.images)
        parts: list[tuple[int, str]] = [(0, sanitize_line(session.name, 60))]
        if session.title:
            parts.append((4, sanitize_line(session.title, 40)))
        if fit.room:
            parts.append((3, f"~{fit.size}/{fit.room} tokens"))
        elif len(session.branches):
            parts.append((3, f"~{fit.size} tokens"))
        if count > 1:
            parts.append((2, f"branch {place}/{count}"))
        if attached:
            parts.append((1, f"{attached} attached"))
        if not session.saved:
            parts.append((2, "not saved"))
        return cls(tuple(parts))

    def render(self, width: int, mode: str = "") -> str:
        """Return a line of at most ``width`` - 1 columns, so that it never wraps.

        ``mode``: the editing mode, which comes first and is never dropped.
        """
        room = max(1, width - 1)
        parts = [(-1, mode), *self.parts] if mode else list(self.parts)
        while len(parts) > 1 and columns(SEPARATOR.join(text for _, text in parts)) > room:
            parts.remove(max(parts, key=lambda part: part[0]))
        return cut(SEPARATOR.join(text for _, text in parts), room)


def cut(text: str, room: int) -> str:
    """Return the beginning of the text that fits ``room`` columns."""
    while columns(text) > room:
        text = text[:-1]
    return text


def columns(text: str) -> int:
    """Return how many columns the text takes on the terminal."""
    from prompt_toolkit.utils import get_cwidth

    return get_cwidth(text)
