"""What is typed on the command line: wrong values, invalid bytes, missing words."""

from __future__ import annotations

import json
import os

import pytest
from support.scenario import run_darkai
from support.server import FaultServer, reply

from darkai_cli.cli import main
from darkai_cli.errors import UsageError

CAFE = os.fsdecode(b"caf\xe9")


def test_a_url_with_half_an_address() -> None:
    result = run_darkai("ask", "x", env={"DARKAI_URL": "http://[::1/"})
    assert result.code == 3, result
    assert "`DARKAI_URL` has an invalid host" in result.stderr


@pytest.mark.parametrize(
    ("args", "named"),
    [
        (["fine", CAFE], "word 2 "),
        (["x", "-s", CAFE], "the system prompt (`-s`) "),
        (["x", "-o", "a=1", "-o", f"b={CAFE}"], "option 2 (`-o`) "),
    ],
)
def test_bytes_that_are_no_text_are_not_sent(args: list[str], named: str) -> None:
    with FaultServer(reply(["ok"])) as server:
        result = run_darkai("ask", *args, env={"DARKAI_URL": server.url})
        assert server.requests == []
    assert result.code == 11, result
    assert f"error: {named}is not UTF-8 text: invalid byte 0xe9" in result.stderr
    assert "hint: " in result.stderr


def test_text_is_sent_whatever_the_locale_makes_of_it() -> None:
    with FaultServer(reply(["ok"])) as server:
        env = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
        result = run_darkai("ask", "café", env={**env, "DARKAI_URL": server.url})
        assert result.code == 0, result
        assert server.requests[0].json()["query"] == "café"


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "1e999", "[NaN]", '"\\ud800"'])
def test_an_option_that_no_request_can_hold(value: str) -> None:
    with pytest.raises(UsageError, match=r"^The value of `-o x` "):
        main.run(["ask", "--dry-run", "-o", f"x={value}", "hi"])


def test_options_are_json_where_they_are_and_text_otherwise() -> None:
    pairs = ["a=1", "b=true", "c=[1, 2]", "d=high", "e=1=2", "f="]
    args = [word for pair in pairs for word in ("-o", pair)]
    result = run_darkai("ask", "--dry-run", *args, "hi")
    body = json.loads(result.stdout)["body"]
    assert {name: body[name] for name in "abcdef"} == {
        "a": 1,
        "b": True,
        "c": [1, 2],
        "d": "high",
        "e": "1=2",
        "f": "",
    }


@pytest.mark.parametrize("args", [["ask", "--output"], ["ask", "--nonsense"], ["replay"]])
def test_the_hint_is_the_help_of_the_command_that_was_typed(args: list[str]) -> None:
    result = run_darkai(*args)
    assert result.code == 2
    assert f"hint: Run `darkai {args[0]} --help` for the usage" in result.stderr
