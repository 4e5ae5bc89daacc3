"""darkai as its users run it: a real process in the test's isolated environment, watched from outside.

Nothing is mocked and nothing sleeps: a test waits for output, for an event of the fault server, or
for the end, always with a bound. ``run_darkai`` and ``run_in_pty`` are for the plain case;
``start_darkai`` and ``start_in_pty`` give a ``Running`` to wait on, to signal and to type into.

    result = run_darkai("ask", "hi", env={"DARKAI_URL": server.url})
    assert (result.code, result.stdout) == (0, b"Hello\n")

    with start_darkai("ask", "hi", env=...) as run:
        run.wait_for(b"Hel")
        run.signal(signal.SIGINT)
        assert run.finish().code == 130
"""

from __future__ import annotations

import fcntl
import os
import shlex
import struct
import subprocess
import sys
import termios
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal, NamedTuple, Self, TypeAlias

import pyte

_GUARD = str(Path(__file__).resolve().parent / "guard")
DARKAI = (sys.executable, "-m", "darkai_cli")

Stdin: TypeAlias = bytes | Path | Literal["closed", "open", "pty"] | None
"""Bytes in a pipe; a file; no descriptor at all; a pipe that stays silent; a terminal; /dev/null."""

At: TypeAlias = tuple[int | bytes, int]
"""When stdout (or the terminal) has shown so many bytes, or these bytes: send this signal."""

_TERMINAL_SESSION = (
    "import fcntl,os,sys,termios\n"
    "os.setsid()\n"
    "fcntl.ioctl(int(sys.argv[1]),termios.TIOCSCTTY,0)\n"
    "os.close(int(sys.argv[1]))\n"
    "os.execv(sys.argv[2],sys.argv[2:])\n"
)
"""Run by a bare interpreter: become the foreground session of a terminal, then the program."""


class Result(NamedTuple):
    """How a run ended. ``code`` is what a shell shows: 128 + N for signal N."""

    code: int
    stdout: bytes
    stderr: str

    @property
    def text(self) -> str:
        """Standard output as text."""
        return self.stdout.decode()


class Shown(NamedTuple):
    """How a run on a terminal ended.

    ``raw``: every byte the terminal got. ``stdout`` and ``stderr``: what went past it, if one of
    them was no terminal.
    """

    code: int
    raw: bytes
    screen: Terminal
    stdout: bytes
    stderr: str

    @property
    def lines(self) -> list[str]:
        """Scrollback and screen, without trailing blanks and trailing empty lines."""
        return self.screen.all_lines()


class Terminal(pyte.HistoryScreen):
    """An emulated terminal with scrollback, which answers queries as a real one does."""

    def __init__(self, columns: int, rows: int, answer: Any) -> None:
        self._answer = answer
        super().__init__(columns, rows, history=100_000, ratio=0.5)

    def write_process_input(self, data: str) -> None:
        self._answer(data.encode())

    def all_lines(self) -> list[str]:
        """Scrollback and screen, without trailing blanks and trailing empty lines."""
        scrolled = [
            "".join(row[column].data for column in range(self.columns)).rstrip()
            for row in self.history.top
        ]
        rows = scrolled + [row.rstrip() for row in self.display]
        while rows and not rows[-1]:
            rows.pop()
        return rows


