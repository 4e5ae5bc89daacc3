"""A service that gives the key back in errors, headers and pages: no output of darkai may hold a part of it.

One server a test, which answers as each dialect's service would and puts the key where the test says.
Afterwards every byte that darkai has written anywhere is searched for any ten characters of the key
in a row: standard output and error, recordings, ``--output``, history, state, locks. The text of a reply
is the exception: it is passed on and saved as received.
"""

from __future__ import annotations

import json
import sqlite3
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from support.scenario import Result, run_darkai
from support.server import FaultServer, Script, Send, json_page, page, reply

KEY = "sk-leak-Q7w8E9r0T1y2U3i4O5"
WINDOW = 10
PARTS = [KEY[at : at + WINDOW] for at in range(len(KEY) - WINDOW + 1)]


def sse(value: Any, name: str | None = None) -> bytes:
    first = f"event: {name}\n" if name else ""
    return f"{first}data: {json.dumps(value)}\n\n".encode()


class Service(NamedTuple):
    """How a dialect's service carries the key, and what it says."""

    provider: str
    kind: str
    carrier: str
    text: Callable[[str], bytes]
    end: Sequence[bytes]
    begin: Sequence[bytes] = ()


def _openai(**delta: Any) -> bytes:
    return sse({"choices": [{"index": 0, "delta": delta, "finish_reason": None}]})


def _anthropic(kind: str, **delta: Any) -> bytes:
    value = {"type": "content_block_delta", "index": 0, "delta": {"type": kind, **delta}}
    return sse(value, "content_block_delta")


def _gemini(**part: Any) -> bytes:
    return sse({"candidates": [{"content": {"parts": [part], "role": "model"}, "index": 0}]})


OPENAI_END = (
    sse({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}),
    b"data: [DONE]\n\n",
)
SERVICES = {
    "darkai": Service(
        "work", "darkai", "authorization",
        lambda text: sse({"event": "text-chunk", "data": {"text": text}}),
        [sse({"event": "stream-end", "data": {}})],
    ),
    "openai": Service(
        "openai", "openai", "authorization",
        lambda text: _openai(content=text),
        OPENAI_END,
    ),
    "azure": Service(
        "azure", "openai", "api-key",
        lambda text: _openai(content=text),
        OPENAI_END,
    ),
    "anthropic": Service(
        "anthropic", "anthropic", "x-api-key",
        lambda text: _anthropic("text_delta", text=text),
        [
            sse({"type": "message_delta", "delta": {"stop_reason": "end_turn"}}, "message_delta"),
            sse({"type": "message_stop"}, "message_stop"),
        ],
        begin=[sse({"type": "message_start", "message": {"usage": {}}}, "message_start")],
    ),
    "gemini": Service(
        "gemini", "gemini", "x-goog-api-key",
        lambda text: _gemini(text=text),
        [sse({"candidates": [{"finishReason": "STOP", "index": 0}]})],
    ),
    "ollama": Service(
        "ollama", "ollama", "authorization",
        lambda text: (json.dumps({"message": {"content": text}, "done": False}) + "\n").encode(),
        [b'{"message": {"content": ""}, "done": true, "done_reason": "stop"}\n'],
    ),
}  # fmt: skip


def streamed(
    service: Service, pieces: Iterable[bytes], headers: dict[str, str] | None = None
) -> Script:
    kind = "application/x-ndjson" if service.kind == "ollama" else "text/event-stream"
    return reply(
        [*service.begin, *pieces, *service.end],
        end=None,
        headers={"content-type": kind, **(headers or {})},
    )


def configure(isolated: Path, service: Service, url: str, more: str = "") -> None:
    (isolated / "darkai").mkdir(mode=0o700, exist_ok=True)
    (isolated / "darkai" / "config.toml").write_text(
        f'[providers.{service.provider}]\ntype = "{service.kind}"\nurl = "{url}"\nmodel = "m"\n{more}'
    )


def written(isolated: Path, result: Result) -> dict[str, bytes]:
    """Everything that darkai has put out, by its place."""
    places = {"stdout": result.stdout, "stderr": result.stderr.encode()}
    for file in isolated.rglob("*"):
        if file.is_file() and file.name not in ("config.toml", "keys.toml"):
            places[file.name] = file.read_bytes()
    return places


def leaks(isolated: Path, result: Result) -> list[str]:
    return [
        f"{place}: ...{part}..."
        for place, data in written(isolated, result).items()
        for part in PARTS
        if part.encode() in data
    ]


