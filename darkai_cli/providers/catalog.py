"""The providers that are built in, as data.

``type`` names a dialect in the registry. Nothing here is imported or connected; the registry merges
a row with the user's ``[providers.NAME]`` table.
"""

from __future__ import annotations

from darkai_cli.providers import darkai
from darkai_cli.providers.base import ProviderSettings

BUILT_IN: dict[str, ProviderSettings] = {
    "darkai": ProviderSettings(
        name="darkai",
        type="darkai",
        url=darkai.URL,
        default_model=darkai.DEFAULT_MODEL,
        models=darkai.MODELS,
        aliases=darkai.ALIASES,
    ),
    "demo": ProviderSettings(
        name="demo",
        type="demo",
        url="http://demo.localhost/chat",
        default_model="demo",
        models=("demo",),
    ),
}
