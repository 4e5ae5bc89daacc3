"""The contracts between a dialect and the rest of darkai, and the values that they exchange.

A *provider* is a configured service, such as ``openai``. A *dialect* is a wire format, such as
OpenAI's chat completions: it does no I/O and keeps no state between replies. Dialect files import
this module, ``dialect``, the other files of their own format, ``events``, ``messages`` and
``errors``, and nothing else of darkai.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, NamedTuple, Protocol, TypeAlias

from darkai_cli.errors import ProviderError
from darkai_cli.events import Event, Usage
from darkai_cli.http.sse import SSEFrame
from darkai_cli.messages import ChatRequest
from darkai_cli.secrets import Secret

Frame: TypeAlias = SSEFrame
"""A unit of the stream: an SSE event, one of its data lines, or an NDJSON line."""

Framing = Literal["sse", "sse-lines", "ndjson"]
Headers: TypeAlias = Mapping[str, str]
"""Response headers, names in lower case."""


Fields: TypeAlias = dict[str, Any]
"""The fields of a request's JSON body."""


class HttpRequest(NamedTuple):
    """One HTTP request, ready to send. ``notice``: what the user should know about it, or ""."""

    url: str
    headers: Mapping[str, str]
    body: bytes
    method: str = "POST"
    notice: str = ""


class Quirks(NamedTuple):
    """How a service differs from the one that its dialect is named after.

    ``usage``: it accepts ``stream_options``. ``limit``: the field that limits a reply's length.
    ``key_header``: the header that holds the bare key, in place of the dialect's own.
    ``models_path``: where it lists its models, "" if it does not. ``strict``: all its options are
    known, so that others are refused before they are sent. ``query``: a query string for each URL.
    ``resume``: what makes it continue a reply that was cut off: the field ``prefix`` (Mistral's) or
    ``continue`` (vLLM's), ``ask`` for a request in words, "" if seeing the reply is enough.
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

    ``url``: the base URL, to which the dialect adds its paths. ``key_env``: the environment
    variables of its key; the first that is set counts. ``key_needed``: it requires a key.
    ``options``: sent with each request unless the user sets others. ``key``: filled in right before
    a request, bound to the origin of ``url``. ``local``: it runs on the user's own machine.
    ``context``: the size of its models' context window in tokens, if the user set it.
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
        """Return the service's host for messages; the provider's name if it has no URL.

        A port other than the scheme's is included, as two servers on one machine differ in it.
        """
        scheme, _, rest = self.url.partition("://")
        place = rest.partition("/")[0].partition("?")[0].rpartition("@")[2]
        usual = ":443" if scheme.lower() == "https" else ":80"
        host = place.removesuffix(usual).removesuffix(":")
        if host.endswith("]"):  # IPv6 needs its brackets only before a port
            host = host.strip("[]")
        return host or self.name


class Target(NamedTuple):
    """Where a prompt goes: a provider and its own name for the model."""

    settings: ProviderSettings
    model: str


class ModelInfo(NamedTuple):
    """A model that a provider offers; None or empty is what the service does not say.

    ``context``, ``output``: the most tokens of a whole conversation and of a reply. ``takes``,
    ``gives``: kinds of input and output, such as ``text`` and ``image``. ``price_in``,
    ``price_out``: US dollars for a million tokens. ``created``: seconds since the epoch.
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

    def cost(self, usage: Usage | None) -> float | None:
        """Return the price of a reply in US dollars; None if tokens or prices are not known.

        What was read from the service's cache is counted at the full price, so that the true cost
        may be lower.
        """
        if usage is None or usage.input is None or usage.output is None:
            return None
        if self.price_in is None or self.price_out is None:
            return None
        return (usage.input * self.price_in + usage.output * self.price_out) / 1_000_000


class Decoder(Protocol):
    """Turns the frames of one reply into events.

    ``ended`` becomes true at the protocol's own end mark: nothing more needs to be read.
    ``drain_seconds`` is set where the end mark was seen but more is worth waiting for, at most that
    many seconds. Both methods raise ``ProviderError`` for an error that the service sent.
    """

    ended: bool
    drain_seconds: float | None

    def feed(self, frame: Frame) -> Iterable[Event]:
        """Return the events of one frame."""
        ...

    def close(self) -> Iterable[Event]:
        """Return the last events, after ``ended`` or a clean end of the body.

        Raises ``ProviderError`` if the reply cannot count as complete.
        """
        ...


class Dialect(Protocol):
    """A wire format. By default a service amends nothing, lists no models and details none."""

    framing: Framing

    def request(self, chat: ChatRequest, settings: ProviderSettings) -> HttpRequest:
        """Return the request for a streamed reply."""
        ...

    def decoder(self, settings: ProviderSettings) -> Decoder:
        """Return a new decoder, for one reply."""
        ...

    def error(self, status: int, payload: Any, settings: ProviderSettings) -> ProviderError | None:
        """Return the error in this service's terms; None to leave it to ``http_errors``.

        ``payload``: the body's JSON value, None if it is no JSON. ``status`` may be 200: some
        services send a bare error in place of the stream.
        """
        ...

    def amend(self, fields: Fields, chosen: Sequence[str], message: str) -> Fields | None:  # noqa: ARG002
        """Return a request's fields without what a 400 or 422 refused; None if that is unknown.

        ``fields``: the body of the request, which may be changed. ``chosen``: the options that the
        user set. ``message``: the service's error message. The fields are sent once, at once.
        """
        return None

    def models_request(self, settings: ProviderSettings, page: str = "") -> HttpRequest | None:  # noqa: ARG002
        """Return the request for a page of the list of models; None if there is no list.

        ``page``: the mark of the page, "" for the first.
        """
        return None

    def models(self, payload: Any) -> tuple[Sequence[ModelInfo], str]:  # noqa: ARG002
        """Return the models of a page, and the mark of the next page or "".

        Raises ``BadReplyError`` if the payload is no list of models.
        """
        return (), ""

    def about_request(self, model: str, settings: ProviderSettings) -> HttpRequest | None:  # noqa: ARG002
        """Return the request for the details of a model; None if the list says all."""
        return None

    def about(self, payload: Any, model: ModelInfo) -> ModelInfo:  # noqa: ARG002
        """Return ``model`` with what the payload adds."""
        return model


def format_dollars(dollars: float) -> str:
    """Return an amount in as many digits as matter: ``$0.0042``, ``$1.30``, ``free``."""
    if dollars == 0:
        return "free"
    if dollars >= 1:
        return f"${dollars:,.2f}"
    if dollars < 0.0001:
        return "under $0.0001"
    return f"${dollars:.4f}"
