"""Completion in the input: slash commands and their arguments.

No service is asked and no long file is read: models come from the configuration and the cached
lists, conversations from one quick query, paths from one folder.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, NamedTuple

from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document

from darkai_cli.config import schema
from darkai_cli.errors import DarkAIError
from darkai_cli.output.sanitize import sanitize_line
from darkai_cli.repl.commands import registry

if TYPE_CHECKING:
    from darkai_cli.repl.session import ChatSession

MAX_CANDIDATES = 200
"""Candidates that are offered."""

_OPTIONS = ("temperature", "top_p", "max_tokens", "seed", "stop", "reasoning_effort")

_SPECIAL = re.compile(r"[^\w@%+=:,./~-]")
"""A character that needs quotes in a name."""

Candidates = Iterable[tuple[str, str]]
"""Texts to insert, each with a description."""


class SlashCompleter(Completer):
    """Completes the name of a slash command, then its argument."""

    def __init__(self, session: ChatSession) -> None:
        self._session = session
        self._cache: dict[str, list[tuple[str, str]]] = {}
        self._sources: dict[str, Callable[[], Candidates]] = {
            "command": _commands,
            "model": lambda: _models(session),
            "option": lambda: ((f"{name}=", "") for name in _OPTIONS),
            "set-option": lambda: ((name, str(session.options[name])) for name in session.options),
            "conversation": lambda: _conversations(session),
            "turn": lambda: _turns(session),
            "branch": lambda: _branches(session),
            "copy": lambda: (("code", "the last code block"), ("all", "the conversation")),
            "config": lambda: ((key.name, key.meaning) for key in schema.KEYS.values()),
        }

    def forget(self) -> None:
        """Forget the candidates of the last input: they may have changed."""
        self._cache.clear()

    def get_completions(
        self,
        document: Document,
        complete_event: CompleteEvent,  # noqa: ARG002 -- prompt-toolkit's
    ) -> Iterable[Completion]:
        """Yield what could stand at the cursor."""
        text = document.text_before_cursor
        if not text.startswith("/") or text.startswith("//") or "\n" in text:
            return
        name, space, argument = text[1:].partition(" ")
        if not space:
            yield from _names(name)
            return
        command = registry.by_name().get(name)
        if command is None:
            return
        if command.completes == "path":
            yield from _paths(argument)
        elif command.completes in self._sources:
            yield from self._values(command.completes, argument)

    def _values(self, kind: str, argument: str) -> Iterable[Completion]:
        """Yield the values that start with the word at the cursor, then those that contain it."""
        word = argument.rpartition(" ")[2]
        lowered = word.lower()
        if kind not in self._cache:
            # A name from a service may contain control characters, which nobody can type.
            candidates = self._sources[kind]()
            self._cache[kind] = [pair for pair in candidates if pair[0].isprintable()]
        matches = [pair for pair in self._cache[kind] if lowered in pair[0].lower()]
        matches.sort(key=lambda pair: not pair[0].lower().startswith(lowered))
        for value, description in matches[:MAX_CANDIDATES]:
            if value != word:
                yield Completion(value, -len(word), value, sanitize_line(description, 60))


def _names(prefix: str) -> Iterable[Completion]:
    for command in registry.commands():
        if any(name.startswith(prefix) for name in command.names):
            end = " " if command.completes else ""
            text = command.name + end
            yield Completion(text, -len(prefix) - 1, command.usage, command.summary)


def _commands() -> Candidates:
    return ((command.names[0], command.summary) for command in registry.commands())


def _models(session: ChatSession) -> Candidates:
    from darkai_cli.providers import resolve as providers

    yield from session.config.aliases.items()
    for settings in providers.usable_providers(session.config)[0]:
        for model in providers.known_models(settings):
            yield f"{settings.name}/{model}", ""


def _paths(argument: str) -> Iterable[Completion]:
    """Yield files and folders for the last of several names, which may be quoted."""
    word = _last_word(argument)
    path = word.text
    if path.startswith(("http://", "https://")):
        return
    if path == "~":
        yield Completion("~/", -len(word.source), "~/", "folder")
        return
    folder, _, prefix = path.rpartition("/")
    if folder or path.startswith("/"):
        folder += "/"
    location = os.path.expanduser(folder or ".")  # noqa: PTH111 -- a str, as scandir takes it
    for name, is_folder in _entries(location, prefix):
        candidate = f"{folder}{name}"
        quote = word.quote or ("'" if _SPECIAL.search(name) or _SPECIAL.search(folder[1:]) else "")
        if quote and quote in candidate:
            # There is no simple way to write it.
            continue
        label = f"{candidate}/" if is_folder else candidate
        # A folder's quote stays open for the name of a file in it.
        text = f"{quote}{label}" if is_folder else f"{quote}{label}{quote}"
        if text != word.source:
            yield Completion(text, -len(word.source), label, "folder" if is_folder else "")


class _Word(NamedTuple):
    """The word at the cursor. ``source``: as typed. ``quote``: the open quote, or ""."""

    source: str
    text: str
    quote: str


def _last_word(argument: str) -> _Word:
    """Return the last word, with the shell's rules for quotes."""
    start, quote, text = 0, "", ""
    position = 0
    while position < len(argument):
        char = argument[position]
        if quote:
            if char == quote:
                quote = ""
            elif quote == '"' and argument[position : position + 2] in ('\\"', "\\\\"):
                position += 1
                text += argument[position]
            else:
                text += char
        elif char in "'\"":
            quote = char
        elif char == " ":
            start, text = position + 1, ""
        elif char == "\\" and position + 1 < len(argument):
            position += 1
            text += argument[position]
        else:
            text += char
        position += 1
    return _Word(argument[start:], text, quote)


def _entries(location: str, prefix: str) -> list[tuple[str, bool]]:
    """Return the names in a folder that start with the prefix, and whether each is a folder."""
    lowered = prefix.lower()
    matches = []
    try:
        with os.scandir(location) as entries:
            for entry in entries:
                name = entry.name
                if not name.lower().startswith(lowered) or not name.isprintable():
                    continue
                if name.startswith(".") and not prefix.startswith("."):
                    continue
                matches.append((name, entry.is_dir()))
                if len(matches) >= MAX_CANDIDATES * 5:
                    break
    except OSError:
        return []
    return sorted(matches)[:MAX_CANDIDATES]


def _conversations(session: ChatSession) -> Candidates:
    try:
        with session.store() as store:
            conversations = store.conversations(limit=50)
    except DarkAIError:
        return
    for conversation in conversations:
        yield conversation.short, conversation.title


def _turns(session: ChatSession) -> Candidates:
    for number, entry in enumerate(session.branches.prompts(), 1):
        yield str(number), entry.message.content[:100]


def _branches(session: ChatSession) -> Candidates:
    for number, entry in enumerate(session.branches.leaves(), 1):
        yield str(number), entry.message.content[:100]
