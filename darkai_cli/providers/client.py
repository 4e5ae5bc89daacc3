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
from darkai_cli.events import (
    VISIBLE,
    Event,
    Notice,
    ReasoningChunk,
    StreamStart,
    TextChunk,
)
from darkai_cli.http.sse import SSEDecoder, SSEFrame, SSELineDecoder
from darkai_cli.messages import ChatRequest
from darkai_cli.providers import http_errors
from darkai_cli.providers.base import (
    Dialect,
    Frame,
    Headers,
    HttpRequest,
    ModelInfo,
    ProviderSettings,
)
from darkai_cli.providers.dialect import parse, words
from darkai_cli.secrets import mask, mask_known, secrets_in
from darkai_cli.text import duration, file_size, well_formed

if TYPE_CHECKING:
    from darkai_cli.http.connection import ConnectionConfig
    from darkai_cli.http.ndjson import NDJSONDecoder
    from darkai_cli.http.timeouts import Deadline
    from darkai_cli.providers.hiding import Hiding

MAX_REPLY = 16 * 1024 * 1024
"""The largest reply, in decompressed bytes."""

Framer: TypeAlias = "SSEDecoder | SSELineDecoder | NDJSONDecoder"


def _ndjson() -> NDJSONDecoder:
    from darkai_cli.http.ndjson import NDJSONDecoder

    return NDJSONDecoder()


_FRAMERS: dict[str, Callable[[], Framer]] = {
    "sse": SSEDecoder,
    "sse-lines": SSELineDecoder,
    "ndjson": _ndjson,
}


