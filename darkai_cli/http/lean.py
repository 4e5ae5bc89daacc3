"""httpcore, imported without its HTTP/2 unless that is spoken.

httpcore loads h2 wherever it is installed, 20 ms at each start, though a plain request never needs
it. So h2 is out of sight while httpcore is imported, and loaded when a service has chosen it.
Whoever is the first to import httpcore calls ``load`` before.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    import socket

    import httpcore


def load() -> None:
    """Import httpcore."""
    if "httpcore" in sys.modules or "h2" in sys.modules:
        import_module("httpcore")
        return
    sys.modules["h2"] = None  # type: ignore[assignment]  # which is how an import is made to fail
    try:
        import_module("httpcore")
    finally:
        del sys.modules["h2"]


def stream(connection: socket.socket) -> httpcore.NetworkStream:
    """A connection that stands, as httpcore reads from it."""
    made = import_module("httpcore._backends.sync").SyncStream(connection)
    return cast("httpcore.NetworkStream", made)


def http2_connection() -> type[httpcore.HTTP2Connection]:
    """The class of a connection on which HTTP/2 was agreed."""
    found = import_module("httpcore._sync.http2").HTTP2Connection
    return cast("type[httpcore.HTTP2Connection]", found)


def load_http2() -> None:
    """Load it ahead, while the network is waited for."""
    from darkai_cli import signals

    signals.block_in_thread()
    http2_connection()
