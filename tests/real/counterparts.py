"""Servers and proxies that others wrote, as ordinary processes on free ports of loopback.

What is not installed is skipped, with a line that says how to install it. ``tests/real/run``
installs what comes from Python's and Node's registries below ``REAL_HOME`` (``build/real`` of this
checkout, unless the variable names another folder); the rest are programs of the system.

A counterpart lives as long as its ``with`` block, and where ``setpriv`` exists not longer than the
tests, however they end.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
from support.isolation import ROOT

HERE = Path(__file__).resolve().parent
REAL_HOME = Path(os.environ.get("REAL_HOME") or ROOT / "build" / "real")
PATIENCE = 60.0
"""Seconds in which a counterpart must be up. LiteLLM takes ten."""


class Counterpart(NamedTuple):
    """One that runs. ``log``: what it prints."""

    process: subprocess.Popen[bytes]
    log: Path

    def output(self) -> str:
        return self.log.read_text("utf-8", "replace")


def installed(*parts: str) -> str:
    """A program below ``REAL_HOME``; the test is skipped where it is not there."""
    path = REAL_HOME.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"no {path}: `tests/real/run` installs it, or `tests/real/run --all`")
    return str(path)


def program(name: str, package: str) -> str:
    """A program of the system; the test is skipped where it is not there."""
    path = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
    if path is None:
        pytest.skip(f"`{name}` is not installed (Debian: `apt install {package}`)")
    return path


def free_port() -> int:
    """A port of loopback that nobody has at this moment."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@contextmanager
def running(
    argv: Sequence[str],
    folder: Path,
    *,
    port: int | None = None,
    line: str = "",
    env: Mapping[str, str] | None = None,
) -> Iterator[Counterpart]:
    """Run a server until the block ends; it is up when ``port`` answers or ``line`` is printed."""
    binder = shutil.which("setpriv")
    held = [binder, "--pdeathsig", "TERM"] if binder else []
    log = folder / f"{Path(argv[0]).name}.log"
    with log.open("wb") as file:
        process = subprocess.Popen(
            [*held, *argv],
            stdin=subprocess.PIPE,
            stdout=file,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env={"PATH": os.environ["PATH"], "HOME": str(folder), **(env or {})},
        )
    counterpart = Counterpart(process, log)
    try:
        _await(counterpart, port, line)
        yield counterpart
    finally:
        assert process.stdin is not None
        process.stdin.close()
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _await(counterpart: Counterpart, port: int | None, line: str) -> None:
    """Wait until it is up. Nothing tells of that but its log and its port, so both are polled."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        if counterpart.process.poll() is not None:
            break
        if line and line in counterpart.output():
            return
        if port is not None:
            with socket.socket() as sock:
                if sock.connect_ex(("127.0.0.1", port)) == 0:
                    return
        time.sleep(0.02)
    pytest.fail(f"{counterpart.process.args!r} did not come up:\n{counterpart.said()}")
