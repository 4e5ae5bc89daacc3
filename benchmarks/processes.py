"""Helpers for the benchmarks: a loopback service, processes measured from outside, ratios.

Each figure is a ratio of two things measured in turn in one run, because a machine's speed varies.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
import ssl
import statistics
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple


def darkai(python: str) -> list[str]:
    """Return the command that is installed for this interpreter, not the code in this folder."""
    script = Path(python).with_name("darkai")
    return [str(script)] if script.exists() else [python, "-P", "-m", "darkai_cli"]


class Run(NamedTuple):
    """One finished process: CPU and wall seconds, peak memory in MiB, exit code."""

    cpu: float
    wall: float
    rss: float
    code: int


def measure(
    command: Sequence[str], env: dict[str, str] | None = None, sink: int = subprocess.DEVNULL
) -> Run:
    """Run a command to its end."""
    began = time.monotonic()
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=sink, stderr=subprocess.DEVNULL, env=env
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    scale = 1024 if sys.platform == "linux" else 1024 * 1024
    return Run(
        usage.ru_utime + usage.ru_stime,
        time.monotonic() - began,
        usage.ru_maxrss / scale,
        process.returncode,
    )


def measure_on_terminal(
    command: Sequence[str], env: dict[str, str], rows: int = 40, columns: int = 100
) -> Run:
    """Run a command to its end on a terminal that reads all output."""
    master, slave = os.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def drain() -> None:
        with contextlib.suppress(OSError):
            while os.read(master, 65536):
                pass

    thread = threading.Thread(target=drain, daemon=True)
    thread.start()
    try:
        return measure(command, {**env, "TERM": "xterm-256color"}, slave)
    finally:
        os.close(slave)
        thread.join()
        os.close(master)


def in_turn(runs: int, *jobs: Callable[[], float]) -> list[list[float]]:
    """Run the jobs in turn, ``runs`` rounds after a warm-up; return the figures of each job."""
    results: list[list[float]] = [[] for _ in jobs]
    for number in range(runs + 1):
        for job, figures in zip(jobs, results, strict=True):
            figure = job()
            if number:
                figures.append(figure)
    return results


def ratio(figures: Sequence[float], base: Sequence[float]) -> float:
    """Return the median of the pairwise ratios."""
    return statistics.median(a / b for a, b in zip(figures, base, strict=True))


def row(name: str, figures: Sequence[float], base: Sequence[float], bound: str, unit: str) -> None:
    """Print one line of a table."""
    median = statistics.median(figures)
    base_median = statistics.median(base)
    print(
        f"{name:<44} {median:9.2f} {unit} {base_median:9.2f} {unit}"
        f" {ratio(figures, base):7.2f}x  {bound}"
    )


class Service(threading.Thread):
    """A loopback HTTP service that responds to every POST with the same body.

    ``arrived``: the monotonic times at which each request was complete. ``watched``: the id of a
    process; ``spent`` has its CPU seconds at these times (Linux). ``away``: seconds of delay before
    TLS, as if the service were far away. ``pace``: seconds between two pieces of the body.
    """

    def __init__(
        self,
        pieces: Sequence[bytes],
        content_type: str = "text/event-stream",
        tls: ssl.SSLContext | None = None,
        away: float = 0.0,
        pace: float = 0.0,
    ) -> None:
        super().__init__(daemon=True)
        self._away = away
        self._pace = pace
        self.pieces = pieces
        self.arrived: list[float] = []
        self.spent: list[float] = []
        self.watched = 0
        self._tls = tls
        self.sent: list[float] = []
        self._head = (
            f"HTTP/1.1 200 OK\r\ncontent-type: {content_type}\r\n"
            "transfer-encoding: chunked\r\nconnection: close\r\n\r\n"
        ).encode()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=16)
        self.port = self._listener.getsockname()[1]
        self.start()

    def run(self) -> None:
        """Serve one connection after the other."""
        while True:
            plain, _ = self._listener.accept()
            time.sleep(self._away)
            client = plain if self._tls is None else self._tls.wrap_socket(plain, server_side=True)
            with client:
                if self._request(client):
                    self.arrived.append(time.monotonic())
                    if self.watched and sys.platform == "linux":
                        # The clock of another process's CPU time; see clock_getcpuclockid(3).
                        self.spent.append(time.clock_gettime((~self.watched << 3) | 2))
                    self._answer(client)

    def _request(self, client: socket.socket) -> bool:
        data = b""
        while b"\r\n\r\n" not in data:
            piece = client.recv(65536)
            if not piece:
                return False
            data += piece
        head, _, body = data.partition(b"\r\n\r\n")
        length = 0
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        while len(body) < length:
            body += client.recv(65536)
        return True

    def _answer(self, client: socket.socket) -> None:
        client.sendall(self._head)
        batch: list[bytes] = []
        for number, piece in enumerate(self.pieces, 1):
            batch.append(b"%x\r\n%s\r\n" % (len(piece), piece))
            if number % 64 == 0 or self._pace:
                time.sleep(self._pace)
                client.sendall(b"".join(batch))
                batch.clear()
        self.sent.append(time.monotonic())
        client.sendall(b"".join(batch) + b"0\r\n\r\n")
