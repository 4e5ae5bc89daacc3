"""Which of several keys is used, where it may go, and what makes a key unusable."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.isolation import write_config

from darkai_cli.config import paths, trust
from darkai_cli.config.keys import file as stored
from darkai_cli.config.keys import lookup
from darkai_cli.config.load import load
from darkai_cli.errors import AuthError, ConfigError
from darkai_cli.providers import connect, resolve
from darkai_cli.providers.settings import settings_of
from darkai_cli.secrets import Secret

KEY = "sk-environment-123456"
STORED = "sk-stored-1234567890"


def find_key(name: str = "openai", **environ: str) -> Secret | None:
    config = load(environ={"DARKAI_HOME": str(paths.config_dir()), **environ})
    settings = settings_of(config, name)
    home = {"DARKAI_HOME": str(paths.config_dir()), **environ}
    return lookup.find(config, connect.key_query(settings, config), home)


def test_without_any_source_there_is_no_key():
    assert find_key() is None


def test_each_source_wins_over_the_next(tmp_path: Path):
    stored.put("openai", "https://api.openai.com/v1", STORED)
    key = find_key()
    assert (key and key.source) == "keys.toml"
    write_config("[providers.openai]\nkey_command = 'echo sk-printed-123456'\n")
    key = find_key()
    assert key is not None
    assert key.source == "`key_command`"
    assert key.reveal("https://api.openai.com/v1") == "sk-printed-123456"
    key = find_key(OPENAI_API_KEY=KEY)
    assert (key and key.source) == "OPENAI_API_KEY"


def test_the_first_variable_that_is_set_counts():
    key = find_key("gemini", GEMINI_API_KEY=" ", GOOGLE_API_KEY=KEY)
    assert (key and key.source) == "GOOGLE_API_KEY"
    key = find_key("gemini", GEMINI_API_KEY=KEY, GOOGLE_API_KEY="sk-other-123456")
    assert (key and key.source) == "GEMINI_API_KEY"


def test_key_env_replaces_the_usual_variable():
    write_config('[providers.openai]\nkey_env = "MINE"\n')
    assert find_key(OPENAI_API_KEY=KEY) is None
    key = find_key(MINE=KEY)
    assert (key and key.source) == "MINE"


@pytest.mark.parametrize("value", ["", " ", "\n", "\t \r\n"])
def test_an_empty_variable_counts_as_not_set(value: str):
    stored.put("openai", "https://api.openai.com/v1", STORED)
    key = find_key(OPENAI_API_KEY=value)
    assert (key and key.source) == "keys.toml"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("sk one two-345678", "a space"),
        ("sk-one-123456\nsk-two", "more than one line"),
        ("sk-schlüssel-12345", "not ASCII"),
        ("sk-\x1b[31m-12345678", "a control character"),
        ("k" * 8193, "longer than 8192 characters"),
    ],
)
def test_a_value_that_is_no_key_is_an_error_of_its_source(value: str, text: str):
    with pytest.raises(AuthError, match="OPENAI_API_KEY") as caught:
        find_key(OPENAI_API_KEY=value)
    assert text in caught.value.message
    assert caught.value.exit_code == 4
    assert value not in caught.value.message


# --- a provider that was moved --------------------------------------------------------------------

MOVED = '[providers.openai]\nurl = "{}"\n'


@pytest.mark.parametrize(
    "url", ["https://elsewhere.test/v1", "http://api.openai.com/v1", "http://127.0.0.1:9/v1"]
)
def test_the_usual_variable_stays_with_the_built_in_address(url: str):
    write_config(MOVED.format(url))
    assert find_key(OPENAI_API_KEY=KEY) is None
    config = load()
    environ = {"OPENAI_API_KEY": KEY}
    assert connect.with_key(settings_of(config, "openai"), config, environ).key is None


@pytest.mark.parametrize("url", ["https://api.openai.com/v2/", "https://API.openai.com:443/v1"])
def test_another_path_at_the_same_address_is_no_move(url: str):
    write_config(MOVED.format(url))
    key = find_key(OPENAI_API_KEY=KEY)
    assert key is not None
    assert key.reveal(url) == KEY


def test_no_error_advises_a_variable_that_does_not_count():
    config = load()
    environ = {"OPENAI_API_KEY": KEY}
    settings = settings_of(config, "openai")
    assert connect.with_key(settings, config, environ).key_env == ("OPENAI_API_KEY",)
    write_config(MOVED.format("https://elsewhere.test/v1"))
    config = load()
    settings = settings_of(config, "openai")
    assert connect.with_key(settings, config, environ).key_env == ()


def test_the_users_own_table_sends_a_key_elsewhere():
    url = "https://elsewhere.test/v1"
    write_config(MOVED.format(url) + 'key_env = "OPENAI_API_KEY"\n')
    key = find_key(OPENAI_API_KEY=KEY)
    assert key is not None
    assert key.reveal(url) == KEY
    with pytest.raises(ConfigError):
        key.reveal("https://api.openai.com/v1")
    write_config(MOVED.format(url) + "key_command = 'echo sk-printed-123456'\n")
    key = find_key(OPENAI_API_KEY=KEY)
    assert (key and key.source) == "`key_command`"


def test_a_stored_key_stays_with_the_address_it_was_stored_for():
    stored.put("openai", "https://api.openai.com/v1", STORED)
    write_config(MOVED.format("https://elsewhere.test/v1"))
    assert find_key() is None
    stored.put("openai", "https://elsewhere.test/v1", STORED)
    assert find_key() is not None
    write_config("")
    assert find_key() is None


# --- plain http -----------------------------------------------------------------------------------


def test_a_key_goes_over_plain_http_only_by_the_users_own_word():
    table = '[providers.work]\ntype = "openai"\nurl = "http://box.test/v1"\nkey_env = "WORK"\n'
    write_config(table)
    key = find_key("work", WORK=KEY)
    assert key is not None
    with pytest.raises(ConfigError, match="plain http"):
        key.reveal("http://box.test/v1")
    write_config(table + "allow_http_key = true\n")
    key = find_key("work", WORK=KEY)
    assert key is not None
    assert key.reveal("http://box.test/v1") == KEY


def test_the_users_own_header_obeys_the_same_rule():
    table = '[providers.work]\ntype = "openai"\nurl = "http://box.test/v1"\n'
    table += 'headers = { Authorization = "Bearer sk-header-123456" }\n'
    write_config(table)
    config = load()
    with pytest.raises(ConfigError, match=r"header `Authorization`.*plain http") as caught:
        connect.with_key(settings_of(config, "work"), config, {})
    assert "sk-header" not in caught.value.message
    write_config(table.replace("[providers.work]", "[providers.work]\nallow_http_key = true"))
    config = load()
    connect.with_key(settings_of(config, "work"), config, {})


# --- a project's file -----------------------------------------------------------------------------


def project(text: str, *, trusted: bool) -> None:
    file = Path(".darkai.toml")
    file.write_text(text)
    if trusted:
        trust.record(file.absolute(), file.read_bytes())


@pytest.mark.parametrize(
    "line",
    [
        'url = "http://127.0.0.1:1/v1"',
        'key_env = "HOME"',
        "key_command = 'touch planted'",
        "allow_http_key = true",
        'headers = { Authorization = "Bearer x" }',
        'type = "darkai"',
    ],
)
def test_a_project_file_sets_nothing_of_a_provider(line: str):
    project(f"[providers.openai]\n{line}\n", trusted=False)
    config = load()
    assert "openai" not in config.providers
    assert any("Ignoring `providers`" in notice for notice in config.notices)
    key = find_key(OPENAI_API_KEY=KEY)
    assert (key and key.source) == "OPENAI_API_KEY"
    assert not Path("planted").exists()


def test_a_trusted_project_that_moves_a_provider_does_not_get_the_users_keys():
    write_config("[providers.work]\ntype = 'openai'\nurl = 'https://w.test'\nkey_env = 'WORK'\n")
    stored.put("work", "https://w.test", STORED)
    project("[providers.work]\nurl = 'https://evil.test'\n", trusted=True)
    assert load().providers["work"].url == "https://evil.test"
    assert find_key("work", WORK=KEY) is None
    write_config(
        "[providers.work]\ntype = 'openai'\nurl = 'https://w.test'\nkey_command = 'touch planted'\n"
    )
    assert find_key("work") is None
    assert not Path("planted").exists()


def test_a_trusted_project_that_moves_a_provider_does_not_get_the_users_header():
    table = "[providers.work]\ntype = 'openai'\nurl = '{}'\n"
    header = "headers = { Authorization = 'Bearer sk-header-123456' }\n"
    write_config(table.format("https://w.test") + header)
    project(table.format("https://evil.test"), trusted=True)
    config = load()
    with pytest.raises(ConfigError, match=r"is not sent to https://evil\.test"):
        connect.with_key(settings_of(config, "work"), config, {})
    project(table.format("https://own.test") + header, trusted=True)
    config = load()
    connect.with_key(settings_of(config, "work"), config, {})


def test_a_proxy_elsewhere_does_not_see_a_key_in_plain():
    write_config(
        "[providers.work]\ntype = 'openai'\nurl = 'http://127.0.0.1:9/v1'\nkey_env = 'WORK'\n"
    )
    for proxy, passes in (
        ("http://p.test:3128", False),
        ("socks5://127.0.0.1:1", True),
        ("", True),
    ):
        config = load({"provider": "work", "model": "m", "proxy": proxy})
        target = resolve.resolve(config)
        if passes:
            connect.client_for(target, config, {"WORK": KEY})
        else:
            with pytest.raises(ConfigError, match=r"to the proxy p\.test"):
                connect.client_for(target, config, {"WORK": KEY})


def test_a_trusted_project_cannot_allow_plain_http():
    write_config("[providers.work]\ntype = 'openai'\nurl = 'http://w.test'\nkey_env = 'WORK'\n")
    project("[providers.work]\nallow_http_key = true\n", trusted=True)
    assert load().providers["work"].allow_http_key
    key = find_key("work", WORK=KEY)
    assert key is not None
    with pytest.raises(ConfigError, match="plain http"):
        key.reveal("http://w.test")
