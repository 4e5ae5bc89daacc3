"""The journal: takes a turn while it happens, and has it written.

Not a sink: a tap in a higher layer calls it. What the caller does while a reply comes is append to
a queue, and nobody is woken by that: a thread looks each ``INTERVAL`` and lets the ``Writer`` make
safe what it finds, so that text is safe 250 ms after it was given and painting never waits. The end
of a turn the caller writes itself: it waits for that anyway, and its processor is the one that has
everything at hand; in the thread the same took twice as long. Importing this and beginning a turn
costs next to nothing: ``sqlite3`` is loaded long after the request was sent.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from darkai_cli import signals
from darkai_cli.errors import StoreError
from darkai_cli.events import Event, Usage
from darkai_cli.history import ids
from darkai_cli.history.turns import TurnIds, dumps, title_from
from darkai_cli.text import well_formed

if TYPE_CHECKING:
    from darkai_cli.history.writer import Given, Writer
    from darkai_cli.messages import Image

FinalState = Literal["complete", "interrupted", "truncated", "failed"]
Saved = Literal["saved", "spilled"]

INTERVAL = 0.2
"""Seconds that text is collected for. With the writing after it, a few milliseconds, below 250."""
_UNSENT = 1.0  # for ``sent``: connecting may last long, and the prompt is not to wait for it
_PAUSE = 0.05
_LAST_WAIT = 1.6  # for a lock at the end; with the rest of the exit, below 2 s
_STUCK = 10.0  # for a thread that hangs in the file system; one on a busy machine is only slow


class Journal:
    """The writer for one conversation at a time; open it once for a process.

    ``warnings`` grows; it is what the user should be told. Nothing is opened, and no thread
    started, before the first ``begin``. The methods are for one thread. ``take``: an event was
    shown, or is about to be; for the first text there is ``text``, which also notes the time.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.warnings: list[str] = []
        self._queue: deque[Given] = deque()  # a list that grows is copied again and again
        self.take: Callable[[Event], None] = self._queue.append
        self.names: TurnIds | None = None
        """What the latest turn is called."""
        self._started = 0.0
        self._begun = 0
        self._first: float | None = None
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._writer: Writer | None = None  # whose who holds the lock
        self._wake, self._hurry, self._over = (threading.Event() for _ in range(3))
        self._over.set()
        self._stuck = False

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
        """A turn begins; what it is called. Returns at once.

        ``prompt``: the user's new message, below ``parent`` (None: at the root). For another reply
        to a message that is there, None, and ``prompt_id`` names it. ``conversation``: None makes
        a new one, with ``title`` or one from the prompt. ``resumes``: the turn that this one
        continues, ``partial``: its text, with which this one's begins. ``images`` go along with the
        prompt.
        """
        if (prompt is None) == (prompt_id is None):
            raise ValueError("a turn needs either a prompt or the id of one")
        now = self._begun = max(ids.now_ms(), self._begun + 1)  # so that the ids sort by time
        fresh = ids.new_ids(4, now)
        names = TurnIds(conversation or fresh[0], fresh[1], prompt_id or fresh[2], fresh[3])
        self._started, self._first, self.names = time.monotonic(), None, names
        self._hurry.clear()
        self._over.clear()
        self._queue.append({
            "op": "begin",
            "ids": list(names),
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
            "started": now,
            "images": [
                (well_formed(image.media_type), well_formed(image.name), image.data)
                for image in images
            ],
        })  # fmt: skip
        if partial:  # not by ``text``: the time to the first text is that of the new one
            self._queue.append(partial)
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
            self._thread.start()
        self._wake.set()
        return names

    def answered(self, provider: str, model: str) -> None:
        """The reply begins: who really gives it, which after a fallback is not who was asked."""
        assert self.names is not None
        self._queue.append({
            "op": "answered",
            "turn": self.names.turn,
            "provider": well_formed(provider),
            "model": well_formed(model),
        })  # fmt: skip

    def sent(self) -> None:
        """The request is on its way: the prompt's time begins now, not only after a second."""
        # Here and not in the thread, which would fight for the interpreter with the reply's text.
        from darkai_cli.history import presence, writer  # noqa: F401

        self._hurry.set()

    def text(self, text: str) -> None:
        """A piece of the answer was shown."""
        if self._first is None:
            self._first = time.monotonic()
        self._queue.append(text)

    def end(
        self,
        state: FinalState,
        *,
        reason: str | None = None,
        error_kind: str | None = None,
        error: str | None = None,
        usage: Usage | None = None,
    ) -> Saved:
        """The turn is over; waits until it is safe, at most 2 s while others hold the database.

        ``spilled``: it is in a file that the next start merges. Raises ``StoreError`` if it could
        not be saved anywhere.
        """
        now = time.monotonic()
        counts = usage or Usage()
        self._begun = max(ids.now_ms(), self._begun)  # also where the clock was put back
        assert self.names is not None
        self._queue.append({
            "op": "end",
            "turn": self.names.turn,
            "state": state,
            "reason": reason,
            "error_kind": error_kind,
            "error": None if error is None else well_formed(error),
            "usage": [counts.input, counts.output, counts.reasoning, counts.cached],
            "first_text_ms": None if self._first is None else _ms(self._first - self._started),
            "duration_ms": _ms(now - self._started),
            "ended": self._begun,
        })  # fmt: skip
        with self._alone(), signals.deferred():
            try:
                return self._settle(now + _LAST_WAIT)
            except StoreError:
                raise
            except Exception as exc:
                raise StoreError(f"answer shown but NOT saved: {exc}") from exc

    def close(self) -> None:
        """Write what is left and close the database. A turn without an end is interrupted."""
        if self._thread is None:
            return
        try:
            with self._alone(), signals.deferred():
                writer = self._pen()
                try:
                    writer.flush()
                finally:
                    writer.close()
                    self._writer = None
        except Exception as exc:  # noqa: BLE001 -- `end` has told it, if the turn had an end
            del exc
        finally:
            self._thread = None  # by which the thread knows that it is over
            self._wake.set()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """The turn is over and the thread out of the way. Raises ``StoreError`` if it hangs."""
        self._over.set()
        self._hurry.set()
        if not self._lock.acquire(timeout=0 if self._stuck else _STUCK):
            self._stuck = True
            raise StoreError(
                f"answer shown but NOT saved: the history does not answer ({self.path})"
            )
        try:
            yield
        finally:
            self._lock.release()

    def _settle(self, deadline: float) -> Saved:
        """Everything into the database, by the deadline if others hold it; else beside it."""
        writer = self._pen()
        while not writer.flush() and writer.locked and time.monotonic() < deadline:
            time.sleep(_PAUSE)
        problem = writer.problem
        if problem is None:
            return "saved"
        if writer.safe:
            if not writer.locked:  # a lock passes by itself; this does not
                self.warnings.append(
                    f"{problem.message}; this turn is kept beside it, in `{self.path}.journal`"
                )
            return "spilled"
        raise StoreError(
            f"answer shown but NOT saved: {problem.message}", hint=problem.hint
        ) from problem

    def _pen(self) -> Writer:
        if self._writer is None:
            from darkai_cli.history.writer import Writer  # not before the request

            self._writer = Writer(self.path, self._queue, self.warnings)
        return self._writer

    def _run(self) -> None:
        signals.block_in_thread()
        while True:
            self._wake.wait()
            if self._thread is not threading.current_thread():
                return  # and leave the call to the one that a later turn has begun
            self._wake.clear()
            self._hurry.wait(_UNSENT)
            looked = time.monotonic()
            while not self._over.wait(max(0.0, looked + INTERVAL - time.monotonic())):
                looked = time.monotonic()
                with self._lock:
                    if self._over.is_set():
                        break
                    try:
                        self._pen().keep()
                    except Exception as exc:  # noqa: BLE001 -- `end` meets it again, and can tell it
                        del exc


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
