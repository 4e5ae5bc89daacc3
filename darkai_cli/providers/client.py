"""A provider over HTTP: any dialect, with or without asyncio.

``HttpProvider`` sends requests and streams replies. ``ReplyReader`` does the part without I/O: it
takes the bytes of a response and gives the events of the reply, so that the synchronous and the
asynchronous driver only move bytes. An error raises; the events before it have been given out.
"""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Callable, Generator, Iterable, Iterator, Sequence
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
from darkai_cli.http.retry_after import retry_after
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
from darkai_cli.providers.dialect import body, parse, words
from darkai_cli.secrets import mask, mask_known, secrets_in
from darkai_cli.text import duration, file_size, well_formed

if TYPE_CHECKING:
    from darkai_cli.http.client import Exchange
    from darkai_cli.http.connection import ConnectionConfig
    from darkai_cli.http.ndjson import NDJSONDecoder
    from darkai_cli.http.timeouts import Deadline

MAX_BODY = 16 * 1024 * 1024
"""The largest reply or list of models, in decompressed bytes."""

MAX_PAGES = 50
"""Of one list of models."""

_TEXTS = (TextChunk, ReasoningChunk)

Framer: TypeAlias = "SSEDecoder | SSELineDecoder | NDJSONDecoder"


def _ndjson() -> NDJSONDecoder:
    from darkai_cli.http.ndjson import NDJSONDecoder

    return NDJSONDecoder()


