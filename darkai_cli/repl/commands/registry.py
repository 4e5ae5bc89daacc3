"""The table of slash commands: all of them, one by its name, and the reference page."""

from __future__ import annotations

import difflib
from functools import cache
from importlib import import_module

from darkai_cli.errors import NotFoundError
from darkai_cli.repl.commands.command import SlashCommand

MODULES = {
    "messages": "Replies",
    "branches": "Branches",
    "models": "Model and options",
    "files": "Files and clipboard",
    "conversations": "Conversations",
    "session": "Session",
}
"""The modules of the commands, each with the title of its topic."""


@cache
def topics() -> dict[str, list[SlashCommand]]:
    """Return the commands of each topic, by its title."""
    topics = {}
    for name, title in MODULES.items():
        values = vars(import_module(f"darkai_cli.repl.commands.{name}")).values()
        topics[title] = [value for value in values if isinstance(value, SlashCommand)]
    return topics


def commands() -> list[SlashCommand]:
    """Return all commands, in the order of their topics."""
    return [command for commands in topics().values() for command in commands]


@cache
def by_name() -> dict[str, SlashCommand]:
    """Return all names of all commands, without the slash."""
    return {name: command for command in commands() for name in command.names}


def find(name: str) -> SlashCommand:
    """Return the command of this name or unambiguous prefix, without the slash.

    Raises ``NotFoundError`` with the nearest names.
    """
    names = by_name()
    if name in names:
        return names[name]
    matches = {
        command.names[0]: command
        for full_name, command in names.items()
        if name and full_name.startswith(name)
    }
    if len(matches) == 1:
        return next(iter(matches.values()))
    close = sorted(matches) or difflib.get_close_matches(name, names, n=3, cutoff=0.6)
    suggestions = " or ".join(f"`/{suggestion}`" for suggestion in close[:4])
    raise NotFoundError(
        f"Unknown command `/{name}`",
        hint=f"Did you mean {suggestions}? `//` sends a text that begins with a slash"
        if suggestions
        else "`/help` lists all commands; `//` sends a text that begins with a slash",
    )


def reference() -> str:
    """Return the reference page of the commands, in Markdown."""
    lines = [
        "# Commands in `darkai chat`",
        "",
        "<!-- Generated from darkai_cli/repl/commands; a test compares. -->",
        "",
        "A line that begins with `/` is a command; `!command` runs a shell command and offers to",
        "attach its output. `//text` and `!!text` send a text that begins with `/` or `!`; pasted",
        "text is never a command. Any unambiguous prefix of a command's name works. A turn is a",
        "prompt and its reply; N counts the turns of the current branch from 1.",
        "",
    ]
    for title, commands in topics().items():
        lines += [f"## {title}", ""]
        for command in commands:
            aliases = "".join(f", `/{name}`" for name in command.names[1:])
            lines += [f"### `{command.usage}`{aliases}", "", f"{command.summary}.", ""]
            if command.detail:
                lines += [command.detail, ""]
    return "\n".join(lines).rstrip() + "\n"
