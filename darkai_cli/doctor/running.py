"""Carries out chains of steps, each chain in a thread, all together within a time limit.

The checks are given out in the order of the chains, as soon as nothing before them is missing.
The threads are daemons: what hangs is left behind and told, and Ctrl-C is not held up by it. A step
that fails for a bug of ours is told as one, and the others go on.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from darkai_cli import signals
from darkai_cli.doctor.check import Check, Finding, Step, failed, made
from darkai_cli.errors import DarkAIError, ReplyTimeoutError

_SLICE = 0.25
"""Seconds of a wait, after which it is asked whether a signal came."""


class _News(NamedTuple):
    """From a chain's thread: a step begins (``step``), was made (``check``), or it is the end."""

    chain: int
    step: Step | None = None
    check: Check | None = None


class _Course:
    """What is known of one chain."""

    def __init__(self, began: float) -> None:
        self.checks: list[Check] = []
        self.step: Step | None = None
        self.since = began
        self.over = False


def run(chains: Sequence[Sequence[Step]], seconds: float) -> Iterator[list[Check]]:
    """The checks, some at a time. What is not done after ``seconds`` is a check that failed."""
    news: queue.SimpleQueue[_News] = queue.SimpleQueue()
    began = time.monotonic()
    courses = [_Course(began) for _ in chains]
    for number, chain in enumerate(chains):
        thread = threading.Thread(target=_carry_out, args=(number, chain, news), daemon=True)
        thread.start()
    told = 0
    while told < len(courses):
        left = began + seconds - time.monotonic()
        if left <= 0:
            _give_up(courses[told:], seconds)
        else:
            _take(news, courses, min(left, _SLICE))
        ready: list[Check] = []
        while told < len(courses):
            course = courses[told]
            ready += course.checks
            course.checks = []
            if not course.over:
                break
            told += 1
        if ready:
            yield ready


def _take(news: queue.SimpleQueue[_News], courses: list[_Course], seconds: float) -> None:
    """Wait for news, and take all that there is."""
    signals.raise_pending()
    try:
        item = news.get(timeout=seconds)
        while True:
            course = courses[item.chain]
            if item.step is not None:
                course.step, course.since = item.step, time.monotonic()
            elif item.check is not None:
                course.checks.append(item.check)
                course.step = None
            else:
                course.over = True
            item = news.get_nowait()
    except queue.Empty:
        return


def _give_up(courses: list[_Course], seconds: float) -> None:
    """The time is up: tell what the chains that are not over wait for."""
    now = time.monotonic()
    for course in courses:
        if not course.over and course.step is not None:
            late = ReplyTimeoutError(
                f"no result within {seconds:g} s: it hangs",
                hint="run it again; if it hangs again, this is what is slow or broken",
            )
            course.checks.append(made(course.step, failed(late), now - course.since))
        course.over = True


def _carry_out(number: int, chain: Sequence[Step], news: queue.SimpleQueue[_News]) -> None:
    signals.block_in_thread()
    try:
        for step in chain:
            began = time.monotonic()
            news.put(_News(number, step=step))
            finding = _finding(step)
            if finding is not None:
                check = made(step, finding, time.monotonic() - began)
                news.put(_News(number, check=check))
                if finding.last:
                    break
    finally:
        news.put(_News(number))


def _finding(step: Step) -> Finding | None:
    try:
        return step.run()
    except DarkAIError as fault:
        return failed(fault)
    except Exception as exc:  # noqa: BLE001 -- one check that is broken must not hide the others
        bug = DarkAIError(
            f"a bug in darkai: {type(exc).__name__}: {exc}", hint="report it with this line"
        )
        return failed(bug)
