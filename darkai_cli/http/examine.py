"""The way to a service, step by step and without any request: names, connection, certificate.

For ``darkai doctor``. The connection is made exactly as a request makes it (``network``), through
the proxy, with the same certificates and the same explanations of what goes wrong; then it is
closed. ``presented`` alone trusts everybody, to tell whose certificate it was that was refused;
nothing is ever sent over such a connection.
"""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from darkai_cli.http import certificate, errors
from darkai_cli.http.certificate import Certificate
from darkai_cli.http.timeouts import Deadline, Timeouts

if TYPE_CHECKING:
    import httpcore

    from darkai_cli.http.connection import ConnectionConfig
    from darkai_cli.http.proxy import Proxy
    from darkai_cli.http.tls import PendingContext


class Contact(NamedTuple):
    """A connection that stood. ``peer``: the address it led to, which may be a proxy's.

    ``protocol``: such as ``TLSv1.3``, "" without TLS. ``certificate``: None where there is none, or
    none that can be read.
    """

    peer: str
    protocol: str = ""
    certificate: Certificate | None = None


class _Gullible:
    """A TLS context that believes everybody, for a look at a certificate."""

    @staticmethod
    def get() -> ssl.SSLContext:
        """The context."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context


def resolve(link: ConnectionConfig, url: str, seconds: float) -> dict[str, list[str]]:
    """Return the addresses of each name that this machine has to look up on the way to ``url``.

    Empty for an address. Raises ``NetworkError`` or ``ReplyTimeoutError``.
    """
    from darkai_cli.http import sockets
    from darkai_cli.http.httpx_guard import httpx

    route = errors.Route.of(url, link.proxy)
    proxy = link.proxy
    names = [(route.host, route.port)]
    if proxy is not None:  # only socks5 wants the address of the service from us
        names = [(proxy.host, proxy.port), *(names if proxy.scheme == "socks5" else ())]
    addresses = {}
    for at, (host, port) in enumerate(names):
        deadline = Deadline(Timeouts(connect=seconds))
        deadline.step = "proxy" if proxy is not None and at == 0 else "service"
        if not sockets.is_numeric(host):
            with errors.map_exceptions(route, deadline):
                try:
                    addresses[host] = sockets.resolve(host, port, seconds)
                except TimeoutError as exc:
                    raise httpx.ConnectTimeout(str(exc)) from exc
                except OSError as exc:
                    raise httpx.ConnectError(str(exc)) from exc
    return addresses


def connect(link: ConnectionConfig, url: str) -> Contact:
    """Connect, with TLS if the URL says so, and close. Raises ``ProviderError`` and its kin."""
    return _connect(link.proxy, link.tls, url, link.timeouts)


def presented(link: ConnectionConfig, url: str) -> Certificate | None:
    """Return the certificate that the service presents, trusted or not; None if there is none."""
    from darkai_cli.errors import DarkAIError

    try:
        contact = _connect(link.proxy, cast("PendingContext", _Gullible()), url, link.timeouts)
    except DarkAIError:
        return None
    return contact.certificate


class _ConnectedError(Exception):
    """The connection stands; no request is sent."""


def _connect(
    proxy: Proxy | None, context: PendingContext | None, url: str, timeouts: Timeouts
) -> Contact:
    from darkai_cli.http import network
    from darkai_cli.http.httpx_guard import httpx

    deadline = Deadline(timeouts)
    trace = network.RequestTrace(deadline, proxy, None)
    contacts: list[Contact] = []

    def note(event: str, info: dict[str, Any]) -> None:
        trace.note(event, info)
        if event in ("connection.connect_tcp.complete", "connection.start_tls.complete",
                     "proxy.start_tls.complete"):  # fmt: skip
            contacts.append(_contact(info["return_value"], url))
        if deadline.is_sent:
            raise _ConnectedError

    transport = network.Transport(proxy, context, network.Backend(proxy))
    limits = {"connect": deadline, "read": deadline, "write": deadline}
    request = httpx.Request("GET", url, extensions={"timeout": limits, "trace": note})
    try:
        with errors.map_exceptions(errors.Route.of(url, proxy), deadline):
            transport.handle_request(request)
    except _ConnectedError:
        return contacts[-1]
    finally:
        transport.close()
    raise AssertionError("nothing was to be sent")  # pragma: no cover


def _contact(stream: httpcore.NetworkStream, url: str) -> Contact:
    try:
        peer = stream.get_extra_info("server_addr")
    except OSError:  # it has been reset meanwhile
        peer = None
    address = str(peer[0]) if isinstance(peer, tuple) and peer else ""
    tls = stream.get_extra_info("ssl_object")
    if tls is None or not url.lower().startswith("https:"):
        return Contact(address)
    der = tls.getpeercert(True)  # the object behind a socket takes no name for it
    return Contact(address, tls.version() or "", certificate.read(der) if der else None)
