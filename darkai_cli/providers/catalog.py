"""The providers that are built in, as data.

``type`` names a dialect in the registry. Nothing here is imported or connected; the registry merges
a row with the user's ``[providers.NAME]`` table.
"""

from __future__ import annotations

from darkai_cli.providers.base import ProviderSettings, Quirks

BUILT_IN: dict[str, ProviderSettings] = {
    "darkai": ProviderSettings(
        name="darkai",
        type="darkai",
        url="https://darkai.foundation/chat",
        default_model="llama-3-70b",
        models=("gpt-4o", "gpt-3.5-turbo", "llama-3-70b"),
        aliases={"llama-3.1-70b": "llama-3-70b"},
    ),
    "openai": ProviderSettings(
        name="openai",
        type="openai",
        url="https://api.openai.com/v1",
        default_model="gpt-4o-mini",
        key_env=("OPENAI_API_KEY",),
        key_needed=True,
        quirks=Quirks(limit="max_completion_tokens", strict=True),
    ),
    "anthropic": ProviderSettings(
        name="anthropic",
        type="anthropic",
        url="https://api.anthropic.com/v1",
        default_model="claude-sonnet-4-5",
        key_env=("ANTHROPIC_API_KEY",),
        key_needed=True,
        quirks=Quirks(strict=True),
    ),
    "gemini": ProviderSettings(
        name="gemini",
        type="gemini",
        url="https://generativelanguage.googleapis.com/v1beta",
        default_model="gemini-2.5-flash",
        key_env=("GEMINI_API_KEY", "GOOGLE_API_KEY"),
        key_needed=True,
        quirks=Quirks(strict=True),
    ),
    "ollama": ProviderSettings(
        name="ollama",
        type="ollama",
        url="http://localhost:11434",
        default_model="",
        key_env=("OLLAMA_API_KEY",),
        local=True,
    ),
    "demo": ProviderSettings(
        name="demo",
        type="demo",
        url="http://demo.localhost/chat",
        default_model="demo",
        models=("demo",),
    ),
}
