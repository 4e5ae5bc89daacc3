"""Model servers on this machine: who is one, which model it has, and that nobody else is taken for one."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.server import (
    BeforeRequest,
    Close,
    FaultServer,
    Pause,
    Send,
    Stall,
    closed_port,
    full_port,
    json_page,
    page,
)

from darkai_cli.config.load import load
from darkai_cli.http import probe
from darkai_cli.providers import local_servers

LONG = 20.0
"""Seconds; what does not need them does not take them."""

TAGS = {
    "models": [
        {"name": "nomic-embed-text:latest", "digest": "1", "details": {"family": "nomic-bert"}},
        {"name": "gpt-oss:120b-cloud", "digest": "2", "remote_host": "https://ollama.com:443"},
        {"name": "llama3.2:3b", "digest": "3", "details": {"family": "llama"}},
        {"name": "qwen3:8b", "digest": "4", "details": {"family": "qwen3"}},
    ]
}
LLAMACPP = {
    "object": "list",
    "data": [{"id": "tiny.gguf", "object": "model", "owned_by": "llamacpp"}],
}


def model(name: str, *answers: Any) -> str:
    return local_servers._KINDS[name].model(answers)


def test_ollama_gives_the_model_that_is_loaded_or_its_first() -> None:
    assert model("ollama", TAGS, {"models": []}) == "llama3.2:3b"
    assert model("ollama", TAGS, {"models": [{"name": "qwen3:8b"}]}) == "qwen3:8b"
    assert model("ollama", TAGS, None) == "llama3.2:3b"


def test_ollama_never_gives_a_model_of_its_cloud_or_one_that_does_not_chat() -> None:
    for row in TAGS["models"][:2]:
        assert model("ollama", {"models": [row]}, {"models": [row]}) == ""
    assert model("ollama", {"models": [{"name": "x:cloud", "digest": "1"}]}, None) == ""


def test_an_ollama_without_models_is_none() -> None:
    assert model("ollama", {"models": []}, {"models": []}) == ""
    assert model("ollama", {"models": None}, None) == ""


def test_lm_studio_gives_the_loaded_model() -> None:
    rows = [
        {"id": "embedder", "type": "embeddings", "state": "loaded"},
        {"id": "first", "type": "llm", "state": "not-loaded"},
        {"id": "second", "type": "vlm", "state": "loaded"},
    ]
    assert model("lmstudio", {"data": rows}) == "second"
    assert model("lmstudio", {"data": rows[:2]}) == "first"
    assert model("lmstudio", {"data": rows[:1]}) == ""


def test_llamacpp_and_vllm_are_known_by_their_owner() -> None:
    assert model("llamacpp", LLAMACPP) == "tiny.gguf"
    assert model("vllm", LLAMACPP) == ""
    gateway = {"data": [{"id": "gpt-4o", "owned_by": "openai"}]}
    assert model("llamacpp", gateway) == model("vllm", gateway) == ""
    loaded = {"id": "b", "owned_by": "llamacpp", "status": {"value": "loaded"}}
    several = {
        "data": [{"id": "a", "owned_by": "llamacpp", "status": {"value": "unloaded"}}, loaded]
    }
    assert model("llamacpp", several) == "b"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(
        st.sampled_from(["models", "data", "name", "id", "digest", "owned_by", "type", "state", "details"]),
        inner,
    ),
)  # fmt: skip


@given(st.sampled_from(sorted(local_servers._KINDS)), JSON, JSON)
def test_no_answer_is_too_strange(name: str, first: Any, second: Any) -> None:
    assert isinstance(model(name, first, second), str)


# --- asking ---------------------------------------------------------------------------------------


def asked(server: FaultServer, seconds: float = LONG) -> bytes | None:
    return probe.get([f"http://{server.address}/v1/models?a=b"], seconds)[0]


def test_a_whole_answer_is_had() -> None:
    with FaultServer(json_page(200, {"a": 1})) as server:
        assert json.loads(asked(server) or b"") == {"a": 1}
        (request,) = server.requests
    assert (request.method, request.target) == ("GET", "/v1/models?a=b")
    assert request.headers["host"] == server.address


def test_chunks_are_joined_and_an_end_of_connection_ends_a_body() -> None:
    chunked = (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n"
    )
    with FaultServer([Send(chunked), Stall()]) as server:
        assert asked(server) == b"abcde"
    with FaultServer([Send(b"HTTP/1.0 200 OK\r\n\r\nabc"), Close()]) as server:
        assert asked(server) == b"abc"


@pytest.mark.parametrize(
    "script",
    [
        page(404, "<html>"),
        page(302, "", headers={"location": "http://elsewhere.invalid/"}),
        [Send(b"SSH-2.0-OpenSSH_9.2\r\n"), Close()],
        [Send(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc"), Close()],
        [BeforeRequest(), Close()],
        [Send(b"HTTP/1.1 200 OK\r\ncontent-length: 9999999\r\n\r\n" + b"a" * (probe.LARGEST + 1))],
    ],
)
def test_what_is_no_answer(script: Any) -> None:
    with FaultServer(script) as server:
        assert asked(server) is None


def test_nobody_is_waited_for_longer_than_all_may_take() -> None:
    """The clock says that the time is up once everybody has been asked."""
    times = iter([0.0, 0.0])
    gate = threading.Event()
    with FaultServer([Pause(gate), *json_page(200, {})]) as server, full_port() as full:
        urls = [f"http://{server.address}/", f"http://127.0.0.1:{full}/"]
        assert probe.get(urls, 0.01, clock=lambda: next(times, 99.0)) == [None, None]


def test_one_that_hangs_does_not_cost_the_others_their_answer() -> None:
    with FaultServer(json_page(200, {})) as good, full_port() as full, closed_port() as closed:
        urls = [
            f"http://127.0.0.1:{full}/",
            f"http://{good.address}/",
            f"http://127.0.0.1:{closed}/",
        ]
        assert probe.get(urls, 0.5) == [None, b"{}", None]


def test_nobody_but_this_machine_is_asked() -> None:
    urls = [
        "http://192.0.2.1/",
        "http://example.invalid/",
        "https://localhost:1/",
        "ftp://127.0.0.1/",
    ]
    assert probe.get(urls, LONG) == [None] * 4


@given(st.binary(max_size=300), st.booleans())
def test_any_bytes_are_an_answer_or_none(data: bytes, ended: bool) -> None:
    assert probe.body_of(data, ended=ended) is None or b"200" in data
    chunks = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + data
    probe.body_of(chunks, ended=ended)


def test_servers_are_found_where_the_user_has_them(isolated: Path) -> None:
    with FaultServer(json_page(200, LLAMACPP)) as server:
        folder = isolated / "darkai"
        folder.mkdir()
        (folder / "config.toml").write_text(
            f'[providers.llamacpp]\nurl = "http://{server.address}/v1"\n'
            '[providers.ollama]\nurl = "http://gpu-box.invalid:11434"\n'
        )
        (target,) = local_servers.found(load({}))
    assert (target.settings.name, target.model) == ("llamacpp", "tiny.gguf")
