"""Every dialect against its wire cases: what is sent, and what the bytes that come back mean.

A case is a data file, ``cases/DIALECT/NAME.json``. Each of its parts may be left out:

- ``settings``: fields of ``ProviderSettings`` (``quirks`` is a table, ``key`` a text)
- ``chat``: ``messages`` (``[role, content]``, or a table of the fields of ``Message``: ``images`` have
  ``media_type`` and base64 ``data``, ``calls`` are ``[id, name, arguments]``), ``model``, ``options``,
  ``tools``
- ``request``: ``url``, ``headers`` (null: it is not sent), ``body``; or ``request_error``
- ``response``: ``status``, ``headers``, ``body``; with it ``events``, ``error``, ``drain_seconds``. The same
  events must come however the bytes are cut.
- ``amend``: ``message``, and the ``body`` that is sent then (null: nothing is sent again)
- ``models_request``: ``page``, ``url``, ``headers``; or ``error`` (null: there is no list)
- ``models``: ``payload``; ``found``, a list of the fields of ``ModelInfo`` that are not their default, and
  ``page``; or ``error``
"""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkai_cli import events
from darkai_cli.errors import DarkAIError, ProviderError
from darkai_cli.messages import Call, ChatRequest, Image, Message, ToolSpec
from darkai_cli.providers.base import HttpRequest, ModelInfo, ProviderSettings, Quirks
from darkai_cli.providers.client import ReplyReader, amended
from darkai_cli.providers.connect import dialect_of
from darkai_cli.providers.settings import DIALECTS
from darkai_cli.secrets import Secret

CASES = sorted((Path(__file__).parent / "cases").glob("*/*.json"))
LONG = 2000
"""Bodies longer than this are not cut at every byte, only at some."""

URLS = {
    "darkai": "http://service.test/chat",
    "gemini": "https://service.test/v1beta",
    "ollama": "http://service.test",
}
HI = {"messages": [["user", "Hi"]], "model": "llama-3-70b"}


def load(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text("utf-8"))


def with_part(part: str) -> Any:
    """Run a test for each case that has the part."""
    paths = [path for path in CASES if part in load(path)]
    return pytest.mark.parametrize(
        "path", paths, ids=[f"{path.parent.name}-{path.stem}" for path in paths]
    )


def settings_for(path: Path, case: Mapping[str, Any]) -> ProviderSettings:
    kind = path.parent.name
    fields = {
        "name": kind,
        "type": kind,
        "url": URLS.get(kind, "https://service.test/v1"),
        "default_model": "llama-3-70b",
        **case.get("settings", {}),
    }
    key = fields.pop("key", None)
    for name in ("models", "key_env"):
        fields[name] = tuple(fields.get(name, ()))
    fields["quirks"] = Quirks(**fields.get("quirks", {}))
    settings = ProviderSettings(**fields)
    return settings if key is None else settings._replace(key=Secret(key, "SOME_KEY", settings.url))


def message_for(given: Any) -> Message:
    if isinstance(given, list):
        return Message(*given)
    images = tuple(
        Image(item["media_type"], b64decode(item["data"]), item.get("name", ""))
        for item in given.get("images", ())
    )
    calls = tuple(Call(*item) for item in given.get("calls", ()))
    rest = {name: given[name] for name in ("call_id", "name") if name in given}
    return Message(given["role"], given.get("content", ""), images, calls, **rest)


def chat_for(case: Mapping[str, Any]) -> ChatRequest:
    chat = {**HI, **case.get("chat", {})}
    return ChatRequest(
        tuple(message_for(item) for item in chat["messages"]),
        chat["model"],
        chat.get("options", {}),
        tuple(ToolSpec(**item) for item in chat.get("tools", ())),
    )


def decode(
    settings: ProviderSettings, case: Mapping[str, Any], pieces: Iterable[bytes]
) -> tuple[list[Any], Any, ReplyReader]:
    """The events that the pieces give, the error that ended them, and the reader itself."""
    reader = ReplyReader(dialect_of(settings), settings, chat_for(case))
    response = case["response"]
    seen: list[events.Event] = []
    error = None
    headers = response.get("headers", {"content-type": "text/event-stream"})
    try:
        if response.get("status", 200) != 200:
            request = HttpRequest(settings.url, {}, b"")
            raise reader.refusal(response["status"], headers, b"".join(pieces), request)
        for piece in pieces:
            seen.extend(reader.feed(piece))
            if reader.ended:
                break
        seen.extend(reader.finish(headers))
    except ProviderError as exc:
        error = exc
    return [events.to_json(event) for event in seen], error, reader


