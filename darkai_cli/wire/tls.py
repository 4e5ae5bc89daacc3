"""The TLS context: the system's trust store, or the file the user named. Built in a thread.

Loading certificates costs more than most imports, so ``start`` begins it while the rest of the
program is still being imported, and only for an ``https://`` URL.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING

from darkai_cli.errors import ConfigError

if TYPE_CHECKING:
    import ssl


class PendingContext:
    """A context under construction."""

    def __init__(self, ca_file: str | None, environ: Mapping[str, str]) -> None:
        self._ca_file = ca_file
        self._environ = environ
        self._context: ssl.SSLContext | None = None
        self._fault: Exception | None = None
        self._thread = threading.Thread(target=self._build, name="tls", daemon=True)
        self._thread.start()

    def _build(self) -> None:
        try:
            self._context = build(self._ca_file, self._environ)
        except Exception as exc:  # noqa: BLE001 -- raised in the thread that asks for the context
            self._fault = exc

    def get(self) -> ssl.SSLContext:
        """The context. Raises ``ConfigError`` if a named file cannot be used."""
        self._thread.join()
        if self._fault is not None:
            raise self._fault
        assert self._context is not None
        return self._context


def build(ca_file: str | None, environ: Mapping[str, str]) -> ssl.SSLContext:
    """A verifying client context.

    ``ca_file`` (config) wins over ``SSL_CERT_FILE`` and ``SSL_CERT_DIR``; with none of them the
    system's trust store is used (truststore). Raises ``ConfigError`` for a file that is no CA file.
    """
    import ssl

    named = [
        (ca_file, "`ca_file`", False),
        (environ.get("SSL_CERT_FILE"), "`SSL_CERT_FILE`", False),
        (environ.get("SSL_CERT_DIR"), "`SSL_CERT_DIR`", True),
    ]
    for path, origin, is_dir in named:
        if not path:
            continue
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        try:
            context.load_verify_locations(**{"capath" if is_dir else "cafile": path})
        except (OSError, ssl.SSLError) as exc:
            reason = exc.strerror if type(exc) is not ssl.SSLError else "it holds no certificate"
            raise ConfigError(
                f"the CA file `{path}` from {origin} cannot be used: {reason}",
                hint="name a PEM file with the certificate of the authority",
            ) from exc
        return context
    import truststore

    return truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
