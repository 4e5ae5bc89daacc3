"""An httpx transport to a service in this process: the demo provider, and tests."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from typing import TypeAlias

from darkai_cli import signals
from darkai_cli.http.httpx_guard import httpx

App: TypeAlias = Callable[[bytes, Mapping[str, str]], Iterator[tuple[float, bytes]]]
"""A service in this process: body and headers in; pauses in seconds and bytes out."""


class InProcess(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Answers from ``app``."""

    def __init__(self, app: App, on_sent: Callable[[], None] | None) -> None:
        self._app = app
        self._on_sent = on_sent

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if self._on_sent is not None:
            self._on_sent()
        stream = _PacedStream(self._app(request.content, dict(request.headers)))
        return httpx.Response(200, headers={"content-type": "text/event-stream"}, stream=stream)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return self.handle_request(request)


class _PacedStream(httpx.SyncByteStream, httpx.AsyncByteStream):
    def __init__(self, pieces: Iterator[tuple[float, bytes]]) -> None:
        self._pieces = pieces

    def __iter__(self) -> Iterator[bytes]:
        for pause, data in self._pieces:
            time.sleep(pause)
            signals.raise_pending()
            yield data

    async def __aiter__(self) -> AsyncIterator[bytes]:
        import anyio

        for pause, data in self._pieces:
            await anyio.sleep(pause)
            yield data
