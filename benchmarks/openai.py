"""Compare a chunk of an OpenAI stream in darkai with the same bytes through httpx and ``json``.

Run: ``python benchmarks/openai.py``. darkai's side is everything from the bytes to the events:
frames, JSON, and the reader around both. The other side is what a short script does:
``httpx.Response.iter_bytes``, lines, and ``json.loads`` for each event. Both get the same bytes in
the same reads. The ratios are from one run, and the best round of each side counts.
"""

from __future__ import annotations

import gc
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import cycle, islice

import httpx

from darkai_cli.http.timeouts import Deadline, Timeouts
from darkai_cli.messages import ChatRequest, Message
from darkai_cli.providers.base import Dialect, ProviderSettings
from darkai_cli.providers.client import ReplyReader
from darkai_cli.providers.openai import OpenAIDialect
from darkai_cli.providers.openai_responses import ResponsesDialect

ROUNDS = 9
EVENTS = 6000
READ = 64 * 1024
TARGET = 1.6

URL = "https://service.test/v1"
CHAT = ChatRequest((Message("user", "Hi"),), "gpt-x")
WORDS = (
    "The", " quick", " brown", " fox", " jumps", ",", " over", " the", " lazy", " dogs", ".\n\n",
    " naïve", " `code`", ' "said"', " 1", "st", " tokens", " are", " short", " things",
)  # fmt: skip

Make = Callable[[int, str], str]


def openai(number: int, word: str) -> str:  # noqa: ARG001
    """Return a chunk of OpenAI's, with padding of varying length."""
    padding = "aB3dE5gH7"[: 3 + len(word) % 6]
    return (
        'data: {"id":"chatcmpl-CqZ8n1vJYvVYx0mK3","object":"chat.completion.chunk",'
        '"created":1755800000,"model":"gpt-x-2025-08-07","service_tier":"default",'
        '"system_fingerprint":"fp_560af6e559",'
        f'"choices":[{{"index":0,"delta":{{"content":{json.dumps(word)}}},"logprobs":null,'
        f'"finish_reason":null}}],"usage":null,"obfuscation":"{padding}"}}\n\n'
    )


def short(number: int, word: str) -> str:  # noqa: ARG001
    """Return a chunk with only the necessary fields."""
    return (
        'data: {"id":"chatcmpl-1","object":"chat.completion.chunk",'
        f'"model":"m","choices":[{{"index":0,"delta":{{"content":{json.dumps(word)}}},'
        '"finish_reason":null}]}\n\n'
    )


def llamacpp(number: int, word: str) -> str:
    """Return a chunk of llama.cpp's: the text comes first, and ``created`` changes."""
    text = json.dumps(word)
    return (
        f'data: {{"choices":[{{"finish_reason":null,"index":0,"delta":{{"content":{text}}}}}],'
        f'"created":{1755800000 + number // 40},"id":"chatcmpl-q7KfzD5","model":"m.gguf",'
        '"system_fingerprint":"b9000-abc","object":"chat.completion.chunk"}\n\n'
    )


def reasoning(number: int, word: str) -> str:  # noqa: ARG001
    """Return a chunk of DeepSeek's reasoning."""
    return (
        'data: {"id":"2d1b7f52-8d7b-4d0f","object":"chat.completion.chunk",'
        '"model":"deepseek-reasoner","system_fingerprint":"fp_393bca965e","choices":[{"index":0,'
        f'"delta":{{"content":null,"reasoning_content":{json.dumps(word)}}},"logprobs":null,'
        '"finish_reason":null}]}\n\n'
    )


def openrouter(number: int, word: str) -> str:
    """Return a chunk of OpenRouter's reasoning, which contains the text twice."""
    text = json.dumps(word)
    return (
        f'data: {{"id":"gen-{number // 50}","provider":"X","model":"a/b",'
        '"object":"chat.completion.chunk","created":1755800000,'
        '"choices":[{"index":0,"delta":{"role":"assistant","content":"",'
        f'"reasoning":{text},"reasoning_details":[{{"type":"reasoning.text","text":{text},'
        '"format":"unknown","index":0}]},"finish_reason":null,"native_finish_reason":null}]}\n\n'
    )


