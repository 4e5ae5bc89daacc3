"""Formats the checks, as lines for people or as one JSON object, without anything private.

A report can be attached to a bug report: the home folder and the user's name in paths are ``~``,
keys and a proxy's password ``***``. Pure functions; the caller passes the one that wraps lines.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from darkai_cli.doctor.check import Check, Status
from darkai_cli.output.sanitize import sanitize_line
from darkai_cli.secrets import mask_known
from darkai_cli.version import __version__

MARKS: Mapping[Status, str] = {"ok": "ok", "warning": "warn", "fail": "FAIL", "skipped": "skip"}
STYLES: Mapping[Status, str] = {"ok": "good", "warning": "warn", "fail": "bad", "skipped": "dim"}

ROOMY = 72
"""The width from which on titles have a column of their own."""

_LONGEST = 4000
_TITLE = 14
_INDENT = 7


class Privacy:
    """Removes from a text the user's home folders (``homes``) and names."""

    def __init__(self, homes: Iterable[str], names: Iterable[str]) -> None:
        self._homes = sorted({home.rstrip("/") for home in homes if len(home) > 2}, key=len)[::-1]
        known = "|".join(sorted(re.escape(name) for name in set(names) if name))
        self._name = re.compile(rf"(?<=[/\\])(?:{known})(?=[/\\`'\"\s,;:)]|$)") if known else None

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Privacy:
        """Return the object for the current user."""
        import os

        home = environ.get("HOME") or os.path.expanduser("~")  # noqa: PTH111 -- pathlib's may raise
        homes = [home, os.path.realpath(home)] if os.path.isabs(home) else []  # noqa: PTH117 -- a str
        names = [environ.get("USER", ""), environ.get("LOGNAME", "")]
        names += [os.path.basename(path) for path in homes]  # noqa: PTH119 -- a str
        return cls(homes, names)

    def hide(self, text: str) -> str:
        """Return the text without what is private."""
        text = mask_known(text)
        for home in self._homes:
            text = re.sub(rf"{re.escape(home)}(?=[/\\`'\"\s,;:)]|$)", "~", text)
        return self._name.sub("~", text) if self._name is not None else text

    def masked(self, check: Check) -> Check:
        """Return the check without what is private."""
        hint = None if check.hint is None else self.hide(check.hint)
        return check._replace(detail=self.hide(check.detail), hint=hint)


def lines(
    check: Check,
    width: int | None,
    wrap: Callable[[str, int], list[str]],
    styled: Callable[[str, str], str],
) -> list[str]:
    """Return the lines of a check and its hint. ``width``: None for lines that are never broken."""
    mark = MARKS[check.status]
    text = sanitize_line(check.detail, _LONGEST)
    indent = _INDENT
    if width is None or width >= ROOMY:
        first = check.title.ljust(_TITLE)
        if check.title != first.rstrip() or len(first) > _TITLE:
            first = f"{check.title} "
        indent = max(_INDENT + len(first), _INDENT)
        rows = _broken(text, width, indent, wrap)
        rows[0] = first + rows[0]
    else:
        rows = _broken(f"{check.title}: {text}", width, indent, wrap)
    start = " " * 2 + styled(STYLES[check.status], mark) + " " * (_INDENT - 2 - len(mark))
    result = [(start + rows[0]).rstrip(), *(" " * indent + row for row in rows[1:])]
    if check.hint and check.status != "ok":
        hint = _broken(f"hint: {sanitize_line(check.hint, _LONGEST)}", width, indent, wrap)
        result += [" " * indent + row for row in hint]
    return result


def _broken(
    text: str, width: int | None, indent: int, wrap: Callable[[str, int], list[str]]
) -> list[str]:
    return [text] if width is None else wrap(text, max(10, width - indent))


def summary(checks: Sequence[Check], seconds: float) -> str:
    """Return the last line of the report."""
    count = Counter(check.status for check in checks)
    parts = [_number(count["fail"], "failure"), _number(count["warning"], "warning")]
    parts.append(f"{count['ok']} ok")
    if count["skipped"]:
        parts.append(f"{count['skipped']} skipped")
    return f"{', '.join(parts)}, in {seconds:.1f} s"


def _number(count: int, what: str) -> str:
    return f"{count or 'no'} {what}{'' if count == 1 else 's'}"


def exit_code(checks: Iterable[Check]) -> int:
    """Return the code of the first check that failed; 0 if none did."""
    return next((check.code for check in checks if check.status == "fail"), 0)


def facts(checks: Sequence[Check], seconds: float, *, deep: bool) -> dict[str, Any]:
    """Return the whole report as a JSON object."""
    count = Counter(check.status for check in checks)
    return {
        "darkai": __version__,
        "deep": deep,
        "checks": [
            {
                "id": check.id,
                "status": check.status,
                "section": check.section,
                "title": check.title,
                "detail": check.detail,
                "hint": check.hint if check.status != "ok" else None,
                "exit_code": check.code,
                "seconds": check.seconds,
            }
            for check in checks
        ],
        "summary": {
            **{status: count[status] for status in MARKS},
            "exit_code": exit_code(checks),
            "seconds": round(seconds, 3),
        },
    }
