"""What the history costs: lists and searches of a million messages, and the journal of a stream.

    python benchmarks/history.py [--python PYTHON] [--messages N] [--keep FOLDER] [--runs N]

PYTHON: an interpreter of an environment where darkai is installed without development tools. With
--keep the history is made in that folder, or used if it is there already (making a million messages
takes some minutes). CPU time of whole processes, medians of ratios. Queries are compared with
`darkai --help`, the journal's part of a bare stream with `darkai ask` on a reply of as many chunks.
"""

from __future__ import annotations

import argparse
import os
import random
import sqlite3
import sys
import tempfile
import time
from pathlib import Path

from processes import Service, in_turn, measure, row
from stream import body

from darkai_cli.history import ids, records
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
CHUNK = (
    r'data: {"id":"1","object":"chat.completion.chunk","created":1,"model":"gpt-4o","choices":'
    r'[{"index":0,"delta":{"content":"word "},"finish_reason":null}]}' + r"\n\n"
)
STREAM = f"""
import sys, json, httpx
from pathlib import Path
from darkai_cli.events import TextChunk
from darkai_cli.history.journal import Journal
from darkai_cli.wire.sse import SSEDecoder
journal = Journal(Path(sys.argv[1]))
if journaled := len(sys.argv) > 2:
    journal.begin("q", provider="p", model="m")
decoder = SSEDecoder()
for _ in range(10_000):
    for frame in decoder.feed(b'{CHUNK}'):
        event = TextChunk(json.loads(frame.data)["choices"][0]["delta"]["content"])
        sys.stdout.write(event.text)
        sys.stdout.flush()
        if journaled:
            journal.text(event.text)
if journaled:
    journal.end("complete")
    journal.close()
"""


def fill(path: Path, count: int) -> None:
    """A history of ``count`` messages, of words as rare as in prose."""
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
    first = records.number_at(conn, when)
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


def main() -> None:
    """Make the history, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--messages", type=int, default=1_000_000)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--runs", type=int, default=15)
    chosen = parser.parse_args()

    def cpu(*args: str) -> float:
        run = measure([chosen.python, *args])
        assert run.code == 0, args
        return run.cpu * 1000

    service = Service(body(10_000))
    with tempfile.TemporaryDirectory() as temporary:
        os.environ |= {
            "DARKAI_HOME": temporary,
            "DARKAI_URL": f"http://127.0.0.1:{service.port}/chat",
        }
        folder = chosen.keep or Path(temporary)
        full, empty, written = folder / "full.db", Path(temporary, "e.db"), Path(temporary, "w.db")
        if not full.exists():
            began = time.monotonic()
            fill(full, chosen.messages)
            print(f"made {chosen.messages} messages in {time.monotonic() - began:.0f} s")
        print(f"{full.stat().st_size / 1e6:.0f} MB")
        Store(empty).close()
        Store(written).close()
        found = in_turn(
            chosen.runs,
            lambda: cpu("-m", "darkai_cli", "--help"),
            *(
                lambda what=what: cpu("-c", QUERY.format(what), str(full))  # type: ignore[misc]
                for what, _ in QUERIES.values()
            ),
        )
        for (name, (_, bound)), figures in zip(QUERIES.items(), found[1:], strict=True):
            row(f"{name}, against --help", figures, found[0], bound, "ms")
        found = in_turn(
            chosen.runs,
            lambda: cpu("-c", QUERY.format(BRANCH), str(empty)),
            lambda: cpu("-c", QUERY.format(BRANCH), str(full)),
            lambda: cpu("-c", STREAM, str(written)),
            lambda: cpu("-c", STREAM, str(written), "journaled"),
            lambda: cpu("-m", "darkai_cli", "ask", "hi"),
        )
        row("the active branch, against an empty history", found[1], found[0], "< 1.1x", "ms")
        bare, journaled, ask = found[2:]
        more = [all_of_it + b - a for a, b, all_of_it in zip(bare, journaled, ask, strict=True)]
        row("10,000 chunks, ask and journal against ask", more, ask, "< 1.05x", "ms")


if __name__ == "__main__":
    main()
