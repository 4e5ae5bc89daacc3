"""Figures of the code base: its size, its names, and the route of one request.

    python tests/architecture/figures.py            prints them
    python tests/architecture/figures.py --route    prints also the modules of the route, in order

The size is read from the text of the modules. The route is read from a real `darkai ask` against a
server on loopback: a profiler in the process notes each module whose functions are called until the
first byte of the request leaves, and between the arrival of one chunk and the wait for the next.
What a module runs while it is imported does not count, nor what Python asks the package's own
`__getattr__` then, nor other threads: nobody who follows a request reads that.
"""

from __future__ import annotations

import ast
import io
import os
import subprocess
import sys
import tempfile
import tokenize
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from subprocess import PIPE
from threading import Event
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "darkai_cli"

VAGUE_VALUES = frozenset(
    {"found", "told", "shown", "asked", "typed", "kept", "one", "said", "meant", "heard"}
)
"""Names that say what happened to a value in place of what it is."""
VAGUE_FUNCTIONS = VAGUE_VALUES | {"deaf", "calm", "held", "aloud", "settled", "meant_by"}

TRACER = """
import sys, threading
from collections import OrderedDict

package, report = "darkai_cli", sys.argv.pop(1)
before, chunks, window = OrderedDict(), [], None
main_thread = threading.main_thread().ident


importing = threading.local()


def note(frame, event, arg):
    global window
    if event in ("call", "return") and frame.f_code.co_name == "<module>":
        step = 1 if event == "call" else -1
        importing.depth = getattr(importing, "depth", 0) + step
    elif event == "call":
        name = frame.f_globals.get("__name__") or ""
        if not name.startswith(package + ".") or getattr(importing, "depth", 0):
            return
        place = (name, frame.f_code.co_name)
        if threading.get_ident() != main_thread:
            return
        if not done:
            before.setdefault(place)
        if window is not None:
            window.setdefault(place)
    elif event == "c_call" and arg.__name__ in ("send", "sendall"):
        if "socket" in type(arg.__self__).__name__.lower():
            done.append(True)
    elif event in ("c_call", "c_return") and arg.__name__ in ("recv", "recv_into"):
        if threading.get_ident() == main_thread:
            if event == "c_call":
                if window:
                    chunks.append(window)
                window = None
            else:
                window = OrderedDict()


done = []
threading.setprofile(note)
sys.setprofile(note)
try:
    from darkai_cli.__main__ import main
    main()
finally:
    sys.setprofile(None)
    with open(report, "w") as file:
        for module, function in before:
            print("request", module, function, file=file)
        middle = chunks[len(chunks) // 2] if chunks else ()
        for module, function in middle:
            print("chunk", module, function, file=file)
"""
"""Runs darkai under a profiler and writes one line for each function that was called."""


class Function(NamedTuple):
    """A function or class of the package and its length in lines."""

    place: str
    name: str
    lines: int


class Route(NamedTuple):
    """What one `darkai ask` calls, as (module, function) pairs in the order of their first call.

    ``request``: until the first byte of the request is sent. ``chunk``: from one chunk's arrival to
    the wait for the next.
    """

    request: list[tuple[str, str]]
    chunk: list[tuple[str, str]]

    @property
    def request_modules(self) -> list[str]:
        """The modules until the request is sent, in the order of their first call."""
        return list(dict.fromkeys(module for module, _ in self.request))

    @property
    def chunk_modules(self) -> list[str]:
        """The modules that one chunk passes, in the order of their first call."""
        return list(dict.fromkeys(module for module, _ in self.chunk))


def modules(package: Path = PACKAGE) -> list[Path]:
    """Return the files of the package, sorted."""
    return sorted(package.rglob("*.py"))


def code_lines(source: str) -> int:
    """Return the number of lines that hold code: no blanks, comments or docstrings."""
    docstrings: set[int] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            for step in node.body:
                if (
                    isinstance(step, ast.Expr)
                    and isinstance(step.value, ast.Constant)
                    and isinstance(step.value.value, str)
                ):
                    docstrings.update(range(step.lineno, (step.end_lineno or 0) + 1))
    silent = {
        tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT,
        tokenize.ENDMARKER,
    }  # fmt: skip
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in silent:
            lines.update(range(token.start[0], token.end[0] + 1))
    return len(lines - docstrings)


