"""The Python API is as polite as the command: it counts its requests, and keeps the limits."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path

import pytest
from support.server import FaultServer, reply

import darkai_cli
from darkai_cli.errors import RateLimitError
from darkai_cli.events import TextChunk


def configure(url: str, *limits: str) -> None:
    folder = Path(os.environ["DARKAI_HOME"])
    folder.mkdir(exist_ok=True)
    (folder / "config.toml").write_text(
        f'provider = "work"\nmax_wait = 0\n'
        f'[providers.work]\ntype = "darkai"\nurl = "{url}"\nlimits = {json.dumps(limits)}\n'
    )


async def aask() -> str:
    found = [event async for event in darkai_cli.astream("hi")]
    return "".join(event.text for event in found if isinstance(event, TextChunk))


def test_sync_and_async_requests_are_counted_together():
    with FaultServer(reply(["fine"])) as server:
        configure(server.url, "2/h")
        assert darkai_cli.ask("hi") == "fine"
        assert asyncio.run(aask()) == "fine"
        with pytest.raises(RateLimitError, match="you can send again at"):
            darkai_cli.ask("hi")
        with pytest.raises(RateLimitError, match="you can send again at"):
            asyncio.run(aask())
        assert len(server.requests) == 2
