"""The table of faults, row by row, for a service that speaks OpenAI's chat completions.

darkai as a process, with a config file that names the service as ``[providers.work]``, against a real
server. The table is ``support/openai_faults.py``. Faults of the way to the service are in
``test_transport.py``.
"""

from __future__ import annotations

import json
import re
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from support import faults
from support.faults import (
    LOGIN,
    bomb,
    error_text,
    redirect,
)
from support.openai import base, configure, event, refusal, reply, text
from support.openai_faults import ROWS
from support.scenario import Result, Running, run_darkai, start_darkai
from support.server import (
    Close,
    FaultServer,
    Pause,
    Repeat,
    Stall,
    page,
)

from darkai_cli.errors import ReplyTimeoutError
from darkai_cli.http.connection import ConnectionConfig
from darkai_cli.http.timeouts import Timeouts
from darkai_cli.messages import ChatRequest, Message
from darkai_cli.providers.base import ProviderSettings
from darkai_cli.providers.client import HttpProvider
from darkai_cli.providers.openai import OpenAIDialect

KEY = "sk-test-0123456789abcdef0123456789abcdef"


@pytest.fixture
def start(isolated: Path):
    def starting(server: FaultServer, args: Sequence[str]) -> Running:
        configure(isolated, base(server))
        return start_darkai("ask", "hi", *args)

    return starting


@pytest.mark.parametrize("name", ROWS)
def test_fault(name: str, start: faults.Start):
    faults.check(ROWS[name], start)


def test_retries_are_two_by_default(start: faults.Start):
    result, server = faults.play(ROWS["500 always"], start, ())
    assert (result.code, server.connections) == (9, 3)
    assert "failed (500: boom) after 3 tries" in error_text(result.stderr)
    assert len({(request.method, request.target, request.body) for request in server.requests}) == 1


ENDLESS = reply([Repeat(b"10000\r\n" + b"A" * 65536 + b"\r\n", 0)], reason=None, done=False)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize(
    ("script", "code"),
    [
        (lambda: bomb(b"", 400 << 20), 9),
        (lambda: bomb(text("Hello"), 400 << 20), 14),
        (lambda: ENDLESS, 9),
        (lambda: ROWS["nested too deep"].scripts[0], 0),
    ],
    ids=["gzip bomb", "gzip bomb after text", "endless line", "nested too deep"],
)
def test_memory_stays_bounded(script: Any, code: int, isolated: Path, tmp_path: Path):
    peak = tmp_path / "peak"
    with FaultServer(script()) as server:
        configure(isolated, base(server))
        result = run_darkai("ask", "hi", "--retries", "0", env={"GUARD_PEAK": str(peak)})
    assert result.code == code, result
    assert int(peak.read_text()) < 150 * 1024


@pytest.mark.parametrize(
    "beat", [b": ping\n\n", event({"choices": []})], ids=["comments", "chunks"]
)
def test_text_and_then_only_signs_of_life(beat: bytes):
    """The process waits for 300 s; here the same code has a shorter timer."""
    say = [Repeat(b"%x\r\n%s\r\n" % (len(beat), beat), 0.01)]
    with FaultServer(reply(["Hello", *say])) as server:
        settings = ProviderSettings("work", "openai", base(server), "m")
        connection = ConnectionConfig(Timeouts(connect=20, first_token=20, idle=20, no_content=0.3))
        events = HttpProvider(OpenAIDialect(), settings, connection).stream(
            ChatRequest((Message("user", "hi"),), "m")
        )
        seen = []
        with pytest.raises(ReplyTimeoutError) as caught:
            seen.extend(events)
    assert (
        caught.value.message
        == f"{server.address} keeps the connection open but has sent no text for 0.3 s"
    )


# --- keys -----------------------------------------------------------------------------------------


def test_no_key_goes_to_another_machine_over_plain_http(isolated: Path):
    configure(isolated, "http://far.invalid/v1", 'key_env = "WORK_KEY"\n')
    result = run_darkai("ask", "hi", env={"WORK_KEY": KEY})
    assert (result.code, result.stdout) == (3, b"")
    assert "won't be sent over plain http to far.invalid" in error_text(result.stderr)


# --- the list of models ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("script", "words"),
    [
        (redirect(302, "https://other.example/v1/models"), "redirected to other.example/v1/models"),
        (redirect(307, "/v1/models"), "redirects in a loop"),
        (page(200, LOGIN), "web page ('Hotel WiFi Login')"),
        (page(500), "failed (500)"),
        (refusal(401, f"bad key {KEY}"), "rejected the API key (from WORK_KEY)"),
        (page(200, "no", "text/plain"), "sent no list of models"),
        ([Close()], "closed the connection without replying"),
    ],
)
def test_faults_of_the_list_of_models(isolated: Path, script: Any, words: str):
    """Nothing is followed, no cookie is sent back, and the rest of the list is not spoilt."""
    with FaultServer(script) as server:
        configure(isolated, base(server), 'key_env = "WORK_KEY"\n')
        result = run_darkai("models", "list", "--refresh", "-p", "work", env={"WORK_KEY": KEY})
        assert [request.target for request in server.requests] == ["/v1/models"] * len(
            server.requests
        )
        assert all("cookie" not in request.headers for request in server.requests)
    assert words in result.stderr, result
    assert KEY not in result.stderr + result.text


# --- the user's own ends --------------------------------------------------------------------------


def history() -> Result:
    return run_darkai("history", "show", "--json")


@pytest.mark.parametrize(
    ("script", "state"),
    [
        (reply(["Hello"]), "complete"),
        (reply(["Hello", Close()]), "truncated"),
        (reply(["Hello"], reason="length"), "truncated"),
        (reply(["Hello"], reason="content_filter"), "truncated"),
        (refusal(401, "no"), "failed"),
    ],
)
def test_what_the_history_keeps(isolated: Path, script: Any, state: str):
    with FaultServer(script) as server:
        configure(isolated, base(server))
        run_darkai("ask", "hi", "--retries", "0")
    assert f'"{state}"' in history().text
    assert state == "failed" or "Hello" in history().text


def test_a_killed_process_leaves_the_text(isolated: Path):
    gate = Event()
    with FaultServer(reply(["Hello", Pause(gate), Stall()])) as server:
        configure(isolated, base(server))
        with start_darkai("ask", "hi") as run:
            run.wait_for(b"Hello")
            for _ in range(100):  # the journal writes at the latest 250 ms after it was shown
                if '"Hello' in history().text:
                    break
            run.signal(signal.SIGKILL)
            assert run.finish().code == 137
    saved = history().text
    assert "Hello" in saved
    assert "interrupted" in saved


def test_the_error_with_json_is_the_last_line(isolated: Path):
    with FaultServer(ROWS["404 model_not_found"].scripts[0]) as server:
        configure(isolated, base(server))
        result = run_darkai("ask", "hi", "--json")
    last = json.loads(result.stdout.splitlines()[-1])
    assert last["event"] == "error"
    assert (last["data"]["kind"], last["data"]["exit_code"], last["data"]["status"]) == (
        "not-found", 5, 404,
    )  # fmt: skip
    assert re.search("No model named `m`", last["data"]["message"])
