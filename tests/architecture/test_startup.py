"""Start-up as a list of modules: what each command may load, and how much, before it does its work.

Counts do not flake as times do. Each command runs in a process of its own; the guard that every test
process loads writes down ``sys.modules`` when the first byte of a request goes out, and at the exit.
A budget is the number of modules beyond those of ``python -c pass``, with a little slack; raise one
only for a reason that is worth the time it costs at every start.
"""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path

import pytest
from support.isolation import ROOT
from support.scenario import Result, run_darkai
from support.server import FaultServer, reply

MAIN = (sys.executable, "-c", "from darkai_cli.__main__ import main; main()")

HEAVY = {
    "httpx", "httpcore", "h11", "anyio", "rich", "prompt_toolkit", "asyncio", "pydantic",
    "importlib.metadata", "click", "sqlite3", "ssl", "truststore", "tomlkit", "tomllib",
    "platformdirs", "email", "urllib.request", "http.client", "concurrent.futures", "markdown_it",
    "pygments", "unittest", "logging",
}  # fmt: skip
"""What only prints may not load."""

LATE = {
    "pydantic", "click", "asyncio", "prompt_toolkit", "importlib.metadata", "rich", "sqlite3",
    "tomlkit", "markdown_it", "pygments", "truststore", "starlette", "uvicorn", "trio",
    "concurrent.futures", "typer", "platformdirs", "argparse", "difflib", "shellingham",
}  # fmt: skip
"""What ``ask`` may not load before an ``http://`` request is on the wire. (httpcore loads ``ssl`` and ``certifi``.)"""

COMMANDS = {
    "ask", "chat", "models", "history", "config", "keys", "templates", "tools", "serve", "batch",
    "compare", "shell", "replay", "doctor", "completions",
}  # fmt: skip


class Loaded:
    """The modules of one run, beyond a bare interpreter's."""

    def __init__(self, result: Result, report: Path, bare: frozenset[str]) -> None:
        self.result = result
        rows = [line.split() for line in report.read_text().splitlines()]
        self.sent = {name for when, name in rows if when == "sent"} - bare
        self.exit = {name for when, name in rows if when == "exit"} - bare


def run(tmp_path: Path, *args: str, command: tuple[str, ...] = MAIN, **env: str) -> Loaded:
    report = tmp_path / "report"
    result = run_darkai(*args, command=command, env={**env, "GUARD_MODULES": str(report)})
    return Loaded(result, report, bare_modules())


@cache
def bare_modules() -> frozenset[str]:
    """What a bare interpreter has loaded at its exit."""
    code = "import atexit, sys; print(*sys.modules)"
    return frozenset(run_darkai(command=(sys.executable, "-c", code)).text.split())


def within(modules: set[str], names: set[str]) -> set[str]:
    """Those of ``modules`` that are one of ``names`` or below one."""
    return {
        module
        for module in modules
        if any(module == name or module.startswith(f"{name}.") for name in names)
    }


def commands_in(modules: set[str]) -> set[str]:
    """The commands whose modules were loaded."""
    return {name for name in COMMANDS if within(modules, {f"darkai_cli.cli.{name}"})}


@pytest.mark.parametrize("args", [["--version"], ["--help"], ["-h"]], ids=" ".join)
def test_the_root_loads_no_command(tmp_path: Path, args: list[str]):
    loaded = run(tmp_path, *args)
    assert loaded.result.code == 0, loaded.result
    assert loaded.result.stdout
    assert within(loaded.exit, HEAVY) == set()
    assert commands_in(loaded.exit) == set()


@pytest.mark.parametrize("what", ["models", "providers"])
def test_completing_a_name_loads_no_other_command(tmp_path: Path, what: str):
    """This runs while somebody waits at a TAB."""
    loaded = run(tmp_path, "completions", "--names", what)
    assert loaded.result.code == 0, loaded.result
    assert "darkai" in loaded.result.text or "gpt-4o" in loaded.result.text
    assert within(loaded.exit, HEAVY) == set()
    assert commands_in(loaded.exit) == {"completions"}


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "powershell"])
def test_printing_a_completion_script_loads_nothing_heavy(tmp_path: Path, shell: str):
    """It is made from the commands' options, so it loads the commands; what they do stays out."""
    loaded = run(tmp_path, "completions", shell)
    assert loaded.result.code == 0, loaded.result
    assert within(loaded.exit, HEAVY) == set()


