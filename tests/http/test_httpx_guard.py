"""httpx is imported without its command line, and httpcore without HTTP/2, also if both could be."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from support.openai import base, configure, reply
from support.scenario import run_darkai
from support.server import FaultServer

STAND_IN = """
import sys
print("imported:", __name__, file=sys.stderr)

def __getattr__(name):
    return lambda *args, **options: lambda function: function
"""


@pytest.fixture
def stand_ins(tmp_path: Path) -> dict[str, str]:
    """An environment in which ``click`` and ``h2`` are installed, and say when they are imported."""
    for name in ("click", "h2"):
        (tmp_path / f"{name}.py").write_text(STAND_IN)
    return {"PYTHONPATH": str(tmp_path)}


def test_ask_imports_neither(isolated: Path, stand_ins: dict[str, str]):
    with FaultServer(reply(["fine"])) as server:
        configure(isolated, base(server))
        result = run_darkai("ask", "hi", env=stand_ins)
    assert (result.code, result.stdout, result.stderr) == (0, b"fine\n", "")


def test_httpx_alone_imports_click(stand_ins: dict[str, str]):
    """If this fails, httpx has changed and the guard may go."""
    result = run_darkai(command=(sys.executable, "-c", "import httpx"), env=stand_ins)
    assert "imported: click" in result.stderr


def test_nothing_is_hidden_afterwards(stand_ins: dict[str, str]):
    code = "import darkai_cli.http.httpx_guard, click, h2, sys; print('httpx._main' in sys.modules)"
    result = run_darkai(command=(sys.executable, "-c", code), env=stand_ins)
    assert (result.code, result.stdout) == (0, b"False\n"), result
