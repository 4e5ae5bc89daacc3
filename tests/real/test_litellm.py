"""LiteLLM's proxy: a gateway in front of a canned model, of llama.cpp's server, and of nothing.

Heavy (half a gigabyte, ten seconds until it is up), so `tests/real/run --all` alone installs it.
Not tried: Ctrl-C. The gateway goes on reading from the server behind it, whoever has hung up.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from real.counterparts import HERE, free_port, installed, running
from real.darkai import configure, events, joined, last, run

pytestmark = pytest.mark.real

KEY = "sk-gateway-1234"
DESK = "desk-key-1"
TEXT = "Hello from a tiny real llama.cpp model: café über 世界 😀 done."


def model(name: str, **parameters: Any) -> dict[str, Any]:
    """One entry of the gateway's list."""
    return {"model_name": name, "litellm_params": {"model": "openai/chains", **parameters}}


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """llama.cpp's server."""
    folder = tmp_path_factory.mktemp("desk")
    python = installed("llama", "bin", "python")
    path = str(folder / "chains.gguf")
    subprocess.run([python, str(HERE / "model_file.py"), path], check=True, timeout=60)
    argv = [python, str(HERE / "model_server.py"), path, "chains", DESK]
    with running(argv, folder, line="http://") as server:
        yield f"http{server.output().partition('http')[2].split()[0]}/v1"


@pytest.fixture(scope="module")
def base(desk: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The gateway's base URL."""
    folder: Path = tmp_path_factory.mktemp("litellm")
    python = installed("litellm", "bin", "python")
    nobody = f"http://127.0.0.1:{free_port()}/v1"
    settings = {
        "model_list": [
            model("canned", api_key="none", mock_response="Canned words."),
            model("desk", api_base=desk, api_key=DESK),
            model("locked", api_base=desk, api_key="not-the-key"),
            model("down", api_base=nobody, api_key="none"),
            model("limited", api_key="none", mock_response="litellm.RateLimitError"),
        ],
        "general_settings": {"master_key": KEY},
        "litellm_settings": {"num_retries": 0},
        "router_settings": {"num_retries": 0, "disable_cooldowns": True},
    }
    config = folder / "config.yaml"
    config.write_text(json.dumps(settings))  # which is YAML, too
    port = free_port()
    argv = [
        python, installed("litellm", "bin", "litellm"),
        "--config", str(config), "--host", "127.0.0.1", "--port", str(port),
    ]  # fmt: skip
    quiet = {
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "LITELLM_TELEMETRY": "False",
        "NO_PROXY": "*",
        "DISABLE_ADMIN_UI": "True",
    }
    with running(argv, folder, port=port, env=quiet):
        yield f"http://127.0.0.1:{port}/v1"


@pytest.fixture(params=["openai", "anthropic"])
def gateway(request: pytest.FixtureRequest, base: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A provider ``gateway`` of one type; the type."""
    configure(
        {"gateway": {"type": request.param, "url": base, "key_env": "GATEWAY_KEY"}},
        provider="gateway",
        save=False,
    )
    monkeypatch.setenv("GATEWAY_KEY", KEY)
    return str(request.param)


def test_a_server_behind_it(gateway: str):
    result = run("ask", "--json", "-m", "desk", "hi")
    assert result.code == 0, result
    assert joined(result, "text-chunk") == TEXT
    assert last(result, "usage")["output"] == 13
    assert events(result)[-1]["data"] == {"reason": "stop"}


def test_a_limit_of_ones_own(gateway: str):
    result = run("ask", "--json", "-m", "desk", "-o", "max_tokens=4", "hi")
    assert result.code == 0, result
    assert joined(result, "text-chunk") == "Hello from a tiny"
    assert events(result)[-1]["data"] == {"reason": "length"}


def test_a_canned_answer(gateway: str):
    result = run("ask", "--retries", "0", "-m", "canned", "hi")
    if gateway == "openai":
        assert (result.code, result.text) == (0, "Canned words.\n"), result
    else:  # it fails at its own canned answers there, with a traceback under a status of 500
        assert (result.code, result.text) == (9, ""), result
        assert "failed (500: " in result.stderr


@pytest.mark.parametrize(
    ("name", "code", "message"),
    [
        ("locked", 4, "rejected the API key"),
        ("down", 9, "Connection error"),
        ("limited", 6, "rate limited"),
        ("nosuch", 5, "No model named `nosuch` at 127.0.0.1"),
    ],
)
def test_faults_behind_it(gateway: str, name: str, code: int, message: str):
    result = run("ask", "--retries", "0", "-m", name, "hi")
    assert (result.code, result.text) == (code, ""), result
    assert message in result.stderr


def test_too_long_a_prompt(gateway: str):
    result = run("ask", "-m", "desk", stdin=b"x" * 17_000)
    assert (result.code, result.text) == (10, ""), result
    assert "16384" in result.stderr


def test_a_wrong_key(gateway: str):
    result = run("ask", "-m", "desk", "hi", env={"GATEWAY_KEY": "sk-other-5678"})
    assert (result.code, result.text) == (4, ""), result
    assert "rejected the API key (from GATEWAY_KEY)" in result.stderr
    assert "sk-other-5678" not in result.stderr


def test_no_key(gateway: str):
    result = run("ask", "-m", "desk", "hi", env={"GATEWAY_KEY": None})
    assert (result.code, result.text) == (4, ""), result
    assert "requires an API key" in result.stderr


def test_models(gateway: str):
    result = run("models", "list", "-p", "gateway")
    assert result.code == 0, result
    assert "gateway/canned" in result.text
    assert "gateway/desk" in result.text
