"""The command under test, the installed one, and a user's configuration for it."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from support import scenario
from support.scenario import Result, Running, Stdin

COMMAND = (str(Path(sys.executable).with_name("darkai")),)
ALONE = {"save": False}


def configure(providers: Mapping[str, Mapping[str, Any]], **keys: Any) -> None:
    """Write the user's config file: keys, and a table for each provider."""
    home = Path(os.environ["DARKAI_HOME"])
    home.mkdir(mode=0o700, exist_ok=True)
    lines = [f"{key} = {json.dumps(value)}" for key, value in keys.items()]
    for name, table in providers.items():
        lines += [f"[providers.{name}]"]
        lines += [f"{key} = {json.dumps(value)}" for key, value in table.items()]
    path = home / "config.toml"
    path.write_text("\n".join(lines) + "\n")
    path.chmod(0o600)


def run(*args: str, stdin: Stdin = None, env: Mapping[str, str | None] | None = None) -> Result:
    """Run the installed command to its end."""
    return scenario.run_darkai(*args, stdin=stdin, env=env, timeout=60, command=COMMAND)


def start(*args: str, env: Mapping[str, str | None] | None = None) -> Running:
    """Start the installed command."""
    return scenario.start_darkai(*args, env=env, timeout=60, command=COMMAND)


def on_terminal(*args: str, env: Mapping[str, str | None] | None = None) -> Running:
    """Start the installed command on a terminal."""
    return scenario.start_in_pty(*args, env=env, timeout=60, command=COMMAND)


def events(result: Result) -> list[dict[str, Any]]:
    """The events that ``--json`` printed."""
    return [json.loads(line) for line in result.text.splitlines()]


def joined(result: Result, name: str) -> str:
    """The text of all events of one name."""
    return "".join(e["data"]["text"] for e in events(result) if e["event"] == name)


def last(result: Result, name: str) -> dict[str, Any]:
    """The data of the last event of one name."""
    return [e["data"] for e in events(result) if e["event"] == name][-1]
