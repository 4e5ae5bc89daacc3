"""Lists of models, as OpenAI's ``GET /models`` gives them and as its relatives enrich them.

The bare list has only names. What else a service tells stands under different names in each:

- OpenRouter: ``context_length``, ``architecture``, ``pricing`` in dollars a token, as texts
- Hugging Face's router: the same ``architecture``, and prices a million tokens for each provider
- Together: a bare list with ``context_length``, ``pricing`` a million tokens, ``type``
- Groq: ``context_window``; Mistral: ``max_context_length``, ``capabilities``, ``aliases``
- vLLM: ``max_model_len``; llama.cpp: ``meta.n_ctx``; LM Studio: ``max_context_length``
- GitHub Models: a bare list with ``limits`` and ``supported_input_modalities``

Sources: the services' public documentation of that call, the servers' sources.
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
    """The request for the list; None where the service has none."""
    path = settings.quirks.models_path
    if path == "":
        return None
    root = settings
    if path is not None and "://" in path:
        root = settings._replace(url=path)  # to which the key is bound, or it is not sent
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
    """The models that can hold a conversation, as far as the service tells.

    Raises ``BadReplyError`` if it is no list of models.
    """
    rows = payload
    if isinstance(payload, dict):
        rows = payload.get("data")
        if not isinstance(rows, list):
            rows = payload.get("models")
    if not isinstance(rows, list):
        raise BadReplyError("the service sent no list of models")
    found: dict[str, ModelInfo] = {}
    for row in dicts(rows):
        name = text_in(row, "id", "name", "model")
        if name and _is_chat(row):
            found.setdefault(name, _model(name, row))
    for row in rows:
        if isinstance(row, str) and row:
            found.setdefault(row, ModelInfo(row))
    return list(found.values())


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
    context = context or _first(("n_ctx", "n_ctx_train"), meta)  # as it was started, as it was made
    takes = _modalities(row, "input")
    if not takes and _table(row, "capabilities").get("vision") is True:
        takes = ("text", "image")
    if not takes and row.get("supports_image_input") is True:
        takes = ("text", "image")
    aliases = row.get("aliases")
    title = text_in(row, "display_name", "name")
    return ModelInfo(
        name,
        tuple(one for one in aliases if isinstance(one, str)) if isinstance(aliases, list) else (),
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
            found = count(table.get(name))
            if found:
                return found
    return None


def _modalities(row: dict[str, Any], way: str) -> tuple[str, ...]:
    given = _table(row, "architecture").get(f"{way}_modalities")
    if not isinstance(given, list):
        given = row.get(f"supported_{way}_modalities") or row.get(f"{way}_modalities")
    if not isinstance(given, list):
        return ()
    return tuple(one for one in given if isinstance(one, str))


def _prices(pricing: dict[str, Any]) -> tuple[float | None, float | None]:
    """US dollars a million tokens, in and out."""
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