def check_error(wanted: Mapping[str, Any] | None, error: DarkAIError | None) -> None:
    assert (error is None) == (wanted is None), error
    if wanted is not None and error is not None:
        assert wanted["contains"] in error.message
        assert (error.kind, error.exit_code) == (wanted["kind"], wanted["exit_code"])
        assert error.retryable == wanted.get("retryable", error.retryable)
        assert wanted.get("hint", "") in (error.hint or "")


def check(path: Path, case: Mapping[str, Any], pieces: Iterable[bytes]) -> None:
    seen, error, reader = decode(settings_for(path, case), case, pieces)
    assert seen == case["events"]
    check_error(case.get("error"), error)
    assert reader.drain_seconds == case.get("drain_seconds", reader.drain_seconds)
    assert reader.ended == case.get("ended", reader.ended)


def body_of(case: Mapping[str, Any]) -> bytes:
    return case["response"]["body"].encode("utf-8", "surrogatepass")


@with_part("response")
def test_reply(path: Path) -> None:
    case = load(path)
    body = body_of(case)
    check(path, case, [body])
    if len(body) <= LONG:
        check(path, case, [body[i : i + 1] for i in range(len(body))])
        for cut in range(1, len(body)):
            check(path, case, [body[:cut], body[cut:]])
    else:
        check(path, case, [body[i : i + 1021] for i in range(0, len(body), 1021)])


def check_request(wanted: Mapping[str, Any], request: HttpRequest) -> None:
    assert (request.method, request.url) == (wanted.get("method", "POST"), wanted["url"])
    if "body" in wanted:
        assert json.loads(request.body) == wanted["body"]
    for name, value in wanted.get("headers", {}).items():
        assert request.headers.get(name) == value


@with_part("request")
def test_request(path: Path) -> None:
    case = load(path)
    settings = settings_for(path, case)
    check_request(case["request"], dialect_of(settings).request(chat_for(case), settings))


@with_part("request_error")
def test_request_that_is_refused(path: Path) -> None:
    case = load(path)
    settings = settings_for(path, case)
    with pytest.raises(DarkAIError) as caught:
        dialect_of(settings).request(chat_for(case), settings)
    check_error(case["request_error"], caught.value)


@with_part("amend")
def test_request_sent_again(path: Path) -> None:
    case = load(path)
    settings, chat, dialect = settings_for(path, case), chat_for(case), None
    dialect = dialect_of(settings)
    request = dialect.request(chat, settings)
    chosen = [*settings.options, *chat.options]
    changed = amended(dialect, request, chosen, case["amend"]["message"])
    assert (None if changed is None else json.loads(changed.body)) == case["amend"]["body"]
    if changed is not None:
        assert changed._replace(body=b"") == request._replace(body=b"")


@with_part("models_request")
def test_models_request(path: Path) -> None:
    case = load(path)
    settings = settings_for(path, case)
    wanted = case["models_request"]
    if wanted and "error" in wanted:
        with pytest.raises(DarkAIError) as caught:
            dialect_of(settings).models_request(settings)
        check_error(wanted["error"], caught.value)
        return
    request = dialect_of(settings).models_request(settings, (wanted or {}).get("page", ""))
    if wanted is None:
        assert request is None
    else:
        assert request is not None
        check_request({"method": "GET", **wanted}, request)


@with_part("models")
def test_models(path: Path) -> None:
    case = load(path)
    wanted = case["models"]
    dialect = dialect_of(settings_for(path, case))
    if "error" in wanted:
        with pytest.raises(ProviderError) as caught:
            dialect.models(wanted["payload"])
        check_error(wanted["error"], caught.value)
        return
    models, page = dialect.models(wanted["payload"])
    rows = [
        {name: value for name, value in item._asdict().items() if value != default[name]}
        for item in models
    ]
    assert json.loads(json.dumps(rows)) == wanted["rows"]
    assert page == wanted.get("page", "")


default = ModelInfo("")._asdict()

# --- bytes that nobody thought of -----------------------------------------------------------------

NAMES: Mapping[str, str] = {
    "darkai": "event data text error detail message results url title",
    "openai": "choices delta message index content reasoning reasoning_content reasoning_details refusal "
    "finish_reason tool_calls function function_call id name arguments usage prompt_tokens error object code "
    "type text annotations url_citation url citations search_results timings metadata raw detail",
    "openai-responses": "type delta text item id call_id name arguments response status error code message "
    "usage incomplete_details reason output content annotation url input_tokens item_id",
    "anthropic": "type message usage content_block delta index text thinking partial_json stop_reason error "
    "id name input input_tokens citation url",
    "gemini": "candidates content parts text thought functionCall name args finishReason index usageMetadata "
    "promptTokenCount error code message status promptFeedback blockReason groundingMetadata",
    "ollama": "message content thinking tool_calls function name arguments done done_reason error "
    "prompt_eval_count eval_count",
}
"""The fields of each dialect's frames."""