def ask(
    isolated: Path, service: Service, script: Script, *args: str, more: str = 'key_env = "MINE"\n'
) -> Result:
    with FaultServer(script) as server:
        url = f"http://{server.address}"
        configure(isolated, service, url if service.kind != "darkai" else server.url, more)
        result = run_darkai(
            "ask", "-p", service.provider, "--retries", "0", *args, "hi", env={"MINE": KEY}
        )
        carried = {name for name, value in server.requests[0].headers.items() if KEY in value}
        assert carried == {service.carrier}
    assert leaks(isolated, result) == []
    return result


EVERY_OUTPUT = ("--debug", "-v", "--record", "rec.jsonl", "--output", "out.txt")


def test_the_search_finds_what_is_there(isolated: Path):
    (isolated / "x").write_text(f"...{KEY[5:16]}...")
    assert leaks(isolated, Result(0, b"", "")) != []
    assert leaks(isolated, Result(0, KEY[:9].encode(), KEY[-9:])) == leaks(
        isolated, Result(0, b"", "")
    )


LONG = "x" * 150
"""Brings the key to where messages are cut off."""

REFUSALS: dict[str, Script] = {
    "401-json": json_page(401, {"error": {"message": f"Incorrect API key provided: {KEY}.", "type": KEY, "code": "invalid_api_key"}}),
    "401-cut": json_page(401, {"error": {"message": f"{LONG} the key that you gave is {KEY} and it is wrong"}}),
    "401-detail": json_page(401, {"detail": f"bad Bearer {KEY}"}),
    "403-json": json_page(403, {"error": {"message": f"{KEY} may not do that"}}),
    "400-json": json_page(400, {"error": {"message": f"header Authorization: Bearer {KEY} is odd", "param": KEY}}),
    "429-json": json_page(429, {"error": {"message": f"slow down, {KEY}", "code": "insufficient_quota"}}),
    "500-html": page(500, f"<html><head><title>Oops {KEY}</title></head><body>{KEY}</body></html>"),
    "500-text": page(500, f"Traceback: key={KEY}", "text/plain"),
    "200-html": page(200, f"<html><head><title>Log in {KEY}</title></head></html>"),
    "200-json": json_page(200, {"error": {"message": f"no {KEY}", "type": "x"}}),
    "200-text": page(200, f"what is {KEY}?", "text/plain"),
    "header": json_page(401, {"error": {"message": "no"}}, {"x-echo": f"Bearer {KEY}", "www-authenticate": f'Bearer k="{KEY}"', KEY: "x"}),
    "redirect": page(302, "", headers={"location": f"https://elsewhere.test/{KEY}?api_key={KEY}"}),
    "redirect-loop": page(307, "", headers={"location": f"/chat?key={KEY}"}),
    "bad-http": [Send(f"HTTP/9.9 {KEY}\r\n\r\n{KEY}".encode())],
}  # fmt: skip


@pytest.mark.parametrize("fault", REFUSALS)
def test_a_refusal_that_repeats_the_key(isolated: Path, fault: str):
    service = SERVICES["openai" if len(fault) % 2 else "darkai"]
    result = ask(isolated, service, REFUSALS[fault], *EVERY_OUTPUT)
    assert result.code in (4, 5, 6, 9, 10)
    assert "error: " in result.stderr


@pytest.mark.parametrize("name", SERVICES)
@pytest.mark.parametrize("fault", ["401-json", "redirect"])
def test_every_dialects_way_of_carrying_a_key(isolated: Path, name: str, fault: str):
    result = ask(isolated, SERVICES[name], REFUSALS[fault], "--debug", "--json")
    assert result.code in (4, 9)
    assert "***" in result.stderr
    assert "***" in result.text


def test_the_text_of_a_reply_is_passed_on_and_saved_as_received(isolated: Path):
    service = SERVICES["openai"]
    pieces = [service.text(f"<{KEY}> {KEY[:9]}"), service.text(f"{KEY[9:]}.")]
    with FaultServer(streamed(service, pieces)) as server:
        configure(isolated, service, f"http://{server.address}", 'key_env = "MINE"\n')
        result = run_darkai("ask", "-p", "openai", "hi", env={"MINE": KEY})
    assert result.text == f"<{KEY}> {KEY}.\n"
    saved = sqlite3.connect(isolated / "darkai" / "history.db")
    (text,) = saved.execute("SELECT text FROM message WHERE role = 'assistant'").fetchone()
    saved.close()
    assert text == f"<{KEY}> {KEY}."


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("darkai", b"event: error\n" + sse({"event": "error", "data": {"detail": f"no {KEY}"}})),
        ("openai", sse({"error": {"message": f"{LONG} for the key {KEY}: boom", "type": "server_error"}})),
        ("anthropic", sse({"type": "error", "error": {"type": "overloaded_error", "message": f"no {KEY}"}}, "error")),
        ("gemini", sse({"error": {"code": 503, "message": f"no {KEY}", "status": "UNAVAILABLE"}})),
        ("ollama", (json.dumps({"error": f"no {KEY}"}) + "\n").encode()),
    ],
)  # fmt: skip
@pytest.mark.parametrize("before", [(), ("half of it, ",)], ids=["first", "later"])
def test_a_key_in_an_error_of_the_stream(
    isolated: Path, name: str, error: bytes, before: tuple[str, ...]
):
    service = SERVICES[name]
    script = streamed(service, [*map(service.text, before), error])
    result = ask(isolated, service, script, *EVERY_OUTPUT)
    assert result.code in (9, 14), result
    assert "error: " in result.stderr


