"""``Secret``, and masking keys in text: whole, cut off, encoded."""

from __future__ import annotations

import copy
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkai_cli import events, secrets
from darkai_cli.errors import AuthError, ConfigError
from darkai_cli.secrets import (
    Secret,
    format_origin,
    is_loopback,
    looks_like_key,
    mask,
    mask_known,
    secrets_in,
)

KEY = "sk-proj-AbCdEf0123456789"


@pytest.fixture(autouse=True)
def _nothing_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secrets, "_known", set())


def test_a_secret_shows_itself_nowhere():
    key = Secret(KEY, "OPENAI_API_KEY", "https://a.test")
    for screen in (repr(key), str(key), f"{key}", f"{key:>20}", f"{key!r}", repr([key])):
        assert KEY not in screen
        assert "***" in screen
    assert KEY not in key.fingerprint
    assert len(key.fingerprint) == 8
    for spread in (pickle.dumps, copy.deepcopy):
        with pytest.raises(TypeError):
            spread(key)


@pytest.mark.parametrize(
    "url",
    [
        "https://api.test",
        "https://API.test:443/v1?x=1",
        "https://api.test./v2#f",
        "HTTPS://api.test/",
    ],
)
def test_the_own_origin_gets_the_key(url: str):
    assert Secret(KEY, "X", "https://api.test/v1").reveal(url) == KEY


@pytest.mark.parametrize(
    "url",
    [
        "http://api.test/v1",
        "https://api.test:8443/v1",
        "https://evil.test/v1",
        "https://api.test.evil.test/v1",
        "https://api.test@evil.test/v1",
        "https://evil.test/?https://api.test",
        "https://evil.test#api.test",
        "https://[::1]/",
        "",
    ],
)
def test_another_origin_never_gets_the_key(url: str):
    with pytest.raises(ConfigError) as caught:
        Secret(KEY, "X", "https://api.test/v1").reveal(url)
    assert "https://api.test " in caught.value.message
    assert KEY not in caught.value.message


def test_a_key_bound_to_nothing_is_never_revealed():
    with pytest.raises(ConfigError):
        Secret(KEY, "X").reveal("https://a.test")


@pytest.mark.parametrize(
    ("url", "allowed", "goes"),
    [
        ("http://127.0.0.1:1/v1", False, True),
        ("http://localhost/v1", False, True),
        ("http://[::1]:5/v1", False, True),
        ("http://box.local/v1", False, False),
        ("http://192.168.0.9:8000", False, False),
        ("http://127.evil.test/", False, False),
        ("http://127.0.0.1.evil.test/", False, False),
        ("http://box.local/v1", True, True),
        ("https://box.local/v1", False, True),
    ],
)
def test_plain_http_takes_a_key_to_this_machine_only(url: str, allowed: bool, goes: bool):
    key = Secret(KEY, "X", url, plain_http=allowed)
    if goes:
        assert key.reveal(url) == KEY
    else:
        with pytest.raises(ConfigError, match="plain http") as caught:
            key.reveal(url)
        assert "allow_http_key" in (caught.value.hint or "")


def test_loopback_is_judged_by_the_whole_name():
    assert is_loopback("a.localhost")
    assert not is_loopback("localhost.evil.test")


def test_an_origin_is_shown_as_it_is_typed():
    assert format_origin("https://A.test:443/v1?k=1") == "https://a.test"
    assert format_origin("http://[::1]:8000/x") == "http://[::1]:8000"


def test_known_keys_are_hidden_also_encoded():
    key = "ab/cd+ef=gh-12"
    Secret(key, "X")
    Secret("short", "X")
    text = f"{key} ab\\/cd+ef=gh-12 ?k=ab%2Fcd%2Bef%3Dgh-12 ab%2fcd%2bef%3dgh-12 short"
    assert mask_known(text) == "*** *** ?k=*** *** short"


@pytest.mark.parametrize("word", ["ollama", "LM-Studio", "not-needed", "x"])
def test_a_placeholder_hides_nothing(word: str):
    Secret(word, "X", "http://localhost/v1")
    assert mask_known(f"ask {word} again") == f"ask {word} again"
    assert secrets_in({"authorization": f"Bearer {word}"}) in ((), (f"Bearer {word}",))


def test_a_longer_key_is_hidden_whole():
    Secret(KEY, "X")
    Secret(KEY + "-more", "X")
    assert mask_known(f"<{KEY}-more> <{KEY}>") == "<***> <***>"


@given(st.integers(0, len(KEY)), st.text("as-k", max_size=9))
def test_a_key_that_was_cut_off_is_hidden(length: int, before: str):
    screen = mask(f"{before} {KEY[:length]}… and …", [KEY])
    if length >= secrets.SHORTEST:
        assert screen == f"{before} ***… and …"
    else:
        assert screen == f"{before} {KEY[:length]}… and …"


def test_an_error_is_written_without_keys():
    Secret(KEY, "X")
    line = events.error_to_json(AuthError(f"no {KEY}", hint=f"try {KEY}"))
    assert (line["data"]["message"], line["data"]["hint"]) == ("no ***", "try ***")


@pytest.mark.parametrize(
    ("url", "masked"),
    [
        ("http://a/chat?api_key=SECRET", "http://a/chat?api_key=***"),
        ("http://a/?x=1&Access%5FToken=S&y=%20#f", "http://a/?x=1&Access%5FToken=***&y=%20#f"),
        ("http://a/?token=S=T?U&token=V", "http://a/?token=***&token=***"),
        ("http://a/?token=#k", "http://a/?token=#k"),
        ("http://a/key=1", "http://a/key=1"),
        ("http://a/?", "http://a/?"),
    ],
)
def test_secrets_in_a_url_are_not_shown(url: str, masked: str) -> None:
    assert secrets.mask_url(url) == masked


def test_secrets_of_a_url_are_hidden_where_they_turn_up() -> None:
    values = secrets.secrets_in(
        {"x-key": "from-header"}, "http://a/?q=visible&api_key=top%2Bsecret"
    )
    assert set(values) == {"from-header", "top%2Bsecret", "top+secret"}
    assert secrets.mask("it was top+secret", values) == "it was ***"


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        (KEY, True), ("gsk_0123456789abcdefgh", True), ("AIzaSyA0123456789abcdef", True),
        ("0123456789abcdef" * 3, True), ("claude-3-5-sonnet-20241022", False), ("openai", False),
        ("sk-short", False), ("01JD8Z5QK6M3T9V4W7X2Y1N0RB", False), ("tell me a sk-joke", False),
    ],
)  # fmt: skip
def test_what_looks_like_a_key(word: str, expected: bool) -> None:
    assert looks_like_key(word) is expected
