"""Whether the history is sound, for a look at it: nothing is made, merged, migrated or moved aside.

Not ``Store.check``, which reads all of it and belongs to whoever may write. A read-only connection,
and a time after which the reading stops: a history of many gigabytes is not read in seconds.
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
from darkai_cli.history.database import fault, refuse_foreign
from darkai_cli.history.store import Store

_STEPS = 20_000
"""Steps of SQLite's machine between two looks at the clock."""
_PATIENCE = 2.0


class Health(NamedTuple):
    """``size``: bytes. ``whole``: all of it was read. ``problems``: what was found, in words."""

    size: int
    version: int
    conversations: int
    problems: tuple[str, ...]
    whole: bool = True


def inspect(
    path: Path, seconds: float, clock: Callable[[], float] = time.monotonic
) -> Health | None:
    """What a quick check finds within ``seconds``; None if there is no history.

    Raises ``StoreError`` for a file that is no history, or cannot be read.
    """
    try:
        if not path.exists():
            return None
        size = path.stat().st_size
        with closing(_open(path)) as conn:
            refuse_foreign(conn, path)
            version = schema.version_of(conn)
            if not version:
                return Health(size, 0, 0, ())
            count = conn.execute("SELECT count(*) FROM conversation").fetchone()[0]
            problems = _quick(conn, clock() + seconds, clock)
    except (sqlite3.Error, OSError) as exc:
        raise fault(exc, path) from exc
    return Health(size, version, count, tuple(problems or ()), problems is not None)


def inspect_whole(path: Path) -> Health | None:
    """The same by reading all of it, as ``darkai history check`` does. Raises ``StoreError``."""
    if inspect(path, 0.0) is None:  # which also refuses what is no history of ours
        return None
    with Store(path) as store:
        count = store.row("SELECT count(*) FROM conversation")[0]
        return Health(path.stat().st_size, schema.VERSION, count, tuple(store.check()))


def _open(path: Path) -> sqlite3.Connection:
    """A read-only connection, where the folder may not be written, too."""
    log = Path(f"{path}-wal")
    settled = not log.exists() or not log.stat().st_size
    for mode in ("mode=ro", "mode=ro&immutable=1"):
        url = f"file:{quote(str(path))}?{mode}"
        conn = sqlite3.connect(url, uri=True, timeout=_PATIENCE, isolation_level=None)
        try:
            schema.version_of(conn)
        except sqlite3.Error as exc:
            conn.close()
            if exc.sqlite_errorcode & 0xFF != sqlite3.SQLITE_CANTOPEN or not settled:
                raise
            settled = False
        else:
            return conn
    raise AssertionError  # the second way returned or raised


def _quick(
    conn: sqlite3.Connection, deadline: float, clock: Callable[[], float]
) -> list[str] | None:
    """What is wrong; None if the time ran out before anything was found."""
    conn.set_progress_handler(lambda: clock() > deadline, _STEPS)
    try:
        rows = conn.execute("PRAGMA quick_check(10)").fetchall()
    except sqlite3.OperationalError as exc:
        if exc.sqlite_errorcode != sqlite3.SQLITE_INTERRUPT:
            raise
        return None
    return [str(row[0]) for row in rows if row[0] != "ok"]
