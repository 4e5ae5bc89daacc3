"""Where darkai keeps its files. ``DARKAI_HOME`` puts all of them side by side into one folder.

Not what is in them. Without ``DARKAI_HOME`` the platform's folders are used (platformdirs, imported
only then).
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

PROJECT_FILE = ".darkai.toml"
"""The name of a project's configuration file."""


def config_dir(environ: Mapping[str, str] | None = None) -> Path:
    """The folder of ``config.toml``."""
    home = _home(environ)
    if home is not None:
        return home
    import platformdirs

    return Path(platformdirs.user_config_dir("darkai", appauthor=False))


def data_dir(environ: Mapping[str, str] | None = None) -> Path:
    """The folder of the history and other data that cannot be made again."""
    home = _home(environ)
    if home is not None:
        return home
    import platformdirs

    return Path(platformdirs.user_data_dir("darkai", appauthor=False))


def cache_dir(environ: Mapping[str, str] | None = None) -> Path:
    """The folder of what can be made again."""
    home = _home(environ)
    if home is not None:
        return home / "cache"
    import platformdirs

    return Path(platformdirs.user_cache_dir("darkai", appauthor=False))


def config_file(environ: Mapping[str, str] | None = None) -> Path:
    """The user's configuration."""
    return config_dir(environ) / "config.toml"


def keys_file(environ: Mapping[str, str] | None = None) -> Path:
    """The user's API keys."""
    return config_dir(environ) / "keys.toml"


def trust_file(environ: Mapping[str, str] | None = None) -> Path:
    """Which project files the user trusts."""
    return config_dir(environ) / "trust.json"


def state_file(environ: Mapping[str, str] | None = None) -> Path:
    """Small facts that are remembered from one process to the next."""
    return data_dir(environ) / "state.json"


def history_file(environ: Mapping[str, str] | None = None) -> Path:
    """The database of conversations."""
    return data_dir(environ) / "history.db"


def limits_file(environ: Mapping[str, str] | None = None) -> Path:
    """The database that counts requests."""
    return data_dir(environ) / "limits.db"


def holds_dir(environ: Mapping[str, str] | None = None) -> Path:
    """The folder of the times until which services asked for silence."""
    return data_dir(environ) / "holds"


def input_file(environ: Mapping[str, str] | None = None) -> Path:
    """The lines typed in ``darkai chat``."""
    return data_dir(environ) / "input_history"


def project_file(environ: Mapping[str, str] | None = None, cwd: Path | None = None) -> Path | None:
    """The nearest ``.darkai.toml`` from ``cwd`` up to the home folder or a git tree's root."""
    try:
        folder = os.path.realpath(cwd) if cwd is not None else os.getcwd()  # noqa: PTH109 -- cheaper
    except OSError:  # the current folder has been deleted
        return None
    values = os.environ if environ is None else environ
    home = os.path.realpath(values.get("HOME") or os.path.expanduser("~"))  # noqa: PTH111 -- cheaper
    while True:
        file = os.path.join(folder, PROJECT_FILE)  # noqa: PTH118 -- cheaper
        if os.path.exists(file):  # noqa: PTH110 -- cheaper
            return Path(file)
        parent = os.path.dirname(folder)  # noqa: PTH120 -- cheaper
        if folder in (home, parent) or os.path.lexists(os.path.join(folder, ".git")):  # noqa: PTH118
            return None
        folder = parent


def _home(environ: Mapping[str, str] | None) -> Path | None:
    named = (os.environ if environ is None else environ).get("DARKAI_HOME")
    return Path(os.path.abspath(os.path.expanduser(named))) if named else None  # noqa: PTH100, PTH111 -- pathlib's expanduser raises where there is no home
