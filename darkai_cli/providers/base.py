"""The contracts between a service and the rest: dialect, decoder, provider, and what they exchange.

A *dialect* is a wire format: it does no I/O and keeps no state between replies. A *provider* is a
configured source of replies. Dialect files import this module, ``decoding``, the other files of
their own format, ``events``, ``messages`` and ``errors``, and nothing else of ours.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple, Protocol, TypeAlias, runtime_checkable

from darkai_cli.errors import ProviderError
from darkai_cli.events import Event
from darkai_cli.http.sse import SSEFrame
from darkai_cli.messages import ChatRequest
from darkai_cli.secrets import Secret

Frame: TypeAlias = SSEFrame
"""A unit of the stream: an SSE event, one of its data lines, or an NDJSON line."""

Framing = Literal["sse", "sse-lines", "ndjson"]
Headers: TypeAlias = Mapping[str, str]
"""Response headers, names in lower case."""


class HttpRequest(NamedTuple):
    """One HTTP request, ready to send. ``notice``: what the user should know about it, or ""."""

    url: str
    headers: Mapping[str, str]
    body: bytes
    method: str = "POST"
    notice: str = ""


class Quirks(NamedTuple):
    """Where a service departs from the one that its dialect is named after.

    ``usage``: it takes ``stream_options``. ``limit``: the field that limits a reply's length.
    ``key_header``: the header that holds the bare key, in place of the dialect's own.
    ``models_path``: where it lists its models, "" where it does not. ``strict``: its options are
    known, so that others are refused before they are sent. ``query``: a query string for each URL.
    ``resume``: how it is told to go on with a reply that was cut, beyond being shown it: ``prefix``
    and ``continue`` are fields (Mistral's, vLLM's), ``ask`` says it in words.
    """

    usage: bool = True
    limit: str = ""
    key_header: str = ""
    models_path: str | None = None
    strict: bool = False
    query: str = ""
    resume: Literal["", "prefix", "continue", "ask"] = ""


class ProviderSettings(NamedTuple):
    """What the catalog and the configuration say about one provider.

    ``url``: the base, below which the dialect finds its paths. ``key_env``: the usual environment
    variables of its key, the first that is set counts. ``key_needed``: it answers nobody without
    one. ``options``: sent with each request, unless the user says otherwise. ``key``: filled in
    where a request is about to be made, bound to the origin of ``url``. ``local``: it runs on the
    user's own machine. ``context``: the tokens that its models take, where the user says so.
    """

    name: str
    type: str
    url: str
    default_model: str
    models: tuple[str, ...] = ()
    aliases: Mapping[str, str] = {}
    headers: Mapping[str, str] = {}
    key_env: tuple[str, ...] = ()
    key_needed: bool = False
    options: Mapping[str, Any] = {}
    quirks: Quirks = Quirks()
    key: Secret | None = None
    local: bool = False
    context: int | None = None

    @property
    def host(self) -> str:
        """The service's host, for messages; with its port, where the scheme has another.

        Two servers on one machine differ in nothing else. The provider's name where there is no
        URL.
        """
        scheme, _, rest = self.url.partition("://")
        place = rest.partition("/")[0].partition("?")[0].rpartition("@")[2]
        usual = ":443" if scheme.lower() == "https" else ":80"
        host = place.removesuffix(usual).removesuffix(":")
        if host.endswith("]"):  # IPv6 needs its brackets only before a port
            host = host.strip("[]")
        return host or self.name


class Target(NamedTuple):
    """Who is asked: a provider and its own name for the model."""

    settings: ProviderSettings
    model: str


class ModelInfo(NamedTuple):
    """A model that a provider offers; None or empty is what the service does not tell.

    ``context``, ``output``: the most tokens of a whole conversation and of a reply. ``takes``,
    ``gives``: modalities, such as ``text`` and ``image``. ``price_in``, ``price_out``: US dollars
    for a million tokens. ``created``: seconds since the epoch.
    """

    name: str
    aliases: tuple[str, ...] = ()
    title: str = ""
    context: int | None = None
    output: int | None = None
    takes: tuple[str, ...] = ()
    gives: tuple[str, ...] = ()
    price_in: float | None = None
    price_out: float | None = None
    created: int | None = None
    owner: str = ""


class Decoder(Protocol):
    """Turns the frames of one reply into events.

    ``ended`` becomes true at the protocol's own end mark: nothing more needs to be read.
    ``drain_seconds`` is set where the end mark was seen but more is worth waiting for, at most that
    many seconds. Both methods raise ``ProviderError`` for an error that the service sent.
    """

    ended: bool
    drain_seconds: float | None

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

    def amend(
        self, request: HttpRequest, chat: ChatRequest, settings: ProviderSettings, told: str
    ) -> HttpRequest | None:
        """The request without what a 400 or 422 refused, or None if there is no such way out.

        ``told``: the service's own words. It is sent at once, and only once.
        """
        ...

    def models_request(self, settings: ProviderSettings, page: str = "") -> HttpRequest | None:
        """The request for the list of models; None where there is none. ``page``: the next one."""
        ...

    def models(self, payload: Any) -> tuple[Sequence[ModelInfo], str]:
        """The models in an answer, and the mark of the next page, or "".

        Raises ``BadReplyError`` if it is no list of models.
        """
        ...


@runtime_checkable
class HasModelDetails(Protocol):
    """A dialect whose service tells more of one model than its list does."""

    def about_request(self, model: str, settings: ProviderSettings) -> HttpRequest:
        """The request that asks for it."""
        ...

    def about(self, payload: Any, model: ModelInfo) -> ModelInfo:
        """``model`` with what the answer adds."""
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
