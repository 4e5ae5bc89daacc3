"""Check the history without changing anything.

Nothing is created, merged, migrated or moved aside: the connection is read-only. The check stops
after a time limit, because a history of many gigabytes cannot be read in seconds. ``Store.check``
reads all of it.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from darkai_cli.history import schema
from darkai_cli.history.database import check_ours, store_error
from darkai_cli.history.store import Store

_STEPS = 20_000
"""Steps of SQLite's virtual machine between two looks at the clock."""
_LOCK_WAIT = 2.0


class Health(NamedTuple):
    """``size``: in bytes. ``problems``: in words. ``complete``: whether all of it was checked."""

    size: int
    version: int
    conversations: int
    problems: tuple[str, ...]
    complete: bool = True


def inspect(
    path: Path, seconds: float, clock: Callable[[], float] = time.monotonic
) -> Health | None:
    """Return what a quick check finds within ``seconds``; None if there is no history.

    Raises ``StoreError`` for a file that is no history, or cannot be read.
    """
    try:
        if not path.exists():
            return None
        size = path.stat().st_size
        with closing(_open(path)) as conn:
            check_ours(conn, path)
            version = schema.version_of(conn)
            if not version:
                return Health(size, 0, 0, ())
            count = conn.execute("SELECT count(*) FROM conversation").fetchone()[0]
            problems = _quick(conn, clock() + seconds, clock)
    except (sqlite3.Error, OSError) as exc:
        raise store_error(exc, path) from exc
    return Health(size, version, count, tuple(problems or ()), problems is not None)


def inspect_fully(path: Path) -> Health | None:
    """Check all of it, as ``darkai history check`` does; None if there is no history.

    Raises ``StoreError``.
    """
    if inspect(path, 0.0) is None:  # It also refuses files that are no history of ours.
        return None
    with Store(path) as store:
        count = store.row("SELECT count(*) FROM conversation")[0]
        return Health(path.stat().st_size, schema.VERSION, count, tuple(store.check()))


def _open(path: Path) -> sqlite3.Connection:
    """Return a read-only connection, also where the folder may not be written."""
    log = Path(f"{path}-wal")
    log_is_empty = not log.exists() or not log.stat().st_size
    for mode in ("mode=ro", "mode=ro&immutable=1"):
        url = f"file:{quote(str(path))}?{mode}"
        conn = sqlite3.connect(url, uri=True, timeout=_LOCK_WAIT, isolation_level=None)
        try:
            schema.version_of(conn)
        except sqlite3.Error as exc:
            conn.close()
            if exc.sqlite_errorcode & 0xFF != sqlite3.SQLITE_CANTOPEN or not log_is_empty:
                raise
            log_is_empty = False
        else:
            return conn
    raise AssertionError  # The second mode returned or raised.


def _quick(
    conn: sqlite3.Connection, deadline: float, clock: Callable[[], float]
) -> list[str] | None:
    """Return the problems; None if the time ran out before one was known."""
    conn.set_progress_handler(lambda: clock() > deadline, _STEPS)
    try:
        rows = conn.execute("PRAGMA quick_check(10)").fetchall()
    except sqlite3.OperationalError as exc:
        if exc.sqlite_errorcode != sqlite3.SQLITE_INTERRUPT:
            raise
        return None
    return [str(row[0]) for row in rows if row[0] != "ok"]
