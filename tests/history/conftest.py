"""A database in a fresh folder, and the processes that use it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from history.child_outputs import CHILD

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def database(isolated: Path) -> Path:
    """Where the history would be; neither the file nor its folder is there."""
    return isolated / "darkai" / "history.db"


@pytest.fixture
def start(database: Path) -> Iterator[Start]:
    """Starts ``journal_child.py``; every process is gone when the test is over."""
    with ExitStack() as stack:

        def starting(*args: object, path: Path = database) -> subprocess.Popen[str]:
            child = stack.enter_context(
                subprocess.Popen(
                    [sys.executable, str(CHILD), str(path), *map(str, args)],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )
            stack.callback(child.kill)
            return child

        yield starting
