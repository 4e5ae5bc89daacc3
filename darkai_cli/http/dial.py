"""Sockets, before httpcore is there: names resolved, connections made, TLS agreed upon.

All of it may be done beside the imports that a request needs (``HeadStart``): they take as long as
a service on the same continent takes to answer twice. Names are resolved in a thread, since
``getaddrinfo`` itself can neither be bounded nor interrupted by Ctrl-C. What fails here raises
``OSError``, as sockets do; ``backend`` has httpcore's words for it.
"""

from __future__ import annotations

import atexit
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, cast

from darkai_cli import signals

if TYPE_CHECKING:
    import ssl

    from darkai_cli.http.timeouts import Deadline, Step
    from darkai_cli.http.tls import PendingContext


def connect(
    host: str,
    port: int,
    left: Callable[[], float],
    admit: Callable[[str, str], None] | None = None,
) -> socket.socket:
    """A TCP connection, to the first address of the host that takes it.

    ``left``: the seconds that there still are. ``admit``: called with host and numeric address
    before a connection; raises what forbids it. Raises ``OSError``; ``TimeoutError``, which is one.
    """
    addresses = resolve(host, port, left())
    if admit is not None:
        for address in addresses:  # before any of them is spoken to
            admit(host, address)
    for remaining, address in zip(range(len(addresses), 0, -1), addresses, strict=True):
        try:
            # As bytes, since a text would have Python load its codec for international names.
            numeric = cast("str", address.encode())
            connection = socket.create_connection((numeric, port), left() / remaining)
        except OSError:
            if remaining == 1:
                raise
        else:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return connection
    raise AssertionError("resolve() gives at least one address")  # pragma: no cover


def resolve(host: str, port: int, seconds: float) -> list[str]:
    """The numeric addresses of a host, in the system's order.

    Raises ``socket.gaierror`` or ``TimeoutError``.
    """
    if is_numeric(host):
        return [host]
    found: list[str] = []
    fault: list[OSError] = []

    def look_up() -> None:
        signals.block_in_thread()
        try:
            for *_, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
                if address[0] not in found:
                    found.append(str(address[0]))
        except UnicodeError as exc:  # a label that IDNA refuses
            fault.append(socket.gaierror(socket.EAI_NONAME, str(exc)))
        except OSError as exc:
            fault.append(exc)

    thread = threading.Thread(target=look_up, name="resolve", daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        raise TimeoutError(f"resolving {host} took too long")
    if fault:
        raise fault[0]
    return found


def is_numeric(host: str) -> bool:
    """Whether a host is an address already."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.inet_pton(family, host)
    except OSError:
        return False
    return True


def offer(tls: PendingContext, *, h2: bool = True) -> ssl.SSLContext:
    """The context, with the protocols that are offered on one connection: HTTP/2 where it can."""
    context = tls.get()
    h2 = h2 and tls.http2
    context.set_alpn_protocols(["h2", "http/1.1"] if h2 else ["http/1.1"])
    return context


class HeadStart:
    """A connection that is begun before there is anything to use it, by a thread of its own.

    ``step``: what is at ``host`` and ``port``, the service or a proxy. ``tls``: agreed upon too.
    ``seconds``: how long all of it may take. What goes wrong is kept for whoever asks for the
    connection, and told there.
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
        self._done = threading.Event()
        self._connection: socket.socket | None = None
        self._half: socket.socket | None = None
        """The connection, while TLS is being agreed upon on it."""
        self._fault: Exception | None = None
        self._over = False
        """Whether nobody wants it any more."""
        self._thread = threading.Thread(target=self._open, name="head start", daemon=True)
        atexit.register(self._leave)
        self._thread.start()

    def _open(self) -> None:
        signals.block_in_thread()
        deadline = time.monotonic() + self._seconds

        def left() -> float:
            return max(deadline - time.monotonic(), 0.001)

        connection = None
        try:
            connection = connect(self._host, self._port, left)
            if self._tls is not None and self._begins_tls(connection):
                context = offer(self._tls)
                connection.settimeout(left())
                connection = context.wrap_socket(connection, server_hostname=self._host)
        except Exception as exc:  # noqa: BLE001 -- raised in the thread that asks for it
            self._fault = exc
            if connection is not None:
                connection.close()
            connection = None
        with self._lock:
            self._connection = connection
            half, self._half = self._half, None
            over = self._over
        if half is not None:
            half.close()
        self._done.set()
        if over:
            self.close()
        atexit.unregister(self._leave)

    def _begins_tls(self, connection: socket.socket) -> bool:
        """Whether TLS is still wanted; from now on ``close`` ends the wait for it."""
        with self._lock:
            if not self._over:
                self._step = "tls"
                self._half = connection.dup()  # wrapping takes the descriptor away from the other
            return not self._over

    def take(self, watch: Deadline) -> socket.socket | None:
        """The connection, once; None when it has been taken, so that another has to be made.

        Raises what went wrong, ``TimeoutError`` when the watch has run out; ``watch.step`` says how
        far it came.
        """
        if self._over:
            return None
        while not self._done.wait(min(watch.left(), 0.1)):
            signals.raise_pending()
            watch.step = self._step
            if watch.is_over:
                raise TimeoutError(f"connecting to {self._host} took too long")
        watch.step = self._step
        self._over = True
        if self._fault is not None:
            raise self._fault
        taken, self._connection = self._connection, None
        return taken

    def close(self) -> None:
        """Close what nobody has taken, and what is half made."""
        with self._lock:
            self._over = True
            left, self._connection = self._connection, None
            if self._half is not None:
                with suppress(OSError):
                    self._half.shutdown(socket.SHUT_RDWR)
        if left is not None:
            left.close()

    def _leave(self) -> None:
        """At exit: be out of OpenSSL before that tears itself down (see ``tls``)."""
        self.close()
        if self._step == "tls":
            from darkai_cli.http.tls import LEAVING

            with suppress(BaseException):  # a signal that came just before: it ends already
                signals.block_in_thread()
            self._thread.join(LEAVING)