class Running:
    """A process under watch. Leaving the context kills what is left of it."""

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        *,
        timeout: float,
        master: int | None = None,
        screen: Terminal | None = None,
        feed: bytes | None = None,
        at: Sequence[At] = (),
        watched: str = "stdout",
    ) -> None:
        self.process = process
        self.screen = screen
        self._timeout = timeout
        self._master = master
        self._seen: dict[str, bytearray] = {
            "stdout": bytearray(), "stderr": bytearray(), "terminal": bytearray()
        }  # fmt: skip
        self._changed = threading.Condition()
        self._still_open = 0
        self._at = list(at)
        self._watched = watched
        self._stream = pyte.ByteStream(screen) if screen is not None else None
        self._threads: list[threading.Thread] = []
        for name, pipe in (("stdout", process.stdout), ("stderr", process.stderr)):
            if pipe is not None:
                self._read(name, pipe.fileno())
        if master is not None:
            self._read("terminal", master)
        if feed is not None:
            self._thread(self._write_stdin, feed)

    def _thread(self, target: Any, *args: Any) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)
        thread.start()
        self._threads.append(thread)

    def _read(self, name: str, fd: int) -> None:
        with self._changed:
            self._still_open += 1
        self._thread(self._pump, name, fd)

    def _pump(self, name: str, fd: int) -> None:
        while True:
            try:
                data = os.read(fd, 65536)
            except OSError:  # EIO: nobody has the terminal open any more
                data = b""
            with self._changed:
                if not data:
                    self._still_open -= 1
                    self._changed.notify_all()
                    return
                self._seen[name] += data
                if name == "terminal" and self._stream is not None:
                    self._stream.feed(data)
                if name == self._watched:
                    self._fire()
                self._changed.notify_all()

    def _fire(self) -> None:
        output = self._seen[self._watched]
        while self._at:
            point, signum = self._at[0]
            if not (point in output if isinstance(point, bytes) else len(output) >= point):
                return
            del self._at[0]
            self.signal(signum)

    def _write_stdin(self, data: bytes) -> None:
        assert self.process.stdin is not None
        with suppress(BrokenPipeError):  # the program did not want all of it
            self.process.stdin.write(data)
            self.process.stdin.close()

    @property
    def stdout(self) -> bytes:
        """Standard output so far."""
        with self._changed:
            return bytes(self._seen["stdout"])

    @property
    def stderr(self) -> str:
        """Standard error so far."""
        with self._changed:
            return self._seen["stderr"].decode("utf-8", "replace")

    @property
    def terminal(self) -> bytes:
        """What the terminal got so far."""
        with self._changed:
            return bytes(self._seen["terminal"])

    def wait_for(self, what: bytes, where: str | None = None) -> None:
        """Wait until ``what`` was seen on ``stdout``, ``stderr`` or the ``terminal``."""
        name = where or self._watched
        with self._changed:
            in_time = self._changed.wait_for(
                lambda: what in self._seen[name] or not self._still_open, self._timeout
            )
            if what not in self._seen[name]:
                reason = "the program ended" if in_time else "the time ran out"
                raise AssertionError(f"{reason} before {what!r} was on {name}: {self._seen}")

    def wait_until(self, holds: Callable[[Terminal], Any], timeout: float | None = None) -> Any:
        """Wait until ``holds`` says so of the terminal's screen; what it said."""
        screen = self.screen
        assert screen is not None
        with self._changed:
            self._changed.wait_for(
                lambda: holds(screen) or not self._still_open, timeout or self._timeout
            )
            value = holds(screen)
            if not value:
                raise AssertionError("the screen was:\n" + "\n".join(screen.all_lines()))
            return value

    def modes(self) -> list[Any]:
        """The terminal's settings, as ``stty -a`` tells them."""
        assert self._master is not None
        return termios.tcgetattr(self._master)

    def signal(self, signum: int) -> None:
        """Send a signal, as ``kill`` does."""
        self.process.send_signal(signum)

    def type(self, keys: str | bytes) -> None:
        """Type on the terminal's keyboard; without one, write to stdin."""
        data = keys.encode() if isinstance(keys, str) else keys
        if self._master is not None:
            os.write(self._master, data)
        else:
            assert self.process.stdin is not None
            self.process.stdin.write(data)
            self.process.stdin.flush()

    def close_stdin(self) -> None:
        """End of input on a pipe."""
        assert self.process.stdin is not None
        self.process.stdin.close()

    def resize(self, rows: int, columns: int) -> None:
        """Give the terminal another size; its program gets SIGWINCH from the system."""
        assert self._master is not None
        assert self.screen is not None
        with self._changed:
            self.screen.resize(rows, columns)
        _set_size(self._master, rows, columns)

    def finish(self) -> Result:
        """Wait for the end."""
        try:
            code = self.process.wait(self._timeout)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still running after {self._timeout:g} s: {self._seen}") from None
        for thread in self._threads:
            thread.join(self._timeout)
        return Result(128 - code if code < 0 else code, self.stdout, self.stderr)

    def screen_result(self) -> Shown:
        """Wait for the end of a run on a terminal."""
        assert self.screen is not None
        code, stdout, stderr = self.finish()
        return Shown(code, self.terminal, self.screen, stdout, stderr)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for thread in self._threads:
            thread.join(self._timeout)
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            if pipe is not None and not pipe.closed:
                pipe.close()
        if self._master is not None:
            os.close(self._master)