def functions(path: Path) -> Iterator[Function]:
    """Yield the functions of a file with their lengths."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            place = f"{path.relative_to(ROOT)}:{node.lineno}"
            yield Function(place, node.name, (node.end_lineno or 0) - node.lineno + 1)


def vague_names(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield line and name of each variable, parameter, attribute and function with a vague name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            line, name, forbidden = node.lineno, node.id, VAGUE_VALUES
        elif isinstance(node, ast.arg):
            line, name, forbidden = node.lineno, node.arg, VAGUE_VALUES
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            line, name, forbidden = node.lineno, node.attr, VAGUE_VALUES
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            line, name, forbidden = node.lineno, node.name, VAGUE_FUNCTIONS
        else:
            continue
        if name.strip("_") in forbidden:
            yield line, name


def public_classes(package: Path = PACKAGE) -> dict[str, list[str]]:
    """Return each public class's name with the files that define one of that name."""
    places: dict[str, list[str]] = {}
    for path in modules(package):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places.setdefault(node.name, []).append(str(path.relative_to(package)))
    return places


def trace_ask(home: Path) -> Route:
    """Return the route of one `darkai ask` into a pipe, from a DarkAI service on loopback.

    The service sends each chunk after the one before has come out of the pipe, so that none shares
    its way with another. ``home``: an empty folder. Raises ``AssertionError`` if darkai fails.
    """
    from support.server import FaultServer, Pause, reply

    words = [f"word{number} " for number in range(6)]
    gates = [Event() for _ in words]
    steps = [step for word, gate in zip(words, gates, strict=True) for step in (word, Pause(gate))]
    report = home / "route"
    with FaultServer(reply(steps)) as server:
        environ = {**os.environ, "DARKAI_HOME": str(home / "darkai"), "DARKAI_URL": server.url}
        process = subprocess.Popen(
            [sys.executable, "-c", TRACER, str(report), "ask", "hi"],
            env=environ, stdin=subprocess.DEVNULL, stdout=PIPE, stderr=PIPE,
        )  # fmt: skip
        assert process.stdout is not None
        for word, gate in zip(words, gates, strict=True):
            assert process.stdout.read(len(word)).decode() == word
            gate.set()
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    rows = [line.split() for line in report.read_text().splitlines()]
    return Route(
        [(module, name) for step, module, name in rows if step == "request"],
        [(module, name) for step, module, name in rows if step == "chunk"],
    )


def main() -> None:
    """Print the figures."""
    files = modules()
    by_folder: Counter[str] = Counter()
    count: Counter[str] = Counter()
    for path in files:
        parts = path.relative_to(PACKAGE).parts
        folder = parts[0] if len(parts) > 1 else "."
        by_folder[folder] += code_lines(path.read_text("utf-8"))
        count[folder] += 1
    print(f"{'folder':14} {'code':>7} {'files':>6}")
    for folder in sorted(by_folder):
        print(f"{folder:14} {by_folder[folder]:7} {count[folder]:6}")
    print(f"{'all':14} {sum(by_folder.values()):7} {len(files):6}")
    every = [function for path in files for function in functions(path)]
    lengths = sorted(function.lines for function in every)
    print(f"functions: {len(every)}, median {lengths[len(lengths) // 2]} lines, longest:")
    for function in sorted(every, key=lambda function: -function.lines)[:5]:
        print(f"  {function.lines:4} {function.name} ({function.place})")
    longest = max(files, key=lambda path: len(path.read_text("utf-8").splitlines()))
    print(f"longest file: {longest.relative_to(ROOT)}")
    tests = sorted((ROOT / "tests").rglob("*.py"))
    print(f"tests: {sum(len(path.read_text('utf-8').splitlines()) for path in tests)} lines")
    for folder in (PACKAGE, ROOT / "tests"):
        names = sum(
            len(list(vague_names(ast.parse(path.read_text("utf-8")))))
            for path in folder.rglob("*.py")
        )
        print(f"vague names in {folder.name}: {names}")
    repeated = {name: places for name, places in public_classes().items() if len(places) > 1}
    print(f"public classes of one name: {len(repeated)} {' '.join(sorted(repeated))}")
    sys.path.insert(0, str(ROOT / "tests"))
    with tempfile.TemporaryDirectory() as folder:
        route = trace_ask(Path(folder))
    print(f"modules entered by one ask before its first byte: {len(route.request_modules)}")
    print(f"modules passed by one chunk: {len(route.chunk_modules)}")
    if "--route" in sys.argv:
        for label, steps in (("request", route.request), ("chunk", route.chunk)):
            print(f"\n{label}")
            for module in dict.fromkeys(module for module, _ in steps):
                called = [name for owner, name in steps if owner == module]
                print(f"  {module}: {', '.join(called)}")


if __name__ == "__main__":
    main()
