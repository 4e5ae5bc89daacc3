"""The table of keys, and the page and the template that are made from it."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from support.isolation import ROOT

from darkai_cli import secrets
from darkai_cli.config import paths, schema, values
from darkai_cli.config.config import Config, ProviderConfig
from darkai_cli.config.load import load


def test_the_reference_page_is_up_to_date() -> None:
    page = (ROOT / "docs" / "reference" / "config.md").read_text()
    assert page == schema.reference(), "write schema.reference() to docs/reference/config.md"


def test_the_reference_page_names_every_key() -> None:
    page = schema.reference()
    for key in schema.KEYS.values():
        assert f"| `{key.name}` | `{key.variable}` |" in page
    for name in schema.PROVIDER_KEYS:
        assert f"| `{name}` |" in page


def test_the_template_sets_nothing_and_every_line_of_it_works() -> None:
    text = schema.template()
    assert tomllib.loads(text) == {}
    paths.config_dir().mkdir()
    bare = [line[2:] if line.startswith(("# [", "# ")) and ("=" in line or "[" in line) else ""
            for line in text.splitlines()]  # fmt: skip
    paths.config_file().write_text("\n".join(bare))
    config = load()
    for name in schema.KEYS:
        assert config.chosen(name), name
    for name in schema.PROVIDER_KEYS:
        assert config.chosen(f"providers.darkai.{name}"), name
    assert config.chosen("aliases.fast")


def test_every_default_and_example_passes_its_own_check() -> None:
    for key in (*schema.KEYS.values(), *schema.PROVIDER_KEYS.values(), schema.ALIAS, schema.OPTION):
        values.check(key, tomllib.loads(f"x = {key.example}")["x"])
        if key.default is not None:
            assert values.check(key, key.default) == key.default


def test_the_config_has_an_attribute_for_each_key() -> None:
    hints = set(Config.__annotations__) - {"aliases", "providers", "notices"}
    assert hints == set(schema.KEYS)
    assert set(ProviderConfig.__annotations__) == set(schema.PROVIDER_KEYS)
    with pytest.raises(AttributeError):
        Config().modle = "x"  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("dotted", "path"),
    [
        ("model", ("model",)),
        ("aliases", ("aliases",)),
        ("aliases.gpt-4.1", ("aliases", "gpt-4.1")),
        ("options.a.b", ("options", "a.b")),
        ("providers.darkai", ("providers", "darkai")),
        ("providers.darkai.url", ("providers", "darkai", "url")),
        ("providers.my.host.url", ("providers", "my.host", "url")),
        ("providers.my.host", ("providers", "my.host")),
        ("providers.a.headers", ("providers", "a", "headers")),
        ("providers.a.headers.X.Y", ("providers", "a", "headers", "X.Y")),
        ("providers.a.headers.", ("providers", "a.headers.")),
        ("modle", None),
        ("model.x", None),
        ("aliases.", None),
        ("", None),
    ],
)
def test_dotted_keys(dotted: str, path: tuple[str, ...] | None) -> None:
    assert schema.split(dotted) == path


@pytest.mark.parametrize(
    ("proxy", "screen"),
    [
        ("http://user:secret@host:1", "http://***@host:1"),
        ("socks5://user@host", "socks5://***@host"),
        ("user:secret@host:1", "***@host:1"),
        ("http://user:sec/ret@ab@host:1", "http://***@host:1"),
        ("http://user:a://b@host:1", "http://***@host:1"),
        ("user:a://b@host:1", "***@host:1"),
        ("http@host:1", "***@host:1"),
        ("http://host:1", "http://host:1"),
        ("host:1", "host:1"),
        ("", ""),
    ],
)
def test_a_proxys_password_is_never_shown(proxy: str, screen: str) -> None:
    assert secrets.mask_proxy(proxy) == screen


def test_headers_that_may_hold_a_secret_are_masked() -> None:
    headers = {"Authorization": "x", "X-Api-Key": "x", "Cookie": "x", "x-goog-token": "x", "A": "x"}
    assert secrets.mask_headers(headers) == {**dict.fromkeys(headers, "***"), "A": "x"}


def test_the_page_holds_no_path_of_this_machine() -> None:
    assert str(Path.home()) not in schema.reference() + schema.template()
