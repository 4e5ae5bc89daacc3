"""What the whole command makes of the other dialects' replies and errors: exit codes, retries, requests.

``test_faults.py`` has the whole table of faults for OpenAI's dialect. What each dialect makes of bytes
is in ``tests/contract``; here are only the rows of ``support/dialect_faults.py`` that a dialect's own
words decide.
"""

from __future__ import annotations

import json
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from support import faults
from support.dialect_faults import rows
from support.openai import configure
from support.scenario import Running, run_darkai, start_darkai
from support.server import Close, FaultServer, Reset, Script, Stall, json_page, page
from support.speakers import ANTHROPIC, GEMINI, OLLAMA, SPEAKERS, Speaker

KEY = "secret-0123456789abcdef0123456789abcdef"
DECIDED = (
    "fine", "model", "limit", "limit for days", "busy", "failed once", "length", "filtered", "too long",
    "no end mark", "error after text", "error before text",
)  # fmt: skip
"""The rows that depend on how a service writes things."""

CASES = [(say, name) for say in SPEAKERS for name in DECIDED if name in rows(say)]


def base(server: FaultServer, say: Speaker) -> str:
    return f"http://{server.address}{say.under}"


@pytest.mark.parametrize(("say", "name"), CASES, ids=lambda value: getattr(value, "kind", value))
def test_fault(say: Speaker, name: str, isolated: Path) -> None:
    def start(server: FaultServer, args: Sequence[str]) -> Running:
        configure(isolated, base(server, say), kind=say.kind)
        return start_darkai("ask", "hi", *args)

    faults.check(rows(say)[name], start)


@pytest.mark.parametrize("say", SPEAKERS, ids=lambda say: say.kind)
def test_a_key_goes_into_a_header_and_is_never_printed(isolated: Path, say: Speaker) -> None:
    status, value = say.faults["key"]
    refused = page(status, json.dumps(value).replace("KEY", KEY), "application/json")
    with FaultServer(refused) as server:
        configure(isolated, base(server, say), 'key_env = "WORK_KEY"\n', kind=say.kind)
        result = run_darkai("ask", "hi", "--debug", env={"WORK_KEY": KEY})
        (request,) = server.requests
    assert request.target == say.leaves
    assert KEY in " ".join(request.headers.values())
    assert KEY not in request.target
    assert KEY.encode() not in request.body
    assert result.code == 4, result
    assert KEY not in result.stderr + result.text
    assert f"{server.address} rejected the API key (from WORK_KEY)" in result.stderr
    assert "darkai keys set work" in result.stderr


@pytest.mark.parametrize("after", [Reset(), Close(), Stall()], ids=lambda step: type(step).__name__)
@pytest.mark.parametrize("say", SPEAKERS, ids=lambda say: say.kind)
def test_what_follows_the_end_mark_does_not_matter(
    isolated: Path, say: Speaker, after: Any
) -> None:
    with FaultServer([*say.reply(["Hello"])[:-1], after]) as server:
        configure(isolated, base(server, say), kind=say.kind)
        result = run_darkai("ask", "hi")
    assert (result.code, result.stdout) == (0, b"Hello\n")


@pytest.mark.parametrize("say", SPEAKERS, ids=lambda say: say.kind)
def test_ctrl_c(isolated: Path, say: Speaker) -> None:
    with FaultServer(say.reply(["Hello", Stall()])) as server:
        configure(isolated, base(server, say), kind=say.kind)
        with start_darkai("ask", "hi") as run:
            run.wait_for(b"Hello")
            run.signal(signal.SIGINT)
            result = run.finish()
        assert server.departed.wait(20)
    assert (result.code, result.stdout) == (130, b"Hello\n"), result


# --- requests that are amended and sent again -----------------------------------------------------


def ask(isolated: Path, say: Speaker, *args: str, scripts: Sequence[Script]) -> tuple[Any, Any]:
    """The result and the requests of a prompt to a server that answers with the scripts."""
    with FaultServer(*scripts) as server:
        configure(isolated, base(server, say), kind=say.kind)
        result = run_darkai("ask", *args)
        return result, list(server.requests)


def test_a_claude_that_refuses_a_prefill_gets_a_request_in_words(isolated: Path) -> None:
    message = "This model does not support assistant message prefill."
    error = {"type": "error", "error": {"type": "invalid_request_error", "message": message}}
    with FaultServer(
        ANTHROPIC.reply(["Once upon"], end=None),
        json_page(400, error),
        ANTHROPIC.reply([" a time"]),
    ) as server:
        configure(isolated, base(server, ANTHROPIC), kind="anthropic")
        assert run_darkai("ask", "hi").code == 14
        result = run_darkai("ask", "--resume")
    assert (result.code, result.stdout) == (0, b" a time\n"), result.stderr
    first, second = (request.json()["messages"] for request in server.requests[1:])
    assert first[-1] == {"role": "assistant", "content": "Once upon"}
    assert [message["role"] for message in second] == ["user", "assistant", "user"]


def test_an_ollama_model_that_does_not_reason_is_asked_again_without(isolated: Path) -> None:
    refused = json_page(400, {"error": '"m" does not support thinking'})
    scripts = [refused, OLLAMA.reply(["Hello"])]
    result, requests = ask(isolated, OLLAMA, "-o", "think=true", "hi", scripts=scripts)
    assert (result.code, result.stdout) == (0, b"Hello\n"), result.stderr
    assert [request.json().get("think") for request in requests] == [True, None]


def test_a_gemini_limit_says_how_long_to_wait(isolated: Path) -> None:
    details = [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "86000s"}]
    message = "You exceeded your current quota, please check your plan and billing details."
    error = {"code": 429, "message": message, "status": "RESOURCE_EXHAUSTED", "details": details}
    result, requests = ask(isolated, GEMINI, "hi", scripts=[json_page(429, {"error": error})])
    assert result.code == 6
    assert "Try again in 23 h" in result.stderr
    assert len(requests) == 1


# --- a server on this machine, with no model named ------------------------------------------------

LISTS = [
    (ANTHROPIC, {"data": [{"type": "model", "id": "own-model"}]}),
    (GEMINI, {"models": [{"name": "models/own-model"}]}),
    (OLLAMA, {"models": [{"name": "own-model"}]}),
]


@pytest.mark.parametrize(("say", "models"), LISTS, ids=lambda value: getattr(value, "kind", ""))
def test_a_server_on_this_machine_is_asked_for_its_models(
    isolated: Path, say: Speaker, models: Any
) -> None:
    with FaultServer(json_page(200, models), say.reply(["Hello"])) as server:
        folder = isolated / "darkai"
        folder.mkdir(mode=0o700)
        (folder / "config.toml").write_text(
            f'provider = "it"\n[providers.it]\ntype = "{say.kind}"\nurl = "{base(server, say)}"\n'
        )
        result = run_darkai("ask", "hi")
        listed, sent = server.requests
    assert (result.code, result.stdout, result.stderr) == (0, b"Hello\n", "")
    assert listed.method == "GET"
    assert "own-model" in (sent.json().get("model") or sent.target)
