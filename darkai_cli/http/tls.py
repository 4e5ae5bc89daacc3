"""Builds the TLS context: the system's trust store or the user's CA file, and a client certificate.

Loading certificates takes longer than most imports, so ``PendingContext`` does it in a thread,
while the rest of the program is still being imported. It is made only for ``https://``.
"""

from __future__ import annotations

import atexit
import os
import threading
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple, NoReturn

from darkai_cli import signals
from darkai_cli.errors import ConfigError

if TYPE_CHECKING:
    import ssl


class Trust(NamedTuple):
    """Paths of PEM files: the authorities to trust, and the user's own certificate and key.

    The key may be in the file of ``client_cert``; then ``client_key`` is None.
    """

    ca_file: str | None = None
    client_cert: str | None = None
    client_key: str | None = None


_EXIT_SECONDS = 1.0
"""How long the end of the process waits for a thread that is inside OpenSSL."""
busy_threads: set[threading.Thread] = set()
"""The threads that are inside OpenSSL."""


def _finish_at_exit() -> None:
    """Wait for the threads that are inside OpenSSL.

    It tears itself down when the process ends, and a thread inside it would crash then.
    """
    if busy_threads:
        with suppress(BaseException):  # a signal that came just before: the process ends already
            signals.block_in_thread()
    for thread in list(busy_threads):
        thread.join(_EXIT_SECONDS)


atexit.register(_finish_at_exit)


class PendingContext:
    """A TLS context that a thread builds from the moment this object is made."""

    def __init__(self, trust: Trust, environ: Mapping[str, str]) -> None:
        self._trust = trust
        self._environ = environ
        self._context: ssl.SSLContext | None = None
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._build, name="tls", daemon=True)
        busy_threads.add(self._thread)
        self._thread.start()

    def _build(self) -> None:
        signals.block_in_thread()
        try:
            self._context = build(self._trust, self._environ)
        except Exception as exc:  # noqa: BLE001 -- raised in the thread that asks for the context
            self._error = exc
        finally:
            busy_threads.discard(self._thread)

    def get(self) -> ssl.SSLContext:
        """Return the context, once it is built. Raises ``ConfigError`` for an unusable file."""
        self._thread.join()
        if self._error is not None:
            raise self._error
        assert self._context is not None
        return self._context


def build(trust: Trust, environ: Mapping[str, str]) -> ssl.SSLContext:
    """Return a client context that verifies certificates and has the user's own one.

    Raises ``ConfigError`` for a file that can't be used.
    """
    context = _verifying_context(trust.ca_file, environ)
    if trust.client_cert or trust.client_key:
        _load_client_certificate(context, trust.client_cert, trust.client_key)
    context.set_alpn_protocols(["http/1.1"])
    return context


def _verifying_context(ca_file: str | None, environ: Mapping[str, str]) -> ssl.SSLContext:
    """Return a client context that verifies certificates.

    ``ca_file`` (config) wins over ``SSL_CERT_FILE`` and ``SSL_CERT_DIR``; without any of them the
    system's trust store is used. Raises ``ConfigError`` for a file that is not a CA file.
    """
    import ssl

    sources = [
        (ca_file, "`ca_file`", False),
        (environ.get("SSL_CERT_FILE"), "`SSL_CERT_FILE`", False),
        (environ.get("SSL_CERT_DIR"), "`SSL_CERT_DIR`", True),
    ]
    for path, origin, is_dir in sources:
        if not path:
            continue
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        try:
            if is_dir:
                _check_folders(path)  # OpenSSL looks only later, and says nothing
            context.load_verify_locations(**{"capath" if is_dir else "cafile": path})
        except OSError as exc:  # which OpenSSL's own errors are too
            raise _unusable(path, origin, is_dir=is_dir, error=exc) from exc
        return context
    if _has_openssl_certificates():
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.set_default_verify_paths()
        return context
    import truststore

    return truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def _has_openssl_certificates() -> bool:
    """Return whether the system's certificates are where OpenSSL looks, as on most Linuxes.

    truststore knows other places, and asks macOS and Windows. It reads all certificates anew for
    each connection, and only once that stands, so it is not used where OpenSSL will do.
    """
    import ssl
    import sys

    if sys.platform in ("darwin", "win32"):
        return False
    paths = ssl.get_default_verify_paths()
    if paths.cafile is not None:
        return True
    try:  # certificates in a folder are named by a hash, and found when they are needed
        names = os.listdir(paths.capath) if paths.capath is not None else []  # noqa: PTH208 -- pathlib is not loaded for this
    except OSError:
        return False
    return any(name.endswith(".0") for name in names)


