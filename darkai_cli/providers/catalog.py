"""The built-in providers, as data: those with a dialect of their own, then those of ``services``.

``type`` names a dialect in ``settings``, which also merges a row with the user's
``[providers.NAME]`` table. ``reference`` writes the documentation page of all of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from darkai_cli.providers.base import ProviderSettings, Quirks
from darkai_cli.providers.services import READ, SERVICES, Service, row

if TYPE_CHECKING:
    from collections.abc import Iterable

_OWN = (
    Service(
        "DarkAI",
        ProviderSettings(
            name="darkai",
            type="darkai",
            url="https://darkai.foundation/chat",
            default_model="llama-3-70b",
            models=("gpt-4o", "gpt-3.5-turbo", "llama-3-70b"),
            aliases={"llama-3.1-70b": "llama-3-70b"},
        ),
        "https://darkai.foundation/chat",
        "the default",
    ),
    row(
        "openai",
        "OpenAI",
        "https://api.openai.com/v1",
        "https://platform.openai.com/docs/api-reference/chat",
        model="gpt-4o-mini",
        quirks=Quirks(limit="max_completion_tokens", strict=True, resume="ask"),
    ),
    row(
        "anthropic",
        "Anthropic",
        "https://api.anthropic.com/v1",
        "https://platform.claude.com/docs/en/api/messages",
        kind="anthropic",
        model="claude-sonnet-4-5",
        quirks=Quirks(strict=True),
    ),
    row(
        "gemini",
        "Google Gemini",
        "https://generativelanguage.googleapis.com/v1beta",
        "https://ai.google.dev/api/generate-content",
        keys=("GEMINI_API_KEY", "GOOGLE_API_KEY"),
        kind="gemini",
        model="gemini-2.5-flash",
        quirks=Quirks(strict=True),
    ),
    Service(
        "Ollama",
        ProviderSettings(
            name="ollama",
            type="ollama",
            url="http://localhost:11434",
            default_model="",  # a key of Ollama's is for its cloud, not for this machine
            local=True,
        ),
        "https://docs.ollama.com/api",
    ),
    Service(
        "the demonstration",
        ProviderSettings(
            name="demo",
            type="demo",
            url="http://demo.localhost/chat",
            default_model="demo",
            models=("demo",),
        ),
        "",
        "offline, built in, not a language model",
    ),
)

ALL: tuple[Service, ...] = (*_OWN, *SERVICES)
"""All rows, with their titles and sources."""

BUILT_IN: dict[str, ProviderSettings] = {service.settings.name: service.settings for service in ALL}

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
    own_or_read = {*READ, *(service.settings.name for service in _OWN)}
    for title, settings, source, _ in ALL:
        keys = " or ".join(f"`{name}`" for name in settings.key_env)
        address = f"`{settings.url}`" if settings.url else "your own"
        address = "none" if settings.type == "demo" else address
        model = f"`{settings.default_model}`" if settings.default_model else ""
        page = f"[page]({source})" if source else ""
        if settings.name not in own_or_read:
            page += ", unread"
        table.append(
            f"| `{settings.name}` | {title} | `{settings.type}` | {address} "
            f"| {keys} | {model} | {page} |"
        )
    chats = [settings for settings in BUILT_IN.values() if settings.type == "openai"]
    return _REFERENCE.format(
        table="\n".join(table),
        notes="\n".join(f"- `{settings.name}`: {note}." for _, settings, _, note in ALL if note),
        limit=_listed(settings.name for settings in chats if settings.quirks.limit),
        silent=_listed(settings.name for settings in chats if not settings.quirks.usage),
    )


def _listed(names: Iterable[str]) -> str:
    quoted = [f"`{name}`" for name in names]
    return f"{', '.join(quoted[:-1])} and {quoted[-1]}"
