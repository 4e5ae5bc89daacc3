"""Checks of darkai's files: configuration, folders, keys, the history, the rate limits."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from darkai_cli import files
from darkai_cli.config import load, paths, schema, trust
from darkai_cli.config.keys import file as key_file
from darkai_cli.conversation.rate_limit import format_slot, rates_of
from darkai_cli.doctor.check import Finding, Step, failed, ok, warned
from darkai_cli.errors import ConfigError, DarkAIError, StoreError
from darkai_cli.providers import connect, resolve
from darkai_cli.rate_limits.gate import origin_text
from darkai_cli.rate_limits.rates import longest_interval, next_slot
from darkai_cli.rate_limits.store import RateLimitStoreError, overview
from darkai_cli.text import file_size, plural

if TYPE_CHECKING:
    from darkai_cli.config import Config
    from darkai_cli.history.health import Health

QUICK = 4.0
"""Seconds of reading the history, unless all of it is to be read."""

_NEEDED_FOR = {"config": "settings", "data": "conversations", "cache": "lists of models"}
_OTHER_VARIABLES = ("DARKAI_HOME", schema.URL_VARIABLE)


def steps(
    config: Config, faults: Sequence[DarkAIError], environ: Mapping[str, str], *, deep: bool
) -> list[Step]:
    """Return the checks of the files; ``faults`` are the errors in the configuration.

    ``deep``: read all of the history.
    """
    section = "Configuration"
    config_steps = [Step("config", section, "config", lambda: configuration(config, environ))]
    if faults:
        config_steps = [
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
        *config_steps,
        Step("config.project", section, "project", lambda: project(config, environ)),
        Step("config.environment", section, "environment", lambda: environment(config, environ)),
        *(
            Step(f"folders.{name}", section, f"{name} folder",
                 lambda name=name, path=path: folder(name, path))  # type: ignore[misc]
            for name, path in folders.items()
        ),
        Step("folders.keys", section, "keys.toml", lambda: keys_file(environ)),
        Step("history", "Data", "history", lambda: history(environ, deep=deep)),
        Step("limits", "Data", "rate limits", lambda: limits(config, environ)),
    ]  # fmt: skip


def configuration(config: Config, environ: Mapping[str, str]) -> Finding:
    """Check the user's file."""
    file = paths.config_file(environ)
    if not file.exists():
        return ok(f"no `{file}`, using the defaults")
    keys = [name for name in schema.KEYS if config.origin(name).kind == "user"]
    keys += [f"aliases.{name}" for name in config.aliases]
    keys += [f"providers.{name}" for name in config.providers]
    return ok(f"`{file}` sets {', '.join(keys) or 'nothing'}")


def project(config: Config, environ: Mapping[str, str]) -> Finding:
    """Check the project's file, and whether it is trusted."""
    file = paths.project_file(environ)
    if file is None:
        return ok("no project file here")
    if config.notices:
        more = f" (and {len(config.notices) - 1} more)" if len(config.notices) > 1 else ""
        return warned(config.notices[0] + more, hint="Read it, then run `darkai config trust`")
    try:
        trusted = trust.is_trusted(file, files.read(file) or b"", environ)
    except OSError:
        trusted = False
    return ok(f"`{file}`, {'trusted' if trusted else 'not trusted, and sets only what is allowed'}")


def environment(config: Config, environ: Mapping[str, str]) -> Finding:
    """Check the variables. Only names are reported: a value may be private."""
    known = {key.variable for key in schema.KEYS.values()} | {*_OTHER_VARIABLES}
    keys = connect.key_variables(config)
    unknown = sorted(
        name for name in environ if name.startswith("DARKAI_") and name not in known | keys
    )
    if unknown:
        close = schema.nearest(unknown[0], known)
        return warned(
            f"Unknown variable `{unknown[0]}`",
            hint=f"Did you mean `{close}`?" if close else f"Run `unset {unknown[0]}`",
        )
    ignored = [f"Ignoring `{name}`: it {fault}" for name, _, _, fault in load.service_urls(environ)
               if fault]  # fmt: skip
    if ignored:
        return warned(ignored[0], hint="Correct it, or unset it")
    names = sorted(known | {*schema.ADDRESS_VARIABLES} | keys)
    used = [name for name in names if environ.get(name, "").strip()]
    return ok(", ".join(used) or "no variables of darkai or of API keys")


