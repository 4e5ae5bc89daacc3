"""Which value wins, where it came from, and what a wrong one is told."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from darkai_cli.config import Config, paths
from darkai_cli.config.load import load
from darkai_cli.errors import ConfigError, DarkAIError, UsageError


@pytest.fixture
def user_file() -> Path:
    file = paths.config_file()
    file.parent.mkdir(parents=True, exist_ok=True)
    return file


def failure(**flags: object) -> DarkAIError:
    with pytest.raises(UsageError if flags else ConfigError) as caught:
        load(flags)
    assert caught.value.exit_code == (2 if flags else 3)
    assert caught.value.hint
    return caught.value


def test_without_any_file_everything_is_the_default() -> None:
    config = load()
    assert isinstance(config, Config)
    assert (config.provider, config.model, config.system) == ("darkai", None, None)
    assert (config.options, config.aliases, config.providers) == ({}, {}, {})
    assert (config.fallback, config.timeout, config.proxy, config.ca_file) == (None,) * 4
    assert (config.connect_timeout, config.retries, config.demo_delay) == (10, 2, 0.02)
    assert (config.theme, config.code_theme, config.reasoning) == ("auto",) * 3
    assert (config.plain, config.markdown) == (False, True)
    assert config.notices == ()
    assert not config.chosen("provider")
    assert config.origin("provider") == ("default", "")


def test_two_configs_share_no_tables() -> None:
    load({"options": {"a": 1}})
    assert load().options == {}


def test_every_key_can_stand_in_the_file(user_file: Path) -> None:
    user_file.write_text(
        """
