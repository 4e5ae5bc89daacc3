"""The Python API: one-line questions, event streams, and the ``DarkAI`` class of older programs.

    darkai_cli.ask("tell me a joke")                          -> str
    for event in darkai_cli.stream("tell me a joke"): ...     -> events, see darkai_cli.events
    async for event in darkai_cli.astream("..."): ...
    async for text in DarkAI.create_async_generator(model="gpt-4o", messages=[...]): ...

``ask``, ``stream`` and ``astream`` follow the user's configuration, as the command does, but never
let another provider answer. ``DarkAI`` depends on nothing but its arguments and class attributes.
Every error is raised, typed, from ``darkai_cli.errors``.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing
from typing import (
    TYPE_CHECKING,
    Any,
    ClassVar,
    Concatenate,
    Generic,
    ParamSpec,
    TypeAlias,
    TypeVar,
)

from darkai_cli import stdio
from darkai_cli.errors import InputError, UnknownModelError, UsageError
from darkai_cli.events import Event, TextChunk
from darkai_cli.messages import ChatRequest, Message, from_dicts
from darkai_cli.providers import darkai
from darkai_cli.providers.base import Dialect, ProviderSettings
from darkai_cli.providers.catalog import BUILT_IN

if TYPE_CHECKING:
    from darkai_cli.conversation.request import TurnRequest
    from darkai_cli.http.connection import ConnectionConfig

_SERVICE = BUILT_IN["darkai"]

Messages: TypeAlias = Sequence[Mapping[str, Any]]
"""``[{"role": "user", "content": "Hi"}, ...]``; the content may be OpenAI's list of parts."""

AsyncResult: TypeAlias = AsyncGenerator[str, None]
"""What ``create_async_generator`` returns: the pieces of the reply's text."""

P = ParamSpec("P")
R = TypeVar("R")


class _ClassOrInstanceMethod(Generic[P, R]):
    """A method of the class and of its instances, whose first argument is either."""

    def __init__(self, function: Callable[Concatenate[Any, P], R]) -> None:
        self._function = function
        self.__doc__ = function.__doc__

    def __get__(self, instance: object | None, owner: type) -> Callable[P, R]:
        subject = owner if instance is None else instance

        def bound(*args: P.args, **kwargs: P.kwargs) -> R:
            return self._function(subject, *args, **kwargs)

        bound.__doc__ = self.__doc__
        return bound


class ProviderModelMixin:
    """Model names: a default, a list and aliases."""

    default_model: str = ""
    models: Sequence[str] = ()
    model_aliases: Mapping[str, str] = {}

    def __init__(self, model: str | None = None) -> None:
        if model:
            self.default_model = self.get_model(model)

    @_ClassOrInstanceMethod
    def get_model(self, model: str | None = None) -> str:
        """Return the service's name for ``model``; the default for None or "".

        Raises ``UnknownModelError``, which lists the models.
        """
        if not model:
            return self.default_model
        if isinstance(model, str):
            if model in self.models:
                return model
            if model in self.model_aliases:
                return self.model_aliases[model]
        raise UnknownModelError(
            f"No model named `{model}`. Models: {', '.join(self.models)}",
            hint="Aliases: " + ", ".join(self.model_aliases) if self.model_aliases else None,
        )


class AsyncGeneratorProvider:
    """A dialect exposed as a class with ``create_async_generator``.

    A subclass names its ``dialect`` and where it is; class attributes may be changed at run time.
    """

    dialect: ClassVar[type[Dialect]]
    url: str = ""
    api_endpoint: str = ""
    working: bool = False
    supports_stream: bool = True
    supports_system_message: bool = True
    supports_message_history: bool = True

    @_ClassOrInstanceMethod
    def create_async_generator(
        self: Any,
        /,
        model: str | None = None,
        messages: Messages = (),
        proxy: str | None = None,
        **kwargs: Any,
    ) -> AsyncResult:
        """Return the text of the reply to ``messages``, piece by piece.

        ``proxy``: a proxy URL. Further arguments are ``timeout`` (seconds), ``headers`` and
        ``api_endpoint``; all others become fields of the request's body. Raises ``DarkAIError`` and
        its kin, on the first iteration at the earliest.
        """
        return _text_pieces(self, model, messages, proxy, kwargs)


async def _text_pieces(
    subject: Any, model: str | None, messages: Messages, proxy: str | None, kwargs: dict[str, Any]
) -> AsyncResult:
    from darkai_cli.providers.client import HttpProvider

    timeout = _checked("timeout", kwargs.pop("timeout", None))
    headers = _checked("headers", kwargs.pop("headers", None)) or {}
    endpoint = kwargs.pop("api_endpoint", None) or subject.api_endpoint or subject.url
    owner = subject if isinstance(subject, type) else type(subject)
    settings = ProviderSettings(
        name=owner.__name__.lower(),
        type=owner.__name__.lower(),
        url=endpoint,
        default_model=subject.default_model,
        models=tuple(subject.models),
        headers=headers,
    )
    chat = ChatRequest(_messages(messages), subject.get_model(model), kwargs)
    connection = _connection(_text("api_endpoint", endpoint), _checked("proxy", proxy), timeout)
    provider = HttpProvider(subject.dialect(), settings, connection)
    async with aclosing(provider.astream(chat)) as events:
        async for event in events:
            if isinstance(event, TextChunk):
                yield event.text


