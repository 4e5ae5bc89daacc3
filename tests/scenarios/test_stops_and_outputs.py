"""However ``ask`` is stopped, and whatever its output is, nothing is left behind and errors are named."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from threading import Event

import pytest
from support.scenario import DARKAI, environment, run_darkai, start_darkai, start_in_pty
from support.server import (
    FaultServer,
    Pause,
    Send,
    Stall,
    event,
    head,
    page,
    reply,
)


def left_over() -> list[str]:
    return sorted(path.name for path in Path().iterdir())


def test_an_error_status_whose_body_stalls() -> None:
    script = [Send(head(503, {"content-length": "100"})), Stall()]
    with FaultServer(script) as server:
        result = run_darkai("ask", "--retries", "0", "hi", env={"DARKAI_URL": server.url})
    assert result.code == 9
    assert "unavailable (503)" in result.stderr


def test_half_a_pair_in_a_final_response() -> None:
    script = reply(
        [event("stream-end"), event("final-response", {"message": "a\ud83d b"})], end=None
    )
    with FaultServer(script) as server:
        result = run_darkai("ask", "hi", env={"DARKAI_URL": server.url})
    assert (result.code, result.text) == (0, "a\ufffd b\n"), result


@pytest.mark.parametrize("target", ["/dev/stdout", "link"])
def test_output_writes_through_a_descriptor(target: str) -> None:
    if target == "link":
        Path("link").symlink_to("/proc/self/fd/1")
    with FaultServer(reply(["whole"])) as server:
        result = run_darkai(
            "ask", "--output", target, "hi", env={"DARKAI_URL": server.url}, redirect="> f.txt"
        )
    assert result.code == 0, result
    assert Path("f.txt").read_text() == "whole\n"
    assert target != "link" or Path("link").is_symlink()


def test_no_temporary_file_stays() -> None:
    with FaultServer(reply(["half", Stall()])) as server:
        env = {"DARKAI_URL": server.url}
        result = run_darkai("ask", "--output", "o.txt", "--record", "/nowhere/x", "hi", env=env)
        assert result.code == 11
        assert left_over() == []
        for moment in range(0, 260, 65):
            process = subprocess.Popen(
                [*DARKAI, "ask", "--output", "o.txt", "hi"],
                env=environment(env),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
            )
            try:
                process.communicate(timeout=moment / 1000)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGTERM)
            _, stderr = process.communicate(timeout=20)
            assert process.returncode in (143, -signal.SIGTERM), stderr
    assert left_over() == []


def test_stdin_without_end_is_refused() -> None:
    result = run_darkai("ask", "hi", stdin=b"y\n" * 9_000_000)
    assert result.code == 11
    assert "more than 16 MiB" in result.stderr


@pytest.mark.parametrize(
    "args",
    [[""], ["-m", "nope", "x"], ["--output", "/nowhere/x", "x"]],
)
def test_every_error_is_the_last_json_line(args: list[str]) -> None:
    result = run_darkai("ask", "--json", *args)
    last = json.loads(result.stdout.splitlines()[-1])
    assert last["event"] == "error"
    assert last["data"]["exit_code"] == result.code
    assert result.stdout.count(b'"error"') == 1


@pytest.mark.parametrize("command", [["models"], ["ask", "--dry-run", "x"]])
def test_a_closed_or_full_stdout_is_no_bug(command: list[str]) -> None:
    for redirect in (">&-", ">/dev/full"):
        result = run_darkai(*command, redirect=redirect)
        assert result.code == 11, (redirect, result)
        assert "bug" not in result.stderr
        assert "error: " in result.stderr
    assert run_darkai("--version", redirect=">/dev/full").code == 11


def test_a_recording_that_cannot_be_written() -> None:
    with FaultServer(reply(["fine"])) as server:
        env = {"DARKAI_URL": server.url}
        result = run_darkai("ask", "--record", "/dev/full", "hi", env=env)
    assert result.code == 11
    assert "/dev/full" in result.stderr
    assert result.stdout == b"fine\n"


def test_the_wait_is_shown_again_after_a_retry() -> None:
    from support.server import json_page

    with FaultServer(json_page(500, {"detail": "boom"}), [Stall()]) as server:
        with start_in_pty("ask", "hi", env={"DARKAI_URL": server.url}) as run:
            run.wait_for(b"trying again")
            server.wait_requests(2)
            run.wait_for(b"Waiting for 127.0.0.1")
            run.type("\x03")
            assert run.finish().code == 130


def test_the_proxys_fault_is_not_remembered_as_the_services() -> None:
    first = run_darkai("ask", "--proxy", "http://127.0.0.1:9", "tell me a joke")
    assert first.code == 0
    assert "proxy 127.0.0.1:9" in first.stderr
    assert "did not answer recently" not in run_darkai("ask", "tell me a joke").stderr


def test_ctrl_c_ends_the_loop_of_a_shell() -> None:
    """A shell goes on with its loop unless the command died of the signal."""
    loop = ["/bin/bash", "-c", 'for n in 1 2 3; do "$@"; done; echo "after"', "bash", *DARKAI]
    with FaultServer(reply(["so far", Stall()])) as server:
        with start_in_pty("ask", "x", env={"DARKAI_URL": server.url}, command=loop) as run:
            run.wait_for(b"so far")
            run.type("\x03")
            result = run.finish()
        assert result.code == 130
        assert b"after" not in result.stdout
        assert len(server.requests) == 1


@pytest.mark.parametrize(("signum", "end"), [(signal.SIGINT, -2), (signal.SIGTERM, 143)])
def test_a_parent_sees_the_signal_or_the_code(signum: int, end: int) -> None:
    with FaultServer(reply(["so far", Stall()])) as server:
        with start_darkai("ask", "x", env={"DARKAI_URL": server.url}) as run:
            run.wait_for(b"so far")
            run.signal(signum)
            run.finish()
            assert run.process.returncode == end


def test_ctrl_c_in_a_background_job_of_a_script_is_left_alone() -> None:
    """A shell without job control starts `&` with SIGINT ignored; so it stays."""
    with FaultServer(reply(["so far", Stall()])) as server:
        env = {"DARKAI_URL": server.url}
        command = ["/bin/sh", "-c", "trap '' INT; exec \"$@\"", "sh", *DARKAI]
        with start_darkai("ask", "x", env=env, command=command) as run:
            run.wait_for(b"so far")
            run.signal(signal.SIGINT)
            run.signal(signal.SIGTERM)
            assert run.finish().code == 143


# --- stops and closed outputs ---------------------------------------------------------------------

STOPS = [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]


@pytest.mark.parametrize(("signum", "code"), STOPS)
def test_a_signal_while_text_streams(signum: int, code: int):
    with (
        FaultServer(reply(["Hello", Stall()])) as server,
        start_darkai("ask", "hi", env={"DARKAI_URL": server.url}) as run,
    ):
        run.wait_for(b"Hello")
        run.signal(signum)
        result = run.finish()
        assert server.departed.wait(20)
    assert (result.code, result.stdout) == (code, b"Hello\n"), result
    assert "Traceback" not in result.stderr
    assert "error:" not in result.stderr


@pytest.mark.parametrize(("signum", "code"), STOPS)
def test_a_signal_while_nothing_has_come(signum: int, code: int):
    with (
        FaultServer(reply([Stall()])) as server,
        start_darkai("ask", "hi", env={"DARKAI_URL": server.url}) as run,
    ):
        server.wait_requests()
        run.signal(signum)
        result = run.finish()
        assert server.departed.wait(20)
    assert (result.code, result.stdout) == (code, b""), result
    assert "Traceback" not in result.stderr


def test_ctrl_c_while_it_waits_to_ask_again():
    busy = page(503, headers={"retry-after": "50"})
    with (
        FaultServer(busy) as server,
        start_darkai("ask", "hi", env={"DARKAI_URL": server.url}) as run,
    ):
        run.wait_for(b"trying again", "stderr")
        run.signal(signal.SIGINT)
        result = run.finish()
    assert (result.code, result.stdout) == (130, b"")
    assert "Traceback" not in result.stderr


def test_a_reader_that_leaves_ends_it_quietly():
    gate = Event()
    piped = ("/bin/sh", "-c", '("$0" "$@"; echo code $? >&2) | head -n1', *DARKAI)
    script = reply(["one\n", Pause(gate), *["more\n"] * 50])
    with (
        FaultServer(script) as server,
        start_darkai("ask", "hi", env={"DARKAI_URL": server.url}, command=piped) as run,
    ):
        run.wait_for(b"one\n")
        gate.set()
        result = run.finish()
    assert (result.stdout, result.stderr) == (b"one\n", "code 0\n")


NOBODY_READS = (
    sys.executable,
    "-I",
    "-S",
    "-c",
    "import os, sys; r, w = os.pipe(); os.close(r); os.dup2(w, 1); os.execv(sys.argv[1], sys.argv[1:])",
    *DARKAI,
)
PRINTS = [
    "ask hi",
    "ask hi --json",
    "ask hi --dry-run",
    "models",
    "config path",
    "--help",
    "--version",
]


@pytest.mark.parametrize("line", PRINTS)
def test_nobody_reads_from_the_start(line: str):
    with FaultServer(reply(["fine"])) as server:
        env = {"DARKAI_URL": server.url}
        result = run_darkai(*line.split(), env=env, command=NOBODY_READS)
    assert result == (0, b"", "")


def test_text_is_on_stdout_before_the_next_comes():
    gates = [Event() for _ in range(5)]
    steps = [step for gate in gates for step in ("word ", Pause(gate))]
    with (
        FaultServer(reply(steps)) as server,
        start_darkai("ask", "hi", env={"DARKAI_URL": server.url}) as run,
    ):
        for number, gate in enumerate(gates, 1):
            run.wait_for(b"word " * number)
            assert run.stdout == b"word " * number
            gate.set()
        assert run.finish() == (0, b"word " * 5 + b"\n", "")
