"""Model servers on this machine: who is one, which model it has, and that nobody else is taken for one."""

from __future__ import annotations

import threading
import time
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
    return local_servers.KINDS[name].model(answers)


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


@given(st.sampled_from(sorted(local_servers.KINDS)), JSON, JSON)
def test_no_answer_is_too_strange(name: str, first: Any, second: Any) -> None:
    assert isinstance(model(name, first, second), str)


# --- asking ---------------------------------------------------------------------------------------


def fetched(
    *servers: str, paths: tuple[str, ...] = ("/v1/models?a=b",), seconds: float = LONG
) -> list[Any]:
    """What servers, all asked at once, have answered."""
    deadline = time.monotonic() + seconds
    fetches = [local_servers.Fetch(f"http://{server}/", paths, seconds) for server in servers]
    return [answer for fetch in fetches for answer in fetch.answers(deadline)]


def test_a_whole_answer_is_read() -> None:
    with FaultServer(json_page(200, {"a": 1})) as server:
        assert fetched(server.address) == [{"a": 1}]
        (request,) = server.requests
    assert (request.method, request.target) == ("GET", "/v1/models?a=b")
    assert request.headers["host"] == server.address


def test_the_paths_of_a_server_are_asked_in_their_order() -> None:
    with FaultServer(json_page(200, {"a": 1}), json_page(200, [2])) as server:
        assert fetched(server.address, paths=("/a", "/b")) == [{"a": 1}, [2]]
        assert [request.target for request in server.requests] == ["/a", "/b"]


def test_chunks_are_joined_and_an_end_of_connection_ends_a_body() -> None:
    chunked = (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n[1,\r\n2;x=y\r\n2]\r\n0\r\n\r\n"
    )
    with FaultServer([Send(chunked), Stall()]) as server:
        assert fetched(server.address) == [[1, 2]]
    with FaultServer([Send(b"HTTP/1.0 200 OK\r\n\r\n[3]"), Close()]) as server:
        assert fetched(server.address) == [[3]]


HUGE = b"[" + b" " * local_servers.MAX_ANSWER + b"1]"


@pytest.mark.parametrize(
    "script",
    [
        page(404, "<html>"),
        page(302, "", headers={"location": "http://elsewhere.invalid/"}),
        [Send(b"SSH-2.0-OpenSSH_9.2\r\n"), Close()],
        [Send(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n[1]"), Close()],
        [Send(b"HTTP/1.1 200 OK\r\ncontent-length: -1\r\nx\0: \xff\r\n\r\n\xff"), Close()],
        [Send(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n-1\r\n[1]\r\n"), Close()],
        [Send(b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 200 + b"\r\n[1]"), Close()],
        [BeforeRequest(), Close()],
        [Send(b"HTTP/1.1 200 OK\r\ncontent-length: 9999999\r\n\r\n" + HUGE)],
        [Send(b"HTTP/1.0 200 OK\r\n\r\n" + HUGE), Close()],
    ],
)  # fmt: skip
def test_what_is_no_answer(script: Any) -> None:
    with FaultServer(script) as server:
        assert fetched(server.address) == [None]


def test_the_wait_ends_when_the_time_is_up() -> None:
    gate = threading.Event()
    with FaultServer([Pause(gate), *json_page(200, {})]) as server, full_port() as full:
        assert fetched(server.address, f"127.0.0.1:{full}", seconds=0.01) == [None, None]


def test_one_that_hangs_does_not_cost_the_others_their_answer() -> None:
    with FaultServer(json_page(200, {})) as good, full_port() as full, closed_port() as closed:
        servers = [f"127.0.0.1:{full}", good.address, f"127.0.0.1:{closed}"]
        assert fetched(*servers, seconds=0.5) == [None, {}, None]


@pytest.mark.parametrize(
    "url",
    ["http://192.0.2.1/", "http://example.invalid/", "https://localhost:1/", "ftp://127.0.0.1/"],
)
def test_only_plain_http_to_this_machine_is_asked(url: str) -> None:
    assert not local_servers.is_local(url)


def test_names_are_not_resolved() -> None:
    assert local_servers._addresses("gpu.localhost") == ("127.0.0.1", "::1")
    assert local_servers._addresses("127.0.0.2") == ("127.0.0.2",)


def test_servers_are_found_where_the_user_has_them(isolated: Path) -> None:
    with FaultServer(json_page(200, LLAMACPP)) as server:
        folder = isolated / "darkai"
        folder.mkdir()
        (folder / "config.toml").write_text(
            f'[providers.llamacpp]\nurl = "http://{server.address}/v1"\n'
            '[providers.ollama]\nurl = "http://gpu-box.invalid:11434"\n'
        )
        (target,) = local_servers.find(load({}))
    assert (target.settings.name, target.model) == ("llamacpp", "tiny.gguf")