def folder(name: str, path: Path) -> Finding:
    """Check that a folder can be used, and that nobody else can read it."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return _missing_folder(name, path)
    except OSError as exc:
        return failed(_unusable(name, path, files.reason(exc)))
    if not path.is_dir():
        return failed(_unusable(name, path, "not a folder"))
    if not os.access(path, os.R_OK | os.W_OK | os.X_OK):
        if name == "cache":
            return warned(f"`{path}` is not writable, so nothing is cached",
                          hint=f"Check it: `ls -ld {path}`")  # fmt: skip
        return failed(_unusable(name, path, "not writable"))
    if hasattr(os, "geteuid") and status.st_mode & 0o077:
        return warned(
            f"`{path}` is accessible to others (mode {status.st_mode & 0o777:04o})",
            hint=f"Run `chmod 700 {path}`",
        )
    open_files = sorted(file.name for file in _private_files(path) if _is_open(file))
    if open_files:
        names = ", ".join(f"`{file}`" for file in open_files[:3])
        return warned(
            f"{names} in `{path}`: readable by others",
            hint=f"Run `chmod 600 {path / open_files[0]}`",
        )
    return ok(f"`{path}`, private" if hasattr(os, "geteuid") else f"`{path}`")


def _missing_folder(name: str, path: Path) -> Finding:
    """Check that a folder can be created when it is needed."""
    parent = next((folder for folder in path.parents if folder.exists()), path.parent)
    if os.access(parent, os.W_OK | os.X_OK):
        return ok(f"`{path}` will be created when needed")
    fault = _unusable(name, path, f"it does not exist, and `{parent}` is not writable")
    return warned(fault.message, fault.hint) if name == "cache" else failed(fault)


def _unusable(name: str, path: Path, reason: str) -> DarkAIError:
    kind = StoreError if name == "data" else ConfigError
    return kind(
        f"Can't use `{path}` for {_NEEDED_FOR[name]}: {reason}",
        hint=f"Check it: `ls -ld {path}`; or set another folder with `DARKAI_HOME=FOLDER`",
    )


def _private_files(folder: Path) -> list[Path]:
    """Return the files that nobody else should read; keys have a check of their own."""
    return [*folder.glob("history.db*"), *folder.glob("limits.db*"), *folder.glob("trust.json")]


def _is_open(file: Path) -> bool:
    try:
        return hasattr(os, "geteuid") and bool(file.stat().st_mode & 0o077)
    except OSError:
        return False


def keys_file(environ: Mapping[str, str]) -> Finding:
    """Check that the stored keys can be used: a file that others can read is refused."""
    file = paths.keys_file(environ)
    if not os.path.lexists(file):
        return ok("no stored keys")
    entries = key_file.entries(environ)
    return ok(f"`{file}`, private, has keys for {', '.join(entries) or 'no provider'}")


def history(environ: Mapping[str, str], *, deep: bool) -> Finding:
    """Check the database: quickly, or (``deep``) by reading all of it."""
    from darkai_cli.history import health as inspection
    from darkai_cli.history.database import import_command

    file = paths.history_file(environ)
    health = inspection.inspect_fully(file) if deep else inspection.inspect(file, QUICK)
    aside = sorted(file.parent.glob(f"{file.name}.damaged-*"))
    if health is not None and health.problems:
        return failed(
            StoreError(
                f"`{file}` has {plural(len(health.problems), 'problem')}: {health.problems[0]}",
                hint=f"Run `darkai history check --repair`, or {import_command(file)} to recover "
                "what can be read",
            )
        )
    detail = "no saved conversations" if health is None else _health(health, str(file), deep=deep)
    if aside:
        return warned(
            f"{detail}; a damaged history was moved to `{aside[0]}`",
            hint=f"Run {import_command(aside[0])} to recover what can be read, then remove it",
        )
    return ok(detail)


def _health(health: Health, file: str, *, deep: bool) -> str:
    how = "full check passed" if deep else "quick check passed"
    if not health.complete:
        how = f"no damage in the part read in {QUICK:g} s (`darkai history check` reads everything)"
    count = plural(health.conversations, "conversation")
    return f"`{file}`, {file_size(health.size)}, schema {health.version}, {count}, {how}"


def limits(config: Config, environ: Mapping[str, str], now: float | None = None) -> Finding:
    """Check which providers have to wait, and how much of their rates is used."""
    now = time.time() if now is None else now
    providers = resolve.usable_providers(config)[0]
    file = paths.limits_file(environ)
    names = {origin_text(provider.url): provider.name for provider in providers if provider.url}
    try:
        sent_at, holds = overview(file, now)
    except RateLimitStoreError as exc:
        return warned(
            f"Can't read `{file}`, so requests are not counted: {exc}",
            hint=f"Run `rm {file}`: it only contains the counts of the last hours",
        )
    waits = [
        f"{names.get(account.origin, account.origin)} asked us to wait {format_slot(until, now)}"
        for account, until in holds.items()
    ]
    counts = []
    for provider in providers:
        rates = rates_of(provider, config)
        for account, times in sent_at.items():
            if not rates or account.origin != origin_text(provider.url):
                continue
            free = next_slot(rates, times, now)
            if free.at > now:
                when = format_slot(free.at, now, "at")
                waits.append(f"{provider.name} allows {free.rate}, the next {when}")
            else:
                recent = sum(at > now - longest_interval(rates) for at in times)
                counts.append(
                    f"{provider.name}: {plural(recent, 'request')} counted, ready for the next"
                )
    if waits:
        return warned(
            "; ".join([*waits, *counts]), hint="Wait, or use another provider: `darkai ask -p NAME`"
        )
    return ok("; ".join(counts) or "none pending")
