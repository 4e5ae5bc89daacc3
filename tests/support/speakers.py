"""The other dialects' words, for tables of faults: each service says the same things in its own terms."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from support import server
from support.server import Script, Step


def sse(value: Any, name: str = "") -> bytes:
    """A JSON value as an SSE event."""
    return (f"event: {name}\n" if name else "").encode() + f"data: {json.dumps(value)}\n\n".encode()


class Speaker(NamedTuple):
    """A dialect. ``ends``: its own end mark for ``stop``, ``length`` and ``filtered``.

    ``faults``: the bodies of its errors by status; ``late``: an error in the stream. ``under``:
    what the base URL ends in; ``leaves``: the path of a question.
    """

    kind: str
    texts: Any
    begin: bytes
    ends: dict[str, bytes]
    faults: dict[str, tuple[int, Any]]
    late: bytes
    under: str
    leaves: str
    bad: bytes = b"data: {broken\n\n"
    again: bool = True
    """Whether the error in the stream is one that may pass."""

    def reply(
        self, chunks: Sequence[str | bytes | Step] = (), end: str | None = "stop", **more: Any
    ) -> Script:
        """A streamed reply."""
        items = [self.begin] if self.begin else []
        items += [self.texts(item) if isinstance(item, str) else item for item in chunks]
        items += [self.ends[end]] if end else []
        return server.reply(items, end=None, **more)

    def refusal(self, name: str, headers: dict[str, str] | None = None) -> Script:
        """An error in place of a stream."""
        status, value = self.faults[name]
        return server.json_page(status, value, headers)


def _anthropic_end(reason: str) -> bytes:
    return sse({"type": "content_block_stop", "index": 0}, "content_block_stop") + sse(
        {"type": "message_delta", "delta": {"stop_reason": reason}, "usage": {"output_tokens": 2}},
        "message_delta",
    ) + sse({"type": "message_stop"}, "message_stop")  # fmt: skip


def _anthropic_error(kind: str, message: str) -> dict[str, Any]:
    return {"type": "error", "error": {"type": kind, "message": message}}


ANTHROPIC = Speaker(
    "anthropic",
    lambda text: sse(
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}},
        "content_block_delta",
    ),
    sse({"type": "message_start", "message": {"usage": {"input_tokens": 3}}}, "message_start")
    + sse(
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        "content_block_start",
    ),
    {
        "stop": _anthropic_end("end_turn"),
        "length": _anthropic_end("max_tokens"),
        "filtered": _anthropic_end("refusal"),
    },
    {
        "key": (401, _anthropic_error("authentication_error", "invalid x-api-key KEY")),
        "model": (404, _anthropic_error("not_found_error", "model: m")),
        "long": (400, _anthropic_error("invalid_request_error", "prompt is too long: 9001 tokens > 8192 maximum")),
        "limit": (429, _anthropic_error("rate_limit_error", "slow down")),
        "busy": (529, _anthropic_error("overloaded_error", "Overloaded")),
        "failed": (500, _anthropic_error("api_error", "boom")),
    },
    sse(_anthropic_error("overloaded_error", "Overloaded"), "error"),
    "/v1",
    "/v1/messages",
)  # fmt: skip


def _gemini(text: str, reason: str = "") -> bytes:
    candidate: dict[str, Any] = {
        "index": 0,
        "content": {"parts": [{"text": text}], "role": "model"},
    }
    return sse({"candidates": [{**candidate, **({"finishReason": reason} if reason else {})}]})


def _google(status: int, name: str, message: str, **more: Any) -> tuple[int, Any]:
    return status, {"error": {"code": status, "message": message, "status": name, **more}}


GEMINI = Speaker(
    "gemini",
    _gemini,
    b"",
    {
        "stop": _gemini("", "STOP"),
        "length": _gemini("", "MAX_TOKENS"),
        "filtered": _gemini("", "SAFETY"),
    },
    {
        "key": _google(400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key. KEY"),
        "model": _google(404, "NOT_FOUND", "models/m is not found for API version v1beta"),
        "long": _google(400, "INVALID_ARGUMENT", "The input token count (9001) exceeds the maximum number of tokens allowed (8192)."),
        "limit": _google(429, "RESOURCE_EXHAUSTED", "slow down"),
        "busy": _google(503, "UNAVAILABLE", "The model is overloaded."),
        "failed": _google(500, "INTERNAL", "boom"),
    },
    sse(_google(503, "UNAVAILABLE", "The model is overloaded.")[1]),
    "/v1beta",
    "/v1beta/models/m:streamGenerateContent?alt=sse",
)  # fmt: skip


def _ollama(text: str, reason: str = "") -> bytes:
    line: dict[str, Any] = {"model": "m", "message": {"role": "assistant", "content": text}}
    line |= {"done": True, "done_reason": reason} if reason else {"done": False}
    return json.dumps(line).encode() + b"\n"


OLLAMA = Speaker(
    "ollama",
    _ollama,
    b"",
    {"stop": _ollama("", "stop"), "length": _ollama("", "length")},
    {
        "key": (401, {"error": "unauthorized KEY"}),
        "model": (404, {"error": "model 'm' not found"}),
        "limit": (429, {"error": "slow down"}),
        "busy": (503, {"error": "server busy, please try again.  maximum pending requests exceeded"}),
        "failed": (500, {"error": "boom"}),
    },
    b'{"error":"an error was encountered while running the model"}\n',
    "",
    "/api/chat",
    bad=b"{broken\n",
    again=False,
)  # fmt: skip


def _response(kind: str, **fields: Any) -> bytes:
    return sse({"type": f"response.{kind}", **fields}, f"response.{kind}")


def _response_end(kind: str, **fields: Any) -> bytes:
    usage = {"input_tokens": 3, "output_tokens": 2}
    return _response(kind, response={"id": "r", "status": kind, "usage": usage, **fields})


def _openai(status: int, message: str, code: str | None = None) -> tuple[int, Any]:
    return status, {"error": {"message": message, "type": "error", "code": code}}


RESPONSES = Speaker(
    "openai-responses",
    lambda text: _response("output_text.delta", item_id="m1", output_index=0, content_index=0, delta=text),
    _response("created", response={"id": "r", "status": "in_progress"}),
    {
        "stop": _response_end("completed"),
        "length": _response_end("incomplete", incomplete_details={"reason": "max_output_tokens"}),
        "filtered": _response_end("incomplete", incomplete_details={"reason": "content_filter"}),
    },
    {
        "key": _openai(401, "Incorrect API key provided: KEY", "invalid_api_key"),
        "model": _openai(404, "The model `m` does not exist", "model_not_found"),
        "long": _openai(400, "Your input exceeds the context window of this model.", "context_length_exceeded"),
        "limit": _openai(429, "slow down", "rate_limit_exceeded"),
        "busy": _openai(503, "The engine is overloaded"),
        "failed": _openai(500, "boom", "server_error"),
    },
    sse({"type": "error", "code": "server_error", "message": "boom"}, "error"),
    "/v1",
    "/v1/responses",
)  # fmt: skip

SPEAKERS = (ANTHROPIC, GEMINI, OLLAMA)
