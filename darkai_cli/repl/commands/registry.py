"""The table of slash commands: all of them, one by its name, and the reference page."""

from __future__ import annotations

import difflib
from functools import cache
from importlib import import_module

from darkai_cli.errors import NotFoundError
from darkai_cli.repl.commands.command import SlashCommand, Topic

MODULES = ("messages", "branches", "models", "files", "conversations", "session")
TOPICS: dict[Topic, str] = {
    "talk": "Replies",
    "branches": "Branches",
    "model": "Model and options",
    "files": "Files and clipboard",
    "history": "Conversations",
    "session": "Session",
}


@cache
def commands() -> tuple[SlashCommand, ...]:
    """Return all commands, in the order of their modules."""
    table: list[SlashCommand] = []
    for name in MODULES:
        module = import_module(f"darkai_cli.repl.commands.{name}")
        table += [value for value in vars(module).values() if isinstance(value, SlashCommand)]
    return tuple(table)


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
        "A line that begins with `/` is a command. `//text` sends a text that begins with a slash.",
        "`!command` runs a shell command and offers to attach its output. Any unambiguous prefix",
        "of a command's name works. A turn is a prompt and its reply; N counts the turns of the",
        "current branch from 1.",
        "",
    ]
    for topic, title in TOPICS.items():
        lines += [f"## {title}", ""]
        for command in commands():
            if command.topic != topic:
                continue
            aliases = "".join(f", `/{name}`" for name in command.names[1:])
            arguments = f" {command.arguments}" if command.arguments else ""
            lines += [f"### `{command.name}{arguments}`{aliases}", ""]
            lines += [_sentence(command.summary), ""]
            if command.detail:
                lines += [_without_indent(command.detail), ""]
    return "\n".join(lines).rstrip() + "\n"


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def _without_indent(text: str) -> str:
    return "\n".join(line.strip() for line in text.splitlines())
