"""``darkai ask`` as scripts and people use it: command, stdin, service -> stdout, stderr, exit code."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from threading import Event

import pytest
from support.scenario import run_darkai, run_in_pty, start_darkai
from support.server import FaultServer, Pause, Stall, reply, text

DEMO = {"DARKAI_PROVIDER": "demo", "DARKAI_DEMO_DELAY": "0"}


def served(*chunks: str, **kwargs: object):
    return FaultServer(reply(list(chunks), **kwargs))


def ask(server: FaultServer, *args: str, **kwargs: object):
    result = run_darkai("ask", *args, env={"DARKAI_URL": server.url}, **kwargs)
    bodies = [request.json() for request in server.requests]
    return result, bodies


# --- the promise of the README --------------------------------------------------------------------


def test_a_joke_on_a_machine_where_nothing_was_chosen() -> None:
    result = run_darkai("ask", "tell me a joke")
    assert result.code == 0
    assert len(result.text) > 20
    lines = result.stderr.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("warning: ")
    assert "demo" in lines[0]
    assert "darkai config set" in lines[0]


def test_what_demo_cannot_answer_fails_honestly() -> None:
    diff = b"diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n"
    result = run_darkai("ask", "write a commit message", stdin=diff)
    assert result.code == 7
    assert result.stdout == b""
    assert result.stderr.startswith("error: Can't resolve darkai.foundation\nhint: ")


# --- stdin ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "piped", "query"),
    [
        (["review this"], b"a\nb\n", "review this\n\na\nb\n"),
        ([], b"just this\n", "just this\n"),
        (["before", "-", "after"], b"in\n", "before\nin\nafter"),
        (["x"], b"\xef\xbb\xbfmarked", "x\n\nmarked"),
        (["x"], "closed", "x"),
    ],
)
def test_stdin_and_arguments(words: list[str], piped: object, query: str) -> None:
    with served("ok") as server:
        result, bodies = ask(server, *words, stdin=piped)
    assert result.code == 0, result
    assert bodies[0]["query"] == query


def test_no_stdin() -> None:
    with served("ok") as server:
        _, bodies = ask(server, "--no-stdin", "x", stdin=b"ignored")
    assert bodies[0]["query"] == "x"


def test_a_silent_pipe_is_mentioned_and_waited_for() -> None:
    with served("ok") as server:
        with start_darkai("ask", "x", stdin="open", env={"DARKAI_URL": server.url}) as run:
            run.wait_for(b"--no-stdin", "stderr")
            run.close_stdin()
            assert run.finish().code == 0


@pytest.mark.parametrize(
    ("args", "piped", "code", "words"),
    [
        ([""], None, 2, "The prompt is empty"),
        ([], b"", 11, "stdin is empty"),
        (["x"], b"ab\xff\xfe", 11, "0xff at offset 2"),
        (["x", "--json", "-x"], None, 2, "can't be used with"),
        (["x", "-p", "darkia"], None, 5, "`darkai`"),
        (["x", "-m", "gpt-40"], None, 5, "gpt-4o"),
        (["x", "--output", "/nowhere/file"], None, 11, "/nowhere/file"),
        (["x", "--record", "/nowhere/file"], None, 11, "/nowhere/file"),
        (["x", "-o", "temperature"], None, 2, "KEY=VALUE"),
        (["x", "-o", "query=y"], None, 2, "`query`"),
        (["x", "--timeout", "0"], None, 2, "timeout"),
        (["x", "--proxy", "ftp://p.test"], None, 2, "--proxy"),
        (["x", "--model", ""], None, 2, "--model"),
    ],
)
def test_bad_input(args: list[str], piped: bytes | None, code: int, words: str) -> None:
    result = run_darkai("ask", *args, stdin=piped)
    assert result.code == code, result
    if "--json" in args:
        assert json.loads(result.stdout)["data"]["exit_code"] == code
    else:
        assert result.stdout == b""
    assert words in result.stderr
    assert result.stderr.startswith("error: ")
    assert "hint: " in result.stderr
    assert "Traceback" not in result.stderr


def test_an_unknown_command_names_the_nearest() -> None:
    result = run_darkai("aks", "x")
    assert result.code == 2
    assert "`darkai ask`" in result.stderr


def test_darkai_alone_asks_what_is_piped() -> None:
    with served("ok") as server:
        piped = run_darkai(stdin=b"hello", env={"DARKAI_URL": server.url})
    assert (piped.code, piped.stdout) == (0, b"ok\n")


@pytest.mark.parametrize("url", ["service.test/chat", "ftp://service.test/chat"])
def test_a_url_without_http(url: str) -> None:
    result = run_darkai("ask", "x", env={"DARKAI_URL": url})
    assert result.code == 3
    assert "must start with http:// or https://" in result.stderr


def test_a_foreign_project_file_cannot_redirect_the_prompt() -> None:
    Path(".darkai.toml").write_text('[providers.darkai]\nurl = "http://evil.test/"\n')
    with served("ok") as server:
        result, bodies = ask(server, "x")
    assert result.code == 0
    assert len(bodies) == 1
    assert "darkai config trust" in result.stderr


# --- output ---------------------------------------------------------------------------------------


def test_the_bytes_are_the_text() -> None:
    with served("  lead\n\n", "\x1b[31m\u202eé", "\n") as server:
        result, _ = ask(server, "x")
    assert result.stdout == "  lead\n\n\x1b[31m\u202eé\n".encode()


def test_no_stream_prints_once() -> None:
    gate = Event()
    with FaultServer(reply(["one", Pause(gate), "two"])) as server:
        with start_darkai("ask", "--no-stream", "x", env={"DARKAI_URL": server.url}) as run:
            server.wait_requests()
            gate.set()
            assert run.finish().stdout == b"onetwo\n"


def test_extract() -> None:
    with served("Look:\n``", "`py\nprint(1)\n```\nDone\n```\nno\n```\n") as server:
        result, _ = ask(server, "-x", "x")
    assert (result.code, result.stdout) == (0, b"print(1)\n")
    with served("no code here") as server:
        result, _ = ask(server, "-x", "x")
    assert (result.code, result.stdout) == (5, b"")


def test_output_appears_when_complete() -> None:
    with served("whole") as server:
        result, _ = ask(server, "--output", "answer.md", "x")
    assert (result.code, result.stdout) == (0, b"")
    assert Path("answer.md").read_text() == "whole\n"
    Path("answer.md").chmod(0o640)
    with FaultServer(reply(["half", Stall()])) as server:
        env = {"DARKAI_URL": server.url}
        result = run_darkai("ask", "--timeout", "0.3", "--output", "answer.md", "x", env=env)
    assert result.code == 14
    assert Path("answer.md").read_text() == "whole\n"
    assert [path.name for path in Path().iterdir()] == ["answer.md"]
    with served("new") as server:
        ask(server, "--output", "answer.md", "x")
    assert Path("answer.md").read_text() == "new\n"
    assert Path("answer.md").stat().st_mode & 0o777 == 0o640


def test_dry_run_shows_the_request_and_sends_nothing() -> None:
    Path(os.environ["DARKAI_HOME"]).mkdir(parents=True, exist_ok=True)
    config = Path(os.environ["DARKAI_HOME"], "config.toml")
    config.write_text('[providers.darkai.headers]\nAuthorization = "Bearer sk-secret-123456"\n')
    with served("ok") as server:
        result, bodies = ask(server, "--dry-run", "-m", "gpt-4o", "-s", "Brief", "hi")
    assert result.code == 0
    assert bodies == []
    printed = json.loads(result.stdout)
    assert printed["body"] == {"query": "System: Brief\nUser: hi\nAssistant:", "model": "gpt-4o"}
    assert printed["url"] == server.url
    assert "sk-secret" not in result.text + result.stderr


def test_quiet_and_verbose() -> None:
    with FaultServer(reply(["a"], end=None)) as server:
        loud, _ = ask(server, "x")
        quiet, _ = ask(server, "-q", "x")
        verbose, _ = ask(server, "-v", "x")
    assert "warning: " in loud.stderr
    assert quiet.stderr == ""
    assert "note: darkai/llama-3-70b" in verbose.stderr


# --- terminals ------------------------------------------------------------------------------------


def test_a_terminal_is_safe() -> None:
    with served("\x1b]52;c;aGk=\x07", "\x1b[2J", "plain", "\x9b31m") as server:
        printed = run_in_pty("ask", "--raw", "x", env={"DARKAI_URL": server.url})
    assert printed.code == 0
    assert b"\x1b]52" not in printed.raw
    assert b"\x1b[2J" not in printed.raw
    assert any("plain" in line and "␛" in line for line in printed.lines)


# --- recordings -----------------------------------------------------------------------------------


def test_record_and_replay() -> None:
    with served("a", "b") as server:
        result, _ = ask(server, "--record", "tape.jsonl", "x")
    assert result.code == 0
    lines = [json.loads(line) for line in Path("tape.jsonl").read_text().splitlines()]
    assert [line["event"] for line in lines] == [
        "stream-start",
        "text-chunk",
        "text-chunk",
        "stream-end",
    ]
    assert all(line["t"] >= 0 for line in lines)
    assert Path("tape.jsonl").stat().st_mode & 0o077 == 0
    for speed in (["--instant"], ["--speed", "1000"]):
        assert run_darkai("replay", *speed, "tape.jsonl").stdout == b"ab\n"
    events = run_darkai("replay", "--instant", "--json", "tape.jsonl").stdout.splitlines()
    assert [json.loads(line)["event"] for line in events] == [line["event"] for line in lines]


def test_a_failure_is_recorded_and_replayed() -> None:
    with FaultServer([*reply(["half", text("")], end=None)[:2]]) as server:
        result, _ = ask(server, "--record", "tape.jsonl", "x")
    assert result.code == 14
    again = run_darkai("replay", "--instant", "tape.jsonl")
    assert (again.code, again.stdout) == (14, b"half\n")
    assert again.stderr.splitlines()[0] == result.stderr.splitlines()[0]
    assert "--resume" in result.stderr


def test_the_chosen_model_and_its_alias() -> None:
    with served("ok") as server:
        _, bodies = ask(server, "-m", "llama-3.1-70b", "x")
        assert bodies[-1]["model"] == "llama-3.1-70b" or bodies[-1]["model"] == "llama-3-70b"
        _, bodies = ask(server, "-m", "darkai/anything-goes", "x")
        assert bodies[-1]["model"] == "anything-goes"


# --- --debug --------------------------------------------------------------------------------------


def test_debug_shows_what_a_server_sent_without_letting_it_act() -> None:
    hostile = {"X-A": "\x1b]52;c;AAAA\x07", "X-B": "\x9b31m\u202e".encode().decode("latin-1")}
    server = FaultServer(reply(["hi"], headers=hostile))
    with server:
        result, _ = ask(server, "--debug", "hello")
    assert (result.code, result.text) == (0, "hi\n")
    assert "x-a: " in result.stderr.lower()
    assert re.search("[\0-\x09\x0b-\x1f\x7f-\x9f]", result.stderr) is None
