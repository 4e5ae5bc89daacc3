"""What is left in a damaged SQLite file: the rows on every page that still makes sense.

Not a reader for whole files (SQLite is) and not a copy of its ``.recover``, which stops at our
full-text tables. No tree is walked, because the way to a page may be what is damaged: each page is
looked at by itself, newest version first (the write-ahead log before the file), and the rows on
leaf pages are decoded. Of a row whose pages are not all there, or hold what is no text, the values
are given as far as they go (``Row.cut``). Pages that SQLite has given up are left out as long as
the list of them can be read, so that what the user removed stays removed. Facts:
sqlite.org/fileformat2.html.
"""

from __future__ import annotations

import os
import struct
from codecs import getincrementaldecoder
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, Self

MAGIC = b"SQLite format 3\0"
_PAGE_SIZE = 4096  # SQLite's default, where the header does not say
_WAL_MAGICS = (0x377F0682, 0x377F0683)
_WAL_HEADER, _FRAME_HEADER = 32, 24
_FILE_HEADER = 100
_TABLE_LEAF, _INDEX_LEAF, _INDEX_INTERIOR, _TABLE_INTERIOR = 0x0D, 0x0A, 0x02, 0x05
_INTEGERS = {1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8}  # serial type: bytes


class Row(NamedTuple):
    """A row as it was found. ``number``: its rowid, None for a row of an index.

    ``cut``: a part is lost. The last text may lack its end, the values after it are None; a text
    may hold U+FFFD.
    """

    number: int | None
    values: tuple[Any, ...]
    cut: bool = False


class Pages:
    """A file's pages, and the rows on them. Use as a context manager.

    ``lost_rows``, ``lost_pages``: what could not be read, once ``rows`` has been read to its end.
    Raises ``OSError``.
    """

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDONLY)
        self._log = _open(Path(f"{path}-wal"))
        header = os.pread(self._file, _FILE_HEADER, 0)
        self._size, self._usable = _sizes(header)
        self._logged: dict[int, int] = {}  # page: where in the log its last version begins
        stored = -(-os.fstat(self._file).st_size // self._size)
        known = stored
        if len(header) == _FILE_HEADER and header.startswith(MAGIC):
            known = min(struct.unpack_from(">I", header, 28)[0], stored * 1000)
        self.count = max(stored, known, self._read_log())
        self.lost_rows = self.lost_pages = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._file)
        if self._log is not None:
            os.close(self._log)

    def rows(self) -> Iterator[Row]:
        """Every row on a leaf page, and in an index, that can be decoded."""
        free = self._free()
        explained = set(free)
        unknown = []
        for number in range(1, self.count + 1):
            if number in free:
                continue
            page = self._page(number)
            start = _FILE_HEADER if number == 1 else 0
            kind = page[start] if len(page) > start else None
            if kind in (_TABLE_LEAF, _INDEX_LEAF, _INDEX_INTERIOR):
                found = _cells(page, start)
                if found is None:
                    unknown.append(number)
                else:
                    for at in found:
                        yield from self._row(page, at, kind, explained)
            elif kind != _TABLE_INTERIOR:
                unknown.append(number)
        self.lost_pages = sum(number not in explained for number in unknown)

    def _row(self, page: bytes, at: int, kind: int, explained: set[int]) -> Iterator[Row]:
        try:
            if kind == _INDEX_INTERIOR:
                at += 4
            size, at = _varint(page, at)
            rowid: int | None = None
            if kind == _TABLE_LEAF:
                rowid, at = _varint(page, at)
            payload = self._payload(page, at, size, kind, explained)
            row = Row(rowid, *_values(payload, size))
        except (IndexError, ValueError, struct.error):
            self.lost_rows += 1
        else:
            yield row

    def _payload(self, page: bytes, at: int, size: int, kind: int, explained: set[int]) -> bytes:
        """A cell's content, from its page and those it overflows to, as far as they are there."""
        usable = self._usable
        largest = usable - 35 if kind == _TABLE_LEAF else (usable - 12) * 64 // 255 - 23
        if size <= largest:
            return self._part(page, at, size)
        least = (usable - 12) * 32 // 255 - 23
        here = least + (size - least) % (usable - 4)
        here = here if here <= largest else least
        parts = [self._part(page, at, here)]
        left = size - here
        if len(page) < at + here + 4:
            return parts[0]
        (following,) = struct.unpack_from(">I", page, at + here)
        explained.update(self._follow(following, left, parts))
        return b"".join(parts)

    def _follow(self, following: int, left: int, parts: list[bytes]) -> list[int]:
        """Add what an overflow chain holds to ``parts``, as far as it goes; its pages."""
        chain: list[int] = []
        seen = {0}
        while left > 0:
            if following in seen or following > self.count:
                if chain:  # a page that leads nowhere is not what was written there
                    chain.pop()
                    parts.pop()
                break
            more = self._page(following)
            if len(more) < self._size or not any(more):  # the file's end, or zeros over it
                break
            chain.append(following)
            seen.add(following)
            part = more[4 : 4 + min(left, self._usable - 4)]
            parts.append(part)
            left -= len(part)
            (following,) = struct.unpack_from(">I", more)
        return chain

    def _page(self, number: int) -> bytes:
        """A page, as much of it as the file has."""
        if number in self._logged and self._log is not None:
            return os.pread(self._log, self._size, self._logged[number])
        return os.pread(self._file, self._size, (number - 1) * self._size)

    def _part(self, page: bytes, at: int, size: int) -> bytes:
        """What a cell has on its page; less if the file ends before the page does."""
        part = page[at : at + size]
        if len(part) != size and len(page) == self._size:
            raise ValueError("a cell goes beyond its page")
        return part

    def _read_log(self) -> int:
        """Find the committed pages of the write-ahead log; how many pages the database then has."""
        if self._log is None:
            return 0
        header = os.pread(self._log, _WAL_HEADER, 0)
        if len(header) < _WAL_HEADER or struct.unpack_from(">I", header)[0] not in _WAL_MAGICS:
            return 0
        if struct.unpack_from(">I", header, 8)[0] != self._size:
            return 0
        at, count, pending = _WAL_HEADER, 0, {}
        while True:
            frame = os.pread(self._log, _FRAME_HEADER, at)
            if len(frame) < _FRAME_HEADER or frame[8:16] != header[16:24]:
                return count
            number, commits = struct.unpack_from(">II", frame)
            pending[number] = at + _FRAME_HEADER
            at += _FRAME_HEADER + self._size
            if commits:
                self._logged.update(pending)
                pending, count = {}, commits

    def _free(self) -> set[int]:
        """The pages that SQLite has given up; what they hold was removed."""
        first = self._page(1)
        if not first.startswith(MAGIC) or len(first) < _FILE_HEADER:
            return set()
        (trunk,) = struct.unpack_from(">I", first, 32)
        free: set[int] = set()
        while 0 < trunk <= self.count and trunk not in free:
            page = self._page(trunk)
            if len(page) < self._size:
                break
            free.add(trunk)
            trunk, leaves = struct.unpack_from(">II", page)
            if leaves > self._usable // 4 - 2:
                break
            free.update(struct.unpack_from(f">{leaves}I", page, 8))
        return free


