"""The layers and fences of docs/explanation/architecture.md, enforced on every import in the tree.

Strategy: read every module's syntax tree; an import counts wherever it stands, in a function or under
``TYPE_CHECKING``, and so does a string that is a module's whole name (registries are tables of those).
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from support.isolation import ROOT

PACKAGE = ROOT / "darkai_cli"

LAYERS = {
    "errors": 0, "text": 0, "version": 0,
    "secrets": 1,
    "events": 2, "messages": 2, "signals": 2, "files": 2,
    "stdio": 3, "tty": 3,
    "rate_limits": 4, "http": 4, "history": 4, "output": 4,
    "config": 5,
    "providers": 6, "documents": 6, "costs": 6, "privacy": 6,
    "conversation": 7, "prompts": 7, "tools": 7,
    "repl": 8, "doctor": 8, "api": 8, "jobs": 8, "gateway": 8, "setup": 8, "local": 8,
    "cli": 9,
    "__main__": 10, "__init__": 10,
}  # fmt: skip

GROUND = {"errors", "version"}
"""What everybody may import: the error tree and the version."""

FENCES = {
    "httpx": ["http/"],
    "httpcore": ["http/"],
    "rich": ["output/terminal", "cli/"],
    "prompt_toolkit": ["repl/"],
    "typer": ["cli/"],
    "sqlite3": ["history/", "rate_limits/"],
    "starlette": ["gateway/"],
    "uvicorn": ["gateway/"],
    "asyncio": ["repl/", "gateway/", "jobs/", "api.py"],
    "importlib.metadata": ["plugins.py", "doctor/"],  # nobody waits for a doctor's first word
    "click": [],  # Typer has its own copy
    "pydantic": [],
}

DIALECTS = ["darkai", "openai", "openai_responses", "anthropic", "gemini", "ollama"]
DIALECT_MAY_IMPORT = {
    "providers.base", "providers.dialect", "providers.think_tags", "events", "messages", "errors", "text",
    "providers.openai_errors", "providers.openai_models",
    "providers.openai_stream", "providers.openai",
}  # fmt: skip


class Import(NamedTuple):
    """``file`` imports ``target``: dotted, ours without the package's name."""

    file: str
    line: int
    target: str
    ours: bool

    def __str__(self) -> str:
        return f"{self.file}:{self.line} imports {self.target}"