provider = "work"
model = "m"
system = "two\\nlines"
options = { temperature = 0.5, stop = ["a"] }
fallback = ["work/m", "demo"]
timeout = 30
connect_timeout = 2.5
retries = 0
proxy = "http://user:secret@localhost:3128"
ca_file = "/etc/ca.pem"
demo_delay = 0
theme = "dark"
code_theme = "monokai"
reasoning = "hide"
plain = true
markdown = false
[aliases]
fast = "work/m"
[providers.work]
type = "darkai"
url = "http://localhost:1/chat"
model = "m"
models = ["m", "n"]
headers = { X-Team = "blue" }
"""
    )
    config = load()
    assert (config.provider, config.model, config.system) == ("work", "m", "two\nlines")
    assert config.options == {"temperature": 0.5, "stop": ["a"]}
    assert config.fallback == ("work/m", "demo")
    assert (config.timeout, config.connect_timeout, config.retries) == (30.0, 2.5, 0)
    assert isinstance(config.timeout, float)
    assert config.proxy == "http://user:secret@localhost:3128"
    assert (config.ca_file, config.demo_delay) == ("/etc/ca.pem", 0)
    assert (config.theme, config.code_theme, config.reasoning) == ("dark", "monokai", "hide")
    assert (config.plain, config.markdown) == (True, False)
    assert config.aliases == {"fast": "work/m"}
    assert {name: table.settings() for name, table in config.providers.items()} == {
        "work": {
            "type": "darkai",
            "url": "http://localhost:1/chat",
            "model": "m",
            "models": ("m", "n"),
            "headers": {"X-Team": "blue"},
        }
    }


def test_flag_over_environment_over_project_over_user_over_default(
    user_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = Path.cwd() / ".darkai.toml"
    seen = [(load().theme, *load().origin("theme"))]
    user_file.write_text('\n\ntheme = "dark"\n')
    seen.append((load().theme, *load().origin("theme")))
    project.write_text('# first\ntheme = "light"\n')
    seen.append((load().theme, *load().origin("theme")))
    monkeypatch.setenv("DARKAI_THEME", "auto")
    seen.append((load().theme, *load().origin("theme")))
    config = load({"theme": "dark"})
    seen.append((config.theme, *config.origin("theme")))
    assert seen == [
        ("auto", "default", ""),
        ("dark", "user", f"{user_file}"),
        ("light", "project", f"{project}"),
        ("auto", "environment", "DARKAI_THEME"),
        ("dark", "flag", "--theme"),
    ]
    assert config.chosen("theme")


def test_a_value_that_equals_the_default_is_chosen_all_the_same(user_file: Path) -> None:
    user_file.write_text('provider = "darkai"\n')
    assert load().chosen("provider")


def test_an_empty_fallback_is_not_an_unset_one(user_file: Path) -> None:
    user_file.write_text("fallback = []\n")
    config = load()
    assert config.fallback == ()
    assert config.chosen("fallback")


def test_a_flag_may_have_its_value_in_any_form() -> None:
    assert load({"fallback": ("a", "b")}).fallback == ("a", "b")
    assert load({"fallback": "a,b"}).fallback == ("a", "b")
    assert load({"timeout": 5}).timeout == load({"timeout": "5"}).timeout == 5


def test_an_empty_proxy_means_none(user_file: Path) -> None:
    user_file.write_text('proxy = "http://localhost:1"\n')
    assert load({"proxy": ""}).proxy == ""


def test_the_url_variable_belongs_to_the_darkai_provider(user_file: Path) -> None:
    user_file.write_text('[providers.darkai]\nurl = "http://a/"\nmodel = "m"\n')
    config = load(environ={**os.environ, "DARKAI_URL": " https://b:8080/chat\n"})
    assert config.providers["darkai"].settings() == {"url": "https://b:8080/chat", "model": "m"}
    assert config.origin("providers.darkai.url") == ("environment", "DARKAI_URL")
    assert config.origin("providers.darkai.model") == ("user", f"{user_file}")
    assert config.origin("providers.darkai.models") == ("default", "")
    assert config.chosen("providers.darkai")
    assert not config.chosen("providers.other.url")


def test_tables_are_merged_entry_by_entry(user_file: Path) -> None:
    user_file.write_text('[options]\na = 1\nb = 2\n[aliases]\n"gpt-4.1" = "x"\n')
    config = load({"options": {"b": 3, "c": {"d": 4}}})
    assert config.options == {"a": 1, "b": 3, "c": {"d": 4}}
    assert config.origin("options.a") == ("user", f"{user_file}")
    assert config.origin("options.b") == ("flag", "--options")
    assert config.origin("options") == ("flag", "--options")
    assert config.origin("aliases.gpt-4.1") == ("user", f"{user_file}")
    assert config.origin("aliases.none") == ("default", "")


@pytest.mark.parametrize(
    ("variable", "text", "key", "value"),
    [
        ("DARKAI_TIMEOUT", " 1.5 ", "timeout", 1.5),
        ("DARKAI_RETRIES", "10", "retries", 10),
        ("DARKAI_SYSTEM", " as it is ", "system", " as it is "),
        ("DARKAI_FALLBACK", "demo, work/m ,", "fallback", ("demo", "work/m")),
        ("DARKAI_FALLBACK", '["a,b"]', "fallback", ("a,b",)),
        (
            "DARKAI_OPTIONS",
            "temperature = 0.2, seed = 7",
            "options",
            {"temperature": 0.2, "seed": 7},
        ),
        ("DARKAI_OPTIONS", '{"a": [null]}', "options", {"a": [None]}),
        *[("DARKAI_PLAIN", text, "plain", True) for text in ("1", "true", "YES", "on ")],
        *[("DARKAI_MARKDOWN", text, "markdown", False) for text in ("0", "False", "no", "off")],
    ],
)
def test_environment(variable: str, text: str, key: str, value: object) -> None:
    config = load(environ={**os.environ, variable: text})
    assert getattr(config, key) == value
    assert type(getattr(config, key)) is type(value)


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("DARKAI_TIMEOUT", "soon"),
        ("DARKAI_TIMEOUT", "nan"),
        ("DARKAI_TIMEOUT", "9" * 5000),
        ("DARKAI_RETRIES", "11"),
        ("DARKAI_PLAIN", "maybe"),
        ("DARKAI_THEME", "blue"),
        ("DARKAI_OPTIONS", "temperature"),
        ("DARKAI_OPTIONS", "a = 1}\nb = {"),
        ("DARKAI_MODEL", " "),
        ("DARKAI_MODEL", "a\x1b[2J"),
        ("DARKAI_SYSTEM", "\udcff"),
        ("DARKAI_PROXY", "ftp://localhost"),
        ("DARKAI_URL", "localhost:8000"),
    ],
)
def test_a_wrong_variable_is_named(variable: str, text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(environ={**os.environ, variable: text})
    assert caught.value.message.startswith(f"`{variable}` ")
    assert len(caught.value.message) < 200
    assert variable in (caught.value.hint or "")


def test_variables_that_are_no_keys_are_none_of_ours() -> None:
    load(environ={**os.environ, "DARKAI_WHATEVER": "x", "DARKAI_ALIASES": "x"})


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ('model = "m"\nmodle = "m"\n', "Unknown key `modle`"),
        ('[providers.a]\nurl = "http://a"\n\nulr = "x"\n', "Unknown key `providers.a.ulr`"),
        ("# c\ntimeout = 0\n", "`timeout` must be a number of seconds above 0"),
        (f"timeout = 1{'0' * 400}\n", "a number of that size"),
        ('timeout = "60"\n', "not text"),
        ("timeout = true\n", "not true or false"),
        ("retries = 1.0\n", "whole number"),
        ("plain = 1\n", "must be true or false"),
        ("model = 1979-05-27\n", "not a date or time"),
        ('theme = "blue"\n', "auto, light, dark"),
        ('fallback = "demo"\n', "must be a list"),
        ("\naliases = 5\n", "`aliases` must be a table"),
        ('[providers]\n"a/b" = {}\n', "can't be the name of a provider"),
        ("[options]\na = 1979-05-27\n", "JSON"),
        ("[aliases]\ngpt-4.1 = 'x'\n", "must be text"),
        ('[providers.a]\nheaders = { "X Y" = "z" }\n', "an invalid header name"),
        ('[providers.a]\nheaders = { A = "b\\r\\nc: d" }\n', "one line of ASCII"),
    ],
)
def test_a_wrong_file_is_named(user_file: Path, text: str, what: str) -> None:
    user_file.write_text(text)
    error = failure()
    assert f"`{user_file}`" in error.message
    assert what in error.message
    assert "`" in (error.hint or "") or "Valid keys" in (error.hint or "")


def test_a_dot_in_a_name_needs_quotes(user_file: Path) -> None:
    user_file.write_text("[aliases]\ngpt-4.1 = 'x'\n")
    assert '`"gpt-4.1" = ' in (failure().hint or "")


def test_the_nearest_key_is_offered(user_file: Path) -> None:
    user_file.write_text("conect_timeout = 1\n")
    assert "Did you mean `connect_timeout`?" in (failure().hint or "")
    user_file.write_text('[providers.a]\nurls = "x"\n')
    assert "Did you mean `url`?" in (failure().hint or "")
    user_file.write_text("zzzzzz = 1\n")
    assert "Valid keys: provider, model" in (failure().hint or "")


@pytest.mark.parametrize(
    ("data", "line", "what"),
    [
        (b"a = 1\nb = \n", 2, "Invalid value"),
        (b"a = 1\na = 2\n", 2, "Cannot overwrite a value"),
        (b"a = 1\n# caf\xe9\n", 2, "not UTF-8"),
        (b"retries = " + b"9" * 6000, 1, "not valid TOML"),
        (b"options = { a = " + b"[" * 50000, None, "nested too deeply"),
    ],
)
def test_what_is_no_toml_is_named_with_the_line(
    user_file: Path, data: bytes, line: int | None, what: str
) -> None:
    user_file.write_bytes(data)
    error = failure()
    place = f"{user_file}:{line}" if line else f"{user_file}"
    assert error.message.startswith(f"`{place}` ")
    assert what in error.message


def test_a_byte_order_mark_and_crlf_are_read(user_file: Path) -> None:
    user_file.write_bytes(b'\xef\xbb\xbfmodel = "m"\r\nretries = 99\r\n')
    assert failure().message.startswith("`retries` must be")


def test_what_is_no_file_is_told(user_file: Path) -> None:
    user_file.mkdir()
    assert f"Can't read `{user_file}`: not a regular file" in failure().message
    user_file.rmdir()
    os.mkfifo(user_file)  # must not be waited for
    assert f"Can't read `{user_file}`: not a regular file" in failure().message
    user_file.unlink()
    user_file.write_bytes(b"#" * (1 << 20) + b"\n")
    assert "larger than 1 MiB" in failure().message


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_an_unreadable_file_is_told(user_file: Path) -> None:
    user_file.write_text("")
    user_file.chmod(0)
    assert "permission denied" in failure().message


@pytest.mark.parametrize(
    ("url", "rule"),
    [
        ("localhost:8000", "must start with http:// or https://, not `localhost:8000`"),
        ("", "must start with http:// or https://"),
        ("http://", "has no host"),
        ("http://a:99999/", "must have a port from 1 to 65535"),
        ("http://a:x/", "must have a port from 1 to 65535"),
        ("http://a b/", "must not contain spaces"),
        ("http://a\\b/", "must not contain spaces"),
        ("http://a]b/", "has an invalid host"),
    ],
)
def test_a_wrong_base_url(url: str, rule: str) -> None:
    error = failure(**{"providers.darkai.url": url})
    assert error.message.startswith("`--url` ")
    assert rule in error.message


@pytest.mark.parametrize("url", ["HTTP://a", "https://[::1]:80/x?y=1@2", "http://a:8/b@c"])
def test_a_good_base_url(url: str) -> None:
    assert load({"providers.darkai.url": url}).providers["darkai"].url == url


@pytest.mark.parametrize(
    "url", ["http://user:pass@a/", "https://user@a", "user:pass@a", "http://a\\@b:pass@c/"]
)
def test_a_user_name_in_a_url_is_refused_and_not_repeated(url: str) -> None:
    error = failure(**{"providers.darkai.url": url})
    assert "must not contain a user name" in error.message
    assert "pass@" not in error.message + (error.hint or "")


def test_a_wrong_proxy_is_not_repeated(user_file: Path) -> None:
    for proxy in ("ftp://u:secret@a", "http://u:secret@a b"):
        user_file.write_text(f'proxy = "{proxy}"\n')
        error = failure()
        assert "secret" not in error.message + (error.hint or "")


def test_ca_file_is_relative_to_the_file_that_names_it(
    user_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    user_file.write_text('ca_file = "sub/ca.pem"\n')
    assert load().ca_file == str(user_file.parent / "sub" / "ca.pem")
    user_file.write_text('ca_file = "~/ca.pem"\n')
    assert load().ca_file == str(Path.home() / "ca.pem")
    assert load({"ca_file": "ca.pem"}).ca_file == "ca.pem"


def test_a_flag_that_is_no_key_is_told() -> None:
    assert "Unknown key `modle` in `--modle`" in failure(modle="x").message
    assert "Unknown key" in failure(aliases={"a": "b"}).message
    assert failure(timeout=-1.0).message.startswith("`--timeout` ")
