"""The table of services, and what a user's table, or another program's variable, makes of a row."""

from __future__ import annotations

import os
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.isolation import ROOT, write_config

from darkai_cli.config import schema, values
from darkai_cli.config.load import load, service_urls
from darkai_cli.errors import DarkAIError, UsageError
from darkai_cli.http.errors import Route
from darkai_cli.messages import ChatRequest, Message
from darkai_cli.providers import catalog, connect, resolve
from darkai_cli.providers.base import ProviderSettings, Target
from darkai_cli.providers.catalog import BUILT_IN
from darkai_cli.providers.services import SERVICES
from darkai_cli.providers.settings import DIALECTS, settings_of
from darkai_cli.secrets import is_loopback, origin_of

WANTED = {
    "openrouter", "groq", "deepseek", "mistral", "together", "fireworks", "xai", "cerebras",
    "perplexity", "huggingface", "github", "azure", "nvidia", "lmstudio", "llamacpp", "vllm",
    "litellm", "jan",
}  # fmt: skip


def test_the_reference_page_is_the_table() -> None:
    page = ROOT / "docs" / "reference" / "providers.md"
    assert page.read_text() == catalog.reference(), (
        "write it anew: python -c 'from darkai_cli.providers.catalog import reference; "
        f'print(reference(), end="")\' > {page}'
    )


def test_the_services_that_were_promised_are_there() -> None:
    assert set(BUILT_IN) >= WANTED
    names = [row.settings.name for row in catalog.ALL]
    assert len(names) == len(set(names))
    assert names == list(BUILT_IN)


@pytest.mark.parametrize("row", SERVICES, ids=lambda row: row.settings.name)
def test_a_row_can_be_used(row: catalog.Service) -> None:
    settings = row.settings
    values.check_provider_name(settings.name)
    assert row.source.startswith("https://")
    assert settings.type in DIALECTS
    if settings.url:
        assert values.check(schema.PROVIDER_KEYS["url"], settings.url) == settings.url
        assert not settings.url.endswith("/")
        secure = settings.url.startswith("https://")
        assert secure != is_loopback(origin_of(settings.url)[1])
    for name in settings.key_env:
        assert re.fullmatch(r"[A-Z][A-Z0-9_]+", name)
    assert settings.key_needed == (origin_of(settings.url)[0] != "http")


def request(name: str, key: str = "sk-secret-0123", model: str = "m") -> tuple[str, dict[str, str]]:
    """URL and headers of a question to a provider as it is configured."""
    config = load()
    settings = settings_of(config, name)
    env = {**os.environ, **dict.fromkeys(settings.key_env[:1], key)}
    target = Target(settings, model)
    made = connect.client_for(target, config, env).request(
        ChatRequest((Message("user", "Hi"),), model)
    )
    return made.url, dict(made.headers)


@pytest.mark.parametrize("name", [row.settings.name for row in SERVICES if row.settings.url])
def test_the_request_goes_to_the_documented_address(name: str) -> None:
    url, headers = request(name)
    base = BUILT_IN[name].url
    ending = "/api/chat" if BUILT_IN[name].type == "ollama" else "/chat/completions"
    assert url == base + ending
    expected = "Bearer sk-secret-0123" if BUILT_IN[name].key_env else None
    assert headers.get("authorization") == expected


RESOURCE = "https://me.openai.azure.com"
OLD = f"{RESOURCE}/openai/deployments/gpt4o"


@pytest.mark.parametrize(
    ("url", "sent"),
    [
        (RESOURCE, f"{RESOURCE}/openai/v1/chat/completions"),
        (f"{RESOURCE}/", f"{RESOURCE}/openai/v1/chat/completions"),
        (f"{RESOURCE}/openai/", f"{RESOURCE}/openai/v1/chat/completions"),
        (f"{RESOURCE}/openai/v1/", f"{RESOURCE}/openai/v1/chat/completions"),
        (
            "https://me.services.ai.azure.com",
            "https://me.services.ai.azure.com/openai/v1/chat/completions",
        ),
        (f"{OLD}?api-version=2024-10-21", f"{OLD}/chat/completions?api-version=2024-10-21"),
        (
            f"{OLD}/chat/completions?api-version=2024-10-21",
            f"{OLD}/chat/completions?api-version=2024-10-21",
        ),
        ("https://gateway.example.com/ai", "https://gateway.example.com/ai/chat/completions"),
    ],
)
def test_azures_addresses(url: str, sent: str) -> None:
    write_config(f'[providers.azure]\nurl = "{url}"\n')
    url_sent, headers = request("azure")
    assert url_sent == sent
    assert headers["api-key"] == "sk-secret-0123"
    assert "authorization" not in headers


