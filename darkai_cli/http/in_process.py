"""An httpx transport to a service in this process: the demo provider, and tests."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from typing import TypeAlias

from darkai_cli import signals
from darkai_cli.http.httpx_guard import httpx

App: TypeAlias = Callable[[bytes, Mapping[str, str]], Iterator[tuple[float, bytes]]]
"""A service in this process: body and headers in; pauses in seconds and bytes out."""

_HEAD = {"content-type": "text/event-stream"}


class InProcess(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Answers from ``app``. ``sleep`` makes its pauses in the synchronous case."""

    def __init__(
        self, app: App, sleep: Callable[[float], None], on_sent: Callable[[], None] | None
    ) -> None:
        self._app = app
        self._sleep = sleep
        self._on_sent = on_sent

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        body = request.read()
        if self._on_sent is not None:
            self._on_sent()
        pieces = self._app(body, dict(request.headers))
        return httpx.Response(200, headers=_HEAD, stream=_Paced(pieces, self._sleep))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        pieces = self._app(await request.aread(), dict(request.headers))
        return httpx.Response(200, headers=_HEAD, stream=_AsyncPaced(pieces))


class _Paced(httpx.SyncByteStream):
    def __init__(
        self, pieces: Iterator[tuple[float, bytes]], sleep: Callable[[float], None]
    ) -> None:
        self._pieces = pieces
        self._sleep = sleep

    def __iter__(self) -> Iterator[bytes]:
        for pause, data in self._pieces:
            if pause > 0:
                self._sleep(pause)
            signals.raise_pending()
            yield data


class _AsyncPaced(httpx.AsyncByteStream):
    def __init__(self, pieces: Iterator[tuple[float, bytes]]) -> None:
        self._pieces = pieces

    async def __aiter__(self) -> AsyncIterator[bytes]:
        import anyio

        for pause, data in self._pieces:
            if pause > 0:
                await anyio.sleep(pause)
            yield data
