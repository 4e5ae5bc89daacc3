"""Measure a long reply: CPU and memory of 100,000 chunks in a pipe, and the first chunk's delay.

python benchmarks/stream.py [--python PYTHON] [--runs N]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time

from processes import Service, darkai, in_turn, measure, row

MINIMAL = """
import json, sys, httpx
with httpx.Client() as client:
    with client.stream("POST", sys.argv[1], json={"query": "hi", "model": "llama-3-70b"}) as r:
        for line in r.iter_lines():
            if line.startswith("data: "):
                message = json.loads(line[6:])
                if message["event"] == "text-chunk":
                    print(message["data"]["text"], end="", flush=True)
"""


def body(chunks: int) -> list[bytes]:
    """Return a reply of so many chunks, with as many different words as usual text."""
    pieces = []
    for number in range(chunks):
        text = f" word{number * 7919 % 2000}" if number % 20 else ".\n"
        message = {"event": "text-chunk", "data": {"text": text}}
        pieces.append(b"data: " + json.dumps(message).encode() + b"\n\n")
    return [*pieces, b'data: {"event":"stream-end","data":{}}\n\n']


def to_pipe(command: list[str], env: dict[str, str]) -> object:
    """Run a command while another process reads its stdout."""
    reader = subprocess.Popen(
        [sys.executable, "-c", "import sys\nwhile sys.stdin.buffer.read(65536): pass"],
        stdin=subprocess.PIPE,
    )
    assert reader.stdin is not None
    run = measure(command, env, sink=reader.stdin.fileno())
    reader.stdin.close()
    reader.wait()
    return run


def first_chunk(command: list[str], env: dict[str, str], service: Service) -> float:
    """Return the milliseconds from the sending of the only chunk to its arrival in the pipe."""
    process = subprocess.Popen(command, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.read(1)
    seen = time.monotonic()
    process.communicate()
    return (seen - service.sent[-1]) * 1000


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--runs", type=int, default=5)
    args = parser.parse_args()
    services = {number: Service(body(number)) for number in (1, 1000, 100_000)}
    with tempfile.TemporaryDirectory() as home:
        env = {"PATH": os.environ["PATH"], "DARKAI_HOME": home, "HOME": home}

        def ask(number: int) -> tuple[list[str], dict[str, str]]:
            url = f"http://127.0.0.1:{services[number].port}/chat"
            return [*darkai(args.python), "ask", "hi"], {**env, "DARKAI_URL": url}

        def minimal(number: int) -> tuple[list[str], dict[str, str]]:
            url = f"http://127.0.0.1:{services[number].port}/chat"
            return [args.python, "-c", MINIMAL, url], env

        print(f"{'':<44} {'darkai':>12} {'other':>12} {'ratio':>8}  bound")
        ours, theirs = in_turn(
            args.runs,
            lambda: to_pipe(*ask(100_000)).cpu,
            lambda: to_pipe(*minimal(100_000)).cpu,
        )
        row("100,000 chunks in a pipe, CPU", ours, theirs, "<= 2", "s ")
        many, few = in_turn(
            args.runs, lambda: to_pipe(*ask(100_000)).rss, lambda: to_pipe(*ask(1000)).rss
        )
        row("peak memory, 100,000 vs 1,000 chunks", many, few, "<= 1.2", "MB")
        ours, theirs = in_turn(
            max(args.runs, 15),
            lambda: first_chunk(*ask(1), services[1]),
            lambda: first_chunk(*minimal(1), services[1]),
        )
        row("first chunk, from the service to the pipe", ours, theirs, "<= 10 ms", "ms")


if __name__ == "__main__":
    main()
