"""The contracts between a service and the rest: dialect, decoder, provider, and what they exchange.

A *dialect* is a wire format: it does no I/O and keeps no state between replies. A *provider* is a
configured source of replies. Dialect files import this module, ``events``, ``messages`` and
``errors``, and nothing else of ours.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Literal, NamedTuple, Protocol, TypeAlias

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


class ModelInfo(NamedTuple):
    """A model that a provider offers."""

    name: str
    aliases: tuple[str, ...] = ()


class Decoder(Protocol):
    """One reply's frames, turned into events.

    Both methods raise ``ProviderError`` for an error the service sent. ``ended`` turns true when
    the protocol's own end mark was seen; nothing more needs to be read then.
    """

    ended: bool

    def feed(self, frame: Frame) -> Iterable[Event]:
        """The events of one frame."""
        ...

    def close(self, stray: str) -> Iterable[Event]:
        """The last events, after a clean end of the body, or after ``ended``.

        ``stray``: the lines of the body that were no frames (a web page, a bare JSON error), at
        most 64 KiB. Raises ``ProviderError`` if the reply cannot count as complete.
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
        self, status: int, headers: Headers, body: bytes, settings: ProviderSettings
    ) -> ProviderError:
        """What a status other than 200 means."""
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
