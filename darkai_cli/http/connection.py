"""How a service is reached: what is decided before anything is sent, and without httpx.

Nothing is done here. ``transport`` carries out a request on a link.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from darkai_cli.errors import ConfigError
from darkai_cli.http.timeouts import Timeouts

if TYPE_CHECKING:
    from darkai_cli.http.dial import HeadStart
    from darkai_cli.http.in_process import App
    from darkai_cli.http.proxy import Proxy
    from darkai_cli.http.session import Session
    from darkai_cli.http.tls import PendingContext


class ConnectionConfig(NamedTuple):
    """How a provider is reached."""

    timers: Timeouts = Timeouts()
    proxy: Proxy | None = None
    tls: PendingContext | None = None
    app: App | None = None
    sleep: Callable[[float], None] = time.sleep
    log: Callable[[str], None] | None = None
    """Where ``--debug`` lines go; credentials are masked in them."""
    on_sent: Callable[[], None] | None = None
    """Called once the request is on the wire, before the wait for the response."""
    on_head: Callable[[int, Mapping[str, str]], None] | None = None
    """Called with status and headers, names in lower case, when the response begins."""
    admit: Callable[[str, str], None] | None = None
    """Called with host and numeric address before a connection; raises what forbids it."""
    session: Session | None = None
    """Whose connections are used; None: one for this request."""

    def head_start(self, url: str) -> HeadStart | None:
        """A connection towards ``url``, begun now; None where it would not be used, or be late.

        It runs beside the imports that a first request needs, so later requests have none, nor
        those whose connections a session keeps. What ``url`` names must have passed ``check_url``.
        """
        import sys

        late = "httpx" in sys.modules
        if late or self.app is not None or self.session is not None or self.admit is not None:
            return None
        from darkai_cli.http.dial import HeadStart

        parts = urlsplit(url)
        try:
            host = (parts.hostname or "").encode("ascii").decode()
        except UnicodeError:  # an international name: httpx knows how that is written
            return None
        proxy, seconds = self.proxy, self.timers.connect
        if proxy is not None:
            return HeadStart("proxy", proxy.host, proxy.port, None, seconds)
        secure = parts.scheme == "https"
        port = parts.port or (443 if secure else 80)
        return HeadStart("service", host, port, self.tls if secure else None, seconds)


def check_url(url: str, what: str = "base URL") -> None:
    """Raise ``ConfigError`` unless ``url`` can be sent to."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise ConfigError(
            f"{what} must start with http:// or https:// and name a host, not `{url}`",
            hint="`darkai config set providers.NAME.url https://HOST/PATH`, or `DARKAI_URL`",
        )
