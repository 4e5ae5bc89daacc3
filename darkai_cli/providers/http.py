"""A provider over HTTP: any dialect, driven synchronously or asynchronously.

``ReplyReader`` is the sans-I/O middle: response head and bytes in, events out. The two drivers
around it only move bytes, so there is nothing to keep in step. A fault raises; events that came
before it have been given out by then.
"""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Callable, Generator, Iterable, Iterator
from contextlib import aclosing, contextmanager
from typing import TYPE_CHECKING, Any, TypeAlias

from darkai_cli.errors import (
    BadReplyError,
    NetworkError,
    ProviderError,
    RateLimitError,
    ReplyTimeoutError,
    TooLargeError,
)
from darkai_cli.events import VISIBLE, Event, ReasoningChunk, StreamStart, TextChunk
from darkai_cli.messages import ChatRequest
from darkai_cli.providers import statuses
from darkai_cli.providers.base import Dialect, Headers, HttpRequest, ModelInfo, ProviderSettings
from darkai_cli.secret import hide_known
from darkai_cli.wire.ndjson import NDJSONDecoder
from darkai_cli.wire.secrets import hide, secrets_in
from darkai_cli.wire.sse import SSEDecoder, SSELineDecoder

if TYPE_CHECKING:
    from darkai_cli.wire.timers import Watch
    from darkai_cli.wire.transport import Link

MAX_REPLY = 16 * 1024 * 1024
"""The largest reply, in decompressed bytes."""

MAX_PAGES = 50
"""Of a list of models."""

Framer: TypeAlias = SSEDecoder | SSELineDecoder | NDJSONDecoder
_FRAMERS: dict[str, Callable[[], Framer]] = {
    "sse": SSEDecoder,
    "sse-lines": SSELineDecoder,
    "ndjson": NDJSONDecoder,
}


