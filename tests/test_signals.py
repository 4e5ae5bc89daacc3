"""Signals that wait until what is being written is whole."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from darkai_cli import signals
from darkai_cli.errors import Terminated

DONE: list[str] = []


@pytest.fixture(autouse=True)
def listening() -> Iterator[None]:
    usual = {name: signal.getsignal(name) for name in (signal.SIGINT, signal.SIGTERM)}
    for name in usual:
        signal.signal(name, signal.default_int_handler if name is signal.SIGINT else signal.SIG_DFL)
    signals.install()
    yield
    for name, handler in usual.items():
        signal.signal(name, handler)
    signals.pending = 0


def send(number: signal.Signals) -> None:
    os.kill(os.getpid(), number)


def in_a_block(*numbers: signal.Signals, fault: Exception | None = None) -> None:
    """Send signals within a block, and note in ``DONE`` that it went on."""
    DONE.clear()
    with signals.deferred():
        for number in numbers:
            send(number)
        DONE.append("block")
        if fault is not None:
            raise fault


def test_a_signal_waits_for_the_end_of_the_block():
    with pytest.raises(KeyboardInterrupt):
        in_a_block(signal.SIGINT)
    assert DONE


def test_two_of_them_wait_as_well_and_the_last_one_counts():
    with pytest.raises(Terminated):
        in_a_block(signal.SIGINT, signal.SIGTERM)
    assert DONE
    assert signals.exit_code() == 143


def test_many_in_a_row_do_not_wait():
    with pytest.raises(KeyboardInterrupt):
        in_a_block(*[signal.SIGINT] * signals.MOST_DEFERRED)
    assert not DONE


def test_the_outermost_block_counts():
    def nested() -> None:
        with signals.deferred():
            in_a_block(signal.SIGINT)
            DONE.append("outer")

    with pytest.raises(KeyboardInterrupt):
        nested()
    assert DONE == ["block", "outer"]


def test_an_error_of_the_block_itself_is_told_first():
    with pytest.raises(OSError, match="disk"):
        in_a_block(signal.SIGINT, fault=OSError("disk"))
    assert signals.exit_code() == 130


def test_one_that_came_before_is_not_told_again():
    with pytest.raises(KeyboardInterrupt):
        send(signal.SIGINT)
    with signals.deferred():
        pass


def test_without_a_block_it_is_raised_at_once():
    with pytest.raises(KeyboardInterrupt):
        send(signal.SIGINT)
    signals.clear_interrupt()
    assert signals.exit_code() is None


def in_the_import_system(number: signal.Signals) -> None:
    """Send a signal where the interpreter holds the locks of modules."""
    code = compile("kill(pid, number)", "<frozen importlib._bootstrap>", "exec")
    exec(code, {"kill": os.kill, "pid": os.getpid(), "number": number})


@pytest.mark.parametrize(
    ("number", "raised"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, Terminated)]
)
def test_nothing_is_raised_where_modules_are_locked(
    number: signal.Signals, raised: type[BaseException]
):
    """A lock would be left behind, and the next import of any thread would wait for ever."""
    DONE.clear()

    def go_on() -> None:
        in_the_import_system(number)
        while len(DONE) < 10_000_000:  # it comes again, outside
            DONE.append("import")

    with pytest.raises(raised):
        go_on()
    assert DONE
