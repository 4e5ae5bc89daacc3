"""The faults that each of the other services can have, in its own words; ``test_openai_faults.py`` has them all."""

from __future__ import annotations

import json
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from support import faults
from support.faults import (
    GATE,
    LOGIN,
    NAMED,
    NGINX,
    QUICK,
    Row,
    fails,
    partial,
    redirect,
    warned,
)
from support.openai import configure
from support.scenario import Running, run_darkai, start_darkai
from support.server import Close, FaultServer, Reset, Stall, page
from support.speakers import SPEAKERS, Speaker

KEY = "secret-0123456789abcdef0123456789abcdef"


def rows(say: Speaker) -> dict[str, Row]:
    """The table, as one service says it."""
    retried = {"retried": True}
    table = {
        "fine": Row([say.reply(["fi", "ne"])], 0, out=b"fine\n"),
        "byte by byte": Row([say.reply([*(bytes([one]) for one in say.texts("Hé"))])], 0, out="Hé\n".encode()),
        "RST after the request": fails(7, f"{NAMED} reset the connection before answering", script=[Reset()], **retried),
        "never answers": fails(8, f"no answer from {NAMED} within 0.4 s", script=[Stall()], args=QUICK),
        "model": fails(5, rf"model.*m.* (not found|is not on {NAMED})|not found.*m", r"hint: .*(models|pull)", script=say.refusal("model")),
        "path": fails(9, rf"{NAMED} has no such path", script=page(404, "<html>no</html>")),
        "limit": fails(6, rf"rate limited by {NAMED}", script=say.refusal("limit"), **retried),
        "limit for days": fails(6, "11 days", script=say.refusal("limit", {"retry-after": "999999"})),
        "busy": fails(9, NAMED, script=say.refusal("busy"), **retried),
        "failed": fails(9, "boom.* after 2 tries", script=say.refusal("failed"), **retried),
        "failed once": warned("fine", "trying again", say.refusal("failed"), say.reply(["fine"]), **retried),
        "bad gateway": fails(9, rf"{NAMED}: bad gateway \(502\)", script=page(502, NGINX), **retried),
        "login page": fails(9, "Hotel WiFi Login", "hint: .*portal", script=page(200, LOGIN)),
        "redirect": fails(9, r"redirected to other\.example", script=redirect(307, "https://other.example/x")),
        "too large": fails(10, "too large", script=page(413, "<html>no</html>")),
        "empty": fails(9, "empty answer", script=say.reply(end=None), **retried),
        "no text": warned("", "sent no text", say.reply())._replace(out=b""),
        "length": partial(14, "length limit", script=say.reply(["Hello", GATE], "length")),
        "RST after text": partial(14, "incomplete", script=say.reply(["Hello", GATE, Reset()])),
        "cut between chunks": partial(14, "connection lost.*incomplete", script=say.reply(["Hello", GATE, Close()])),
        "no end mark": partial(14, "without (an|its) end mark", script=say.reply(["Hello", GATE], None)),
        "silence": partial(14, rf"no data from {NAMED} for 0\.4 s", script=say.reply(["Hello", Stall()]), args=QUICK),
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


TABLES = {say.kind: rows(say) for say in SPEAKERS}
CASES = [(kind, name) for kind, table in TABLES.items() for name in table]


def base(server: FaultServer, say: Speaker) -> str:
    return f"http://{server.address}{say.under}"


@pytest.mark.parametrize(("kind", "name"), CASES)
def test_fault(kind: str, name: str, isolated: Path):
    say = next(one for one in SPEAKERS if one.kind == kind)

    def start(server: FaultServer, args: Sequence[str]) -> Running:
        configure(isolated, base(server, say), kind=kind)
        return start_darkai("ask", "hi", *args)

    faults.check(TABLES[kind][name], start)


@pytest.mark.parametrize("say", SPEAKERS, ids=lambda say: say.kind)
def test_a_key_that_is_echoed_is_never_printed(isolated: Path, say: Speaker):
    status, value = say.faults["key"]
    answer = page(status, json.dumps(value).replace("KEY", KEY), "application/json")
    for args in ([], ["--debug"], ["--json"]):
        with FaultServer(answer) as server:
            configure(isolated, base(server, say), 'key_env = "WORK_KEY"\n', kind=say.kind)
            result = run_darkai("ask", "hi", *args, env={"WORK_KEY": KEY})
            assert server.requests[0].target == say.leaves
            assert KEY in " ".join(server.requests[0].headers.values())
        assert result.code == 4, result
        assert KEY not in result.stderr + result.text
        assert f"{server.address} rejected the API key (from WORK_KEY)" in result.stderr


@pytest.mark.parametrize("say", SPEAKERS, ids=lambda say: say.kind)
def test_ctrl_c(isolated: Path, say: Speaker):
    script: Any = say.reply(["Hello", Stall()])
    with FaultServer(script) as server:
        configure(isolated, base(server, say), kind=say.kind)
        with start_darkai("ask", "hi") as run:
            run.wait_for(b"Hello")
            run.signal(signal.SIGINT)
            result = run.finish()
        assert server.departed.wait(20)
    assert (result.code, result.stdout) == (130, b"Hello\n"), result
