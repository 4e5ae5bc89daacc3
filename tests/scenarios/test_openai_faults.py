"""The table of faults, row by row, for a service that speaks OpenAI's chat completions.

darkai as a process, with a config file that names the service as ``[providers.work]``, against a real
server. ``support/faults.py`` says what a row is. Faults of the way to the service are in
``test_transport.py``.
"""

from __future__ import annotations

import json
import re
import signal
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from support import faults
from support.faults import (
    BAD_JSON,
    CHALLENGE,
    GATE,
    LOGIN,
    NAMED,
    NGINX,
    OPEN,
    QUICK,
    Row,
    bomb,
    fails,
    gzipped,
    partial,
    redirect,
    told,
    warned,
)
from support.openai import DONE, base, chunk, configure, error, event, refusal, reply, text
from support.scenario import Result, Running, run_darkai, start_darkai
from support.server import (
    BeforeRequest,
    Close,
    FaultServer,
    Pause,
    Repeat,
    Reset,
    Send,
    Stall,
    head,
    json_page,
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
DEEP = b'data: {"choices":' + b"[" * 100_000 + b"]" * 100_000 + b"}\n\n"
LONG = b'data: {"choices":[],"usage":{"prompt_tokens":%s,"completion_tokens":1e400,"x":NaN}}\n\n'
FASTAPI = {"detail": [{"loc": ["body", "temperature"], "msg": "must be below 2", "type": "value"}]}
TOO_LONG = "This model's maximum context length is 8192 tokens. However, your messages resulted in 9001 tokens."
CUT = r"(reset the connection|connection lost).*incomplete"


def raw(value: bytes) -> bytes:
    """A chunk whose text stands in the JSON unescaped."""
    return b'data: {"choices":[{"index":0,"delta":{"content":"' + value + b'"}}]}\n\n'


def fine(out: str, *chunks: Any, **more: Any) -> Row:
    """A reply that is good in spite of something odd in it."""
    return Row([reply(chunks, **more)], 0, out=out.encode() + b"\n")


def late(delay: int) -> str:
    return format_datetime(datetime.now(UTC) + timedelta(seconds=delay), usegmt=True)


def limited(value: str) -> Any:
    return refusal(429, "slow down", {"retry-after": value})


ROWS: dict[str, Row] = {
    # --- before a response ---
    "RST right after accept": fails(
        7, rf"{NAMED} (reset|closed) the connection", script=[BeforeRequest(), Reset()], retried=True
    ),
    "RST after the request": fails(
        7, rf"{NAMED} reset the connection before answering", script=[Reset()], retried=True
    ),
    "clean close before any byte": fails(
        7, rf"{NAMED} closed the connection without answering", script=[Close()], retried=True
    ),
    "accepts, never answers": fails(
        8, rf"no answer from {NAMED} within 0\.4 s", r"hint: .*--timeout", script=[Stall()], args=QUICK
    ),
    "slow to begin": Row([reply([Pause(OPEN), "fine"])], 0, out=b"fine\n"),
    "HTTP/9.9 banana": fails(
        9, rf"{NAMED} sent an invalid HTTP response", script=[Send(b"HTTP/9.9 banana\r\n\r\n")]
    ),
    # --- statuses ---
    "401": fails(
        4, rf"{NAMED} wants an API key", r"hint: .*darkai keys set work", script=refusal(401, "who?")
    ),
    "401, empty": fails(4, rf"{NAMED} wants an API key", "darkai keys set", script=page(401)),
    "403 region": fails(
        4, rf"{NAMED}: not allowed.*your region is not supported",
        script=refusal(403, "your region is not supported", code="unsupported_country"),
    ),
    "404 model_not_found": fails(
        5, rf"model `m` not found at {NAMED}", r"hint: .*darkai models",
        script=refusal(404, "The model `m` does not exist", code="model_not_found"),
    ),
    "404 HTML": fails(
        9, rf"{NAMED} has no such path \(/v1/chat/completions\)", r"hint: .*base URL.*/v1",
        script=page(404, "<html>no</html>"),
    ),
    "404 JSON of a web server": fails(
        9, rf"{NAMED} has no such path", r"hint: .*base URL", script=json_page(404, {"detail": "Not Found"})
    ),
    "400 context_length_exceeded": fails(
        10, r"conversation is 9001 tokens, the model's limit 8192", "hint: ",
        script=refusal(400, TOO_LONG, code="context_length_exceeded"),
    ),
    "400 with a field": fails(
        9, rf"{NAMED} rejected the field `temperature`: too hot", "hint: ",
        script=refusal(400, "too hot", param="temperature"),
    ),
    "400, no JSON": fails(9, rf"{NAMED} rejected the request \(400\)", script=page(400, "no", "text/plain")),
    "405": fails(
        9, rf"{NAMED}.*405", "hint: .*base URL", script=json_page(405, {"detail": "Method Not Allowed"})
    ),
    "413 HTML": fails(
        10, rf"request of \d.* too large for {NAMED}", "hint: ", script=page(413, "<html>big</html>")
    ),
    "422 FastAPI": fails(
        9, rf"{NAMED} rejected the field `temperature`: must be below 2", "hint: ",
        script=json_page(422, FASTAPI),
    ),
    "500 with empty body": fails(9, rf"{NAMED} failed \(500\) after 2 tries", script=page(500), retried=True),
    "409": fails(9, rf"{NAMED}: conflict", script=refusal(409, "busy")),
    "429 then success": warned(
        "fine", r"rate limited.*trying again in 0", limited("0"), reply(["fine"]), retried=True
    ),
    "429 with a date, then success": warned(
        "fine", "rate limited.*trying again in 0", limited(late(-5)), reply(["fine"]), retried=True
    ),
    "429 for days": fails(
        6, rf"rate limited; {NAMED} asks to wait 11 days", "hint: try again later", script=limited("999999")
    ),
    "429 soon": fails(6, "rate limited", script=limited("soon"), retried=True),
    "429 insufficient_quota": fails(
        6, rf"quota used up at {NAMED}", "hint: check billing",
        script=refusal(429, "You exceeded your quota", code="insufficient_quota"),
    ),
    "402": fails(6, rf"quota used up at {NAMED}", script=refusal(402, "Insufficient Balance")),
    "500 once": warned(
        "fine", rf"{NAMED} failed \(500: boom\); trying again", refusal(500, "boom"), reply(["fine"]),
        retried=True,
    ),
    "500 always": fails(
        9, rf"{NAMED} failed \(500: boom\) after 2 tries", script=refusal(500, "boom"), retried=True
    ),
    "502 page": fails(
        9, rf"{NAMED}: bad gateway \(502\) after 2 tries", script=page(502, NGINX), retried=True
    ),
    "503 once": warned(
        "fine", r"503.*trying again in 1(\.0)? s", page(503, headers={"retry-after": "1"}),
        reply(["fine"]), retried=True,
    ),
    "529": fails(
        9, rf"{NAMED} is overloaded \(529\)", script=refusal(529, "Overloaded"), retried=True
    ),
    "503 for a minute and more": fails(9, "503", script=page(503, headers={"retry-after": "61"})),
    "challenge": fails(
        7, rf"{NAMED} is behind a browser check \(Cloudflare\)", "hint: ",
        script=page(403, CHALLENGE, headers={"cf-mitigated": "challenge"}),
    ),
    "login page": fails(
        9, rf"{NAMED} sent a web page \('Hotel WiFi Login'\)", "hint: .*portal", script=page(200, LOGIN)
    ),
    # --- redirects ---
    "307 to another host": fails(
        9, rf"{NAMED} redirected to other\.example/v1", "hint: .*base URL",
        script=redirect(307, "https://other.example/v1"),
    ),
    "307 to itself": fails(
        9, rf"{NAMED} redirects in a loop", script=redirect(307, "/v1/chat/completions")
    ),
    "302 to a file": fails(
        9, rf"{NAMED} redirected to an unsupported address", script=redirect(302, "file:///etc/passwd")
    ),
    "301 to nowhere": fails(9, "redirect", script=page(301)),
    # --- labels ---
    "text/plain": fine("fine", "fine", headers={"content-type": "text/plain"}),
    "wrong charset": fine(
        "é…", raw("é…".encode()), headers={"content-type": "text/event-stream; charset=iso-8859-1"}
    ),
    # --- nothing in it ---
    "zero events": fails(
        9, rf"{NAMED} sent an empty answer", script=reply(reason=None, done=False), retried=True
    ),
    "no text": warned("", "the model sent no text", reply([chunk({"role": "assistant"})]))._replace(out=b""),
    # --- the end ---
    "RST after text": partial(14, CUT, script=reply(["Hello", GATE, Reset()])),
    "FIN inside a chunk": partial(
        14, "connection lost.*incomplete", script=reply(["Hello", Send(b"40\r\ndata: {"), GATE, Close()])
    ),
    "FIN between chunks": partial(14, "connection lost.*incomplete", script=reply(["Hello", GATE, Close()])),
    "no end mark": partial(
        14, "ended without an end mark", script=reply(["Hello", GATE], reason=None, done=False)
    ),
    "no end mark, HTTP/1.0": partial(
        14, "ended without an end mark",
        script=reply(["Hello", GATE], reason=None, done=False, chunked="http10"),
    ),
    "stop without [DONE]": fine("fine", "fine", done=False),
    "[DONE] without a reason": fine("fine", "fine", reason=None),
    "RST after [DONE]": Row([reply(["fine", chunk(reason="stop"), DONE, Reset()])], 0, out=b"fine\n"),
    "stall after [DONE]": Row([reply(["fine", chunk(reason="stop"), DONE, Stall()])], 0, out=b"fine\n"),
    "last event without a blank line": partial(
        14, "ended without an end mark",
        script=reply(["Hello", GATE, text("").rstrip()], reason=None, done=False),
    ),
    # --- silence ---
    "headers, then silence": fails(
        8, rf"no (answer|data) from {NAMED}", script=reply([Stall()]), args=QUICK
    ),
    "text, then silence": partial(
        14, rf"no data from {NAMED} for 0\.4 s", script=reply(["Hello", Stall()]), args=QUICK
    ),
    "only comments for ever": fails(
        8, rf"no answer from {NAMED}|{NAMED} keeps the line open",
        script=reply([Repeat(b"7\r\n: ping\n\r\n", 0.05)]), args=QUICK,
    ),
    "byte by byte": fine("Hé llo", *(bytes([byte]) for byte in raw("Hé ".encode()) + text("llo"))),
    # --- encodings ---
    "not gzip": fails(
        9, r"127\.0\.0\.1:PORT sent undecodable data", script=reply(["fine"], headers={"content-encoding": "gzip"})
    ),
    "gzip": Row([gzipped(text("fine") + chunk(reason="stop") + DONE)], 0, out=b"fine\n"),
    "gzip bomb": fails(9, rf"{NAMED}.*Mi?B", script=gzipped(b"A" * (40 << 20))),
    "gzip bomb after text": Row(
        [gzipped(text("Hello") + b"data: " + b"A" * (40 << 20))], 14, [r"Mi?B"], out=b"Hello\n"
    ),
    "endless line": fails(
        9, rf"{NAMED}.* (line|event) .*4 Mi?B",
        script=reply([b"data: " + b"A" * (5 << 20)], reason=None, done=False),
    ),
    # --- errors in the stream ---
    "error before text": fails(
        9, rf"{NAMED}: out of luck", script=reply([error("out of luck")], reason=None), retried=True
    ),
    "data error after text": partial(
        14, rf"{NAMED}: The server had an error.*incomplete",
        script=reply(["Hello", GATE, error("The server had an error")], reason=None),
    ),
    "event error after text": partial(
        14, rf"{NAMED}: overloaded.*incomplete",
        script=reply(["Hello", GATE, b"event: error\n" + event({"message": "overloaded"})], reason=None),
    ),
    "finish_reason error": partial(
        14, NAMED, script=reply(["Hello", GATE], reason="error", done=False)
    ),
    "finish_reason length": partial(14, "cut off at .*length limit", "hint: ", script=reply(["Hello", GATE], reason="length")),
    "length, as the user wished": Row(
        [reply(["Hello"], reason="length")], 0, out=b"Hello\n", args=("-o", "max_tokens=2"), silent=False
    ),
    "finish_reason content_filter": partial(
        10, r"stopped the answer \(content filter\)", script=reply(["Hello", GATE], reason="content_filter")
    ),
    "refusal": Row(
        [reply([chunk({"refusal": "I can't "}), chunk({"refusal": "do that"})])], 10,
        ["the model refused: I can't do that"], out=b"I can't do that\n",
    ),
    # --- odd but good ---
    "invalid UTF-8": fine("a\ufffdb", raw(b"a\xffb")),
    "an event is not JSON": warned("fine", "1 unreadable event skipped", reply(["fi", BAD_JSON, "ne"])),
    "events are no objects": warned(
        "fine", "3 unreadable events skipped",
        reply([b"data: [1,2,3]\n\n", b"data: null\n\n", b'data: "str"\n\n', "fine"]),
    ),
    "no choices": fine("fine", event({"id": "x", "object": "chat.completion.chunk"}), "fine"),
    "usage only": fine("fine", "fine", event({"choices": [], "usage": {"prompt_tokens": 3}})),
    "usage null": fine("fine", event({"choices": [], "usage": None}), "fine"),
    "delta null": fine("fine", event({"choices": [{"index": 0, "delta": None}]}), "fine"),
    "choices null": fine("fine", event({"choices": None}), "fine"),
    "content 12345": fine("fine", chunk({"content": 12345}), chunk({"content": ["x"]}), "fine"),
    "another choice": fine("fine", event({"choices": [{"index": 1, "delta": {"content": "x"}}]}), "fine"),
    "odd numbers": fine("fine", "fi", LONG % (b"9" * 5000), "ne"),
    "nested too deep": warned("fine", "1 unreadable event skipped", reply(["fi", DEEP, "ne"])),
    "separators in the text": fine("a\u2028b\x85c\u2029d", raw("a\u2028b\x85c\u2029d".encode())),
    "CRLF": fine("fine", text("fine", newline="\r\n")),
    "CR": fine("fine", text("fine", newline="\r")),
    "BOM, comments, fields": fine(
        "fine",
        b"\xef\xbb\xbf: OPENROUTER PROCESSING\n\nretry: 5\nid: 3\n" + text("fine") + b": ping\r\n\r\n",
    ),
    "several data lines": fine(
        "fine", b'data: {"choices":[{"index":0,\ndata: "delta":{"content":"fine"}}]}\n\n'
    ),
    "half a surrogate pair": fine("a\ufffdb", raw(b"a\\ud83db")),
    "a pair over two chunks": fine("😀", raw(b"\\ud83d"), raw(b"\\ude00")),
    "whole JSON in place of a stream": warned(
        "fine", "", json_page(200, {"choices": [{"index": 0, "message": {"role": "assistant", "content": "fine"}, "finish_reason": "stop"}]})
    ),
    "JSON error under 200": fails(9, "out of tokens", script=refusal(200, "out of tokens"), retried=True),
    "60 unreadable events in a row": fails(9, "unreadable events in a row", script=reply([BAD_JSON * 60, "fine"])),
    "50 and more unreadable after text": partial(
        14, "unreadable events in a row", script=reply(["Hello", GATE, BAD_JSON * 60, "fine"])
    ),
    "204": fails(9, "204", script=[Send(head(204, {}))]),
}  # fmt: skip


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
    assert "failed (500: boom) after 3 tries" in told(result.stderr)
    assert len({(one.method, one.target, one.body) for one in server.requests}) == 1


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
        link = ConnectionConfig(Timeouts(connect=20, first=20, silence=20, stalled=0.3))
        events = HttpProvider(OpenAIDialect(), settings, link).stream(
            ChatRequest((Message("user", "hi"),), "m")
        )
        seen = []
        with pytest.raises(ReplyTimeoutError) as caught:
            seen.extend(events)
    assert (
        caught.value.message == f"{server.address} keeps the line open but sends no text for 0.3 s"
    )


# --- keys -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("args", [[], ["--debug"], ["--json"], ["-v"]], ids=" ".join)
def test_a_key_that_is_echoed_is_never_printed(isolated: Path, args: list[str]):
    answer = refusal(
        401, f"Incorrect API key provided: {KEY}.", {"x-echo": KEY}, code="invalid_api_key"
    )
    with FaultServer(answer) as server:
        configure(isolated, base(server), 'key_env = "WORK_KEY"\n')
        result = run_darkai("ask", "hi", *args, env={"WORK_KEY": KEY})
        assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"
        assert server.connections == 1
    assert result.code == 4
    assert KEY not in result.stderr + result.text
    assert (
        f"{server.address} rejected the API key (from WORK_KEY): Incorrect API key provided: ***"
        in result.stderr
    )
    assert "darkai keys set work" in result.stderr


def test_a_key_in_pieces_of_the_answer_is_hidden(isolated: Path):
    with FaultServer(reply(["your key is ", KEY[:9], KEY[9:], " I think"])) as server:
        configure(isolated, base(server), 'key_env = "WORK_KEY"\n')
        result = run_darkai("ask", "hi", env={"WORK_KEY": KEY})
    assert result.code == 0, result
    assert KEY not in result.text + result.stderr


def test_no_key_goes_to_another_machine_over_plain_http(isolated: Path):
    configure(isolated, "http://far.invalid/v1", 'key_env = "WORK_KEY"\n')
    result = run_darkai("ask", "hi", env={"WORK_KEY": KEY})
    assert (result.code, result.stdout) == (3, b"")
    assert "not sent over plain http to far.invalid" in told(result.stderr)


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
        ([Close()], "closed the connection without answering"),
    ],
)
def test_faults_of_the_list_of_models(isolated: Path, script: Any, words: str):
    """Nothing is followed, no cookie is sent back, and the rest of the list is not spoilt."""
    with FaultServer(script) as server:
        configure(isolated, base(server), 'key_env = "WORK_KEY"\n')
        result = run_darkai("models", "list", "--refresh", "-p", "work", env={"WORK_KEY": KEY})
        assert [one.target for one in server.requests] == ["/v1/models"] * len(server.requests)
        assert all("cookie" not in one.headers for one in server.requests)
    assert words in result.stderr, result
    assert KEY not in result.stderr + result.text


