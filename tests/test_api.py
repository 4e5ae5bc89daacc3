"""The Python API: what DarkAI's existing users call, and ask, stream and astream beside it."""

from __future__ import annotations

import asyncio
import json
from types import MappingProxyType
from typing import Any

import httpx
import pytest
import respx
from support.isolation import write_config
from support.server import FaultServer, reply

import darkai_cli
from darkai_cli import AsyncGeneratorProvider, DarkAI, ProviderModelMixin, format_prompt
from darkai_cli.errors import (
    ConfigError,
    DarkAIError,
    IncompleteReplyError,
    InputError,
    NetworkError,
    RateLimitError,
    ServiceError,
    UnknownModelError,
    UsageError,
)
from darkai_cli.events import StreamEnd, StreamStart, TextChunk

URL = "https://darkai.foundation/chat"
HI = [{"role": "user", "content": "Hi"}]


def body(*texts: str, end: bool = True) -> bytes:
    lines = [{"event": "text-chunk", "data": {"text": text}} for text in texts]
    lines += [{"event": "stream-end", "data": {}}] if end else []
    return b"".join(b"data: " + json.dumps(line).encode() + b"\n\n" for line in lines)


def collect(**kwargs: Any) -> list[str]:
    """Return the pieces of a reply. ``subject``: the class, or an instance of it."""
    subject = kwargs.pop("subject", DarkAI)

    async def run() -> list[str]:
        return [text async for text in subject.create_async_generator(**kwargs)]

    return asyncio.run(run())


@pytest.fixture
def service():
    with respx.mock(assert_all_called=False) as router:
        yield router.post(URL).mock(
            return_value=httpx.Response(200, content=body("Sure", ", why not?"))
        )


def test_the_class_attributes_its_users_know() -> None:
    assert DarkAI.url == DarkAI.api_endpoint == URL
    assert DarkAI.working is False
    assert DarkAI.supports_stream is True
    assert DarkAI.default_model == "llama-3-70b"
    assert list(DarkAI.models) == ["gpt-4o", "gpt-3.5-turbo", "llama-3-70b"]
    assert DarkAI.model_aliases == {"llama-3.1-70b": "llama-3-70b"}
    assert issubclass(DarkAI, AsyncGeneratorProvider)
    assert issubclass(DarkAI, ProviderModelMixin)


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("", "llama-3-70b"),
        (None, "llama-3-70b"),
        ("gpt-4o", "gpt-4o"),
        ("llama-3.1-70b", "llama-3-70b"),
    ],
)
def test_get_model(name: str | None, wanted: str) -> None:
    assert DarkAI.get_model(name) == wanted


def test_get_model_lists_the_models() -> None:
    with pytest.raises(UnknownModelError) as caught:
        DarkAI.get_model("gpt-9")
    assert "gpt-4o, gpt-3.5-turbo, llama-3-70b" in caught.value.message


def test_the_request_is_the_documented_one(service: respx.Route) -> None:
    assert collect(model="gpt-4o", messages=HI) == ["Sure", ", why not?"]
    request = service.calls.last.request
    assert json.loads(request.content) == {"query": "Hi", "model": "gpt-4o"}
    assert request.headers["accept"] == "text/event-stream"
    assert request.headers["content-type"] == "application/json"
    assert request.headers["user-agent"] == (
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
        "Chrome/127.0.0.0 Safari/537.36"
    )
    assert request.headers["accept-encoding"] == "identity"
    assert "authorization" not in request.headers


def test_an_instance_has_its_own_default(service: respx.Route) -> None:
    mine = DarkAI(model="gpt-4o")
    assert mine.get_model() == "gpt-4o"
    assert DarkAI.get_model() == "llama-3-70b"
    collect(subject=mine, messages=HI)
    assert json.loads(service.calls.last.request.content)["model"] == "gpt-4o"
    with pytest.raises(UnknownModelError):
        DarkAI(model="nope")


def test_keyword_arguments(service: respx.Route) -> None:
    collect(model="", messages=HI, temperature=0.2, headers={"X-Mine": "1"}, timeout=5)
    request = service.calls.last.request
    assert json.loads(request.content) == {
        "query": "Hi",
        "model": "llama-3-70b",
        "temperature": 0.2,
    }
    assert request.headers["x-mine"] == "1"


