"""Checks of the configuration and of the folders and files that darkai keeps."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from darkai_cli import files
from darkai_cli.config import load, paths, schema, trust
from darkai_cli.config.keys import file as stored
from darkai_cli.doctor.check import Finding, Step, failed, ok, warned
from darkai_cli.errors import ConfigError, DarkAIError, StoreError
from darkai_cli.providers import connect

if TYPE_CHECKING:
    from darkai_cli.config import Config

_NEEDED_FOR = {"config": "settings", "data": "conversations", "cache": "lists of models"}
_OTHERS = ("DARKAI_HOME", schema.URL_VARIABLE)


def steps(config: Config, faults: Sequence[DarkAIError], environ: Mapping[str, str]) -> list[Step]:
    """The checks of the configuration, a line for each of its faults, and of the folders."""
    section = "Configuration"
    found = [Step("config", section, "config", lambda: configuration(config, environ))]
    if faults:
        found = [
            Step(f"config.{number}" if number > 1 else "config", section, "config",
                 lambda fault=fault: failed(fault))  # type: ignore[misc]
            for number, fault in enumerate(faults, 1)
        ]  # fmt: skip
    folders = {
        "config": paths.config_dir(environ),
        "data": paths.data_dir(environ),
        "cache": paths.cache_dir(environ),
    }
    return [
        *found,
        Step("config.project", section, "project", lambda: project(config, environ)),
        Step("config.environment", section, "environment", lambda: environment(config, environ)),
        *(
            Step(f"folders.{name}", section, f"{name} folder",
                 lambda name=name, path=path: folder(name, path))  # type: ignore[misc]
            for name, path in folders.items()
        ),
        Step("folders.keys", section, "keys.toml", lambda: keys_file(environ)),
    ]  # fmt: skip


def configuration(config: Config, environ: Mapping[str, str]) -> Finding:
    """The user's file."""
    file = paths.config_file(environ)
    if not file.exists():
        return ok(f"no `{file}`: the defaults are in force")
    mine = [name for name in schema.KEYS if config.origin(name).kind == "user"]
    mine += [f"aliases.{name}" for name in config.aliases]
    mine += [f"providers.{name}" for name in config.providers]
    return ok(f"`{file}` sets {', '.join(mine) or 'nothing'}")


def project(config: Config, environ: Mapping[str, str]) -> Finding:
    """The project's file, and whether it is trusted."""
    file = paths.project_file(environ)
    if file is None:
        return ok("no project file here")
    if config.notices:
        more = f" (and {len(config.notices) - 1} more)" if len(config.notices) > 1 else ""
        return warned(config.notices[0] + more, hint="read the file, then `darkai config trust`")
    try:
        trusted = trust.is_trusted(file, files.read(file) or b"", environ)
    except OSError:
        trusted = False
    return ok(f"`{file}`, {'trusted' if trusted else 'not trusted, and sets only what it may'}")


def environment(config: Config, environ: Mapping[str, str]) -> Finding:
    """The variables in force. Names only: a value may be private."""
    known = {key.variable for key in schema.KEYS.values()} | {*_OTHERS}
    keys = connect.key_variables(config)
    strange = sorted(
        name for name in environ if name.startswith("DARKAI_") and name not in known | keys
    )
    if strange:
        close = schema.nearest(strange[0], known)
        return warned(
            f"`{strange[0]}` means nothing to darkai",
            hint=f"did you mean `{close}`?" if close else f"`unset {strange[0]}`",
        )
    ignored = [f"`{name}` is ignored: {fault}" for name, _, _, fault in load.service_urls(environ)
               if fault]  # fmt: skip
    if ignored:
        return warned(ignored[0], hint="correct it, or unset it")
    names = sorted(known | {*schema.ADDRESS_VARIABLES} | keys)
    found = [name for name in names if environ.get(name, "").strip()]
    return ok(", ".join(found) or "no variable of darkai's or of a key is set")


def folder(name: str, path: Path) -> Finding:
    """Whether a folder can be used, and is the user's alone."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return _not_made(name, path)
    except OSError as exc:
        return failed(_unusable(name, path, files.reason(exc)))
    if not path.is_dir():
        return failed(_unusable(name, path, "it is no folder"))
    if not os.access(path, os.R_OK | os.W_OK | os.X_OK):
        if name == "cache":
            return warned(f"`{path}` cannot be written: nothing is kept there",
                          hint=f"look at it: `ls -ld {path}`")  # fmt: skip
        return failed(_unusable(name, path, "it cannot be written"))
    if hasattr(os, "geteuid") and status.st_mode & 0o077:
        return warned(
            f"`{path}` is open to others (mode {status.st_mode & 0o777:04o})",
            hint=f"`chmod 700 {path}`",
        )
    open_files = sorted(one.name for one in _private(path) if _is_open(one))
    if open_files:
        shown = ", ".join(f"`{one}`" for one in open_files[:3])
        return warned(
            f"others may read {shown} in `{path}`", hint=f"`chmod 600 {path / open_files[0]}`"
        )
    return ok(f"`{path}`, yours alone" if hasattr(os, "geteuid") else f"`{path}`")


def _not_made(name: str, path: Path) -> Finding:
    """A folder that is made when it is needed, if it can be."""
    above = next((one for one in path.parents if one.exists()), path.parent)
    if os.access(above, os.W_OK | os.X_OK):
        return ok(f"`{path}` is made when it is needed")
    fault = _unusable(name, path, f"it is not there, and `{above}` cannot be written")
    return warned(fault.message, fault.hint) if name == "cache" else failed(fault)


def _unusable(name: str, path: Path, reason: str) -> DarkAIError:
    kind = StoreError if name == "data" else ConfigError
    return kind(
        f"`{path}` cannot be used for {_NEEDED_FOR[name]}: {reason}",
        hint=f"look at it: `ls -ld {path}`; or use another folder with `DARKAI_HOME=FOLDER`",
    )


def _private(folder: Path) -> list[Path]:
    """What nobody else should read; keys have a check of their own."""
    return [*folder.glob("history.db*"), *folder.glob("limits.db*"), *folder.glob("trust.json")]


def _is_open(file: Path) -> bool:
    try:
        return hasattr(os, "geteuid") and bool(file.stat().st_mode & 0o077)
    except OSError:
        return False


def keys_file(environ: Mapping[str, str]) -> Finding:
    """Whether the stored keys can be used: what others can read is refused."""
    file = paths.keys_file(environ)
    if not os.path.lexists(file):
        return ok("no stored keys")
    entries = stored.entries(environ)
    return ok(f"`{file}` has keys for {', '.join(entries) or 'nobody'}, and is yours alone")
