"""What must hold however ``ask`` is stopped, and whatever its output is: from a reviewer's list."""

from __future__ import annotations

import gzip
import json
import signal
import subprocess
from pathlib import Path

import pytest
from support.scenario import DARKAI, environment, run_darkai, start_darkai
from support.server import FaultServer, Reset, Send, Stall, event, head, reply, text


def left_over() -> list[str]:
    return sorted(path.name for path in Path().iterdir())


def test_a_proxy_that_never_answers_is_a_connect_timeout_that_names_it() -> None:
    with FaultServer([Stall()]) as mute:
        proxy = mute.url.removesuffix("/chat")
        env = {"DARKAI_CONNECT_TIMEOUT": "0.3", "DARKAI_URL": "https://service.invalid/chat"}
        for scheme in ("http", "socks5h"):
            address = proxy.replace("http://", f"{scheme}://")
            result = run_darkai("ask", "--retries", "0", "--proxy", address, "hi", env=env)
            assert result.code == 8, result
            assert "proxy 127.0.0.1" in result.stderr


def test_an_error_status_whose_body_stalls() -> None:
    script = [Send(head(503, {"content-length": "100"})), Stall()]
    with FaultServer(script) as server:
        result = run_darkai("ask", "--retries", "0", "hi", env={"DARKAI_URL": server.url})
    assert result.code == 9
    assert "unavailable (503)" in result.stderr


def test_a_reset_after_the_end_is_no_fault() -> None:
    script = [*reply([event("stream-end")], end=None)[:2], Reset()]
    with FaultServer(script) as server:
        result = run_darkai("ask", "hi", env={"DARKAI_URL": server.url})
    assert (result.code, result.stdout) == (0, b""), result
    assert "The model sent no text" in result.stderr


def test_half_a_pair_in_a_final_response() -> None:
    script = reply(
        [event("stream-end"), event("final-response", {"message": "a\ud83d b"})], end=None
    )
    with FaultServer(script) as server:
        result = run_darkai("ask", "hi", env={"DARKAI_URL": server.url})
    assert (result.code, result.text) == (0, "a\ufffd b\n"), result


def test_gzip_that_was_cut_is_a_cut_reply() -> None:
    data = gzip.compress(text("half"))
    for body, code in ((data, 0), (data[:-4], 14)):
        script = reply([body], end=None, headers={"content-encoding": "gzip"})
        with FaultServer(script) as server:
            result = run_darkai("ask", "hi", env={"DARKAI_URL": server.url})
        assert (result.code, result.stdout) == (code, b"half\n"), result


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
        for moment in range(0, 260, 20):
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
    [
        [""],
        ["-m", "nope", "x"],
        ["-p", "zz", "x"],
        ["--output", "/nowhere/x", "x"],
        ["-o", "x", "x"],
    ],
)
def test_every_error_is_the_last_json_line(args: list[str]) -> None:
    result = run_darkai("ask", "--json", *args)
    last = json.loads(result.stdout.splitlines()[-1])
    assert last["event"] == "error"
    assert last["data"]["exit_code"] == result.code
    assert result.stdout.count(b'"error"') == 1


@pytest.mark.parametrize("command", [["models"], ["ask", "--dry-run", "x"], ["config", "path"]])
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
    from support.scenario import start_in_pty
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
