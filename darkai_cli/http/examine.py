"""The way to a service, step by step and without any request: names, connection, certificate.

For ``darkai doctor``. The connection is made exactly as a request makes it (``pool.Road``), through
the proxy, with the same certificates and the same explanations of what goes wrong; then it is
closed. ``presented`` alone trusts everybody, to tell whose certificate it was that was refused;
nothing is ever sent over such a connection.
"""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, NamedTuple, cast

from darkai_cli.http import certificate, errors, lean
from darkai_cli.http.certificate import Certificate
from darkai_cli.http.timeouts import Deadline, Timeouts

if TYPE_CHECKING:
    from darkai_cli.http.connection import ConnectionConfig
    from darkai_cli.http.network import WatchedStream
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

    http2 = False

    @staticmethod
    def get() -> ssl.SSLContext:
        """The context."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context


def resolve(link: ConnectionConfig, url: str, seconds: float) -> dict[str, list[str]]:
    """The addresses of each name that this machine has to look up on the way to ``url``.

    Empty for an address. Raises ``NetworkError`` or ``ReplyTimeoutError``.
    """
    lean.load()
    from darkai_cli.http import dial, network
    from darkai_cli.http.transports import as_httpx

    route = errors.Route.of(url, link.proxy)
    proxy = link.proxy
    wanted = [(route.host, route.port)]
    if proxy is not None:  # only socks5 wants the address of the service from us
        wanted = [(proxy.host, proxy.port), *(wanted if proxy.scheme == "socks5" else ())]
    found = {}
    for at, (host, port) in enumerate(wanted):
        watch = Deadline(Timeouts(connect=seconds))
        watch.step = "proxy" if proxy is not None and at == 0 else "service"
        if not dial.is_numeric(host):
            with errors.map_exceptions(route, watch), as_httpx():
                found[host] = network.resolve(host, port, seconds)
    return found


def connect(link: ConnectionConfig, url: str) -> Contact:
    """Connect, with TLS if the URL says so, and close. Raises ``ProviderError`` and its kin."""
    return _connect(link.proxy, link.tls, url, link.timers)


def presented(link: ConnectionConfig, url: str) -> Certificate | None:
    """The certificate that the service presents, trusted or not; None if it cannot be had."""
    from darkai_cli.errors import DarkAIError

    try:
        found = _connect(link.proxy, cast("PendingContext", _Gullible()), url, link.timers)
    except DarkAIError:
        return None
    return found.certificate


def _connect(
    proxy: Proxy | None, context: PendingContext | None, url: str, timers: Timeouts
) -> Contact:
    lean.load()
    import httpcore
    import httpx

    from darkai_cli.http.network import Terms
    from darkai_cli.http.pool import Road
    from darkai_cli.http.transports import as_httpx

    place = httpx.URL(url)
    origin = httpcore.URL(
        scheme=place.raw_scheme, host=place.raw_host, port=place.port, target=b"/"
    ).origin
    watch = Deadline(timers)
    with errors.map_exceptions(errors.Route.of(url, proxy), watch), as_httpx():
        stream = Road(proxy, context).open(origin, Terms(watch))
    try:
        address = _peer(stream)
        tls = stream.get_extra_info("ssl_object")
        if tls is None or not url.lower().startswith("https:"):
            return Contact(address)
        der = tls.getpeercert(True)  # the object behind a socket takes no name for it
        return Contact(address, tls.version() or "", certificate.read(der) if der else None)
    finally:
        stream.close()


def _peer(stream: WatchedStream) -> str:
    try:
        peer = stream.get_extra_info("server_addr")
    except OSError:  # it has been reset meanwhile
        return ""
    return str(peer[0]) if isinstance(peer, tuple) and peer else ""
