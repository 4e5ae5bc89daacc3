"""The terminal's settings are put back however a reply ends, and around a stop.

`output/terminal/test_rendering_cli.py` has the usual ends and the signals.
"""

from __future__ import annotations

import contextlib
import os
import pty
import re
import select
import signal
import subprocess
import sys
import termios
import textwrap

import pytest

CHILD = textwrap.dedent(
    """
    import os, sys, signal, termios
    from darkai_cli.events import TextChunk, StreamEnd
    from darkai_cli.output.terminal import TerminalSink
    how, gate = sys.argv[1], int(sys.argv[2])
    signal.alarm(60)  # whatever goes wrong, it does not outlive the test
    if how == "stop":  # only a job with a living parent in its session can be stopped
        mine, parents = os.pipe()
        job = os.fork()
        if job:
            signal.signal(signal.SIGTTOU, signal.SIG_IGN)
            os.setpgid(job, job)
            os.tcsetpgrp(0, job)
            os.read(gate, 1)
            os.kill(job, signal.SIGTSTP)
            _, status = os.waitpid(job, os.WUNTRACED)
            os.write(1, b"STOPPED" if os.WIFSTOPPED(status) else b"NOT")
            os.read(gate, 1)
            os.kill(job, signal.SIGCONT)
            os.read(gate, 1)
            os.write(parents, b"x")
            os.waitpid(job, 0)
            sys.exit()
        signal.alarm(60)
        while os.tcgetpgrp(0) != os.getpid():
            os.sched_yield()
        gate = mine
    sink = TerminalSink(sys.stdout, width=lambda: 60, height=lambda: 20, color=True, input_fd=0)
    error = None
    try:
        sink.feed(TextChunk("Hello there, this is **text**"))
        echo = termios.tcgetattr(0)[3] & termios.ECHO
        os.read(gate, 1)      # the test decides when it goes on
        if how == "raise":
            raise RuntimeError("bug")
        if how == "exit":
            sys.exit(5)
    except BaseException as exc:
        error = exc
        if how == "exit":
            raise
    sink.close(error)
    print("echo was", "on" if echo else "off")
    """
)


def read_until(fd, pattern, seen=b""):
    while not re.search(pattern, seen):
        ready, _, _ = select.select([fd], [], [], 30)
        assert ready, seen
        try:
            data = os.read(fd, 65536)
        except OSError:
            break
        if not data:
            break
        seen += data
    return seen


@pytest.mark.parametrize("how", ["raise", "exit", "stop"])
def test_the_terminal_is_put_right(how):
    master, slave = pty.openpty()
    gate_out, gate_in = os.pipe()
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, how, str(gate_out)],
        stdin=slave, stdout=slave, stderr=slave, start_new_session=True, pass_fds=[gate_out],
        preexec_fn=lambda:  # noqa: PLW1509 -- the child owns the terminal
        __import__("fcntl").ioctl(0, termios.TIOCSCTTY, 0),
    )  # fmt: skip
    job = 0
    try:
        seen = read_until(master, rb"Hello there")
        assert b"\x1b[?25l" in seen
        if how == "stop":
            job = os.tcgetpgrp(master)
        assert not termios.tcgetattr(slave)[3] & termios.ECHO
        os.write(master, b"typed ahead")
        if how == "stop":
            os.write(gate_in, b"x")
            seen = read_until(master, rb"STOPPED", seen)
            # The terminal may echo what was typed, now that it shows it again.
            assert b"\x1b[?25hSTOPPED" in seen
            assert termios.tcgetattr(slave)[3] & termios.ECHO
            os.write(gate_in, b"x")
            seen = read_until(master, rb"\x1b\[\?25h[\s\S]*\x1b\[\?25l[\s\S]*Hello there", seen)
        os.write(gate_in, b"x")
        end = rb"\x1b\[\?25h" if how == "exit" else rb"echo was off"
        seen = read_until(master, end, b"" if how == "exit" else seen)
        child.wait(30)
        assert seen.rindex(b"\x1b[?25h") > seen.rfind(b"\x1b[?25l")
        assert seen.rfind(b"\x1b[?7h") >= seen.rfind(b"\x1b[?7l")
        state = termios.tcgetattr(slave)
        assert state[3] & termios.ECHO
        state[3] &= ~termios.ICANON
        termios.tcsetattr(slave, termios.TCSANOW, state)
        assert os.read(slave, 100) == b"typed ahead"
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        if how == "stop" and job:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(job, signal.SIGKILL)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(10)
        for fd in (master, slave, gate_out, gate_in):
            os.close(fd)