def test_another_endpoint() -> None:
    with respx.mock() as router:
        route = router.post("http://127.0.0.1:1/chat").mock(
            return_value=httpx.Response(200, content=body("x"))
        )
        assert collect(messages=HI, api_endpoint="http://127.0.0.1:1/chat") == ["x"]
        assert route.called


def test_a_class_attribute_changed_at_run_time_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(DarkAI, "api_endpoint", "http://127.0.0.1:2/chat")
    with respx.mock() as router:
        router.post("http://127.0.0.1:2/chat").mock(
            return_value=httpx.Response(200, content=body("x"))
        )
        assert collect(messages=HI) == ["x"]


@pytest.mark.parametrize(
    ("response", "error"),
    [
        (httpx.Response(500, json={"detail": "boom"}), ServiceError),
        (httpx.Response(200, content=b""), ServiceError),
        (httpx.Response(200, html="<html><title>Just a moment...</title></html>"), NetworkError),
        (httpx.ConnectError("no"), NetworkError),
    ],
)
def test_errors_are_raised_not_swallowed(response: Any, error: type[Exception]) -> None:
    with respx.mock() as router:
        route = router.post(URL)
        if isinstance(response, Exception):
            route.mock(side_effect=response)
        else:
            route.mock(return_value=response)
        with pytest.raises(error):
            collect(messages=HI)
        assert route.call_count == 1


@pytest.mark.parametrize(
    ("messages", "flags", "wanted"),
    [
        ([("user", "Hi")], {}, "Hi"),
        ([("user", "Hi")], {"add_special_tokens": True}, "User: Hi\nAssistant:"),
        ([("system", "Be brief"), ("user", "Hi")], {}, "System: Be brief\nUser: Hi\nAssistant:"),
        ([("system", "S"), ("user", "Hi")], {"include_system": False}, "User: Hi\nAssistant:"),
        ([("user", "a"), ("assistant", "b")], {"do_continue": True}, "User: a\nAssistant: b"),
    ],
)
def test_format_prompt(messages: list, flags: dict, wanted: str) -> None:
    given = [{"role": role, "content": content} for role, content in messages]
    assert format_prompt(given, **flags) == wanted


def test_content_as_parts() -> None:
    parts = [{"type": "text", "text": "a"}, {"type": "image_url"}, {"type": "text", "text": "b"}]
    assert format_prompt([{"role": "user", "content": parts}]) == "a\nb"
    with pytest.raises(InputError):
        format_prompt([])


def test_ask_and_stream_follow_the_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DARKAI_URL", "http://127.0.0.1:3/chat")
    with respx.mock() as router:
        route = router.post("http://127.0.0.1:3/chat").mock(
            return_value=httpx.Response(200, content=body("a", "b"))
        )
        assert darkai_cli.ask("Hi", system="Be brief", temperature=1) == "ab"
        assert json.loads(route.calls.last.request.content) == {
            "query": "System: Be brief\nUser: Hi\nAssistant:",
            "model": "llama-3-70b",
            "temperature": 1,
        }
        assert list(darkai_cli.stream(HI, model="gpt-4o")) == [
            StreamStart("darkai", "gpt-4o"),
            TextChunk("a"),
            TextChunk("b"),
            StreamEnd("stop"),
        ]


