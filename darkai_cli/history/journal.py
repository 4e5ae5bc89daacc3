"""Save a turn while it happens.

The caller only appends to a queue, which costs next to nothing and wakes nobody. A thread looks
into the queue every ``INTERVAL`` seconds and commits what came to the database, so text is safe
250 ms after it was given and painting never waits. In the first moments, and while another process
holds the database, the records go to a file of this process instead (``recovery``), until a commit
succeeds. The end of a turn is written by the caller: it waits for that anyway, and in the thread
the same work took twice as long.

Importing this module and beginning a turn load no ``sqlite3``: the thread does, after the request
was sent.
"""

from __future__ import annotations

import json
import threading
import time
from base64 import b64encode
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from darkai_cli import signals
from darkai_cli.errors import StoreError
from darkai_cli.events import (
    Citation,
    Event,
    ReasoningChunk,
    TextChunk,
    ToolCall,
    ToolResult,
    Usage,
    to_json,
)
from darkai_cli.history import ids
from darkai_cli.history.turns import Record, TurnIds, apply, dumps, pending_folder, title_from
from darkai_cli.text import well_formed

if TYPE_CHECKING:
    import sqlite3

    from darkai_cli.history.database import Opened
    from darkai_cli.history.recovery import ProcessLock
    from darkai_cli.messages import Image

FinalState = Literal["complete", "interrupted", "truncated", "failed"]
SavedWhere = Literal["saved", "spilled"]
QueueItem = str | Event | Record
"""What is in the queue: a piece of the reply's text, an event, or a record that is ready."""

INTERVAL = 0.15
"""Seconds between two looks into the queue. With the wait for a lock and the writing below 250."""
_LOCK_WAIT = 0.05
"""Seconds to wait for a lock, until the records go to the file."""
_OPEN_AFTER = 1.0
"""Seconds until the database is opened while a reply comes; the file has its records until then."""
_LONGEST_CONNECTING = 1.0
"""Seconds until the prompt is saved, where the request was not sent by then."""
_LAST_LOCK_WAIT = 1.6
"""Seconds to wait for a lock when a turn ends; with the rest of the exit, below 2 s."""
_NOT_SAVED = "The reply was NOT saved"
_RETRY_PAUSE = 0.05
_HANGING = 10.0
"""Seconds to wait for the thread. It may hang in the file system; on a busy machine it is slow."""


