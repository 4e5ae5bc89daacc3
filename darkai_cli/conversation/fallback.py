"""Who answers when the default service does not.

The rule: what the user chose (provider, the model of a named provider, URL, fallback list) is never
substituted. Where nothing was chosen and the default service cannot be reached or fails before its
first word, the turn goes on with one of the ``substitutes``; a ``fallback`` list of the user's own
is asked in its order. Each change is told in a notice.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from contextlib import aclosing, closing
from typing import TYPE_CHECKING, Any

from darkai_cli import stdio
from darkai_cli.errors import DarkAIError, ProviderError
from darkai_cli.events import Event, Notice
from darkai_cli.messages import ChatRequest, Message
from darkai_cli.providers import connect, resolve
from darkai_cli.providers.base import Target
from darkai_cli.providers.catalog import BUILT_IN

if TYPE_CHECKING:
    from darkai_cli.config import Config
    from darkai_cli.conversation.fallback_candidates import FallbackCandidates
    from darkai_cli.conversation.rate_limit import WaitPolicy
    from darkai_cli.conversation.retry import Stream
    from darkai_cli.http.connection import ConnectionPool

CONNECT_LIMIT = 3.0
"""Seconds to connect to the default service, all in all, where another may answer."""

SUBSTITUTABLE = (7, 8, 9)
"""The exit codes of the failures after which another provider may answer."""


def nothing_chosen(config: Config, target: Target) -> bool:
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
    ask: Callable[[str], str] | None = None,
) -> Generator[Event, None, None]:
    """The events of a turn, by whoever answers it.

    ``allowed``: False for ``--no-fallback``. ``ask``: puts a question to the person at the terminal
    and gives what was typed; None where nobody can be asked.
    """
    target = resolve.resolve(config)
    default = nothing_chosen(config, target)
    if default:
        open_stream = _announced(open_stream, target)
    if not allowed or config.fallback == () or not (default or config.fallback):
        yield from open_stream(target, connect_timeout=None, retries=config.retries)
        return
    if config.fallback:
        yield from _with_list(config, target, messages, open_stream)
        return
    from darkai_cli.conversation.fallback_candidates import FallbackCandidates

    yield from _with_substitutes(target, FallbackCandidates(config, messages, ask), open_stream)


def _announced(open_stream: Stream, default: Target) -> Stream:
    """The same, but the first prompt ever that reaches the public service brings a notice."""
    from darkai_cli.config import state

    def announced(
        target: Target, *, connect_timeout: float | None, retries: int
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
                            "another: `darkai models default PROVIDER/MODEL`",
                        )
                yield event

    return announced


def _with_list(
    config: Config, target: Target, messages: tuple[Message, ...], open_stream: Stream
) -> Generator[Event, None, None]:
    """Whom was chosen, then the user's own list."""
    started = False
    try:
        with closing(open_stream(target, connect_timeout=None, retries=config.retries)) as events:
            for event in events:
                started = started or event.type != "notice"
                yield event
    except ProviderError as error:
        if started or error.exit_code not in SUBSTITUTABLE:
            raise
        failure = error
    else:
        return
    yield from _listed(config, messages, failure, open_stream)


def _with_substitutes(
    default: Target, substitutes: FallbackCandidates, open_stream: Stream
) -> Generator[Event, None, None]:
    """The default service, then whoever may answer in its place; not asked if it was just down."""
    from darkai_cli.config import state

    url, host = default.settings.url, default.settings.host
    if state.outage(url):
        answered = yield from substitutes.answer(
            f"{host} did not answer a few minutes ago", open_stream
        )
        if answered:
            return
    started = False
    try:
        with closing(open_stream(default, connect_timeout=CONNECT_LIMIT, retries=0)) as events:
            for event in events:
                started = started or event.type != "notice"
                yield event
    except ProviderError as error:
        if started or error.exit_code not in SUBSTITUTABLE:
            raise
        failure = error
    else:
        state.clear_outage(url)
        return
    if not failure.proxied:  # else it may be the proxy's fault, which the user will mend
        state.record_outage(url)
    answered = yield from substitutes.answer(failure.message, open_stream)
    if not answered:
        failure.hint = substitutes.hint()
        raise failure


def _listed(
    config: Config,
    messages: tuple[Message, ...],
    failure: ProviderError,
    open_stream: Stream,
) -> Generator[Event, None, None]:
    """The user's own list, in order; the last failure stands."""
    from darkai_cli.conversation.demo import check_resumed

    for name in config.fallback or ():
        try:
            target = resolve.target_by_name(config, name)
            if messages and messages[-1].role == "assistant":
                check_resumed(target, messages, None)
            if target.settings.type != "demo":
                connect.with_key(target.settings, config, stdio.environ())
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


def opener(
    config: Config,
    messages: tuple[Message, ...],
    options: Mapping[str, Any],
    environ: Mapping[str, str],
    log: Callable[[str], None] | None = None,
    on_sent: Callable[[], None] | None = None,
    on_open: Callable[[str], None] | None = None,
    patience: WaitPolicy | None = None,
    pool: ConnectionPool | None = None,
) -> Stream:
    """The way turns are opened in earnest: the registry's provider, rate limits kept, retries.

    ``options``: those of this turn; the provider's settings hold those of the configuration.
    ``pool``: keeps the connection for the next turn.
    """
    from darkai_cli.conversation.rate_limit import gate_of, patience_of, wait_for_slot
    from darkai_cli.conversation.retry import retried

    def open_stream(
        target: Target, *, connect_timeout: float | None, retries: int
    ) -> Generator[Event, None, None]:
        host = target.settings.host
        gate = gate_of(target.settings, lambda: provider.settings.key, config, environ)

        def sent() -> None:
            gate.sent()
            if on_sent is not None:
                on_sent()

        hooks = connect.Hooks(connect_timeout, log, sent, gate.head, pool)
        provider = connect.client_for(target, config, environ, hooks)
        chat = ChatRequest(messages, target.model, options)

        def attempt() -> Generator[Event, None, None]:
            if on_open is not None:
                on_open(host)
            return provider.stream(chat)

        if target.settings.type == "demo":
            return retried(attempt, retries)
        waits = patience or patience_of(config, None)
        return retried(lambda: wait_for_slot(gate, host, attempt, waits), retries)

    return open_stream


async def aopened(
    config: Config,
    target: Target,
    messages: tuple[Message, ...],
    options: Mapping[str, Any],
    environ: Mapping[str, str],
) -> AsyncGenerator[Event, None]:
    """A turn for the asynchronous driver: rate limits kept, retries, nobody else asked."""
    from darkai_cli.conversation.rate_limit import await_for_slot, gate_of, patience_of
    from darkai_cli.conversation.retry import aretried

    gate = gate_of(target.settings, lambda: provider.settings.key, config, environ)
    hooks = connect.Hooks(on_sent=gate.sent, on_head=gate.head)
    provider = connect.client_for(target, config, environ, hooks)
    chat = ChatRequest(messages, target.model, options)
    host, waits = target.settings.host, patience_of(config, None)

    def attempt() -> AsyncGenerator[Event, None]:
        if target.settings.type == "demo":
            return provider.astream(chat)
        return await_for_slot(gate, host, lambda: provider.astream(chat), waits)

    async with aclosing(aretried(attempt, config.retries)) as events:
        async for event in events:
            yield event
