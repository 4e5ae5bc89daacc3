"""What a process that streams said it gave, as the kill tests need it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from history.journal_child import PIECE

CHILD = Path(__file__).with_name("journal_child.py")


class Given(NamedTuple):
    """The turn, and when each piece was given (seconds of the monotonic clock)."""

    turn: str
    times: list[float]
    ended: bool

    @classmethod
    def of(cls, lines: Iterable[str]) -> Given:
        """From the lines that the process printed; the last one may be cut."""
        (_, turn, _), *rest = (line.split() for line in lines)
        times = [float(line[2]) for line in rest if line[0] == "gave" and len(line) == 3]
        return cls(turn, times, any(line == ["ended"] for line in rest))

    def could_be(self, text: str) -> bool:
        """Whether the text begins what was sent (one piece may have been given but not told)."""
        sent = "".join(PIECE.format(number) for number in range(len(self.times) + 1))
        return sent.startswith(text)


def given_before(given: Given, moment: float) -> str:
    """The text that had been given by then."""
    count = sum(when <= moment for when in given.times[:-1])
    return "".join(PIECE.format(number) for number in range(count))
