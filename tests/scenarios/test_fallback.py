"""Who answers when the default service does not: model servers, a paid provider, the demo.

The default service is unreachable in every test (no name but loopback's is known), and so are the
usual ports of model servers. A server is put where ``[providers.NAME]`` says.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from support.isolation import write_config
from support.scenario import Result, Shown, run_darkai, start_in_pty
from support.server import FaultServer, Send, Step, head, json_page, page

TAGS = {"models": [{"name": "llama3.2:3b", "digest": "1", "details": {"family": "llama"}}]}
KEY = {"OPENAI_API_KEY": "sk-0123456789abcdef"}
PROMPT = "what is a monad?"


def lines(*rows: dict[str, Any]) -> list[Step]:
    body = b"".join(json.dumps(row).encode() + b"\n" for row in rows)
    return [
        Send(
            head(200, {"content-type": "application/x-ndjson", "content-length": str(len(body))})
            + body
        )
    ]


def ollama(*then: list[Step]) -> FaultServer:
    """An Ollama: its two lists, in whichever order they are asked for, then these replies."""
    lists = json_page(200, TAGS)
    return FaultServer(lists, lists, *then)


def ollama_reply(text: str) -> list[Step]:
    done = {
        "model": "m",
        "done": True,
        "done_reason": "stop",
        "message": {"role": "assistant", "content": ""},
    }
    return lines(
        {"model": "m", "done": False, "message": {"role": "assistant", "content": text}}, done
    )


def openai_reply(text: str) -> list[Step]:
    rows = [
        {"choices": [{"index": 0, "delta": {"content": text}}]},
        {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
    ]
    body = (
        b"".join(b"data: " + json.dumps(row).encode() + b"\n\n" for row in rows)
        + b"data: [DONE]\n\n"
    )
    return [
        Send(
            head(200, {"content-type": "text/event-stream", "content-length": str(len(body))})
            + body
        )
    ]


def with_ollama(server: FaultServer) -> None:
    write_config(f'[providers.ollama]\nurl = "http://{server.address}"\n')


def with_openai(server: FaultServer) -> None:
    write_config(f'[providers.openai]\nurl = "http://{server.address}/v1"\nmodel = "gpt-4o-mini"\n')


def ask(*args: str, **kwargs: Any) -> Result:
    return run_darkai("ask", *args, **kwargs)


# --- a server on this machine ---------------------------------------------------------------------


def test_a_server_on_this_machine_answers_and_is_named() -> None:
    with ollama(ollama_reply("A burrito.")) as server:
        with_ollama(server)
        result = ask(PROMPT)
        sent = server.requests[-1]
    assert (result.code, result.stdout) == (0, b"A burrito.\n")
    (notice,) = result.stderr.splitlines()
    assert notice.startswith("warning: Can't resolve darkai.foundation; using ")
    assert "using `llama3.2:3b` from `ollama` on this machine (" in notice
    assert (sent.target, sent.json()["model"]) == ("/api/chat", "llama3.2:3b")


def test_who_really_answered_is_in_the_events_and_in_the_history() -> None:
    with ollama(ollama_reply("A burrito.")) as server:
        with_ollama(server)
        result = ask(PROMPT, "--json")
    events = [json.loads(line) for line in result.text.splitlines()]
    assert [event["event"] for event in events][:2] == ["notice", "stream-start"]
    start = events[1]["data"]
    assert (start["provider"], start["model"]) == ("ollama", "llama3.2:3b")
    saved = json.loads(run_darkai("history", "show", "--json").text)
    assert "ollama" in json.dumps(saved)
    assert "llama3.2:3b" in json.dumps(saved)


def test_the_next_process_goes_to_it_at_once() -> None:
    with ollama(ollama_reply("one")) as server:
        with_ollama(server)
        ask(PROMPT)
    with ollama(ollama_reply("two")) as server:
        with_ollama(server)
        result = ask(PROMPT)
    assert result.stdout == b"two\n"
    assert "did not answer recently" in result.stderr


def test_what_is_no_model_server_gets_no_prompt() -> None:
    gateway = json_page(200, {"object": "list", "data": [{"id": "gpt-4o", "owned_by": "openai"}]})
    for answer in (page(200, "<html>It works!</html>"), gateway, page(404)):
        with FaultServer(answer) as server:
            write_config(f'[providers.llamacpp]\nurl = "http://{server.address}/v1"\n')
            result = ask(PROMPT)
            assert [request.method for request in server.requests] == ["GET"]
        assert result.code == 7
        assert result.stderr.startswith("error: Can't resolve darkai.foundation\n")


def test_a_server_that_fails_leaves_it_to_the_next() -> None:
    with ollama(json_page(500, {"error": "out of memory"})) as server:
        with_ollama(server)
        joke = ask("tell me a joke")
    assert joke.code == 0
    assert "warning: `ollama`: " in joke.stderr
    assert "the built-in demo is answering" in joke.stderr
    with ollama(json_page(500, {"error": "out of memory"})) as server:
        with_ollama(server)
        failed = ask(PROMPT)
    assert failed.code == 7
    assert "error: Can't resolve darkai.foundation" in failed.stderr


@pytest.mark.parametrize("off", ["--no-fallback", "DARKAI_FALLBACK"])
def test_it_can_be_turned_off(off: str) -> None:
    with ollama(ollama_reply("A burrito.")) as server:
        with_ollama(server)
        args, env = ([off], {}) if off.startswith("-") else ([], {off: "[]"})
        result = ask(PROMPT, *args, env=env)
        assert server.connections == 0
    assert result.code == 7


def test_what_was_chosen_is_never_substituted() -> None:
    with ollama(ollama_reply("A burrito.")) as server:
        with_ollama(server)
        for choice in (
            {"DARKAI_URL": "http://127.0.0.1:9/chat"}, {"DARKAI_PROVIDER": "darkai"},
            {"DARKAI_MODEL": "darkai/gpt-4o"},
        ):  # fmt: skip
            assert ask(PROMPT, env=choice).code == 7
        assert server.connections == 0


# --- a provider whose key is in the environment ---------------------------------------------------


def test_without_a_terminal_the_hint_names_the_command() -> None:
    result = ask(PROMPT, env=KEY)
    assert result.code == 7
    assert "To use `gpt-4o-mini`: `darkai ask -p openai`." in result.stderr
    assert KEY["OPENAI_API_KEY"] not in result.stderr


def on_terminal(server: FaultServer, keys: bytes, *args: str, prompt: str = PROMPT) -> Shown:
    with start_in_pty("ask", prompt, *args, env=KEY, cols=200) as run:
        run.wait_for(b"? [y]es, [a]lways, [n]o ")
        assert (
            b"\x1b[7m ? \x1b[27m OPENAI_API_KEY is set. Use gpt-4o-mini from openai? "
            in run.terminal
        )
        assert server.connections == 0
        run.type(keys)
        return run.screen_result()


@pytest.mark.parametrize("keys", [b"Yes\r"])
def test_yes_is_this_time_only(keys: bytes) -> None:
    with FaultServer(openai_reply("A burrito.")) as server:
        with_openai(server)
        terminal = on_terminal(server, keys)
        assert len(server.requests) == 1
        assert server.requests[0].json()["model"] == "gpt-4o-mini"
    assert terminal.code == 0
    assert terminal.lines[0].startswith("warning: Can't resolve darkai.foundation")
    assert terminal.lines[-2].startswith("note: Using `gpt-4o-mini` from `openai`")
    assert terminal.lines[-1] == "A burrito."
    assert run_darkai("config", "get", "provider").stdout.strip() == b"darkai"


def test_always_sets_the_provider() -> None:
    with FaultServer(openai_reply("A burrito.")) as server:
        with_openai(server)
        assert on_terminal(server, b"a\r").code == 0
        assert run_darkai("config", "get", "provider").stdout.strip() == b"openai"
        assert ask(PROMPT, env=KEY).stdout == b"A burrito.\n"  # nobody is asked any more


@pytest.mark.parametrize("keys", [b"n\r", b"what?\r", b"\x04"])
def test_anything_else_is_no_and_the_failure_stands(keys: bytes) -> None:
    with FaultServer(openai_reply("A burrito.")) as server:
        with_openai(server)
        terminal = on_terminal(server, keys)
        assert server.connections == 0
    assert terminal.code == 7
    assert "error: Can't resolve darkai.foundation" in terminal.lines


def test_ctrl_c_at_the_question_ends_it() -> None:
    with FaultServer(openai_reply("A burrito.")) as server:
        with_openai(server)
        terminal = on_terminal(server, b"\x03")
        assert server.connections == 0
    assert terminal.code == 130
    assert not any(line.startswith("error:") for line in terminal.lines)


def test_input_before_the_question_is_discarded() -> None:
    with FaultServer(openai_reply("A burrito.")) as server:
        with_openai(server)
        with start_in_pty("ask", PROMPT, env=KEY, cols=200) as run:
            run.type(b"y\r")
            run.wait_for(b"[n]o ")
            run.type(b"n\r")
            terminal = run.screen_result()
        assert server.connections == 0
    assert terminal.code == 7


@pytest.mark.parametrize(
    ("on", "args", "env"),
    [
        (("stdout", "stderr"), (), {}),
        (("stdin", "stdout"), (), {}),
        (("stdin", "stdout", "stderr"), ("--quiet",), {}),
        (("stdin", "stdout", "stderr"), (), {"TERM": "dumb"}),
        (("stdin", "stdout", "stderr"), ("--no-fallback",), {}),
    ],
)
def test_who_is_not_asked(on: tuple[str, ...], args: tuple[str, ...], env: dict[str, str]) -> None:
    with start_in_pty("ask", PROMPT, *args, on=on, env={**KEY, **env}) as run:
        terminal = run.screen_result()
    assert terminal.code == 7
    assert b"[y]es" not in terminal.raw + terminal.stderr.encode()


def test_a_server_on_this_machine_comes_before_any_question() -> None:
    with ollama(ollama_reply("A burrito.")) as server:
        with_ollama(server)
        with start_in_pty("ask", PROMPT, env=KEY) as run:
            terminal = run.screen_result()
    assert terminal.code == 0
    assert b"[y]es" not in terminal.raw


def test_a_key_of_another_program_is_not_offered() -> None:
    result = ask(PROMPT, env={"GITHUB_TOKEN": "ghp_0123456789", "HF_TOKEN": "hf_0123456789"})
    assert result.code == 7
    assert "is set" not in result.stderr


def test_a_fallback_without_a_key_is_skipped() -> None:
    write_config('fallback = ["openai/gpt-4o", "demo"]\n')
    result = ask("tell me a joke")
    assert result.code == 0, result
    first, second = result.stderr.splitlines()
    assert first == "warning: Fallback `openai/gpt-4o`: No API key set for `openai`"
    assert second.endswith("trying `demo` instead")
