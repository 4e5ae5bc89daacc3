"""The journal's thread: turns what was given into records and puts them somewhere safe.

While a reply comes, that is this process's presence file (``presence``), which a later start merges
if this process dies: a plain write, so that nothing competes for the interpreter with a burst of
text. After ``_REST`` seconds, then less and less often, and when the turn ends, the records go into
the database, and the file is emptied; while another process holds the database they stay in the
file. Only if both fail is anything lost. All records of a turn are kept in memory until it has
ended: if the database turns out to be damaged it is moved aside and the turn is written anew.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable
from itertools import groupby, repeat, starmap
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from darkai_cli.errors import StoreError
from darkai_cli.events import (
    Citation,
    ReasoningChunk,
    TextChunk,
    ToolCall,
    ToolResult,
    to_json,
)
from darkai_cli.history.turns import dumps
from darkai_cli.text import well_formed

if TYPE_CHECKING:
    from darkai_cli.events import Event
    from darkai_cli.history.journal_connection import Database
    from darkai_cli.history.presence import Presence
    from darkai_cli.history.turns import Record

    Given = str | Event | Record
    """What a journal is given: text, an event, a record that is ready."""

_REST, _LONGEST = 2.0, 8.0
"""Seconds between two writes to the database while a reply comes: first, and in the long run."""
_PARTS = (ToolCall, ToolResult, Citation)
_text_of = attrgetter("text")


class Writer:
    """The journal's writer; all of it belongs to one thread.

    ``problem``: why the last flush did not reach the database. ``safe``: whether it is spilled.
    """

    def __init__(self, path: Path, queue: deque[Given], warnings: list[str]) -> None:
        self._path = path
        self._queue = queue
        self._warnings = warnings
        self._records: list[Record] = []  # of the turns that have not ended in the database
        self._committed = 0  # how many of them are in the database
        self._spilled = 0  # how many of them are in the presence file, or were committed before
        self._rest = _REST
        self._due = time.monotonic() + _REST  # when the database is next written to
        self._turn: str | None = None
        self._seq = 0
        self._presence: Presence | None = None
        self._database: Database | None = None
        self.problem: StoreError | None = None
        self.safe = True

    def keep(self) -> None:
        """Make safe what was given since: in the file, at times in the database too."""
        self._collect()
        if self._committed == len(self._records):
            return
        heavy = any(record.get("images") for record in self._records[self._spilled :])
        if not heavy:  # images are not for lines of text, as long as the database takes them
            self._spill()  # first: the database may be slow to open, or locked
        if heavy or time.monotonic() > self._due or not self.safe:
            self.flush()
            self._rest = min(self._rest * 2, _LONGEST)
            self._due = time.monotonic() + self._rest

    def flush(self) -> bool:
        """Put what was given into the database, True, or else into the presence file, False."""
        from darkai_cli.history.database import StoreDamagedError  # sqlite3: not before

        self._collect()
        if self._committed == len(self._records):
            return True
        try:
            try:
                self._write()
            except StoreDamagedError:
                self._replace()
                self._write()
        except StoreError as exc:
            self.problem = exc
            self._spill()
            return False
        self.problem, self.safe = None, True
        return True

    @property
    def locked(self) -> bool:
        """Whether another process kept the last flush from the database."""
        if self.problem is None:
            return False
        from darkai_cli.history.database import StoreLockedError

        return isinstance(self.problem, StoreLockedError)

    def close(self) -> None:
        """Close the files; what is not in the database stays in the presence file."""
        if self._database is not None:
            self._database.close()
        if self._presence is not None:
            self._presence.close()
        self._database = self._presence = None

    def _collect(self) -> None:
        queue = self._queue
        given = list(starmap(queue.popleft, repeat((), len(queue))))  # what is added now stays
        for kind, run in groupby(given, type):
            self._sort(kind, run)

    def _sort(self, kind: type, run: Iterable[Any]) -> None:
        """Take what came of one kind, one after the other."""
        if kind is str:
            self._add_piece("text", run)
        elif kind is TextChunk:
            self._add_piece("text", map(_text_of, run))
        elif kind is ReasoningChunk:
            self._add_piece("reasoning", map(_text_of, run))
        elif kind is dict:
            for record in run:
                self._add(record)
        elif kind in _PARTS:
            for event in run:
                self._add_piece("part", (dumps(to_json(event)),))

    def _add(self, record: Record) -> None:
        if record["op"] == "begin":
            self._turn, self._seq = record["ids"][1], 0
        self._records.append(record)

    def _add_piece(self, kind: str, pieces: Iterable[str]) -> None:
        self._records.append({
            "op": "piece",
            "turn": self._turn,
            "seq": self._seq,
            "kind": kind,
            "text": well_formed("".join(pieces)),
        })  # fmt: skip
        self._seq += 1

    def _write(self) -> None:
        """Commit what is not committed. Raises ``StoreError``."""
        from darkai_cli.history.database import fault
        from darkai_cli.history.journal_connection import Database

        if self._database is None:
            self._database = Database(self._path, self._warnings)
        ended = self._records[-1]["op"] == "end"  # else others must be able to see who writes
        try:
            own = self._presence if ended else self._own_presence()
            name = own.path.name if own is not None else ""
            self._database.commit(self._signed(own, self._committed), name)
            self._committed = self._spilled = len(self._records)
            if own is not None:
                own.clear()
        except OSError as exc:
            raise fault(exc, self._path) from exc
        if ended:
            self._rest = _REST
            self._due = time.monotonic() + _REST
            self._records.clear()
            self._committed = self._spilled = 0

    def _replace(self) -> None:
        """Move a database that proved to be damaged aside; the turn is written into a new one."""
        if self._database is not None:
            self._database.replace()
        self._committed = self._spilled = 0

    def _own_presence(self) -> Presence:
        if self._presence is None:
            from darkai_cli.history.presence import Presence

            self._presence = Presence(self._path)
        return self._presence

    def _signed(self, own: Presence | None, start: int) -> list[Record]:
        """The records from ``start`` on, each with the name of this process, if it has one."""
        pending = self._records[start:]
        for record in pending:
            record["owner"] = own.owner if own is not None else None
        return pending

    def _spill(self) -> None:
        """Into the presence file; ``safe`` says whether that went well."""
        if self._spilled == len(self._records):
            return
        try:
            own = self._own_presence()
            own.spill(self._signed(own, self._spilled))
            self._spilled = len(self._records)
            self.safe = True
        except OSError as exc:
            from darkai_cli.history.database import fault

            self.safe = False
            if self.problem is None or self.locked:
                self.problem = fault(exc, self._path)
