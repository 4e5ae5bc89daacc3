"""Tables and aliases of the user's that cannot be used, and what a service redirects to."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from support.scenario import run_darkai

from darkai_cli.config.load import load
from darkai_cli.errors import DarkAIError
from darkai_cli.providers import http_errors, resolve
from darkai_cli.providers.base import HttpRequest
from darkai_cli.providers.settings import settings_of


def configure(text: str) -> None:
    folder = Path(os.environ["DARKAI_HOME"])
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.toml").write_text(text)


UNUSABLE = [
    ('url = "http://a.test/"', "has no `type`"),
    ('type = "nonsense"\nurl = "http://a.test/"', "has the unknown type `nonsense`"),
    ('type = "darkai"', "has no `url`"),
    ('type = "demo"\nurl = "http://a.test/"', "has a `url`, but the type `demo`"),
]


@pytest.mark.parametrize(("table", "words"), UNUSABLE)
def test_a_table_that_cannot_be_used_is_told_and_hurts_nobody_else(table: str, words: str) -> None:
    configure(f"[providers.work]\n{table}\n")
    with pytest.raises(DarkAIError) as caught:
        settings_of(load(), "work")
    assert caught.value.exit_code == 3
    assert f"The provider `work` {words}" in caught.value.message
    with pytest.raises(DarkAIError) as caught:
        resolve.resolve(load({"model": "gpt-40"}))
    assert caught.value.exit_code == 5  # what was asked for, not what is broken beside it
    found, faults = resolve.usable_providers(load())
    assert [settings.name for settings in found] == ["darkai", "demo"]
    assert [words in fault.message for fault in faults] == [True]


def test_models_warns_and_lists_the_others() -> None:
    configure('[providers.work]\nurl = "http://a.test/"\n')
    result = run_darkai("models")
    assert result.code == 0, result
    assert result.stderr == "warning: The provider `work` has no `type`\n"
    assert "*\tdarkai/llama-3-70b\tllama-3.1-70b" in result.text.splitlines()
    asked = run_darkai("ask", "--dry-run", "-p", "work", "x")
    assert asked.code == 3
    assert "darkai config set providers.work.type" in asked.stderr


def test_the_demo_has_no_url() -> None:
    configure('[providers.demo]\nurl = "http://a.test/"\n')
    with pytest.raises(DarkAIError, match="has a `url`"):
        settings_of(load(), "demo")
    configure('[providers.mine]\ntype = "demo"\n')
    assert settings_of(load(), "mine").default_model == "demo"


ALIASES = """
[aliases]
fast = "gpt-4o"
mine = "darkai/something-new"
loop = "nosuch/zzz"
"""


def test_a_users_aliases_are_listed() -> None:
    configure('provider = "darkai"\n' + ALIASES)
    rows = [json.loads(line) for line in run_darkai("models", "--json").text.splitlines()]
    aliases = {f"{row['provider']}/{row['model']}": row["aliases"] for row in rows}
    assert aliases["darkai/gpt-4o"] == ["fast"]
    assert aliases["darkai/llama-3-70b"] == ["llama-3.1-70b"]
    result = run_darkai("models")
    assert "\tdarkai/gpt-4o\tfast" in result.text.splitlines()
    warnings = result.stderr.splitlines()
    assert any("The alias `loop` means `nosuch/zzz`: " in line for line in warnings)


def test_an_alias_of_a_model_that_is_not_listed_has_a_row() -> None:
    configure('[aliases]\nmine = "work/m2"\n[providers.work]\ntype = "darkai"\nurl = "http://a/"\n')
    result = run_darkai("models", "--json", "-p", "work")
    rows = {row["model"]: row["aliases"] for row in map(json.loads, result.text.splitlines())}
    assert rows == {"m2": ["mine"], "llama-3-70b": ["llama-3.1-70b"]}
    assert (result.code, result.stderr) == (0, "")


def test_the_error_names_the_alias() -> None:
    configure(ALIASES)
    result = run_darkai("ask", "-m", "loop", "x")
    assert result.code == 5, result
    assert "error: The alias `loop` means `nosuch/zzz`: " in result.stderr
    with pytest.raises(DarkAIError, match="The alias `loop` means `nosuch/zzz`: No provider"):
        resolve.target_by_name(load(), "loop")


@pytest.mark.parametrize("target", ["http://[::1/", "http://a:b/", "https://[no]/"])
def test_a_redirect_to_nowhere(target: str) -> None:
    headers = {"location": target}
    request = HttpRequest("https://service.test/", {}, b"")
    error = http_errors.explain("service.test", request, 302, headers, b"", 0.0)
    assert (error.exit_code, error.status) == (9, 302)
    assert "unusable address" in error.message
