"""The installed command without its start-up: a process that has loaded it once and forks for each run.

A run has a process of its own, with its own arguments, environment, folder and output, and goes in by
``darkai_cli.__main__.main``, as ``python -m darkai_cli`` does. All that runs share are modules that
are already loaded: those that earlier runs have loaded, whatever their names are.

    with Forking() as forking, forking.start(["ask", "hi"], environ, folder) as run:
        run.wait_for(b"Hello")
        code, output, errors = run.finish()

Run as a program, this file is the process that forks.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

LIMIT = 60.0
"""Seconds that a run may last."""
ROOT = Path(__file__).resolve().parents[3]
GUARD = ROOT / "tests" / "support" / "guard"
HEAD = 4
"""Bytes in front of a message that tell its length."""


class Run:
    """One run of the command."""

    def __init__(self, control: socket.socket, output: int, errors: int) -> None:
        self._control = control
        self._output = output
        self._texts = {output: bytearray(), errors: bytearray()}
        self._changed = threading.Condition()
        self._threads = [
            threading.Thread(target=self._read, args=(pipe,), daemon=True) for pipe in self._texts
        ]
        for thread in tuple(self._threads):  # each takes itself off the list
            thread.start()

    def _read(self, pipe: int) -> None:
        with os.fdopen(pipe, "rb", buffering=0) as file:
            while data := file.read(65536):
                with self._changed:
                    self._texts[pipe] += data
                    self._changed.notify_all()
        with self._changed:
            self._threads.remove(threading.current_thread())
            self._changed.notify_all()

    def wait_for(self, text: bytes) -> None:
        """Wait until the text was on stdout, or the run is over."""
        with self._changed:
            self._changed.wait_for(
                lambda: text in self._texts[self._output] or not self._threads, LIMIT
            )

    def finish(self) -> tuple[int, bytes, str]:
        """Wait for the end; the exit code, stdout and stderr."""
        code = int.from_bytes(_exactly(self._control, HEAD), signed=True)
        with self._changed:
            if not self._changed.wait_for(lambda: not self._threads, LIMIT):
                raise AssertionError("something still has the output of darkai open")
        output, errors = self._texts.values()
        return 128 - code if code < 0 else code, bytes(output), errors.decode("utf-8", "replace")


class Forking:
    """The process that forks. Runs come one after the other."""

    def __init__(self) -> None:
        self._control, theirs = socket.socketpair()
        self._control.settimeout(LIMIT)
        environ = {**os.environ, "PYTHONPATH": str(GUARD)}
        self._process = subprocess.Popen(
            [sys.executable, __file__, str(theirs.fileno())],
            env=environ,
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            cwd=ROOT,
        )
        theirs.close()

    def start(self, args: Sequence[str], environ: Mapping[str, str], folder: Path) -> Run:
        """Start darkai in the folder, with this environment and nothing else of ours."""
        message = json.dumps([list(args), dict(environ), str(folder)]).encode()
        output, to_output = os.pipe()
        errors, to_errors = os.pipe()
        socket.send_fds(self._control, [len(message).to_bytes(HEAD)], [to_output, to_errors])
        self._control.sendall(message)
        os.close(to_output)
        os.close(to_errors)
        return Run(self._control, output, errors)

    def run(self, *args: str, environ: Mapping[str, str], folder: Path) -> tuple[int, bytes, str]:
        """Run darkai to its end; the exit code, stdout and stderr."""
        return self.start(args, environ, folder).finish()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._control.close()  # it ends then
        try:
            self._process.wait(LIMIT)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def _exactly(control: socket.socket, size: int) -> bytes:
    """So many bytes."""
    data = b""
    while len(data) < size:
        piece = control.recv(size - len(data))
        if not piece:
            raise EOFError("the other side is gone")
        data += piece
    return data


# --- the process that forks -----------------------------------------------------------------------


def serve(control: socket.socket) -> tuple[list[str], int] | None:
    """In a child: the arguments to run darkai with, and where to tell what it has loaded.

    In the process itself: None, once nobody wants anything any more.
    """
    while True:
        head, pipes, *_ = socket.recv_fds(control, HEAD, 2)
        if not head:
            return None
        head += _exactly(control, HEAD - len(head)) if len(head) < HEAD else b""
        args, environ, folder = json.loads(_exactly(control, int.from_bytes(head)))
        names, to_names = os.pipe()
        child = os.fork()
        if not child:
            control.close()
            os.close(names)
            become(pipes, environ, folder)
            return list(args), to_names
        for pipe in (*pipes, to_names):
            os.close(pipe)
        with os.fdopen(names, encoding="utf-8") as file:
            loaded = file.read().split()
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        with suppress(BrokenPipeError):
            control.sendall(code.to_bytes(HEAD, signed=True))
        load(loaded)


def load(names: Sequence[str]) -> None:
    """Load what a child has loaded, so that the next finds it there."""
    fresh = [name for name in names if name not in sys.modules]
    for name in fresh:
        with suppress(ImportError):  # a name that a package has given to a part of itself
            importlib.import_module(name)
    if fresh:
        gc.collect()
        gc.freeze()


def become(pipes: Sequence[int], environ: Mapping[str, str], folder: str) -> None:
    """Take on what a run has for its own."""
    for number, pipe in enumerate(pipes, 1):
        os.dup2(pipe, number)
        os.close(pipe)
    os.environ.clear()
    os.environ.update(environ)
    os.chdir(folder)
    signal.alarm(int(LIMIT))


def command(args: Sequence[str]) -> Any:
    """Run darkai; it exits."""
    from darkai_cli.__main__ import main

    sys.argv = ["darkai", *args]
    main()


def leave(args: Sequence[str], names: int) -> None:
    """Run darkai, and end as an interpreter does, without taking the loaded modules apart."""
    try:
        command(args)
    except SystemExit as stop:
        threading._shutdown()
        atexit._run_exitfuncs()
        for stream in (sys.stdout, sys.stderr):
            if stream is not None and not stream.closed:
                stream.flush()
        with os.fdopen(names, "w", encoding="utf-8") as file:
            file.write("\n".join(sys.modules))
        os._exit(stop.code if isinstance(stop.code, int) else stop.code is not None)


if __name__ == "__main__":
    given = serve(socket.socket(fileno=int(sys.argv[1])))
    if given is not None:
        leave(*given)
