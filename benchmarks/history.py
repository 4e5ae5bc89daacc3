"""Measure the history: lists and searches of a million messages, and saving a reply.

    python benchmarks/history.py [--python PYTHON] [--messages N] [--keep FOLDER] [--runs N]

PYTHON: the interpreter of an environment in which darkai is installed without development tools.
--keep creates the history in that folder, or uses it if it exists (a million messages take some
minutes). Figures are the CPU time of whole processes, and medians of ratios. Queries and commands
are compared with `darkai --help`, `ask -c` with `ask -c` in a history of one conversation, and a
saved reply with an unsaved one.
"""

from __future__ import annotations

import argparse
import os
import random
import sqlite3
import statistics
import sys
import tempfile
import time
from pathlib import Path

from processes import Run, Service, darkai, in_turn, measure, measure_on_terminal, row
from stream import body

from darkai_cli.history import ids, turns
from darkai_cli.history.store import Store

START = 1_600_000_000_000
FOUR_YEARS = 4 * 365 * 86_400_000
TURNS = 5
QUERY = """
import sys
from pathlib import Path
from darkai_cli.history import search, tree
from darkai_cli.history.store import Store
with Store(Path(sys.argv[1])) as store:
    latest = store.latest()
    {}
"""
QUERIES = {
    "the newest 20": ("store.conversations()", "< 1.7x"),
    "a rare word": ("assert search.search(store, 'rareword').total", "< 2x"),
    "a word of 1 % of the messages": ("assert search.search(store, 'w267').total", "< 3x"),
    "a word of all messages": ("assert search.search(store, 'common').by_date", "< 3x"),
}
BRANCH = "latest and tree.branch(store, latest)"
COMMANDS = {
    "history list": (("list",), "< 1.7x"),
    "history search, rare word": (("search", "rareword"), "< 2x"),
    "history search, 1 % of all": (("search", "w267"), "< 3x"),
    "history search, all of them": (("search", "common"), "< 3x"),
}
SHORT, MIDDLE, LONG = 1, 500, 10_000
"""Numbers of chunks in a reply."""
PACE = 0.01
"""Seconds between two chunks, about as fast as a model writes."""


def fill(path: Path, count: int) -> None:
    """Create a history of ``count`` messages, with words as frequent as in prose."""
    chance = random.Random(1)
    words = [f"w{number:x}" for number in range(30_000)]
    weights = [1 / (rank + 10) for rank in range(len(words))]
    prose = chance.choices(words, weights, k=400_000)
    chats = count // (2 * TURNS)
    with Store(path) as store:
        for batch in range(0, chats, 2000):
            with store.writing() as conn:
                for number in range(batch, min(batch + 2000, chats)):
                    when = START + number * FOUR_YEARS // chats
                    texts = [
                        " ".join(prose[start : start + 50]) + " common"
                        for start in chance.choices(range(len(prose) - 50), k=2 * TURNS)
                    ]
                    if number % 20_000 == 7:
                        texts[3] += " rareword"
                    _conversation(conn, when, texts)


def _conversation(conn: sqlite3.Connection, when: int, texts: list[str]) -> None:
    identifier, *names = ids.new_ids(1 + len(texts) + TURNS, when)
    first = turns.number_at(conn, when)
    conn.execute(
        "INSERT INTO conversation VALUES (?, ?, ?, ?, ?, 'darkai')",
        (identifier, texts[0][:60], when, when, names[len(texts) - 1]),
    )
    conn.executemany(
        "INSERT INTO message (n, id, conversation, parent, role, text, created)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        [
            (
                first + at, names[at], identifier, names[at - 1] if at else None,
                "assistant" if at % 2 else "user", text, when,
            )
            for at, text in enumerate(texts)
        ],
    )  # fmt: skip
    conn.executemany(
        "INSERT INTO turn (id, conversation, prompt, reply, provider, model, state, started)"
        " VALUES (?, ?, ?, ?, 'p', 'm', 'complete', ?)",
        [
            (names[len(texts) + at], identifier, names[2 * at], names[2 * at + 1], when)
            for at in range(TURNS)
        ],
    )


class Darkai:
    """The darkai command with a home folder for its history, and a service."""

    def __init__(self, python: str, home: Path, service: Service) -> None:
        home.mkdir(exist_ok=True)
        self.history = home / "history.db"
        self._command = darkai(python)
        self._service = service
        url = f"http://127.0.0.1:{service.port}/chat"
        self._env = {**os.environ, "DARKAI_HOME": str(home), "DARKAI_URL": url}

    def cpu(self, *args: str) -> float:
        """Return the CPU milliseconds of a command."""
        return self._run(args).cpu * 1000

    def cpu_on_terminal(self, *args: str) -> float:
        """Return the CPU milliseconds of a command on a terminal."""
        run = measure_on_terminal([*self._command, *args], self._env)
        assert run.code == 0, args
        return run.cpu * 1000

    def to_wire(self, *args: str) -> float:
        """Return the milliseconds from the start to the request on the wire."""
        began = time.monotonic()
        self._run(args)
        return (self._service.arrived[-1] - began) * 1000

    def _run(self, args: tuple[str, ...]) -> Run:
        run = measure([*self._command, *args], self._env)
        assert run.code == 0, args
        return run


