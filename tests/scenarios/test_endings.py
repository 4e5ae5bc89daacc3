"""What is printed beside a reply: tools that nobody ran, how to continue, which server it was."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from support.openai import base, chunk, configure, reply
from support.scenario import Result, run_darkai, run_in_pty
from support.server import FaultServer, Reset, json_page

from darkai_cli.events import ToolCall
from darkai_cli.output.notices import NoticeSink

WEATHER = {"index": 0, "id": "c1", "function": {"name": "wea\x1bther", "arguments": '{"city":"Ro'}}
REST = {"index": 0, "function": {"arguments": 'me"}'}}
CALLING = [chunk({"tool_calls": [WEATHER]}), chunk({"tool_calls": [REST]})]
WANTS = 'warning: The model called the tool `wea␛ther` with `{"city":"Rome"}`'


def ask(folder: Path, server: FaultServer, *args: str, **more: Any) -> Result:
    configure(folder, base(server))
    return run_darkai("ask", "hi", *args, **more)


def last(result: Result) -> dict[str, Any]:
    """The last event on stdout."""
    event: dict[str, Any] = json.loads(result.text.splitlines()[-1])
    return event


# --- tools that the model wants, and nobody runs --------------------------------------------------


@pytest.mark.parametrize("before", ["", "Let me look."])
def test_a_pipe_names_the_tool_that_the_model_wanted(isolated: Path, before: str):
    with FaultServer(
        reply([*([before] if before else []), *CALLING], reason="tool_calls")
    ) as server:
        result = ask(isolated, server)
    assert (result.code, result.text) == (0, f"{before}\n" if before else "")
    assert result.stderr.startswith(WANTS), result
    assert "ask for an answer without them" in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_each_of_several_tools_is_named(isolated: Path):
    calls = [
        {"index": number, "id": f"c{number}", "function": {"name": name, "arguments": "{}"}}
        for number, name in enumerate(["one", "two"])
    ]
    with FaultServer(reply([chunk({"tool_calls": calls})], reason="tool_calls")) as server:
        result = ask(isolated, server)
    names = [line.split("`")[1] for line in result.stderr.splitlines()]
    assert names == ["one", "two"]


def test_calls_without_ids_are_named_too():
    """A gateway may leave out what tells two calls apart."""
    lines: list[str] = []
    sink = NoticeSink(lines.append, quiet=False, verbose=False)
    for name in ("one", "two"):
        sink.feed(ToolCall("", name, "{}"))
    sink.close()
    assert [line.split("`")[1] for line in lines] == ["one", "two"]


def test_quiet_says_nothing_of_tools(isolated: Path):
    with FaultServer(reply(CALLING, reason="tool_calls")) as server:
        result = ask(isolated, server, "--quiet")
    assert (result.code, result.stdout, result.stderr) == (0, b"", "")


def test_a_program_that_reads_events_has_the_call_as_one(isolated: Path):
    with FaultServer(reply(CALLING, reason="tool_calls")) as server:
        result = ask(isolated, server, "--json")
    events = [json.loads(line) for line in result.text.splitlines()]
    calls = [event["data"] for event in events if event["event"] == "tool-call"]
    assert calls == [{"id": "c1", "name": "wea\x1bther", "arguments": '{"city":"Rome"}'}]
    assert (result.code, result.stderr) == (0, "")


def test_a_terminal_names_the_tool_below_the_answer(isolated: Path):
    with FaultServer(reply(["Let me look.", *CALLING], reason="tool_calls")) as server:
        configure(isolated, base(server))
        terminal = run_in_pty("ask", "hi", cols=200)
    text = terminal.raw.decode()
    assert text.index("Let me look.") < text.index(WANTS)


# --- a reply that was cut -------------------------------------------------------------------------


@pytest.mark.parametrize("args", [[], ["--no-save"]], ids=["saved", "not saved"])
def test_the_event_and_stderr_have_one_hint_for_a_cut_reply(isolated: Path, args: list[str]):
    with FaultServer(reply(["Half", Reset()])) as server:
        result = ask(isolated, server, "--json", *args)
    data = last(result)["data"]
    assert result.code == data["exit_code"] == 14
    hints = [line for line in result.stderr.splitlines() if line.startswith("hint: ")]
    assert hints == [f"hint: {data['hint']}"]
    assert ("--resume --conversation" in data["hint"]) is not bool(args)


def test_the_hint_in_the_event_continues_the_reply(isolated: Path):
    with FaultServer(reply(["Half", Reset()]), reply([" and whole"])) as server:
        result = ask(isolated, server, "--json")
        command = last(result)["data"]["hint"].split("`")[1].split()
        whole = run_darkai(*command[1:])
    assert (whole.code, whole.text) == (0, " and whole\n"), whole


def test_a_recording_has_the_hint_for_a_cut_reply(isolated: Path):
    with FaultServer(reply(["Half", Reset()])) as server:
        result = ask(isolated, server, "--record", str(isolated / "r.jsonl"))
    event = json.loads((isolated / "r.jsonl").read_text().splitlines()[-1])
    assert f"hint: {event['data']['hint']}" in result.stderr
    assert "--resume" in event["data"]["hint"]


# --- which of two servers on one machine ----------------------------------------------------------


def test_two_servers_on_one_machine_differ_by_port(isolated: Path):
    with FaultServer(json_page(500, {})) as first, FaultServer(json_page(500, {})) as second:
        errors = []
        for server in (first, second):
            result = ask(isolated, server, "--retries", "0")
            errors.append(result.stderr.splitlines()[0])
        assert errors == [f"error: {server.address} failed (500)" for server in (first, second)]


@pytest.mark.parametrize(("reason", "code"), [("length", 14), ("content_filter", 10)])
def test_a_stream_of_events_ends_once(isolated: Path, reason: str, code: int):
    """The reason says it all there; the error is for people and the exit code."""
    with FaultServer(reply(["one"], reason=reason)) as server:
        result = ask(isolated, server, "--json")
    names = [json.loads(line)["event"] for line in result.text.splitlines()]
    assert names == ["stream-start", "text-chunk", "stream-end"]
    assert result.code == code
    assert result.stderr.startswith("error: ")