_TEXTS = (TextChunk, ReasoningChunk)


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
        self._hiding = _hiding(settings)
        self._passes = self._hiding.passing(_is_whole) if self._hiding else _is_whole

    @property
    def ended(self) -> bool:
        """Whether the protocol's end mark was seen and nothing more is worth reading."""
        return self._decoder.ended

    @property
    def linger(self) -> float | None:
        """Seconds to read on although the end mark was seen; None: until the end."""
        return self._decoder.linger

    def _is_over(self) -> bool:
        return self._decoder.ended or self._decoder.linger is not None

    def feed(self, data: bytes, watch: Deadline | None = None) -> Iterator[Event]:
        """The events of the next bytes. Raises ``ProviderError``."""
        frames = self._frames(data)
        decoder, passes, hiding = self._decoder, self._passes, self._hiding
        feed, plain, visible = decoder.feed, hiding is None, self._visible
        for frame in frames:
            for event in feed(frame):
                if isinstance(event, _TEXTS):
                    text = event.text
                    if self._half or not ((plain and text.isascii()) or passes(text)):
                        text = self._mend(text, event.type)
                        if not text:
                            continue
                        if text is not event.text:
                            event = type(event)(text)  # noqa: PLW2901 -- put right
                    if watch is not None:
                        watch.content()
                        watch = None  # once for all that came together
                elif hiding is not None:
                    yield from self._before(event)
                    event = hiding.whole(event)  # noqa: PLW2901 -- likewise
                if not visible:
                    yield from self._begin(event)
                    visible = self._visible
                yield event
            if decoder.ended:
                return

    def _frames(self, data: bytes) -> list[Frame]:
        self._size += len(data)
        if self._size > MAX_REPLY:
            raise TooLargeError(
                f"the answer of {self._settings.host} exceeded {file_size(MAX_REPLY)}; stopped"
            )
        try:
            return self._framer.feed(data)
        except TooLargeError as exc:
            raise self._named(exc) from exc

    def _begin(self, event: Event) -> Iterator[Event]:
        """The beginning of the reply, if this is the first event that belongs to it."""
        if not self._started and event.type != "notice":
            self._started = True
            yield self._start
        self._visible = self._visible or isinstance(event, VISIBLE)

    def _mend(self, text: str, kind: str) -> str:
        """Join UTF-16 halves that a server cut apart, replace those that stay alone, hide keys."""
        if self._half or not text.isascii():
            text = self._half + text
            self._half = text[-1] if "\ud800" <= text[-1] <= "\udbff" else ""
            text = well_formed(text[: len(text) - len(self._half)])
        return text if self._hiding is None else self._hiding.piece(kind, text)

    def _before(self, event: Event) -> Iterator[Event]:
        """What has to be given out before the event."""
        if event.type == "stream-end":
            yield from self.rest()

    def rest(self) -> Iterator[Event]:
        """What was held back because it might become a key."""
        for event in self._hiding.rest() if self._hiding is not None else ():
            if not self._started:
                self._started = True
                yield self._start
            self._visible = True
            yield event

    def finish(self, headers: Headers) -> Iterator[Event]:
        """The last events, once the body ended cleanly or ``ended`` was seen."""
        if not self._decoder.ended:
            try:
                frames = self._framer.finish()
            except TooLargeError as exc:
                raise self._named(exc) from exc
            for frame in frames:
                yield from self._last(self._decoder.feed(frame))
        yield from self._last(self._explain_stray(headers))
        try:
            yield from self._last(self._decoder.close())
        except ProviderError:
            yield from self.rest()
            raise
        yield from self.rest()

    def _last(self, events: Iterable[Event]) -> Iterator[Event]:
        """Events of the end, where no half of a pair is waited for any more."""
        for event in events:
            if isinstance(event, TextChunk | ReasoningChunk):
                text = well_formed(self._half + event.text)
                self._half = ""
                if self._hiding is not None:
                    text = self._hiding.piece(event.type, text)
                    if not text:
                        continue
                event = event._replace(text=text)  # noqa: PLW2901 -- put right
            elif self._hiding is not None:
                yield from self._before(event)
                event = self._hiding.whole(event)  # noqa: PLW2901 -- likewise
            if self._half and event.type == "stream-end":
                self._half = ""
                yield TextChunk("\ufffd")
            yield from self._begin(event)
            yield event

    def _named(self, error: TooLargeError) -> TooLargeError:
        """The error with the host in front: the readers know none."""
        return TooLargeError(f"{self._settings.host} {error.message}")

    def _explain_stray(self, headers: Headers) -> list[Event]:
        """What a body means that was no stream, or came beside it.

        That is a whole reply as one JSON value, whose events are given. Raises what else it is: a
        web page, or a bare JSON error; beside a stream only an error counts.
        """
        stray = self._framer.stray
        if not stray.strip():
            return []
        settings = self._settings
        payload = parse(stray)
        if payload is None:
            payload = http_errors.error_field(stray)
        if self._visible or self._decoder.ended:
            if isinstance(payload, dict) and payload.get("error"):
                told = self._dialect.error(200, headers, payload, settings)
                if told is not None:
                    raise told
            return []
        page = http_errors.page_error(settings.host, 200, headers, stray)
        if page is not None:
            raise page
        told = self._dialect.error(200, headers, payload, settings)
        if told is not None:
            raise told
        if isinstance(payload, dict):
            events = list(self._decoder.feed(SSEFrame("message", stray, "", None)))
            if self._is_over():
                return events
        message = http_errors.message_in(payload)
        if not message:
            readable = stray.isprintable() or stray.replace("\n", "").isprintable()
            message = words(stray, 80) if readable else "binary data"
        raise BadReplyError(f"{settings.host} sent no stream but: {message}", status=200)

    def refusal(
        self,
        status: int,
        headers: Headers,
        body: bytes,
        request: HttpRequest,
        forwarder: str = "",
    ) -> ProviderError:
        """The error that a status other than 200 is. ``forwarder``: a proxy that may send it."""
        settings = self._settings
        text = body.decode("utf-8", "replace")
        page = http_errors.page_error(settings.host, status, headers, text)
        if page is not None:
            return page
        payload = http_errors.payload_of(body)
        own = self._dialect.error(status, headers, payload, settings)
        now = time.time()
        if own is None:
            return http_errors.explain(
                settings.host, request, status, headers, body, now, forwarder, settings
            )
        if isinstance(own, RateLimitError):
            if own.retry_after is None:
                own.retry_after = http_errors.retry_after(headers, now)
            if own.retry_after:
                own.retryable = own.retryable and own.retry_after <= http_errors.MAX_WAIT
                again = f"try again in {duration(own.retry_after)}"
                own.hint = again if own.hint in (None, own.usual_hint) else f"{again}; {own.hint}"
        return own


@contextmanager
def _discreet(request: HttpRequest) -> Iterator[None]:
    """Keep the request's credentials out of errors: services echo them."""
    try:
        yield
    except ProviderError as error:
        secrets = secrets_in(request.headers, request.url)
        error.message = mask_known(mask(error.message, secrets))
        error.hint = mask_known(mask(error.hint, secrets)) if error.hint else error.hint
        raise


