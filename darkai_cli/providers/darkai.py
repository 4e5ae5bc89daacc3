"""The dialect of DarkAI: JSON messages, one per ``data:`` line of an SSE stream.

    data: {"event":"text-chunk","data":{"text":"Sure"}}
    data: {"event":"stream-end","data":{}}

Frames are line by line: each ``data:`` line whose JSON parses is a message, whether a blank line
follows or not; only a line that does not parse alone is joined with the next one, as SSE has it.

Sources: the public clients of this URL (gpt4free's, until 2025) and the farfalle server that the
service was forked from.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from darkai_cli.errors import (
    InputError,
    ProviderError,
    RateLimitError,
    ServiceError,
    UsageError,
)
from darkai_cli.events import Event, Notice, StreamEnd, TextChunk
from darkai_cli.messages import ChatRequest, Message
from darkai_cli.providers.base import (
    Dialect,
    Frame,
    Framing,
    HttpRequest,
    ProviderSettings,
)
from darkai_cli.providers.dialect import ReplyDecoder, bearer, body, dicts, headers, parse, words
from darkai_cli.text import one_line, plural

HEADERS = {
    "accept": "text/event-stream",
    "content-type": "application/json",
    "user-agent": (
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
        "Chrome/127.0.0.0 Safari/537.36"
    ),
}

AFTER_END = 1.0
"""Seconds to read on after ``stream-end`` if no text came: ``final-response`` may follow."""

MAX_JOINED = 32
"""The most ``data:`` lines that are joined to one message."""


def format_prompt(
    messages: Sequence[Message],
    add_special_tokens: bool = False,
    do_continue: bool = False,
    include_system: bool = True,
) -> str:
    r"""Return the conversation as the one text that DarkAI takes.

    A single message is its content, verbatim. Otherwise ``Role: content`` lines, and
    ``Assistant:`` at the end unless ``do_continue``.

    >>> format_prompt([Message("system", "Be brief"), Message("user", "Hi")])
    'System: Be brief\nUser: Hi\nAssistant:'

    Raises ``InputError`` if there is no message.
    """
    if not messages:
        raise InputError("There are no messages to send")
    if len(messages) == 1 and not add_special_tokens:
        return messages[0].content
    lines = [
        f"{message.role.capitalize()}: {message.content}"
        for message in messages
        if include_system or message.role != "system"
    ]
    text = "\n".join(lines)
    return text if do_continue else f"{text}\nAssistant:"


class DarkAIDialect(Dialect):
    """The DarkAI wire format."""

    framing: Framing = "sse-lines"

    def request(self, chat: ChatRequest, settings: ProviderSettings) -> HttpRequest:
        """Return the request: ``{"query", "model"}``, and the options as further fields."""
        options = {**settings.options, **chat.options}
        reserved = sorted({"query", "model"} & options.keys())
        if reserved:
            raise UsageError(
                f"The option `{reserved[0]}` is set by darkai itself",
                hint="Give the prompt as an argument, the model with `-m NAME`",
            )
        notice = _notice_of_images(chat.messages, settings)
        # A conversation that ends with the assistant is a reply to be continued.
        resumed = chat.messages[-1:] != () and chat.messages[-1].role == "assistant"
        query = format_prompt(chat.messages, do_continue=resumed)
        key = {} if settings.key is None else bearer(settings)
        return HttpRequest(
            settings.url,
            headers(settings, HEADERS, key),
            body({"query": query, "model": chat.model, **options}),
            notice=notice,
        )

    def decoder(self, settings: ProviderSettings) -> DarkAIDecoder:
        """Return a new decoder."""
        return DarkAIDecoder(settings)

    def error(self, status: int, payload: Any, settings: ProviderSettings) -> ProviderError | None:
        """Return DarkAI's own errors: ``{"detail": ...}``, and a 429 that is not retryable.

        The service blocks an address after 20 violations of its limits (4 a minute, 30 in
        30 minutes, 80 in 6 hours), so that a retry would make things worse.
        """
        host = settings.host
        if status == 429:
            return RateLimitError(
                f"Rate limited by {host}",
                hint="DarkAI allows 4 requests a minute, 30 in 30 minutes, 80 in 6 hours",
                status=status,
            )
        if not isinstance(payload, dict):
            return None
        detail = payload.get("detail")
        if status == 422 and isinstance(detail, list):
            return _invalid(detail, settings)
        if status == 200 and payload:
            data = payload.get("data")
            return ServiceError(_detail(data if isinstance(data, dict) else payload, host))
        return None


def _notice_of_images(messages: Sequence[Message], settings: ProviderSettings) -> str:
    """Return the notice about images of earlier messages, which are left out; "" for none.

    Raises ``InputError`` for images of the last message, which the prompt is about.
    """
    if messages and messages[-1].images:
        raise InputError(
            f"`{settings.name}` doesn't accept images",
            hint="Use a provider that does: `-p NAME`; see `darkai models`",
        )
    count = sum(len(message.images) for message in messages)
    if not count:
        return ""
    what = plural(count, "image")
    return f"`{settings.name}` doesn't accept images: left out {what} of earlier messages"


class DarkAIDecoder(ReplyDecoder):
    """One DarkAI reply."""

    def __init__(self, settings: ProviderSettings) -> None:
        super().__init__(settings, "a DarkAI service")
        self._pending: list[str] = []
        self._final = ""
        self._end_seen = False

    def feed(self, frame: Frame) -> Iterable[Event]:
        """Return the events of one ``data:`` line. Raises ``ServiceError`` for an error in it."""
        data = frame.data
        if not frame.event:  # the end of a block
            self._drop_pending()
            return ()
        if not data or data.isspace():
            return ()
        message = parse(data)
        if message is None:
            if data.startswith("[DONE]"):
                self._see_end()
                return ()
            message = self._join(data)
            if message is None:
                return ()
        elif self._pending:
            self._drop_pending()
        return self._handle(message, frame.event)

    def _join(self, data: str) -> Any:
        self._pending.append(data)
        if len(self._pending) > 1:
            message = parse("\n".join(self._pending))
            if message is not None:
                self._pending.clear()
                return message
            if len(self._pending) >= MAX_JOINED:
                self._drop_pending()
        return None

    def _drop_pending(self) -> None:
        if self._pending:
            self._pending.clear()
            self._unreadable.add()

    def _handle(self, message: Any, sse_event: str) -> Iterable[Event]:
        if not isinstance(message, dict):
            self._unreadable.add()
            return ()
        name = message.get("event")
        data = message.get("data")
        if name == "text-chunk":
            self._unreadable.reset()
            text = data.get("text") if isinstance(data, dict) else None
            return self._text_chunk(text)
        if name == "error" or sse_event == "error" or (name is None and "error" in message):
            raise ServiceError(_detail(data if isinstance(data, dict) else message, self._host))
        self._unreadable.reset()
        if name == "stream-end":
            self._see_end()
        elif name == "final-response" and isinstance(data, dict):
            final = data.get("message")
            self._final = final if isinstance(final, str) else ""
            if self._end_seen:
                self.ended = True
        elif name == "search-results" and isinstance(data, dict):
            results = dicts(data.get("results"))
            return [citation for row in results for citation in self._citation(row)]
        return ()

    def _see_end(self) -> None:
        self._end_seen = True
        if self._text or self._final:
            self.ended = True
        else:
            self.drain_seconds = AFTER_END

    def close(self) -> Iterator[Event]:
        """Yield the last events. Raises ``ProviderError`` if nothing came."""
        self._drop_pending()
        if not self._text and self._final:
            self._text = True
            yield TextChunk(self._final)
        if self._unreadable.total and not self._text:
            raise self._unreadable.error()
        yield from self._unreadable.notices()
        if self._end_seen:
            yield from self._end("stop")
            return
        if not self._text:
            raise ServiceError(
                f"{self._host} sent an empty reply", hint="Try again", retryable=True
            )
        yield Notice("warning", "The service ended the reply without `stream-end`")
        yield StreamEnd("eof")


def _detail(data: dict[str, Any], host: str) -> str:
    """Return the message of an error, at most 200 characters."""
    for key in ("detail", "error", "message"):
        value = data.get(key)
        if isinstance(value, dict):
            value = value.get("message") or value.get("detail")
        if isinstance(value, str) and value.strip():
            return f"{host}: {words(value)}"
    return f"{host} reported an error without details"


def _invalid(detail: list[Any], settings: ProviderSettings) -> ProviderError:
    first = detail[0] if detail and isinstance(detail[0], dict) else {}
    loc = first.get("loc")
    where = [str(part) for part in loc if part != "body"] if isinstance(loc, list) else []
    field = ".".join(where)[:60] or "?"
    text = one_line(str(first.get("msg", "not valid")), 200)
    hint = "It may not know one of your options (`-o`)"
    if "model" in where:
        listed = f"; its models are {', '.join(settings.models)}" if settings.models else ""
        hint = f"Choose another model: `-m NAME`{listed}"
    return ServiceError(
        f"{settings.host} rejected the field `{field}`: {text}",
        hint=hint,
        status=422,
    )
