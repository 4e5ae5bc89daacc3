"""Who answers when the default service does not.

The rule: what the user chose (provider, the model of a named provider, URL, fallback list) is never
substituted. Where nothing was chosen and the default service cannot be reached or fails before its
first word, the turn goes on with the user's own ``fallback`` list, or, last, with the offline
``demo``, and only for what ``demo`` can honestly answer. Each change is told in a notice.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import closing
from typing import TYPE_CHECKING, Any, Protocol

from darkai_cli.config import state
from darkai_cli.errors import DarkAIError, ProviderError
from darkai_cli.events import Event, Notice
from darkai_cli.messages import ChatRequest, Message
from darkai_cli.providers import registry
from darkai_cli.providers.catalog import BUILT_IN

if TYPE_CHECKING:
    from darkai_cli.config import Config

CONNECT_LIMIT = 3.0
"""Seconds to connect to the default service, all in all, where another may answer."""

SUBSTITUTABLE = (7, 8, 9)
"""The exit codes of the failures after which another provider may answer."""

CHOOSE = "choose a service with `darkai config set providers.darkai.url URL` or `DARKAI_URL=URL`"


class Stream(Protocol):
    """Something that opens a turn: the provider's settings and the request in, events out."""

    def __call__(
        self, target: registry.Target, *, connect_timeout: float | None, retries: int
    ) -> Generator[Event, None, None]:
        """Open it."""
        ...


def nothing_chosen(config: Config, target: registry.Target) -> bool:
    """Whether the public default service was nobody's choice."""
    default = BUILT_IN["darkai"]
    return (
        target.settings.name == default.name
        and target.settings.url == default.url
        and not config.chosen("provider")
        and not config.chosen("providers.darkai.url")
        and "/" not in (config.aliases.get(config.model or "", config.model) or "")
    )


def open_turn(
    config: Config,
    messages: tuple[Message, ...],
    open_stream: Stream,
    *,
    allowed: bool,
) -> Generator[Event, None, None]:
    """The events of a turn, by whoever answers it. ``allowed``: False for ``--no-fallback``."""
    target = registry.resolve(config)
    default = nothing_chosen(config, target)
    if default:
        open_stream = _announced(open_stream, target)
    if not allowed or config.fallback == () or not (default or config.fallback):
        yield from open_stream(target, connect_timeout=None, retries=config.retries)
        return
    yield from _with_substitutes(config, target, messages, open_stream)


def _announced(open_stream: Stream, default: registry.Target) -> Stream:
    """The same, but the first prompt ever that reaches the public service brings a notice."""

    def announced(
        target: registry.Target, *, connect_timeout: float | None, retries: int
    ) -> Generator[Event, None, None]:
        told = target != default
        with closing(
            open_stream(target, connect_timeout=connect_timeout, retries=retries)
        ) as events:
            for event in events:
                if not told and event.type != "notice":
                    told = True
                    if state.first_time("public-default"):
                        yield Notice(
                            "info",
                            f"prompts go to the public service {target.settings.host}; to choose "
                            "another: `darkai config set providers.darkai.url URL`",
                        )
                yield event

    return announced


def _with_substitutes(
    config: Config, target: registry.Target, messages: tuple[Message, ...], open_stream: Stream
) -> Generator[Event, None, None]:
    url = target.settings.url
    listed = config.fallback
    if listed is None and state.outage(url):
        demo = _demo_for(messages)
        if demo is not None:
            yield _told(f"{target.settings.host} did not answer a few minutes ago", demo)
            yield from open_stream(demo, connect_timeout=None, retries=0)
            return
    started = False
    limits: tuple[float | None, int] = (None, config.retries) if listed else (CONNECT_LIMIT, 0)
    try:
        with closing(open_stream(target, connect_timeout=limits[0], retries=limits[1])) as events:
            for event in events:
                started = started or event.type != "notice"
                yield event
    except ProviderError as error:
        if started or error.exit_code not in SUBSTITUTABLE:
            raise
        failure = error
    else:
        if listed is None:
            state.clear_outage(url)
        return
    if listed is None:
        if not failure.proxied:  # else it may be the proxy's fault, which the user will mend
            state.record_outage(url)
        demo = _demo_for(messages)
        if demo is None:
            failure.hint = f"{CHOOSE}; `darkai ask -p demo` is an offline demonstration"
            raise failure
        yield _told(failure.message, demo)
        yield from open_stream(demo, connect_timeout=None, retries=0)
        return
    yield from _listed(config, failure, open_stream)


def _listed(
    config: Config, failure: ProviderError, open_stream: Stream
) -> Generator[Event, None, None]:
    """The user's own list, in order; the last failure stands."""
    for name in config.fallback or ():
        try:
            target = registry.named(config, name)
        except DarkAIError as exc:
            yield Notice("warning", f"fallback `{name}`: {exc.message}")
            continue
        yield Notice("warning", f"{failure.message}; going on with `{name}`")
        started = False
        try:
            with closing(
                open_stream(target, connect_timeout=None, retries=config.retries)
            ) as events:
                for event in events:
                    started = started or event.type != "notice"
                    yield event
        except ProviderError as exc:
            if started or exc.exit_code not in SUBSTITUTABLE:
                raise
            failure = exc
        else:
            return
    raise failure


def _demo_for(messages: tuple[Message, ...]) -> registry.Target | None:
    """The demo provider, if it can honestly answer the last message."""
    from darkai_cli.providers.demo.answers import can_answer

    if not messages or not can_answer(messages[-1].content):
        return None
    settings = BUILT_IN["demo"]
    return registry.Target(settings, settings.default_model)


def _told(why: str, demo: registry.Target) -> Notice:
    return Notice(
        "warning", f"{why}; the offline `{demo.settings.name}` answers, no model does; {CHOOSE}"
    )


def opener(
    config: Config,
    messages: tuple[Message, ...],
    options: Mapping[str, Any],
    environ: Mapping[str, str],
    log: Callable[[str], None] | None = None,
    on_sent: Callable[[], None] | None = None,
    on_open: Callable[[str], None] | None = None,
) -> Stream:
    """The way turns are opened in earnest: the registry's provider, with retries."""
    from darkai_cli.conversation.turn import retried

    def open_stream(
        target: registry.Target, *, connect_timeout: float | None, retries: int
    ) -> Generator[Event, None, None]:
        hooks = registry.Hooks(connect_timeout, log, on_sent)
        provider = registry.provider_of(target, config, environ, hooks)
        chat = ChatRequest(messages, target.model, options)

        def attempt() -> Generator[Event, None, None]:
            if on_open is not None:
                on_open(target.settings.host)
            return provider.stream(chat)

        return retried(attempt, retries)

    return open_stream
