"""The table of faults of a DarkAI stream; ``faults.py`` says what a row is."""

from __future__ import annotations

from typing import Any

from support.faults import (
    BAD_JSON,
    CHALLENGE,
    GATE,
    LOGIN,
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
from support.server import (
    BeforeRequest,
    Close,
    Pause,
    Repeat,
    Reset,
    Send,
    Stall,
    error,
    event,
    head,
    json_page,
    page,
    reply,
    text,
)


def fine(out: str, *chunks: Any, **more: Any) -> Row:
    """A reply that is good in spite of something odd in it."""
    return Row([reply(chunks, **more)], 0, out=out.encode() + b"\n")


BLOCKED = (
    "<!DOCTYPE html><html><head><title>Attention Required! | Cloudflare</title></head>"
    '<body><div id="cf-error-details">Sorry, you have been blocked</div></body></html>'
)
NAMED = r"127\.0\.0\.1:PORT.*Cloudflare"
DEEP = b'data: {"event":"text-chunk","data":' + b"[" * 100_000 + b"]" * 100_000 + b"}\n\n"
LONG_NUMBER = b'data: {"event":"usage","data":{"n":' + b"9" * 5000 + b"}}\n\n"
SOURCES = {"results": [{"url": "https://a.example/x", "title": "About X"}]}


def raw(value: str) -> bytes:
    """A ``text-chunk`` whose text stands in the JSON unescaped."""
    return b'data: {"event":"text-chunk","data":{"text":"' + value.encode() + b'"}}\n\n'


ROWS: dict[str, Row] = {
    # --- before a response ---
    "reset at accept": fails(
        7, r"127\.0\.0\.1:PORT.*(reset|closed) the connection", script=[BeforeRequest(), Reset()],
        retried=True,
    ),
    "reset after the request": fails(
        7, r"127\.0\.0\.1:PORT reset the connection before replying", script=[Reset()], retried=True
    ),
    "closed before any byte": fails(
        7, r"127\.0\.0\.1:PORT closed the connection without replying", script=[Close()], retried=True
    ),
    "never answers": fails(
        8, r"No reply from 127\.0\.0\.1:PORT within 0\.4 s", script=[Stall()], args=QUICK
    ),
    "no HTTP": fails(
        9, r"127\.0\.0\.1:PORT sent an invalid HTTP response", script=[Send(b"HTTP/9.9 banana\r\n\r\n")]
    ),
    "head cut": fails(
        7, r"127\.0\.0\.1:PORT closed the connection|Connection lost",
        script=[Send(b"HTTP/1.1 200 OK\r\ncontent-ty"), Close()], retried=True,
    ),
    # --- statuses ---
    "401": fails(4, r"127\.0\.0\.1:PORT rejected", script=json_page(401, {"detail": "who are you"})),
    "403 JSON": fails(
        4, r"Access denied by 127\.0\.0\.1:PORT.*your region", script=json_page(403, {"detail": "your region"})
    ),
    "404 model": fails(
        5, "llama-9.*not found",
        script=json_page(404, {"error": {"message": "model llama-9 not found"}}),
    ),
    "404 page": fails(9, r"127\.0\.0\.1:PORT has no path.*/chat", script=page(404, "<html>no</html>")),
    "409": fails(9, r"127\.0\.0\.1:PORT: conflict", script=page(409)),
    "413": fails(10, r"too large for 127\.0\.0\.1:PORT", script=page(413, "<html>too large</html>")),
    "422": fails(
        9, r"127\.0\.0\.1:PORT rejected the field `model`: bad model", r"hint:.*(model|-m )",
        script=json_page(422, {"detail": [{"loc": ["body", "model"], "msg": "bad model"}]}),
    ),
    "422, odd detail": fails(
        9, r"127\.0\.0\.1:PORT rejected", script=json_page(422, {"detail": [7, None]})
    ),
    "429": fails(6, r"Rate limited by 127\.0\.0\.1:PORT", script=page(429)),
    "429 Retry-After": fails(
        6, "Rate limited", r"hint:.* 2 s", script=page(429, headers={"retry-after": "2"})
    ),
    "429 for days": fails(
        6, "Rate limited", "11 days", script=page(429, headers={"retry-after": "999999"})
    ),
    "429 unreadable": fails(6, "Rate limited", script=page(429, headers={"retry-after": "soon"})),
    "500, empty": fails(9, r"127\.0\.0\.1:PORT failed \(500\) after 2 tries", script=page(500), retried=True),
    "500, always": fails(
        9, r"127\.0\.0\.1:PORT failed \(500: boom\) after 2 tries",
        script=json_page(500, {"detail": "boom"}), retried=True,
    ),
    "500 once": warned(
        "fine", r"127\.0\.0\.1:PORT failed \(500\); trying again", page(500), reply(["fine"]), retried=True
    ),
    "502 page": fails(
        9, r"127\.0\.0\.1:PORT: bad gateway \(502\) after 2 tries", script=page(502, NGINX), retried=True
    ),
    "503 once": warned(
        "fine", r"503.*trying again in 1(\.0)? s",
        page(503, headers={"retry-after": "1"}), reply(["fine"]), retried=True,
    ),
    "503 for an hour": fails(9, "503", script=page(503, headers={"retry-after": "3600"})),
    "529": fails(9, r"127\.0\.0\.1:PORT is overloaded \(529\)", script=page(529), retried=True),
    "204": fails(9, "204", script=[Send(head(204, {}))]),
    "418": fails(9, "418", script=page(418)),
    # --- pages in place of an answer ---
    "Cloudflare 403": fails(7, NAMED, script=page(403, CHALLENGE)),
    "Cloudflare 503": fails(7, NAMED, script=page(503, CHALLENGE)),
    "Cloudflare 200": fails(7, NAMED, script=page(200, CHALLENGE)),
    "Cloudflare 200, as a stream": fails(
        7, NAMED, script=reply([CHALLENGE.format("x" * 9000).encode()], end=None)
    ),
    "Cloudflare block": fails(7, NAMED, script=page(403, BLOCKED)),
    "Cloudflare by header": fails(
        7, NAMED, script=page(403, "<html></html>", headers={"cf-mitigated": "challenge"})
    ),
    "login page": fails(
        9, r"127\.0\.0\.1:PORT sent a web page \('Hotel WiFi Login'\)", "hint:.*portal",
        script=page(200, LOGIN),
    ),
    "JSON under 200": fails(9, "out of tokens", script=json_page(200, {"detail": "out of tokens"})),
    "JSON error under 200": fails(
        9, "out of tokens", script=json_page(200, {"error": {"message": "out of tokens"}})
    ),
    "plain text under 200": fails(9, "Service asleep", script=page(200, "Service asleep", "text/plain")),
    # --- redirects ---
    "redirect elsewhere": fails(
        9, r"127\.0\.0\.1:PORT redirected to .*other\.example", "hint:",
        script=redirect(307, "https://other.example/chat"),
    ),
    "redirect in a loop": fails(9, r"127\.0\.0\.1:PORT redirects in a loop", script=redirect(307, "/chat")),
    "redirect to a file": fails(
        9, r"127\.0\.0\.1:PORT redirected to an unsupported address",
        script=redirect(302, "file:///etc/passwd"),
    ),
    "redirect to nowhere": fails(9, "redirect", script=page(307)),
    # --- odd but good ---
    "text/plain": fine("fine", "fine", headers={"content-type": "text/plain"}),
    "wrong charset": fine(
        "é…", raw("é…"), headers={"content-type": "text/event-stream; charset=iso-8859-1"}
    ),
    "byte by byte": fine(
        "Hé llo", *(bytes([byte]) for byte in raw("Hé ") + raw("llo")), chunked=True
    ),
    "CRLF": fine("fine", event("text-chunk", {"text": "fine"}, newline="\r\n")),
    "CR": fine("fine", event("text-chunk", {"text": "fine"}, newline="\r")),
    "BOM, comments, fields": fine(
        "fine",
        b"\xef\xbb\xbf: hi\n\nretry: 5\nid: 3\nevent: x\n" + text("fine") + b": ping - 2024\r\n\r\n",
    ),
    "several data lines": fine(
        "fine", b'data: {"event":"text-chunk",\ndata: "data":{"text":"fine"}}\n\n'
    ),
    "no blank lines": fine(
        "Hello", text("Hel").rstrip() + b"\n" + text("lo").rstrip() + b"\n" + event("stream-end"),
        end=None,
    ),
    "separators in the text": fine("a\u2028b\x85c\u2029d", raw("a\u2028b\x85c\u2029d")),
    "spaces and newlines": fine("  a \n\n b ", "  a", " \n", "", "\n b "),
    "invalid UTF-8": fine("a\ufffdb", b'data: {"event":"text-chunk","data":{"text":"a\xffb"}}\n\n'),
    "half a surrogate pair": fine(
        "a\ufffdb", b'data: {"event":"text-chunk","data":{"text":"a\\ud83db"}}\n\n'
    ),
    "a split emoji": fine("😀", *(bytes([byte]) for byte in raw("😀"))),
    "text that is none": fine(
        "fine",
        *(event("text-chunk", value) for value in ({"text": None}, {"text": 12345}, {}, [], "x")),
        b'data: {"event":"text-chunk"}\n\ndata: {"event":"text-chunk","data":null}\n\n',
        "fine",
    ),
    "unknown events": fine("fine", event("weather", {"text": "no"}), event("", None), "fine"),
    "the server's whole order": fine(
        "fine", event("begin-stream", {"query": "hi", "event_type": "begin-stream"}), "fi", "ne",
        event("related-queries", {"related_queries": ["a", "b"]}), event("stream-end"),
        event("final-response", {"message": "fine"}), end=None,
    ),
    "final response before the end": fine("fine", "fine", event("final-response", {"message": "x"})),
    "only a final response": fine(
        "fine", event("stream-end"), event("final-response", {"message": "fine"}), end=None
    ),
    "only a final response, first": fine("fine", event("final-response", {"message": "fine"})),
    "[DONE]": fine("fine", "fine", b"data: [DONE]\n\n", end=None),
    "reset after the end": fine("fine", "fine", event("stream-end"), Reset(), end=None),
    "stall after the end": fine("fine", "fine", event("stream-end"), Stall(), end=None),
    "text after the end": fine("fine", "fine", event("stream-end"), "more", end=None),
    "length announced": fine("fine", "fine", chunked=False),
    "HTTP/1.0": fine("fine", "fine", chunked="http10"),
    "gzip": Row([gzipped(text("fine") + event("stream-end"))], 0, out=b"fine\n"),
    "slow to begin": Row([reply([Pause(OPEN), "fine"])], 0, out=b"fine\n"),
    # --- good, with a notice ---
    "clean end without stream-end": warned("fine", "stream-end", reply(["fine"], end=None)),
    "HTTP/1.0 end without stream-end": warned(
        "fine", "stream-end", reply(["fine"], end=None, chunked="http10")
    ),
    "last line unfinished": warned(
        "fine", "stream-end", reply(["fi", text("ne").rstrip()], end=None)
    ),
    "an event is not JSON": warned("fine", "Skipped 1 unreadable event", reply(["fi", BAD_JSON, "ne"])),
    "events are no objects": warned(
        "fine", "Skipped 3 unreadable events",
        reply([b"data: [1,2,3]\n\n", b"data: null\n\n", b'data: "str"\n\n', "fine"]),
    ),
    "nested too deep": warned("fine", "Skipped 1 unreadable event", reply(["fi", DEEP, "ne"])),
    "numbers too long": Row(
        [reply(["fi", LONG_NUMBER, b'data: {"event":"x","data":[1e400,NaN]}\n\n', "ne"])],
        0, out=b"fine\n", silent=False,
    ),
    "sources": warned("fine", r"a\.example/x", reply([event("search-results", SOURCES), "fine"])),
    "no text": Row([reply([])], 0, ["sent no text"], silent=False),
    "empty once": warned("fine", "empty", reply(end=None), reply(["fine"]), retried=True),
    # --- no answer in the stream ---
    "no event": fails(
        9, r"127\.0\.0\.1:PORT sent an empty reply", script=reply(end=None), retried=True
    ),
    "only comments": fails(
        9, r"127\.0\.0\.1:PORT sent an empty reply", script=reply([b": ping\n\n"], end=None), retried=True
    ),
    "only nonsense": fails(9, "unreadable|readable", script=reply([BAD_JSON, BAD_JSON])),
    "60 unreadable events in a row": fails(
        9, "unreadable events", script=reply([BAD_JSON * 60, "fine"])
    ),
    "error event": fails(9, r"127\.0\.0\.1:PORT: out of luck", script=reply([error("out of luck")], end=None)),
    "error event without its name": fails(
        9, "out of luck", script=reply([event("error", {"detail": "out of luck"})])
    ),
    "error event without words": fails(
        9, r"127\.0\.0\.1:PORT", script=reply([event("error", None)], end=None)
    ),
    "hostile error": fails(
        9, r"out␛\[2J of", script=reply([error("out\x1b[2J of " + "luck " * 999)], end=None)
    ),
    "head, then silence": fails(
        8, r"No (reply|data) from 127\.0\.0\.1:PORT", script=reply([Stall()]), args=QUICK
    ),
    "only comments for ever": fails(
        8, r"No (reply|data|text) .*127\.0\.0\.1:PORT|127\.0\.0\.1:PORT .*no text",
        script=reply([Repeat(b"7\r\n: ping\n\r\n", 0.05)]), args=QUICK,
    ),
    "reset before text": fails(
        7, r"127\.0\.0\.1:PORT reset the connection|connection .*lost",
        script=reply([event("begin-stream", {}), Reset()]), retried=True,
    ),
    "cut before text": fails(
        7, "Connection lost", script=reply([event("begin-stream", {}), Close()]), retried=True
    ),
    "not gzip": fails(
        9, r"127\.0\.0\.1:PORT sent data that can't be decompressed",
        script=reply(["fine"], headers={"content-encoding": "gzip"}),
    ),
    "an endless line": fails(
        9, r"127\.0\.0\.1:PORT.* (line|event) .*4 Mi?B",
        script=reply([b"data: " + b"A" * (5 << 20)], end=None),
    ),
    "a gzip bomb": fails(9, r"127\.0\.0\.1:PORT.*Mi?B", script=gzipped(b"A" * (40 << 20))),
    # --- after text ---
    "reset after text": partial(
        14, r"(reset the connection|Connection lost).*(incomplete|partial)",
        script=reply(["Hello", GATE, Reset()]),
    ),
    "FIN inside a chunk": partial(
        14, "Connection lost.*(incomplete|partial)", script=reply(["Hello", Send(b"40\r\ndata: {"), GATE, Close()])
    ),
    "FIN between chunks": partial(14, "Connection lost.*(incomplete|partial)", script=reply(["Hello", GATE, Close()])),
    "shorter than announced": partial(
        14, "Connection lost.*(incomplete|partial)",
        script=[Send(head(200, {"content-length": "999"}) + text("Hello")), GATE, Close()],
    ),
    "text, then silence": partial(
        14, r"No data from 127\.0\.0\.1:PORT for 0\.4 s", script=reply(["Hello", Stall()]), args=QUICK
    ),
    "error event after text": partial(
        14, r"127\.0\.0\.1:PORT: out of luck", script=reply(["Hello", GATE, error("out of luck")], end=None)
    ),
    "50 and more unreadable after text": partial(
        14, "unreadable events", script=reply(["Hello", GATE, BAD_JSON * 60, "fine"])
    ),
    "an endless line after text": partial(
        14, r"127\.0\.0\.1:PORT.* (line|event) .*4 Mi?B",
        script=reply(["Hello", GATE, b"data: " + b"A" * (5 << 20)], end=None),
    ),
}  # fmt: skip
