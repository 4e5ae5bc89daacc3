"""How a person types: the contract between the loop and whatever reads the keyboard."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol


class Reader(Protocol):
    """How a person types."""

    def read(self, prefill: str) -> str:
        """The next line or lines. Raises ``EOFError`` to leave.

        ``prefill``: a text to begin with, which is sent only when the person sends it.
        """
        ...

    def confirm(self, question: str) -> bool:
        """Ask yes or no; no by default."""
        ...

    def with_echo(self) -> AbstractContextManager[None]:
        """The terminal as others expect it, who ask or read something themselves: with an echo."""
        ...

    def close(self) -> None:
        """Put the terminal right."""
        ...