class Journal:
    """Saves the turns of one process, one after the other.

    Nothing is opened, and no thread started, before the first ``begin``. The methods are for one
    thread at a time. ``warnings`` grows; it is what the user should be told.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.warnings: list[str] = []
        self.turn_ids: TurnIds | None = None
        """The ids of the latest turn and its parts."""
        self._queue: deque[QueueItem] = deque()
        self._began = 0.0
        self._first_text: float | None = None
        self._latest_ms = 0
        self._thread: threading.Thread | None = None
        self._turn_began, self._request_sent, self._turn_ended = (
            threading.Event() for _ in range(3)
        )
        self._turn_ended.set()
        self._lock = threading.Lock()
        self._writer: RecordWriter | None = None  # Only the holder of ``_lock`` uses it.
        self._thread_hangs = False

    def begin(
        self,
        prompt: str | None,
        *,
        provider: str,
        model: str,
        conversation: str | None = None,
        parent: str | None = None,
        prompt_id: str | None = None,
        title: str | None = None,
        options: Mapping[str, Any] | None = None,
        system: str | None = None,
        resumes: str | None = None,
        partial: str = "",
        images: Sequence[Image] = (),
    ) -> TurnIds:
        """Begin a turn and return the ids of it and its parts, without waiting for anything.

        ``prompt``: the user's new message, below ``parent`` (None: at the root). For another reply
        to an existing message it is None, and ``prompt_id`` names the message. ``conversation``:
        None makes a new one, with ``title`` or a title made from the prompt. ``resumes``: the turn
        that this one continues; ``partial``: its text, with which this reply begins. ``images``
        belong to the prompt.
        """
        if (prompt is None) == (prompt_id is None):
            raise ValueError("a turn needs either a prompt or the id of one")
        self._latest_ms = max(ids.now_ms(), self._latest_ms + 1)  # so that ids sort by time
        fresh = ids.new_ids(4, self._latest_ms)
        self.turn_ids = TurnIds(conversation or fresh[0], fresh[1], prompt_id or fresh[2], fresh[3])
        self._began, self._first_text = time.monotonic(), None
        self._request_sent.clear()
        self._turn_ended.clear()
        self._queue.append({
            "op": "begin",
            "ids": list(self.turn_ids),
            "parent": parent,
            "prompt": None if prompt is None else well_formed(prompt),
            "title": well_formed(
                title or title_from(prompt or "", (image.name for image in images))
            ),
            "provider": well_formed(provider),
            "model": well_formed(model),
            "options": dumps(dict(options or {})),
            "system": None if system is None else well_formed(system),
            "resumes": resumes,
            "started": self._latest_ms,
            "images": [
                (well_formed(image.media_type), well_formed(image.name), image.data)
                for image in images
            ],
        })  # fmt: skip
        if partial:
            self._queue.append(partial)  # ``text`` would also set the time to the first text.
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
            self._thread.start()
        self._turn_began.set()
        return self.turn_ids

    def sent(self) -> None:
        """Note that the request is on its way, so that the prompt is saved soon."""
        # In the thread, this import would fight for the interpreter with the reply's first text.
        from darkai_cli.history import recovery  # noqa: F401

        self._request_sent.set()

    def answered(self, provider: str, model: str) -> None:
        """Note which model really answers: after a fallback not the one that was chosen."""
        assert self.turn_ids is not None
        self._queue.append({
            "op": "answered",
            "turn": self.turn_ids.turn,
            "provider": well_formed(provider),
            "model": well_formed(model),
        })  # fmt: skip

    def text(self, text: str) -> None:
        """Save a piece of the reply's text; the first one also sets the time to the first text."""
        if self._first_text is None:
            self._first_text = time.monotonic()
        self._queue.append(text)

    def take(self, event: Event) -> None:
        """Save an event of the reply; those that a turn doesn't keep are ignored."""
        self._queue.append(event)

    def end(
        self,
        state: FinalState,
        *,
        reason: str | None = None,
        error_kind: str | None = None,
        error: str | None = None,
        usage: Usage | None = None,
    ) -> SavedWhere:
        """End the turn, and return once it is saved.

        That takes at most 2 s while another process holds the database: the turn is then
        ``spilled`` to a file that the next start merges. Raises ``StoreError`` if it could not be
        saved anywhere.
        """
        now = time.monotonic()
        tokens = usage or Usage()
        self._latest_ms = max(ids.now_ms(), self._latest_ms)  # also if the clock was set back
        first_text = self._first_text
        assert self.turn_ids is not None
        self._queue.append({
            "op": "end",
            "turn": self.turn_ids.turn,
            "state": state,
            "reason": reason,
            "error_kind": error_kind,
            "error": None if error is None else well_formed(error),
            "usage": [tokens.input, tokens.output, tokens.reasoning, tokens.cached],
            "first_text_ms": None if first_text is None else _ms(first_text - self._began),
            "duration_ms": _ms(now - self._began),
            "ended": self._latest_ms,
        })  # fmt: skip
        with self._exclusive(), signals.deferred():
            try:
                return self._write_end(now + _LAST_LOCK_WAIT)
            except StoreError:
                raise
            except Exception as exc:
                raise StoreError(f"{_NOT_SAVED}. {exc}") from exc

    def close(self) -> None:
        """Write what is left and close the database. A turn without an end is interrupted."""
        if self._thread is None:
            return
        try:
            with self._exclusive(), signals.deferred():
                writer = self._open_writer()
                try:
                    writer.commit()
                finally:
                    writer.close()
                    self._writer = None
        except Exception as exc:  # noqa: BLE001 -- ``end`` has reported it, if the turn had an end
            del exc
        finally:
            self._thread = None  # It tells the thread to end.
            self._turn_began.set()

    @contextmanager
    def _exclusive(self) -> Iterator[None]:
        """Keep the thread from writing. Raises ``StoreError`` if it hangs."""
        self._turn_ended.set()
        self._request_sent.set()
        if not self._lock.acquire(timeout=0 if self._thread_hangs else _HANGING):
            self._thread_hangs = True
            raise StoreError(f"{_NOT_SAVED}. The history does not respond (`{self.path}`)")
        try:
            yield
        finally:
            self._lock.release()

    def _write_end(self, deadline: float) -> SavedWhere:
        """Commit everything, waiting for a lock until the deadline; else leave it in the file."""
        writer = self._open_writer()
        while not writer.commit() and writer.is_locked and time.monotonic() < deadline:
            time.sleep(_RETRY_PAUSE)
        problem = writer.problem
        if problem is None:
            return "saved"
        if not writer.is_safe:
            raise StoreError(f"{_NOT_SAVED}. {problem.message}", hint=problem.hint) from problem
        if not writer.is_locked:  # A lock goes away by itself; this does not.
            self.warnings.append(
                f"{problem.message}. The turn is saved in `{pending_folder(self.path)}` for now"
            )
        return "spilled"

    def _open_writer(self) -> RecordWriter:
        if self._writer is None:
            self._writer = RecordWriter(self.path, self._queue, self.warnings)
        return self._writer

    def _run(self) -> None:
        """Write while a reply comes, until the journal is closed."""
        signals.block_in_thread()
        while True:
            self._turn_began.wait()
            if self._thread is not threading.current_thread():
                return  # The signal is for the thread that a later turn has started.
            self._turn_began.clear()
            self._request_sent.wait(_LONGEST_CONNECTING)
            looked = time.monotonic()
            while not self._turn_ended.wait(max(0.0, looked + INTERVAL - time.monotonic())):
                looked = time.monotonic()
                with self._lock:
                    if self._turn_ended.is_set():
                        break
                    try:
                        self._open_writer().commit_early()
                    except Exception as exc:  # noqa: BLE001 -- ``end`` meets it again and reports it
                        del exc