def _check_folders(path: str) -> None:
    """Raise ``OSError`` unless a folder in ``path``, a list like ``PATH``, can be read."""
    error: OSError | None = None
    for folder in filter(None, path.split(os.pathsep)):
        try:
            os.scandir(folder).close()
        except OSError as exc:
            error = error or exc
        else:
            return
    raise error or FileNotFoundError(0, "it names no folder")


def _unusable(path: str, origin: str, *, is_dir: bool, error: OSError) -> ConfigError:
    import ssl

    reason = error.strerror or str(error)
    if isinstance(error, ssl.SSLError):
        reason = "it contains no certificate"
    what = "folder" if is_dir else "file"
    hint = "Use a PEM file with the certificate of the authority"
    return ConfigError(
        f"Can't use the CA {what} `{path}` from {origin}: {reason[:1].lower()}{reason[1:]}",
        hint=f"Correct {origin}, or unset it" if is_dir else hint,
    )


def _load_client_certificate(context: ssl.SSLContext, cert: str | None, key: str | None) -> None:
    """Load the user's own certificate into a context. Raises ``ConfigError`` if that fails."""
    import ssl

    if not cert:
        raise ConfigError(
            "`client_key` is set, but `client_cert` isn't",
            hint="`darkai config set client_cert /PATH/certificate.pem`",
        )
    for path, name in ((cert, "client_cert"), (key, "client_key")):
        if path:
            try:
                open(path, "rb").close()  # noqa: PTH123 -- pathlib is not loaded for this
            except OSError as exc:
                reason = exc.strerror or str(exc)
                raise ConfigError(
                    f"Can't use the file `{path}` from `{name}`: {reason[:1].lower()}{reason[1:]}",
                    hint=f"`darkai config set {name} /PATH/file.pem`",
                ) from exc

    def password() -> NoReturn:
        raise PermissionError

    try:
        context.load_cert_chain(cert, key, password=password)
    except PermissionError:
        raise ConfigError(
            f"The private key in `{key or cert}` is protected by a password",
            hint="Remove the password (`openssl pkey -in KEY -out PLAIN.pem`), and keep that "
            "file private: `chmod 600 PLAIN.pem`",
        ) from None
    except ssl.SSLError as exc:
        raise _unusable_pair(cert, key, exc) from exc


def _unusable_pair(cert: str, key: str | None, error: ssl.SSLError) -> ConfigError:
    """Return the error for a certificate or key that OpenSSL refuses."""
    if error.reason == "KEY_VALUES_MISMATCH":
        return ConfigError(
            f"The private key in `{key or cert}` doesn't match the certificate in `{cert}`",
            hint="`client_cert` and `client_key` must be a pair",
        )
    # OpenSSL says only "PEM lib": look for the missing part ourselves.
    with open(cert, "rb") as file:  # noqa: PTH123 -- see above
        has_cert = b"-----BEGIN CERTIFICATE" in file.read()
    if not has_cert:
        return ConfigError(
            f"The file `{cert}` from `client_cert` contains no PEM certificate",
            hint="Convert a .p12 file: `openssl pkcs12 -in FILE.p12 -out FILE.pem -nodes`",
        )
    name = "client_key" if key else "client_cert"
    return ConfigError(
        f"The file `{key or cert}` from `{name}` contains no usable PEM private key",
        hint=None
        if key
        else "If the key is in another file: `darkai config set client_key /PATH/key.pem`",
    )
