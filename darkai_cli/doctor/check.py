"""What a check is: a step that is carried out, its finding, and the line that both become.

No check is here. A step returns a finding, or None where there is nothing to tell, or raises one of
our errors, which is a failure. Steps stand in chains: after a finding that is the ``last`` one, the
rest of its chain is not carried out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple

from darkai_cli.errors import DarkAIError

Status = Literal["ok", "warning", "fail", "skipped"]


class Finding(NamedTuple):
    """What a step found. ``code``: the exit code that it is worth, if it is a failure."""

    status: Status
    detail: str
    hint: str | None = None
    code: int = 0
    last: bool = False


class Step(NamedTuple):
    """A check that is to be made. ``section`` and ``title``: where it stands in the report."""

    id: str
    section: str
    title: str
    run: Callable[[], Finding | None]


class Check(NamedTuple):
    """A check that was made. ``seconds``: how long it took."""

    id: str
    section: str
    title: str
    status: Status
    detail: str
    hint: str | None
    code: int
    seconds: float


def ok(detail: str) -> Finding:
    """Nothing is wrong."""
    return Finding("ok", detail)


def warned(detail: str, hint: str | None = None) -> Finding:
    """Something is not as it should be, but nothing fails for it."""
    return Finding("warning", detail, hint)


def skipped(detail: str, hint: str | None = None) -> Finding:
    """It was not looked at, and why."""
    return Finding("skipped", detail, hint)


def failed(fault: DarkAIError, *, last: bool = False) -> Finding:
    """Something is broken, as an error of ours tells it."""
    return Finding("fail", fault.message, fault.hint, fault.exit_code, last)


def made(step: Step, finding: Finding, seconds: float) -> Check:
    """The line of a step that found this."""
    return Check(
        step.id, step.section, step.title, finding.status, finding.detail, finding.hint,
        finding.code, round(seconds, 3),
    )  # fmt: skip
