"""How soon darkai is at work: CPU time of quick commands, and exec to request on the wire.

    python benchmarks/startup.py [--python PYTHON] [--llm LLM] [--runs N]

PYTHON: an interpreter of an environment where darkai is installed without development tools
(click, which some of them bring, slows every ``import httpx``). LLM: the ``llm`` command to compare
with, from an environment of its own. The home folder has a config file of 50 lines and 1,000
conversations.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from processes import Service, in_turn, measure, row

MINIMAL = """
import sys, httpx
with httpx.Client() as client:
    with client.stream("POST", sys.argv[1], json={"query": "hi", "model": "llama-3-70b"}) as r:
        for line in r.iter_lines():
            print(line)
"""
BODY = [
    b'data: {"event":"text-chunk","data":{"text":"hi"}}\n\n',
    b'data: {"event":"stream-end","data":{}}\n\n',
]
HEAD = b'data: {"id":"1","object":"chat.completion.chunk","created":1,"model":"gpt-4o",'
OPENAI = [
    HEAD + b'"choices":[{"index":0,"delta":{"content":"hi"},"finish_reason":null}]}\n\n',
    HEAD + b'"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n',
    b"data: [DONE]\n\n",
]


SEED = """
import sys
from pathlib import Path
from darkai_cli.history.journal import Journal
journal = Journal(Path(sys.argv[1]))
for number in range(1000):
    journal.begin(f"question {number}", provider="darkai", model="llama-3-70b")
    journal.sent()
    journal.text(f"answer {number}")
    journal.end("complete", reason="stop")
journal.close()
"""


def config_of_50_lines(url: str) -> str:
    """A user's grown configuration."""
    lines = ['model = "llama-3-70b"', "timeout = 120", "retries = 2", "", "[aliases]"]
    lines += [f'short{n} = "darkai/gpt-4o"' for n in range(20)]
    for n in range(4):
        lines += ["", f"[providers.desk{n}]", 'type = "darkai"', f'url = "{url}"', 'models = ["m"]']
    return "\n".join(lines[:50]) + "\n"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--llm")
    parser.add_argument("--runs", type=int, default=15)
    args = parser.parse_args()
    darkai = [args.python, "-m", "darkai_cli"]
    script = str(Path(args.python).with_name("darkai"))
    if Path(script).exists():
        darkai = [script]
    with tempfile.TemporaryDirectory() as home:
        service = Service(BODY)
        url = f"http://127.0.0.1:{service.port}/chat"
        Path(home, "config.toml").write_text(config_of_50_lines(url))
        env = {"PATH": os.environ["PATH"], "DARKAI_HOME": home, "DARKAI_URL": url, "HOME": home}
        subprocess.run([args.python, "-c", SEED, f"{home}/history.db"], check=True, env=env)

        def cpu(*command: str) -> float:
            return measure(command, env).cpu * 1000

        def on_the_wire(source: Service, *command: str) -> float:
            import time

            began = time.monotonic()
            measure(command, env)
            return (source.arrived[-1] - began) * 1000

        print(f"{'':<44} {'darkai':>12} {'other':>12} {'ratio':>8}  bound")
        version, bare = in_turn(
            args.runs, lambda: cpu(*darkai, "--version"), lambda: cpu(args.python, "-c", "pass")
        )
        row("--version, CPU, against `python -c pass`", version, bare, "<= 2", "ms")
        root, bare = in_turn(
            args.runs, lambda: cpu(*darkai, "--help"), lambda: cpu(args.python, "-c", "pass")
        )
        row("--help, CPU, against `python -c pass`", root, bare, "<= 7", "ms")
        ask, minimal = in_turn(
            args.runs,
            lambda: on_the_wire(service, *darkai, "ask", "hi"),
            lambda: on_the_wire(service, args.python, "-c", MINIMAL, url),
        )
        row("ask, exec to request, against httpx script", ask, minimal, "<= 1.1", "ms")
        if args.llm:
            other = Service(OPENAI)
            env |= {"OPENAI_API_KEY": "x", "LLM_USER_PATH": home}
            Path(home, "extra-openai-models.yaml").write_text(
                f"- model_id: local\n  model_name: gpt-4o\n"
                f"  api_base: http://127.0.0.1:{other.port}/v1\n"
            )
            ask, peer = in_turn(
                args.runs,
                lambda: on_the_wire(service, *darkai, "ask", "hi"),
                lambda: on_the_wire(other, args.llm, "-m", "local", "hi"),
            )
            row("ask, exec to request, against llm", ask, peer, "<= 0.25", "ms")


if __name__ == "__main__":
    main()
