"""Measure start-up: the CPU time of quick commands, and the time from exec to the request.

    python benchmarks/startup.py [--python PYTHON] [--llm LLM] [--runs N] [--cpu]

PYTHON: the interpreter of an environment in which darkai is installed without development tools.
Some of those install click, which slows a plain ``import httpx``; one row measures that. LLM: the
``llm`` command to compare with, from its own environment. The home folder has a configuration of 50
lines and 1,000 conversations. ``--cpu``: CPU time up to the request instead of wall time, for a
busy machine (Linux only). It adds up threads that run in parallel.

Over https, both sides trust a certificate authority that the benchmark creates, alone or beside the
authorities of ``certifi``. Reading those takes a third as long as all imports. darkai reads them
while it imports. A service that is 40 ms away stands for a real one: TCP and TLS take one round
trip each.
"""

from __future__ import annotations

import argparse
import os
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

import certifi
import processes
import trustme
from processes import Service, in_turn, measure, row

MINIMAL = """
import sys, httpx
with httpx.Client() as client:
    with client.stream("POST", sys.argv[1], json={"query": "hi", "model": "llama-3-70b"}) as r:
        for line in r.iter_lines():
            print(line)
"""
OPENAI_MINIMAL = """
import os, sys, httpx
key = os.environ["DESK_KEY"]
body = {"model": "m", "messages": [{"role": "user", "content": "hi"}], "stream": True}
with httpx.Client(headers={"authorization": f"Bearer {key}"}) as client:
    with client.stream("POST", sys.argv[1], json=body) as r:
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


CLICK = """
def __getattr__(name):
    return lambda *args, **options: lambda function: function
"""
"""As much of click as httpx needs to import its own command line."""


def config_of_50_lines(url: str) -> str:
    """Return a long configuration, as a user might have."""
    lines = ['model = "llama-3-70b"', "timeout = 120", "retries = 2", "", "[aliases]"]
    lines += [f'short{n} = "darkai/gpt-4o"' for n in range(20)]
    for n in range(4):
        lines += ["", f"[providers.desk{n}]", 'type = "darkai"', f'url = "{url}"', 'models = ["m"]']
    return "\n".join(lines[:50]) + "\n"


def time_to_request(
    service: Service, command: list[str], env: Mapping[str, str], *, cpu: bool
) -> float:
    """Return the milliseconds from exec to the complete request, of wall or CPU time."""
    began = time.monotonic()
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=dict(env),
    )
    service.watched = process.pid
    _, messages = process.communicate()
    if process.returncode:
        raise SystemExit(f"{command}: {messages.decode()}")
    return (service.spent[-1] if cpu else service.arrived[-1] - began) * 1000


class Authority:
    """A certificate authority for the https services: in a file alone, and beside all others."""

    def __init__(self, folder: str) -> None:
        made = trustme.CA()
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        made.issue_cert("127.0.0.1").configure_cert(self.tls)
        self.alone, self.among = Path(folder, "ca.pem"), Path(folder, "bundle.pem")
        made.cert_pem.write_to_path(str(self.alone))
        self.among.write_bytes(Path(certifi.where()).read_bytes() + made.cert_pem.bytes())


def openai_rows(
    args: argparse.Namespace, darkai: list[str], home: str, env: Mapping[str, str]
) -> None:
    """Print the rows of the openai dialect, over http and https."""
    authority = Authority(home)
    plain, secure = Service(OPENAI), Service(OPENAI, tls=authority.tls)
    far = Service(OPENAI, tls=authority.tls, away=0.04)
    for name, service, scheme, trusted in (
        ("openai http", plain, "http", None),
        ("openai https, one CA", secure, "https", authority.alone),
        ("openai https, all CAs", secure, "https", authority.among),
        ("openai https, 40 ms", far, "https", authority.among),
    ):
        base = f"{scheme}://127.0.0.1:{service.port}/v1"
        with Path(home, "config.toml").open("a") as file:
            file.write(
                f'[providers.{scheme}{service.port}]\ntype = "openai"\nurl = "{base}"\n'
                'model = "m"\nkey_env = "DESK_KEY"\n'
                if name != "openai https, all CAs"
                else ""
            )
        there = {**env, "DESK_KEY": "k", "DARKAI_PROVIDER": f"{scheme}{service.port}"}
        if trusted:
            there["SSL_CERT_FILE"] = str(trusted)
        script = [args.python, "-c", OPENAI_MINIMAL, f"{base}/chat/completions"]
        ours, theirs = in_turn(
            args.runs,
            lambda service=service, there=there: time_to_request(
                service, [*darkai, "ask", "hi"], there, cpu=args.cpu
            ),
            lambda service=service, there=there, script=script: time_to_request(
                service, script, there, cpu=args.cpu
            ),
        )
        row(f"ask, {name}, vs httpx script", ours, theirs, "<= 1.1", "ms")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--llm")
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--cpu", action="store_true")
    args = parser.parse_args()
    darkai = processes.darkai(args.python)
    with tempfile.TemporaryDirectory() as home:
        service = Service(BODY)
        url = f"http://127.0.0.1:{service.port}/chat"
        Path(home, "config.toml").write_text(config_of_50_lines(url))
        env = {"PATH": os.environ["PATH"], "DARKAI_HOME": home, "DARKAI_URL": url, "HOME": home}
        subprocess.run([args.python, "-c", SEED, f"{home}/history.db"], check=True, env=env)

        def cpu(*command: str) -> float:
            return measure(command, env).cpu * 1000

        def on_the_wire(source: Service, *command: str) -> float:
            return time_to_request(source, list(command), env, cpu=args.cpu)

        print(f"{'':<44} {'darkai':>12} {'other':>12} {'ratio':>8}  bound")
        version, bare = in_turn(
            args.runs, lambda: cpu(*darkai, "--version"), lambda: cpu(args.python, "-c", "pass")
        )
        row("--version, CPU, vs `python -c pass`", version, bare, "<= 2", "ms")
        root, bare = in_turn(
            args.runs, lambda: cpu(*darkai, "--help"), lambda: cpu(args.python, "-c", "pass")
        )
        row("--help, CPU, vs `python -c pass`", root, bare, "<= 7", "ms")
        Path(home, "with-click").mkdir()
        Path(home, "with-click", "click.py").write_text(CLICK)
        with_click = {**env, "PYTHONPATH": f"{home}/with-click"}
        guard = (args.python, "-c", "import darkai_cli.http.httpx_guard")
        plain = (args.python, "-c", "import httpx, httpcore")
        guarded, unguarded = in_turn(
            args.runs,
            lambda: measure(guard, with_click).cpu * 1000,
            lambda: measure(plain, with_click).cpu * 1000,
        )
        row("httpx with click, CPU, vs `import httpx`", guarded, unguarded, "<= 0.75", "ms")
        ask, minimal = in_turn(
            args.runs,
            lambda: on_the_wire(service, *darkai, "ask", "hi"),
            lambda: on_the_wire(service, args.python, "-c", MINIMAL, url),
        )
        row("ask, exec to request, vs httpx script", ask, minimal, "<= 1.1", "ms")
        openai_rows(args, darkai, home, env)
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
            row("ask, exec to request, vs llm", ask, peer, "<= 0.25", "ms")


if __name__ == "__main__":
    main()
