"""A command line read in two ways: what ``parser.read`` takes, Typer understands just so."""

from __future__ import annotations

import inspect
from functools import cache
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from darkai_cli.cli import ask, chat, groups, replay
from darkai_cli.cli.parser import CommandSpec, read

COMMANDS = {
    "ask": ask.command,
    "chat": chat.command,
    "replay": replay.command,
}
FLAGS = sorted(
    flag
    for parameter in inspect.signature(ask.ask).parameters.values()
    for flag in getattr(parameter.annotation.__metadata__[0], "flags", ())
)


taken: list[dict[str, Any]] = []


@cache
def typers(command: CommandSpec) -> Any:
    """Typer's command for the same line, which only notes down what it is called with."""

    def take(**finding: Any) -> int:
        taken.append(finding)
        return 0

    take.__signature__ = inspect.signature(command.function)  # type: ignore[attr-defined]
    return groups.declared_command("darkai", CommandSpec(take, command.help))


def by_typer(command: CommandSpec, args: list[str]) -> dict[str, Any] | None:
    """The keyword arguments that Typer makes of a line; None if it refuses it or prints help."""
    taken.clear()
    try:
        typers(command).main(list(args), prog_name="darkai", standalone_mode=False)
    except groups.CommandLineError:
        return None
    return taken[0] if taken else None


values = st.one_of(
    st.sampled_from(["", "-", "--", "hi", "-m", "-q", "=", "a=b", "0.5", "3", "nan", " 7 ", "1_0"]),
    st.text(max_size=4),
)
flags = st.one_of(
    st.sampled_from(FLAGS),
    st.sampled_from(["--", "--mod", "--models", "-Q", "-qv", "-qm", "-vqx", "-mq", "--help", "-h"]),
    st.builds("{}={}".format, st.sampled_from(FLAGS), values),
    st.builds("{}{}".format, st.sampled_from([item for item in FLAGS if len(item) == 2]), values),
)
lines = st.lists(st.one_of(flags, values), max_size=6)


@given(name=st.sampled_from(sorted(COMMANDS)), args=lines)
@example(name="ask", args=["tell", "me", "-m", "gpt-4o", "a joke"])
@example(name="ask", args=["--", "-m", "--"])
@example(name="ask", args=["-qm", "x", "-", "--timeout=3", "--retries", "0"])
@settings(max_examples=400, deadline=None)
def test_what_is_read_here_is_what_typer_reads(name: str, args: list[str]):
    """In any doubt the line is left to Typer, so nothing has two meanings."""
    finding = read(COMMANDS[name].function, args)
    if finding is not None:
        theirs = by_typer(COMMANDS[name], args)
        assert theirs is not None
        assert str(sorted(finding.items())) == str(sorted(theirs.items()))  # NaN equals nothing


@given(
    st.lists(
        st.one_of(st.sampled_from(FLAGS), st.sampled_from(["hi", "3", "-", "a b"])), unique=True
    )
)
@settings(max_examples=100, deadline=None)
def test_an_ordinary_line_is_read_here(args: list[str]):
    """The other way round: what Typer takes, of words and of declared options, needs no Typer.

    Not where an option is repeated: of a wrong number and a right one Typer takes the latter.
    """
    assert (read(ask.ask, args) is None) == (by_typer(ask.command, args) is None)


@pytest.mark.parametrize(
    "args",
    [["--help"], ["-h"], ["hi", "--bogus"], ["-m"], ["--timeout", "soon"], ["--raw=yes"], ["-Z"]],
)
def test_help_and_mistakes_are_left_to_typer(args: list[str]):
    assert read(ask.ask, args) is None


def test_a_command_that_wants_one_word_gets_one():
    finding = read(replay.replay, ["x.jsonl", "--speed", "2"])
    assert finding is not None
    assert (finding["file"], finding["speed"]) == ("x.jsonl", 2.0)
    assert read(replay.replay, []) is None
    assert read(replay.replay, ["x.jsonl", "y.jsonl"]) is None


def test_nothing_is_shared_between_two_lines():
    """Lists are made anew for each line."""
    first = read(ask.ask, ["-f", "a", "-f", "b"])
    second = read(ask.ask, ["-f", "c"])
    assert first is not None
    assert second is not None
    assert (first["file"], second["file"]) == (["a", "b"], ["c"])
