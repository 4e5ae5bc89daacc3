"""Faults of the services that are not OpenAI's, with the real command against a real server.

What a dialect makes of bytes is in ``tests/contract``. Here is what the whole makes of it: exit codes,
what is kept, what is sent again and what is not, and that the key stays hidden.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from support.scenario import Result, run_darkai
from support.server import FaultServer, Repeat, Reset, Script, Stall, json_page, page, reply

KEY = "sk-secret-0123456789"
NAMES = ("anthropic", "gemini", "ollama")
MODELS = {"anthropic": "claude-sonnet-4-5", "gemini": "gemini-2.5-flash", "ollama": "qwen3"}
BASES = {"anthropic": "/v1", "gemini": "/v1beta", "ollama": ""}
PATHS = {
    "anthropic": "/v1/messages",
    "gemini": "/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse",
    "ollama": "/api/chat",
}


def sse(value: Any) -> bytes:
    return f"data: {json.dumps(value)}\n\n".encode()


def line(value: Any) -> bytes:
    return json.dumps(value).encode() + b"\n"


def said(name: str, text: str) -> bytes:
    """A piece of the answer."""
    if name == "anthropic":
        delta = {"type": "text_delta", "text": text}
        return sse({"type": "content_block_delta", "index": 0, "delta": delta})
    if name == "gemini":
        return sse({"candidates": [{"content": {"parts": [{"text": text}]}}]})
    return line({"message": {"content": text}, "done": False})


def end(name: str, *, length: bool = False) -> bytes:
    """The end mark."""
    if name == "anthropic":
        reason = "max_tokens" if length else "end_turn"
        message = sse({"type": "message_delta", "delta": {"stop_reason": reason}})
        return message + sse({"type": "message_stop"})
    if name == "gemini":
        return sse({"candidates": [{"finishReason": "MAX_TOKENS" if length else "STOP"}]})
    return line({"done": True, "done_reason": "length" if length else "stop"})


def fault(name: str, message: str, kind: str = "api_error", code: int = 500) -> Any:
    """An error, as the service writes it."""
    if name == "anthropic":
        return {"type": "error", "error": {"type": kind, "message": message}}
    if name == "gemini":
        return {"error": {"code": code, "message": message, "status": "INTERNAL"}}
    return {"error": message}


def stream(name: str, *items: Any) -> Script:
    kind = "application/x-ndjson" if name == "ollama" else "text/event-stream"
    return reply(items, end=None, headers={"content-type": kind})


def cut(script: Script) -> Script:
    """The same without the last chunk of the HTTP body."""
    return script[:-1]


def ask(name: str, server: FaultServer, *args: str, model: str | None = None) -> Result:
    model = MODELS[name] if model is None else model
    named = f'model = "{model}"\n' if model else ""
    folder = Path(os.environ["DARKAI_HOME"])
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.toml").write_text(
        f'[providers.it]\ntype = "{name}"\nurl = "http://{server.address}{BASES[name]}"\n'
        f'{named}key_env = "IT_KEY"\n'
    )
    return run_darkai("ask", "-p", "it", *args, "hi", env={"IT_KEY": KEY})


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_a_good_reply(name: str) -> None:
    with FaultServer(stream(name, said(name, "Hel"), said(name, "lo"), end(name))) as server:
        result = ask(name, server)
    assert (result.code, result.stdout, result.stderr) == (0, b"Hello\n", "")
    request = server.requests[0]
    assert request.target == PATHS[name]
    assert [value for value in request.headers.values() if KEY in value]
    assert KEY not in request.target
    assert KEY.encode() not in request.body


def test_a_reset_after_the_end_mark_does_not_matter(name: str) -> None:
    script = [*cut(stream(name, said(name, "Hello"), end(name))), Reset()]
    with FaultServer(script) as server:
        result = ask(name, server)
    assert (result.code, result.stdout) == (0, b"Hello\n")


def test_an_open_line_after_the_end_mark_does_not_matter(name: str) -> None:
    script = [*cut(stream(name, said(name, "Hello"), end(name))), Stall()]
    with FaultServer(script) as server:
        result = ask(name, server)
    assert (result.code, result.stdout) == (0, b"Hello\n")


@pytest.mark.parametrize("how", ["clean", "fin", "reset"])
def test_text_without_the_end_mark_is_kept_and_told(name: str, how: str) -> None:
    script = stream(name, said(name, "Half"))
    if how != "clean":
        script = [*cut(script), *([Reset()] if how == "reset" else [])]
    with FaultServer(script) as server:
        result = ask(name, server)
    assert (result.code, result.stdout) == (14, b"Half\n")
    told = {
        "clean": "The reply ended without an end mark; it may be cut off",
        "fin": "Connection lost",
        "reset": "reset the connection",
    }
    assert told[how] in result.stderr
    assert server.connections == 1


def test_an_error_after_text_keeps_it(name: str) -> None:
    write = line if name == "ollama" else sse
    with FaultServer(stream(name, said(name, "Half"), write(fault(name, "boom")))) as server:
        result = ask(name, server)
    assert (result.code, result.stdout) == (14, b"Half\n")
    assert f"{server.address}: boom" in result.stderr


def test_silence_after_text(name: str) -> None:
    script = [*cut(stream(name, said(name, "Half"))), Stall()]
    with FaultServer(script) as server:
        result = ask(name, server, "--timeout", "0.3")
    assert (result.code, result.stdout) == (14, b"Half\n")
    assert f"No data from {server.address} " in result.stderr


def test_an_empty_stream_is_asked_for_again(name: str) -> None:
    good = stream(name, said(name, "Hello"), end(name))
    with FaultServer(stream(name), good) as server:
        result = ask(name, server)
    assert (result.code, result.stdout) == (0, b"Hello\n")
    assert "sent an empty reply; trying again" in result.stderr


def test_the_length_limit(name: str) -> None:
    with FaultServer(stream(name, said(name, "Half"), end(name, length=True))) as server:
        result = ask(name, server)
        limited = ask(name, server, "-o", "max_tokens=5")
    assert (result.code, result.stdout) == (14, b"Half\n")
    assert "length limit" in result.stderr
    assert limited.code == 0


def test_a_key_that_is_refused_and_echoed(name: str) -> None:
    payload = fault(name, f"invalid key {KEY}", "authentication_error", 401)
    with FaultServer(json_page(401, payload)) as server:
        result = ask(name, server)
    assert result.code == 4
    assert f"{server.address} rejected the API key (from IT_KEY): invalid key ***" in result.stderr
    assert "darkai keys set it" in result.stderr
    assert KEY not in result.stderr


def test_a_key_that_is_echoed_in_the_stream(name: str) -> None:
    write = line if name == "ollama" else sse
    with FaultServer(stream(name, write(fault(name, f"no {KEY}")))) as server:
        result = ask(name, server, "--retries", "0", "--json")
    assert result.code == 9
    assert "no ***" in result.stderr
    assert KEY.encode() not in result.stdout


@pytest.mark.parametrize("status", [500, 503, 529])
def test_a_fault_that_passes(name: str, status: int) -> None:
    good = stream(name, said(name, "Hello"), end(name))
    with FaultServer(json_page(status, fault(name, "boom")), good) as server:
        result = ask(name, server)
    assert (result.code, result.stdout) == (0, b"Hello\n")
    assert "boom" in result.stderr


def test_a_gateways_page(name: str) -> None:
    body = "<html><title>502 Bad Gateway</title>" + "x" * 18_000
    with FaultServer(page(502, body)) as server:
        result = ask(name, server, "--retries", "0")
    assert result.code == 9
    assert "bad gateway (502)" in result.stderr
    assert "xxx" not in result.stderr


def test_a_login_page(name: str) -> None:
    with FaultServer(page(200, "<html><title>Hotel WiFi</title>")) as server:
        result = ask(name, server)
    assert result.code == 9
    assert "a web page ('Hotel WiFi')" in result.stderr


def test_a_line_without_end(name: str) -> None:
    head = cut(stream(name, said(name, "Half")))
    endless = [*head, Repeat(b"10000\r\n" + b"A" * 0x10000 + b"\r\n", 0.0005)]
    with FaultServer(endless) as server:
        result = ask(name, server)
    assert (result.code, result.stdout) == (14, b"Half\n")
    assert "a line longer than 4 MiB" in result.stderr


def test_a_claude_that_refuses_a_prefill_is_asked_in_words() -> None:
    words = "This model does not support assistant message prefill."
    half = stream("anthropic", said("anthropic", "Once upon"))
    refused = json_page(400, fault("anthropic", words, "invalid_request_error"))
    good = stream("anthropic", said("anthropic", " a time"), end("anthropic"))
    with FaultServer(half, refused, good) as server:
        assert ask("anthropic", server).code == 14
        result = run_darkai("ask", "--resume", env={"IT_KEY": KEY})
    assert (result.code, result.stdout) == (0, b" a time\n"), result.stderr
    first, second = (request.json()["messages"] for request in server.requests[1:])
    assert first[-1] == {"role": "assistant", "content": "Once upon"}
    assert [one["role"] for one in second] == ["user", "assistant", "user"]


def test_an_ollama_model_that_does_not_think_is_asked_again_without() -> None:
    refused = json_page(400, {"error": '"qwen3" does not support thinking'})
    good = stream("ollama", said("ollama", "Hello"), end("ollama"))
    with FaultServer(refused, good) as server:
        result = ask("ollama", server, "-o", "think=true")
    assert (result.code, result.stdout) == (0, b"Hello\n"), result.stderr
    assert [request.json().get("think") for request in server.requests] == [True, None]


def test_an_ollama_model_that_is_not_pulled() -> None:
    missing = {"error": 'model "qwen3" not found, try pulling it first'}
    with FaultServer(json_page(404, missing)) as server:
        result = ask("ollama", server)
    assert result.code == 5
    assert "ollama pull qwen3" in result.stderr


def test_a_gemini_limit_that_tells_how_long() -> None:
    details = [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "86000s"}]
    words = "You exceeded your current quota, please check your plan and billing details."
    error = {"code": 429, "message": words, "status": "RESOURCE_EXHAUSTED", "details": details}
    with FaultServer(json_page(429, {"error": error})) as server:
        result = ask("gemini", server)
    assert result.code == 6
    assert "Try again in 23 h" in result.stderr
    assert server.connections == 1


# --- a service of one's own, with no model named --------------------------------------------------

LISTS = {
    "anthropic": {"data": [{"type": "model", "id": "own-model"}]},
    "gemini": {"models": [{"name": "models/own-model"}]},
    "ollama": {"models": [{"name": "own-model"}]},
}


def test_a_server_on_this_machine_is_asked_which_model_it_has(name: str) -> None:
    answer = stream(name, said(name, "Hello"), end(name))
    with FaultServer(json_page(200, LISTS[name]), answer) as server:
        result = ask(name, server, model="")
        listed, sent = server.requests
    assert (result.code, result.stdout, result.stderr) == (0, b"Hello\n", "")
    assert listed.method == "GET"
    assert sent.json().get("model", sent.target.partition("models/")[2].partition(":")[0]) == (
        "own-model"
    )
