"""Measure how fast bytes become frames. Run: ``python benchmarks/parse.py``.

The figures are ratios from one run, because absolute times depend on the machine. Each row is
measured in rounds, its two sides in turn, and the best round of each side counts. The comparison
needs ``httpx-sse``, which is in the ``dev`` extra.
"""

from __future__ import annotations

import codecs
import gc
import sys
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from httpx_sse._decoders import SSEDecoder as OtherSSEDecoder
from httpx_sse._decoders import SSELineDecoder as OtherLineDecoder

from darkai_cli.http.ndjson import NDJSONDecoder
from darkai_cli.http.sse import SSEDecoder, SSELineDecoder

ROUNDS = 7
SIZE = 4 * 1024 * 1024
READ = 64 * 1024  # the most that one read of a socket returns
SMALL = 1024

CHUNK = (
    b'data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1755800000,'
    b'"model":"gpt-x","choices":[{"index":0,"delta":{"content":" word"},"finish_reason":null}],'
    b'"usage":null}\n\n'
)
NAMED = (
    b"event: content_block_delta\n"
    b'data: {"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"Hi"}}\n\n'
)
DARKAI = b'data: {"event":"text-chunk","data":{"text":"Sure"}}\r\n\r\n'
OLLAMA = (
    b'{"model":"qwen3","created_at":"2026-01-01T00:00:00.1Z",'
    b'"message":{"role":"assistant","content":" word"},"done":false}\n'
)
TINY = b'data: {"text":"%s"}\n\n' % (b"x" * 45)  # 64 bytes
FEW = b"data\n"

Work = Callable[[], int]


class Row(NamedTuple):
    """One comparison; ``target`` is the highest allowed ratio, if there is one."""

    name: str
    ours: Work
    other_name: str
    other: Work
    target: float | None


def cut(data: bytes, size: int) -> list[bytes]:
    """Return ``data`` in pieces of ``size`` bytes."""
    return [data[at : at + size] for at in range(0, len(data), size)]


def fill(event: bytes, size: int = SIZE) -> bytes:
    """Return ``event`` repeated as often as it fits into ``size``."""
    return event * (size // len(event))


def ours(
    pieces: Sequence[bytes],
    make: Callable[[], SSEDecoder | SSELineDecoder | NDJSONDecoder] = SSEDecoder,
) -> Work:
    """Return a function that counts the frames in ``pieces`` with darkai's decoder."""

    def run() -> int:
        decoder = make()
        feed = decoder.feed
        count = 0
        for piece in pieces:
            for _ in feed(piece):
                count += 1
        return count + len(decoder.finish())

    return run


def httpx_sse(pieces: Sequence[bytes]) -> Work:
    """Return a function that counts them with httpx-sse, as its ``iter_sse`` does."""

    def run() -> int:
        text = codecs.getincrementaldecoder("utf-8")("replace")
        lines = OtherLineDecoder()
        decoder = OtherSSEDecoder()
        count = 0
        for piece in pieces:
            for line in lines.decode(text.decode(piece)):
                if decoder.decode(line.rstrip("\n")) is not None:
                    count += 1
        return count

    return run


def rows() -> list[Row]:
    """Return all comparisons."""
    against = [
        ("OpenAI events, 64 KiB reads", CHUNK, READ),
        ("OpenAI events, one per read", CHUNK, len(CHUNK)),
        ("Anthropic events, 64 KiB reads", NAMED, READ),
        ("64-byte events, 1 KiB reads", TINY, SMALL),
        ("DarkAI events (CRLF), 64 KiB reads", DARKAI, READ),
        ("DarkAI events (CRLF), one per read", DARKAI, len(DARKAI)),
    ]
    table = []
    for name, event, size in against:
        pieces = cut(fill(event), size)
        table.append(Row(name, ours(pieces), "httpx-sse", httpx_sse(pieces), 1.0))
    pieces = cut(fill(DARKAI), READ)
    table.append(
        Row("DarkAI line by line", ours(pieces, SSELineDecoder), "SSE", ours(pieces), None)
    )
    pieces = cut(fill(OLLAMA), READ)
    same = cut(fill(b"data: " + OLLAMA + b"\n"), READ)
    table.append(Row("NDJSON", ours(pieces, NDJSONDecoder), "SSE", ours(same), None))
    return table + linear()


def linear() -> list[Row]:
    """Return the rows that show linear time: their ratios are about 1."""
    events = ours(cut(fill(TINY), SMALL))
    line = ours(cut(b"data: " + b"x" * (SIZE - 8), SMALL))
    quarter = ours(cut(b"data: " + b"x" * (SIZE // 4 - 8), SMALL))
    million = ours(cut(FEW * 1_000_000 + b"\n", READ))
    tenth = ours(cut(FEW * 100_000 + b"\n", READ))
    return [
        Row("4 MiB line, 1 KiB reads", line, "64-byte events", events, 5.0),
        Row("4 MiB line, 1 KiB reads", line, "4 of 1 MiB", times(4, quarter), 2.0),
        Row("event of a million lines", million, "10 of 100,000", times(10, tenth), 2.0),
    ]


def times(count: int, work: Work) -> Work:
    """Return a function that does ``work`` ``count`` times."""
    return lambda: sum(work() for _ in range(count))


def best(work: Sequence[Work]) -> list[float]:
    """Return the best time of each. They take turns, so a busy machine affects all of them."""
    least = [float("inf")] * len(work)
    for _ in range(ROUNDS):
        for at, run in enumerate(work):
            start = time.perf_counter()
            run()
            least[at] = min(least[at], time.perf_counter() - start)
    return least


def main() -> None:
    """Print the table."""
    gc.disable()
    print(f"python benchmarks/parse.py  (CPython {sys.version.split()[0]}; ratio = darkai / other)")
    print(f"{'what':36}{'us / frame':>12}{'compared with':>17}{'ratio':>8}{'target':>9}")
    for row in rows():
        mine, other = best([row.ours, row.other])
        each = mine / row.ours() * 1e6
        target = "" if row.target is None else f"< {row.target:g}"
        print(f"{row.name:36}{each:12.2f}{row.other_name:>17}{mine / other:8.2f}{target:>9}")


if __name__ == "__main__":
    main()
