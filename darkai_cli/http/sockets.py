"""Sockets: names resolved, connections made, TLS handshakes begun ahead of a request.

This module does not import httpcore, so that a connection can be opened while httpx and httpcore
are still being imported (``HeadStart``). Importing them takes about as long as a service on the
same continent takes to answer twice. Names are resolved in a thread, because ``getaddrinfo`` has
no time limit and Ctrl-C cannot interrupt it. What fails raises ``OSError``, as sockets do.
"""

from __future__ import annotations

import atexit
import select
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple, cast

from darkai_cli import signals
from darkai_cli.http.timeouts import Deadline, Step, Timeouts

if TYPE_CHECKING:
    from darkai_cli.http.tls import PendingContext

IDLE_SECONDS = 90.0
"""How long an unused connection is kept. A router may drop an older one silently, and then the
service would seem not to answer."""
UNREAD_SECONDS = 15.0
"""A connection that was opened ahead longer ago than this is not used if it has unread bytes: the
service may be closing it. (Right after a TLS handshake they are the handshake's last messages.)"""
ERROR_SECONDS = 2.0
"""How long the failure to open a connection ahead counts as the failure to open one now."""


def connect(
    host: str,
    port: int,
    remaining: Callable[[], float],
    admit: Callable[[str, str], None] | None = None,
) -> socket.socket:
    """Connect to the first address of ``host`` that accepts, and return the connection.

    ``remaining`` returns the seconds that are left. ``admit`` is called with host and numeric
    address before any connection is made, and raises what forbids it. Raises ``OSError``, of which
    ``TimeoutError`` is one.
    """
    addresses = resolve(host, port, remaining())
    if admit is not None:
        for address in addresses:
            admit(host, address)
    while True:
        # As bytes: for a text Python would load its codec for international names.
        numeric = cast("str", addresses.pop(0).encode())
        try:
            connection = socket.create_connection(
                (numeric, port), remaining() / (len(addresses) + 1)
            )
        except OSError:
            if not addresses:
                raise
        else:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return connection


def resolve(host: str, port: int, seconds: float) -> list[str]:
    """Return the numeric addresses of a host, at least one, in the system's order.

    Raises ``socket.gaierror``, or ``TimeoutError`` after ``seconds``.
    """
    if is_numeric(host):
        return [host]
    addresses: list[str] = []
    errors: list[OSError] = []

    def look_up() -> None:
        signals.block_in_thread()
        try:
            for *_, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
                if address[0] not in addresses:
                    addresses.append(str(address[0]))
        except UnicodeError as exc:  # a label that IDNA refuses
            errors.append(socket.gaierror(socket.EAI_NONAME, str(exc)))
        except OSError as exc:
            errors.append(exc)

    thread = threading.Thread(target=look_up, name="resolve", daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        raise TimeoutError(f"resolving {host} took too long")
    if errors:
        raise errors[0]
    return addresses


def is_numeric(host: str) -> bool:
    """Return whether a host is an address already."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.inet_pton(family, host)
    except OSError:
        return False
    return True


class Peer(NamedTuple):
    """What a connection is made to: the service or a proxy, as ``step`` says.

    With ``tls`` the TLS handshake is made too.
    """

    step: Step
    host: str
    port: int
    tls: PendingContext | None


class HeadStart:
    """A connection that a thread opens before a request can use it.

    An error is raised where the connection is taken.
    """

    def __init__(self, peer: Peer, timeouts: Timeouts) -> None:
        self.peer = peer
        self._deadline = Deadline(timeouts)
        self._deadline.step = peer.step
        self._lock = threading.Lock()
        self._ready = threading.Event()
        self._ready_since = 0.0
        self._connection: socket.socket | None = None
        self._in_handshake: socket.socket | None = None
        """A duplicate of the connection during the TLS handshake, which can shut it down."""
        self._error: Exception | None = None
        self._is_closed = False
        """Whether the connection is no longer wanted."""
        self._thread = threading.Thread(target=self._open, name="head start", daemon=True)
        atexit.register(self.close)
        self._thread.start()

    def _open(self) -> None:
        signals.block_in_thread()
        connection, error = None, None
        try:
            connection = connect(self.peer.host, self.peer.port, self._deadline.remaining)
            if self.peer.tls is not None:
                connection = self._handshake(connection, self.peer.tls)
        except Exception as exc:  # noqa: BLE001 -- raised in the thread that takes the connection
            connection, error = None, exc
        with self._lock:
            self._connection, self._error = connection, error
            self._ready_since = time.monotonic()
            self._ready.set()
        if self._is_closed:
            self.close()
        atexit.unregister(self.close)

    def _handshake(self, connection: socket.socket, tls: PendingContext) -> socket.socket:
        """Return the connection with TLS, or unchanged if it is no longer wanted."""
        from darkai_cli.http.tls import busy_threads

        # Wrapping takes the descriptor away from the original, so ``close`` needs a duplicate.
        with connection.dup() as duplicate:
            with self._lock:
                if self._is_closed:
                    return connection
                self._deadline.step = "tls"
                self._in_handshake = duplicate
                busy_threads.add(self._thread)
            try:
                context = tls.get()
                connection.settimeout(self._deadline.remaining())
                return context.wrap_socket(connection, server_hostname=self.peer.host)
            except BaseException:
                connection.close()
                raise
            finally:
                busy_threads.discard(self._thread)
                with self._lock:
                    self._in_handshake = None

    def is_usable(self) -> bool:
        """Return whether the connection is on its way, or is as good as one opened now."""
        with self._lock:
            if self._is_closed or not self._ready.is_set():
                return not self._is_closed
            age = time.monotonic() - self._ready_since
            if self._connection is None:
                return age < ERROR_SECONDS
            return age < UNREAD_SECONDS or (
                age < IDLE_SECONDS and not _has_unread_bytes(self._connection)
            )

    def take(self, deadline: Deadline) -> socket.socket | None:
        """Return the connection, once; None if it has been taken or closed, or is not usable.

        Raises what went wrong, and ``TimeoutError`` when the deadline has passed. ``deadline.step``
        says which step was reached.
        """
        while self.is_usable() and not self._ready.wait(min(deadline.remaining(), 0.1)):
            signals.raise_pending()
            deadline.step = self._deadline.step
            if deadline.is_over:
                raise TimeoutError(f"connecting to {self.peer.host} took too long")
        if not self.is_usable():
            self.close()
            return None
        deadline.step = self._deadline.step
        with self._lock:
            self._is_closed = True
            if self._error is not None:
                raise self._error
            connection, self._connection = self._connection, None
            return connection

    def close(self) -> None:
        """Close the connection if nobody has taken it, even in the middle of its handshake."""
        with self._lock:
            self._is_closed = True
            if self._in_handshake is not None:
                with suppress(OSError):
                    self._in_handshake.shutdown(socket.SHUT_RDWR)
            if self._connection is not None:
                self._connection.close()
                self._connection = None


def _has_unread_bytes(connection: socket.socket) -> bool:
    poll = select.poll()
    poll.register(connection, select.POLLIN)
    return bool(poll.poll(0))
