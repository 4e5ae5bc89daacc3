"""Several requests, few connections: what a chat, or anything that asks again and again, holds.

    with Session() as session:
        link = Link(timers, route, session.context(trust, environ), session=session)
        session.prepare(link, url)          # at once: nothing is sent, nobody waits
        ...
        with send(link, "POST", url, ...):  # on the connection that stands by now
            ...

``prepare`` resolves the name and connects, through the proxy and with TLS, in a thread; so does it
import what that takes. It may be called again whenever a request is likely, when somebody begins to
type: a connection that is there is left alone. A kept connection that the service has closed in
the meantime is replaced silently (see ``pool``). A request without a session, as ``ask`` makes
it, has one of its own and closes it. Sessions may be shared by threads. The asynchronous driver
keeps connections of its own, which ``aclose`` closes.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

from darkai_cli import signals
from darkai_cli.http import lean

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    from darkai_cli.http.pool import Pool
    from darkai_cli.http.proxy import Proxy
    from darkai_cli.http.timeouts import Timeouts
    from darkai_cli.http.tls import PendingContext, Trust

    class Way(Protocol):
        """What a session wants to know of a ``Link``."""

        @property
        def app(self) -> object: ...
        @property
        def proxy(self) -> Proxy | None: ...
        @property
        def tls(self) -> PendingContext | None: ...
        @property
        def timers(self) -> Timeouts: ...
        @property
        def admit(self) -> Callable[[str, str], None] | None: ...


class Session:
    """Connections that outlive a request, and the TLS contexts that they share."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pools: dict[tuple[Proxy | None, PendingContext | None], Pool] = {}
        self._contexts: dict[Trust, PendingContext] = {}
        self._begun: set[threading.Event] = set()
        """Of preparations whose connection no request could find yet."""
        self._closed = False
        self.asynchronous: dict[object, Any] = {}
        """The transports of the asynchronous driver, by where they lead."""

    def context(self, trust: Trust, environ: Mapping[str, str]) -> PendingContext:
        """The TLS context for these certificates, built once."""
        from darkai_cli.http.tls import PendingContext

        with self._lock:
            found = self._contexts.get(trust)
            if found is None:
                found = self._contexts[trust] = PendingContext(trust, environ)
            return found

    def pool(self, link: Way) -> Pool:
        """The connections that go the link's way."""
        for begun in list(self._begun):
            while not begun.wait(0.1):  # an import in another thread, at most
                signals.raise_pending()
        return self._pool(link)

    def _pool(self, link: Way) -> Pool:
        lean.load()
        from darkai_cli.http.pool import Pool, Road

        with self._lock:
            way = (link.proxy, link.tls)
            found = self._pools.get(way)
            if found is None:
                found = self._pools[way] = Pool(Road(link.proxy, link.tls))
            return found

    def prepare(self, link: Way, url: str) -> None:
        """Connect to where ``url`` leads, ahead of a request. Returns at once, raises nothing."""
        if link.app is not None:
            return
        begun = threading.Event()
        self._begun.add(begun)

        def connecting() -> None:
            signals.block_in_thread()
            try:
                import httpx

                pool = self._pool(link)
                place = httpx.URL(url)
                connection = pool.ahead(place.raw_scheme, place.raw_host, place.port)
            finally:
                begun.set()
                self._begun.discard(begun)
            if connection is not None:
                from darkai_cli.http.network import Terms
                from darkai_cli.http.timeouts import Deadline

                connection.open_ahead(Terms(Deadline(link.timers), admit=link.admit))
            if self._closed:
                pool.close()

        threading.Thread(target=connecting, name="prepare", daemon=True).start()

    def close(self) -> None:
        """Close every connection. What is still being prepared closes when it is ready."""
        self._closed = True
        with self._lock:
            pools = list(self._pools.values())
            self._pools.clear()
        for pool in pools:
            pool.close()

    async def aclose(self) -> None:
        """Close every connection, the asynchronous ones too."""
        while self.asynchronous:
            await self.asynchronous.popitem()[1].aclose()
        self.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()
