"""Where darkai keeps its files. ``DARKAI_HOME`` puts all of them side by side into one folder.

Not what is in them. Without it the platform's folders are used: on Linux those of the XDG base
directory specification, elsewhere those that platformdirs knows. Importing that costs as much as
reading a config file, so it is left alone where the answer is one environment variable away.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

PROJECT_FILE = ".darkai.toml"
"""The name of a project's configuration file."""


def config_dir(environ: Mapping[str, str] | None = None) -> Path:
    """The folder of ``config.toml``."""
    return _home(environ) or _usual(environ, "config", "XDG_CONFIG_HOME", ".config")


def data_dir(environ: Mapping[str, str] | None = None) -> Path:
    """The folder of the history and other data that cannot be made again."""
    return _home(environ) or _usual(environ, "data", "XDG_DATA_HOME", ".local/share")


def cache_dir(environ: Mapping[str, str] | None = None) -> Path:
    """The folder of what can be made again."""
    home = _home(environ)
    if home is not None:
        return home / "cache"
    return _usual(environ, "cache", "XDG_CACHE_HOME", ".cache")


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
    """The database of rate limits: requests that count, and until when services want none."""
    return data_dir(environ) / "limits.db"


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


def _usual(environ: Mapping[str, str] | None, kind: str, variable: str, folder: str) -> Path:
    """Where this platform keeps what is of this kind."""
    values = os.environ if environ is None else environ
    given = values.get(variable, "")
    home = values.get("HOME", "")
    # The rest is rare enough to be platformdirs' business: a variable with a relative path, which
    # the specification has us ignore, a user without HOME, Android.
    if sys.platform == "linux" and "ANDROID_DATA" not in values:
        if given.startswith("/"):
            return Path(given, "darkai")
        if not given and home.startswith("/"):
            return Path(home, folder, "darkai")
    import platformdirs

    return Path(getattr(platformdirs, f"user_{kind}_dir")("darkai", appauthor=False))
