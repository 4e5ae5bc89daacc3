"""Cache the models that services list, for a day: a file for each provider in the cache folder.

A file is private and replaced as a whole. One that is damaged, of another URL or from the future
counts as none: nothing here raises, as every list can be fetched again.
"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from darkai_cli import files
from darkai_cli.config import paths
from darkai_cli.providers.base import ModelInfo

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

MAX_AGE = 86400.0
"""Seconds for which a list is not fetched again."""

MAX_MODELS = 3000
"""Models of one list; a file with more would be too large to be read."""

_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-")


def read(
    name: str, url: str, *, old: bool = False, environ: Mapping[str, str] | None = None
) -> list[ModelInfo] | None:
    """Return the models of the provider ``name`` at ``url``; None if they are not cached.

    ``old``: also accept a list that is older than a day.
    """
    try:
        cached = json.loads(files.read(_file(name, url, environ)) or b"null")
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(cached, dict) or cached.get("url") != url:
        return None
    saved_at, rows = cached.get("time"), cached.get("models")
    if not isinstance(saved_at, (int, float)) or not isinstance(rows, list):
        return None
    if not old and not 0 <= time.time() - saved_at < MAX_AGE:
        return None
    models = [_model(row) for row in rows if isinstance(row, dict)]
    return [model for model in models if model.name]


def write(
    name: str, url: str, models: Sequence[ModelInfo], environ: Mapping[str, str] | None = None
) -> None:
    """Cache a list. A folder that cannot be written is no error."""
    file = _file(name, url, environ)
    defaults = ModelInfo("")._asdict()
    rows = [
        {field: value for field, value in model._asdict().items() if value != defaults[field]}
        for model in models[:MAX_MODELS]
    ]
    try:
        files.ensure(file.parent.parent)
        files.ensure(file.parent)
        data = json.dumps({"url": url, "time": time.time(), "models": rows})
        if len(data) < files.LARGEST:
            files.replace(file, data.encode())
    except (OSError, ValueError):
        return


def _file(name: str, url: str, environ: Mapping[str, str] | None) -> Path:
    """Return the file of a provider at a URL, which the file repeats: names may be cut alike."""
    file_name = "".join(char if char in _PLAIN else "_" for char in f"{name}@{url}")
    return paths.cache_dir(environ) / "models" / f"{file_name[:200]}.json"


def _model(row: dict[str, Any]) -> ModelInfo:
    """Return a model from a file that anybody may have changed."""
    texts = {key: _text(row.get(key)) for key in ("name", "title", "owner")}
    counts = {key: _number(row.get(key)) for key in ("context", "output", "created")}
    prices = {key: _number(row.get(key)) for key in ("price_in", "price_out")}
    lists = {key: _texts(row.get(key)) for key in ("aliases", "takes", "gives")}
    whole_numbers = {key: None if value is None else int(value) for key, value in counts.items()}
    return ModelInfo(**texts, **whole_numbers, **prices, **lists)  # type: ignore[arg-type]


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _texts(value: object) -> tuple[str, ...]:
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return value if 0 <= value < 2**63 else None
