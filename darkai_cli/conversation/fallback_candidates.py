"""Which providers a turn may ask, in which order, and the notices that say so.

The rule: what the user chose (provider, the model of a named provider, URL, fallback list) is
never replaced. A ``fallback`` list of the user's own is asked in its order. Where nothing was
chosen and the default service cannot be reached or fails before its first visible event, the turn
goes on with a model server on this machine, which sees the prompt and nobody else does; then, if
the person at the terminal agrees, with a provider whose key is in the environment; last with the
offline ``demo``, for what it can honestly answer. A reply that is resumed goes to no other model.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from darkai_cli import stdio
from darkai_cli.errors import DarkAIError, ProviderError, UsageError
from darkai_cli.events import Notice
from darkai_cli.messages import Message
from darkai_cli.providers.base import Target
from darkai_cli.providers.catalog import BUILT_IN

if TYPE_CHECKING:
    from darkai_cli.config import Config
    from darkai_cli.conversation.request import TurnObserver, TurnRequest
    from darkai_cli.providers.base import ProviderSettings

CONNECT_LIMIT = 3.0
"""Seconds to connect to the default service, all in all, where another may answer."""

REPLACEABLE = (7, 8, 9)
"""The exit codes of the failures after which another provider may answer."""

CHOOSE = "To choose a service: `darkai keys set openai`, then `darkai config set provider openai`"


class Candidate(NamedTuple):
    """A target that is asked, how long connecting to it may take, and how often it is retried."""

    target: Target
    connect_timeout: float | None
    retries: int


class FallbackCandidates:
    """The candidates of one turn, to be iterated once; a notice stands before what it is about.

    The caller asks each candidate in turn and reports how that went, with ``succeeded`` or
    ``failed``. When no candidate is left, the turn failed with ``error()``.
    """

    def __init__(self, request: TurnRequest, observer: TurnObserver) -> None:
        self._request = request
        self._observer = observer
        self._is_default = is_default(request.config, request.target)
        self._announces = request.announces_default and self._is_default
        self._failure: ProviderError | None = None
        self._has_substitutes = False
        self._asks_substitute = False
        self._substitutes_asked = False
        self._declined = False
        self._resumes = bool(request.messages) and request.messages[-1].role == "assistant"

    def __iter__(self) -> Iterator[Candidate | Notice]:
        request = self._request
        fallback = request.config.fallback
        if not request.allow_fallback or fallback == () or not (self._is_default or fallback):
            yield self._chosen()
        elif fallback:
            yield self._chosen()
            yield from self._listed(fallback)
        else:
            self._has_substitutes = True
            yield from self._default_and_substitutes()

    def announcement(self, candidate: Candidate) -> list[Notice]:
        """Return the notice before the first reply ever that the public default service gives."""
        if not self._announces or candidate.target != self._request.target:
            return []
        from darkai_cli.config import state

        self._announces = False
        if not state.first_time("public-default"):
            return []
        host = candidate.target.settings.host
        text = f"Prompts go to the public service {host}. To choose another: "
        return [Notice("info", f"{text}`darkai models default PROVIDER/MODEL`")]

    def succeeded(self) -> None:
        """The candidate has answered: a failure of the default service is forgotten."""
        if self._has_substitutes and not self._asks_substitute:
            from darkai_cli.config import state

            state.clear_outage(self._request.target.settings.url)

    def failed(self, error: ProviderError, *, started: bool) -> None:
        """The candidate has failed. Raises the error unless another candidate may be asked.

        ``started``: whether anything of a reply has been given out.
        """
        if started or not (self._asks_substitute or error.exit_code in REPLACEABLE):
            raise error
        self._failure = error

    def error(self) -> ProviderError:
        """Return the error of a turn in which every candidate has failed."""
        assert self._failure is not None
        return self._failure

    def _chosen(self) -> Candidate:
        request = self._request
        retries = request.config.retries if request.retries is None else request.retries
        return Candidate(request.target, request.connect_timeout, retries)

    def _listed(self, names: tuple[str, ...]) -> Iterator[Candidate | Notice]:
        """Yield the targets of the user's own fallback list; the last failure stands."""
        from darkai_cli.providers import connect, resolve

        config = self._request.config
        for name in names:
            try:
                target = resolve.target_by_name(config, name)
                if self._resumes:
                    check_can_resume(target, self._request.messages, None)
                if target.settings.type != "demo":
                    connect.with_key(target.settings, config, stdio.environ())
            except DarkAIError as exc:
                yield Notice("warning", f"Fallback `{name}`: {exc.message}")
                continue
            yield Notice("warning", f"{self.error().message}; trying `{name}` instead")
            yield Candidate(target, None, config.retries)

    def _default_and_substitutes(self) -> Iterator[Candidate | Notice]:
        """Yield the default service and its substitutes; those come first if it was just down."""
        from darkai_cli.config import state

        settings = self._request.target.settings
        if state.outage(settings.url):
            yield from self._substitutes(f"{settings.host} did not answer recently")
        yield Candidate(self._request.target, CONNECT_LIMIT, 0)
        failure = self.error()
        if not failure.proxied:  # else it may be the proxy's fault, which the user will mend
            state.record_outage(settings.url)
        yield from self._substitutes(failure.message)
        failure.hint = self._hint()
        self._failure = failure

    def _substitutes(self, reason: str) -> Iterator[Candidate | Notice]:
        """Yield, once in a turn, what may answer in place of the default service.

        ``reason``: why that does not answer.
        """
        if self._substitutes_asked:
            return
        self._substitutes_asked = self._asks_substitute = True
        for target in () if self._resumes else _local_targets(self._request.config):
            yield _local_notice(target, reason)
            yield from self._substitute(target)
        if self._observer.can_ask and not self._resumes:
            yield from self._paid_substitute(reason)
        demo = None if self._declined else demo_for(self._request.messages)
        if demo is not None:
            yield Notice(
                "warning",
                f"{reason}, so the built-in demo is answering (it isn't a language model). "
                f"{CHOOSE}",
            )
            yield from self._substitute(demo)
        self._asks_substitute = False

    def _substitute(self, target: Target) -> Iterator[Candidate | Notice]:
        yield Candidate(target, None, 0)
        yield Notice("warning", f"`{target.settings.name}`: {self.error().message}")

    def _paid_substitute(self, reason: str) -> Iterator[Candidate | Notice]:
        """Ask the person whether a provider may be used that costs money and sees the prompt."""
        offer = self._paid_offer()
        if offer is None:
            return
        settings, variable = offer
        yield Notice("warning", reason)
        answer = _consent(
            self._observer.ask(
                f"{variable} is set. Use {settings.default_model} from {settings.name}? "
                "[y]es, [a]lways, [n]o"
            )
        )
        if answer == "no":
            self._declined = True
            return
        target = Target(settings, settings.default_model)
        yield _paid_notice(target, always=answer == "always")
        yield from self._substitute(target)

    def _paid_offer(self) -> tuple[ProviderSettings, str] | None:
        """Return the first provider whose key is in the environment, and the variable's name."""
        from darkai_cli.providers import resolve
        from darkai_cli.providers.services import GENERAL_TOKENS

        environ = stdio.environ()
        for settings in resolve.usable_providers(self._request.config)[0]:
            if settings.local or not settings.default_model:
                continue
            for variable in settings.key_env:
                if variable not in GENERAL_TOKENS and environ.get(variable, "").strip():
                    return settings, variable
        return None

    def _hint(self) -> str:
        """Return what to type next where nobody answered."""
        if self._declined:
            return f"{CHOOSE}. To stop this question: `darkai config set fallback '[]'`"
        offer = None if self._resumes else self._paid_offer()
        if offer is None:
            return f"{CHOOSE}. To see a demo: `darkai ask -p demo 'tell me a joke'`"
        settings, variable = offer
        return (
            f"{variable} is set. To use `{settings.default_model}`: "
            f"`darkai ask -p {settings.name}`. To make it the default: "
            f"`darkai config set provider {settings.name}`"
        )


