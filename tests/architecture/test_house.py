"""The house rules that a reader of the tree relies on, checked on the text of the modules.

Sizes, docstrings, nothing unfinished, the process's own state touched in one place each, and nothing
in a committed text that holds only on the machine where it was written.
"""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from architecture import figures
from support.isolation import ROOT

PACKAGE = ROOT / "darkai_cli"
MODULES = sorted(PACKAGE.rglob("*.py"))
MAX_FILE, MAX_FUNCTION = 800, 80

WHERE = {
    "sys.exit": ["__main__.py"],
    "os.environ": ["config/", "stdio.py"],
    "os.getenv": ["config/", "stdio.py"],
    "sys.stdin": ["stdio.py"],
    "sys.stdout": ["stdio.py"],
    "sys.stderr": ["stdio.py"],
    "sys.__stdin__": [],
    "sys.__stdout__": [],
    "sys.__stderr__": [],
    "builtins.exit": [],
    "builtins.quit": [],
    "builtins.input": ["repl/"],
    "os._exit": ["__main__.py"],
    "os.system": [],
    "os.popen": [],
    "builtins.eval": [],
    "builtins.exec": [],
}
"""The process's own state, and the files that may touch it."""

UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|HACK|NotImplementedError|NotImplemented)\b")
VAGUE = {"utils", "helpers", "misc", "common"}

MACHINE = re.compile(
    r"(?<![\w.~-])/(?:home|Users)/(?!(?:you|user|me|alice|USER|NAME)\b)[a-z][\w.-]*/"
    r"|(?<![\w.~-])/(?:root|work|tmp/lab|tmp/bash|nix/store)/"
    r"|[A-Z]:\\\\?Users\\"
    r"|\bfile:///(?:home|root|work|tmp)/"
)
"""A path that exists on one machine only."""


def relative(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


def touched(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """``os.environ`` and the like, however they were imported, and bare built-in names."""
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                names[alias.asname or alias.name] = alias.name
        elif isinstance(node, ast.ImportFrom) and node.module in ("os", "sys", "builtins"):
            for alias in node.names:
                yield f"{node.module}.{alias.name}", node.lineno
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            yield f"{names.get(node.value.id, '?')}.{node.attr}", node.lineno
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            yield f"builtins.{node.func.id}", node.lineno


def misplaced(tree: ast.Module, file: str) -> list[str]:
    """What a module touches that is another's."""
    return [
        f"{file}:{line} touches {name}"
        for name, line in touched(tree)
        if name in WHERE and not any(file.startswith(place) for place in WHERE[name])
    ]


def oversized(tree: ast.Module, file: str) -> list[str]:
    """Return the functions that are too long."""
    return [
        f"{file}:{node.lineno} {node.name} has {length} lines"
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (length := (node.end_lineno or 0) - node.lineno + 1) > MAX_FUNCTION
    ]


def committed() -> list[Path]:
    """The files that git knows or would add; all files where there is no git."""
    try:
        listed = subprocess.run(
            ["git", "ls-files", "-co", "--exclude-standard", "-z"],
            cwd=ROOT, capture_output=True, check=True,
        ).stdout  # fmt: skip
    except (OSError, subprocess.CalledProcessError):
        return [path for path in ROOT.rglob("*") if path.is_file() and ".venv" not in path.parts]
    return [
        path for name in listed.decode().split("\0") if name and (path := ROOT / name).is_file()
    ]


def test_nothing_is_unfinished():
    offenses = [
        f"{relative(path)}:{number} {line.strip()}"
        for path in MODULES
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if UNFINISHED.search(line)
    ]
    assert offenses == []


def test_every_module_says_what_it_is():
    assert [relative(path) for path in MODULES if not ast.get_docstring(tree_of(path))] == []


def test_no_file_is_too_long():
    lengths = {relative(path): len(path.read_text("utf-8").splitlines()) for path in MODULES}
    assert {file: length for file, length in lengths.items() if length > MAX_FILE} == {}


def test_no_function_is_too_long():
    assert [long for path in MODULES for long in oversized(tree_of(path), relative(path))] == []


def test_the_process_is_touched_in_one_place_each():
    assert [bad for path in MODULES for bad in misplaced(tree_of(path), relative(path))] == []


def test_no_module_has_a_vague_name():
    assert [relative(path) for path in MODULES if path.stem in VAGUE] == []


def test_no_file_is_named_by_a_gerund():
    gerunds = [relative(path) for path in MODULES if path.stem.endswith("ing")]
    assert [file for file in gerunds if Path(file).stem not in ("keyring", "recording")] == []


@pytest.mark.parametrize("folder", [PACKAGE, ROOT / "tests"], ids=["package", "tests"])
def test_names_say_what_a_value_is(folder: Path):
    vague = [
        f"{path.relative_to(ROOT)}:{line} {name}"
        for path in sorted(folder.rglob("*.py"))
        for line, name in figures.vague_names(tree_of(path))
    ]
    assert vague == []


def test_no_two_public_classes_share_a_name():
    repeated = {name: files for name, files in figures.public_classes().items() if len(files) > 1}
    assert repeated == {}


def test_no_error_is_swallowed_whole():
    swallowed = [
        f"{relative(path)}:{node.lineno}"
        for path in MODULES
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or ast.unparse(node.type) in ("Exception", "BaseException"))
        and all(isinstance(step, ast.Pass | ast.Continue) for step in node.body)
    ]
    assert swallowed == []


def test_no_committed_text_names_a_machine():
    offenses = []
    for path in committed():
        if path.name == Path(__file__).name:
            continue
        try:
            text = path.read_text("utf-8")
        except UnicodeDecodeError:
            continue
        offenses += [
            f"{path.relative_to(ROOT)}:{number} {line.strip()[:120]}"
            for number, line in enumerate(text.splitlines(), 1)
            if MACHINE.search(line)
        ]
    assert offenses == []


# --- the checks themselves can fail ---------------------------------------------------------------


@pytest.mark.parametrize(
    "source",
    [
        "import sys\nsys.exit(1)",
        "import sys as s\ndef f():\n    s.stdout.write('x')",
        "from os import environ",
        "import os\nx = lambda: os.environ['A']",
        "exit(1)",
    ],
)
def test_a_misplaced_touch_is_seen(source: str):
    assert misplaced(ast.parse(source), "http/sse.py")


@pytest.mark.parametrize(
    ("line", "bad"),
    [
        ("open('/home/jo/darkai/x')", True),
        ("cd /ro" + "ot/project", True),
        ("/Users/jo.smith/x", True),
        ("~/.config/darkai and /home/you/.config", False),
        ("redirects to file:///etc/passwd", False),
        ("https://host/wo" + "rk/in/progress", False),
    ],
)
def test_a_machine_path_is_seen(line: str, bad: bool):
    assert bool(MACHINE.search(line)) is bad


def test_a_long_function_is_seen():
    source = "def f():\n" + "    pass\n" * MAX_FUNCTION
    assert oversized(ast.parse(source), "x.py")
