"""What a service says that speaks OpenAI's chat completions, in the steps of ``support/server.py``."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from support import server
from support.server import FaultServer, Step

DONE = b"data: [DONE]\n\n"


def event(value: Any, *, newline: str = "\n") -> bytes:
    """One JSON value as an SSE event."""
    return f"data: {json.dumps(value)}{newline}{newline}".encode()


def chunk(
    delta: Any = None, *, reason: str | None = None, newline: str = "\n", **more: Any
) -> bytes:
    """One chunk with this ``delta``."""
    choice = {"index": 0, "delta": {} if delta is None else delta, "finish_reason": reason}
    head = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    return event({**head, "choices": [choice], **more}, newline=newline)


def text(value: str, *, newline: str = "\n") -> bytes:
    """A chunk with text."""
    return chunk({"content": value}, newline=newline)


def error(message: str, **more: Any) -> bytes:
    """An error in the stream."""
    return event({"error": {"message": message, "type": "server_error", **more}})


def reply(
    chunks: Sequence[str | bytes | Step] = (),
    *,
    reason: str | None = "stop",
    done: bool = True,
    chunked: bool | Literal["http10"] = True,
    headers: Mapping[str, str] | None = None,
) -> list[Step]:
    """A streamed reply: a text becomes a chunk, bytes and steps stand for themselves."""
    items = [text(item) if isinstance(item, str) else item for item in chunks]
    items += [chunk(reason=reason)] if reason else []
    items += [DONE] if done else []
    return server.reply(items, end=None, chunked=chunked, headers=headers)


def refusal(
    status: int, message: str, headers: Mapping[str, str] | None = None, **more: Any
) -> Any:
    """An error in place of a stream."""
    return server.json_page(status, {"error": {"message": message, **more}}, headers)


def base(service: FaultServer) -> str:
    """The base URL of the service."""
    return service.url.removesuffix("/chat") + "/v1"


def configure(folder: Path, url: str, more: str = "", kind: str = "openai") -> None:
    """Make a provider ``work`` of the service the user's own choice. ``folder``: the machine's."""
    home = folder / "darkai"
    home.mkdir(mode=0o700, exist_ok=True)
    path = home / "config.toml"
    path.write_text(
        f'provider = "work"\n[providers.work]\ntype = "{kind}"\nurl = "{url}"\nmodel = "m"\n{more}'
    )
    path.chmod(0o600)