def test_azures_deployment_is_the_model() -> None:
    write_config(f'[providers.azure]\nurl = "{OLD}?api-version=2024-10-21"\n')
    assert settings_of(load(), "azure").default_model == "gpt4o"
    write_config(f'[providers.azure]\nmodel = "x"\nurl = "{OLD}?api-version=2024-10-21"\n')
    assert settings_of(load(), "azure").default_model == "x"


def test_a_table_of_ones_own_for_azure_needs_no_header_rules() -> None:
    write_config(f'[providers.work]\ntype = "openai"\nurl = "{RESOURCE}"\nkey_env = "WORK_KEY"\n')
    _, headers = request("work")
    assert headers["api-key"] == "sk-secret-0123"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "has no `url`"),
        (f'[providers.azure]\nurl = "{OLD}"\n', "names a deployment, but no `api-version`"),
    ],
)
def test_azure_without_what_it_needs(text: str, words: str) -> None:
    write_config(text)
    with pytest.raises(DarkAIError) as caught:
        settings_of(load(), "azure")
    assert words in caught.value.message
    assert "https://" in (caught.value.hint or "")


def test_a_company_gateway_in_full() -> None:
    write_config(
        '[providers.work]\ntype = "openai"\nurl = "https://ai.example.com/v1"\n'
        'key_env = "WORK_KEY"\nmodels = ["a/b", "c"]\n'
        "headers = { X-Team = 'blue' }\noptions = { temperature = 0.5 }\n"
    )
    settings = settings_of(load(), "work")
    assert (settings.default_model, settings.models) == ("a/b", ("a/b", "c"))
    assert settings.options == {"temperature": 0.5}
    assert settings.quirks.strict is False
    assert settings.local is False
    url, headers = request("work")
    assert url == "https://ai.example.com/v1/chat/completions"
    assert headers["authorization"] == "Bearer sk-secret-0123"
    assert headers["x-team"] == "blue"


def test_a_server_elsewhere_inherits_no_model_and_no_rules_of_openais() -> None:
    write_config(
        '[providers.openai]\nurl = "http://localhost:9/v1"\n'
        '[providers.mine]\ntype = "openai"\nurl = "http://localhost:9/v1"\n'
    )
    for name in ("openai", "mine"):
        settings = settings_of(load(), name)
        assert settings.default_model == ""
        assert settings.quirks.limit == ""
        assert settings.key_needed is False


@pytest.mark.parametrize("kind", ["anthropic", "gemini", "openai", "openai-responses", "ollama"])
def test_a_service_of_ones_own_has_models_of_its_own(kind: str) -> None:
    write_config(
        f'provider = "mine"\n[providers.mine]\ntype = "{kind}"\nurl = "https://ai.example.com/v1"\n'
    )
    with pytest.raises(UsageError) as caught:
        resolve.resolve(load())
    assert caught.value.message == "No model chosen, and `mine` has no default"
    assert "`-m mine/MODEL`" in (caught.value.hint or "")
    assert resolve.resolve(load({"model": "x"})).model == "x"


@pytest.mark.parametrize("kind", ["anthropic", "gemini"])
def test_the_usual_service_keeps_its_default(kind: str) -> None:
    write_config(f'[providers.{kind}]\nheaders = {{ x-team = "blue" }}\n')
    assert settings_of(load(), kind).default_model == BUILT_IN[kind].default_model
    write_config(f'[providers.{kind}]\nurl = "https://gateway.example.com/v1"\n')
    assert settings_of(load(), kind).default_model == ""