def _open(path: Path) -> int | None:
    try:
        return os.open(path, os.O_RDONLY)
    except OSError:
        return None


def _sizes(header: bytes) -> tuple[int, int]:
    """Bytes in a page, and how many of them SQLite uses."""
    if len(header) == _FILE_HEADER and header.startswith(MAGIC):
        (size,) = struct.unpack_from(">H", header, 16)
        size = 65536 if size == 1 else size
        usable = size - header[20]
        if size >= 512 and size & (size - 1) == 0 and usable >= 480:
            return size, usable
    return _PAGE_SIZE, _PAGE_SIZE


def _cells(page: bytes, start: int) -> list[int] | None:
    """Where the cells of a b-tree page begin; None if that is no such page."""
    pointers = start + (12 if page[start] == _INDEX_INTERIOR else 8)
    if pointers > len(page):
        return None
    (count,) = struct.unpack_from(">H", page, start + 3)
    if pointers + 2 * count > len(page):
        return None
    return list(struct.unpack_from(f">{count}H", page, pointers))


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """A variable-length integer and where it ends."""
    value = 0
    for length in range(8):
        byte = data[at + length]
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, at + length + 1
    value = value << 8 | data[at + 8]
    return value - (1 << 64) if value >> 63 else value, at + 9


def _values(record: bytes, size: int) -> tuple[tuple[Any, ...], bool]:
    """The values of a record of that size, and whether a part of them is lost.

    Raises ``ValueError`` or ``IndexError`` where nothing makes sense.
    """
    end, at = _varint(record, 0)
    types = []
    while at < end:
        kind, at = _varint(record, at)
        types.append(kind)
    if at != end or not types or end + sum(map(_length, types)) != size:
        raise ValueError("not a record")
    values: list[Any] = []
    cut = False
    for kind in types:
        length = _length(kind)
        value, spoiled = _value(record[at : at + length], length, kind)
        cut = cut or spoiled
        values.append(value)
        at += length
    return tuple(values), cut


def _length(kind: int) -> int:
    """How many bytes a value of that serial type has. Raises ``ValueError``."""
    if kind in (0, 8, 9):
        return 0
    if kind in _INTEGERS:
        return _INTEGERS[kind]
    if kind == 7:
        return 8
    if kind < 12:
        raise ValueError("not a type")
    return (kind - 12) // 2


def _value(data: bytes, length: int, kind: int) -> tuple[Any, bool]:
    """One value, and whether a part of it is lost; None if nothing of it is of use."""
    if kind >= 13 and kind % 2:
        return _text(data, length)
    if len(data) < length:
        return None, True
    if kind in (0, 8, 9):
        return (None if kind == 0 else kind - 8), False
    if kind in _INTEGERS:
        return int.from_bytes(data, "big", signed=True), False
    if kind == 7:
        return struct.unpack(">d", data)[0], False
    return data, False


def _text(data: bytes, length: int) -> tuple[str | None, bool]:
    try:
        return getincrementaldecoder("utf-8")().decode(data, final=len(data) == length), (
            len(data) < length
        )
    except UnicodeDecodeError:
        return data.decode(errors="replace"), True
