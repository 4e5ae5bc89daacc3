"""What is told about a session in one line at the foot of the input."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from darkai_cli.output.sanitize import sanitize_line

if TYPE_CHECKING:
    from darkai_cli.repl.session import ChatSession

SEPARATOR = " · "


class Facts(NamedTuple):
    """What the line below the input tells, and in which order its parts are left out.

    ``parts``: texts with their rank; of those that do not fit, the highest rank goes first. They
    are gathered once for an input, because nothing of it changes while somebody types.
    """

    parts: tuple[tuple[int, str], ...] = ()

    @classmethod
    def of(cls, session: ChatSession) -> Facts:
        """The facts about a session."""
        fit = session.fit()
        place, count = session.branches.place()
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

    def line(self, width: int, before: str = "") -> str:
        """One line of at most ``width`` columns less one: it never wraps.

        ``before``: what is told first and never left out.
        """
        room = max(1, width - 1)
        parts = [(-1, before), *self.parts] if before else list(self.parts)
        while len(parts) > 1 and columns(SEPARATOR.join(text for _, text in parts)) > room:
            parts.remove(max(parts, key=lambda part: part[0]))
        return cut(SEPARATOR.join(text for _, text in parts), room)


def cut(text: str, room: int) -> str:
    """The beginning of a text that takes at most ``room`` columns."""
    while columns(text) > room:
        text = text[:-1]
    return text


def columns(text: str) -> int:
    """The columns that a text takes on the terminal."""
    from prompt_toolkit.utils import get_cwidth

    return get_cwidth(text)
