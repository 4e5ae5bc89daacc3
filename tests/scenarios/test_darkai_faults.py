"""The table of faults of a DarkAI stream, row by row: darkai as a process against a real server.

The table is ``support/darkai_faults.py``.
"""

from __future__ import annotations

import json
import re
import signal
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from support import faults
from support.darkai_faults import ROWS
from support.faults import (
    HOST,
    Row,
    error_text,
)
from support.scenario import DARKAI, Result, Running, run_darkai, start_darkai
from support.server import (
    FaultServer,
    Pause,
    Script,
    Stall,
    closed_port,
    json_page,
    page,
    reply,
)


def ask(url: str, *args: str, **more: Any) -> Result:
    """``darkai ask hi`` with a service that the user chose."""
    env = {"DARKAI_URL": url, **more.pop("env", {})}
    return run_darkai("ask", "hi", *args, env=env, **more)


def start(server: FaultServer, args: Sequence[str]) -> Running:
    return start_darkai("ask", "hi", *args, env={"DARKAI_URL": server.url})


def play(row: Row, args: Sequence[str] = ("--retries", "1")) -> tuple[Result, FaultServer]:
    return faults.play(row, start, args)


@pytest.mark.parametrize("name", ROWS)
def test_fault(name: str):
    faults.check(ROWS[name], start)


LATE = ["reset after text", "FIN inside a chunk", "error event after text", "text, then silence"]
EARLY = ["500, always", "429", "Cloudflare 403", "error event", "no event", "422"]


@pytest.mark.parametrize("name", LATE + EARLY)
def test_fault_with_json_is_the_last_line_on_stdout(name: str):
    row = ROWS[name]
    result, _ = play(
        row._replace(out=b"Hello" if name in LATE else b""), ("--retries", "0", "--json")
    )
    assert result.code == row.code, result
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    last = lines[-1]["data"]
    assert lines[-1]["event"] == "error"
    assert last["exit_code"] == row.code
    assert last["message"] in result.stderr
    assert [line["event"] for line in lines[:-1]] == (
        ["stream-start", "text-chunk"] if name in LATE else []
    )
    error_text(result.stderr)


@pytest.mark.parametrize("name", LATE)
def test_output_file_is_left_alone_by_a_cut(name: str, tmp_path: Path):
    """There the text is on no stdout, so the gates open at once."""
    old = tmp_path / "answer"
    old.write_bytes(b"the old answer")
    row = ROWS[name]._replace(out=b"")
    result, _ = play(row, ("--retries", "0", "--output", str(old)))
    assert (result.code, result.stdout) == (14, b"")
    assert old.read_bytes() == b"the old answer"
    assert list(tmp_path.iterdir()) == [old]


def test_quiet_leaves_the_error():
    result, server = play(ROWS["500, always"], ("--retries", "1", "--quiet"))
    assert "trying again" not in result.stderr
    assert error_text(result.stderr).startswith(f"error: {server.address} failed (500: boom)")


def test_retries_are_two_by_default():
    result, server = play(ROWS["500, empty"], ())
    assert (result.code, server.connections) == (9, 3)
    assert "after 3 tries" in error_text(result.stderr)


def test_retry_after_as_a_date_is_obeyed():
    past = format_datetime(datetime.now(UTC) - timedelta(seconds=5), usegmt=True)
    row = Row([page(503, headers={"retry-after": past}), reply(["fine"])], 0)
    result, server = play(row)
    assert (result.code, result.stdout, server.connections) == (0, b"fine\n", 2)
    assert re.search(r"trying again in 0(\.0)? s", result.stderr), result.stderr


@pytest.mark.parametrize("name", ["no event", "500, always", "reset before text"])
def test_a_repeated_request_is_the_same_request(name: str):
    _, server = play(ROWS[name])
    first, second = server.requests
    assert first == second
    assert first.json() == {"query": "hi", "model": "llama-3-70b"}


# --- the way to the service (more in tests/http/test_transport.py) ---------------------------------


@pytest.mark.parametrize(
    "url", ["ftp://host/chat", "darkai.example/chat", "localhost:8000", "http://", "http:///x"]
)
def test_unusable_url(url: str):
    result = ask(url)
    assert (result.code, result.stdout) == (3, b"")
    assert re.search("must start with http:// or https://|has no host", error_text(result.stderr))
    assert "DARKAI_URL" in result.stderr


def test_proxy_that_the_environment_names_is_not_used_for_loopback():
    with closed_port() as port, FaultServer(reply(["fine"])) as server:
        result = ask(
            server.url, env={"HTTP_PROXY": f"http://{HOST}:{port}", "ALL_PROXY": "socks://x:1"}
        )
    assert result == (0, b"fine\n", "")


# --- keys -----------------------------------------------------------------------------------------


def test_a_key_is_never_printed_even_if_the_server_echoes_it(isolated: Path):
    key = "sk-test-0123456789abcdef0123456789abcdef"
    folder = isolated / "darkai"
    folder.mkdir(mode=0o700)
    config = folder / "config.toml"
    config.write_text(f'[providers.darkai.headers]\nauthorization = "Bearer {key}"\n')
    config.chmod(0o600)
    refusal = json_page(401, {"detail": f"Incorrect API key provided: {key}"})
    for args in ([], ["--debug"], ["--json"]):
        with FaultServer(refusal) as server:
            result = ask(server.url, *args)
            assert server.requests[0].headers["authorization"] == f"Bearer {key}"
        assert result.code == 4
        assert key not in result.stderr + result.text
    shown = ask(server.url, "--dry-run")
    assert shown.code == 0
    assert key not in shown.stderr + shown.text


# --- the user's own ends --------------------------------------------------------------------------

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
@pytest.mark.parametrize("script", [[Stall()], reply([Stall()])], ids=["no head", "no text"])
def test_a_signal_while_nothing_has_come(script: Script, signum: int, code: int):
    with (
        FaultServer(script) as server,
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
    "ask hi --no-stream",
    "ask hi --dry-run",
    "models",
    "config show",
]
PRINTS += ["config path", "completions bash", "--help", "ask --help", "--version"]


@pytest.mark.parametrize("line", PRINTS)
def test_nobody_reads_from_the_start(line: str):
    with FaultServer(reply(["fine"])) as server:
        env = {"DARKAI_URL": server.url}
        result = run_darkai(*line.split(), env=env, command=NOBODY_READS)
    assert result == (0, b"", "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has it")
def test_a_full_disk_on_stdout():
    with FaultServer(reply(["fine"])) as server:
        result = run_darkai("ask", "hi", env={"DARKAI_URL": server.url}, redirect=">/dev/full")
    assert result.code == 11, result
    assert "no space left" in error_text(result.stderr)


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


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("name", ["an endless line", "a gzip bomb"])
def test_memory_stays_bounded(name: str, tmp_path: Path):
    peak = tmp_path / "peak"
    with FaultServer(*ROWS[name].scripts) as server:
        ask(server.url, "--retries", "0", env={"GUARD_PEAK": str(peak)})
    assert int(peak.read_text()) < 150 * 1024
