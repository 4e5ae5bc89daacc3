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
from typing import TYPE_CHECKING, cast

from darkai_cli import signals

if TYPE_CHECKING:
    from darkai_cli.http.timeouts import Deadline, Step
    from darkai_cli.http.tls import PendingContext

IDLE_SECONDS = 90.0
"""How long an unused connection is kept. A router on the way may forget an older one without a
word, and then the service would seem not to answer."""
UNREAD_SECONDS = 15.0
"""After so long, unread bytes on a connection that was opened ahead mean that it is not used: they
may be a farewell. (Right after a TLS handshake they are its last messages.)"""


def connect(
    host: str,
    port: int,
    remaining: Callable[[], float],
    admit: Callable[[str, str], None] | None = None,
) -> socket.socket:
    """Connect to the first address of ``host`` that accepts.

    ``remaining`` returns the seconds that are left. ``admit`` is called with host and numeric
    address before any connection is made, and raises what forbids it. Raises ``OSError``, of which
    ``TimeoutError`` is one.
    """
    addresses = resolve(host, port, remaining())
    if admit is not None:
        for address in addresses:
            admit(host, address)
    for addresses_left, address in zip(range(len(addresses), 0, -1), addresses, strict=True):
        try:
            # As bytes: for a text Python would load its codec for international names.
            numeric = cast("str", address.encode())
            connection = socket.create_connection((numeric, port), remaining() / addresses_left)
        except OSError:
            if addresses_left == 1:
                raise
        else:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return connection
    raise AssertionError("resolve() returns at least one address")  # pragma: no cover


def resolve(host: str, port: int, seconds: float) -> list[str]:
    """Return the numeric addresses of a host, in the system's order.

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


class HeadStart:
    """A connection that a thread opens before a request can use it.

    ``step`` says what is at ``host`` and ``port``: the service or a proxy. With ``tls`` the TLS
    handshake is made too. ``seconds`` limits all of it. An error is raised where the connection is
    taken.
    """

    def __init__(
        self, step: Step, host: str, port: int, tls: PendingContext | None, seconds: float
    ) -> None:
        self._step = step
        self._host = host
        self._port = port
        self._tls = tls
        self._seconds = seconds
        self._lock = threading.Lock()
        self._ready = threading.Event()
        self._connection: socket.socket | None = None
        self._in_handshake: socket.socket | None = None
        """A duplicate of the connection during the TLS handshake, which can shut it down."""
        self._error: Exception | None = None
        self._opened = 0.0
        self._is_closed = False
        """Whether nobody wants the connection any more."""
        self._thread = threading.Thread(target=self._open, name="head start", daemon=True)
        atexit.register(self._finish_at_exit)
        self._thread.start()

    def _open(self) -> None:
        signals.block_in_thread()
        deadline = time.monotonic() + self._seconds

        def remaining() -> float:
            return max(deadline - time.monotonic(), 0.001)

        connection = None
        try:
            connection = connect(self._host, self._port, remaining)
            if self._tls is not None and self._begin_handshake(connection):
                context = self._tls.get()
                connection.settimeout(remaining())
                connection = context.wrap_socket(connection, server_hostname=self._host)
        except Exception as exc:  # noqa: BLE001 -- raised in the thread that takes the connection
            self._error = exc
            if connection is not None:
                connection.close()
            connection = None
        with self._lock:
            self._connection = connection
            self._opened = time.monotonic()
            duplicate, self._in_handshake = self._in_handshake, None
            is_closed = self._is_closed
        if duplicate is not None:
            duplicate.close()
        self._ready.set()
        if is_closed:
            self.close()
        atexit.unregister(self._finish_at_exit)

    def _begin_handshake(self, connection: socket.socket) -> bool:
        """Return whether TLS is still wanted; from now on ``close`` ends the wait for it."""
        with self._lock:
            if not self._is_closed:
                self._step = "tls"
                # Wrapping takes the descriptor away from the original.
                self._in_handshake = connection.dup()
            return not self._is_closed

    def leads_to(self, host: str, port: int) -> bool:
        """Return whether the connection is one to ``host`` and ``port``."""
        return (host, port) == (self._host, self._port)

    def is_usable(self) -> bool:
        """Return whether the connection is on its way, or open and not given up by the service."""
        if not self._ready.is_set():
            return not self._is_closed
        with self._lock:
            if self._connection is None:
                return False
            age = time.monotonic() - self._opened
            return age < UNREAD_SECONDS or (
                age < IDLE_SECONDS and not _has_unread_bytes(self._connection)
            )

    def take(self, deadline: Deadline) -> socket.socket | None:
        """Return the connection, once; None if it has been taken or closed.

        Raises what went wrong, and ``TimeoutError`` when the deadline has passed. ``deadline.step``
        says how far it came.
        """
        if self._is_closed:
            return None
        while not self._ready.wait(min(deadline.remaining(), 0.1)):
            signals.raise_pending()
            deadline.step = self._step
            if deadline.is_over:
                raise TimeoutError(f"connecting to {self._host} took too long")
        deadline.step = self._step
        self._is_closed = True
        if self._error is not None:
            raise self._error
        connection, self._connection = self._connection, None
        return connection

    def close(self) -> None:
        """Close the connection if nobody has taken it, even in the middle of its handshake."""
        with self._lock:
            self._is_closed = True
            connection, self._connection = self._connection, None
            if self._in_handshake is not None:
                with suppress(OSError):
                    self._in_handshake.shutdown(socket.SHUT_RDWR)
        if connection is not None:
            connection.close()

    def _finish_at_exit(self) -> None:
        """Leave OpenSSL before the process ends, which would crash inside it (see ``tls``)."""
        self.close()
        if self._step == "tls":
            from darkai_cli.http.tls import EXIT_SECONDS

            with suppress(BaseException):  # a signal that came just before: it ends already
                signals.block_in_thread()
            self._thread.join(EXIT_SECONDS)


def _has_unread_bytes(connection: socket.socket) -> bool:
    poll = select.poll()
    poll.register(connection, select.POLLIN)
    return bool(poll.poll(0))
