"""What the ledger holds, for a look at it: nothing is made, changed, counted or replaced.

Unlike ``ledger``, whose reader is about to write.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from darkai_cli import files
from darkai_cli.rate_limits.holds import Account
from darkai_cli.rate_limits.store import LedgerError

PATIENCE = 2.0


def gone(file: Path) -> dict[Account, list[float]]:
    """When requests went, by account; empty if there is no ledger. Raises ``LedgerError``."""
    try:
        if not file.exists():
            return {}
        url = f"file:{quote(str(file))}?mode=ro"
        with closing(sqlite3.connect(url, uri=True, timeout=PATIENCE)) as conn:
            rows = conn.execute("SELECT origin, key, at FROM request ORDER BY at").fetchall()
    except sqlite3.Error as exc:
        raise LedgerError(str(exc)) from exc
    except OSError as exc:
        raise LedgerError(files.reason(exc)) from exc
    found: dict[Account, list[float]] = {}
    for origin, key, at in rows:
        found.setdefault(Account(str(origin), str(key)), []).append(float(at))
    return found