def test_a_key_in_what_is_told_of_a_second_try(isolated: Path):
    script = json_page(503, {"error": {"message": f"busy with {KEY}"}}, {"retry-after": "0"})
    with FaultServer(script, script) as server:
        configure(isolated, SERVICES["openai"], f"http://{server.address}", 'key_env = "MINE"\n')
        for way in ("--debug", "--json", "-v"):
            result = run_darkai(
                "ask", "-p", "openai", "--retries", "1", way, "hi", env={"MINE": KEY}
            )
            assert result.code == 9
            assert "busy with ***" in result.stderr
            assert leaks(isolated, result) == []


def test_a_key_in_the_headers_of_a_reply(isolated: Path):
    service = SERVICES["openai"]
    script = streamed(
        service, [service.text("fine")], {"x-echo": KEY, "set-cookie": "session=0123456789"}
    )
    result = ask(isolated, service, script, "--debug", "-v")
    assert result.code == 0
    assert "x-echo: ***" in result.stderr
    assert "set-cookie: ***" in result.stderr
    assert "authorization: ***" in result.stderr


@pytest.mark.parametrize("name", ["openai", "gemini"])
@pytest.mark.parametrize("fault", ["401-json", "500-html"])
def test_a_list_of_models_whose_refusal_repeats_the_key(isolated: Path, name: str, fault: str):
    with FaultServer(REFUSALS[fault]) as server:
        configure(isolated, SERVICES[name], f"http://{server.address}", 'key_env = "MINE"\n')
        result = run_darkai("models", "list", "--refresh", env={"MINE": KEY})
        assert server.requests, result
    assert leaks(isolated, result) == []


def test_a_users_own_header_is_a_key_too(isolated: Path):
    more = f'headers = {{ Authorization = "Bearer {KEY}" }}\n'
    result = ask(isolated, SERVICES["darkai"], REFUSALS["401-detail"], "--debug", more=more)
    assert "bad ***" in result.stderr


@pytest.mark.parametrize("name", SERVICES)
def test_a_dry_run_masks_the_key(isolated: Path, name: str):
    service = SERVICES[name]
    configure(isolated, service, "http://127.0.0.1:9/chat", 'key_env = "MINE"\n')
    prompt = f"is {KEY} a key?"
    result = run_darkai(
        "ask", "-p", service.provider, "--dry-run", "--debug", prompt, env={"MINE": KEY}
    )
    assert result.code == 0, result
    assert leaks(isolated, result) == []
    headers = {name.lower(): value for name, value in json.loads(result.stdout)["headers"].items()}
    assert headers[service.carrier] == "***"


def test_a_bug_shows_no_key(isolated: Path, tmp_path: Path):
    """A traceback holds whatever the exception was given."""
    code = (
        "import sys\nfrom darkai_cli.providers import openai\n"
        "def broken(self, chat, settings):\n"
        "    raise RuntimeError('headers ' + str({'authorization': 'Bearer ' + settings.key.reveal(settings.url)}))\n"
        "openai.OpenAIDialect.request = broken\n"
        "from darkai_cli.__main__ import main\nmain()\n"
    )
    service = SERVICES["openai"]
    configure(isolated, service, "http://127.0.0.1:9/v1", 'key_env = "MINE"\n')
    for way in ("--debug", "--json"):
        result = run_darkai(
            "ask",
            "-p",
            "openai",
            way,
            "hi",
            command=(sys.executable, "-c", code),
            env={"MINE": KEY},
        )
        assert result.code == 1
        assert "Internal error: RuntimeError" in result.stderr
        assert "Bearer ***" in result.stderr
        assert leaks(isolated, result) == []


def test_a_key_command_shows_no_key(isolated: Path):
    service = SERVICES["openai"]
    more = f"key_command = \"sh -c 'echo {KEY}; echo failed with {KEY} >&2; exit 1'\"\n"
    configure(isolated, service, "http://127.0.0.1:9/v1", more)
    for args in (
        ("ask", "-p", "openai", "--debug", "--json", "hi"),
        ("keys", "list", "--json"),
        ("keys",),
    ):
        result = run_darkai(*args)
        assert leaks(isolated, result) == []
        assert "failed with ***" in result.stderr + result.text
