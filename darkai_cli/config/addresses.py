"""Where other programs' variables say that a service is: Ollama's, OpenAI's, Azure's.

They are weaker than everything of darkai's own, so they count only where no ``url`` is configured.
A value that is no address is ignored, and told.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from darkai_cli.config import schema, values

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

OLLAMA_PORT = 11434


def _as_it_is(text: str) -> str:
    return text


def ollama(text: str) -> str:
    """The URL that ``OLLAMA_HOST`` means: ``host``, ``host:port``, ``:port``, or with a scheme.

    Ollama's server takes the same variable for the address it listens on; of ``0.0.0.0`` or
    ``::`` a client makes this machine. Source: ``envconfig.Host`` in Ollama's source.
    """
    scheme, mark, rest = text.partition("://")
    if not mark:
        scheme, rest = "http", text
    usual = {"http": 80, "https": 443}.get(scheme.lower(), OLLAMA_PORT) if mark else OLLAMA_PORT
    place, slash, path = rest.partition("/")
    host, port = place, ""
    if place.startswith("["):
        host, _, port = place[1:].partition("]")
        port = port.removeprefix(":")
    elif place.count(":") == 1:
        host, _, port = place.partition(":")
    if host in ("", "0.0.0.0", "::"):  # noqa: S104 -- read, not bound
        host = "127.0.0.1" if host != "::" else "::1"
    shown = f"[{host}]" if ":" in host else host
    return f"{scheme}://{shown}:{port or usual}{slash}{path}".rstrip("/")


VARIABLES: Mapping[str, tuple[str, Callable[[str], str]]] = {
    "OLLAMA_HOST": ("ollama", ollama),
    "OPENAI_BASE_URL": ("openai", _as_it_is),
    "AZURE_OPENAI_ENDPOINT": ("azure", _as_it_is),
}
"""The variable, the provider whose ``url`` it is, and what makes a URL of its value."""


def found(env: Mapping[str, str]) -> Iterator[tuple[str, str, str, str]]:
    """Each variable that is set, its provider, the URL, and what is wrong with it, or ""."""
    key = schema.PROVIDER_KEYS["url"]
    for variable, (provider, url_of) in VARIABLES.items():
        text = env.get(variable, "").strip()
        if not text:
            continue
        try:
            yield variable, provider, values.check(key, url_of(text)), ""
        except values.Invalid as exc:
            yield variable, provider, "", exc.rule
