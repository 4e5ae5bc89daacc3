"""What a name means: which provider and model, who is configured, and which model where none is named."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.isolation import write_config
from support.server import FaultServer, json_page

from darkai_cli.config.keys import file
from darkai_cli.config.load import load
from darkai_cli.errors import DarkAIError
from darkai_cli.providers import model_cache, resolve
from darkai_cli.providers.base import ModelInfo
from darkai_cli.providers.catalog import BUILT_IN
from darkai_cli.providers.settings import settings_of


def target_of(**flags: str) -> str:
    target = resolve.configured_target(load(flags))
    return f"{target.settings.name}: {target.model}"


TABLES = """
[providers.work]
type = "openai"
url = "https://ai.example.com/v1"
models = ["one", "two"]

[providers.home]
type = "openai"
url = "https://home.example.com/v1"
models = ["two", "three"]
"""


@pytest.mark.parametrize(
    ("text", "flags", "target"),
    [
        ("", {}, "darkai: llama-3-70b"),
        ("", {"model": "llama-3.1-70b"}, "darkai: llama-3-70b"),
        ("", {"model": "openai/gpt-4o-mini"}, "openai: gpt-4o-mini"),
        (
            "",
            {"model": "openrouter/anthropic/claude-3.5-sonnet"},
            "openrouter: anthropic/claude-3.5-sonnet",
        ),
        ("", {"model": "openrouter/openrouter/auto"}, "openrouter: openrouter/auto"),
        ("", {"provider": "openrouter", "model": "openrouter/auto"}, "openrouter: auto"),
        # names with a slash belong to the provider that was chosen with them
        ("", {"provider": "openrouter", "model": "openai/gpt-4o"}, "openrouter: openai/gpt-4o"),
        (
            'provider = "openrouter"\nmodel = "openai/gpt-4o"\n',
            {},
            "openrouter: openai/gpt-4o",
        ),
        # ... and lead elsewhere where they were chosen later, if that can be used
        ('provider = "openrouter"\n', {"model": "ollama/llama3"}, "ollama: llama3"),
        ('provider = "openrouter"\n', {"model": "openai/gpt-4o"}, "openrouter: openai/gpt-4o"),
        ('provider = "openrouter"\n' + TABLES, {"model": "work/one"}, "work: one"),
        # ... or if the chosen one has no names with a slash
        ('provider = "anthropic"\n', {"model": "openai/gpt-4o"}, "openai: gpt-4o"),
        ('provider = "work"\n' + TABLES, {"model": "openai/gpt-4o"}, "openai: gpt-4o"),
        # aliases
        ('[aliases]\nfast = "openai/gpt-4o-mini"\n', {"model": "fast"}, "openai: gpt-4o-mini"),
        (
            'provider = "openrouter"\n[aliases]\nfast = "openai/gpt-4o-mini"\n',
            {"model": "fast"},
            "openai: gpt-4o-mini",
        ),
        ('[aliases]\n"demo/demo" = "darkai/gpt-4o"\n', {"model": "demo/demo"}, "demo: demo"),
        # a unique match in another configured provider
        (TABLES, {"model": "three"}, "home: three"),
        (TABLES, {"model": "gpt-4o"}, "darkai: gpt-4o"),
    ],
)
def test_names(text: str, flags: dict[str, str], target: str) -> None:
    write_config(text)
    assert target_of(**flags) == target


def test_a_name_with_a_slash_follows_what_the_chosen_one_lists() -> None:
    write_config('provider = "groq"\n')
    url = BUILT_IN["groq"].url
    model_cache.write("groq", url, [ModelInfo("llama"), ModelInfo("openai/gpt-oss-20b")])
    assert target_of(model="openai/gpt-4o") == "groq: openai/gpt-4o"
    model_cache.write("groq", url, [ModelInfo("llama"), ModelInfo("qwen/qwen3")])
    assert target_of(model="openai/gpt-4o") == "openai: gpt-4o"


def test_an_alias_is_not_sent_to_another_provider_than_it_names() -> None:
    write_config(TABLES + '[aliases]\nfast = "home/two"\n')
    assert target_of(model="fast", provider="home") == "home: two"
    with pytest.raises(DarkAIError) as caught:
        target_of(model="fast", provider="ollama")
    assert caught.value.exit_code == 2
    assert "means `home/two`: `ollama` is the chosen provider" in caught.value.message


def test_a_provider_with_a_key_is_meant_by_a_later_name(monkeypatch: pytest.MonkeyPatch) -> None:
    write_config('provider = "openrouter"\n')
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-the-user")
    assert target_of(model="openai/gpt-4o") == "openai: gpt-4o"


def test_a_flag_is_later_than_a_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DARKAI_PROVIDER", "openrouter")
    assert target_of(model="ollama/llama3") == "ollama: llama3"
    monkeypatch.setenv("DARKAI_MODEL", "ollama/llama3")
    assert target_of() == "openrouter: ollama/llama3"


@pytest.mark.parametrize(
    ("text", "flags", "hint"),
    [
        ("", {"model": "gpt-40"}, "Did you mean `gpt-4o`"),
        ("", {"provider": "opnerouter"}, "Did you mean `openrouter`"),
        (TABLES, {"model": "two"}, "Did you mean `work/two` or `home/two`"),
        (TABLES, {"model": "thre"}, "`home/three`"),
        (TABLES, {"provider": "work", "model": "three"}, "models are one, two"),
        ("", {"model": "opnai/gpt-4o"}, "Did you mean `openai/gpt-4o`?"),
        (TABLES, {"provider": "work", "model": "hme/two"}, "Did you mean `home/two`?"),
        ("", {"model": "openai"}, "`openai` is a provider: use `-p openai`"),
        ("", {"provider": "opnai"}, "Did you mean `openai`"),
    ],
)
def test_unknown_names_tell_the_nearest(text: str, flags: dict[str, str], hint: str) -> None:
    write_config(text)
    with pytest.raises(DarkAIError) as caught:
        resolve.configured_target(load(flags))
    assert caught.value.exit_code == 5
    for part in hint.split(", "):
        assert part.strip("`") in (caught.value.hint or "")


def test_a_kept_list_counts_for_a_match(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GROQ_API_KEY", "gsk_of_the_user")
    model_cache.write("groq", BUILT_IN["groq"].url, [ModelInfo("qwen-next")])
    assert target_of(model="qwen-next") == "groq: qwen-next"
    monkeypatch.delenv("GROQ_API_KEY")
    with pytest.raises(DarkAIError):
        target_of(model="qwen-next")


def test_who_is_configured(monkeypatch: pytest.MonkeyPatch) -> None:
    assert resolve.configured_providers(load()) == ["darkai", "demo"]
    write_config('[providers.mine]\ntype = "openai"\nurl = "http://localhost:1/v1"\n')
    monkeypatch.setenv("GROQ_API_KEY", "gsk_of_the_user")
    monkeypatch.setenv("XAI_API_KEY", "  ")
    monkeypatch.setenv("GITHUB_TOKEN", "ghp_for_other_programs")
    monkeypatch.setenv("HF_TOKEN", "hf_for_other_programs")
    file.put("mistral", BUILT_IN["mistral"].url, "key-of-the-user")
    assert resolve.configured_providers(load()) == ["darkai", "demo", "groq", "mistral", "mine"]


def test_being_configured_runs_no_command() -> None:
    write_config('[providers.openai]\nkey_command = "touch ran"\n')
    assert "openai" in resolve.configured_providers(load())
    assert not Path("ran").exists()


# --- no model is named ----------------------------------------------------------------------------


def test_a_server_on_this_machine_is_asked_for_its_first_model_once() -> None:
    names = ["text-embedding-x", "qwen3:480b-cloud", "llama3.2:1b", "other"]
    page = json_page(200, {"data": [{"id": name} for name in names]})
    with FaultServer(page) as server:
        base = server.url.removesuffix("/chat") + "/v1"
        write_config(f'provider = "mine"\n[providers.mine]\ntype = "openai"\nurl = "{base}"\n')
        for _ in range(2):
            assert resolve.resolve(load()).model == "llama3.2:1b"
        assert [request.target for request in server.requests] == ["/v1/models"]
        assert resolve.resolve(load({"model": "named"})).model == "named"


def test_a_server_without_a_model_says_so() -> None:
    with FaultServer(json_page(200, {"models": []})) as server:
        base = server.url.removesuffix("/chat")
        write_config(f'[providers.ollama]\nurl = "{base}"\n')
        with pytest.raises(DarkAIError) as caught:
            resolve.resolve(load({"provider": "ollama"}))
    assert caught.value.exit_code == 5
    assert caught.value.hint == "`ollama pull MODEL`"


def test_a_paid_service_wants_a_name() -> None:
    with pytest.raises(DarkAIError) as caught:
        resolve.resolve(load({"provider": "groq"}))
    assert caught.value.exit_code == 2
    assert caught.value.message == "No model chosen, and `groq` has no default"
    assert "darkai models list -p groq" in (caught.value.hint or "")


UNUSABLE = [
    ('url = "http://a.test/"', "has no `type`"),
    ('type = "nonsense"\nurl = "http://a.test/"', "has the unknown type `nonsense`"),
    ('type = "darkai"', "has no `url`"),
    ('type = "demo"\nurl = "http://a.test/"', "has a `url`, but the type `demo`"),
]


@pytest.mark.parametrize(("table", "words"), UNUSABLE)
def test_a_table_that_cannot_be_used_does_not_hurt_the_others(table: str, words: str) -> None:
    write_config(f"[providers.work]\n{table}\n")
    with pytest.raises(DarkAIError) as caught:
        settings_of(load(), "work")
    assert caught.value.exit_code == 3
    assert f"The provider `work` {words}" in caught.value.message
    with pytest.raises(DarkAIError) as caught:
        resolve.resolve(load({"model": "gpt-40"}))
    assert caught.value.exit_code == 5  # what was asked for, not what is broken beside it
    usable, faults = resolve.usable_providers(load())
    assert [settings.name for settings in usable] == ["darkai", "demo"]
    assert [words in fault.message for fault in faults] == [True]


def test_the_demo_has_no_url() -> None:
    write_config('[providers.demo]\nurl = "http://a.test/"\n')
    with pytest.raises(DarkAIError, match="has a `url`"):
        settings_of(load(), "demo")
    write_config('[providers.mine]\ntype = "demo"\n')
    assert settings_of(load(), "mine").default_model == "demo"


def test_the_error_names_the_alias() -> None:
    write_config('[aliases]\nloop = "nosuch/zzz"\n')
    with pytest.raises(DarkAIError, match="The alias `loop` means `nosuch/zzz`: No provider"):
        resolve.target_by_name(load(), "loop")
