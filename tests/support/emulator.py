"""A terminal emulator with a scrollback, for the properties of rendering. Uses pyte."""

from __future__ import annotations

import re

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

    def draw(self, data: str) -> None:
        if data.isascii():
            super().draw(data)
            return
        for char in data:  # pyte drops what follows a joiner in the same call
            super().draw(char)

    def erase_in_line(self, how: int = 0, private: bool = False) -> None:
        self._onto_last_cell()
        super().erase_in_line(how, private)

    def erase_in_display(self, how: int = 0, *args, **kwargs) -> None:
        self._onto_last_cell()
        super().erase_in_display(how, *args, **kwargs)

    def _onto_last_cell(self) -> None:
        """Behind a full row a real cursor stands on the last cell, and erasing takes that too."""
        self.cursor.x = min(self.cursor.x, self.columns - 1)

    def row(self, y: int) -> tuple:
        line = self.buffer[y]
        cells = []
        for x in range(self.columns):
            c = line[x]
            look = (c.fg, c.bg, c.bold, c.italics, c.underscore, c.strikethrough, c.reverse)
            if c.data == " " and not (c.underscore or c.strikethrough or c.reverse):
                look = ()  # the color of a blank is not seen
            cells.append((c.data, look))
        while cells and cells[-1] == (" ", ()):
            cells.pop()
        return tuple(cells)


class RewrappingTerminal:
    """An emulator that re-wraps when it is resized, as tmux, kitty and VTE do.

    It knows what the writer sends and one-cell characters, nothing else.
    """

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self._rows: list[list[str]] = [[]]
        self._joined: list[bool] = [False]  # whether a row continues the one above
        self._y = self._x = 0
        self._wraps = True

    def write(self, data: str) -> None:
        for token in re.findall(
            r"\x1b\[[?0-9;]*[A-Za-z]|\x1b\]8;[^\x1b]*\x1b\\\\|.", data, re.DOTALL
        ):
            self._obey(token)

    def resize(self, width: int) -> None:
        lines: list[list[str]] = []
        for row, joined in zip(self._rows, self._joined, strict=True):
            lines.append(lines.pop() + row if joined else list(row))
        owner = sum(not joined for joined in self._joined[: self._y + 1]) - 1
        start = max(y for y in range(self._y + 1) if not self._joined[y])
        position = (self._y - start) * self.width + self._x
        self._rows, self._joined, self.width = [], [], width
        for number, line in enumerate(lines):
            if number == owner:
                part = max(0, min(position, len(line)) - 1) // width
                self._y = len(self._rows) + part
                self._x = min(position, len(line)) - part * width
            for at in range(0, max(1, len(line)), width):
                self._rows.append(line[at : at + width])
                self._joined.append(at > 0)

    def rows(self) -> list[str]:
        return ["".join(row).rstrip() for row in self._rows]

    def _obey(self, token: str) -> None:
        if token == "\r":
            self._x = 0
        elif token == "\n":
            self._down()
        elif token.startswith("\x1b["):
            self._sequence(token)
        elif len(token) == 1:
            if self._x >= self.width:
                if self._wraps:
                    self._down(joined=True)
                    self._x = 0
                else:
                    self._x = self.width - 1
            row = self._rows[self._y]
            row.extend(" " * (self._x + 1 - len(row)))
            row[self._x] = token
            self._x += 1

    def _down(self, *, joined: bool = False) -> None:
        self._y += 1
        if self._y == len(self._rows):
            self._rows.append([])
            self._joined.append(joined)
        else:
            self._joined[self._y] = joined

    def _sequence(self, token: str) -> None:
        if token.endswith("A"):
            top = max(0, len(self._rows) - self.height)
            self._y = max(top, self._y - int(token[2:-1]))
        elif token == "\x1b[K":
            x = min(self._x, self.width - 1)  # a cursor behind a full row stands on its last cell
            del self._rows[self._y][x:]
        elif token == "\x1b[J":
            del self._rows[self._y][min(self._x, self.width - 1) :]
            del self._rows[self._y + 1 :], self._joined[self._y + 1 :]
        elif token in ("\x1b[?7h", "\x1b[?7l"):
            self._wraps = token.endswith("h")
