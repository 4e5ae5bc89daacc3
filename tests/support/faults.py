"""A table of faults: what a service does, and what its user must then see, whatever the protocol.

Each ``Row`` says what the server does, and then the exit code, whether darkai asked again, what was
on stdout, and what the message on stderr tells. A row whose script has a gate opens it once the partial
text was seen on stdout, so each of them proves on the way that text is shown as it arrives. A row runs
with ``--retries 1``: a fault that is sent again makes two connections, any other one.
"""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Callable, Sequence
from threading import Event
from typing import Any, NamedTuple, TypeAlias

from support.scenario import Result, Running
from support.server import FaultServer, Pause, Script, page

HOST = "127.0.0.1"
NAMED = r"127\.0\.0\.1:PORT"
"""In a row: how messages name the server. ``PORT`` stands for the one that it listens at."""
OPEN = Event()
"""In a row's script: the place where its own gate goes."""
GATE = Pause(OPEN)
QUICK = ("--timeout", "0.4")

BAD_JSON = b"data: {broken\n\n"
CHALLENGE = (
    "<!DOCTYPE html><html><head><title>Just a moment...</title></head><body>{}</body></html>"
)
LOGIN = (
    "<html><head><title>Hotel WiFi Login</title></head><body>" + "welcome " * 500 + "</body></html>"
)
NGINX = (
    "<html><head><title>502 Bad Gateway</title></head><body>" + "nginx " * 3000 + "</body></html>"
)

Start: TypeAlias = Callable[[FaultServer, Sequence[str]], Running]
"""Starts darkai with a question for the server, and with these further arguments."""


class Row(NamedTuple):
    """One fault. ``tells``: regular expressions, each of which the error (or stderr) must match."""

    scripts: Sequence[Script]
    code: int
    tells: Sequence[str] = ()
    out: bytes = b""
    retried: bool = False
    args: Sequence[str] = ()
    silent: bool = True
    """For a success: nothing at all on stderr."""


def fails(code: int, *tells: str, script: Script, **more: Any) -> Row:
    """A fault before any text."""
    return Row([script], code, tells, **more)


def warned(out: str, notice: str, *scripts: Script, **more: Any) -> Row:
    """A good reply, with a notice on stderr."""
    return Row(scripts, 0, [notice], out.encode() + b"\n", silent=False, **more)


def partial(code: int, *tells: str, script: Script, **more: Any) -> Row:
    """A fault after the text ``Hello`` was seen."""
    return Row([script], code, tells, out=b"Hello\n", **more)


def gzipped(data: bytes, *more: bytes) -> Script:
    """A whole reply that is compressed although nobody asked for it."""
    body = gzip.compress(data) + b"".join(more)
    return page(200, body, "text/event-stream", {"content-encoding": "gzip"})


def bomb(first: bytes, size: int) -> Script:
    """A reply that says ``first`` and then unpacks to ``size`` bytes."""
    machine = zlib.compressobj(wbits=31)
    block = b"A" * (1 << 20)
    parts = [machine.compress(first), *(machine.compress(block) for _ in range(size >> 20))]
    body = b"".join([*parts, machine.flush()])
    return page(200, body, "text/event-stream", {"content-encoding": "gzip"})


def redirect(status: int, target: str) -> Script:
    """An answer that sends the client elsewhere."""
    return page(status, "", headers={"location": target})


def play(
    row: Row, start: Start, args: Sequence[str] = ("--retries", "1")
) -> tuple[Result, FaultServer]:
    """Run a row, with a gate of its own that opens when the partial text is on stdout."""
    gate = Event()
    scripts = [
        [Pause(gate) if isinstance(step, Pause) else step for step in script]
        for script in row.scripts
    ]
    gated = any(isinstance(step, Pause) for script in scripts for step in script)
    with FaultServer(*scripts) as server, start(server, [*args, *row.args]) as run:
        if gated:
            server.wait_requests()
            if row.code:
                run.wait_for(row.out.rstrip(b"\n"))
            gate.set()
        return run.finish(), server


def error_text(stderr: str) -> str:
    """Return the error message with its hint; checks that there is one, in the right form."""
    assert "Traceback" not in stderr
    lines = stderr.splitlines()
    errors = [line for line in lines if line.startswith("error: ")]
    assert len(errors) == 1, stderr
    after = lines[lines.index(errors[0]) + 1 :]
    assert all(line.startswith("hint: ") for line in after), stderr
    assert len(after) <= 1, stderr
    assert 10 < len(errors[0]) < 400, stderr
    assert "\x1b" not in stderr
    return "\n".join([errors[0], *after])


def check(row: Row, start: Start) -> None:
    """Play a row, and compare."""
    result, server = play(row, start)
    assert (result.code, result.stdout) == (row.code, row.out), result
    words = error_text(result.stderr) if row.code else result.stderr
    for pattern in (pattern_text.replace(":PORT", f":{server.port}") for pattern_text in row.tells):
        assert re.search(pattern, words, re.DOTALL), (pattern, result.stderr)
    if row.code == 0:
        assert "error: " not in result.stderr
        assert not (row.silent and result.stderr), result.stderr
    assert server.connections == (2 if row.retried else 1), result.stderr
    assert ("trying again" in result.stderr) is row.retried, result.stderr
