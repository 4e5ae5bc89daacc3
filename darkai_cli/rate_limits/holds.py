"""Until when a service asked for silence: a small file for each service and key.

Its modification time is that moment, so that a request asks the file system once and reads nothing;
what is in the file tells a person, and ``darkai doctor``, whom it is about. Strategy: a time that
has passed, or that lies further ahead than any service may ask for (a clock was put right), is no
hold. What cannot be written or read counts as no hold: nothing here raises.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from darkai_cli import files

LONGEST = 86_400.0
SHORTEST = 0.1
"""Seconds: what is over before another request could be made is not written down."""


class Account(NamedTuple):
    """Whose requests are counted together: a service's origin, and the fingerprint of a key."""

    origin: str
    key: str


class Holds:
    """The holds in one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def until(self, account: Callable[[], Account], now: float) -> float | None:
        """When the hold of the account ends; None if there is none.

        ``account`` is called only if there is any hold at all: it may have to take a fingerprint.
        """
        try:
            if not self._folder.exists():
                return None
            file = self._file(account())
            until = file.stat().st_mtime
        except OSError:
            return None
        if now < until <= now + LONGEST + 1:
            return until
        self._drop(file)
        return None

    def hold(self, account: Account, until: float, now: float) -> None:
        """Hold the account's requests until then, or for as long as they are held already."""
        if until - now < SHORTEST:
            return
        known = self.until(lambda: account, now)
        if known is not None and known >= until:
            return
        try:
            files.ensure(self._folder.parent)
            files.ensure(self._folder)
            file = self._file(account)
            files.replace(file, json.dumps(account._asdict()).encode() + b"\n")
            os.utime(file, (now, min(until, now + LONGEST)))
        except OSError:
            return

    def all(self, now: float) -> list[tuple[Account, float]]:
        """Every hold, and when it ends."""
        found = []
        try:
            names = sorted(self._folder.glob("*.json"))
        except OSError:
            return []
        for file in names:
            try:
                until = file.stat().st_mtime
                account = Account(**json.loads(files.read(file) or b""))
            except (OSError, ValueError, TypeError):
                continue
            if now < until <= now + LONGEST + 1:
                found.append((account, until))
        return found

    def _file(self, account: Account) -> Path:
        import hashlib

        text = f"{account.origin}\n{account.key}".encode("utf-8", "surrogatepass")
        return self._folder / f"{hashlib.sha256(text).hexdigest()[:24]}.json"

    @staticmethod
    def _drop(file: Path) -> None:
        try:
            file.unlink()
        except OSError:
            return
