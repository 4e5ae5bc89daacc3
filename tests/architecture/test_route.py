"""The route of one request: how many modules it enters, and whether the page that walks it is right.

`docs/explanation/architecture.md` walks one `darkai ask` with file and function names. Here a traced
run says which functions are really called, and each step of the page has to be among them, in order.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from architecture import figures

PAGE = figures.ROOT / "docs" / "explanation" / "architecture.md"
WHERE = figures.ROOT / "docs" / "explanation" / "where.md"

MOST_BEFORE_THE_REQUEST = 48
MOST_FOR_A_CHUNK = 12

STEP = re.compile(r"^\d+\. `([\w/]+\.py)`: `([\w.]+)`", re.MULTILINE)
"""A numbered step of the walk: file and function."""
ANSWER = re.compile(r"^\| (.+?) \| `([\w./-]+)` \| (.+?) \|$", re.MULTILINE)
"""A row of the page of questions: question, file, names in it."""


@pytest.fixture(scope="module")
def route(tmp_path_factory: pytest.TempPathFactory) -> figures.Route:
    """The functions that one real `darkai ask` into a pipe calls."""
    return figures.trace_ask(tmp_path_factory.mktemp("route"))


def walk(title: str) -> list[tuple[str, str]]:
    """Return the steps below a heading of the page, as module and function."""
    text = PAGE.read_text("utf-8")
    section = text.partition(f"## {title}\n")[2].partition("\n## ")[0]
    return [
        ("darkai_cli." + file.removesuffix(".py").replace("/", "."), name.rpartition(".")[2])
        for file, name in STEP.findall(section)
    ]


def test_a_request_enters_few_modules(route: figures.Route):
    assert len(route.request_modules) <= MOST_BEFORE_THE_REQUEST, route.request_modules


def test_a_chunk_passes_few_modules(route: figures.Route):
    assert len(route.chunk_modules) <= MOST_FOR_A_CHUNK, route.chunk_modules


@pytest.mark.parametrize(
    ("title", "part"), [("From the prompt to the request", "request"), ("One chunk", "chunk")]
)
def test_the_page_walks_the_route_that_is_taken(route: figures.Route, title: str, part: str):
    steps = walk(title)
    called: list[tuple[str, str]] = getattr(route, part)
    assert len(steps) > 5
    assert [step for step in steps if step not in called] == []
    order = [called.index(step) for step in steps]
    assert order == sorted(order), "the page and the run differ in the order of the steps"


def test_every_module_of_the_route_is_on_the_page(route: figures.Route):
    text = PAGE.read_text("utf-8")
    modules = dict.fromkeys([*route.request_modules, *route.chunk_modules])
    files = [module.removeprefix("darkai_cli.").replace(".", "/") + ".py" for module in modules]
    assert [file for file in files if f"`{file}`" not in text and file != "darkai_cli.py"] == []


def test_the_page_of_questions_names_what_exists():
    rows = ANSWER.findall(WHERE.read_text("utf-8"))
    assert len(rows) >= 40
    wrong = []
    for question, file, names in rows:
        path = figures.PACKAGE / file
        text = path.read_text("utf-8") if path.is_file() else ""
        wrong += [
            f"{question}: {file} has no {name}"
            for name in re.findall(r"`([^`]+)`", names)
            if name.rpartition(".")[2].rstrip("()") not in text
        ]
    assert wrong == []


def test_the_page_of_questions_has_one_file_for_each():
    files = [Path(file) for _, file, _ in ANSWER.findall(WHERE.read_text("utf-8"))]
    assert all((figures.PACKAGE / file).is_file() for file in files)
