"""What response headers say about the next request."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkai_cli.rate_limits.hints import LONGEST_HOLD, held_until

NOW = 1_700_000_000.0  # 2023-11-14 22:13:20 UTC


@pytest.mark.parametrize(
    ("status", "headers", "seconds"),
    [
        (429, {"retry-after": "17"}, 17),
        (429, {"retry-after": "Tue, 14 Nov 2023 22:14:20 GMT"}, 60),
        (503, {"retry-after": "5"}, 5),
        (200, {"retry-after": "5"}, None),
        (429, {"retry-after": "soon"}, None),
        (429, {}, None),
        (429, {"retry-after": "999999999"}, LONGEST_HOLD),
        # OpenAI and Groq: until the bucket is full
        (200, {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "1s"}, 1),
        (200, {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "6m0s"}, 360),
        (
            200,
            {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "2m59.56s"},
            179.56,
        ),
        (200, {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "20ms"}, 0.02),
        (200, {"x-ratelimit-remaining-requests": "59", "x-ratelimit-reset-requests": "1s"}, None),
        # ... of which the next request needs a part
        (
            200,
            {
                "x-ratelimit-limit-requests": "60",
                "x-ratelimit-remaining-requests": "0",
                "x-ratelimit-reset-requests": "1m0s",
            },
            1,
        ),
        (
            200,
            {
                "anthropic-ratelimit-requests-remaining": "0",
                "anthropic-ratelimit-requests-reset": "2023-11-14T22:14:00Z",
            },
            40,
        ),
        (
            200,
            {
                "anthropic-ratelimit-requests-limit": "50",
                "anthropic-ratelimit-requests-remaining": "0",
                "anthropic-ratelimit-requests-reset": "2023-11-14T22:14:10+00:00",
            },
            1,
        ),
        # OpenRouter, GitHub
        (429, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1700000030000"}, 30),
        (200, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1700000045"}, 45),
        (200, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "7"}, 7),
        (200, {"x-ratelimit-remaining": "3", "x-ratelimit-reset": "1700000045"}, None),
        # the drafts
        (200, {"ratelimit-remaining": "0", "ratelimit-reset": "12"}, 12),
        (200, {"ratelimit": "limit=10, remaining=0, reset=50"}, 50),
        (200, {"ratelimit": '"default";r=0;t=30'}, 30),
        (200, {"ratelimit": '"default";r=50;t=30'}, None),
        # the latest counts; what has passed does not
        (429, {"retry-after": "3", "ratelimit-remaining": "0", "ratelimit-reset": "12"}, 12),
        (200, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1600000000"}, None),
        (200, {"x-ratelimit-remaining": "0"}, None),
    ],
)
def test_until_when(status: int, headers: dict[str, str], seconds: float | None) -> None:
    until = held_until(status, headers, NOW)
    if seconds is None:
        assert until is None
    else:
        assert until == pytest.approx(NOW + seconds, abs=1e-3)


NAMES = st.sampled_from(
    [
        "retry-after", "x-ratelimit-remaining", "x-ratelimit-reset", "x-ratelimit-remaining-requests",
        "x-ratelimit-reset-requests", "x-ratelimit-limit-requests", "ratelimit", "ratelimit-remaining",
        "ratelimit-reset", "anthropic-ratelimit-requests-remaining",
        "anthropic-ratelimit-requests-reset",
    ]
)  # fmt: skip
VALUES = st.text() | st.just("0") | st.integers(-5, 10**20).map(str) | st.floats().map(str)


@given(st.sampled_from([200, 429, 503]), st.dictionaries(NAMES, VALUES))
def test_no_header_fails_a_request_or_silences_a_client_for_long(
    status: int, headers: dict[str, str]
) -> None:
    until = held_until(status, headers, NOW)
    assert until is None or NOW < until <= NOW + LONGEST_HOLD