def test_ask_loads_what_it_needs_before_the_request_is_out(tmp_path: Path):
    with FaultServer(reply(["fine"])) as server:
        loaded = run(tmp_path, "ask", "hi", "--retries", "0", DARKAI_URL=server.url)
        assert len(server.requests) == 1
    assert (loaded.result.code, loaded.result.stdout) == (0, b"fine\n"), loaded.result
    assert "httpx" in loaded.sent
    assert within(loaded.sent, LATE) == set()
    # the journal's thread opens the database once the request is out
    assert within(loaded.exit, LATE) <= {"sqlite3", "sqlite3.dbapi2"}
    assert commands_in(loaded.sent) == {"ask"}


def test_ask_with_a_config_file_loads_a_reader_and_nothing_else(tmp_path: Path, isolated: Path):
    with FaultServer(reply(["fine"])) as server:
        folder = isolated / "darkai"
        folder.mkdir()
        (folder / "config.toml").write_text(f'[providers.darkai]\nurl = "{server.url}"\n')
        loaded = run(tmp_path, "ask", "hi", "--retries", "0")
        assert len(server.requests) == 1
    assert (loaded.result.code, loaded.result.stdout) == (0, b"fine\n"), loaded.result
    assert "tomllib" in loaded.sent
    assert within(loaded.sent, LATE) == set()


BUDGETS = {"--version": 6, "--help": 125, "completions --names models": 86, "ask hi": 268}


@pytest.mark.parametrize("line", BUDGETS)
def test_no_command_loads_more_modules_than_its_budget(tmp_path: Path, line: str):
    with FaultServer(reply(["fine"])) as server:
        loaded = run(tmp_path, *line.split(), DARKAI_URL=server.url)
    assert loaded.result.code == 0, loaded.result
    counted = loaded.sent if line.startswith("ask") else loaded.exit
    assert 0 < len(counted) <= BUDGETS[line], sorted(counted)


def test_importing_the_package_loads_nothing(tmp_path: Path):
    loaded = run(tmp_path, command=(sys.executable, "-c", "import darkai_cli"))
    assert loaded.exit - {"__future__"} == {"darkai_cli", "darkai_cli.version"}


WATCH_IMPORTS = """
import importlib, importlib.util, io, os, sys, traceback

folder = os.path.join(os.path.dirname(importlib.util.find_spec("darkai_cli").origin), "")
seen = []


def note(what):
    frame = sys._getframe(2)
    while frame and not frame.f_code.co_filename.startswith((folder, "<frozen importlib")):
        frame = frame.f_back
    if frame and frame.f_code.co_filename.startswith(folder):
        seen.append((what, frame.f_code.co_filename[len(folder) :], frame.f_lineno))


class Environ(type(os.environ)):
    def __getitem__(self, key):
        note(f"environ {key}")
        return super().__getitem__(key)

    def get(self, key, default=None):
        note(f"environ {key}")
        return super().get(key, default)


class Stream(io.StringIO):
    def isatty(self):
        note("isatty")
        return False


def isatty(fd):
    note("isatty")
    return False


def audit(event, args):
    if event in ("open", "os.listdir", "socket.connect", "subprocess.Popen"):
        note(event)


os.environ.__class__ = Environ
os.isatty = isatty
real, sys.stdout, sys.stderr = sys.stdout, Stream(), Stream()
sys.excepthook = lambda *fault: traceback.print_exception(*fault, file=sys.__stderr__)
sys.addaudithook(audit)
for name in sys.argv[1:]:
    importlib.import_module(name)
print(seen, file=real)
"""


def test_importing_a_module_does_nothing():
    """No look at the terminal, the environment, the disk or the network."""
    names = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for path in sorted((ROOT / "darkai_cli").rglob("*.py"))
    ]
    result = run_darkai(*names, command=(sys.executable, "-c", WATCH_IMPORTS))
    assert (result.code, result.stdout) == (0, b"[]\n"), result
