"""The contracts between a service and the rest: dialect, decoder, provider, and what they exchange.

A *dialect* is a wire format: it does no I/O and keeps no state between replies. A *provider* is a
configured source of replies. Dialect files import this module, ``events``, ``messages`` and
``errors``, and nothing else of ours.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal, NamedTuple, Protocol, TypeAlias

from darkai_cli.errors import ProviderError
from darkai_cli.events import Event
from darkai_cli.messages import ChatRequest
from darkai_cli.wire.sse import SSEFrame

Frame: TypeAlias = SSEFrame
"""A unit of the stream: an SSE event, one of its data lines, or an NDJSON line."""

Framing = Literal["sse", "sse-lines", "ndjson"]
Headers: TypeAlias = Mapping[str, str]
"""Response headers, names in lower case."""


class HttpRequest(NamedTuple):
    """One HTTP request, ready to send."""

    url: str
    headers: Mapping[str, str]
    body: bytes
    method: str = "POST"


class ProviderSettings(NamedTuple):
    """What the configuration says about one provider."""

    name: str
    type: str
    url: str
    default_model: str
    models: tuple[str, ...] = ()
    aliases: Mapping[str, str] = {}
    headers: Mapping[str, str] = {}

    @property
    def host(self) -> str:
        """The service's host, for messages; the provider's name where there is no URL."""
        rest = self.url.partition("://")[2].partition("/")[0].rpartition("@")[2]
        if rest.startswith("["):
            return rest[1:].partition("]")[0]
        return rest.partition(":")[0] or self.name


class ModelInfo(NamedTuple):
    """A model that a provider offers."""

    name: str
    aliases: tuple[str, ...] = ()


class Decoder(Protocol):
    """One reply's frames, turned into events.

    Both methods raise ``ProviderError`` for an error that the service sent. ``ended`` turns true
    when the protocol's own end mark was seen: nothing more needs to be read then. ``linger`` is set
    where it was seen but more may be worth waiting for, at most that many seconds.
    """

    ended: bool
    linger: float | None

    def feed(self, frame: Frame) -> Iterable[Event]:
        """The events of one frame."""
        ...

    def close(self) -> Iterable[Event]:
        """The last events, after ``ended`` or a clean end of the body.

        Raises ``ProviderError`` if the reply cannot count as complete.
        """
        ...


class Dialect(Protocol):
    """A wire format."""

    framing: Framing

    def request(self, chat: ChatRequest, settings: ProviderSettings) -> HttpRequest:
        """The request that asks for ``chat``."""
        ...

    def decoder(self, settings: ProviderSettings) -> Decoder:
        """A fresh decoder, for one reply."""
        ...

    def error(
        self, status: int, headers: Headers, payload: Any, settings: ProviderSettings
    ) -> ProviderError | None:
        """What an error means in this service's own terms; None leaves it to the usual explanation.

        ``payload``: the body's JSON value, None if it is no JSON. ``status`` may be 200: some
        services send a bare error in place of the stream.
        """
        ...


class Provider(Protocol):
    """A configured source of replies."""

    name: str

    def resolve(self, model: str | None) -> str:
        """The provider's own name for a model or alias; its default for None.

        Raises ``UnknownModelError``.
        """
        ...

    def stream(self, chat: ChatRequest) -> Iterator[Event]:
        """The reply, event by event. Closing the iterator closes the connection."""
        ...

    def models(self) -> Iterator[ModelInfo]:
        """What it offers."""
        ...
