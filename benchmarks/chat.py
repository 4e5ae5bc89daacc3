"""Measure a chat: CPU time until the prompt appears and for a key, and from Enter to the request.

    python benchmarks/chat.py [--python PYTHON] [--runs N]

PYTHON: the interpreter of an environment in which darkai is installed without development tools.
The chat continues a conversation of 10,000 lines, with 1,000 lines in its input history. Linux
only: the CPU time is read from /proc.
"""

from __future__ import annotations

import argparse
import os
import pty
import select
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import processes
from processes import Service, in_turn, measure, row

BODY = [
    b'data: {"event":"text-chunk","data":{"text":"fine"}}\n\n',
    b'data: {"event":"stream-end","data":{}}\n\n',
]
SEED = """
import sys
from pathlib import Path
from darkai_cli.history.journal import Journal
journal = Journal(Path(sys.argv[1]))
conversation = parent = None
for number in range(100):
    ids = journal.begin(f"question {number}", provider="darkai", model="llama-3-70b",
                        conversation=conversation, parent=parent)
    conversation, parent = ids.conversation, ids.reply
    journal.sent()
    journal.text("".join(f"line {line} of a long answer\\n" for line in range(100)))
    journal.end("complete", reason="stop")
journal.close()
"""
ASK = b"\x1b[6n"
"""The request for the cursor's position; a terminal replies to it."""


class Terminal:
    """A command on a terminal."""

    def __init__(self, command: list[str], env: dict[str, str]) -> None:
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execvpe(command[0], command, env)
        self.seen = b""

    def wait(self, what: bytes) -> None:
        """Read until this text appears."""
        end = time.monotonic() + 60
        while what not in self.seen:
            self.read(end - time.monotonic())

    def read(self, seconds: float) -> bool:
        """Read what is available; return whether there was anything."""
        if not select.select([self.fd], [], [], max(0.0, seconds))[0]:
            return False
        data = os.read(self.fd, 65536)
        if ASK in data:
            os.write(self.fd, b"\x1b[1;1R")
        self.seen += data
        return True

    def settle(self) -> None:
        """Read until nothing arrives for a while."""
        while self.read(0.3):
            pass

    def press(self, keys: bytes) -> None:
        """Press keys."""
        self.seen = b""
        os.write(self.fd, keys)

    def cpu(self) -> float:
        """Return the milliseconds of CPU time so far."""
        total = 0
        for thread in Path(f"/proc/{self.pid}/task").iterdir():
            total += int((thread / "schedstat").read_text().split()[0])
        return total / 1e6

    def end(self) -> None:
        """Kill the command."""
        os.kill(self.pid, 9)
        os.waitpid(self.pid, 0)
        os.close(self.fd)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--runs", type=int, default=11)
    args = parser.parse_args()
    darkai = processes.darkai(args.python)
    with tempfile.TemporaryDirectory() as home:
        service = Service(BODY)
        url = f"http://127.0.0.1:{service.port}/chat"
        env = {
            "PATH": os.environ["PATH"], "DARKAI_HOME": home, "DARKAI_URL": url, "HOME": home,
            "TERM": "xterm-256color", "LANG": "C.UTF-8",
        }  # fmt: skip
        subprocess.run([args.python, "-c", SEED, f"{home}/history.db"], check=True, env=env)
        code = "from darkai_cli.config import paths; print(paths.input_file())"
        file = subprocess.run(
            [args.python, "-c", code], check=True, env=env, capture_output=True, text=True
        ).stdout.strip()
        Path(file).write_text(
            "".join(f"\n# 2026-01-31 12:00:00\n+earlier line {number}\n" for number in range(1000))
        )

        def prompt() -> float:
            terminal = Terminal([*darkai, "chat"], env)
            terminal.wait(b"\x1b[0;1m>")
            spent = terminal.cpu()
            terminal.end()
            return spent

        def library() -> float:
            return measure([args.python, "-c", "import prompt_toolkit"], env).cpu * 1000

        print(f"{'':<44} {'darkai':>12} {'other':>12} {'ratio':>8}  bound")
        startup, base = in_turn(args.runs, prompt, library)
        row("prompt appears, CPU, vs import prompt_toolkit", startup, base, "<= 2.2", "ms")
        key, sent = session(darkai, env, service)
        print(f"{'one key, CPU':<44} {key:9.2f} ms {'':>24}  <= 5 ms")
        print(f"{'from Enter to the request':<44} {sent:9.2f} ms {'':>24}  <= 20 ms")


def session(darkai: list[str], env: dict[str, str], service: Service) -> tuple[float, float]:
    """Return the CPU milliseconds of one key, and the milliseconds from Enter to the request."""
    keys, sent = [], []
    for _ in range(5):
        terminal = Terminal([*darkai, "chat", "-c"], env)
        terminal.wait(b"\x1b[0;1m>")
        terminal.settle()
        terminal.press(b"l")
        terminal.settle()
        before = terminal.cpu()
        text = b"ine and a text that is typed"
        for key in text:
            terminal.press(bytes([key]))
            terminal.read(5)
            while terminal.read(0.02):
                pass
        keys.append((terminal.cpu() - before) / len(text))
        count = len(service.arrived)
        began = time.monotonic()
        terminal.press(b"\r")
        while len(service.arrived) == count:
            terminal.read(0.001)
        sent.append((service.arrived[-1] - began) * 1000)
        terminal.end()
    return statistics.median(keys), statistics.median(sent)


if __name__ == "__main__":
    main()