# --- the user's own ends --------------------------------------------------------------------------


@pytest.mark.parametrize(("signum", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_while_text_streams(isolated: Path, signum: int, code: int):
    with FaultServer(reply(["Hello", Stall()])) as server:
        configure(isolated, base(server))
        with start_darkai("ask", "hi") as run:
            run.wait_for(b"Hello")
            run.signal(signum)
            result = run.finish()
        assert server.departed.wait(20)
    assert (result.code, result.stdout) == (code, b"Hello\n"), result
    assert "Traceback" not in result.stderr


def shown(isolated: Path) -> Result:
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
    assert f'"{state}"' in shown(isolated).text
    assert state == "failed" or "Hello" in shown(isolated).text


def test_a_killed_process_leaves_the_text(isolated: Path):
    gate = Event()
    with FaultServer(reply(["Hello", Pause(gate), Stall()])) as server:
        configure(isolated, base(server))
        with start_darkai("ask", "hi") as run:
            run.wait_for(b"Hello")
            for _ in range(100):  # the journal writes at the latest 250 ms after it was shown
                if '"Hello' in shown(isolated).text:
                    break
            run.signal(signal.SIGKILL)
            assert run.finish().code == 137
    found = shown(isolated).text
    assert "Hello" in found
    assert "interrupted" in found


def test_a_reader_that_leaves(isolated: Path):
    with FaultServer(reply(["one\n", *["more\n"] * 5000])) as server:
        configure(isolated, base(server))
        result = run_darkai("ask", "hi", redirect="| head -n1")
    assert (result.stdout, result.stderr) == (b"one\n", "")


def test_the_error_with_json_is_the_last_line(isolated: Path):
    with FaultServer(ROWS["404 model_not_found"].scripts[0]) as server:
        configure(isolated, base(server))
        result = run_darkai("ask", "hi", "--json")
    last = json.loads(result.stdout.splitlines()[-1])
    assert last["event"] == "error"
    assert (last["data"]["kind"], last["data"]["exit_code"], last["data"]["status"]) == (
        "not-found", 5, 404,
    )  # fmt: skip
    assert re.search("model `m` not found", last["data"]["message"])
