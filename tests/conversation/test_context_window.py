"""What fits a context window: only whole turns are dropped, the oldest first."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from darkai_cli.conversation import context_window
from darkai_cli.messages import Image, Message

ROLES = st.sampled_from(["user", "assistant", "tool"])
MESSAGES = st.lists(st.builds(Message, ROLES, st.text(max_size=60)), min_size=1, max_size=12)


def test_estimates_by_alphabet():
    assert context_window.estimate("a" * 400) == 100
    assert context_window.estimate("я" * 400) == 200
    assert context_window.estimate("語" * 400) == 400
    assert context_window.estimate("") == 0


def test_an_image_counts():
    picture = Image("image/png", b"x" * 100_000)
    assert (
        context_window.size(Message("user", "", (picture,)))
        == context_window.IMAGE + context_window.MESSAGE
    )


def test_the_scale_follows_the_service_s_count_within_bounds():
    messages = [Message("user", "a" * 400)]
    assert context_window.scale(messages, None) == 1
    assert context_window.scale(messages, 208) == 2
    assert context_window.scale(messages, 10**9) == 4


def test_an_unknown_window_drops_nothing():
    fit = context_window.fit([Message("user", "x" * 10**6)], None)
    assert (fit.dropped, fit.overflows, fit.size) == (0, False, 250_004)


def test_the_oldest_turns_are_dropped_whole():
    messages = [Message("system", "s")]
    for number in range(4):
        messages += [Message("user", "q" * 400), Message("assistant", f"{number}" * 400)]
    messages.append(Message("user", "last"))
    fit = context_window.fit(messages, 450, reply=0)
    assert fit.overflows
    assert fit.dropped == 4
    assert [message.role for message in fit.messages] == [
        "system",
        "user",
        "assistant",
        "user",
        "assistant",
        "user",
    ]
    assert fit.messages[-1].content == "last"


@given(MESSAGES, st.integers(0, 200), st.booleans())
def test_what_is_kept_is_the_end_of_what_was_said(messages, room, system):
    if system:
        messages = [Message("system", "be brief"), *messages]
    fit = context_window.fit(messages, room, reply=0)
    first = 1 if system else 0
    assert list(fit.messages) == messages[:first] + messages[first + fit.dropped :]
    assert fit.messages[-1] == messages[-1]
    if fit.dropped:
        assert fit.overflows
        head = messages[first + fit.dropped]
        assert head.role == "user" or first + fit.dropped == len(messages) - 1
    size = sum(map(context_window.size, fit.messages))
    assert size <= room + 1e-6 or len(fit.messages) == first + 1


def test_room_is_left_for_the_reply():
    assert context_window.reserve(100_000) == context_window.RESERVE
    assert context_window.reserve(1000) == 250
    assert context_window.reserve(100_000, {"max_tokens": 5000, "temperature": 1}) == 5000
    assert context_window.reserve(4000, {"num_predict": 9000}) == 4000
    assert context_window.reserve(4000, {"num_predict": -1}) == 1000


def test_a_prompt_that_is_too_long_by_itself():
    messages = [
        Message("user", "a" * 400),
        Message("assistant", "b" * 400),
        Message("user", "c" * 4000),
    ]
    fit = context_window.fit(messages, 500, reply=0)
    assert (fit.dropped, fit.prompt_is_too_long, fit.messages_size) == (2, True, 1004)
    assert not context_window.fit(messages, 1100, reply=0).prompt_is_too_long
