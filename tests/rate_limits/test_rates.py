"""How rates are written, and the arithmetic of slots."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkai_cli.config import schema, values
from darkai_cli.rate_limits import rates
from darkai_cli.rate_limits.rates import Rate, next_slot


@pytest.mark.parametrize(
    ("text", "rate", "words"),
    [
        ("4/min", Rate(4, 60), "4 requests a minute"),
        ("30/30min", Rate(30, 1800), "30 requests in 30 minutes"),
        (" 80 / 6h ", Rate(80, 21_600), "80 requests in 6 hours"),
        ("1/s", Rate(1, 1), "1 request a second"),
        ("60/h", Rate(60, 3600), "60 requests an hour"),
        ("1000/d", Rate(1000, 86_400), "1000 requests a day"),
        ("5/90s", Rate(5, 90), "5 requests in 90 seconds"),
    ],
)
def test_a_rate_as_it_is_written_and_shown(text: str, rate: Rate, words: str) -> None:
    assert rates.parse(text) == rate
    assert str(rate) == words


@pytest.mark.parametrize(
    "text",
    ["", "4", "4/", "/min", "0/min", "4/0s", "-1/s", "4/m", "4 per minute", "4/40d", "٤/min"],
)
def test_invalid_rates(text: str) -> None:
    with pytest.raises(ValueError):
        rates.parse(text)


@given(st.text())
def test_any_text_is_a_rate_or_an_explained_refusal(text: str) -> None:
    rule = ""
    try:
        assert rates.parse(text).requests > 0
    except ValueError as exc:
        rule = str(exc)
    assert rule.isprintable()


def test_the_configuration_names_the_entry_that_is_wrong() -> None:
    key = schema.PROVIDER_KEYS["limits"]
    assert values.check(key, ["4/min", "80/6h"]) == ("4/min", "80/6h")
    with pytest.raises(values.Invalid, match="contains `4 per minute`, which must be a rate"):
        values.check(key, ["80/6h", "4 per minute"])


def test_a_slot_opens_when_the_request_that_fills_the_rate_leaves_it() -> None:
    four = (Rate(4, 60),)
    assert next_slot(four, [0, 1, 2], 3).at == 3
    assert next_slot(four, [0, 1, 2, 3], 4) == (60, four[0])
    assert next_slot(four, [0, 1, 2, 3], 60).at == 60  # half open: 0 and 60 are not in one
    assert next_slot(four, [0, 1, 2, 3, 3.5], 4).at == 61  # one too many: the second must go


def test_the_slowest_rate_decides() -> None:
    both = (Rate(1, 10), Rate(2, 100))
    assert next_slot(both, [0, 5], 6) == (100, both[1])
    assert next_slot(both, [5], 6) == (15, both[0])


def test_a_clock_that_was_put_right_blocks_nothing_for_ever() -> None:
    minute = (Rate(1, 60),)
    assert next_slot(minute, [10_000], 100).at == 100
    assert next_slot(minute, [100.5], 100).at == 160.5  # a little off: it did go


TIMES = st.lists(st.integers(0, 40_000), max_size=120)
RATES = st.lists(
    st.builds(Rate, st.integers(1, 6), st.integers(1, 2000)), min_size=1, max_size=3
).map(tuple)


def breaks(known: tuple[Rate, ...], times: list[float]) -> bool:
    """Whether more than ``count`` of ``times`` lie within ``seconds`` anywhere, counted the slow way."""
    return any(
        sum(end - rate.seconds < at <= end for at in times) > rate.requests
        for rate in known
        for end in times
    )


@given(RATES, TIMES)
def test_whatever_comes_whenever_no_rate_is_broken_and_the_wait_is_the_shortest(
    known: tuple[Rate, ...], arrivals: list[int]
) -> None:
    granted: list[float] = []
    now = 0.0
    for arrival in sorted(arrivals):
        now = max(now, float(arrival))
        slot = next_slot(known, granted, now)
        assert slot.at >= now
        assert (slot.rate is None) == (slot.at == now)
        if slot.at > now:  # a second earlier it would have been one too many
            earlier = max(now, slot.at - 1)
            assert breaks(known, [*granted, earlier])
        now = slot.at  # whoever waits so long is let through
        assert next_slot(known, granted, now).at == now
        granted.append(now)
        assert not breaks(known, granted)
