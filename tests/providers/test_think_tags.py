"""Reasoning between ``<think>`` and ``</think>`` comes out the same however the text is cut."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from darkai_cli.providers.think_tags import ThinkTags

PIECES = st.lists(
    st.sampled_from(
        ["<", "t", "<th", "ink>", "<think>", "</think>", "</", "think", ">", "\n", " ", "a", "é"]
    ),
    max_size=10,
)


def separated(pieces: list[str]) -> list[tuple[str, str]]:
    """Reasoning and text, neighbours joined."""
    tags = ThinkTags()
    events = [event for piece in pieces for event in tags.feed(piece)] + [*tags.close()]
    runs: list[tuple[str, str]] = []
    for event in events:
        assert event.text
        if runs and runs[-1][0] == event.type:
            runs[-1] = (event.type, runs[-1][1] + event.text)
        else:
            runs.append((event.type, event.text))
    return runs


@given(PIECES)
def test_reasoning_in_tags_is_the_same_however_it_is_cut(pieces: list[str]) -> None:
    whole = "".join(pieces)
    assert separated(pieces) == separated([whole]) == separated(list(whole))


@given(PIECES)
def test_nothing_is_lost_beside_the_tags(pieces: list[str]) -> None:
    whole = "".join(pieces)
    runs = separated(pieces)
    if not whole.lstrip().startswith("<think>"):
        assert runs == ([("text-chunk", whole)] if whole else [])
        return
    inner, closed, rest = whole.lstrip().removeprefix("<think>").partition("</think>")
    rest = rest.lstrip("\r\n")
    wanted = [("reasoning-chunk", inner)] if inner else []
    assert runs == wanted + ([("text-chunk", rest)] if closed and rest else [])
