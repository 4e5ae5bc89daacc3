"""darkai: a command-line chat client, and its Python API.

Public names are loaded on first use (PEP 562), so that ``darkai --version`` and every command pay
only for what they need.
"""

from __future__ import annotations

from darkai_cli.version import __version__

TYPE_CHECKING = False  # `import typing` alone would double the time of `--version`
if TYPE_CHECKING:
    from typing import Any

    from darkai_cli.api import (
        AsyncGeneratorProvider,
        AsyncResult,
        DarkAI,
        Messages,
        ProviderModelMixin,
        ask,
        astream,
        format_prompt,
        stream,
    )

__all__ = [
    "AsyncGeneratorProvider",
    "AsyncResult",
    "DarkAI",
    "Messages",
    "ProviderModelMixin",
    "__version__",
    "ask",
    "astream",
    "format_prompt",
    "stream",
]


def __getattr__(name: str) -> Any:
    if name in __all__:
        from darkai_cli import api

        return getattr(api, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
