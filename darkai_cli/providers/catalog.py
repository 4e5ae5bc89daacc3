"""The built-in providers, as data: those with a dialect of their own, then those of ``services``.

``type`` names a dialect in ``settings``, which also merges a row with the user's
``[providers.NAME]`` table. ``reference`` writes the documentation page of all of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from darkai_cli.providers.base import ProviderSettings, Quirks
from darkai_cli.providers.services import READ, SERVICES, Service

if TYPE_CHECKING:
    from collections.abc import Iterable

_OWN: dict[str, ProviderSettings] = {
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
        quirks=Quirks(limit="max_completion_tokens", strict=True, resume="ask"),
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
        default_model="",  # a key of Ollama's is for its cloud, not for this machine
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

BUILT_IN: dict[str, ProviderSettings] = {
    **_OWN,
    **{service.settings.name: service.settings for service in SERVICES},
}


def services() -> list[Service]:
    """Return all rows with their titles and sources, in the order of ``BUILT_IN``."""
    own = {
        "darkai": ("DarkAI", "https://darkai.foundation/chat", "the default"),
        "openai": ("OpenAI", "https://platform.openai.com/docs/api-reference/chat", ""),
        "anthropic": ("Anthropic", "https://platform.claude.com/docs/en/api/messages", ""),
        "gemini": ("Google Gemini", "https://ai.google.dev/api/generate-content", ""),
        "ollama": ("Ollama", "https://docs.ollama.com/api", ""),
        "demo": ("the demonstration", "", "offline, built in, not a language model"),
    }
    rows = []
    for name, (title, source, note) in own.items():
        rows.append(Service(title, _OWN[name], source, note))
    return [*rows, *SERVICES]


_REFERENCE = """\
# Providers

<!-- Generated from darkai_cli/providers/catalog.py and services.py; a test compares. -->

A provider is a service that answers prompts. These are built in; [Use a
service](../how-to/providers.md) shows how to use them and how to add your own. The type is the wire
format.

*Page* links to the service's own documentation. *Unread* means that the page could not be read when
this list was written; the row then comes from public catalogues and clients that cite the page.
Nothing was tried against the services themselves.

{table}

## Notes

{notes}

## Details

- *Address* is the base URL. `url` in `[providers.NAME]` replaces it. If the configuration sets no
  address, `OLLAMA_HOST`, `OPENAI_BASE_URL` and `AZURE_OPENAI_ENDPOINT` do.
- *Key* names the environment variables; the first that is set counts. `darkai keys` and
  `key_command` are other places for a key. A provider that needs no key works without one.
- *Default model* is used if you name none. A server on this machine without one is asked for its
  models, and the first that can chat is used. Any other service requires a name: `-m NAME`.
- {limit} call the limit of a reply's length `max_completion_tokens`, the others `max_tokens`. The
  option `max_tokens` works for all.
- {silent} get no request for token counts; some report them anyway.
"""


def reference() -> str:
    """Return the reference page of the providers, in Markdown."""
    table = [
        "| name | service | type | address | key | default model | page |",
        "|---|---|---|---|---|---|---|",
    ]
    for title, row, source, _ in services():
        keys = " or ".join(f"`{name}`" for name in row.key_env)
        address = f"`{row.url}`" if row.url and row.type != "demo" else "none"
        model = f"`{row.default_model}`" if row.default_model else ""
        page = f"[page]({source})" if source else ""
        if row.name not in (*_OWN, *READ):
            page += ", unread"
        table.append(
            f"| `{row.name}` | {title} | `{row.type}` | {address if row.url else 'your own'} "
            f"| {keys} | {model} | {page} |"
        )
    chats = [row for row in BUILT_IN.values() if row.type == "openai"]
    return _REFERENCE.format(
        table="\n".join(table),
        notes="\n".join(f"- `{row.name}`: {note}." for _, row, _, note in services() if note),
        limit=_listed(row.name for row in chats if row.quirks.limit),
        silent=_listed(row.name for row in chats if not row.quirks.usage),
    )


def _listed(names: Iterable[str]) -> str:
    quoted = [f"`{name}`" for name in names]
    return f"{', '.join(quoted[:-1])} and {quoted[-1]}"