def library(chosen: argparse.Namespace, full: Path, empty: Path) -> None:
    """Print what the queries cost without the command line."""

    def cpu(*args: str) -> float:
        run = measure([chosen.python, *args])
        assert run.code == 0, args
        return run.cpu * 1000

    results = in_turn(
        chosen.runs,
        lambda: cpu("-P", "-m", "darkai_cli", "--help"),
        *(
            lambda what=what: cpu("-c", QUERY.format(what), str(full))
            for what, _ in QUERIES.values()
        ),
    )
    for (name, (_, bound)), figures in zip(QUERIES.items(), results[1:], strict=True):
        row(f"{name}, vs --help", figures, results[0], bound, "ms")
    small, big = in_turn(
        chosen.runs,
        lambda: cpu("-c", QUERY.format(BRANCH), str(empty)),
        lambda: cpu("-c", QUERY.format(BRANCH), str(full)),
    )
    row("the active branch, vs an empty history", big, small, "< 1.1x", "ms")


def commands(runs: int, big: Darkai) -> None:
    """Print what the commands cost with a full history."""
    results = in_turn(
        runs,
        lambda: big.cpu("--help"),
        *(lambda args=args: big.cpu("history", *args) for args, _ in COMMANDS.values()),
    )
    for (name, (_, bound)), figures in zip(COMMANDS.items(), results[1:], strict=True):
        row(f"{name}, vs --help", figures, results[0], bound, "ms")


def continued(runs: int, big: Darkai, small: Darkai) -> None:
    """Compare ``ask -c`` in a full history with one conversation; remove what that adds."""
    for command in (big, small):
        command.cpu("ask", "hi")
    again = ("ask", "-c", "hi")
    full, few = in_turn(runs, lambda: big.cpu(*again), lambda: small.cpu(*again))
    row("ask -c, CPU, vs an empty history", full, few, "< 1.1x", "ms")
    full, few = in_turn(runs, lambda: big.to_wire(*again), lambda: small.to_wire(*again))
    row("ask -c, to the request, vs an empty history", full, few, "< 1.1x", "ms")
    with Store(big.history) as store:
        store.remove([store.latest() or ""])


def journaled(runs: int, long: Darkai, paced: Darkai, short: Darkai) -> None:
    """Print what saving a reply adds."""
    save, no_save = ("ask", "hi"), ("ask", "--no-save", "hi")
    saved, unsaved = in_turn(
        runs, lambda: long.cpu_on_terminal(*save), lambda: long.cpu_on_terminal(*no_save)
    )
    row("10,000 chunks, terminal, vs --no-save", saved, unsaved, "< 1.05x", "ms")
    saved, unsaved = in_turn(runs, lambda: long.cpu(*save), lambda: long.cpu(*no_save))
    row("10,000 chunks at once, pipe, vs --no-save", saved, unsaved, "< 1.05x", "ms")
    saved, unsaved = in_turn(runs, lambda: paced.cpu(*save), lambda: paced.cpu(*no_save))
    row("500 chunks in 5 s, pipe, vs --no-save", saved, unsaved, "< 1.05x", "ms")
    saved, unsaved = in_turn(
        2 * runs, lambda: short.to_wire(*save), lambda: short.to_wire(*no_save)
    )
    row("exec to request, vs --no-save", saved, unsaved, "+ 3 ms", "ms")
    more = statistics.median(a - b for a, b in zip(saved, unsaved, strict=True))
    print(f"{'':<44} {more:+9.2f} ms")


def main() -> None:
    """Create the history, measure, print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--messages", type=int, default=1_000_000)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--runs", type=int, default=15)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        full, empty = (chosen.keep or Path(temporary)) / "full.db", Path(temporary, "empty.db")
        if not full.exists():
            began = time.monotonic()
            fill(full, chosen.messages)
            print(f"created {chosen.messages} messages in {time.monotonic() - began:.0f} s")
        print(f"{full.stat().st_size / 1e6:.0f} MB, load {os.getloadavg()[0]:.1f}")
        Store(empty).close()
        library(chosen, full, empty)
        services = {length: Service(body(length)) for length in (SHORT, LONG)}
        services[MIDDLE] = Service(body(MIDDLE), pace=PACE)
        big, small, short, paced, long = (
            Darkai(chosen.python, Path(temporary, name), services[length])
            for name, length in (
                ("big", SHORT), ("small", SHORT), ("short", SHORT), ("paced", MIDDLE),
                ("long", LONG),
            )
        )  # fmt: skip
        big.history.symlink_to(full.resolve())
        commands(chosen.runs, big)
        continued(chosen.runs, big, small)
        journaled(chosen.runs, long, paced, short)
        print(f"load {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
