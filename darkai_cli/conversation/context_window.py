"""Estimate how much of a conversation fits a model's context window, and what would not fit.

Nothing is cut here. Tokens are estimated, because every model counts them in its own way: four
ASCII characters to a token, two characters of other alphabets, one of Chinese, Japanese and Korean,
and a few for each message around its text. An image counts as a fixed number. ``ContextWindow``
remembers for a session how far the estimate for each model was from what the service counted, and
reads the window's size from the cached list of models: no service is asked for it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from darkai_cli.conversation.outcome import LIMIT_OPTIONS
from darkai_cli.messages import Message

if TYPE_CHECKING:
    from darkai_cli.providers.base import ModelInfo, ProviderSettings, Target

IMAGE = 1000
"""Tokens that an image counts as: services take 85 to 1,600 for one of usual size."""

MESSAGE = 4
"""Tokens around each message: its role and its ends."""

RESERVE = 1024
"""Tokens that are left for the reply, where the request names no limit for it."""

_SHARE = 4
"""The part of a small window that is left for the reply: one in so many."""

_ASCII = re.compile(r"[\x00-\x7f]+")
_DENSE = re.compile(
    r"[\u1100-\u11ff\u2e80-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\U00020000-\U0003ffff]"
)


class Fit(NamedTuple):
    """How messages fit a context window. All sizes are estimated tokens.

    ``size``: of all messages. ``room``: for them, None where the window's size is not known.
    ``dropped``: how many of the oldest messages, the system prompt not counted, must be left out.
    ``messages``: the others. ``messages_size``: the size of those.
    """

    size: int
    room: int | None
    dropped: int
    messages: tuple[Message, ...]
    messages_size: int

    @property
    def overflows(self) -> bool:
        """Whether messages must be left out."""
        return self.room is not None and self.size > self.room

    @property
    def prompt_is_too_long(self) -> bool:
        """Whether the prompt itself is too long, so that leaving messages out does not help."""
        return self.room is not None and self.messages_size > self.room


def estimate(text: str) -> float:
    """Return the estimated tokens of a text."""
    if text.isascii():
        return len(text) / 4
    ascii_size = sum(len(run) for run in _ASCII.findall(text))
    dense = len(_DENSE.findall(text))
    return ascii_size / 4 + dense + (len(text) - ascii_size - dense) / 2


def size(message: Message) -> float:
    """Return the estimated tokens of one message."""
    calls = sum(estimate(call.name) + estimate(call.arguments) for call in message.calls)
    return MESSAGE + estimate(message.content) + IMAGE * len(message.images) + calls


def scale(messages: Sequence[Message], counted: int | None) -> float:
    """Return the factor by which the estimate was off, given what the service counted."""
    if not counted:
        return 1.0
    return min(4.0, max(0.25, counted / max(1.0, sum(map(size, messages)))))


def reserve(window: int, options: Mapping[str, Any] = {}) -> int:
    """Return the tokens to leave for the reply: its limit in the options, else a usual number."""
    for name in sorted(LIMIT_OPTIONS & options.keys()):
        limit = options[name]
        if isinstance(limit, int) and not isinstance(limit, bool) and limit > 0:
            return min(limit, window)
    return min(RESERVE, window // _SHARE)


def fit(
    messages: Sequence[Message],
    window: int | None,
    *,
    reply: int = RESERVE,
    factor: float = 1.0,
) -> Fit:
    """Return which messages fit. ``reply``: tokens left for it. ``factor``: from ``scale``.

    The system prompt and the last message always stay. The oldest turns are dropped first, and as a
    whole: a reply does not stay without its prompt, nor a tool's output without the call.
    """
    sizes = [size(message) * factor for message in messages]
    total = sum(sizes)
    if window is None:
        return Fit(round(total), None, 0, tuple(messages), round(total))
    room = max(0, window - reply)
    first = 1 if messages and messages[0].role == "system" else 0
    start = first
    remaining = total
    while remaining > room and start < len(messages) - 1:
        end = start + 1
        while end < len(messages) - 1 and messages[end].role != "user":
            end += 1
        remaining -= sum(sizes[start:end])
        start = end
    fitting = (*messages[:first], *messages[start:])
    return Fit(round(total), room, start - first, fitting, round(remaining))


class ContextWindow:
    """What a session has learnt about the context windows of the models it uses."""

    def __init__(self) -> None:
        self._factors: dict[tuple[str, str], float] = {}
        self._known: dict[tuple[str, str, str], ModelInfo | None] = {}

    def known(self, settings: ProviderSettings, model: str) -> ModelInfo | None:
        """Return what the service lists about a model, if that is in the cache."""
        from darkai_cli.providers import model_cache

        key = (settings.name, settings.url, model)
        if key not in self._known:
            rows = model_cache.read(settings.name, settings.url, old=True) or ()
            self._known[key] = next((row for row in rows if row.name == model), None)
        return self._known[key]

    def factor(self, target: Target) -> float:
        """Return the factor by which estimates of this model's tokens are off."""
        return self._factors.get((target.settings.name, target.model), 1.0)

    def learn(
        self, provider: str, model: str, messages: Sequence[Message], counted: int | None
    ) -> None:
        """Note how many tokens the service counted in a request."""
        if counted:
            self._factors[provider, model] = scale(messages, counted)

    def size(self, target: Target, options: Mapping[str, Any]) -> int | None:
        """Return the tokens that the model's context window takes; None where that is not known."""
        settings = target.settings
        num_ctx = options.get("num_ctx") if settings.type == "ollama" else None
        if isinstance(num_ctx, int) and num_ctx > 0:
            return num_ctx
        if settings.context is not None:
            return settings.context
        listed = self.known(settings, target.model)
        return listed.context if listed is not None else None

    def fit(self, target: Target, messages: Sequence[Message], options: Mapping[str, Any]) -> Fit:
        """Return which of the messages fit, with room left for the reply."""
        size = self.size(target, options)
        reply = reserve(size, options) if size is not None else 0
        return fit(messages, size, reply=reply, factor=self.factor(target))
