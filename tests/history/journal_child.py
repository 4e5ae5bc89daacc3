"""A process that journals a reply, for the tests that kill it, lock it out or run many of it.

journal_child.py DATABASE stream SECONDS   tells each piece on stdout, with the time it was given
journal_child.py DATABASE ask              one short turn, then exits with the error's code
journal_child.py DATABASE hold             takes the write lock and keeps it until stdin ends
journal_child.py DATABASE live             begins a turn, keeps it open until stdin ends
"""

import contextlib
import sqlite3
import sys
import time
from pathlib import Path

from darkai_cli.errors import DarkAIError
from darkai_cli.history.journal import Journal

PIECE = "piece {:05d} of the reply, "


def stream(path: Path, seconds: float) -> None:
    journal = Journal(path)
    names = journal.begin("a question", provider="test", model="m")
    journal.sent()
    print("turn", names.turn, names.conversation, flush=True)
    start = time.monotonic()
    number = 0
    while time.monotonic() < start + seconds:
        journal.text(PIECE.format(number))
        number += 1
        print("gave", number, time.monotonic(), flush=True)
        time.sleep(0.003)
    journal.end("complete", reason="stop")
    print("ended", flush=True)
    journal.close()


def ask(path: Path) -> int:
    journal = Journal(path)
    journal.begin("a question", provider="test", model="m")
    journal.text("an answer")
    try:
        print(journal.end("complete", reason="stop"), flush=True)
    except DarkAIError as error:
        print(error.message, flush=True)
        return error.exit_code
    finally:
        journal.close()
        for warning in journal.warnings:
            print("warning:", warning, flush=True)
    return 0


def hold(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path, isolation_level=None, timeout=10)) as conn:
        conn.execute("BEGIN IMMEDIATE")
        print("held", flush=True)
        sys.stdin.read()


def live(path: Path) -> None:
    journal = Journal(path)
    names = journal.begin("a question", provider="test", model="m")
    journal.text("so far")
    journal.sent()
    while journal._writer is None or journal._writer._committed < 2:
        time.sleep(0.01)
    print("live", names.turn, names.conversation, flush=True)
    sys.stdin.read()
    journal.text(" and on")
    print(journal.end("complete", reason="stop"), flush=True)
    journal.close()


if __name__ == "__main__":
    database, action, *rest = Path(sys.argv[1]), *sys.argv[2:]
    if action == "stream":
        stream(database, float(rest[0]))
    elif action == "ask":
        sys.exit(ask(database))
    elif action == "hold":
        hold(database)
    else:
        live(database)
