"""Takes the keys of a request out of what its reply brings: services echo them.

Not the errors (``http`` puts those right), not the headers. Text and reasoning come in pieces, so
each has a ``Hider`` for each key; what they hold back is given out at the end. Other events are
whole. A reply to a request without credentials never comes here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from darkai_cli.events import Event, ReasoningChunk, TextChunk
from darkai_cli.providers.base import ModelInfo, ProviderSettings
from darkai_cli.secrets import Hider, is_maskable, mask, mask_known, secrets_in

Row = TypeVar("Row", Event, ModelInfo)


class Hiding:
    """What is to be hidden in one reply."""

    def __init__(self, keys: tuple[str, ...]) -> None:
        self._keys = keys
        self._text = [Hider(key) for key in keys]
        self._reasoning = [Hider(key) for key in keys]
        self._begun = False

    @classmethod
    def of(cls, settings: ProviderSettings) -> Hiding | None:
        """What to hide in replies of this provider; None where it is sent no credentials."""
        found = {value for value in secrets_in(settings.headers) if " " not in value}
        if settings.key is not None:
            found.add(settings.key.reveal(settings.url))
        keys = tuple(filter(is_maskable, found))
        return cls(keys) if keys else None

    def passing(self, is_whole: Callable[[str], bool]) -> Callable[[str], bool]:
        """The quick test: whether a piece may be given out as it is; ``is_whole`` must agree."""
        first, *others = self._text
        clean, initial = first.is_clean, self._keys[0][0]
        if others:
            return lambda text: (
                not self._begun
                and all(hider.is_clean(text) for hider in self._text)
                and is_whole(text)
            )
        return lambda text: (
            not self._begun
            and (initial not in text or clean(text))
            and (text.isascii() or is_whole(text))
        )

    def piece(self, kind: str, text: str) -> str:
        """A piece of text, or of reasoning, as it may be given out; "" if all is held back."""
        hiders = self._text if kind == "text-chunk" else self._reasoning
        for hider in hiders:
            text = hider.feed(text)
        self._begun = self._text[0].begun != "" or self._reasoning[0].begun != ""
        if len(hiders) > 1 and not self._begun:
            self._begun = any(hider.begun for hider in (*self._text, *self._reasoning))
        return text

    def rest(self) -> Iterator[Event]:
        """What was held back, at the end."""
        for chunk, hiders in ((ReasoningChunk, self._reasoning), (TextChunk, self._text)):
            text = ""
            for hider in hiders:
                text = hider.feed(text) + hider.finish()
            if text:
                yield chunk(text)

    def whole(self, row: Row) -> Row:
        """Another event, or a model, without the keys."""
        changed: dict[str, Any] = {}
        for field, value in row._asdict().items():
            if isinstance(value, str):
                shown = mask_known(mask(value, self._keys))
                if shown != value:
                    changed[field] = shown
        return row._replace(**changed) if changed else row
