"""llama.cpp's own server, through each of the three formats that it speaks.

The model is ``model_file.py``'s: what it says is known, and each byte of a prompt is a token.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from real.counterparts import HERE, installed, running
from real.darkai import configure, events, joined, last, on_terminal, run, start

pytestmark = pytest.mark.real

KEY = "sesame-open-1"
TEXT = "Hello from a tiny real llama.cpp model: café über 世界 😀 done."
WEATHER = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
}


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The server's base URL."""
    folder = tmp_path_factory.mktemp("llama")
    python = installed("llama", "bin", "python")
    model = str(folder / "chains.gguf")
    subprocess.run([python, str(HERE / "model_file.py"), model], check=True, timeout=60)
    argv = [python, str(HERE / "model_server.py"), model, "chains", KEY]
    with running(argv, folder, line="http://") as server:
        yield f"http{server.output().partition('http')[2].split()[0]}/v1"


@pytest.fixture(params=["openai", "anthropic", "openai-responses"])
def desk(request: pytest.FixtureRequest, base: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A provider ``desk`` of one type; the type."""
    table = {"type": request.param, "url": base, "model": "chains", "key_env": "DESK_KEY"}
    configure({"desk": table}, provider="desk")
    monkeypatch.setenv("DESK_KEY", KEY)
    return str(request.param)


def test_the_text_comes_as_it_was_said(desk: str):
    result = run("ask", "hi")
    assert (result.code, result.text, result.stderr) == (0, f"{TEXT}\n", "")


def test_events_and_counts(desk: str):
    result = run("ask", "--json", "--no-save", "hi")
    assert result.code == 0, result
    reply = events(result)
    assert reply[0]["data"] == {
        "provider": "desk", "model": "chains", "conversation": None, "turn": None
    }  # fmt: skip
    assert joined(result, "text-chunk") == TEXT
    assert len([e for e in reply if e["event"] == "text-chunk"]) == 12
    usage = last(result, "usage")
    assert (usage["output"], reply[-1]) == (13, {"event": "stream-end", "data": {"reason": "stop"}})
    longer = run("ask", "--json", "--no-save", "hi" + "x" * 100)
    assert last(longer, "usage")["input"] == usage["input"] + 100


def test_a_conversation_goes_on(desk: str):
    first = run("ask", "hi")
    again = run("ask", "-c", "--json", "and?")
    assert (first.code, again.code) == (0, 0), again
    assert joined(again, "text-chunk") == TEXT
    assert last(again, "usage")["input"] > len(TEXT)


def test_reasoning_is_told_apart(desk: str):
    result = run("ask", "--json", "--no-save", "think hard")
    assert result.code == 0, result
    assert joined(result, "reasoning-chunk").strip() == "Let me see."
    assert joined(result, "text-chunk").strip() == "Yes, it is."
    result = run("ask", "--no-save", "--reasoning", "hide", "think hard")
    assert result.text.strip() == "Yes, it is."


def test_a_tool_is_called_and_its_result_sent_back(desk: str):
    """There is no command for tools yet: this is the provider underneath."""
    from darkai_cli.config.load import load
    from darkai_cli.messages import Call, ChatRequest, Message, ToolSpec
    from darkai_cli.providers import connect, resolve

    config = load({})
    target = resolve.resolve(config)
    provider = connect.client_for(target, config, os.environ)
    tools = (ToolSpec("weather", "tells the weather of a city", WEATHER),)
    question = Message("user", "weather?")
    reply: list[Any] = list(provider.stream(ChatRequest((question,), "chains", {}, tools)))
    (called,) = [event for event in reply if event.type == "tool-call"]
    assert (called.name, json.loads(called.arguments)) == ("weather", {"city": "Paris"})
    assert reply[-1].reason == "tool-calls"
    call = Call(called.id, called.name, called.arguments)
    conversation = (
        question,
        Message("assistant", "", calls=(call,)),
        Message("tool", "sunny", call_id=call.id, name=call.name),
    )
    reply = list(provider.stream(ChatRequest(conversation, "chains", {}, tools)))
    assert "".join(event.text for event in reply if event.type == "text-chunk") == TEXT
    assert reply[-1].reason == "stop"


def test_a_limit_of_ones_own_is_no_fault(desk: str):
    result = run("ask", "--no-save", "-o", "max_tokens=4", "hi")
    assert (result.code, result.text, result.stderr) == (0, "Hello from a tiny\n", "")
    cut = run("ask", "--json", "--no-save", "-o", "max_tokens=4", "hi")
    # its Responses API calls a reply complete that it cut
    assert events(cut)[-1]["data"] == {"reason": "stop" if "responses" in desk else "length"}


def test_too_long_a_prompt_is_refused(desk: str):
    result = run("ask", "--no-save", stdin=b"x" * 17_000)
    assert (result.code, result.text) == (10, ""), result
    assert "17020 tokens" in result.stderr or "17021 tokens" in result.stderr
    assert "16384" in result.stderr
    assert "hint: " in result.stderr


def test_a_wrong_key_is_told_with_its_origin(desk: str):
    result = run("ask", "hi", env={"DESK_KEY": "open-barley-2"})
    assert (result.code, result.text) == (4, ""), result
    assert "rejected the API key (from DESK_KEY)" in result.stderr
    assert "open-barley-2" not in result.stderr


def test_without_a_key_one_is_asked_for(desk: str):
    result = run("ask", "hi", env={"DESK_KEY": None})
    assert (result.code, result.text) == (4, ""), result
    assert "requires an API key" in result.stderr
    assert "`darkai keys set desk`, or set DESK_KEY" in result.stderr


def test_ctrl_c_frees_the_slot(desk: str):
    """There is one slot; unless it is freed, it is busy for a minute or more."""
    with start("ask", "forever", "--no-save") as endless:
        endless.wait_for(b"tick tock tick")
        endless.signal(signal.SIGINT)
        assert endless.finish().code == 130
    result = run("ask", "--no-save", "--timeout", "10", "--retries", "0", "hi")
    assert (result.code, result.text) == (0, f"{TEXT}\n"), result


def test_the_models_are_listed(desk: str):
    result = run("models", "list", "-p", "desk")
    assert result.code == 0, result
    assert "desk/chains" in result.text
    if desk != "anthropic":
        result = run("models", "show", "desk/chains")
        assert "16384" in result.text, result  # what it was started with, not what it was made for


def test_the_only_model_needs_no_name(base: str, monkeypatch: pytest.MonkeyPatch):
    configure({"desk": {"type": "openai", "url": base, "key_env": "DESK_KEY"}})
    result = run("ask", "-p", "desk", "-v", "hi", env={"DESK_KEY": KEY})
    assert (result.code, result.text) == (0, f"{TEXT}\n"), result
    assert "desk/chains" in result.stderr


def test_one_exchange_in_a_chat(desk: str):
    with on_terminal("chat") as chat:
        chat.wait_for(b"desk/chains")
        chat.type("hi\r")
        chat.wait_for("世界".encode())
        chat.wait_for("desk/chains · hi".encode())  # below the next prompt
        chat.type("\x04")
        result = chat.screen_result()
    assert result.code == 0, result.lines
    assert TEXT in " ".join(result.lines)
    assert "hi" in run("history").text