_FRAMERS: dict[str, Callable[[], Framer]] = {
    "sse": SSEDecoder,
    "sse-lines": SSELineDecoder,
    "ndjson": _ndjson,
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
        """The first half of a UTF-16 pair that the service cut between two chunks."""

    @property
    def ended(self) -> bool:
        """Return whether the protocol's end mark was seen and nothing more is worth reading."""
        return self._decoder.ended

    @property
    def drain_seconds(self) -> float | None:
        """Return the seconds to read on after the end mark; None before it was seen."""
        return self._decoder.drain_seconds

    def feed(self, data: bytes, deadline: Deadline | None = None) -> Iterator[Event]:
        """Yield the events of the next bytes; ``deadline`` is told when text came.

        Raises ``ProviderError`` for an error in the stream.
        """
        decoder = self._decoder
        for frame in self._frames(data):
            for event in decoder.feed(frame):
                if isinstance(event, _TEXTS):
                    if self._half or not event.text.isascii():
                        text = self._whole_characters(event.text)
                        if not text:
                            continue
                        event = event._replace(text=text)  # noqa: PLW2901 -- the mended event
                    if deadline is not None:
                        deadline.on_content()
                        deadline = None  # once for all text that came together
                if not self._visible:
                    yield from self._begin(event)
                yield event
            if decoder.ended:
                return

    def _frames(self, data: bytes) -> list[Frame]:
        self._size += len(data)
        if self._size > MAX_BODY:
            raise _too_large(self._settings)
        try:
            return self._framer.feed(data)
        except TooLargeError as exc:
            raise self._with_host(exc) from exc

    def _whole_characters(self, text: str) -> str:
        """Return the text without a half character at its end, which waits for its other half."""
        text = self._half + text
        self._half = text[-1] if "\ud800" <= text[-1] <= "\udbff" else ""
        return well_formed(text[: len(text) - len(self._half)])

    def _begin(self, event: Event) -> Iterator[Event]:
        """Yield ``StreamStart`` if ``event`` is the first that belongs to the reply."""
        if not self._started and event.type != "notice":
            self._started = True
            yield self._start
        self._visible = isinstance(event, VISIBLE)

    def finish(self, headers: Headers) -> Iterator[Event]:
        """Yield the last events, once the body ended cleanly or ``ended`` is true.

        Raises ``ProviderError`` if the reply is not complete, or was no reply at all.
        """
        if not self._decoder.ended:
            try:
                frames = self._framer.finish()
            except TooLargeError as exc:
                raise self._with_host(exc) from exc
            for frame in frames:
                yield from self._last(self._decoder.feed(frame))
        yield from self._last(self._read_stray(headers))
        yield from self._last(self._decoder.close())

    def _last(self, events: Iterable[Event]) -> Iterator[Event]:
        """Yield events of the end, where no half character is waited for any more."""
        for event in events:
            if isinstance(event, _TEXTS):
                text = well_formed(self._half + event.text)
                self._half = ""
                event = event._replace(text=text)  # noqa: PLW2901 -- the mended event
            elif self._half and event.type == "stream-end":
                yield from self._last([TextChunk("")])
            if not self._visible:
                yield from self._begin(event)
            yield event

    def _with_host(self, error: TooLargeError) -> TooLargeError:
        """Return the error of a framer, which knows no host, with the host in front."""
        return TooLargeError(f"{self._settings.host} {error.message}")

    def _read_stray(self, headers: Headers) -> list[Event]:
        """Return the events of a body that was no stream but one whole JSON reply.

        Raises ``ProviderError`` for anything else that came in place of a stream, such as a web
        page or a bare JSON error. Beside a stream that had text only an error counts.
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
                error = self._dialect.error(200, payload, settings)
                if error is not None:
                    raise error
            return []
        page = http_errors.page_error(settings.host, 200, headers, stray)
        if page is not None:
            raise page
        error = self._dialect.error(200, payload, settings)
        if error is not None:
            raise error
        if isinstance(payload, dict):
            decoder = self._decoder
            events = list(decoder.feed(SSEFrame("message", stray, "", None)))
            if decoder.ended or decoder.drain_seconds is not None:
                return events
        message = http_errors.message_in(payload)
        if not message:
            readable = stray.isprintable() or stray.replace("\n", "").isprintable()
            message = words(stray, 80) if readable else "binary data"
        raise BadReplyError(f"{settings.host} didn't send a stream but: {message}", status=200)

    def refusal(
        self,
        status: int,
        headers: Headers,
        body: bytes,
        request: HttpRequest,
        forwarder: str = "",
    ) -> ProviderError:
        """Return the error that a status other than 200 means.

        ``forwarder``: the proxy that may have answered in place of the service, or "".
        """
        settings = self._settings
        text = body.decode("utf-8", "replace")
        page = http_errors.page_error(settings.host, status, headers, text)
        if page is not None:
            return page
        payload = http_errors.payload_of(body)
        error = self._dialect.error(status, payload, settings)
        now = time.time()
        if error is None:
            return http_errors.explain(
                settings.host, request, status, headers, body, now, forwarder, settings
            )
        if isinstance(error, RateLimitError):
            _add_wait(error, headers, now)
        return error


def _add_wait(error: RateLimitError, headers: Headers, now: float) -> None:
    """Add to a dialect's rate limit error what ``Retry-After`` says."""
    if error.retry_after is None:
        error.retry_after = retry_after(headers.get("retry-after", ""), now)
    if error.retry_after:
        error.retryable = error.retryable and error.retry_after <= http_errors.MAX_WAIT
        again = f"Try again in {duration(error.retry_after)}"
        error.hint = again if error.hint in (None, error.default_hint) else f"{again}; {error.hint}"


@contextmanager
def _masked_errors(request: HttpRequest) -> Iterator[None]:
    """Mask the request's credentials in errors: services echo them."""
    try:
        yield
    except ProviderError as error:
        secrets = secrets_in(request.headers, request.url)
        error.message = mask_known(mask(error.message, secrets))
        error.hint = mask_known(mask(error.hint, secrets)) if error.hint else error.hint
        raise


class HttpProvider:
    """A configured service behind a dialect."""

    def __init__(
        self, dialect: Dialect, settings: ProviderSettings, connection: ConnectionConfig
    ) -> None:
        self.name = settings.name
        self.settings = settings
        self._dialect = dialect
        self._connection = connection
        self._last_notice = ""

    def request(self, chat: ChatRequest) -> HttpRequest:
        """Return the request that ``stream`` sends."""
        return self._dialect.request(chat, self.settings)

    def prepare(self) -> None:
        """Connect ahead of the next request, if connections are kept."""
        if self._connection.pool is not None:
            self._connection.pool.prepare(self._connection, self.settings.url)

    def stream(self, chat: ChatRequest) -> Generator[Event, None, None]:
        """Yield the reply, event by event. Raises ``ProviderError`` or a subclass."""
        request = self.request(chat)
        yield from self._notices(request)
        try:
            yield from self._receive(request, chat)
        except ProviderError as error:
            amended = self._amend(error, request, chat)
            if amended is None:
                raise
        else:
            return
        yield from self._receive(amended, chat)

    def _receive(self, request: HttpRequest, chat: ChatRequest) -> Generator[Event, None, None]:
        connection = self._connection
        # The connection begins before httpx is imported, and is made in the meantime.
        head_start = connection.head_start(request.url)
        from darkai_cli.http import client

        with (
            _masked_errors(request),
            client.send(
                connection,
                request.method,
                request.url,
                request.headers,
                request.body,
                head_start=head_start,
            ) as exchange,
        ):
            reader = ReplyReader(self._dialect, self.settings, chat)
            if exchange.status != 200:
                raise reader.refusal(
                    exchange.status,
                    exchange.headers,
                    exchange.read(),
                    request,
                    exchange.forwarder,
                )
            deadline = exchange.deadline
            try:
                for data in exchange.chunks():
                    yield from reader.feed(data, deadline)
                    if reader.ended:
                        break
                    if reader.drain_seconds is not None:
                        deadline.drain_for(reader.drain_seconds)
            except ProviderError as error:
                if not _is_complete(reader, error):
                    raise
            yield from reader.finish(exchange.headers)

    def _notices(self, request: HttpRequest) -> Iterator[Notice]:
        """Yield the request's notice, once: it may be sent several times."""
        if request.notice != self._last_notice:
            self._last_notice = request.notice
            yield Notice("warning", request.notice)

    def _amend(
        self, error: ProviderError, request: HttpRequest, chat: ChatRequest
    ) -> HttpRequest | None:
        """Return the request without what the service refused, if the dialect knows how."""
        if error.status not in (400, 422):
            return None
        return amended(
            self._dialect, request, [*self.settings.options, *chat.options], error.message
        )

    def models(self) -> Iterator[ModelInfo]:
        """Yield the models that the service lists; nothing where it has no list.

        Raises ``ProviderError`` or a subclass.
        """
        page = ""
        for _ in range(MAX_PAGES):
            request = self._dialect.models_request(self.settings, page)
            if request is None:
                return
            payload = self._fetch_json(request)
            try:
                models, page = self._dialect.models(payload)
            except BadReplyError as error:
                raise self._no_list() from error
            yield from models
            if not page:
                return

    def about(self, model: ModelInfo) -> ModelInfo:
        """Return ``model`` with what the service says of it beyond its list.

        Raises ``ProviderError`` or a subclass.
        """
        request = self._dialect.about_request(model.name, self.settings)
        return self._dialect.about(self._fetch_json(request), model) if request else model

    def _fetch_json(self, request: HttpRequest) -> Any:
        """Return the JSON value of the answer to a request that is no prompt."""
        from darkai_cli.http import client

        with (
            _masked_errors(request),
            client.send(
                self._connection, request.method, request.url, request.headers, request.body
            ) as exchange,
        ):
            if exchange.status != 200:
                reader = ReplyReader(self._dialect, self.settings, ChatRequest((), ""))
                raise reader.refusal(
                    exchange.status, exchange.headers, exchange.read(), request, exchange.forwarder
                )
            text = self._read_text(exchange)
            page = http_errors.page_error(self.settings.host, 200, exchange.headers, text)
            if page is not None:
                raise page
            payload = parse(text)
            if payload is None:
                raise self._no_list()
            return payload

    def _read_text(self, exchange: Exchange) -> str:
        parts, size = [], 0
        for data in exchange.chunks():
            parts.append(data)
            size += len(data)
            if size > MAX_BODY:
                raise _too_large(self.settings)
        return b"".join(parts).decode("utf-8-sig", "replace")

    def _no_list(self) -> BadReplyError:
        return BadReplyError(f"{self.settings.host} sent no list of models")

    async def astream(self, chat: ChatRequest) -> AsyncGenerator[Event, None]:
        """Yield what ``stream`` yields, for asyncio and trio."""
        request = self.request(chat)
        for notice in self._notices(request):
            yield notice
        try:
            async with aclosing(self._areceive(request, chat)) as events:
                async for event in events:
                    yield event
        except ProviderError as error:
            amended = self._amend(error, request, chat)
            if amended is None:
                raise
        else:
            return
        async with aclosing(self._areceive(amended, chat)) as events:
            async for event in events:
                yield event

    async def _areceive(
        self, request: HttpRequest, chat: ChatRequest
    ) -> AsyncGenerator[Event, None]:
        from darkai_cli.http import client

        reader = ReplyReader(self._dialect, self.settings, chat)
        with _masked_errors(request):
            async with client.asend(
                self._connection, request.method, request.url, request.headers, request.body
            ) as exchange:
                if exchange.status != 200:
                    body = await exchange.aread()
                    raise reader.refusal(
                        exchange.status, exchange.headers, body, request, exchange.forwarder
                    )
                deadline = exchange.deadline
                try:
                    async with aclosing(exchange.achunks()) as chunks:
                        async for data in chunks:
                            for event in reader.feed(data, deadline):
                                yield event
                            if reader.ended:
                                break
                            if reader.drain_seconds is not None:
                                deadline.drain_for(reader.drain_seconds)
                except ProviderError as error:
                    if not _is_complete(reader, error):
                        raise
                for event in reader.finish(exchange.headers):
                    yield event


def amended(
    dialect: Dialect, request: HttpRequest, chosen: Sequence[str], message: str
) -> HttpRequest | None:
    """Return the request in the form that the dialect knows; None if there is none.

    ``chosen``: the options that the user set. ``message``: the service's error message.
    """
    fields = dialect.amend(parse(request.body.decode()), chosen, message)
    return None if fields is None else request._replace(body=body(fields))


def _is_complete(reader: ReplyReader, error: ProviderError) -> bool:
    """Return whether the reply had come to its end when the connection failed."""
    lost = isinstance(error, ReplyTimeoutError | NetworkError)
    return lost and reader.drain_seconds is not None


def _too_large(settings: ProviderSettings) -> TooLargeError:
    return TooLargeError(
        f"The reply of {settings.host} exceeded {file_size(MAX_BODY)} and was stopped"
    )
