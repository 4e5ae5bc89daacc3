"""``darkai doctor``: checks the installation, the network and the providers.

The checks are in the package ``doctor``. They are printed on stdout as they end; meanwhile stderr
says what is waited for.
"""

import time
from typing import TYPE_CHECKING, Annotated

from darkai_cli import stdio
from darkai_cli.cli.parser import Argument, CommandSpec, Option

if TYPE_CHECKING:
    from collections.abc import Iterator

    from darkai_cli.cli.print import Printer
    from darkai_cli.doctor.check import Check
    from darkai_cli.output.progress import Spinner


def doctor(
    providers: Annotated[
        list[str] | None, Argument(metavar="[PROVIDER]...", help="Check only these providers.")
    ] = None,
    deep: Annotated[
        bool,
        Option(
            "--deep",
            help="Also send each a prompt, which may cost money, and read all of the history.",
        ),
    ] = False,
    json: Annotated[bool, Option("--json", help="Print one JSON object.")] = False,
) -> int:
    """Run the checks; return the code of the first that failed."""
    from darkai_cli.cli.print import Printer
    from darkai_cli.doctor import report, run

    environ = stdio.environ()
    began = time.monotonic()
    privacy = report.Privacy.of(environ)
    printer = Printer()
    section = ""
    checks: list[Check] = []
    for check in map(
        privacy.masked, _with_waiting(run.examine(providers or [], environ, deep=deep))
    ):
        checks.append(check)
        if not json:
            _print(printer, check, section)
            section = check.section
    seconds = time.monotonic() - began
    if json:
        printer.json(report.facts(checks, seconds, deep=deep))
    else:
        printer.lines(["", report.summary(checks, seconds)])
    return report.exit_code(checks)


command = CommandSpec(
    doctor,
    "Check the installation, the network and the providers. Exits with 0 if nothing is broken.",
    "darkai doctor",
    "darkai doctor openai --deep",
    "darkai doctor > report.txt",
)


def _print(printer: "Printer", check: "Check", section: str) -> None:
    """Print a check, below the heading of its section if that is not ``section``."""
    from darkai_cli.cli import tables
    from darkai_cli.doctor import report

    rows = []
    if check.section != section:
        rows = [""] if section else []
        rows.append(printer.styled("bold", check.section))
    width = printer.width if printer.is_terminal else None
    printer.lines([*rows, *report.lines(check, width, tables.wrapped, printer.styled)])


def _with_waiting(checks: "Iterator[Check]") -> "Iterator[Check]":
    """Yield the checks, and show on a terminal between them that others are running."""
    waiting = _start_waiting()
    try:
        for check in checks:
            waiting.stop()
            yield check
            waiting = _start_waiting()
    finally:
        waiting.stop()


def _start_waiting() -> "Spinner":
    from darkai_cli.output.progress import Spinner

    waiting = Spinner(stdio.stderr(), "the checks")
    if not stdio.is_dumb():
        waiting.start()
    return waiting
