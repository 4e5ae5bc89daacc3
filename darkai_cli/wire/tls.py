"""The TLS context: the system's trust store, or the file the user named. Built in a thread.

Loading certificates costs more than most imports, so a ``PendingContext`` begins it while the rest
of the program is still being imported, and is made only for an ``https://`` URL.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING

from darkai_cli import stops
from darkai_cli.errors import ConfigError

if TYPE_CHECKING:
    import ssl


class PendingContext:
    """A context under construction, from the moment that this object is."""

    def __init__(self, ca_file: str | None, environ: Mapping[str, str]) -> None:
        self._ca_file = ca_file
        self._environ = environ
        self._context: ssl.SSLContext | None = None
        self._fault: Exception | None = None
        self._thread = threading.Thread(target=self._build, name="tls", daemon=True)
        self._thread.start()

    def _build(self) -> None:
        stops.deaf()
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
            if is_dir:
                _look_into(path)  # OpenSSL itself does so much later, and says nothing
            context.load_verify_locations(**{"capath" if is_dir else "cafile": path})
        except OSError as exc:  # which OpenSSL's own errors are too
            raise _unusable(path, origin, is_dir=is_dir, fault=exc) from exc
        return context
    import truststore

    return truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def _look_into(path: str) -> None:
    """Raise ``OSError`` unless a folder in ``path``, a list as ``PATH`` is, can be read."""
    fault: OSError | None = None
    for folder in filter(None, path.split(os.pathsep)):
        try:
            os.scandir(folder).close()
        except OSError as exc:
            fault = fault or exc
        else:
            return
    raise fault or FileNotFoundError(0, "it names no folder")


def _unusable(path: str, origin: str, *, is_dir: bool, fault: OSError) -> ConfigError:
    import ssl

    reason = fault.strerror or str(fault)
    if isinstance(fault, ssl.SSLError):
        reason = "it holds no certificate"
    what = "folder" if is_dir else "file"
    hint = "name a PEM file with the certificate of the authority"
    return ConfigError(
        f"the CA {what} `{path}` from {origin} cannot be used: {reason[:1].lower()}{reason[1:]}",
        hint=f"correct {origin}, or unset it" if is_dir else hint,
    )