def imports_of(source: str, file: str, known: set[str]) -> Iterator[Import]:
    """Every import in a module. ``known``: the names of our modules and packages."""

    def import_of(name: str, line: int) -> Import:
        if name == "darkai_cli":
            return Import(file, line, "__init__", ours=True)
        ours = name.startswith("darkai_cli.")
        return Import(file, line, name.removeprefix("darkai_cli."), ours)

    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (import_of(alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                yield Import(file, node.lineno, f"{'.' * node.level}{node.module or ''}", ours=True)
                continue
            module = node.module or ""
            for alias in node.names:
                full = f"{module}.{alias.name}"
                below = full.removeprefix("darkai_cli.") in known or full in FENCES
                yield import_of(full if below else module, node.lineno)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            name = node.value.partition(":")[0]
            if name.removeprefix("darkai_cli.") in known and name.startswith("darkai_cli."):
                yield import_of(name, node.lineno)


def module_name(path: Path) -> str:
    """``http.sse`` for ``darkai_cli/http/sse.py``, ``http`` for its ``__init__``."""
    parts = list(path.relative_to(PACKAGE).with_suffix("").parts)
    if len(parts) > 1 and parts[-1] == "__init__":
        parts.pop()
    return ".".join(parts)


FILES = sorted(PACKAGE.rglob("*.py"))
KNOWN = {module_name(path) for path in FILES}
IMPORTS = [
    item
    for path in FILES
    for item in imports_of(path.read_text("utf-8"), path.relative_to(PACKAGE).as_posix(), KNOWN)
]


def unit_of(file_or_module: str) -> str:
    """The part of the tree that a file or a module belongs to."""
    return re.split(r"[./]", file_or_module)[0]


def breaks_layers(item: Import) -> str | None:
    """Why an import of ours is not allowed."""
    if item.target.startswith("."):
        return f"{item}: imports are absolute"
    here, there = unit_of(item.file), unit_of(item.target)
    if here not in LAYERS or there not in LAYERS | dict.fromkeys(GROUND, 0):
        return f"{item}: no layer is written down for it"
    if here == there or there in GROUND:
        return None
    if LAYERS[there] >= LAYERS[here]:
        return f"{item}: layer {LAYERS[here]} may not know layer {LAYERS[there]}"
    return None


def breaks_fences(item: Import) -> str | None:
    """Why an import of a library is not allowed."""
    for library, places in FENCES.items():
        inside = item.target == library or item.target.startswith(f"{library}.")
        if inside and not any(item.file.startswith(place) for place in places):
            return f"{item}, which belongs to {', '.join(places) or 'nobody'}"
    if LAYERS.get(unit_of(item.file)) == 0 and unit_of(item.target) not in sys.stdlib_module_names:
        return f"{item}: layer 0 uses the standard library only"
    return None


def is_dialect(file: str) -> bool:
    return file.removeprefix("providers/").removesuffix(".py") in DIALECTS


def test_units_import_only_from_lower_layers():
    assert [why for item in IMPORTS if item.ours and (why := breaks_layers(item))] == []


def test_libraries_stay_inside_their_fences():
    assert [why for item in IMPORTS if not item.ours and (why := breaks_fences(item))] == []


def test_dialects_know_the_contracts_and_nothing_else_of_ours():
    strangers = [
        str(item)
        for item in IMPORTS
        if item.ours and is_dialect(item.file) and item.target not in DIALECT_MAY_IMPORT
    ]
    assert strangers == []
    assert any(is_dialect(item.file) for item in IMPORTS)


def test_modules_form_no_cycle():
    graph: dict[str, set[str]] = {name: set() for name in KNOWN}
    for item in IMPORTS:
        here = module_name(PACKAGE / item.file)
        if item.ours and item.target in KNOWN and item.target != here:
            graph[here].add(item.target)
    assert cycle_in(graph) is None


def cycle_in(graph: dict[str, set[str]]) -> list[str] | None:
    """Some cycle of a directed graph; None if there is none."""
    done: set[str] = set()

    def visit(node: str, path: list[str]) -> list[str] | None:
        if node in path:
            return [*path[path.index(node) :], node]
        if node in done:
            return None
        for target in sorted(graph[node]):
            if cycle := visit(target, [*path, node]):
                return cycle
        done.add(node)
        return None

    return next((cycle for node in sorted(graph) if (cycle := visit(node, []))), None)


# --- the checks themselves can fail ---------------------------------------------------------------

HIDDEN = [
    "{}",
    "def f():\n    {}",
    "if TYPE_CHECKING:\n    {}",
    "class C:\n    def m(self):\n        {}",
]


@pytest.mark.parametrize("wrapped", HIDDEN)
@pytest.mark.parametrize(
    ("file", "statement"),
    [
        ("http/sse.py", "from darkai_cli.providers.base import Frame"),
        ("http/sse.py", "from darkai_cli import providers"),
        ("http/sse.py", "import darkai_cli.config.load"),
        ("output/raw.py", "from darkai_cli.conversation import outcome"),
        ("events.py", "from darkai_cli.messages import Message"),
        ("cli/ask.py", "from darkai_cli import ask"),
        ("cli/ask.py", "import_module('darkai_cli.__main__')"),
        ("config/load.py", "from .. import events"),
        ("shapeless.py", "from darkai_cli import events"),
    ],
)
def test_a_broken_layer_is_seen(file: str, statement: str, wrapped: str):
    known = {
        *KNOWN,
        "providers",
        "providers.base",
        "conversation.outcome",
        "config.load",
        "__main__",
    }
    imports = list(imports_of(wrapped.format(statement), file, known))
    assert any(breaks_layers(each) for each in imports if each.ours), imports


@pytest.mark.parametrize(
    ("file", "statement"),
    [
        ("cli/ask.py", "from darkai_cli import stdio, version"),
        ("events.py", "from darkai_cli.errors import DarkAIError"),
        ("cli/app.py", "table = {'ask': 'darkai_cli.cli.ask:command'}"),
        ("output/jsonl.py", "from darkai_cli import events"),
    ],
)
def test_a_good_import_passes(file: str, statement: str):
    imports = list(imports_of(statement, file, {*KNOWN, "cli.ask"}))
    assert imports
    assert [why for each in imports if (why := breaks_layers(each))] == []


@pytest.mark.parametrize(
    ("file", "statement"),
    [
        ("providers/http.py", "import httpx"),
        ("output/raw.py", "from rich.text import Text"),
        ("plugins2.py", "from importlib import metadata"),
        ("cli/app.py", "import click"),
        ("events.py", "import httpx"),
    ],
)
def test_a_broken_fence_is_seen(file: str, statement: str):
    imports = list(imports_of(statement, file, KNOWN))
    assert any(breaks_fences(each) for each in imports), imports


def test_a_cycle_is_seen():
    assert cycle_in({"a": {"b"}, "b": {"c"}, "c": {"a"}}) == ["a", "b", "c", "a"]
    assert cycle_in({"a": {"b"}, "b": {"c"}, "c": set()}) is None
