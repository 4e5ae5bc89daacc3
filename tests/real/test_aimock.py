"""aimock, a server that speaks the formats of OpenAI, Anthropic, Gemini and Ollama from one script.

It was written after the services' own streams by people who know nothing of darkai.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from typing import Any

import pytest
from real.counterparts import free_port, installed, program, running
from real.darkai import configure, events, joined, run

pytestmark = pytest.mark.real

KEY = "mock-key-1"
PATHS = {
    "openai": "/v1",
    "openai-responses": "/v1",
    "anthropic": "/v1",
    "gemini": "/v1beta",
    "ollama": "",
}
TEXT = "Hello there, naïve 世界 😀."
SLOW_DOWN = {"error": {"message": "Slow down", "type": "rate_limit_error"}, "status": 429}
SCRIPT: list[dict[str, Any]] = [
    {
        "match": {"userMessage": "weather", "hasToolResult": False},
        "response": {
            "toolCalls": [{"id": "call_1", "name": "weather", "arguments": {"city": "Rome"}}]
        },
    },
    {"match": {"userMessage": "weather"}, "response": {"content": "Sunny in Rome."}},
    {
        "match": {"userMessage": "think"},
        "response": {"content": "It is 42.", "reasoning": "Six by seven."},
    },
    *[
        {
            "match": {"userMessage": f"again {kind}", "sequenceIndex": 0},
            "response": {**SLOW_DOWN, "retryAfter": 1},
        }
        for kind in PATHS
    ],
    {"match": {"userMessage": "again"}, "response": {"content": "Now it goes."}},
    {"match": {"userMessage": "limited"}, "response": {**SLOW_DOWN, "retryAfter": 3600}},
    {
        "match": {"userMessage": "broken"},
        "response": {"error": {"message": "Boom", "type": "server_error"}, "status": 500},
    },
    {
        "match": {"userMessage": "cut"},
        "response": {"content": "One two three four five six seven eight nine ten."},
        "chunkSize": 8,
        "latency": 50,
        "truncateAfterChunks": 6,
    },
    {"match": {"userMessage": "hi"}, "response": {"content": TEXT}, "chunkSize": 3},
]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The server's address."""
    folder = tmp_path_factory.mktemp("aimock")
    script = folder / "script.json"
    script.write_text(json.dumps({"fixtures": SCRIPT}))
    port = free_port()
    node = program("node", "nodejs npm")
    mock = installed("node_modules", ".bin", "llmock")
    argv = [node, mock, "-p", str(port), "-f", str(script)]
    with running(argv, folder, port=port, env={"AIMOCK_API_KEYS": KEY}):
        yield f"http://127.0.0.1:{port}"


@pytest.fixture(params=PATHS)
def kind(request: pytest.FixtureRequest, root: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A provider ``mock`` of one type; the type."""
    table = {
        "type": request.param,
        "url": root + PATHS[request.param],
        "model": "gpt-4o",
        "key_env": "MOCK_KEY",
    }
    configure({"mock": table}, provider="mock", save=False)
    monkeypatch.setenv("MOCK_KEY", KEY)
    return str(request.param)


def test_text(kind: str):
    result = run("ask", "hi")
    assert (result.code, result.text, result.stderr) == (0, f"{TEXT}\n", "")
    events_seen = events(run("ask", "--json", "hi"))
    chunks = -(-len(TEXT.encode("utf-16-le")) // 6)  # of three, counted as JavaScript does
    assert [event["event"] for event in events_seen if event["event"] != "usage"] == [
        "stream-start", *["text-chunk"] * chunks, "stream-end"
    ]  # fmt: skip


def test_reasoning(kind: str):
    if kind == "ollama":
        pytest.skip("its reasoning has OpenAI's name there, `reasoning_content`, not Ollama's")
    result = run("ask", "--json", "think")
    assert result.code == 0, result
    assert joined(result, "reasoning-chunk") == "Six by seven."
    assert joined(result, "text-chunk") == "It is 42."


def test_a_tool_call_and_its_result(kind: str):
    """There is no command for tools yet: this is the provider underneath."""
    from darkai_cli.config.load import load
    from darkai_cli.messages import Call, ChatRequest, Message, ToolSpec
    from darkai_cli.providers import connect, resolve

    config = load({})
    provider = connect.client_for(resolve.resolve(config), config, os.environ)
    tools = (ToolSpec("weather", "tells the weather", {"type": "object", "properties": {}}),)
    question = Message("user", "weather?")
    events_seen: list[Any] = list(provider.stream(ChatRequest((question,), "gpt-4o", {}, tools)))
    (called,) = [event for event in events_seen if event.type == "tool-call"]
    assert (called.name, json.loads(called.arguments)) == ("weather", {"city": "Rome"})
    assert events_seen[-1].reason == "tool-calls"
    conversation = (
        question,
        Message("assistant", "", calls=(Call(called.id, called.name, called.arguments),)),
        Message("tool", "sunny", call_id=called.id, name=called.name),
    )
    events_seen = list(provider.stream(ChatRequest(conversation, "gpt-4o", {}, tools)))
    assert (
        "".join(event.text for event in events_seen if event.type == "text-chunk")
        == "Sunny in Rome."
    )


def test_a_limit_that_passes_is_waited_for(kind: str):
    result = run("ask", f"again {kind}")
    assert (result.code, result.text) == (0, "Now it goes.\n"), result
    assert re.search(
        r"Rate limited by 127\.0\.0\.1:\d+: Slow down; trying again in 1", result.stderr
    )


def test_a_long_limit_is_not(kind: str):
    result = run("ask", "limited")
    assert (result.code, result.text) == (6, ""), result
    assert "Slow down" in result.stderr
    later = run("ask", "hi")  # another process knows of it
    assert (later.code, later.text) == (6, ""), later


def test_a_fault_of_the_service(kind: str):
    result = run("ask", "--retries", "0", "broken")
    assert (result.code, result.text) == (9, ""), result
    assert re.search(r"127\.0\.0\.1:\d+ failed \(500: Boom\)", result.stderr)


def test_a_cut_stream_is_told(kind: str):
    result = run("ask", "cut")
    assert result.code == 14, result
    assert "One two three four five six seven eight nine ten.".startswith(result.text.strip())
    assert result.text.strip()
    assert "incomplete" in result.stderr


def test_a_wrong_key(kind: str):
    result = run("ask", "hi", env={"MOCK_KEY": "another-key-2"})
    assert (result.code, result.text) == (4, ""), result
    assert "rejected the API key (from MOCK_KEY)" in result.stderr
    assert "another-key-2" not in result.stderr


def test_models(kind: str):
    result = run("models", "list", "-p", "mock")
    if kind == "gemini":  # which it does not list in Gemini's format
        assert "has no path /v1beta/models" in result.stderr
    else:
        assert "mock/gpt-4o\n" in result.text, result
