"""The completion scripts: one static text for each shell.

Not what the command line is (``completion.rows``), nor how a shell says it (``completion.bash``
and its siblings). Strategy: the rows become a table in the shell's own language, around it a fixed
reader that finds out which command, option or argument the cursor is at. A TAB starts no Python,
but for the names of models and providers, which come from ``darkai completions --names``. They are
foreign text: no script ever expands them as code, each compares them as data and has them quoted.
"""

from __future__ import annotations

import importlib
from typing import Any

from darkai_cli.cli.completion import spec

SHELLS = {
    "bash": "darkai_cli.cli.completion.bash",
    "zsh": "darkai_cli.cli.completion.zsh",
    "fish": "darkai_cli.cli.completion.fish",
    "powershell": "darkai_cli.cli.completion.powershell",
}


def render(shell: str, root: Any) -> str:
    """The script for one of ``SHELLS``; ``root`` is darkai's own Typer command."""
    text: str = importlib.import_module(SHELLS[shell]).script(spec.tree(root))
    return text
