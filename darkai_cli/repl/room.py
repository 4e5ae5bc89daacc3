"""How much of a conversation fits: what is known of each model, how well its tokens are guessed.

Not the estimate itself (``conversation.window``). What services list about their models is read
from what was kept of it, once for a model: nobody is asked for it here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from darkai_cli.conversation import context_window

if TYPE_CHECKING:
    from darkai_cli.messages import Message
    from darkai_cli.providers.base import ModelInfo, ProviderSettings, Target


class ContextWindow:
    """What a session has learnt about the models that it talks to."""

    def __init__(self) -> None:
        self._factors: dict[tuple[str, str], float] = {}
        self._known: dict[tuple[str, str, str], ModelInfo | None] = {}

    def known(self, settings: ProviderSettings, model: str) -> ModelInfo | None:
        """What the service lists about a model, if it was kept."""
        from darkai_cli.providers import model_cache

        key = (settings.name, settings.url, model)
        if key not in self._known:
            found = model_cache.read(settings.name, settings.url, old=True) or ()
            self._known[key] = next((one for one in found if one.name == model), None)
        return self._known[key]

    def factor(self, target: Target) -> float:
        """How far estimates of this model's tokens are off, as the service has told."""
        return self._factors.get((target.settings.name, target.model), 1.0)

    def learn(
        self, provider: str, model: str, messages: Sequence[Message], told: int | None
    ) -> None:
        """The service counted a request."""
        if told:
            self._factors[provider, model] = context_window.scale(messages, told)

    def size(self, target: Target, options: Mapping[str, Any]) -> int | None:
        """The tokens that the model's context takes; None where that is not known."""
        settings = target.settings
        told = options.get("num_ctx") if settings.type == "ollama" else None
        if isinstance(told, int) and told > 0:
            return told
        if settings.context is not None:
            return settings.context
        listed = self.known(settings, target.model)
        return listed.context if listed is not None else None

    def fit(
        self, target: Target, messages: Sequence[Message], options: Mapping[str, Any]
    ) -> context_window.Fit:
        """What of the messages fits, with room left for the reply."""
        size = self.size(target, options)
        reply = context_window.reserve(size, options) if size is not None else 0
        return context_window.fit(messages, size, reply=reply, factor=self.factor(target))
