"""A check: a step that is run, and the finding that it returns.

A step returns a finding, or None if there is nothing to report, or raises one of our errors, which
is a failure. Steps stand in chains; a finding that is the ``last`` one ends its chain.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple

from darkai_cli.errors import DarkAIError

Status = Literal["ok", "warning", "fail", "skipped"]


class Finding(NamedTuple):
    """The result of a step. ``code``: the exit code that a failure stands for."""

    status: Status
    detail: str
    hint: str | None = None
    code: int = 0
    last: bool = False


class Step(NamedTuple):
    """A check to be run. ``section`` and ``title`` are its place in the report."""

    id: str
    section: str
    title: str
    run: Callable[[], Finding | None]


class Check(NamedTuple):
    """A check that was run, and how many ``seconds`` it took."""

    id: str
    section: str
    title: str
    status: Status
    detail: str
    hint: str | None
    code: int
    seconds: float

    @classmethod
    def of(cls, step: Step, finding: Finding, seconds: float) -> Check:
        """Return the check for a step and its finding."""
        return cls(
            step.id, step.section, step.title, finding.status, finding.detail, finding.hint,
            finding.code, round(seconds, 3),
        )  # fmt: skip


def ok(detail: str) -> Finding:
    """Return the finding that all is well."""
    return Finding("ok", detail)


def warned(detail: str, hint: str | None = None) -> Finding:
    """Return the finding that something is not as it should be, but nothing fails for it."""
    return Finding("warning", detail, hint)


def skipped(detail: str, hint: str | None = None) -> Finding:
    """Return the finding that something was not checked, and why."""
    return Finding("skipped", detail, hint)


def failed(fault: DarkAIError, *, last: bool = False) -> Finding:
    """Return the finding for one of our errors."""
    return Finding("fail", fault.message, fault.hint, fault.exit_code, last)
