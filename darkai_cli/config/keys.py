"""Where a provider's API key comes from. Reads only; nothing is printed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from darkai_cli.secret import Secret

if TYPE_CHECKING:
    from darkai_cli.config.merged import Config


def find(
    config: Config, name: str, variables: Sequence[str], url: str, environ: Mapping[str, str]
) -> Secret | None:
    """The key of the provider ``name``, bound to the origin of ``url``; None if there is none.

    ``variables``: the usual environment variables of its key.
    """
    table = config.providers.get(name)
    plain_http = bool(table and table.allow_http_key)
    named = (table.key_env,) if table and table.key_env else tuple(variables)
    for variable in named:
        value = environ.get(variable, "").strip()
        if value:
            return Secret(value, variable, url, plain_http=plain_http)
    return None
