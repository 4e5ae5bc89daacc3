"""The reference and the how-to pages: their links lead somewhere, their commands and options exist."""

from __future__ import annotations

import re
from pathlib import Path

from support.isolation import ROOT

from darkai_cli.cli import groups
from darkai_cli.cli.commands import COMMANDS

DOCS = ROOT / "docs"


def dead_links(page: Path) -> list[str]:
    text = re.sub(r"(?ms)^```.*?^```", "", page.read_text(encoding="utf-8"))
    targets = re.findall(r"\]\((?![a-z]+:|#)([^)#\s]+)", text)
    return [f"{page.name}: {name}" for name in targets if not (page.parent / name).exists()]


def section_of(command: str) -> str:
    """What the reference says about a command."""
    text = (DOCS / "reference/commands.md").read_text(encoding="utf-8")
    return text.split(f"## darkai {command}\n")[1].split("\n## ")[0]


def test_every_relative_link_leads_to_a_page() -> None:
    assert not [dead for page in sorted(DOCS.rglob("*.md")) for dead in dead_links(page)]


def test_the_reference_has_exactly_the_options_of_the_commands() -> None:
    for name in ("ask", "replay"):
        section = section_of(name)
        command = groups.load(name, COMMANDS[name])
        real = {flag for param in command.params for flag in param.opts if flag.startswith("-")}
        message = set(re.findall(r"`(?:darkai ask )?(--?[a-z][a-z-]*)", section))
        assert message == real - {"--help", "-h"}, name


def options_of(name: str) -> dict[str, set[str]]:
    """The options of a command's subcommands."""
    group = groups.load(name, COMMANDS[name])
    context = group.make_context("darkai", [], resilient_parsing=True)
    return {
        name: {
            flag
            for param in group.get_command(context, name).params
            for flag in param.opts
            if flag.startswith("-")
        }
        for name in group.list_commands(context)
    }


def test_the_reference_has_exactly_the_options_of_history() -> None:
    section = section_of("history")
    message: dict[str, set[str]] = {name: set() for name in options_of("history")}
    assert set(re.findall(r"^\| `darkai history (\w+)", section, re.MULTILINE)) == set(message)
    name = ""
    for row in section.split("| command | option | |")[1].splitlines():
        finding = re.match(r"\| (?:`(\w+)`)? *\|(.*)\|(.*)\|", row)
        if finding:
            name = finding[1] or name
            message[name] |= set(re.findall(r"`(--?[a-z][a-z-]*)", finding[2]))
    assert message == options_of("history")


def test_every_option_in_a_how_to_exists() -> None:
    known = {"--staged"}  # git's
    for name in ("ask", "replay", "doctor"):
        known |= {flag for param in groups.load(name, COMMANDS[name]).params for flag in param.opts}
    for name in ("history", "keys", "models"):
        known |= set().union(*options_of(name).values())
    for page in sorted((DOCS / "how-to").glob("*.md")):
        finding = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", page.read_text(encoding="utf-8")))
        assert finding <= known, f"{page.name}: {finding - known}"


def test_the_reference_has_exactly_the_commands_and_options_of_keys() -> None:
    section = section_of("keys")
    options = options_of("keys")
    assert set(re.findall(r"^\| `darkai keys (\w+)", section, re.MULTILINE)) == set(options)
    flags = {(name, flag) for name, flags in options.items() for flag in flags}
    assert set(re.findall(r"^\| `(\w+)` \| `(--[a-z]+)`", section, re.MULTILINE)) == flags


def test_there_is_no_option_that_takes_a_key() -> None:
    """The arguments of a command can be read by every user of the machine."""
    for name, row in COMMANDS.items():
        command = groups.load(name, row)
        for param in getattr(command, "params", ()):
            assert not {"--key", "--api-key", "--token"} & set(param.opts), name
