"""The keys of a terminal, as prompt-toolkit takes them; several lines at once are a paste.

A terminal without bracketed paste delivers a paste as if it were typed, and each of its line ends
would send a prompt. Nobody types a line end and goes on within one read of the keyboard, so such a
burst becomes one paste. A line end alone, or at the end of a line that arrived whole, is Enter.
"""

from __future__ import annotations

import codecs
import os
from typing import TextIO

from prompt_toolkit.input.vt100 import Vt100Input
from prompt_toolkit.key_binding import KeyPress
from prompt_toolkit.keys import Keys

from darkai_cli.repl import typeahead

_PIECE = 1 << 16
_MOST = 16 << 20
_ENDS = (Keys.ControlM, Keys.ControlJ)
_TEXT: dict[str, str] = {Keys.ControlM: "\n", Keys.ControlJ: "\n", Keys.ControlI: "\t"}


class Keyboard(Vt100Input):
    """Reads the terminal ``source``. Invalid UTF-8 becomes U+FFFD."""

    def __init__(self, source: TextIO) -> None:
        super().__init__(source)
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._gone = False

    @property
    def closed(self) -> bool:
        """Whether the terminal has gone."""
        return self._gone

    def read_keys(self) -> list[KeyPress]:
        """What was pressed since, a burst to its end."""
        size = self._take()
        while (
            size < _MOST
            and _may_go_on(self._buffer)
            and typeahead.waits(self.fileno(), typeahead.PAUSE)
        ):
            size += self._take() or _MOST
        keys, self._buffer = self._buffer, []
        return joined(keys)

    def _take(self) -> int:
        """Read once; how many bytes came."""
        if not typeahead.waits(self.fileno()):
            return 0
        try:
            data = os.read(self.fileno(), _PIECE)
        except InterruptedError:
            return 0
        except OSError:
            data = b""
        self._gone = not data
        self.vt100_parser.feed(self._decoder.decode(data))
        return len(data)


def _may_go_on(keys: list[KeyPress]) -> bool:
    """Whether more of a burst may be on its way: a line end came together with something else."""
    texts = [press for press in keys if _is_text(press)]
    return len(texts) > 1 and any(press.key in _ENDS for press in texts)


def joined(keys: list[KeyPress]) -> list[KeyPress]:
    """The keys with each burst of several lines as one paste, and Alt-Enter as a line end."""
    found: list[KeyPress] = [press for press in keys if press.key == Keys.CPRResponse]
    run: list[KeyPress] = []
    for press in keys:
        if press.key == Keys.CPRResponse:  # the terminal's answer, wherever it came in between
            continue
        if press.key == Keys.ControlM and found and not run and found[-1].key == Keys.Escape:
            found[-1] = KeyPress(Keys.ControlJ, "\n")
        elif _is_text(press):
            run.append(press)
        else:
            found += [*_as_paste(run), press]
            run = []
    return [*found, *_as_paste(run)]


def _as_paste(run: list[KeyPress]) -> list[KeyPress]:
    """A run of texts and line ends: one paste if a text follows a line end."""
    text = "".join(_TEXT.get(press.key, press.data) for press in run)
    if "\n" not in text.rstrip("\n"):
        return run
    return [KeyPress(Keys.BracketedPaste, text.rstrip("\n"))]


def _is_text(press: KeyPress) -> bool:
    """A character, a Tab or a line end."""
    return press.key in _TEXT or not isinstance(press.key, Keys)