class RecordWriter:
    """Turns what is in a journal's queue into records, and writes them to the database.

    All records of a turn stay in memory until it has ended in the database: if that turns out to be
    damaged, it is moved aside and the turn is written to a new one. For one thread at a time.

    ``problem``: why the last commit did not reach the database. ``is_safe``: whether the records
    are in the file of this process then.
    """

    def __init__(self, path: Path, queue: deque[QueueItem], warnings: list[str]) -> None:
        self._path = path
        self._queue = queue
        self._warnings = warnings
        self._records: list[Record] = []
        self._committed = 0  # how many of the records are in the database
        self._pending: list[str] = []  # the others as JSON, as far as they are in the file
        self._turn: str | None = None
        self._next_piece = 0
        self._process_lock: ProcessLock | None = None
        self._opened: Opened | None = None
        self._open_at = time.monotonic() + _OPEN_AFTER
        self.problem: StoreError | None = None
        self.is_safe = True

    def commit_early(self) -> None:
        """Write what came, while the reply goes on.

        The records go to the file first where the database can't be relied on: another process may
        still hold it, and opening it takes time. It is not opened in the first moments, because a
        reply that comes all at once would have to share the interpreter with that. Images are too
        large to be written twice without need.
        """
        self._collect()
        has_images = any(record.get("images") for record in self._records[self._committed :])
        is_open = self._opened is not None
        if self.problem is not None or not (is_open or has_images):
            self._write_pending()
        if is_open or has_images or not self.is_safe or time.monotonic() > self._open_at:
            self.commit()

    def commit(self) -> bool:
        """Write what came to the database, or else to the file and return False."""
        self._collect()
        if self._committed == len(self._records):
            return True
        from darkai_cli.history.database import StoreDamagedError  # loads sqlite3

        try:
            try:
                self._write()
            except StoreDamagedError:
                self._replace_database()
                self._write()
        except StoreError as exc:
            self.problem = exc
            self._write_pending()
            return False
        self.problem, self.is_safe = None, True
        return True

    @property
    def is_locked(self) -> bool:
        """Whether another process kept the last commit from the database."""
        if self.problem is None:
            return False
        from darkai_cli.history.database import StoreLockedError

        return isinstance(self.problem, StoreLockedError)

    def close(self) -> None:
        """Close the database; what is not in it stays in the file."""
        if self._opened is not None:
            self._opened.conn.close()
        if self._process_lock is not None:
            self._process_lock.release()
        self._opened = self._process_lock = None

    def _collect(self) -> None:
        """Make records of what is in the queue; text that came in a row is one piece."""
        items = [self._queue.popleft() for _ in range(len(self._queue))]
        for kind, group in groupby(items, type):
            self._add(kind, group)

    def _add(self, kind: type, items: Iterable[Any]) -> None:
        """Add items of one kind, one after the other."""
        if kind is str:
            self._add_piece("text", "".join(items))
        elif kind is TextChunk:
            self._add_piece("text", "".join([event.text for event in items]))
        elif kind is ReasoningChunk:
            self._add_piece("reasoning", "".join([event.text for event in items]))
        elif kind in (ToolCall, ToolResult, Citation):
            for event in items:
                self._add_piece("part", dumps(to_json(event)))
        elif kind is dict:
            for record in items:
                if record["op"] == "begin":
                    self._turn, self._next_piece = TurnIds(*record["ids"]).turn, 0
                self._records.append(record)

    def _add_piece(self, kind: str, text: str) -> None:
        self._records.append({
            "op": "piece",
            "turn": self._turn,
            "seq": self._next_piece,
            "kind": kind,
            "text": well_formed(text),
        })  # fmt: skip
        self._next_piece += 1

    def _write(self) -> None:
        """Commit the records that are not committed yet. Raises ``StoreError``."""
        import sqlite3

        from darkai_cli.history.database import store_error, transaction

        has_ended = self._records[-1]["op"] == "end"
        try:
            # Others must be able to see that the process of an open turn is alive.
            lock = self._process_lock if has_ended else self._own_lock()
            owner = None if lock is None else lock.owner
            conn = self._connection()
            with transaction(conn):
                for record in self._records[self._committed :]:
                    apply(conn, record, owner)
        except (sqlite3.Error, OSError) as exc:
            raise store_error(exc, self._path) from exc
        self._committed = len(self._records)
        self._pending.clear()
        if lock is not None:
            lock.clear_pending()
        if has_ended:
            self._records.clear()
            self._committed = 0

    def _connection(self) -> sqlite3.Connection:
        """Return the connection; the first time, also take care of processes that died."""
        if self._opened is None:
            from darkai_cli.history import database, recovery

            self._opened = database.connect(self._path, lock_wait=_LOCK_WAIT)
            self._warnings.extend(self._opened.warnings)
            self._warnings.extend(recovery.recover(self._opened.conn, self._path))
        return self._opened.conn

    def _replace_database(self) -> None:
        """Move a damaged database aside; the next commit starts a new one, with the whole turn."""
        from darkai_cli.history.database import replace_damaged

        if self._opened is not None:
            self._opened.conn.close()
            self._warnings.extend(replace_damaged(self._path, self._opened.inode))
            self._opened = None
        self._committed = 0
        self._pending.clear()

    def _own_lock(self) -> ProcessLock:
        if self._process_lock is None:
            from darkai_cli.history.recovery import ProcessLock

            self._process_lock = ProcessLock(self._path)
        return self._process_lock

    def _write_pending(self) -> None:
        """Write all records that are not committed to the file; ``is_safe``: whether it worked."""
        new = self._records[self._committed + len(self._pending) :]
        if not new and self.is_safe:
            return
        self._pending += map(_encode, new)
        try:
            self._own_lock().write_pending(self._pending)
            self.is_safe = True
        except OSError as exc:
            from darkai_cli.history.database import store_error

            self.is_safe = False
            if self.problem is None or self.is_locked:
                self.problem = store_error(exc, self._path)


def _base64(data: bytes) -> str:
    """An attachment's data as JSON can hold it."""
    return b64encode(data).decode("ascii")


_encode = json.JSONEncoder(default=_base64).encode


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