def _checked(name: str, value: Any) -> Any:
    """Return an argument, checked by the rules of the configuration. Raises ``UsageError``."""
    from darkai_cli.config import schema, values

    if value is None:
        return None
    if isinstance(value, Mapping):
        value = dict(value)
    try:
        return values.check(schema.KEYS.get(name) or schema.PROVIDER_KEYS[name], value)
    except values.Invalid as exc:
        hint = exc.hint or "`help(DarkAI.create_async_generator)` lists the arguments"
        raise UsageError(f"Argument `{name}`: {exc.rule}", hint=hint) from None


def _text(name: str, value: object) -> str:
    """Return an argument that must be text. Raises ``UsageError``."""
    if isinstance(value, str):
        return value
    raise UsageError(f"Argument `{name}`: must be text, not `{type(value).__name__}`")


def _messages(messages: Any) -> tuple[Message, ...]:
    """Return the messages. Raises ``InputError`` if they are not a list of dictionaries."""
    if isinstance(messages, Sequence) and all(isinstance(item, Mapping) for item in messages):
        return from_dicts(messages)
    raise InputError(
        "`messages` must be a list of dictionaries",
        hint='For example [{"role": "user", "content": "Hi"}]',
    )


def _connection(url: str, proxy: str | None, timeout: float | None) -> ConnectionConfig:
    """Return how a service is reached. Raises ``ConfigError`` for a URL that cannot be used."""
    from darkai_cli.http import proxy as proxies
    from darkai_cli.http import tls
    from darkai_cli.http.connection import ConnectionConfig, check_url
    from darkai_cli.http.timeouts import Timeouts

    check_url(url, "api_endpoint")
    environ = stdio.environ()
    route = proxies.choose(
        url, explicit=proxy, origin="the argument `proxy`", by_flag=True, environ=environ
    )
    secure = url.lower().startswith("https:") or (route is not None and route.scheme == "https")
    pending = tls.PendingContext(tls.Trust(), environ) if secure else None
    return ConnectionConfig(Timeouts().with_timeout(timeout), route, pending)


class DarkAI(AsyncGeneratorProvider, ProviderModelMixin):
    """The DarkAI service. ``DarkAI(model="gpt-4o")`` has that model as its default."""

    dialect = darkai.DarkAIDialect
    url = _SERVICE.url
    api_endpoint = _SERVICE.url
    working = False  # the public service has been down since February 2025
    supports_stream = True
    default_model = _SERVICE.default_model
    models: Sequence[str] = list(_SERVICE.models)
    model_aliases: Mapping[str, str] = dict(_SERVICE.aliases)


def format_prompt(
    messages: Messages,
    add_special_tokens: bool = False,
    do_continue: bool = False,
    include_system: bool = True,
) -> str:
    """Return the conversation as DarkAI's one text. Raises ``InputError`` for an empty list."""
    return darkai.format_prompt(
        _messages(messages), add_special_tokens, do_continue, include_system
    )


def _request(
    prompt: str | Messages, system: str | None, flags: dict[str, Any], options: dict[str, Any]
) -> TurnRequest:
    """Return the turn that a call asks for. Raises ``DarkAIError`` and its kin."""
    from darkai_cli.config.load import load
    from darkai_cli.conversation.request import TurnRequest
    from darkai_cli.providers import resolve

    config = load({key: value for key, value in flags.items() if value is not None})
    target = resolve.resolve(config)
    messages = (Message("user", prompt),) if isinstance(prompt, str) else _messages(prompt)
    system = None if system is None else _text("system", system)
    system = system or config.system
    if system:
        messages = (Message("system", system), *messages)
    return TurnRequest(config, target, messages, options)


def stream(
    prompt: str | Messages,
    *,
    model: str | None = None,
    provider: str | None = None,
    system: str | None = None,
    timeout: float | None = None,
    proxy: str | None = None,
    **options: Any,
) -> Iterator[Event]:
    """Return the events of the reply to a prompt or to messages.

    Closing the iterator closes the connection. ``timeout`` in seconds; ``options`` become fields of
    the request. Raises ``DarkAIError`` and its kin.
    """
    from darkai_cli.conversation.turn import stream_turn

    flags = {"model": model, "provider": provider, "timeout": timeout, "proxy": proxy}
    return stream_turn(_request(prompt, system, flags, options))


def ask(prompt: str | Messages, **kwargs: Any) -> str:
    """Return the text of the reply; arguments as for ``stream``. Raises ``DarkAIError``."""
    return "".join(event.text for event in stream(prompt, **kwargs) if isinstance(event, TextChunk))


async def astream(
    prompt: str | Messages,
    *,
    model: str | None = None,
    provider: str | None = None,
    system: str | None = None,
    timeout: float | None = None,  # noqa: ASYNC109 -- the reply's timers, not this function's
    proxy: str | None = None,
    **options: Any,
) -> AsyncIterator[Event]:
    """Yield the events of the reply, under asyncio or trio; arguments as for ``stream``."""
    from darkai_cli.conversation.turn import astream_turn

    flags = {"model": model, "provider": provider, "timeout": timeout, "proxy": proxy}
    request = _request(prompt, system, flags, options)
    async with aclosing(astream_turn(request)) as events:
        async for event in events:
            yield event
