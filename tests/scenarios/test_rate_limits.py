"""Rate limits as users meet them: real processes that share a database, a loopback service, a terminal."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest
from support.isolation import write_config
from support.scenario import Result, run_darkai, start_darkai, start_in_pty
from support.server import FaultServer, Stall, closed_port, json_page, reply


def configure(url: str, *limits: str) -> None:
    write_config(
        f'provider = "work"\n[providers.work]\ntype = "darkai"\nurl = "{url}"\nlimits = {json.dumps(limits)}\n'
    )


def ask(*args: str, **kwargs: object) -> Result:
    return run_darkai("ask", "hi", *args, **kwargs)


def test_the_request_that_would_break_a_limit_is_not_sent() -> None:
    with FaultServer(reply(["fine"])) as server:
        configure(server.url, "2/h")
        assert [ask("--max-wait", "0").code for _ in range(3)] == [0, 0, 6]
        assert len(server.requests) == 2
        refused = ask()  # an hour is more than a pipe waits for
    assert refused.code == 6
    assert refused.stdout == b""
    first, second = refused.stderr.splitlines()
    takes = f"error: {server.address} allows 2 requests an hour; you can send again at "
    assert first.startswith(takes)
    assert ", in " in first
    assert "--max-wait" in second


def test_a_pipe_waits_for_a_slot_that_opens_soon() -> None:
    with FaultServer(reply(["fine"])) as server:
        configure(server.url, "1/s")
        assert ask().code == 0
        second = ask()
    assert (second.code, second.stdout) == (0, b"fine\n")
    for line in second.stderr.splitlines():  # none, on a machine that took a second to get here
        assert line.startswith(f"note: {server.address} allows 1 request a second; waiting until ")


def test_two_processes_never_both_take_the_last_slot() -> None:
    with FaultServer(reply(["fine"])) as server:
        configure(server.url, "3/h")
        runs = [start_darkai("ask", "hi", "--max-wait", "0", timeout=60) for _ in range(8)]
        codes = sorted(run.finish().code for run in runs)
        for run in runs:
            run.__exit__()
        assert codes == [0, 0, 0, 6, 6, 6, 6, 6]
        assert len(server.requests) == 3


def test_a_request_that_never_left_takes_no_slot() -> None:
    with closed_port() as port:
        configure(f"http://127.0.0.1:{port}/chat", "1/h")
        assert [ask("--retries", "0").code for _ in range(2)] == [7, 7]
    with FaultServer(reply(["fine"])) as server:
        configure(server.url, "1/h")
        assert ask().code == 0


def test_what_is_not_saved_counts_all_the_same_and_the_key_is_nowhere() -> None:
    with FaultServer(reply(["fine"])) as server:
        configure(server.url, "1/h")
        env = {"WORK_KEY": "sk-secret-0123456789"}
        with (Path(os.environ["DARKAI_HOME"]) / "config.toml").open("a") as file:
            file.write('key_env = "WORK_KEY"\n')
        assert ask("--no-save", env=env).code == 0
        assert ask("--no-save", env=env).code == 6
        assert ask("--no-save", env={"WORK_KEY": "sk-another-9876543210"}).code == 0
    for file in Path(os.environ["DARKAI_HOME"]).rglob("*"):
        if file.is_file():
            assert b"sk-secret" not in file.read_bytes(), file


def test_a_429_is_remembered_by_the_next_process() -> None:
    limited = json_page(429, {"error": {"message": "slow down"}}, {"retry-after": "120"})
    with FaultServer(limited) as server:
        configure(server.url)
        assert ask("--retries", "0").code == 6
        refused = ask()
        assert len(server.requests) == 1
    assert refused.code == 6
    assert "asked us to wait; you can send again at " in refused.stderr


def test_a_counter_that_has_run_out_is_remembered_after_a_good_reply() -> None:
    headers = {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "6m0s"}
    with FaultServer(reply(["fine"], headers=headers)) as server:
        configure(server.url)
        assert ask().code == 0
        assert ask().code == 6
        assert len(server.requests) == 1


def test_a_retry_after_is_obeyed_by_the_retry() -> None:
    limited = json_page(503, {"error": "busy"}, {"retry-after": "1"})
    with FaultServer(limited, reply(["fine"])) as server:
        configure(server.url)
        result = ask("--max-wait", "0")
        assert len(server.requests) == 2
    assert (result.code, result.stdout) == (0, b"fine\n")
    assert len(result.stderr.splitlines()) == 1


def test_a_damaged_database_blocks_nothing_and_is_mentioned_once() -> None:
    with FaultServer(reply(["fine"])) as server:
        configure(server.url, "1/h")
        (Path(os.environ["DARKAI_HOME"]) / "limits.db").write_bytes(b"damaged" * 2000)
        first = ask()
        assert (first.code, first.stdout) == (0, b"fine\n")
        assert "starts over" in first.stderr
        second = ask()
    assert second.code == 6
    assert "starts over" not in second.stderr


# --- on a terminal --------------------------------------------------------------------------------


def test_a_terminal_counts_down_and_ctrl_c_stops_it() -> None:
    with FaultServer(reply(["fine"])) as server:
        configure(server.url, "1/h")
        ask()
        with start_in_pty("ask", "hi") as run:
            run.wait_for(b"Next slot in ")
            run.signal(signal.SIGINT)
            terminal = run.screen_result()
        assert len(server.requests) == 1
    assert terminal.code == 130
    assert terminal.lines == []  # the countdown is gone


def test_the_countdown_is_gone_before_the_answer() -> None:
    with FaultServer(reply(["fine"])) as server:
        configure(server.url, "1/s")
        with start_in_pty("ask", "hi") as first, start_in_pty("ask", "hi") as second:
            terminals = [first.screen_result(), second.screen_result()]
        assert len(server.requests) == 2
    assert [terminal.code for terminal in terminals] == [0, 0]
    assert [terminal.lines for terminal in terminals] == [["fine"], ["fine"]]


@pytest.mark.parametrize("option", ["--plain", "--quiet"])
def test_a_terminal_without_redrawing_is_treated_as_a_pipe(option: str) -> None:
    with FaultServer(reply(["fine"])) as server:
        configure(server.url, "1/h")
        ask()
        with start_in_pty("ask", "hi", option) as run:
            terminal = run.screen_result()
    assert terminal.code == 6
    assert b"\r\x1b[2m" not in terminal.raw


def test_nothing_hangs_on_a_service_that_stalls_while_its_slot_is_taken() -> None:
    with FaultServer([Stall()]) as server:
        configure(server.url, "1/h")
        with start_darkai("ask", "hi") as run:
            server.wait_requests()
            assert ask("--max-wait", "0").code == 6  # no lock is held meanwhile
            run.signal(signal.SIGINT)
            assert run.finish().code == 130