class ReplyReader:
    """One reply: bytes in, events out, no I/O."""

    def __init__(self, dialect: Dialect, settings: ProviderSettings, chat: ChatRequest) -> None:
        self._dialect = dialect
        self._settings = settings
        self._start = StreamStart(settings.name, chat.model)
        self._framer = _FRAMERS[dialect.framing]()
        self._decoder = dialect.decoder(settings)
        self._size = 0
        self._started = False
        self._visible = False
        self._half = ""

    @property
    def ended(self) -> bool:
        """Whether the protocol's end mark was seen and nothing more is worth reading."""
        return self._decoder.ended

    @property
    def linger(self) -> float | None:
        """Seconds to read on although the end mark was seen; None: until the end."""
        return self._decoder.linger

    def feed(self, data: bytes, watch: Watch | None = None) -> Iterator[Event]:
        """The events of the next bytes. Raises ``ProviderError``."""
        self._size += len(data)
        if self._size > MAX_REPLY:
            raise TooLargeError(
                f"the answer of {self._settings.host} exceeded {MAX_REPLY >> 20} MiB; stopped"
            )
        try:
            frames = self._framer.feed(data)
        except TooLargeError as exc:
            raise self._named(exc) from exc
        feed = self._decoder.feed
        for frame in frames:
            for event in feed(frame):
                if isinstance(event, TextChunk | ReasoningChunk):
                    if self._half or not _is_whole(event.text):
                        text = self._mend(event.text)
                        if not text:
                            continue
                        event = event._replace(text=text)  # noqa: PLW2901 -- put right
                    if watch is not None:
                        watch.content()
                if not self._started and event.type != "notice":
                    self._started = True
                    yield self._start
                if not self._visible and isinstance(event, VISIBLE):
                    self._visible = True
                yield event
            if self._decoder.ended:
                return

    def _mend(self, text: str) -> str:
        """Join UTF-16 halves that a server cut apart, and replace those that stay alone."""
        text = self._half + text
        self._half = text[-1] if "\ud800" <= text[-1] <= "\udbff" else ""
        return _whole(text[: len(text) - len(self._half)])

    def finish(self, headers: Headers) -> Iterator[Event]:
        """The last events, once the body ended cleanly or ``ended`` was seen."""
        if not self._decoder.ended:
            try:
                frames = self._framer.finish()
            except TooLargeError as exc:
                raise self._named(exc) from exc
            for frame in frames:
                yield from self._last(self._decoder.feed(frame))
            self._explain_stray(headers)
        yield from self._last(self._decoder.close())

    def _last(self, events: Iterable[Event]) -> Iterator[Event]:
        """Events of the end, where no half of a pair is waited for any more."""
        for event in events:
            if isinstance(event, TextChunk | ReasoningChunk):
                text = _whole(self._half + event.text)
                self._half = ""
                event = event._replace(text=text)  # noqa: PLW2901 -- put right
            if self._half and event.type == "stream-end":
                self._half = ""
                yield TextChunk("\ufffd")
            if not self._started and event.type != "notice":
                self._started = True
                yield self._start
            if isinstance(event, VISIBLE):
                self._visible = True
            yield event

    def _named(self, error: TooLargeError) -> TooLargeError:
        """The error with the host in front: the readers know none."""
        return TooLargeError(f"{self._settings.host} {error.message}")

    def _explain_stray(self, headers: Headers) -> None:
        """Raise what a body means that was no stream: a web page, or a bare JSON error."""
        stray = self._framer.stray
        if self._visible or not stray.strip():
            return
        settings = self._settings
        page = statuses.page_error(settings.host, 200, headers, stray)
        if page is not None:
            raise page
        payload = statuses.parse_json(stray)
        if payload is None:
            payload = statuses.parse_json(stray.partition(":")[2])  # `error: {...}`
        told = self._dialect.error(200, headers, payload, settings)
        if told is not None:
            raise told
        message = statuses.message_in(payload)
        if not message:
            readable = stray.isprintable() or stray.replace("\n", "").isprintable()
            message = statuses.quote(stray, 80) if readable else "binary data"
        raise BadReplyError(f"{settings.host} sent no stream but: {message}", status=200)

    def refusal(self, status: int, headers: Headers, body: bytes, url: str) -> ProviderError:
        """The error that a status other than 200 is."""
        settings = self._settings
        text = body.decode("utf-8", "replace")
        page = statuses.page_error(settings.host, status, headers, text)
        if page is not None:
            return page
        payload = statuses.parse_json(body)
        own = self._dialect.error(status, headers, payload, settings)
        now = time.time()
        if own is None:
            return statuses.explain(settings.host, url, status, headers, body, now)
        if isinstance(own, RateLimitError):
            own.retry_after = statuses.retry_after(headers, now)
            if own.retry_after:
                again = f"try again in {statuses.span(own.retry_after)}"
                own.hint = f"{again}; {own.hint}" if own.hint else again
        return own


@contextmanager
def _discreet(request: HttpRequest) -> Iterator[None]:
    """Keep the request's credentials out of errors: services echo them."""
    try:
        yield
    except ProviderError as error:
        secrets = secrets_in(request.headers, request.url)
        error.message = hide_known(hide(error.message, secrets))
        error.hint = hide_known(hide(error.hint, secrets)) if error.hint else error.hint
        raise


def _whole(text: str) -> str:
    """The text with UTF-16 pairs joined, and U+FFFD for each half that stays alone."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _is_whole(text: str) -> bool:
    """Whether the text holds no half of a UTF-16 pair."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