def responses(number: int, word: str) -> str:
    """Return a chunk of the Responses API."""
    return (
        'event: response.output_text.delta\ndata: {"type":"response.output_text.delta",'
        f'"sequence_number":{number},"item_id":"msg_68a1b2c3d4e5f6","output_index":0,'
        f'"content_index":0,"delta":{json.dumps(word)},"logprobs":[],"obfuscation":"x4Fg"}}\n\n'
    )


class Pieces(httpx.SyncByteStream):
    """Bytes for ``iter_bytes``."""

    def __init__(self, pieces: Sequence[bytes]) -> None:
        self._pieces = pieces

    def __iter__(self) -> Iterator[bytes]:
        yield from self._pieces


def theirs(pieces: Sequence[bytes]) -> int:
    """Read the events as a short script does; return how many there are."""
    response = httpx.Response(200, stream=Pieces(pieces))
    seen, rest = 0, b""
    for piece in response.iter_bytes():
        lines = (rest + piece).split(b"\n")
        rest = lines.pop()
        for line in lines:
            if line.startswith(b"data: "):
                json.loads(line[6:])
                seen += 1
    return seen


def ours(pieces: Sequence[bytes], dialect: Dialect, settings: ProviderSettings) -> int:
    """Read the events with darkai's reader; return how many there are."""
    reader = ReplyReader(dialect, settings, CHAT)
    deadline = Deadline(Timeouts())
    seen = 0
    for piece in pieces:
        for _ in reader.feed(piece, deadline):
            seen += 1
    return seen


def measure(make: Make, size: int, dialect: Dialect) -> tuple[float, float]:
    """Return the microseconds per chunk: darkai's and the script's."""
    words = islice(cycle(WORDS), EVENTS)
    events = [make(number, word).encode() for number, word in enumerate(words)]
    data = b"".join(events)
    pieces = [data[at : at + size] for at in range(0, len(data), size)] if size else events
    settings = ProviderSettings("openai", "openai", URL, "gpt-x")
    mine = other = float("inf")
    for _ in range(ROUNDS):  # in turn, so that a busy machine disturbs both alike
        start = time.process_time()
        ours(pieces, dialect, settings)
        middle = time.process_time()
        theirs(pieces)
        mine = min(mine, middle - start)
        other = min(other, time.process_time() - middle)
    return mine / EVENTS * 1e6, other / EVENTS * 1e6


def main() -> int:
    """Print the table; return 1 if a row is over its target."""
    gc.disable()
    chat, other = OpenAIDialect(), ResponsesDialect()
    rows: list[tuple[str, Make, int, Dialect, float | None]] = [
        ("OpenAI, one per read", openai, 0, chat, TARGET),
        ("OpenAI, 4 KiB reads", openai, 4096, chat, TARGET),
        ("OpenAI, 64 KiB reads", openai, READ, chat, TARGET),
        ("short chunks, one per read", short, 0, chat, TARGET),
        ("short chunks, 64 KiB reads", short, READ, chat, TARGET),
        ("llama.cpp, one per read", llamacpp, 0, chat, TARGET),
        ("llama.cpp, 64 KiB reads", llamacpp, READ, chat, TARGET),
        ("DeepSeek's reasoning, 64 KiB reads", reasoning, READ, chat, TARGET),
        ("OpenRouter's reasoning, one per read", openrouter, 0, chat, TARGET),
        ("OpenRouter's reasoning, 64 KiB reads", openrouter, READ, chat, TARGET),
        ("Responses, one per read", responses, 0, other, None),
        ("Responses, 64 KiB reads", responses, READ, other, None),
    ]
    print(
        f"python benchmarks/openai.py  (CPython {sys.version.split()[0]}; ratio = darkai / script)"
    )
    print(f"{'what':38}{'us / chunk':>12}{'script':>9}{'ratio':>8}{'target':>9}")
    over = False
    for name, make, size, dialect, target in rows:
        mine, other_time = measure(make, size, dialect)
        ratio = mine / other_time
        over = over or (target is not None and ratio > target)
        wanted = "" if target is None else f"< {target:g}"
        print(f"{name:38}{mine:12.2f}{other_time:9.2f}{ratio:8.2f}{wanted:>9}")
    return 1 if over else 0


if __name__ == "__main__":
    raise SystemExit(main())
