"""The faults of a DarkAI stream that its own words decide: darkai as a process against a real server.

``test_faults.py`` has the whole table of faults for OpenAI's dialect; ``support/darkai_faults.py`` has
DarkAI's, of which the rows here are those that another dialect would answer differently.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from support import faults
from support.darkai_faults import ROWS
from support.faults import HOST, error_text
from support.scenario import Running, run_darkai, start_darkai
from support.server import FaultServer, closed_port, reply

DECIDED = (
    "404 model", "422", "422, odd detail", "429", "429 Retry-After", "429 for days", "Cloudflare 403",
    "Cloudflare 200, as a stream", "Cloudflare block", "JSON under 200", "several data lines",
    "no blank lines", "half a surrogate pair", "the server's whole order", "only a final response",
    "reset after the end", "stall after the end", "clean end without stream-end", "last line unfinished",
    "events are no objects", "sources", "no text", "no event", "error event", "error event without words",
    "hostile error", "reset before text", "FIN inside a chunk", "error event after text",
    "50 and more unreadable after text",
)  # fmt: skip


def start(server: FaultServer, args: Sequence[str]) -> Running:
    return start_darkai("ask", "hi", *args, env={"DARKAI_URL": server.url})


@pytest.mark.parametrize("name", DECIDED)
def test_fault(name: str) -> None:
    faults.check(ROWS[name], start)


def test_an_error_with_json_is_the_last_line_on_stdout_and_comes_after_the_text() -> None:
    row = ROWS["error event after text"]._replace(out=b"Hello")
    result, _ = faults.play(row, start, ("--retries", "0", "--json"))
    assert result.code == 14, result
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert [line["event"] for line in lines] == ["stream-start", "text-chunk", "error"]
    assert lines[-1]["data"]["exit_code"] == 14
    assert lines[-1]["data"]["message"] in error_text(result.stderr)


def test_a_cut_leaves_the_output_file_alone(tmp_path: Path) -> None:
    """The text is not on stdout then, so the gate opens at once."""
    old = tmp_path / "answer"
    old.write_bytes(b"the old answer")
    row = ROWS["error event after text"]._replace(out=b"")
    result, _ = faults.play(row, start, ("--retries", "0", "--output", str(old)))
    assert (result.code, result.stdout) == (14, b"")
    assert old.read_bytes() == b"the old answer"
    assert list(tmp_path.iterdir()) == [old]


def test_quiet_leaves_the_error() -> None:
    result, server = faults.play(ROWS["500, always"], start, ("--retries", "1", "--quiet"))
    assert "trying again" not in result.stderr
    assert error_text(result.stderr).startswith(f"error: {server.address} failed (500: boom)")


def test_a_repeated_request_is_the_same_request() -> None:
    _, server = faults.play(ROWS["no event"], start)
    first, second = server.requests
    assert first == second
    assert first.json() == {"query": "hi", "model": "llama-3-70b"}


@pytest.mark.parametrize("url", ["ftp://host/chat", "darkai.example/chat", "http:///x"])
def test_unusable_url(url: str) -> None:
    result = run_darkai("ask", "hi", env={"DARKAI_URL": url})
    assert (result.code, result.stdout) == (3, b"")
    assert re.search("must start with http:// or https://|has no host", error_text(result.stderr))
    assert "DARKAI_URL" in result.stderr


def test_a_proxy_of_the_environment_is_not_used_for_loopback() -> None:
    with closed_port() as port, FaultServer(reply(["fine"])) as server:
        env = {"HTTP_PROXY": f"http://{HOST}:{port}", "ALL_PROXY": "socks://x:1"}
        result = run_darkai("ask", "hi", env={"DARKAI_URL": server.url, **env})
    assert result == (0, b"fine\n", "")
