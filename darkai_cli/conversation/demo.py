"""What the offline ``demo`` can honestly answer or continue, as one that nobody named."""

from __future__ import annotations

from darkai_cli.errors import UsageError
from darkai_cli.messages import Message
from darkai_cli.providers.base import Target
from darkai_cli.providers.catalog import BUILT_IN


def demo_for(messages: tuple[Message, ...]) -> Target | None:
    """The demo provider, if it can honestly answer the last message."""
    from darkai_cli.providers.demo.answers import can_answer

    if not messages:
        return None
    resumed = messages[-1].role == "assistant"
    if not (demo_continues(messages) if resumed else can_answer(messages[-1].content)):
        return None
    settings = BUILT_IN["demo"]
    return Target(settings, settings.default_model)


def demo_continues(messages: tuple[Message, ...]) -> bool:
    """Whether the reply at the end is the beginning of what demo would say."""
    from darkai_cli.providers.darkai import format_prompt
    from darkai_cli.providers.demo.service import continued

    return continued(format_prompt(messages, do_continue=True)) is not None


def check_resumed(target: Target, messages: tuple[Message, ...], by: str | None) -> None:
    """Raise ``UsageError`` where demo would have to go on with the words of ``by``, a model."""
    if target.settings.name == BUILT_IN["demo"].name and not demo_continues(messages):
        raise UsageError(
            f"`demo` cannot continue a reply of `{by or 'another model'}`: it is no language model",
            hint="leave out `-p demo`, or name a model that can with `-m PROVIDER/MODEL`",
        )