def test_astream(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DARKAI_PROVIDER", "demo")
    monkeypatch.setenv("DARKAI_DEMO_DELAY", "0")

    async def run() -> list[Any]:
        return [event async for event in darkai_cli.astream("echo hello there")]

    events = asyncio.run(run())
    assert events[0] == StreamStart("demo", "demo")
    assert "".join(e.text for e in events if isinstance(e, TextChunk)).strip() == "hello there"


def test_a_cut_reply_is_an_error_after_its_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DARKAI_URL", "http://127.0.0.1:3/chat")

    async def stream():
        yield body("half", end=False)
        raise httpx.ReadError("gone")

    seen: list[Any] = []

    async def consume() -> None:
        async for event in darkai_cli.astream("Hi"):
            seen.append(event)

    with respx.mock() as router:
        router.post("http://127.0.0.1:3/chat").mock(
            side_effect=lambda _: httpx.Response(200, stream=_Stream(stream))
        )
        with pytest.raises(IncompleteReplyError):
            asyncio.run(consume())
    assert seen[-1] == TextChunk("half")


class _Stream(httpx.AsyncByteStream):
    def __init__(self, source: Any) -> None:
        self._source = source

    async def __aiter__(self):
        async for piece in self._source():
            yield piece


def test_public_names() -> None:
    for name in darkai_cli.__all__:
        assert getattr(darkai_cli, name) is not None
    with pytest.raises(AttributeError):
        _ = darkai_cli.nothing


# --- arguments ------------------------------------------------------------------------------------

CLOSED = "http://127.0.0.1:9/chat"


def collect_from_nowhere(**kwargs: Any) -> list[str]:
    return collect(**{"messages": HI, "api_endpoint": CLOSED, **kwargs})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("headers", {"x": "é"}),
        ("headers", {"x": 5}),
        ("headers", {"a b": "x"}),
        ("headers", "x: y"),
        ("timeout", "abc"),
        ("timeout", -1),
        ("timeout", float("nan")),
        ("proxy", 5),
        ("proxy", "ftp://p.test"),
        ("api_endpoint", 5),
        ("foo", object()),
        ("foo", float("nan")),
        ("foo", {("a", "b"): 1}),
    ],
)
def test_a_wrong_argument_is_named(name: str, value: Any) -> None:
    with pytest.raises(UsageError) as caught:
        collect_from_nowhere(**{name: value})
    assert f"`{name}`" in caught.value.message


def test_a_value_that_contains_itself() -> None:
    loop: list[Any] = []
    loop.append(loop)
    with pytest.raises(UsageError, match="The option `foo` isn't a JSON value"):
        collect_from_nowhere(bar=1, foo=loop)


@pytest.mark.parametrize(
    "messages", ["Hi", 5, ["Hi"], [HI], [], [{"role": "nobody", "content": "x"}]]
)
def test_invalid_messages(messages: Any) -> None:
    with pytest.raises(InputError):
        collect_from_nowhere(messages=messages)
    with pytest.raises(InputError):
        format_prompt(messages)


def test_a_model_that_is_not_text() -> None:
    with pytest.raises(UnknownModelError):
        collect_from_nowhere(model=["gpt-4o"])


@pytest.mark.parametrize(
    "kwargs",
    [
        {"timeout": "abc"},
        {"foo": print},
        {"foo": float("inf")},
        {"system": 5},
        {"model": 5},
        {"proxy": "ftp://p.test"},
    ],
    ids=lambda arguments: "-".join(f"{name}={value!s:.12}" for name, value in arguments.items()),
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
def test_an_invalid_prompt(prompt: Any) -> None:
    with pytest.raises(DarkAIError):
        darkai_cli.ask(prompt)


def test_headers_may_be_any_mapping() -> None:
    with pytest.raises(DarkAIError) as caught:
        collect_from_nowhere(headers=MappingProxyType({"X-Mine": "1"}))
    assert caught.value.exit_code == 7  # it was sent, to where nothing listens


def test_a_url_without_a_scheme() -> None:
    with pytest.raises(ConfigError):
        collect(messages=HI, api_endpoint="service.test/chat")


# --- rate limits ----------------------------------------------------------------------------------


def configure(url: str, *limits: str) -> None:
    write_config(
        f'provider = "work"\nmax_wait = 0\n'
        f'[providers.work]\ntype = "darkai"\nurl = "{url}"\nlimits = {json.dumps(limits)}\n'
    )


async def ask_asynchronously() -> str:
    events = [event async for event in darkai_cli.astream("hi")]
    return "".join(event.text for event in events if isinstance(event, TextChunk))


def test_sync_and_async_requests_are_counted_together():
    with FaultServer(reply(["fine"])) as server:
        configure(server.url, "2/h")
        assert darkai_cli.ask("hi") == "fine"
        assert asyncio.run(ask_asynchronously()) == "fine"
        with pytest.raises(RateLimitError, match="you can send again at"):
            darkai_cli.ask("hi")
        with pytest.raises(RateLimitError, match="you can send again at"):
            asyncio.run(ask_asynchronously())
        assert len(server.requests) == 2
