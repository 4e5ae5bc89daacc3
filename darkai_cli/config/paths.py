"""Where darkai keeps its files. ``DARKAI_HOME`` puts all of them side by side into one folder.

Otherwise the platform's folders are used: on Linux those of the XDG base directory specification,
elsewhere those of platformdirs. Importing that costs as much as reading a config file, so the usual
case on Linux is answered without it.
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
    """Return the folder of ``config.toml``."""
    return _home(environ) or _platform_folder(environ, "config", "XDG_CONFIG_HOME", ".config")


def data_dir(environ: Mapping[str, str] | None = None) -> Path:
    """Return the folder of the history and other data that cannot be created again."""
    return _home(environ) or _platform_folder(environ, "data", "XDG_DATA_HOME", ".local/share")


def cache_dir(environ: Mapping[str, str] | None = None) -> Path:
    """Return the folder of files that can be created again."""
    home = _home(environ)
    if home is not None:
        return home / "cache"
    return _platform_folder(environ, "cache", "XDG_CACHE_HOME", ".cache")


def config_file(environ: Mapping[str, str] | None = None) -> Path:
    """Return the path of the user's configuration."""
    return config_dir(environ) / "config.toml"


def keys_file(environ: Mapping[str, str] | None = None) -> Path:
    """Return the path of the user's API keys."""
    return config_dir(environ) / "keys.toml"


def trust_file(environ: Mapping[str, str] | None = None) -> Path:
    """Return the path of the list of trusted project files."""
    return config_dir(environ) / "trust.json"


def state_file(environ: Mapping[str, str] | None = None) -> Path:
    """Return the path of the small facts that are kept between processes."""
    return data_dir(environ) / "state.json"


def history_file(environ: Mapping[str, str] | None = None) -> Path:
    """Return the path of the database of conversations."""
    return data_dir(environ) / "history.db"


def limits_file(environ: Mapping[str, str] | None = None) -> Path:
    """Return the path of the database of rate limits."""
    return data_dir(environ) / "limits.db"


def input_file(environ: Mapping[str, str] | None = None) -> Path:
    """Return the path of the prompts that were entered in ``darkai chat``."""
    return data_dir(environ) / "input_history"


def project_file(environ: Mapping[str, str] | None = None, cwd: Path | None = None) -> Path | None:
    """Return the nearest ``.darkai.toml``, from ``cwd`` up to the home folder or a git root."""
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


def _platform_folder(
    environ: Mapping[str, str] | None, kind: str, variable: str, folder: str
) -> Path:
    """Return the platform's folder for files of this kind."""
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
