"""A foreign repository's settings, and a foreign file, in what is told beside an answer."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.scenario import run_in_pty

HOSTILE = 'model = "demo/demo"\n"a\\u001b]52;c;aGk=\\u0007b\\u009b2J" = 1\n'


@pytest.mark.parametrize(
    "args",
    [
        ("ask", "-p", "demo", "hello"),
        ("ask", "--dry-run", "-p", "demo", "hello"),
        ("models",),
        ("config", "show"),
    ],
    ids=" ".join,
)
def test_a_foreign_file_of_settings_cannot_reach_the_terminal(args: tuple[str, ...]) -> None:
    """What it holds is named in a warning."""
    Path(".darkai.toml").write_text(HOSTILE)
    run = run_in_pty(*args)
    assert b"which you haven't trusted" in run.raw
    assert b"\x1b]52" not in run.raw
    assert "\x9b" not in run.raw.decode()


def test_a_dry_run_on_a_terminal_shows_control_characters() -> None:
    Path("notes.md").write_text("one \x9b2J two \u202e three")
    run = run_in_pty("ask", "--dry-run", "-p", "demo", "-f", "notes.md")
    assert run.code == 0
    message = run.raw.decode()
    assert "\x9b" not in message
    assert "\u202e" not in message
    assert "two" in message
