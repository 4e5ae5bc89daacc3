"""The prompt: arguments and stdin."""

from __future__ import annotations

import pytest

from darkai_cli.conversation.prompt import compose
from darkai_cli.errors import InputError, UsageError


@pytest.mark.parametrize(
    ("words", "piped", "wanted"),
    [
        (["tell", "me"], None, "tell me"),
        (["tell  me"], None, "tell  me"),
        (["review"], "a\nb\n", "review\n\na\nb\n"),
        (["review"], "", "review"),
        ([], "a\nb\n", "a\nb\n"),
        (["-"], "text\n", "text"),
        (["before", "it", "-", "after", "it"], "a\nb\n", "before it\na\nb\nafter it"),
        (["-", "x", "-"], "a", "a\nx\na"),
    ],
)
def test_composition(words: list[str], piped: str | None, wanted: str) -> None:
    assert compose(words, piped) == wanted


@pytest.mark.parametrize(
    ("words", "piped", "error"),
    [
        ([""], None, UsageError),
        (["", " "], "piped", UsageError),
        ([], None, UsageError),
        ([], "", InputError),
        ([], " \n", InputError),
        (["-"], "", InputError),
        (["x", "-"], None, InputError),
    ],
)
def test_nothing_to_ask(words: list[str], piped: str | None, error: type[Exception]) -> None:
    with pytest.raises(error):
        compose(words, piped)
