"""The TLS context: the system's trust store, or the file the user named. Built in a thread.

Loading certificates costs more than most imports, so a ``PendingContext`` begins it while the rest
of the program is still being imported, and is made only for an ``https://`` URL. With a client
certificate the context also answers a service that asks who is there.
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
    """Paths of PEM files: whom to believe, and what to show.

    ``client_key`` may be in the file of ``client_cert``.
    """

    ca_file: str | None = None
    client_cert: str | None = None
    client_key: str | None = None


EXIT_SECONDS = 1.0
"""Seconds that the end of the process waits for a thread that is inside OpenSSL."""
_building: set[threading.Thread] = set()


def _settle() -> None:
    """Wait at exit for contexts under construction.

    OpenSSL tears itself down when the process ends, and a thread that it still serves then crashes.
    """
    if _building:
        with suppress(BaseException):  # a signal that came just before: the process ends already
            signals.block_in_thread()
    for thread in list(_building):
        thread.join(EXIT_SECONDS)


atexit.register(_settle)


class PendingContext:
    """A context under construction, from the moment that this object is."""

    def __init__(self, trust: Trust, environ: Mapping[str, str]) -> None:
        self._trust = trust
        self._environ = environ
        self._context: ssl.SSLContext | None = None
        self._fault: Exception | None = None
        self._thread = threading.Thread(target=self._build, name="tls", daemon=True)
        _building.add(self._thread)
        self._thread.start()

    def _build(self) -> None:
        signals.block_in_thread()
        try:
            context = build(self._trust.ca_file, self._environ)
            if self._trust.client_cert or self._trust.client_key:
                identify(context, self._trust)
            context.set_alpn_protocols(["http/1.1"])
            self._context = context
        except Exception as exc:  # noqa: BLE001 -- raised in the thread that asks for the context
            self._fault = exc
        finally:
            _building.discard(self._thread)

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
    system's trust store is used. Raises ``ConfigError`` for a file that is no CA file.
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
    if _is_where_openssl_looks():
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.set_default_verify_paths()
        return context
    import truststore

    return truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def _is_where_openssl_looks() -> bool:
    """Whether the system's certificates are in OpenSSL's own place, as on most Linuxes.

    truststore knows the others, and asks macOS and Windows. It reads all certificates anew for each
    connection, and only once that stands.
    """
    import ssl
    import sys

    if sys.platform in ("darwin", "win32"):
        return False
    places = ssl.get_default_verify_paths()
    if places.cafile is not None:
        return True
    try:  # certificates in a folder are named by a hash, and found when they are needed
        names = os.listdir(places.capath) if places.capath is not None else []  # noqa: PTH208 -- pathlib is not loaded for this
    except OSError:
        return False
    return any(name.endswith(".0") for name in names)


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


def identify(context: ssl.SSLContext, trust: Trust) -> None:
    """Give the context the user's own certificate. Raises ``ConfigError`` for unusable files."""
    import ssl

    cert, key = trust.client_cert, trust.client_key
    if not cert:
        raise ConfigError(
            "there is a `client_key` without a `client_cert`",
            hint="`darkai config set client_cert /PATH/certificate.pem`",
        )
    for path, name in ((cert, "client_cert"), (key, "client_key")):
        if path:
            try:
                with open(path, "rb"):  # noqa: PTH123 -- pathlib is not loaded for this
                    pass
            except OSError as exc:
                reason = exc.strerror or str(exc)
                raise ConfigError(
                    f"the file `{path}` from `{name}` cannot be used: "
                    f"{reason[:1].lower()}{reason[1:]}",
                    hint=f"`darkai config set {name} /PATH/file.pem`",
                ) from exc

    def ask() -> NoReturn:
        raise _LockedKeyError

    try:
        context.load_cert_chain(cert, key, password=ask)
    except _LockedKeyError:
        raise ConfigError(
            f"the private key in `{key or cert}` is protected by a password",
            hint="take the password off (`openssl pkey -in KEY -out PLAIN.pem`), and keep that "
            "file readable by you alone: `chmod 600 PLAIN.pem`",
        ) from None
    except ssl.SSLError as exc:
        raise _unusable_pair(cert, key, exc) from exc


class _LockedKeyError(Exception):
    """OpenSSL asked for a password."""


def _unusable_pair(cert: str, key: str | None, fault: ssl.SSLError) -> ConfigError:
    """What OpenSSL means by refusing a certificate or its key."""
    if fault.reason == "KEY_VALUES_MISMATCH":
        return ConfigError(
            f"the private key in `{key or cert}` does not belong to the certificate in `{cert}`",
            hint="`client_cert` and `client_key` must be a pair",
        )
    # OpenSSL says only "PEM lib": look for the missing part ourselves.
    with open(cert, "rb") as file:  # noqa: PTH123 -- see above
        has_cert = b"-----BEGIN CERTIFICATE" in file.read()
    if not has_cert:
        return ConfigError(
            f"the file `{cert}` from `client_cert` holds no certificate in PEM form",
            hint="`openssl pkcs12 -in FILE.p12 -out FILE.pem -nodes` makes one out of a .p12 file",
        )
    name = "client_key" if key else "client_cert"
    return ConfigError(
        f"the file `{key or cert}` from `{name}` holds no usable private key in PEM form",
        hint=None if key else "`darkai config set client_key /PATH/key.pem` names the key's file",
    )
