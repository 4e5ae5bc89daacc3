"""The models that services list, kept for a day in the cache folder: a file for each provider.

No network. A file is private and replaced as a whole; one that is damaged, of another URL or from
the future counts as none, and nothing here raises for it: all of it can be had again.
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

KEPT = 86400.0
"""Seconds for which a list is not asked for again."""

MOST = 3000
"""Models of one list that are kept: with more, the file would be larger than is read."""

_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-")


def read(
    name: str, url: str, *, old: bool = False, environ: Mapping[str, str] | None = None
) -> list[ModelInfo] | None:
    """The models of the provider ``name`` at ``url``; None if they are not known.

    ``old``: also a list that is older than a day.
    """
    try:
        kept = json.loads(files.read(_file(name, url, environ)) or b"null")
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(kept, dict) or kept.get("url") != url:
        return None
    when, rows = kept.get("time"), kept.get("models")
    if not isinstance(when, (int, float)) or not isinstance(rows, list):
        return None
    if not old and not 0 <= time.time() - when < KEPT:
        return None
    found = [_model(row) for row in rows if isinstance(row, dict)]
    return [model for model in found if model.name]


def write(
    name: str, url: str, models: Sequence[ModelInfo], environ: Mapping[str, str] | None = None
) -> None:
    """Keep the list. A folder that cannot be written is no error."""
    file = _file(name, url, environ)
    usual = ModelInfo("")._asdict()
    rows = [
        {field: value for field, value in one._asdict().items() if value != usual[field]}
        for one in models[:MOST]
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
    """The file of one provider at one URL, which is checked when it is read."""
    where = "".join(char if char in _PLAIN else "_" for char in f"{name}@{url}")
    return paths.cache_dir(environ) / "models" / f"{where[:200]}.json"


def _model(row: dict[str, Any]) -> ModelInfo:
    """A model out of a file that anybody may have changed."""
    texts = {key: _text(row.get(key)) for key in ("name", "title", "owner")}
    counts = {key: _number(row.get(key)) for key in ("context", "output", "created")}
    prices = {key: _number(row.get(key)) for key in ("price_in", "price_out")}
    lists = {key: _texts(row.get(key)) for key in ("aliases", "takes", "gives")}
    whole = {key: None if value is None else int(value) for key, value in counts.items()}
    return ModelInfo(**texts, **whole, **prices, **lists)  # type: ignore[arg-type]


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _texts(value: object) -> tuple[str, ...]:
    return tuple(one for one in value if isinstance(one, str)) if isinstance(value, list) else ()


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return value if 0 <= value < 2**63 else None