def is_default(config: Config, target: Target) -> bool:
    """Return whether the target is the public default service, and nobody chose it."""
    default = BUILT_IN["darkai"]
    return (
        target.settings.name == default.name
        and target.settings.url == default.url
        and not config.chosen("provider")
        and not config.chosen("providers.darkai.url")
        and "/" not in (config.aliases.get(config.model or "", config.model) or "")
    )


def demo_for(messages: tuple[Message, ...]) -> Target | None:
    """Return the demo provider, if it can honestly answer the last message."""
    from darkai_cli.providers.demo.answers import can_answer

    if not messages:
        return None
    resumes = messages[-1].role == "assistant"
    if not (_demo_continues(messages) if resumes else can_answer(messages[-1].content)):
        return None
    settings = BUILT_IN["demo"]
    return Target(settings, settings.default_model)


def check_can_resume(target: Target, messages: tuple[Message, ...], model: str | None) -> None:
    """Raise ``UsageError`` where demo would have to continue the words of ``model``."""
    if target.settings.name == BUILT_IN["demo"].name and not _demo_continues(messages):
        raise UsageError(
            f"`demo` can't continue a reply of `{model or 'another model'}`: "
            "it isn't a language model",
            hint="Leave out `-p demo`, or choose a model with `-m PROVIDER/MODEL`",
        )


def _demo_continues(messages: tuple[Message, ...]) -> bool:
    """Return whether the reply at the end is the beginning of what demo would say."""
    from darkai_cli.providers.darkai import format_prompt
    from darkai_cli.providers.demo.service import continued

    return continued(format_prompt(messages, do_continue=True)) is not None


def _local_targets(config: Config) -> Iterator[Target]:
    from darkai_cli.providers import local_servers

    return local_servers.find(config)


def _local_notice(target: Target, reason: str) -> Notice:
    address = target.settings.url.partition("://")[2].partition("/")[0]
    return Notice(
        "warning",
        f"{reason}; using `{target.model}` from `{target.settings.name}` "
        f"on this machine ({address}). Nothing leaves this machine",
    )


def _paid_notice(target: Target, *, always: bool) -> Notice:
    """Return the notice that a paid provider answers; ``always`` makes it the configured one."""
    name = target.settings.name
    text = f"Using `{target.model}` from `{name}`"
    if not always:
        return Notice("info", f"{text} this time")
    from darkai_cli.config import write

    try:
        write.set_value("provider", name)
    except DarkAIError as error:
        return Notice("warning", f"{text} this time only. {error.message}")
    return Notice("info", f"{text} from now on. To undo this: `darkai config unset provider`")


def _consent(answer: str) -> str:
    """Return ``yes``, ``always`` or ``no``: whatever is neither of the first two is the third."""
    word = answer.strip().lower()
    return next((choice for choice in ("yes", "always") if word in (choice, choice[0])), "no")
