"""The Python API: whatever is passed in, what comes out is typed."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

import darkai_cli
from darkai_cli import DarkAI, format_prompt
from darkai_cli.errors import DarkAIError, InputError, UnknownModelError, UsageError

HI = [{"role": "user", "content": "Hi"}]
CLOSED = "http://127.0.0.1:9/chat"


def collect(**kwargs: Any) -> list[str]:
    async def run() -> list[str]:
        given = {"messages": HI, "api_endpoint": CLOSED, **kwargs}
        return [text async for text in DarkAI.create_async_generator(**given)]

    return asyncio.run(run())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("headers", {"x": "é"}),
        ("headers", {"x": "a\nb"}),
        ("headers", {"x": 5}),
        ("headers", {5: "x"}),
        ("headers", {"a b": "x"}),
        ("headers", "x: y"),
        ("timeout", "abc"),
        ("timeout", -1),
        ("timeout", 0),
        ("timeout", float("nan")),
        ("timeout", object()),
        ("proxy", 5),
        ("proxy", "http://[::1"),
        ("api_endpoint", 5),
        ("foo", object()),
        ("foo", float("nan")),
        ("foo", {("a", "b"): 1}),
    ],
)
def test_a_wrong_argument_is_named(name: str, value: Any) -> None:
    with pytest.raises(UsageError) as caught:
        collect(**{name: value})
    assert f"`{name}`" in caught.value.message


def test_a_value_that_holds_itself() -> None:
    loop: list[Any] = []
    loop.append(loop)
    with pytest.raises(UsageError, match="the option `foo` is no JSON value"):
        collect(bar=1, foo=loop)


@pytest.mark.parametrize("messages", ["Hi", 5, ["Hi"], [HI]])
def test_messages_that_are_none(messages: Any) -> None:
    with pytest.raises(InputError):
        collect(messages=messages)
    with pytest.raises(InputError):
        format_prompt(messages)


def test_a_model_that_is_no_text() -> None:
    with pytest.raises(UnknownModelError):
        collect(model=["gpt-4o"])


@pytest.mark.parametrize(
    "kwargs",
    [
        {"timeout": "abc"},
        {"timeout": -1},
        {"timeout": print},
        {"foo": print},
        {"foo": float("inf")},
        {"system": 5},
        {"model": 5},
        {"proxy": "ftp://p.test"},
        {"proxy": 5},
    ],
    ids=lambda given: "-".join(f"{name}={value!s:.12}" for name, value in given.items()),
)
def test_the_functions_check_too(kwargs: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DARKAI_PROVIDER", "demo")

    async def run() -> None:
        async for _ in darkai_cli.astream("hi", **kwargs):
            pass

    with pytest.raises(UsageError):
        darkai_cli.ask("hi", **kwargs)
    with pytest.raises(UsageError):
        asyncio.run(run())


@pytest.mark.parametrize("prompt", [5, None, ["hi"]])
def test_a_prompt_that_is_none(prompt: Any) -> None:
    with pytest.raises(DarkAIError):
        darkai_cli.ask(prompt)


def test_headers_may_be_any_mapping() -> None:
    from types import MappingProxyType

    with pytest.raises(DarkAIError) as caught:
        collect(headers=MappingProxyType({"X-Mine": "1"}))
    assert caught.value.exit_code == 7  # it was sent, to where nobody listens
