"""What the programs that darkai starts may see of the environment: everything but keys.

Exact names, not patterns: a password manager's own token is what a ``key_command`` may need.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from darkai_cli.config import schema

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_ENDINGS = ("_KEY", "_TOKEN", "_SECRET", "_PASSWORD")


def environment_for_children(environ: Mapping[str, str], keys: Iterable[str]) -> dict[str, str]:
    """``environ`` without the variables named in ``keys``, and without darkai's own secrets.

    The latter are ``DARKAI_..._KEY`` and the like, and a proxy's URL that holds a password.
    """
    hidden = set(keys)
    settings = {key.variable for key in schema.KEYS.values()}
    return {
        name: value
        for name, value in environ.items()
        if name not in hidden
        and not (name == "DARKAI_PROXY" and "@" in value)
        and not (name.startswith("DARKAI_") and name.endswith(_ENDINGS) and name not in settings)
    }