def environment(env: Mapping[str, str | None] | None = None) -> dict[str, str]:
    """The test's environment plus the guard; None removes a variable."""
    environ: dict[str, str] = {**os.environ, "PYTHONPATH": _GUARD}
    for name, value in (env or {}).items():
        if value is None:
            environ.pop(name, None)
        else:
            environ[name] = value
    return environ


def start_darkai(
    *args: str,
    stdin: Stdin = None,
    env: Mapping[str, str | None] | None = None,
    timeout: float = 20,
    at: Sequence[At] = (),
    redirect: str = "",
    command: Sequence[str] = DARKAI,
) -> Running:
    """Start darkai. ``redirect``: what a shell does to it, ``">/dev/full"`` or ``"| head -n1"``."""
    argv = [*command, *args]
    if stdin == "closed":
        redirect += " <&-"
    if redirect:
        argv = ["/bin/sh", "-c", f"exec {shlex.join(argv)} {redirect}"]
        if "|" in redirect:
            argv[-1] = f"{shlex.join([*command, *args])} {redirect}"
    master, given = _open_stdin(stdin)
    process = subprocess.Popen(
        argv,
        stdin=given,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(env),
        restore_signals=True,
    )
    if isinstance(stdin, Path) or stdin == "pty":
        os.close(given)
    feed = stdin if isinstance(stdin, bytes) else None
    return Running(process, timeout=timeout, master=master, feed=feed, at=at)


def _open_stdin(stdin: Stdin) -> tuple[int | None, int]:
    """The terminal's master side, if stdin is one, and what the process gets."""
    if stdin == "pty":
        master, slave = os.openpty()
        return master, slave
    if isinstance(stdin, Path):
        return None, os.open(stdin, os.O_RDONLY)
    if isinstance(stdin, bytes) or stdin == "open":
        return None, subprocess.PIPE
    return None, subprocess.DEVNULL


def run_darkai(
    *args: str,
    stdin: Stdin = None,
    env: Mapping[str, str | None] | None = None,
    timeout: float = 20,
    at: Sequence[At] = (),
    redirect: str = "",
    command: Sequence[str] = DARKAI,
) -> Result:
    """Run darkai to its end."""
    with start_darkai(
        *args, stdin=stdin, env=env, timeout=timeout, at=at, redirect=redirect, command=command
    ) as run:
        return run.finish()


def start_in_pty(
    *args: str,
    rows: int = 24,
    cols: int = 80,
    on: Sequence[str] = ("stdin", "stdout", "stderr"),
    stdin: bytes | None = None,
    env: Mapping[str, str | None] | None = None,
    timeout: float = 20,
    at: Sequence[At] = (),
    command: Sequence[str] = DARKAI,
) -> Running:
    """Start darkai with a terminal on the streams named in ``on``; the others are pipes."""
    master, slave = os.openpty()
    _set_size(master, rows, cols)
    control = os.dup(slave)
    streams: dict[str, int] = {
        name: slave if name in on else subprocess.PIPE for name in ("stdin", "stdout", "stderr")
    }
    if "stdin" not in on and stdin is None:
        streams["stdin"] = subprocess.DEVNULL
    launcher = [sys.executable, "-I", "-S", "-c", _TERMINAL_SESSION, str(control)]
    process = subprocess.Popen(
        [*launcher, *command, *args],
        env=environment(env),
        pass_fds=(control,),
        **streams,
    )
    os.close(slave)
    os.close(control)
    screen = Terminal(cols, rows, lambda data: os.write(master, data))
    return Running(
        process,
        timeout=timeout,
        master=master,
        screen=screen,
        feed=stdin,
        at=at,
        watched="terminal" if {"stdout", "stderr"} & set(on) else "stdout",
    )


def run_in_pty(
    *args: str,
    rows: int = 24,
    cols: int = 80,
    on: Sequence[str] = ("stdin", "stdout", "stderr"),
    stdin: bytes | None = None,
    env: Mapping[str, str | None] | None = None,
    timeout: float = 20,
    at: Sequence[At] = (),
    command: Sequence[str] = DARKAI,
) -> Shown:
    """Run darkai on a terminal to its end."""
    with start_in_pty(
        *args, rows=rows, cols=cols, on=on, stdin=stdin, env=env, timeout=timeout, at=at,
        command=command,
    ) as run:  # fmt: skip
        return run.screen_result()


def _set_size(fd: int, rows: int, columns: int) -> None:
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