class HttpProvider:
    """A configured service behind a dialect."""

    def __init__(self, dialect: Dialect, settings: ProviderSettings, link: Link) -> None:
        self.name = settings.name
        self.settings = settings
        self._dialect = dialect
        self._link = link

    def request(self, chat: ChatRequest) -> HttpRequest:
        """What would be sent."""
        return self._dialect.request(chat, self.settings)

    def stream(self, chat: ChatRequest) -> Generator[Event, None, None]:
        """The reply. Raises ``ProviderError`` and its kin."""
        request = self.request(chat)
        try:
            yield from self._receive(request, chat)
        except ProviderError as error:
            changed = self._again(error, request, chat)
            if changed is None:
                raise
        else:
            return
        yield from self._receive(changed, chat)

    def _receive(self, request: HttpRequest, chat: ChatRequest) -> Generator[Event, None, None]:
        from darkai_cli.wire import transport

        reader = ReplyReader(self._dialect, self.settings, chat)
        with (
            _discreet(request),
            transport.send(
                self._link, request.method, request.url, request.headers, request.body
            ) as exchange,
        ):
            if exchange.status != 200:
                raise reader.refusal(
                    exchange.status, exchange.headers, exchange.read(), request.url
                )
            watch = exchange.watch
            try:
                for data in exchange.chunks():
                    yield from reader.feed(data, watch)
                    if reader.ended:
                        break
                    if reader.linger is not None:
                        watch.linger(reader.linger)
            except (ReplyTimeoutError, NetworkError):
                if reader.linger is None:  # else the end was seen, and nothing is missing
                    raise
            yield from reader.finish(exchange.headers)

    def _again(
        self, error: ProviderError, request: HttpRequest, chat: ChatRequest
    ) -> HttpRequest | None:
        """The request without what the service refused, if the dialect knows of such a way out."""
        if error.status not in (400, 422):
            return None
        return self._dialect.again(request, chat, self.settings, error.message)

    def models(self) -> Iterator[ModelInfo]:
        """The models that the service lists; nothing where it has no list.

        Raises ``ProviderError`` and its kin.
        """
        page = ""
        for _ in range(MAX_PAGES):
            request = self._dialect.models_request(self.settings, page)
            if request is None:
                return
            found, page = self._dialect.models(self._answer(request))
            yield from found
            if not page:
                return

    def _answer(self, request: HttpRequest) -> Any:
        """The JSON value that answers a request which is no question."""
        from darkai_cli.wire import transport

        settings = self.settings
        with (
            _discreet(request),
            transport.send(
                self._link, request.method, request.url, request.headers, request.body
            ) as exchange,
        ):
            body = exchange.read(MAX_REPLY)
            if exchange.status != 200:
                nothing = ChatRequest((), "")
                reader = ReplyReader(self._dialect, settings, nothing)
                raise reader.refusal(exchange.status, exchange.headers, body, request.url)
            text = body.decode("utf-8", "replace")
            page = statuses.page_error(settings.host, 200, exchange.headers, text)
            if page is not None:
                raise page
            payload = statuses.parse_json(body)
            if payload is None:
                raise BadReplyError(f"{settings.host} sent no JSON where models were asked for")
            return payload

    async def astream(self, chat: ChatRequest) -> AsyncGenerator[Event, None]:
        """The same as ``stream``, for asyncio and trio."""
        request = self.request(chat)
        try:
            async with aclosing(self._areceive(request, chat)) as events:
                async for event in events:
                    yield event
        except ProviderError as error:
            changed = self._again(error, request, chat)
            if changed is None:
                raise
        else:
            return
        async with aclosing(self._areceive(changed, chat)) as events:
            async for event in events:
                yield event

    async def _areceive(
        self, request: HttpRequest, chat: ChatRequest
    ) -> AsyncGenerator[Event, None]:
        reader = ReplyReader(self._dialect, self.settings, chat)
        with _discreet(request):
            async with aclosing(self._aread(request, reader)) as events:
                async for event in events:
                    yield event

    async def _aread(
        self, request: HttpRequest, reader: ReplyReader
    ) -> AsyncGenerator[Event, None]:
        from darkai_cli.wire import transport

        async with transport.asend(
            self._link, request.method, request.url, request.headers, request.body
        ) as exchange:
            if exchange.status != 200:
                body = await exchange.aread()
                raise reader.refusal(exchange.status, exchange.headers, body, request.url)
            watch = exchange.watch
            try:
                async with aclosing(exchange.achunks()) as chunks:
                    async for data in chunks:
                        for event in reader.feed(data, watch):
                            yield event
                        if reader.ended:
                            break
                        if reader.linger is not None:
                            watch.linger(reader.linger)
            except (ReplyTimeoutError, NetworkError):
                if reader.linger is None:  # else the end was seen, and nothing is missing
                    raise
            for event in reader.finish(exchange.headers):
                yield event
