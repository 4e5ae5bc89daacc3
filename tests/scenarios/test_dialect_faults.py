"""The faults that each of the other services can have, in its own words; ``test_openai_faults.py`` has them all."""

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
from support.server import FaultServer, Stall, page
from support.speakers import SPEAKERS, Speaker

KEY = "secret-0123456789abcdef0123456789abcdef"


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
