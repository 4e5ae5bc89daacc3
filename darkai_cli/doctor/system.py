"""Checks of what darkai runs on: Python, the packages that it needs, the terminal."""

from __future__ import annotations

import platform
import re
import ssl
import sys
from collections.abc import Iterator, Mapping
from importlib import metadata
from typing import TYPE_CHECKING, NamedTuple

from darkai_cli import stdio
from darkai_cli.doctor.check import Finding, Step, failed, ok, warned
from darkai_cli.errors import ConfigError
from darkai_cli.version import __version__

if TYPE_CHECKING:
    from darkai_cli.config import Config

DISTRIBUTION = "darkai-cli"
NARROW = 40
"""The fewest columns that darkai's tables and messages are made for."""

_REQUIREMENT = re.compile(r"\s*(?P<name>[\w.-]+)\s*(\[[^]]*\])?\s*\(?(?P<bounds>[^;)]*)\)?")
_EXTRA = re.compile(r"""extra\s*==\s*['"](?P<extra>[\w-]+)['"]""")
_BOUND = re.compile(r"(?P<sign>[<>=!~]=?)\s*(?P<version>[\d.]+)")


class Requirement(NamedTuple):
    """A package that darkai or its ``extra`` needs. ``bounds``: such as ``>=0.28,<0.29``."""

    package: str
    bounds: str
    extra: str = ""


def steps(config: Config, environ: Mapping[str, str]) -> list[Step]:
    """Return the checks of this installation."""
    section = "Installation"
    return [
        Step("python", section, "python", python),
        Step("packages", section, "packages", packages),
        Step("extras", section, "extras", extras),
        Step("terminal", section, "terminal", lambda: terminal(config, environ)),
    ]


def python() -> Finding:
    """Report the versions, and whether Python runs in a virtual environment."""
    library = " ".join(ssl.OPENSSL_VERSION.split()[:2])
    place = " in a virtual environment" if sys.prefix != sys.base_prefix else ""
    return ok(
        f"darkai {__version__}, Python {platform.python_version()}{place}, "
        f"{library}, {platform.platform()}"
    )


def packages() -> Finding:
    """Check that each package has a version that darkai is made for."""
    needs = [need for need in required() if not need.extra]
    if not needs:
        return warned(
            f"`{DISTRIBUTION}` is not installed; darkai runs from its source",
            hint=f"Run `pip install {DISTRIBUTION}`",
        )
    versions = {need.package: version_of(need.package) for need in needs}
    missing = [name for name, version in versions.items() if version is None]
    again = f"Run `pip install --force-reinstall {DISTRIBUTION}`"
    if missing:
        return failed(ConfigError(f"Not installed: {', '.join(missing)}", hint=again))
    wrong = [
        f"{need.package} {versions[need.package]} (expected {need.bounds})"
        for need in needs
        if not within(versions[need.package] or "", need.bounds)
    ]
    if wrong:
        return warned(f"Unexpected versions: {', '.join(wrong)}", hint=again)
    return ok(", ".join(f"{name} {version}" for name, version in versions.items()))


def extras() -> Finding:
    """Report which extras are installed; all are optional."""
    installed, missing = [], []
    for need in required():
        if not need.extra or need.extra == "dev":
            continue
        version = version_of(need.package)
        if version is None:
            missing.append(need.extra)
        else:
            installed.append(f"{need.extra} ({need.package} {version})")
    parts = [f"installed: {', '.join(installed)}"] if installed else []
    if missing:
        names = ",".join(missing)
        parts.append(f"not installed: {names} (`pip install '{DISTRIBUTION}[{names}]'`)")
    return ok("; ".join(parts) or "none")


def required() -> Iterator[Requirement]:
    """Yield what the installed distribution requires; nothing if it is not installed."""
    try:
        lines = metadata.requires(DISTRIBUTION) or []
    except metadata.PackageNotFoundError:
        return
    for line in lines:
        parts = _REQUIREMENT.match(line)
        if parts is not None:
            extra = _EXTRA.search(line)
            bounds = parts["bounds"].replace(" ", "")
            yield Requirement(parts["name"], bounds, extra["extra"] if extra else "")


def version_of(package: str) -> str | None:
    """Return the installed version; None if there is none, or it is broken."""
    try:
        return metadata.version(package)
    except (metadata.PackageNotFoundError, KeyError):
        return None


def within(version: str, bounds: str) -> bool:
    """Return whether a version satisfies ``>=1.2,<2``; bounds of another form are ignored."""
    actual = _numbers(version)
    for bound in _BOUND.finditer(bounds):
        other = _numbers(bound["version"])
        if (bound["sign"] == ">=" and actual < other) or (bound["sign"] == "<" and actual >= other):
            return False
    return True


def _numbers(version: str) -> tuple[int, ...]:
    match = re.match(r"\d+(?:\.\d+)*", version)
    numbers = [int(part) for part in match[0].split(".")] if match else []
    while numbers and not numbers[-1]:
        numbers.pop()  # 1.0 is 1
    return tuple(numbers)


def terminal(config: Config, environ: Mapping[str, str]) -> Finding:
    """Report what the terminal can do, as far as the environment says."""
    out = stdio.stdout()
    name = environ.get("TERM", "")
    places = [
        what
        for variable, what in (("TMUX", "tmux"), ("STY", "screen"), ("SSH_CONNECTION", "ssh"))
        if environ.get(variable)
    ]
    if not stdio.is_terminal(out):
        facts = ["stdout is not a terminal", f"TERM={name}" if name else "", *places]
        return ok(", ".join(filter(None, facts)))
    columns, rows = stdio.size(out)
    facts = [name or "no TERM", f"{columns}x{rows}", *_look(config, environ), *places]
    facts += [f"{each} is set" for each in ("NO_COLOR", "FORCE_COLOR") if environ.get(each)]
    detail = ", ".join(facts)
    locale = locale_of(environ)
    if not is_utf8(locale):
        return warned(
            f"{detail}; the locale `{locale}` is not UTF-8, so text beyond ASCII may be garbled",
            hint="Run `export LC_ALL=C.UTF-8`, or choose a UTF-8 locale of your language",
        )
    if stdio.is_dumb() or not name:
        return warned(
            f"{detail}; Markdown is not rendered",
            hint="Run `export TERM=xterm-256color` if your terminal is compatible",
        )
    if columns < NARROW:
        return warned(f"{detail}; tables need {NARROW} columns", hint="Make the window wider")
    return ok(detail)


def _look(config: Config, environ: Mapping[str, str]) -> list[str]:
    from darkai_cli.conversation.sinks import markdown_style

    style = markdown_style(config)
    if not stdio.use_color(stdio.stdout()):
        colour = "no colour"
    else:
        colour = "24-bit colour" if style.truecolor else "256 colours"
    value = environ.get("COLORFGBG", "")
    sign = f" (COLORFGBG={value})" if value else ""
    links = "links" if style.links else "no links"
    text = "UTF-8" if is_utf8(locale_of(environ)) else "not UTF-8"
    return [colour, links, f"{style.theme} background{sign}", text]


def locale_of(environ: Mapping[str, str]) -> str:
    """Return the locale of text that the environment sets."""
    values = (environ.get(name, "") for name in ("LC_ALL", "LC_CTYPE", "LANG"))
    return next(filter(None, values), "C")


def is_utf8(locale: str) -> bool:
    """Return whether the locale's encoding is UTF-8; on macOS its name may be just that."""
    return locale.partition("@")[0].lower().replace("-", "").endswith("utf8")
