"""Who may answer in place of the default service, where nobody was ever chosen.

First a model server on this machine, which sees the prompt and nobody else does. A provider whose
key is in the environment costs money and sees the prompt too, so the person at the terminal is
asked; where nobody is there, the hint names the command. Last the offline ``demo``, for what it can
honestly answer. A reply that is to be continued goes to no other model.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from typing import TYPE_CHECKING

from darkai_cli import stdio
from darkai_cli.conversation.demo import demo_for
from darkai_cli.errors import DarkAIError, ProviderError
from darkai_cli.events import Event, Notice
from darkai_cli.messages import Message
from darkai_cli.providers import resolve
from darkai_cli.providers.base import Target
from darkai_cli.providers.services import GENERAL_TOKENS

if TYPE_CHECKING:
    from darkai_cli.config import Config
    from darkai_cli.conversation.retry import Stream
    from darkai_cli.providers.base import ProviderSettings

CHOOSE = "choose a service: `darkai keys set openai`, then `darkai config set provider openai`"


class FallbackCandidates:
    """The substitutes of one turn; each is tried once.

    ``ask``: puts a question to the person at the terminal; None where nobody can be asked.
    """

    def __init__(
        self,
        config: Config,
        messages: tuple[Message, ...],
        ask: Callable[[str], str] | None,
    ) -> None:
        self._config = config
        self._messages = messages
        self._ask = ask
        self._resumed = bool(messages) and messages[-1].role == "assistant"
        self._tried = False
        self._declined = False

    def answer(self, why: str, open_stream: Stream) -> Generator[Event, None, bool]:
        """The events of the first that answers; whether any did. ``why``: the default does not."""
        if self._tried:
            return False
        self._tried = True
        local = () if self._resumed else _local(self._config)
        for target in local:
            place = target.settings.url.partition("://")[2].partition("/")[0]
            yield Notice(
                "warning",
                f"{why}; `{target.settings.name}` on this machine ({place}) answers with "
                f"`{target.model}`; nothing leaves this machine",
            )
            if (yield from self._answered(target, open_stream)):
                return True
        paid = None if self._resumed or self._ask is None else self._offered()
        if paid is not None and self._ask is not None:
            yield Notice("warning", why)
            chosen = _consent(self._ask(_question(*paid)))
            if chosen == "no":
                self._declined = True
                return False
            target = Target(paid[0], paid[0].default_model)
            yield self._taken(target, always=chosen == "always")
            if (yield from self._answered(target, open_stream)):
                return True
        demo = demo_for(self._messages)
        if demo is None:
            return False
        yield Notice(
            "warning",
            f"{why}; the offline `{demo.settings.name}` answers, no model does; {CHOOSE}",
        )
        return (yield from self._answered(demo, open_stream))

    @staticmethod
    def _answered(target: Target, open_stream: Stream) -> Generator[Event, None, bool]:
        """The events of one of them; False if it failed before its first word."""
        started = False
        try:
            with closing(open_stream(target, connect_timeout=None, retries=0)) as events:
                for event in events:
                    started = started or event.type != "notice"
                    yield event
        except DarkAIError as error:
            if started or not isinstance(error, ProviderError):
                raise
            yield Notice("warning", f"`{target.settings.name}`: {error.message}")
            return False
        return True

    def _offered(self) -> tuple[ProviderSettings, str] | None:
        """The first provider whose key is in the environment, and the variable's name."""
        environ = stdio.environ()
        for settings in resolve.usable_providers(self._config)[0]:
            if settings.local or not settings.default_model:
                continue
            for variable in settings.key_env:
                if variable not in GENERAL_TOKENS and environ.get(variable, "").strip():
                    return settings, variable
        return None

    @staticmethod
    def _taken(target: Target, *, always: bool) -> Notice:
        name = target.settings.name
        text = f"`{name}` answers with `{target.model}`"
        if not always:
            return Notice("info", f"{text}, this time")
        from darkai_cli.config import write

        try:
            write.set_value("provider", name)
        except DarkAIError as error:
            return Notice("warning", f"{text}, this time: {error.message}")
        return Notice("info", f"{text}; from now on it is asked (`darkai config unset provider`)")

    def hint(self) -> str:
        """What to type next where nobody answered."""
        if self._declined:
            return f"{CHOOSE}; `darkai config set fallback '[]'` asks no more"
        paid = None if self._resumed else self._offered()
        if paid is None:
            return f"{CHOOSE}; `darkai ask -p demo` is an offline demonstration"
        settings, variable = paid
        return (
            f"{variable} is set: `darkai ask -p {settings.name}` asks `{settings.default_model}`, "
            f"`darkai config set provider {settings.name}` does so from now on"
        )


def _local(config: Config) -> Iterator[Target]:
    from darkai_cli.providers import local_servers

    return local_servers.found(config)


def _question(settings: ProviderSettings, variable: str) -> str:
    return (
        f"{settings.name} offers {settings.default_model} and {variable} is set. Use it? "
        "[y]es, [a]lways, [n]o"
    )


def _consent(typed: str) -> str:
    """``yes``, ``always`` or ``no``: whatever is neither of the first two is the third."""
    word = typed.strip().lower()
    return next((one for one in ("yes", "always") if word in (one, one[0])), "no")
