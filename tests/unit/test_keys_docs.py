"""The pages about keys tell what the command has, and nothing that it has not."""

from __future__ import annotations

import re

from support.isolation import ROOT

from darkai_cli.cli import groups
from darkai_cli.cli.commands import COMMANDS

PAGE = (ROOT / "docs/reference/commands.md").read_text(encoding="utf-8")
SECTION = PAGE.split("## darkai keys\n")[1].split("\n## ")[0]


def test_the_reference_has_exactly_the_commands_and_options_of_keys():
    group = groups.load("keys", COMMANDS["keys"])
    context = group.make_context("darkai", [], resilient_parsing=True)
    names = group.list_commands(context)
    assert set(re.findall(r"^\| `darkai keys (\w+)", SECTION, re.MULTILINE)) == set(names)
    real = {
        (name, flag)
        for name in names
        for param in group.get_command(context, name).params
        for flag in param.opts
        if flag.startswith("-")
    }
    assert set(re.findall(r"^\| `(\w+)` \| `(--[a-z]+)`", SECTION, re.MULTILINE)) == real


def test_there_is_no_option_that_takes_a_key():
    """The arguments of a command can be read by every user of the machine."""
    for name, row in COMMANDS.items():
        command = groups.load(name, row)
        for param in getattr(command, "params", ()):
            assert not {"--key", "--api-key", "--token"} & set(param.opts), name


def test_the_changelog_and_the_guide_exist():
    assert "darkai keys" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    guide = (ROOT / "docs/how-to/keys.md").read_text(encoding="utf-8")
    for word in ("key_command", "pass show", "--keyring", "keys.toml", "allow_http_key", "key_env"):
        assert word in guide
