"""``darkai doctor``: what is wrong with this installation, the network, the providers.

Options and printing only; the checks are in the package ``doctor``. The lines are the answer, so
they go to stdout, as they become known; what is waited for is shown on stderr.
"""

import time
from typing import TYPE_CHECKING, Annotated

import typer

from darkai_cli import stdio

if TYPE_CHECKING:
    from collections.abc import Iterator

    from darkai_cli.cli.print import Screen
    from darkai_cli.doctor.check import Check
    from darkai_cli.output.progress import Waiting

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.command(help="Check installation, network and providers; exit 0 if nothing is broken.")
def doctor(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[PROVIDER]...", help="Only these providers.", show_default=False),
    ] = None,
    deep: Annotated[
        bool,
        typer.Option(
            "--deep", help="Ask each a question too, which costs money; read all of the history."
        ),
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> int:
    """Make the checks; the code of the first that failed."""
    from darkai_cli.cli.print import Screen
    from darkai_cli.doctor import report, run

    environ = stdio.environ()
    began = time.monotonic()
    privacy = report.Privacy.of(environ)
    screen = Screen()
    section = ""
    checks: list[Check] = []
    for batch in _shown(run.examine(names or [], environ, deep=deep)):
        for check in map(privacy.checked, batch):
            checks.append(check)
            if not json:
                _print(screen, check, section)
                section = check.section
    seconds = time.monotonic() - began
    if json:
        screen.json(report.facts(checks, seconds, deep=deep))
    else:
        screen.lines(["", report.summary(checks, seconds)])
    return report.exit_code(checks)


def _print(screen: "Screen", check: "Check", before: str) -> None:
    from darkai_cli.cli import tables
    from darkai_cli.doctor import report

    rows = []
    if check.section != before:
        rows = [""] if before else []
        rows.append(screen.ink("bold", check.section))
    width = screen.width if screen.terminal else None
    screen.lines([*rows, *report.lines(check, width, tables.wrapped, screen.ink)])


def _shown(batches: "Iterator[list[Check]]") -> "Iterator[list[Check]]":
    """The same, with a word on a terminal while nothing comes."""
    waiting = _waiting()
    try:
        for batch in batches:
            waiting.stop()
            yield batch
            waiting = _waiting()
    finally:
        waiting.stop()


def _waiting() -> "Waiting":
    from darkai_cli.output.progress import Waiting

    err = stdio.stderr()
    waiting = Waiting(err, "the checks", width=lambda: stdio.size(err)[0])
    if not stdio.is_dumb():
        waiting.start()
    return waiting
