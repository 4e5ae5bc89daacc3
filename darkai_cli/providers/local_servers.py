"""Model servers on this machine, found by asking at their usual addresses.

Used where nothing was chosen and the default service does not answer, so that a prompt may go to
somebody nobody named. Therefore only an answer that is surely that server's counts, and only models
that run on this machine: another program may listen on port 8080, a gateway that speaks the same
dialect passes prompts on, and Ollama lists models of its cloud too. Sources: the servers' own
descriptions of their model lists (Ollama `/api/tags` and `/api/ps`, LM Studio `/api/v0/models`,
`owned_by` of llama.cpp's and vLLM's `/v1/models`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from darkai_cli.errors import DarkAIError
from darkai_cli.providers import settings as tables
from darkai_cli.providers.base import Target
from darkai_cli.providers.dialect import parse
from darkai_cli.secrets import is_loopback, origin_of

if TYPE_CHECKING:
    from darkai_cli.config import Config
    from darkai_cli.providers.base import ProviderSettings

SECONDS = 0.05
"""For all servers together."""

Answers = Sequence[Any]
"""The JSON values that answered a server's paths; None where nothing did."""


class _Kind(NamedTuple):
    """A kind of server. ``model``: the one to use, by its answers; "" if it is not that server."""

    paths: tuple[str, ...]
    model: Callable[[Answers], str]


def found(config: Config) -> Iterator[Target]:
    """The servers that answer on this machine, each with a model that it has, loaded if any is."""
    from darkai_cli.http import probe

    asked: list[tuple[ProviderSettings, _Kind]] = []
    urls: list[str] = []
    for name, kind in _KINDS.items():
        try:
            settings = tables.settings_of(config, name)
        except DarkAIError:
            continue
        scheme, host, port = origin_of(settings.url)
        if scheme != "http" or not is_loopback(host):
            continue
        place = f"[{host}]" if ":" in host else host
        asked.append((settings, kind))
        urls += [f"http://{place}:{port}{path}" for path in kind.paths]
    bodies = iter(probe.get(urls, SECONDS))
    for settings, kind in asked:
        answers = [
            None if body is None else parse(body.decode("utf-8", "replace"))
            for body in [next(bodies) for _ in kind.paths]
        ]
        model = kind.model(answers)
        if model:
            yield Target(settings, model)


def _ollama(answers: Answers) -> str:
    tags, running = (_dicts(answer, "models") for answer in answers)
    own = [
        str(row["name"])
        for row in tags
        if isinstance(row.get("name"), str) and row.get("digest") and _is_chat(row)
    ]
    loaded = [row.get("name") for row in running]
    return next((name for name in own if name in loaded), own[0] if own else "")


def _is_chat(row: dict[str, Any]) -> bool:
    """Whether a row of Ollama's is a model that chats, and does so on this machine."""
    name = str(row["name"])
    if row.get("remote_host") or row.get("remote_model") or name.endswith(("-cloud", ":cloud")):
        return False
    details = row.get("details")
    family = str(details.get("family") or "") if isinstance(details, dict) else ""
    return "bert" not in family and "embed" not in name


def _lm_studio(answers: Answers) -> str:
    rows = [
        row
        for row in _dicts(answers[0], "data")
        if row.get("type") in ("llm", "vlm") and row.get("state") and _name(row)
    ]
    loaded = [row for row in rows if row["state"] == "loaded"]
    return _name((loaded or rows)[0]) if rows else ""


def _owned_by(owner: str) -> Callable[[Answers], str]:
    def model(answers: Answers) -> str:
        rows = [
            row for row in _dicts(answers[0], "data") if row.get("owned_by") == owner and _name(row)
        ]
        loaded = [row for row in rows if _state(row) == "loaded"]
        return _name((loaded or rows)[0]) if rows else ""

    return model


def _state(row: dict[str, Any]) -> Any:
    """Where llama.cpp's server serves several models: whether this one is in memory."""
    status = row.get("status")
    return status.get("value") if isinstance(status, dict) else None


def _name(row: dict[str, Any]) -> str:
    name = row.get("id")
    return name if isinstance(name, str) else ""


def _dicts(answer: Any, field: str) -> list[dict[str, Any]]:
    rows = answer.get(field) if isinstance(answer, dict) else None
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


_KINDS: dict[str, _Kind] = {
    "ollama": _Kind(("/api/tags", "/api/ps"), _ollama),
    "llamacpp": _Kind(("/v1/models",), _owned_by("llamacpp")),
    "lmstudio": _Kind(("/api/v0/models",), _lm_studio),
    "vllm": _Kind(("/v1/models",), _owned_by("vllm")),
}
"""The servers, by the names of their providers, in the order in which they are preferred."""
