"""Checks of one provider, in the order of a request: settings, key, proxy, name, TLS, answer.

Each step is what a request does, carried out alone, so that the first that fails is the cause. The
list of models tells whether the key is accepted and costs nothing; a real question costs money, so
it is put only where that was asked for (``deep``), and its connection is closed at the first word.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import closing
from typing import TYPE_CHECKING, NamedTuple

from darkai_cli.conversation.request import TurnRequest
from darkai_cli.conversation.turn import stream_turn
from darkai_cli.doctor import network, stores
from darkai_cli.doctor.check import Finding, Step, failed, ok, skipped, warned
from darkai_cli.errors import AuthError, BadReplyError, DarkAIError, NetworkError, ReplyTimeoutError
from darkai_cli.messages import ChatRequest, Message
from darkai_cli.providers import connect, http_errors, resolve
from darkai_cli.providers import settings as tables
from darkai_cli.providers.base import ProviderSettings, Target
from darkai_cli.rate_limits.gate import origin_text
from darkai_cli.rate_limits.store import Account
from darkai_cli.secrets import format_origin, mask, mask_url, secrets_in
from darkai_cli.text import plural

if TYPE_CHECKING:
    from darkai_cli.config import Config
    from darkai_cli.http.certificate import Certificate
    from darkai_cli.http.connection import ConnectionConfig

RESOLVE = 3.0
CONNECT = 4.0
ANSWER = 5.0
"""Seconds for a name, for a connection with TLS, for a list of models."""
SOON = 14 * 86_400.0
"""Seconds before its end at which a certificate is worth a word."""
QUESTION = "Answer with the one word: ok"

_ALIVE = (400, 405, 411, 415, 422, 426, 501)
"""What a service that takes only questions says to a ``GET``: it is there."""


class Task(NamedTuple):
    """What is common to the checks of all providers."""

    config: Config
    environ: Mapping[str, str]
    clock: network.Clock
    deep: bool = False


class ProviderChecks:
    """The checks of one provider.

    ``used``: it answers where none is named. ``lenient``: what fails is only worth a warning, since
    nobody chose this provider. ``choose``: the hint if it fails in any way.
    """

    def __init__(
        self, name: str, task: Task, *, used: bool, lenient: bool = False, choose: str | None = None
    ) -> None:
        self._name = name
        self._task = task
        self._used = used
        self._lenient = lenient
        self._choose = choose
        self._link: ConnectionConfig | None = None
        self._settings: ProviderSettings | None = None
        self._keyed: ProviderSettings | None = None

    def steps(self) -> list[Step]:
        """The steps, each of which needs those before it."""
        name = self._name
        section = f"Provider {name}{' (in use)' if self._used else ''}"
        plan: list[tuple[str, str, Callable[[], Finding | None]]] = [
            ("settings", "settings", self.settings),
            ("key", "key", self.key),
            ("route", "way", self.route),
            ("name", "name", self.name),
            ("connection", "connection", self.connection),
            ("service", "service", self.service),
        ]
        if self._task.deep:
            plan.append(("answer", "answer", self.answer))
        return [
            Step(f"provider.{name}.{key}", section, title, self._judged(run))
            for key, title, run in plan
        ]

    def _judged(self, run: Callable[[], Finding | None]) -> Callable[[], Finding | None]:
        """The step, its failures judged by who chose this provider."""

        def judged() -> Finding | None:
            try:
                finding = run()
            except DarkAIError as fault:
                finding = failed(fault, last=True)
            if finding is None or finding.status != "fail":
                return finding
            finding = finding._replace(hint=self._choose or finding.hint)
            return finding._replace(status="warning", code=0) if self._lenient else finding

        return judged

    def settings(self) -> Finding:
        """Who it is, where, and with which model."""
        config = self._task.config
        found = self._settings = tables.settings_of(config, self._name)
        if found.type == "demo":
            return ok("offline, answers a little: jokes and greetings")._replace(last=True)
        model = found.default_model
        if self._used:
            target = resolve.configured_target(config)
            model = target.model
            if not model and not tables.is_here(found.url):
                return warned(
                    f"{mask_url(found.url)}; no model is named, so every question must name one",
                    hint=f"`darkai models default {self._name}/MODEL`; `darkai models list -p "
                    f"{self._name}` lists them",
                )
        named = f", model {model}" if model else ""
        return ok(f"{mask_url(found.url)}{named}, type {found.type}")

    def key(self) -> Finding | None:
        """Whether there is a key where one is needed, and from where."""
        config, environ = self._task.config, self._task.environ
        found = self._known()
        header = connect.own_key_header(found)
        if header is not None:
            from darkai_cli.config.keys import lookup

            seeker = connect.key_query(found, config)
            secret = lookup.of_header(config, seeker, header, found.headers[header])
            self._keyed = found
            return ok(f"from the header `{header}`, fingerprint {secret.fingerprint}")
        try:
            keyed = connect.with_key(found, config, environ)
            if keyed.key is not None:
                keyed.key.reveal(found.url)
        except DarkAIError as fault:
            return failed(fault)
        self._keyed = keyed
        if keyed.key is not None:
            return ok(f"from {keyed.key.source}, fingerprint {keyed.key.fingerprint}")
        elsewhere = self._key_of_another_place(found)
        return elsewhere or (ok("none, and none is needed") if found.key_env else None)

    def _key_of_another_place(self, found: ProviderSettings) -> Finding | None:
        """A key that is there, but is not sent to where the provider is now."""
        from darkai_cli.config.keys import lookup

        seeker = connect.key_query(found, self._task.config)
        for source in lookup.sources(self._task.config, seeker, self._task.environ):
            if source.origin is not None:
                return warned(
                    f"none is sent: that from {source.where} belongs to {source.origin}, and "
                    f"`{found.name}` is at {format_origin(found.url)}",
                    hint=f"`darkai keys set {found.name}`, if it needs one there",
                )
        return None

    def route(self) -> Finding | None:
        """Which proxy is used; nothing is told where none is and none is set."""
        link = self._connection()
        if link.proxy is None:
            return None
        return ok(f"through {network.described(link.proxy)} (from {link.proxy.origin})")

    def name(self) -> Finding | None:
        """Whether the names on the way can be looked up."""
        from darkai_cli.http import examine

        found = examine.resolve(self._connection(), self._known().url, RESOLVE)
        parts = [f"{host} is {_few(addresses)}" for host, addresses in found.items()]
        return ok("; ".join(parts)) if parts else None

    def connection(self) -> Finding:
        """Whether a connection stands, and whose certificate there is."""
        from darkai_cli.http import examine

        link, url = self._connection(), self._known().url
        host = self._known().host
        try:
            contact = examine.connect(link, url)
        except NetworkError as fault:
            if not (url.lower().startswith("https:") and fault.message.startswith("TLS")):
                raise
            return self._distrusted(fault, examine.presented(link, url))
        where = f"with {contact.peer or host}" if link.proxy is None else "through the proxy"
        if not contact.protocol:
            return ok(f"stands, {where}, not encrypted")
        found = contact.certificate
        told = f"{contact.protocol} {where}"
        if found is None:
            return ok(told)
        self._task.clock.begins.append((found.begins, host))
        told += f"; certificate of {found.subject} by {found.issuer}, until {_day(found.ends)}"
        if found.ends - time.time() < SOON:
            return warned(told, hint=f"whoever runs {host} must renew it in time")
        return ok(told)

    def _distrusted(self, fault: NetworkError, found: Certificate | None) -> Finding:
        """A TLS fault, with whose certificate it was."""
        if found is None:
            return failed(fault, last=True)
        now = time.time()
        told = (
            f"{fault.message}; it is of {found.subject} by {found.issuer}, from "
            f"{_day(found.begins)} to {_day(found.ends)}"
        )
        hint = fault.hint
        if found.begins > now:
            self._task.clock.begins.append((found.begins, self._known().host))
            hint = f"check this machine's clock: it says {_day(now)}"
        return failed(NetworkError(told, hint=hint), last=True)

    def service(self) -> Finding | None:
        """Whether the service answers, and takes the key: by its list of models."""
        keyed = self._keyed
        if keyed is None:
            return None  # the missing key has been told
        now = time.time()
        until = stores.held(self._account(keyed), self._task.environ, now)
        if until is not None:
            at = time.strftime("%H:%M:%S", time.localtime(until))
            return skipped(f"not asked: it asked for a pause until {at}")._replace(last=True)
        dialect = connect.dialect_of(keyed)
        if dialect.models_request(keyed) is None:
            return self._poked(keyed)
        from darkai_cli.providers.client import HttpProvider

        try:
            models = list(HttpProvider(dialect, keyed, self._connection()).models())
        except AuthError as fault:
            return failed(self._with_source(fault, keyed), last=True)
        except ReplyTimeoutError as fault:
            fault.hint = f"try again later; `darkai ask -p {self._name}` waits longer"
            raise
        accepted = ", the key is accepted" if keyed.key is not None else ""
        if not models:
            return warned(
                f"lists no model{accepted}",
                hint="load one there; or is the URL right? It usually ends in `/v1`"
                if keyed.type == "openai"
                else "load one there, or look what the key may do",
            )
        told = f"lists {plural(len(models), 'model')}{accepted}"
        model = resolve.configured_target(self._task.config).model if self._used else ""
        names = {name for one in models for name in (one.name, *one.aliases)}
        absent = names and model and not {model, f"{model}:latest"} & names
        if absent and keyed.name != "azure":  # which lists what could be deployed
            return warned(
                f"{told}; `{model}`, which is used, is not one of them",
                hint=f"`darkai models list -p {self._name}`, then `darkai models default "
                f"{self._name}/MODEL`",
            )
        return ok(told)

    def _with_source(self, fault: AuthError, keyed: ProviderSettings) -> AuthError:
        """A rejected key, with where it came from."""
        if keyed.key is None:
            return fault
        source = keyed.key.source
        named = "" if source in fault.message else f"from {source}, "
        return AuthError(
            f"{fault.message} ({named}fingerprint {keyed.key.fingerprint})",
            hint=f"`darkai keys set {self._name}`"
            if source in ("keys.toml", "the keyring")
            else f"correct the key in {source}, or unset that and `darkai keys set {self._name}`",
            status=fault.status,
        )

    def _poked(self, keyed: ProviderSettings) -> Finding:
        """Whether a service without a list of models is there: it says so to a mere ``GET``."""
        from darkai_cli.http import client

        request = connect.dialect_of(keyed).request(
            ChatRequest((Message("user", QUESTION),), keyed.default_model or "any"), keyed
        )
        headers = {name: value for name, value in request.headers.items() if name != "content-type"}
        host = keyed.host
        with client.send(self._connection(), "GET", request.url, headers, b"") as exchange:
            body = exchange.read()
            status = exchange.status
            page = http_errors.page_error(
                host, status, exchange.headers, body.decode("utf-8", "replace")
            )
            if status in _ALIVE or (status == 200 and page is None):
                return ok(f"answers (status {status} to a GET); only `--deep` tests a question")
            fault = page or http_errors.explain(
                host, request, status, exchange.headers, body, time.time(), exchange.forwarder
            )
        secrets = secrets_in(request.headers, request.url)
        fault.message = mask(fault.message, secrets)
        return failed(fault, last=True)

    def answer(self) -> Finding:
        """Whether a model answers. This is a question as any other: it costs what one costs."""
        config = self._task.config
        found = self._known()
        target = Target(found, found.default_model)
        if self._used:
            target = resolve.configured_target(config)
        if not target.model and not tables.is_here(found.url):
            return skipped("no question was asked: no model is named",
                           hint=f"`darkai models default {self._name}/MODEL`")  # fmt: skip
        target = resolve.with_model(target, config)
        messages = (Message("user", QUESTION),)
        began = time.monotonic()
        request = TurnRequest(
            config,
            target,
            messages,
            config.options,
            connect_timeout=CONNECT,
            retries=0,
            max_wait=0.0,
        )
        with closing(stream_turn(request)) as events:
            for event in events:
                if event.type in ("text-chunk", "reasoning-chunk"):
                    took = time.monotonic() - began
                    return ok(f"{target.model} answers, its first word came after {took:.1f} s")
        return failed(BadReplyError(f"{target.model} at {found.host} answered without any text"))

    def _known(self) -> ProviderSettings:
        assert self._settings is not None
        return self._settings

    def _connection(self) -> ConnectionConfig:
        """The way, which is decided once. Raises ``ConfigError``."""
        if self._link is None:
            from darkai_cli.http.timeouts import Timeouts

            timers = Timeouts(CONNECT, ANSWER, ANSWER, ANSWER)
            hooks = connect.Hooks(on_head=self._heard)
            self._link = connect.connection_for(
                self._known().url, self._task.config, self._task.environ, timers, hooks
            )
        return self._link

    def _heard(self, _status: int, headers: Mapping[str, str]) -> None:
        if "date" in headers and "age" not in headers:  # which a cache has kept
            self._task.clock.heard(headers["date"], time.time())

    @staticmethod
    def _account(keyed: ProviderSettings) -> Account:
        return Account(
            origin_text(keyed.url), keyed.key.fingerprint if keyed.key is not None else ""
        )


def _few(addresses: list[str]) -> str:
    shown = ", ".join(addresses[:2])
    return f"{shown} and {len(addresses) - 2} more" if len(addresses) > 2 else shown


def _day(when: float) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(when))
