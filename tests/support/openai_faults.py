"""The table of faults of a service that speaks OpenAI's chat completions; ``faults.py`` says what a row is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

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
    fails,
    gzipped,
    partial,
    redirect,
    warned,
)
from support.openai import DONE, chunk, error, event, refusal, reply, text
from support.server import (
    BeforeRequest,
    Close,
    Pause,
    Repeat,
    Reset,
    Send,
    Stall,
    head,
    json_page,
    page,
)

DEEP = b'data: {"choices":' + b"[" * 100_000 + b"]" * 100_000 + b"}\n\n"
LONG = b'data: {"choices":[],"usage":{"prompt_tokens":%s,"completion_tokens":1e400,"x":NaN}}\n\n'
FASTAPI = {"detail": [{"loc": ["body", "temperature"], "msg": "must be below 2", "type": "value"}]}
TOO_LONG = "This model's maximum context length is 8192 tokens. However, your messages resulted in 9001 tokens."
CUT = r"(reset the connection|Connection lost).*incomplete"


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
        7, rf"{NAMED} reset the connection before replying", script=[Reset()], retried=True
    ),
    "clean close before any byte": fails(
        7, rf"{NAMED} closed the connection without replying", script=[Close()], retried=True
    ),
    "accepts, never answers": fails(
        8, rf"No reply from {NAMED} within 0\.4 s", r"hint: .*--timeout", script=[Stall()], args=QUICK
    ),
    "slow to begin": Row([reply([Pause(OPEN), "fine"])], 0, out=b"fine\n"),
    "HTTP/9.9 banana": fails(
        9, rf"{NAMED} sent an invalid HTTP response", script=[Send(b"HTTP/9.9 banana\r\n\r\n")]
    ),
    # --- statuses ---
    "401": fails(
        4, rf"{NAMED} requires an API key", r"hint: .*darkai keys set work", script=refusal(401, "who?")
    ),
    "401, empty": fails(4, rf"{NAMED} requires an API key", "darkai keys set", script=page(401)),
    "403 region": fails(
        4, rf"Access denied by {NAMED}.*your region is not supported",
        script=refusal(403, "your region is not supported", code="unsupported_country"),
    ),
    "404 model_not_found": fails(
        5, rf"No model named `m` at {NAMED}", r"hint: .*darkai models",
        script=refusal(404, "The model `m` does not exist", code="model_not_found"),
    ),
    "404 HTML": fails(
        9, rf"{NAMED} has no path /v1/chat/completions", r"hint: .*base URL.*/v1",
        script=page(404, "<html>no</html>"),
    ),
    "404 JSON of a web server": fails(
        9, rf"{NAMED} has no path", r"hint: .*base URL", script=json_page(404, {"detail": "Not Found"})
    ),
    "400 context_length_exceeded": fails(
        10, r"9001 tokens, the limit is 8192", "hint: ",
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
        10, rf"The request \(\d.* too large for {NAMED}", "hint: ", script=page(413, "<html>big</html>")
    ),
    "422 FastAPI": fails(
        9, rf"{NAMED} rejected the field `temperature`: must be below 2", "hint: ",
        script=json_page(422, FASTAPI),
    ),
    "500 with empty body": fails(9, rf"{NAMED} failed \(500\) after 2 tries", script=page(500), retried=True),
    "409": fails(9, rf"{NAMED}: conflict", script=refusal(409, "busy")),
    "429 then success": warned(
        "fine", r"Rate limited.*trying again in 0", limited("0"), reply(["fine"]), retried=True
    ),
    "429 with a date, then success": warned(
        "fine", "Rate limited.*trying again in 0", limited(late(-5)), reply(["fine"]), retried=True
    ),
    "429 for days": fails(
        6, rf"Rate limited: {NAMED} asks to wait 11 days", "hint: Try again later", script=limited("999999")
    ),
    "429 soon": fails(6, "Rate limited", script=limited("soon"), retried=True),
    "429 insufficient_quota": fails(
        6, rf"Quota used up at {NAMED}", "hint: Check billing",
        script=refusal(429, "You exceeded your quota", code="insufficient_quota"),
    ),
    "402": fails(6, rf"Quota used up at {NAMED}", script=refusal(402, "Insufficient Balance")),
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
        9, rf"{NAMED} sent an empty reply", script=reply(reason=None, done=False), retried=True
    ),
    "no text": warned("", "The model sent no text", reply([chunk({"role": "assistant"})]))._replace(out=b""),
    # --- the end ---
    "RST after text": partial(14, CUT, script=reply(["Hello", GATE, Reset()])),
    "FIN inside a chunk": partial(
        14, "Connection lost.*incomplete", script=reply(["Hello", Send(b"40\r\ndata: {"), GATE, Close()])
    ),
    "FIN between chunks": partial(14, "Connection lost.*incomplete", script=reply(["Hello", GATE, Close()])),
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
        8, rf"No (reply|data) from {NAMED}", script=reply([Stall()]), args=QUICK
    ),
    "text, then silence": partial(
        14, rf"No data from {NAMED} for 0\.4 s", script=reply(["Hello", Stall()]), args=QUICK
    ),
    "only comments for ever": fails(
        8, rf"No reply from {NAMED}|{NAMED} keeps the connection open",
        script=reply([Repeat(b"7\r\n: ping\n\r\n", 0.05)]), args=QUICK,
    ),
    "byte by byte": fine("Hé llo", *(bytes([byte]) for byte in raw("Hé ".encode()) + text("llo"))),
    # --- encodings ---
    "not gzip": fails(
        9, r"127\.0\.0\.1:PORT sent data that can't be decompressed", script=reply(["fine"], headers={"content-encoding": "gzip"})
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
        10, r"stopped the reply \(content filter\)", script=reply(["Hello", GATE], reason="content_filter")
    ),
    "refusal": Row(
        [reply([chunk({"refusal": "I can't "}), chunk({"refusal": "do that"})])], 10,
        ["The model refused: I can't do that"], out=b"I can't do that\n",
    ),
    # --- odd but good ---
    "invalid UTF-8": fine("a\ufffdb", raw(b"a\xffb")),
    "an event is not JSON": warned("fine", "Skipped 1 unreadable event", reply(["fi", BAD_JSON, "ne"])),
    "events are no objects": warned(
        "fine", "Skipped 3 unreadable events",
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
    "nested too deep": warned("fine", "Skipped 1 unreadable event", reply(["fi", DEEP, "ne"])),
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
