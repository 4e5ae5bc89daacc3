"""Completion in the input: slash commands and what they take, from the registry of commands.

Nothing here asks a service or reads a long file: models come from the configuration and the kept
lists, conversations from one quick query, paths from the folder that is being typed.
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
from darkai_cli.repl.commands.command import SlashCommand

if TYPE_CHECKING:
    from darkai_cli.repl.session import ChatSession

MOST = 200
"""Candidates that are offered at most."""

_OPTIONS = ("temperature", "top_p", "max_tokens", "seed", "stop", "reasoning_effort")

_ODD = re.compile(r"[^\w@%+=:,./~-]")
"""What a name without quotes cannot hold."""

Pairs = Iterable[tuple[str, str]]
"""What to insert, and what to say about it."""


class SlashCompleter(Completer):
    """Completes the first word of a slash command, and then its argument."""

    def __init__(self, session: ChatSession) -> None:
        self._session = session
        self._kept: dict[str, list[tuple[str, str]]] = {}
        self._makers: dict[str, Callable[[], Pairs]] = {
            "command": _commands,
            "model": lambda: _models(session),
            "option": lambda: ((f"{name}=", "") for name in _OPTIONS),
            "set-option": lambda: ((name, str(session.options[name])) for name in session.options),
            "conversation": lambda: _conversations(session),
            "exchange": lambda: _exchanges(session),
            "branch": lambda: _branches(session),
            "copy": lambda: (("code", "the last code block"), ("all", "the conversation")),
            "config": lambda: ((key.name, key.meaning) for key in schema.KEYS.values()),
        }

    def forget(self) -> None:
        """A new input begins: what was gathered for the last one may have changed."""
        self._kept.clear()

    def get_completions(
        self,
        document: Document,
        complete_event: CompleteEvent,  # noqa: ARG002 -- prompt-toolkit's
    ) -> Iterable[Completion]:
        """What could stand at the cursor."""
        text = document.text_before_cursor
        if not text.startswith("/") or text.startswith("//") or "\n" in text:
            return
        name, space, argument = text[1:].partition(" ")
        if not space:
            yield from _names(name)
            return
        one = registry.by_name().get(name)
        if one is None:
            return
        if one.completes == "path":
            yield from _paths(argument)
        elif one.completes in self._makers:
            yield from self._values(one, argument)

    def _values(self, one: SlashCommand, argument: str) -> Iterable[Completion]:
        """Those that begin with the word at the cursor, then those that hold it."""
        word = argument.rpartition(" ")[2]
        typed = word.lower()
        if one.completes not in self._kept:
            # A name that a service made up may hold what steers a terminal: nobody can type it.
            made = self._makers[one.completes]()
            self._kept[one.completes] = [pair for pair in made if pair[0].isprintable()]
        fits = [pair for pair in self._kept[one.completes] if typed in pair[0].lower()]
        fits.sort(key=lambda pair: not pair[0].lower().startswith(typed))
        for value, about in fits[:MOST]:
            if value != word:
                yield Completion(value, -len(word), value, sanitize_line(about, 60))


def _names(typed: str) -> Iterable[Completion]:
    for one in registry.commands():
        if any(each.startswith(typed) for each in one.names):
            end = " " if one.completes else ""
            shown = f"{one.name} {one.arguments}".rstrip()
            yield Completion(one.name + end, -len(typed) - 1, shown, one.summary)


def _commands() -> Pairs:
    return ((one.names[0], one.summary) for one in registry.commands())


def _models(session: ChatSession) -> Pairs:
    from darkai_cli.providers import resolve as providers

    yield from session.config.aliases.items()
    for settings in providers.usable_providers(session.config)[0]:
        for model in providers.known_models(settings):
            yield f"{settings.name}/{model}", ""


def _paths(argument: str) -> Iterable[Completion]:
    """Files and folders for the last of several names, which quotes may hold together."""
    word = _last_word(argument)
    typed = word.text
    if typed.startswith(("http://", "https://")):
        return
    if typed == "~":
        yield Completion("~/", -len(word.source), "~/", "folder")
        return
    folder, _, beginning = typed.rpartition("/")
    if folder or typed.startswith("/"):
        folder += "/"
    place = os.path.expanduser(folder or ".")  # noqa: PTH111 -- a str, as scandir takes it
    for name, is_folder in _listed(place, beginning):
        whole = f"{folder}{name}"
        quote = word.quote or ("'" if _ODD.search(name) or _ODD.search(folder[1:]) else "")
        if quote and quote in whole:
            continue  # there is no simple way to write it
        shown = f"{whole}/" if is_folder else whole
        # A folder's quote stays open: what is in it comes next.
        text = f"{quote}{shown}" if is_folder else f"{quote}{shown}{quote}"
        if text != word.source:
            yield Completion(text, -len(word.source), shown, "folder" if is_folder else "")


class _Word(NamedTuple):
    """The word at the cursor. ``source``: as it was typed. ``quote``: the one it is in, or ""."""

    source: str
    text: str
    quote: str


def _last_word(argument: str) -> _Word:
    """The last of several words, in the shell's way of quoting."""
    start, quote, text = 0, "", ""
    place = 0
    while place < len(argument):
        char = argument[place]
        if quote:
            if char == quote:
                quote = ""
            elif quote == '"' and argument[place : place + 2] in ('\\"', "\\\\"):
                place += 1
                text += argument[place]
            else:
                text += char
        elif char in "'\"":
            quote = char
        elif char == " ":
            start, text = place + 1, ""
        elif char == "\\" and place + 1 < len(argument):
            place += 1
            text += argument[place]
        else:
            text += char
        place += 1
    return _Word(argument[start:], text, quote)


def _listed(place: str, beginning: str) -> list[tuple[str, bool]]:
    """The entries of a folder whose names begin so, folders marked, each fit to be shown."""
    typed = beginning.lower()
    found = []
    try:
        with os.scandir(place) as entries:
            for entry in entries:
                name = entry.name
                if not name.lower().startswith(typed) or not name.isprintable():
                    continue
                if name.startswith(".") and not beginning.startswith("."):
                    continue
                found.append((name, entry.is_dir()))
                if len(found) >= MOST * 5:
                    break
    except OSError:
        return []
    return sorted(found)[:MOST]


def _conversations(session: ChatSession) -> Pairs:
    try:
        with session.store() as store:
            found = store.conversations(limit=50)
    except DarkAIError:
        return
    for one in found:
        yield one.short, one.title


def _exchanges(session: ChatSession) -> Pairs:
    for number, entry in enumerate(session.branches.prompts(), 1):
        yield str(number), entry.message.content[:100]


def _branches(session: ChatSession) -> Pairs:
    for number, entry in enumerate(session.branches.leaves(), 1):
        yield str(number), entry.message.content[:100]
