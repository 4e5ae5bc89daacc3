"""One turn: a prompt, and its reply from whichever provider gives it.

``run_turn`` shows and saves a turn; ``ask`` and ``chat`` call it. It draws the events from
``stream_turn``, the one loop over candidates (the chosen target, then its fallback), attempts (a
request that may be repeated is) and waits for rate limits. What each of these decides is in
``fallback_candidates``, ``retry`` and ``rate_limit``; a request itself is made by the provider's
``HttpProvider.stream``. The Python API uses ``stream_turn`` and ``astream_turn`` directly.
"""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Generator, Mapping
from contextlib import aclosing, closing
from typing import TYPE_CHECKING

from darkai_cli import stdio
from darkai_cli.conversation.fallback_candidates import Candidate, FallbackCandidates
from darkai_cli.conversation.rate_limit import (
    WaitPolicy,
    await_slot,
    gate_for,
    longest_wait,
    wait_for_slot,
)
from darkai_cli.conversation.request import SILENT, TurnObserver, TurnRequest
from darkai_cli.conversation.retry import RetryPolicy
from darkai_cli.errors import ProviderError
from darkai_cli.events import Event, Notice, StreamStart
from darkai_cli.http.retry_after import retry_after
from darkai_cli.messages import ChatRequest
from darkai_cli.output.sink import dispatch
from darkai_cli.providers import connect

if TYPE_CHECKING:
    from darkai_cli.conversation.outcome import Outcome
    from darkai_cli.conversation.sinks import Output
    from darkai_cli.history.turns import TurnIds
    from darkai_cli.providers.client import HttpProvider


def run_turn(request: TurnRequest, out: Output) -> Outcome:
    """Show the reply and save it in the history; return how it ended.

    An error that ended the reply is in the outcome, so that a chat can go on. Raises
    ``BrokenPipeError`` where the output's reader has gone, and what goes wrong with the output or
    the history.
    """
    recorder = out.recorder
    reply = recorder.reply
    stayed = True
    try:
        try:
            request = request._replace(ids=recorder.begin(request))
            stayed = dispatch(
                stream_turn(request, out),
                [recorder, *out.sinks],
                read_on=recorder.is_saving,
            )
        except BaseException as exc:
            if reply.reason is None and reply.error is None:
                reply.close(exc)  # before the first event, or a second signal during the end
            if isinstance(exc, BrokenPipeError) or reply.error is not exc:
                raise
    finally:
        outcome = reply.outcome(stayed=stayed, options=request.all_options)
        try:
            out.finish(complete=outcome.state == "complete")
        finally:
            recorder.end(outcome)
    return outcome


def stream_turn(
    request: TurnRequest, observer: TurnObserver = SILENT
) -> Generator[Event, None, None]:
    """Yield the events of a turn: of the first candidate that answers, with notices before.

    Closing the generator closes the connection. Raises ``ProviderError`` and its kin.
    """
    candidates = FallbackCandidates(request, observer)
    for candidate in candidates:
        if isinstance(candidate, Notice):
            yield candidate
            continue
        call = ProviderCall(request, candidate, observer)
        policy = RetryPolicy(candidate.retries)
        while True:
            try:
                client = call.connect()
                yield from wait_for_slot(call.gate, call.wait_policy(), observer)
                observer.request_started(call.host)
                with closing(client.stream(call.chat)) as events:
                    for event in events:
                        if policy.visible:
                            yield event
                            continue
                        first_events = policy.release(event)
                        if first_events:
                            observer.wait_ended()
                        if policy.started:
                            yield from candidates.announcement(candidate)
                        yield from _with_ids(first_events, request.ids)
            except ProviderError as error:
                failure = error
            else:
                candidates.succeeded()
                return
            finally:
                observer.wait_ended()
                call.gate.leave()
            delay = policy.delay_after(failure)
            if delay is None:
                candidates.failed(policy.final_error(failure), started=policy.started)
                break
            yield policy.notice(failure, delay)
            time.sleep(delay)
    raise candidates.error()


async def astream_turn(request: TurnRequest) -> AsyncGenerator[Event, None]:
    """Yield the events of a turn for asyncio and trio; only the chosen target is asked.

    Raises ``ProviderError`` and its kin.
    """
    import anyio

    retries = request.config.retries if request.retries is None else request.retries
    candidate = Candidate(request.target, request.connect_timeout, retries)
    call = ProviderCall(request, candidate, SILENT)
    policy = RetryPolicy(retries)
    while True:
        try:
            client = call.connect()
            async for notice in await_slot(call.gate, call.wait_policy()):
                yield notice
            async with aclosing(client.astream(call.chat)) as events:
                async for event in events:
                    for ready in policy.release(event):
                        yield ready
        except ProviderError as error:
            failure = error
        else:
            return
        finally:
            call.gate.leave()
        delay = policy.delay_after(failure)
        if delay is None:
            raise policy.final_error(failure)
        yield policy.notice(failure, delay)
        await anyio.sleep(delay)


class ProviderCall:
    """The request to one candidate: its client, and the rate limits that it counts against."""

    def __init__(self, request: TurnRequest, candidate: Candidate, observer: TurnObserver) -> None:
        self._request = request
        self._candidate = candidate
        self._observer = observer
        settings = candidate.target.settings
        self.host = settings.host
        self.chat = ChatRequest(request.messages, candidate.target.model, request.options)
        self.gate = gate_for(settings, request.config, stdio.environ())
        self._client: HttpProvider | None = None

    def connect(self) -> HttpProvider:
        """Return the client, which is made once. Raises ``AuthError`` and ``ConfigError``."""
        if self._client is None:
            request, candidate = self._request, self._candidate
            hooks = connect.Hooks(
                connect_timeout=candidate.connect_timeout,
                log=request.log,
                on_sent=self._sent,
                on_head=self._head,
                pool=request.pool,
            )
            self._client = connect.client_for(
                candidate.target, request.config, stdio.environ(), hooks
            )
            self.gate.key = self._client.settings.key
        return self._client

    def wait_policy(self) -> WaitPolicy:
        """Return how long one attempt may wait for its slot."""
        request = self._request
        limit = request.max_wait
        if limit is None:
            limit = longest_wait(request.config, counts_down=self._observer.counts_down)
        return WaitPolicy(self.host, limit)

    def _head(self, status: int, headers: Mapping[str, str]) -> None:
        self.gate.head(status, headers, retry_after(headers.get("retry-after", ""), time.time()))

    def _sent(self) -> None:
        self.gate.sent()
        self._observer.request_sent()


def _with_ids(events: list[Event], ids: TurnIds | None) -> list[Event]:
    """Return the events; the start of the reply names the conversation and turn it is saved as."""
    if ids is None:
        return events
    return [
        event._replace(conversation=ids.conversation, turn=ids.turn)
        if isinstance(event, StreamStart)
        else event
        for event in events
    ]
