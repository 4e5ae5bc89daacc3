"""A terminal emulator with a scrollback, for the properties of rendering. Uses pyte."""

from __future__ import annotations

import pyte


class Terminal:
    """What a reader of the terminal sees: all rows, those that scrolled away included."""

    def __init__(self, width: int, height: int) -> None:
        self._screen = _Screen(width, height)
        self._stream = pyte.Stream(self._screen)

    def write(self, data: str) -> None:
        self._stream.feed(data)

    def cells(self) -> list[tuple]:
        """Every row as its cells, ``(text, look)``, trailing blanks and blank rows at the end cut."""
        rows = [*self._screen.gone, *(self._screen.row(y) for y in range(self._screen.lines))]
        while rows and not rows[-1]:
            rows.pop()
        return rows

    def rows(self) -> list[str]:
        return ["".join(text for text, _ in row) for row in self.cells()]

    @property
    def scrolled(self) -> list[str]:
        return ["".join(text for text, _ in row) for row in self._screen.gone]

    @property
    def cursor_row(self) -> int:
        return len(self._screen.gone) + self._screen.cursor.y

    @property
    def cursor_hidden(self) -> bool:
        return self._screen.cursor.hidden

    @property
    def wraps(self) -> bool:
        return pyte.modes.DECAWM in self._screen.mode


class _Screen(pyte.Screen):
    def __init__(self, width: int, height: int) -> None:
        self.gone: list[tuple] = []
        super().__init__(width, height)
        self.set_mode(pyte.modes.LNM)  # a terminal line: LF is CR LF

    def index(self) -> None:
        if self.cursor.y == self.lines - 1:
            self.gone.append(self.row(0))
        super().index()

    def row(self, y: int) -> tuple:
        line = self.buffer[y]
        cells = []
        for x in range(self.columns):
            c = line[x]
            look = (c.fg, c.bg, c.bold, c.italics, c.underscore, c.strikethrough, c.reverse)
            if c.data == " " and not (c.underscore or c.strikethrough or c.reverse):
                look = ()  # the colour of a blank is not seen
            cells.append((c.data, look))
        while cells and cells[-1] == (" ", ()):
            cells.pop()
        return tuple(cells)
