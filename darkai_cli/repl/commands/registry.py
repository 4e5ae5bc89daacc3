"""All slash commands, found by name; and the reference page made of them."""

from __future__ import annotations

import difflib
from functools import cache
from importlib import import_module

from darkai_cli.errors import NotFoundError
from darkai_cli.repl.commands.command import SlashCommand, Topic

MODULES = ("messages", "branches", "models", "files", "conversations", "session")
TOPICS: dict[Topic, str] = {
    "talk": "Talking",
    "branches": "Branches",
    "model": "Model and options",
    "files": "Files and clipboard",
    "history": "Conversations",
    "session": "The session",
}


@cache
def commands() -> tuple[SlashCommand, ...]:
    """All commands, in the order of their modules."""
    found = []
    for name in MODULES:
        module = import_module(f"darkai_cli.repl.commands.{name}")
        found += [one for one in vars(module).values() if isinstance(one, SlashCommand)]
    return tuple(found)


@cache
def by_name() -> dict[str, SlashCommand]:
    """Each name of each command, without the slash."""
    return {name: one for one in commands() for name in one.names}


def find(typed: str) -> SlashCommand:
    """The command of that name, without the slash; any prefix that means only one will do.

    Raises ``NotFoundError`` with the nearest names.
    """
    names = by_name()
    if typed in names:
        return names[typed]
    begun = {one.names[0]: one for name, one in names.items() if typed and name.startswith(typed)}
    if len(begun) == 1:
        return next(iter(begun.values()))
    close = sorted(begun) or difflib.get_close_matches(typed, names, n=3, cutoff=0.6)
    meant = " or ".join(f"`/{one}`" for one in close[:4])
    raise NotFoundError(
        f"there is no command `/{typed}`",
        hint=f"did you mean {meant}? `//` sends a text that begins with a slash"
        if meant
        else "`/help` lists them; `//` sends a text that begins with a slash",
    )


def reference() -> str:
    """The reference page of the commands, in Markdown."""
    lines = [
        "# Commands in `darkai chat`",
        "",
        "<!-- Generated from darkai_cli/repl/commands; a test compares. -->",
        "",
        "A line that begins with `/` is a command, `//` sends a text that begins with a slash, and",
        "`!command` runs a shell command and offers its output as context. A name may be cut short",
        "as long as it means one command. Exchanges are counted from 1 along the active branch.",
    ]
    for topic, title in TOPICS.items():
        lines += ["", f"## {title}", ""]
        for one in commands():
            if one.topic != topic:
                continue
            also = "".join(f", `/{name}`" for name in one.names[1:])
            arguments = f" {one.arguments}" if one.arguments else ""
            lines += [f"### `{one.name}{arguments}`{also}", "", _sentence(one.summary), ""]
            if one.detail:
                lines += [_unwrapped(one.detail), ""]
    return "\n".join(lines).rstrip() + "\n"


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def _unwrapped(text: str) -> str:
    return "\n".join(line.strip() for line in text.splitlines())
