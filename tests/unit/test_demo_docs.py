"""The pages that demo answers from: their links lead somewhere, their options exist."""

from __future__ import annotations

import re
from pathlib import Path

import typer
from support.isolation import ROOT

from darkai_cli.cli import ask, replay

DOCS = ROOT / "docs"


def dead_links(page: Path) -> list[str]:
    text = re.sub(r"(?ms)^```.*?^```", "", page.read_text(encoding="utf-8"))
    targets = re.findall(r"\]\((?![a-z]+:|#)([^)#\s]+)", text)
    return [f"{page.name}: {name}" for name in targets if not (page.parent / name).exists()]


def test_every_relative_link_leads_to_a_page() -> None:
    assert not [dead for page in sorted(DOCS.rglob("*.md")) for dead in dead_links(page)]


def test_the_reference_has_exactly_the_options_of_the_commands() -> None:
    text = (DOCS / "reference/commands.md").read_text(encoding="utf-8")
    for name, module in (("ask", ask), ("replay", replay)):
        section = text.split(f"## darkai {name}\n")[1].split("\n## ")[0]
        command = typer.main.get_command(module.app)
        real = {flag for param in command.params for flag in param.opts if flag.startswith("-")}
        told = set(re.findall(r"`(?:darkai ask )?(--?[a-z][a-z-]*)", section))
        assert told == real - {"--help", "-h"}, name


def test_every_option_in_a_how_to_exists() -> None:
    known = {"--staged"}  # git's
    for module in (ask, replay):
        known |= {
            flag for param in typer.main.get_command(module.app).params for flag in param.opts
        }
    for page in sorted((DOCS / "how-to").glob("*.md")):
        found = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", page.read_text(encoding="utf-8")))
        assert found <= known, f"{page.name}: {found - known}"
