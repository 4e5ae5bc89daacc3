"""What a request passes before it goes: the rates that are known of its service, and its hold.

No waiting and no words for the user: ``enter`` says when to come again. A gate is one request's;
tried again, it passes again. A service without rates costs one look at a folder, and the database
is not even imported; one with rates is counted in it beforehand. Whatever is wrong with the files,
the request goes: ``trouble`` says so, once.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from darkai_cli.rate_limits.holds import Account, Holds

if TYPE_CHECKING:
    from darkai_cli.rate_limits.rates import Rate
    from darkai_cli.rate_limits.store import Ledger

PUBLIC_HOST = "darkai.foundation"
PUBLIC_RATES = ("4/min", "30/30min", "80/6h")
"""What the public DarkAI service allows an address. Source: the limits of the server it was forked
from; 20 violations block the address."""


class Closed(NamedTuple):
    """The next slot: when, in seconds since the epoch, and the rate; None: the service asked."""

    until: float
    rate: Rate | None


class Gate:
    """The way to one service with one key.

    ``account`` is called when it matters, since it may have to take a key's fingerprint.
    """

    def __init__(
        self,
        account: Callable[[], Account],
        rates: Sequence[Rate],
        *,
        ledger: Path,
        holds: Path,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._account = account
        self._rates = rates
        self._file = ledger
        self._holds = Holds(holds)
        self._clock = clock
        self._row: int | None = None
        self._open: Ledger | None = None
        self._sent = False
        self._trouble: str | None = None
        self._told = False

    def enter(self) -> Closed | None:
        """Let one request through: None, and it is counted; else when to ask again."""
        held = self._holds.until(self._account, self._clock())
        if held is not None:
            return Closed(held, None)
        self._sent = False
        self._row = None
        if self._rates:
            return self._reserve()
        return None

    def _reserve(self) -> Closed | None:
        from darkai_cli.rate_limits.store import LedgerError

        ledger = self._ledger()
        try:
            entry = ledger.reserve(self._account(), self._rates)
        except LedgerError as exc:
            self._trouble = f"requests are not counted: {exc} ({self._file})"
            return None
        if ledger.replaced:
            self._trouble = f"the count of requests was damaged and begins anew ({self._file})"
        self._row = entry.row
        return None if entry.row is not None else Closed(entry.slot.at, entry.slot.rate)

    def trouble(self) -> str | None:
        """Why requests are not counted, where they cannot be; told once."""
        if self._trouble is None or self._told:
            return None
        self._told = True
        return self._trouble

    def sent(self) -> None:
        """A request is on the wire: it counts from now, and a second one in the turn on its own."""
        row = self._row
        if row is not None and not self._sent:
            self._change(lambda ledger: ledger.went(row))
        elif row is not None:
            self._change(lambda ledger: ledger.count(self._account(), self._rates))
        self._sent = True

    def head(self, status: int, headers: Mapping[str, str]) -> None:
        """A response began: write down until when the service wants no request."""
        asks = status == 429 or (status == 503 and "retry-after" in headers)
        if not asks and not any("ratelimit" in name for name in headers):
            return
        from darkai_cli.rate_limits.hints import held_until

        now = self._clock()
        until = held_until(status, headers, now)
        if until is None and status == 429 and self._rates:
            # Others use the same address or key: the shortest time in which a slot may open.
            until = now + min(rate.seconds for rate in self._rates)
        if until is not None:
            self._holds.hold(self._account(), until, now)

    def leave(self) -> None:
        """The request is over: its slot is given back if it never went."""
        row, self._row = self._row, None
        if row is not None and not self._sent:
            self._change(lambda ledger: ledger.take_back(row))
        if self._open is not None:
            self._open.close()

    def _ledger(self) -> Ledger:
        from darkai_cli.rate_limits.store import Ledger

        if self._open is None:
            self._open = Ledger(self._file, clock=self._clock)
        return self._open

    def _change(self, change: Callable[[Ledger], None]) -> None:
        from darkai_cli.rate_limits.store import LedgerError

        try:
            change(self._ledger())
        except LedgerError:
            return  # the count is then one too many or too few, which nothing may fail for
