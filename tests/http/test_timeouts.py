"""Which limit counts at which moment of an exchange."""

from __future__ import annotations

import pytest

from darkai_cli.http.timeouts import Deadline, Timeouts


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def deadline(clock: Clock) -> Deadline:
    return Deadline(Timeouts(connect=10, first_token=600, idle=60, no_content=300), clock)


def test_connecting_has_its_own_limit(deadline: Deadline, clock: Clock):
    assert (deadline.phase, deadline.remaining()) == ("connect", 10)
    clock.now += 10
    assert deadline.is_over
    assert deadline.remaining() == 0.001
    deadline.reconnecting()
    assert deadline.remaining() == 10


def test_bytes_do_not_move_the_limit_of_the_first_token(deadline: Deadline, clock: Clock):
    clock.now += 5
    deadline.sent()
    clock.now += 100
    deadline.on_bytes()
    assert (deadline.phase, deadline.remaining()) == ("first_token", 500)


def test_afterwards_bytes_and_content_have_a_limit_each(deadline: Deadline, clock: Clock):
    deadline.sent()
    deadline.on_bytes()
    deadline.on_content()
    assert (deadline.phase, deadline.remaining()) == ("idle", 60)
    for _ in range(5):
        clock.now += 50
        deadline.on_bytes()
    assert (deadline.phase, deadline.remaining()) == ("no_content", 50)
    deadline.on_content()
    assert (deadline.phase, deadline.remaining()) == ("idle", 60)


def test_draining_ends_soon_and_is_set_once(deadline: Deadline, clock: Clock):
    deadline.sent()
    deadline.drain_for(2)
    clock.now += 1
    deadline.drain_for(2)
    assert (deadline.phase, deadline.remaining()) == ("drain", 1)


def test_the_option_sets_two_limits():
    assert Timeouts().with_timeout(5) == Timeouts(first_token=5, idle=5)
    assert Timeouts().with_timeout(None) == Timeouts()
