"""Read lists of models: OpenAI's ``GET /models`` and what other services add to it.

OpenAI's list has only names. Other services add facts under names of their own:

- OpenRouter: ``context_length``, ``architecture``, ``pricing`` in dollars a token, as texts
- Hugging Face's router: the same ``architecture``, and prices a million tokens for each provider
- Together: a bare list with ``context_length``, ``pricing`` a million tokens, ``type``
- Groq: ``context_window``; Mistral: ``max_context_length``, ``capabilities``, ``aliases``
- vLLM: ``max_model_len``; llama.cpp: ``meta.n_ctx``; LM Studio: ``max_context_length``
- GitHub Models: a bare list with ``limits`` and ``supported_input_modalities``

Sources: the services' public documentation of that call, and the servers' sources.
"""

from __future__ import annotations

from typing import Any

from darkai_cli.errors import BadReplyError
from darkai_cli.providers.base import HttpRequest, ModelInfo, ProviderSettings
from darkai_cli.providers.dialect import bearer, count, dicts, endpoint, headers, text_in

_NOT_CHAT = frozenset(
    {"embedding", "embeddings", "image", "rerank", "reranker", "moderation", "audio", "video",
     "transcribe", "text-to-image", "text-to-video", "text-to-speech", "speech-to-text"}
)  # fmt: skip
_CONTEXT = (
    "context_length", "context_window", "max_context_length", "max_model_len", "max_input_tokens",
)  # fmt: skip
_OUTPUT = ("max_completion_tokens", "max_output_tokens")


def request(settings: ProviderSettings) -> HttpRequest | None:
    """Return the request for the list; None if the service has none."""
    path = settings.quirks.models_path
    if path == "":
        return None
    root = settings
    if path is not None and "://" in path:
        # The key is bound to this address too, or `bearer` does not send it.
        root = settings._replace(url=path)
        url = endpoint(root, "")
    else:
        base = settings.url.partition("?")[0].rstrip("/").removesuffix("/chat/completions")
        query = settings.url.partition("?")[2]
        root = settings._replace(url=f"{base}?{query}" if query else base)
        url = endpoint(root, path or "/models")
    return HttpRequest(
        url, headers(settings, {"accept": "application/json"}, bearer(root)), b"", "GET"
    )


def read(payload: Any) -> list[ModelInfo]:
    """Return the models that can chat, as far as the service says.

    Raises ``BadReplyError`` if the payload is no list of models.
    """
    rows = payload
    if isinstance(payload, dict):
        rows = payload.get("data")
        if not isinstance(rows, list):
            rows = payload.get("models")
    if not isinstance(rows, list):
        raise BadReplyError("The service sent no list of models")
    models: dict[str, ModelInfo] = {}
    for row in dicts(rows):
        name = text_in(row, "id", "name", "model")
        if name and _is_chat(row):
            models.setdefault(name, _model(name, row))
    for row in rows:
        if isinstance(row, str) and row:
            models.setdefault(row, ModelInfo(row))
    return list(models.values())


def _is_chat(row: dict[str, Any]) -> bool:
    kind = row.get("type")
    if isinstance(kind, str) and kind.lower() in _NOT_CHAT:
        return False
    if row.get("supports_chat") is False or row.get("active") is False:
        return False
    if _table(row, "capabilities").get("completion_chat") is False:
        return False
    gives = _modalities(row, "output")
    return not gives or "text" in gives


def _model(name: str, row: dict[str, Any]) -> ModelInfo:
    offers = next(iter(dicts(row.get("providers"))), {})  # of Hugging Face's, the first is used
    top, limits, meta = _table(row, "top_provider"), _table(row, "limits"), _table(row, "meta")
    prices = _prices(_table(row, "pricing") or _table(offers, "pricing"))
    context = _first(_CONTEXT, row, limits, top, offers)
    context = context or _first(("n_ctx", "n_ctx_train"), meta)  # as started, as trained
    takes = _modalities(row, "input")
    if not takes and _table(row, "capabilities").get("vision") is True:
        takes = ("text", "image")
    if not takes and row.get("supports_image_input") is True:
        takes = ("text", "image")
    aliases = row.get("aliases")
    title = text_in(row, "display_name", "name")
    return ModelInfo(
        name,
        tuple(alias for alias in aliases if isinstance(alias, str))
        if isinstance(aliases, list)
        else (),
        title if title != name else "",
        context or None,
        _first(_OUTPUT, row, limits, top) or None,
        takes,
        _modalities(row, "output"),
        *prices,
        count(row.get("created")) or None,
        text_in(row, "owned_by", "organization", "publisher"),
    )


def _table(row: dict[str, Any], name: str) -> dict[str, Any]:
    value = row.get(name)
    return value if isinstance(value, dict) else {}


def _first(names: tuple[str, ...], *tables: dict[str, Any]) -> int | None:
    for table in tables:
        for name in names:
            number = count(table.get(name))
            if number:
                return number
    return None


def _modalities(row: dict[str, Any], direction: str) -> tuple[str, ...]:
    kinds = _table(row, "architecture").get(f"{direction}_modalities")
    if not isinstance(kinds, list):
        kinds = row.get(f"supported_{direction}_modalities") or row.get(f"{direction}_modalities")
    if not isinstance(kinds, list):
        return ()
    return tuple(kind for kind in kinds if isinstance(kind, str))


def _prices(pricing: dict[str, Any]) -> tuple[float | None, float | None]:
    """Return US dollars for a million tokens, in and out."""
    if "prompt" in pricing or "completion" in pricing:  # a token
        return _dollars(pricing.get("prompt"), 1e6), _dollars(pricing.get("completion"), 1e6)
    return _dollars(pricing.get("input"), 1.0), _dollars(pricing.get("output"), 1.0)


def _dollars(value: object, factor: float) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        amount = float(value) * factor
    except (ValueError, OverflowError):
        return None
    return round(amount, 6) if 0 <= amount < 1e6 else None  # OpenRouter: -1 is "it depends"