WORDS: Mapping[str, str] = {
    "darkai": "text-chunk error stream-end final-response search-results",
    "openai": "stop length tool_calls content_filter error <think> </think> <thi function f {} url_citation",
    "openai-responses": "response.output_text.delta response.completed response.failed response.incomplete "
    "response.refusal.delta response.output_item.added response.output_item.done function_call error "
    "response.function_call_arguments.delta response.function_call_arguments.done "
    "response.reasoning_summary_text.delta response.output_text.annotation.added max_output_tokens",
    "anthropic": "message_start content_block_start content_block_delta content_block_stop message_delta "
    "message_stop text_delta thinking_delta input_json_delta text thinking tool_use end_turn error ping",
    "gemini": "STOP MAX_TOKENS SAFETY UNAVAILABLE MALFORMED_FUNCTION_CALL",
    "ollama": "stop length load tool",
}
"""What may stand in them."""

USUAL: Mapping[str, Any] = {
    "openai": {"choices": [{"index": 0, "delta": {"content": "x"}, "finish_reason": None}]},
    "openai-responses": {"type": "response.output_text.delta", "delta": "x"},
    "darkai": {"event": "text-chunk", "data": {"text": "x"}},
    "anthropic": {
        "type": "content_block_delta",
        "index": 0,
        "delta": {"type": "text_delta", "text": "x"},
    },
    "gemini": {"candidates": [{"content": {"parts": [{"text": "x"}]}}]},
    "ollama": {"message": {"role": "assistant", "content": "x"}, "done": False},
}
"""A good frame of each."""


def bodies(kind: str) -> st.SearchStrategy[bytes]:
    """Bodies that resemble the dialect's, and are wrong somewhere."""
    words = st.sampled_from(WORDS[kind].split())
    names = st.sampled_from(NAMES[kind].split())
    value = st.recursive(
        st.none() | st.booleans() | st.integers(-1, 3) | st.floats() | st.text(max_size=5) | words,
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(names, inner | words, max_size=4)
        ),
        max_leaves=8,
    )
    usual = st.just(USUAL[kind])
    changed = st.builds(lambda name, other: {**USUAL[kind], name: other}, names, value)
    inner = st.builds(lambda name, other: replaced(USUAL[kind], name, other), names, value)
    head = st.sampled_from([b"data: ", b"data:", b"event: error\ndata: ", b""])
    frame = st.builds(
        lambda head, value: head + json.dumps(value).encode() + b"\n",
        head,
        usual | changed | inner | value,
    )
    odd = st.binary(max_size=40) | st.sampled_from(
        [
            b"data: ",
            b"event: error",
            b"data: [DONE]\n\n",
            b": ping",
            b"data: {",
            b"error: {}",
            b"\r",
        ]
    )
    return st.lists(frame | frame | odd, max_size=12).map(b"\n".join)


def replaced(value: Any, name: str, other: Any) -> Any:
    """``value`` with the field set in each object that has it, or in its innermost ones."""
    if isinstance(value, list):
        return [replaced(item, name, other) for item in value]
    if not isinstance(value, dict):
        return value
    inner = any(isinstance(item, (dict, list)) for item in value.values())
    copy = {key: replaced(item, name, other) for key, item in value.items()}
    return {**copy, name: other} if name in value or not inner else copy


def joined(seen: Iterable[Any]) -> Iterator[Any]:
    """Events that tell replies apart."""
    return (json.dumps(item) for item in seen)


@pytest.mark.parametrize("kind", sorted(set(DIALECTS) - {"demo"}))
@given(data=st.data())
def test_no_bytes_break_a_decoder(kind: str, data: Any) -> None:
    """Whatever comes, however it is cut, it ends in events or in a ``ProviderError``, in order."""
    body = data.draw(bodies(kind))
    cut = data.draw(st.integers(0, len(body)))
    case = {"response": {}}
    settings = settings_for(Path(kind) / "generated.json", case)
    seen, error, _ = decode(settings, case, [body])
    names = [event["event"] for event in seen]
    begun = [name for name in names if name != "notice"]
    assert begun[:1] in ([], ["stream-start"])
    assert names.count("stream-start") <= 1
    assert ("stream-end" in names[-1:]) == (error is None)
    assert names.count("stream-end") <= 1
    assert not any(event["data"].get("text") == "" for event in seen)
    again, same, _ = decode(settings, case, [body[:cut], body[cut:]])
    assert list(joined(again)) == list(joined(seen))
    assert (same and same.message) == (error and error.message)
