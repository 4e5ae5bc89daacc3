"""Keyboard input for prompt_toolkit in which several lines at once are a paste.

A terminal without bracketed paste delivers a paste as if it were typed, and each of its line ends
would send a prompt. Nobody types a line end and more text within one read of the keyboard, so such
a burst becomes one paste. A line end alone, or at the end of a line that arrived at once, is Enter.
"""

from __future__ import annotations

import codecs
import os
from typing import TextIO

from prompt_toolkit.input.vt100 import Vt100Input
from prompt_toolkit.key_binding import KeyPress
from prompt_toolkit.keys import Keys

from darkai_cli.repl import typeahead

_READ_BYTES = 1 << 16
_MAX_BURST = 16 << 20
"""Bytes of a burst."""
_LINE_ENDS = (Keys.ControlM, Keys.ControlJ)
_TEXT: dict[str, str] = {Keys.ControlM: "\n", Keys.ControlJ: "\n", Keys.ControlI: "\t"}


class PasteDetectingInput(Vt100Input):
    """Reads keys from the terminal ``source``. Invalid UTF-8 becomes U+FFFD."""

    def __init__(self, source: TextIO) -> None:
        super().__init__(source)
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._is_closed = False

    @property
    def closed(self) -> bool:
        """Whether the terminal is gone."""
        return self._is_closed

    def read_keys(self) -> list[KeyPress]:
        """Return the keys pressed since the last call, a burst to its end."""
        size = self._read()
        while (
            size < _MAX_BURST
            and _may_continue(self._buffer)
            and typeahead.has_input(self.fileno(), typeahead.BURST_PAUSE)
        ):
            size += self._read() or _MAX_BURST
        keys, self._buffer = self._buffer, []
        return join_bursts(keys)

    def _read(self) -> int:
        """Read what is there; return the number of bytes."""
        if not typeahead.has_input(self.fileno()):
            return 0
        try:
            data = os.read(self.fileno(), _READ_BYTES)
        except InterruptedError:
            return 0
        except OSError:
            data = b""
        self._is_closed = not data
        self.vt100_parser.feed(self._decoder.decode(data))
        return len(data)


def _may_continue(keys: list[KeyPress]) -> bool:
    """Whether more of a burst may follow: a line end came together with other text."""
    texts = [press for press in keys if _is_text(press)]
    return len(texts) > 1 and any(press.key in _LINE_ENDS for press in texts)


def join_bursts(keys: list[KeyPress]) -> list[KeyPress]:
    """Return the keys with each burst of several lines as one paste, and Alt-Enter as a line end.

    The terminal's answers to queries come first, so that they divide no burst.
    """
    joined: list[KeyPress] = [press for press in keys if press.key == Keys.CPRResponse]
    burst: list[KeyPress] = []
    for press in keys:
        if press.key == Keys.CPRResponse:
            continue
        if press.key == Keys.ControlM and joined and not burst and joined[-1].key == Keys.Escape:
            joined[-1] = KeyPress(Keys.ControlJ, "\n")
        elif _is_text(press):
            burst.append(press)
        else:
            joined += [*_as_paste(burst), press]
            burst = []
    return [*joined, *_as_paste(burst)]


def _as_paste(burst: list[KeyPress]) -> list[KeyPress]:
    """Return one paste if text follows a line end, else the keys."""
    text = "".join(_TEXT.get(press.key, press.data) for press in burst)
    if "\n" not in text.rstrip("\n"):
        return burst
    return [KeyPress(Keys.BracketedPaste, text.rstrip("\n"))]


def _is_text(press: KeyPress) -> bool:
    """Whether the key is a character, a Tab or a line end."""
    return press.key in _TEXT or not isinstance(press.key, Keys)