# --- how messages name a service ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://api.example.com/v1", "api.example.com"),
        ("https://api.example.com:443/v1", "api.example.com"),
        ("https://api.example.com:80/v1", "api.example.com:80"),
        ("HTTPS://api.example.com:8443", "api.example.com:8443"),
        ("http://localhost:1234/v1", "localhost:1234"),
        ("http://localhost:80", "localhost"),
        ("http://localhost:443?x=1", "localhost:443"),
        ("http://user:pw@box:99/", "box:99"),
        ("http://[::1]/v1", "::1"),
        ("http://[::1]:80/v1", "::1"),
        ("http://[::80]:8080/v1", "[::80]:8080"),
        ("http://[::80]/v1", "::80"),
        ("", "mine"),
    ],
)
def test_a_port_is_told_where_it_is_not_the_usual_one(url: str, name: str) -> None:
    assert ProviderSettings("mine", "openai", url, "m").host == name


@given(
    st.sampled_from(["http", "https"]),
    st.sampled_from(["api.example.com", "127.0.0.1", "[::1]"]),
    st.none() | st.integers(1, 65535),
)
def test_the_way_and_the_service_are_named_alike(scheme: str, host: str, port: int | None) -> None:
    url = f"{scheme}://{host}{'' if port is None else f':{port}'}/v1"
    assert Route.of(url, None).name == ProviderSettings("mine", "openai", url, "m").host


# --- the variables of other programs --------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:11434"),
        ("box", "http://box:11434"),
        ("box:99", "http://box:99"),
        (":99", "http://127.0.0.1:99"),
        ("0.0.0.0", "http://127.0.0.1:11434"),
        ("0.0.0.0:99", "http://127.0.0.1:99"),
        ("http://0.0.0.0:99", "http://127.0.0.1:99"),
        ("http://box:99", "http://box:99"),
        ("http://box:99/", "http://box:99"),
        ("http://box", "http://box:80"),
        ("https://box/ollama", "https://box:443/ollama"),
        ("[::1]:99", "http://[::1]:99"),
        ("[::1]", "http://[::1]:11434"),
        ("::1", "http://[::1]:11434"),
        ("[::]:99", "http://[::1]:99"),
    ],
)
def test_ollama_host(text: str, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OLLAMA_HOST", text)
    config = load()
    assert settings_of(config, "ollama").url == url
    assert config.origin("providers.ollama.url") == ("environment", "OLLAMA_HOST")
    assert config.notices == ()
    assert "ollama" in resolve.configured_providers(config)


@given(st.text(max_size=30))
def test_no_text_in_ollama_host_breaks_anything(text: str) -> None:
    for _, provider, url, fault in service_urls({"OLLAMA_HOST": text}):
        assert provider == "ollama"
        assert bool(url) != bool(fault)


@pytest.mark.parametrize("text", ["box:port", "ftp://box", "a b", "http://u:p@box"])
def test_an_address_that_is_none_is_ignored_and_told(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OLLAMA_HOST", text)
    config = load()
    assert settings_of(config, "ollama").url == BUILT_IN["ollama"].url
    (notice,) = config.notices
    assert notice.startswith("Ignoring `OLLAMA_HOST`: it ")
    assert "u:p" not in notice


def test_configuration_wins_over_other_programs_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    write_config('[providers.ollama]\nurl = "http://desk:1"\n')
    monkeypatch.setenv("OLLAMA_HOST", "box")
    assert settings_of(load(), "ollama").url == "http://desk:1"


def test_openais_variables_are_a_pair(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key from the environment goes to the address beside it, and to no other that was moved."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-the-pair")
    monkeypatch.setenv("OPENAI_BASE_URL", "https://gateway.example.com/v1")
    url, headers = request("openai", "sk-of-the-pair")
    assert url == "https://gateway.example.com/v1/chat/completions"
    assert headers["authorization"] == "Bearer sk-of-the-pair"
    write_config('[providers.openai]\nurl = "https://elsewhere.example.com/v1"\n')
    url, headers = request("openai", "sk-of-the-pair")
    assert url == "https://elsewhere.example.com/v1/chat/completions"
    assert "authorization" not in headers


def test_azures_endpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", f"{RESOURCE}/")
    url, headers = request("azure")
    assert url == f"{RESOURCE}/openai/v1/chat/completions"
    assert headers["api-key"] == "sk-secret-0123"
