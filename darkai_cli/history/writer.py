"""The journal's thread: turns what was said into records and puts them somewhere safe.

While another process holds the database the records go to this process's presence file instead
(``presence``), which a later start merges; the database is tried again each time. Only if both fail
is anything lost. All records of a turn are kept in memory until it has ended: if the database turns
out to be damaged it is moved aside and the turn is written anew.
"""

from __future__ import annotations

import sqlite3
from collections import deque
from collections.abc import Iterable
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

from darkai_cli.errors import StoreError
from darkai_cli.history import presence, records, recovery
from darkai_cli.history.connection import (
    Opened,
    StoreDamagedError,
    StoreLockedError,
    connect,
    fault,
    set_aside,
)
from darkai_cli.history.records import Record
from darkai_cli.history.stored import clean

_PATIENCE = 0.05  # for a lock; then the records are spilled


class Writer:
    """The journal's writer; all of it belongs to one thread.

    ``problem``: why the last flush did not reach the database. ``safe``: whether it is spilled.
    """

    def __init__(
        self, path: Path, queue: deque[str | tuple[str, Any]], warnings: list[str]
    ) -> None:
        self._path = path
        self._queue = queue
        self._warnings = warnings
        self._records: list[Record] = []  # of the turns that have not ended in the database
        self._committed = 0  # how many of them are in the database
        self._spilled = 0  # how many of them are in the presence file, or were committed before
        self._turn: str | None = None
        self._seq = 0
        self._presence: presence.Presence | None = None
        self._opened: Opened | None = None
        self.problem: StoreError | None = None
        self.safe = True

    def flush(self) -> bool:
        """Empty the queue into the database, True, or else into the presence file, False."""
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
        return isinstance(self.problem, StoreLockedError)

    def close(self) -> None:
        """Close the files; what is not in the database stays in the presence file."""
        if self._opened is not None:
            self._opened.conn.close()
        if self._presence is not None:
            self._presence.close()
        self._opened = self._presence = None

    def _collect(self) -> None:
        take = self._queue.popleft
        given: list[Any] = [take() for _ in range(len(self._queue))]
        for kind, run in groupby(given, type):
            if kind is str:
                self._add_piece("text", run)
            else:
                self._collect_others(run)

    def _collect_others(self, given: Iterable[Any]) -> None:
        for kind, run in groupby(given, itemgetter(0)):
            if kind == "record":
                for _, record in run:
                    self._add(record)
            elif kind == "part":
                for _, part in run:
                    self._add_piece(kind, (part,))
            else:
                self._add_piece(kind, (piece for _, piece in run))

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
            "text": clean("".join(pieces)),
        })  # fmt: skip
        self._seq += 1

    def _write(self) -> None:
        """Commit what is not committed. Raises ``StoreError``."""
        try:
            own = self._own_presence()
            conn = self._connection()
            conn.execute("BEGIN IMMEDIATE")
            try:
                for record in self._signed(own, self._committed):
                    records.apply(conn, record)
                conn.execute("COMMIT")
            except BaseException:
                if conn.in_transaction:
                    conn.execute("ROLLBACK")
                raise
            self._committed = self._spilled = len(self._records)
            own.clear()
        except (sqlite3.Error, OSError) as exc:
            raise fault(exc, self._path) from exc
        if self._records[-1]["op"] == "end":
            self._records.clear()
            self._committed = self._spilled = 0

    def _own_presence(self) -> presence.Presence:
        if self._presence is None:
            self._presence = presence.Presence(self._path)
        return self._presence

    def _connection(self) -> sqlite3.Connection:
        if self._opened is None:
            self._opened = connect(self._path, patience=_PATIENCE)
            self._warnings.extend(self._opened.warnings)
            self._warnings.extend(recovery.recover(self._opened.conn, self._path))
        return self._opened.conn

    def _replace(self) -> None:
        """Move a database that proved to be damaged aside; the turn is written into a new one."""
        if self._opened is not None:
            self._opened.conn.close()
            self._warnings.extend(set_aside(self._path, self._opened.inode))
            self._opened = None
        self._committed = self._spilled = 0

    def _signed(self, own: presence.Presence, start: int) -> list[Record]:
        """The records from ``start`` on, each with the name of this process."""
        pending = self._records[start:]
        for record in pending:
            record["owner"] = own.owner
        return pending

    def _spill(self) -> None:
        try:
            own = self._own_presence()
            own.spill(self._signed(own, self._spilled))
            self._spilled = len(self._records)
            self.safe = True
        except OSError as exc:
            self.safe = False
            if self.problem is None or isinstance(self.problem, StoreLockedError):
                self.problem = fault(exc, self._path)
