"""What is stored, before it is: names of a turn, text that UTF-8 can hold, JSON in one form; where.

Apart from ``records`` because the journal needs it before the request is sent, when importing
``sqlite3`` would be felt.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from darkai_cli.text import one_line, well_formed

if TYPE_CHECKING:
    import sqlite3

VERSION = 3
"""The schema's number: how many steps of ``migrations`` lead to it."""
_TITLE_LENGTH = 80
_FILE = ("==> ", " <==")
"""What is around the name of a file whose text goes along with a prompt."""


class TurnIds(NamedTuple):
    """What a turn and its parts are called."""

    conversation: str
    turn: str
    prompt: str
    reply: str


def version_of(conn: sqlite3.Connection) -> int:
    """How many steps a database has seen."""
    version: int = conn.execute("PRAGMA user_version").fetchone()[0]
    return version


def folder_of(database: Path) -> Path:
    """The folder with the files of the processes that use that database (``presence``)."""
    return Path(f"{database}.journal")


def dumps(value: object) -> str:
    """JSON as it is stored: compact, the same for equal values, no lone surrogate."""
    return well_formed(json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True))


def title_from(prompt: str, attached: Iterable[str] = ()) -> str:
    """A conversation's title, until the user gives it another: how its first prompt begins.

    Where nothing was typed it is the name of the file that the prompt begins with, or else the
    first of those that are ``attached``.
    """
    words = one_line(prompt[: _TITLE_LENGTH * 4])
    if prompt.startswith(_FILE[0]):
        name, mark, _ = prompt.partition("\n")[0].removeprefix(_FILE[0]).rpartition(_FILE[1])
        words = _file_name(name) if mark else words
    words = words or next((name for one in attached if (name := _file_name(one))), "")
    return words if len(words) <= _TITLE_LENGTH else words[: _TITLE_LENGTH - 1].rstrip() + "…"


def _file_name(name: str) -> str:
    """What a file is called, without its folder; all of a URL."""
    short = name if "://" in name else name.rstrip("/").rpartition("/")[2]
    return one_line(short or name)
