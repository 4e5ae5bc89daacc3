"""Checks of one provider, in the order of a request: settings, key, proxy, service, answer.

The list of models is requested as every request is made, so a problem is explained by that
request's own error. It shows whether the key is accepted, and costs nothing. A prompt may cost
money, so it is only sent for ``--deep``; its connection is closed at the first token.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import closing
from typing import TYPE_CHECKING, NamedTuple

from darkai_cli.config import paths
from darkai_cli.config.keys import lookup
from darkai_cli.conversation.request import TurnRequest
from darkai_cli.conversation.turn import stream_turn
from darkai_cli.doctor.check import Finding, Step, failed, ok, skipped, warned
from darkai_cli.doctor.network import proxy_name
from darkai_cli.errors import AuthError, BadReplyError, DarkAIError, ReplyTimeoutError
from darkai_cli.messages import ChatRequest, Message
from darkai_cli.providers import connect, http_errors, resolve
from darkai_cli.providers.base import ProviderSettings, Target
from darkai_cli.providers.settings import is_local_url, settings_of
from darkai_cli.rate_limits.gate import origin_text
from darkai_cli.rate_limits.store import Account, RateLimitStoreError, overview
from darkai_cli.secrets import format_origin, mask, mask_url, secrets_in
from darkai_cli.text import plural

if TYPE_CHECKING:
    from darkai_cli.config import Config
    from darkai_cli.http.connection import ConnectionConfig

CONNECT = 4.0
ANSWER = 5.0
"""Seconds for a connection with TLS, and for the list of models."""
PROMPT = "Answer with the one word: ok"

_ALIVE = (400, 405, 411, 415, 422, 426, 501)
"""The statuses with which a service that only takes prompts answers a ``GET``."""


class CheckOptions(NamedTuple):
    """What the checks of all providers have in common."""

    config: Config
    environ: Mapping[str, str]
    deep: bool = False


class ProviderChecks:
    """The checks of one provider.

    ``is_used``: prompts go to it when no provider is named. ``lenient``: its failures are only
    warnings, because nobody chose it. ``hint``: the hint for any failure, in place of its own.
    """

    def __init__(
        self,
        name: str,
        options: CheckOptions,
        *,
        is_used: bool,
        lenient: bool = False,
        hint: str | None = None,
    ) -> None:
        self.name = name
        self.lenient = lenient
        self.hint = hint
        self._config = options.config
        self._environ = options.environ
        self._deep = options.deep
        self._is_used = is_used
        self._settings = ProviderSettings(name, "", "", "")
        self._keyed: ProviderSettings | None = None
        self._route: ConnectionConfig | None = None

    def steps(self) -> list[Step]:
        """Return the steps, each of which needs the results of those before it."""
        section = f"Provider {self.name}{' (in use)' if self._is_used else ''}"
        checks: list[tuple[str, str, Callable[[], Finding | None]]] = [
            ("settings", "settings", self.check_settings),
            ("key", "key", self.check_key),
            ("route", "route", self.check_route),
            ("service", "service", self.check_service),
        ]
        if self._deep:
            checks.append(("answer", "answer", self.check_answer))
        return [
            Step(f"provider.{self.name}.{key}", section, title, self._judged(check))
            for key, title, check in checks
        ]

    def _judged(self, check: Callable[[], Finding | None]) -> Callable[[], Finding | None]:
        """Return the check with its errors made findings; a lenient one's failures are warnings."""

        def judged() -> Finding | None:
            try:
                finding = check()
            except DarkAIError as fault:
                finding = failed(fault, last=True)
            if finding is None or finding.status != "fail":
                return finding
            finding = finding._replace(hint=self.hint or finding.hint)
            return finding._replace(status="warning", code=0) if self.lenient else finding

        return judged

    def check_settings(self) -> Finding:
        """Report the provider's URL, default model and type."""
        settings = self._settings = settings_of(self._config, self.name)
        if settings.type == "demo":
            return ok("offline, answers a little: jokes and greetings")._replace(last=True)
        model = settings.default_model
        if self._is_used:
            model = resolve.configured_target(self._config).model
            if not model and not is_local_url(settings.url):
                return warned(
                    f"{mask_url(settings.url)}; no default model, so every prompt needs `--model`",
                    hint=f"Set one: `darkai models default {self.name}/MODEL`. To see the models: "
                    f"`darkai models list -p {self.name}`",
                )
        model_text = f", model {model}" if model else ""
        return ok(f"{mask_url(settings.url)}{model_text}, type {settings.type}")

    def check_key(self) -> Finding | None:
        """Check that there is a key if one is needed, and report where it comes from."""
        settings = self._settings
        query = connect.key_query(settings, self._config)
        header = connect.own_key_header(settings)
        if header is not None:
            secret = lookup.of_header(self._config, query, header, settings.headers[header])
            self._keyed = settings
            return ok(f"from the header `{header}`, fingerprint {secret.fingerprint}")
        keyed = connect.with_key(settings, self._config, self._environ)
        if keyed.key is not None:
            keyed.key.reveal(settings.url)
        self._keyed = keyed
        if keyed.key is not None:
            return ok(f"from {keyed.key.source}, fingerprint {keyed.key.fingerprint}")
        for source in lookup.sources(self._config, query, self._environ):
            if source.origin is not None:
                return warned(
                    f"not sent: the key from {source.where} belongs to {source.origin}, but "
                    f"`{self.name}` is at {format_origin(settings.url)}",
                    hint=f"If it needs a key there, run `darkai keys set {self.name}`",
                )
        return ok("none, and none needed") if settings.key_env else None

    def check_route(self) -> Finding | None:
        """Report the proxy; None if there is none."""
        from darkai_cli.http.timeouts import Timeouts

        timeouts = Timeouts(CONNECT, ANSWER, ANSWER, ANSWER)
        route = self._route = connect.connection_for(
            self._settings.url, self._config, self._environ, timeouts
        )
        if route.proxy is None:
            return None
        return ok(f"through {proxy_name(route.proxy)} (from {route.proxy.origin})")

    def check_service(self) -> Finding | None:
        """Check that the service lists its models, which shows that it accepts the key."""
        keyed, route = self._keyed, self._route
        assert keyed is not None
        assert route is not None
        until = self._hold(keyed)
        if until is not None:
            at = time.strftime("%H:%M:%S", time.localtime(until))
            return skipped(f"not checked: it asked us to wait until {at}")._replace(last=True)
        dialect = connect.dialect_of(keyed)
        if dialect.models_request(keyed) is None:
            return self._check_without_list(keyed, route)
        from darkai_cli.providers.client import HttpProvider

        try:
            models = list(HttpProvider(dialect, keyed, route).models())
        except AuthError as fault:
            raise self._with_key_source(fault, keyed) from fault
        except ReplyTimeoutError as fault:
            fault.hint = f"Try again later; `darkai ask -p {self.name}` waits longer"
            raise
        accepted = ", accepts the key" if keyed.key is not None else ""
        if not models:
            return warned(
                f"lists no models{accepted}",
                hint="Load a model there, or check the URL: it usually ends in `/v1`"
                if keyed.type == "openai"
                else "Load a model there, or check what the key permits",
            )
        detail = f"lists {plural(len(models), 'model')}{accepted}"
        model = resolve.configured_target(self._config).model if self._is_used else ""
        names = {name for info in models for name in (info.name, *info.aliases)}
        is_missing = names and model and not {model, f"{model}:latest"} & names
        if is_missing and keyed.name != "azure":  # Azure lists what could be deployed
            return warned(
                f"{detail}; the default model `{model}` is not one of them",
                hint=f"Run `darkai models list -p {self.name}`, then `darkai models default "
                f"{self.name}/MODEL`",
            )
        return ok(detail)

    def _hold(self, keyed: ProviderSettings) -> float | None:
        """Return until when the service asked us to wait; None if it did not."""
        fingerprint = keyed.key.fingerprint if keyed.key is not None else ""
        account = Account(origin_text(keyed.url), fingerprint)
        try:
            return overview(paths.limits_file(self._environ), time.time()).holds.get(account)
        except RateLimitStoreError:
            return None

    def _with_key_source(self, fault: AuthError, keyed: ProviderSettings) -> AuthError:
        """Return the error for a rejected key with the place where the key is stored."""
        if keyed.key is None:
            return fault
        source = keyed.key.source
        from_source = "" if source in fault.message else f"from {source}, "
        return AuthError(
            f"{fault.message} ({from_source}fingerprint {keyed.key.fingerprint})",
            hint=f"Run `darkai keys set {self.name}`"
            if source in ("keys.toml", "the keyring")
            else f"Correct the key in {source}, or unset it and run `darkai keys set {self.name}`",
            status=fault.status,
        )

    def _check_without_list(self, keyed: ProviderSettings, route: ConnectionConfig) -> Finding:
        """Check a service that has no list of models: it answers a ``GET`` with an error status."""
        from darkai_cli.http import client

        request = connect.dialect_of(keyed).request(
            ChatRequest((Message("user", PROMPT),), keyed.default_model or "any"), keyed
        )
        headers = {name: value for name, value in request.headers.items() if name != "content-type"}
        with client.send(route, "GET", request.url, headers, b"") as exchange:
            body = exchange.read()
            status = exchange.status
            page_fault = http_errors.page_error(
                keyed.host, status, exchange.headers, body.decode("utf-8", "replace")
            )
            if status in _ALIVE or (status == 200 and page_fault is None):
                return ok(f"answers (status {status} to a GET); use `--deep` to test a prompt")
            fault = page_fault or http_errors.explain(
                keyed.host, request, status, exchange.headers, body, time.time(), exchange.forwarder
            )
        fault.message = mask(fault.message, secrets_in(request.headers, request.url))
        return failed(fault, last=True)

    def check_answer(self) -> Finding:
        """Check that a model answers a prompt, which costs what a prompt costs."""
        config = self._config
        target = Target(self._settings, self._settings.default_model)
        if self._is_used:
            target = resolve.configured_target(config)
        if not target.model and not is_local_url(self._settings.url):
            return skipped("no prompt sent: no default model",
                           hint=f"Set one: `darkai models default {self.name}/MODEL`")  # fmt: skip
        target = resolve.with_model(target, config)
        began = time.monotonic()
        request = TurnRequest(
            config, target, (Message("user", PROMPT),), config.options,
            connect_timeout=CONNECT, retries=0, max_wait=0.0,
        )  # fmt: skip
        with closing(stream_turn(request)) as events:
            for event in events:
                if event.type in ("text-chunk", "reasoning-chunk"):
                    seconds = time.monotonic() - began
                    return ok(f"{target.model} answers, first token after {seconds:.1f} s")
        host = self._settings.host
        return failed(BadReplyError(f"{target.model} at {host} replied without any text"))