def _hiding(settings: ProviderSettings) -> Hiding | None:
    """What is to be hidden in this provider's replies; None where it is sent no credentials."""
    if settings.key is None and not settings.headers:
        return None
    from darkai_cli.providers.hiding import Hiding

    return Hiding.of(settings)


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

    def __init__(
        self, dialect: Dialect, settings: ProviderSettings, link: ConnectionConfig
    ) -> None:
        self.name = settings.name
        self.settings = settings
        self._dialect = dialect
        self._link = link
        self._told = ""

    def request(self, chat: ChatRequest) -> HttpRequest:
        """What would be sent."""
        return self._dialect.request(chat, self.settings)

    def prepare(self) -> None:
        """Connect ahead of the next request, if the connection is one that is kept."""
        if self._link.session is not None:
            self._link.session.prepare(self._link, self.settings.url)

    def stream(self, chat: ChatRequest) -> Generator[Event, None, None]:
        """The reply. Raises ``ProviderError`` and its kin."""
        request = self.request(chat)
        yield from self._notices(request)
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
        link = self._link
        begun = link.head_start(request.url)  # before the import, and beside it
        from darkai_cli.http import client

        reader = ReplyReader(self._dialect, self.settings, chat)
        with (
            _discreet(request),
            client.send(
                link, request.method, request.url, request.headers, request.body, begun=begun
            ) as exchange,
        ):
            if exchange.status != 200:
                raise reader.refusal(
                    exchange.status,
                    exchange.headers,
                    exchange.read(),
                    request,
                    exchange.forwarder,
                )
            watch = exchange.watch
            try:
                for data in exchange.chunks():
                    yield from reader.feed(data, watch)
                    if reader.ended:
                        break
                    if reader.linger is not None:
                        watch.linger(reader.linger)
            except ProviderError as error:
                yield from reader.rest()
                lost = isinstance(error, ReplyTimeoutError | NetworkError)
                if reader.linger is None or not lost:  # else the end was seen, nothing is missing
                    raise
            yield from reader.finish(exchange.headers)

    def _notices(self, request: HttpRequest) -> Iterator[Notice]:
        """What is to be told about the request, once: it may be sent several times."""
        if request.notice != self._told:
            self._told = request.notice
            yield Notice("warning", request.notice)

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
        from darkai_cli.providers import lists

        hiding = _hiding(self.settings)
        found = lists.models(self._dialect, self.settings, self._answer)
        return map(hiding.whole, found) if hiding else found

    def about(self, model: ModelInfo) -> ModelInfo:
        """What the service tells of one model beyond its list; ``model`` where that is nothing.

        Raises ``ProviderError`` and its kin.
        """
        from darkai_cli.providers import lists

        found = lists.about(self._dialect, self.settings, self._answer, model)
        hiding = _hiding(self.settings)
        return hiding.whole(found) if hiding else found

    def _answer(self, request: HttpRequest) -> Any:
        """The JSON value that answers a request which is no question."""
        from darkai_cli.http import client
        from darkai_cli.providers import lists

        with (
            _discreet(request),
            client.send(
                self._link, request.method, request.url, request.headers, request.body
            ) as exchange,
        ):
            if exchange.status == 200:
                return lists.payload(exchange, self.settings)
            reader = ReplyReader(self._dialect, self.settings, ChatRequest((), ""))
            raise reader.refusal(
                exchange.status, exchange.headers, exchange.read(), request, exchange.forwarder
            )

    async def astream(self, chat: ChatRequest) -> AsyncGenerator[Event, None]:
        """The same as ``stream``, for asyncio and trio."""
        request = self.request(chat)
        for notice in self._notices(request):
            yield notice
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
        from darkai_cli.http import client

        async with client.asend(
            self._link, request.method, request.url, request.headers, request.body
        ) as exchange:
            if exchange.status != 200:
                body = await exchange.aread()
                raise reader.refusal(
                    exchange.status, exchange.headers, body, request, exchange.forwarder
                )
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
            except ProviderError as error:
                for event in reader.rest():
                    yield event
                lost = isinstance(error, ReplyTimeoutError | NetworkError)
                if reader.linger is None or not lost:  # else the end was seen, nothing is missing
                    raise
            for event in reader.finish(exchange.headers):
                yield event
