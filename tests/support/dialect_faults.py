"""The faults that a service can have, in its own words; ``openai_faults.py`` has them all."""

from __future__ import annotations

from support.faults import GATE, LOGIN, NAMED, NGINX, QUICK, Row, fails, partial, redirect, warned
from support.server import Close, Reset, Stall, page
from support.speakers import Speaker


def rows(say: Speaker) -> dict[str, Row]:
    """The table, as one service says it."""
    retried = {"retried": True}
    table = {
        "fine": Row([say.reply(["fi", "ne"])], 0, out=b"fine\n"),
        "byte by byte": Row([say.reply([*(bytes([byte]) for byte in say.texts("Hé"))])], 0, out="Hé\n".encode()),
        "RST after the request": fails(7, f"{NAMED} reset the connection before replying", script=[Reset()], **retried),
        "never answers": fails(8, f"No reply from {NAMED} within 0.4 s", script=[Stall()], args=QUICK),
        "model": fails(5, rf"No model named `m` (at|on) {NAMED}|not found.*m", r"hint: .*(models|pull)", script=say.refusal("model")),
        "path": fails(9, rf"{NAMED} has no path", script=page(404, "<html>no</html>")),
        "limit": fails(6, rf"Rate limited by {NAMED}", script=say.refusal("limit"), **retried),
        "limit for days": fails(6, "11 days", script=say.refusal("limit", {"retry-after": "999999"})),
        "busy": fails(9, NAMED, script=say.refusal("busy"), **retried),
        "failed": fails(9, "boom.* after 2 tries", script=say.refusal("failed"), **retried),
        "failed once": warned("fine", "trying again", say.refusal("failed"), say.reply(["fine"]), **retried),
        "bad gateway": fails(9, rf"{NAMED}: bad gateway \(502\)", script=page(502, NGINX), **retried),
        "login page": fails(9, "Hotel WiFi Login", "hint: .*portal", script=page(200, LOGIN)),
        "redirect": fails(9, r"redirected to other\.example", script=redirect(307, "https://other.example/x")),
        "too large": fails(10, "too large", script=page(413, "<html>no</html>")),
        "empty": fails(9, "empty reply", script=say.reply(end=None), **retried),
        "no text": warned("", "sent no text", say.reply())._replace(out=b""),
        "length": partial(14, "length limit", script=say.reply(["Hello", GATE], "length")),
        "RST after text": partial(14, "incomplete", script=say.reply(["Hello", GATE, Reset()])),
        "cut between chunks": partial(14, "Connection lost.*incomplete", script=say.reply(["Hello", GATE, Close()])),
        "no end mark": partial(14, "without (an|its) end mark", script=say.reply(["Hello", GATE], None)),
        "silence": partial(14, rf"No data from {NAMED} for 0\.4 s", script=say.reply(["Hello", Stall()]), args=QUICK),
        "error after text": partial(14, rf"{NAMED}.*incomplete", script=say.reply(["Hello", GATE, say.late], None)),
        "error before text": fails(9, NAMED, script=say.reply([say.late], None), retried=say.again),
        "an event is not JSON": warned("fine", "1 unreadable", say.reply(["fi", say.bad, "ne"])),
        "60 unreadable in a row": fails(9, "unreadable", script=say.reply([say.bad] * 60)),
        "endless line": fails(9, "4 MiB", script=say.reply([b"data: " + b"A" * (5 << 20)], None)),
    }  # fmt: skip
    if "long" in say.faults:
        table["too long"] = fails(10, "too long.*9001.*8192|9001.*8192", script=say.refusal("long"))
    if "filtered" in say.ends:
        table["filtered"] = partial(10, "", script=say.reply(["Hello", GATE], "filtered"))
    return table
