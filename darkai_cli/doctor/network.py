"""Checks of what all providers share: proxies, trusted certificates, local servers, the clock."""

from __future__ import annotations

import email.utils
import ssl
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from darkai_cli.doctor.check import Finding, Step, failed, ok, warned
from darkai_cli.errors import ConfigError, NetworkError
from darkai_cli.http import proxy as proxies
from darkai_cli.http import tls
from darkai_cli.text import duration

if TYPE_CHECKING:
    from darkai_cli.config import Config
    from darkai_cli.providers.base import Target

SMALL = 60.0
"""Seconds by which a clock may be wrong: ``Date`` has whole ones, and an answer takes its time."""
LARGE = 3600.0
"""Seconds from which on certificates and pauses are misjudged."""

_VARIABLES = ("https_proxy", "http_proxy", "all_proxy", "no_proxy")


def steps(config: Config, near: Sequence[Target], environ: Mapping[str, str]) -> list[Step]:
    """The checks. ``near``: the servers that were found on this machine."""
    section = "Network"
    return [
        Step("network.proxies", section, "proxies", lambda: settings(config, environ)),
        Step("network.trust", section, "trust store", lambda: trust(config, environ)),
        Step("network.local", section, "local servers", lambda: local(near)),
    ]


def settings(config: Config, environ: Mapping[str, str]) -> Finding:
    """The proxies that are set, without their passwords."""
    if config.chosen("proxy"):
        where = config.origin("proxy").where
        if not config.proxy:
            return ok(f"none, by `{where}`")
        return ok(f"{described(proxies.parse(config.proxy, where))}, by `{where}`")
    found = []
    for variable in _VARIABLES:
        for name in (variable, variable.upper()):
            value = environ.get(name, "").strip()
            if not value:
                continue
            if variable == "no_proxy":
                found.append(f"{name}={value}")
            elif name == "HTTP_PROXY" and "REQUEST_METHOD" in environ:
                found.append(f"{name} is ignored, since REQUEST_METHOD is set")
            else:
                found.append(f"{name}={described(proxies.parse(value, name))}")
            break
    return ok(", ".join(found) or "none is set")


def described(proxy: proxies.Proxy) -> str:
    """A proxy as it may be shown."""
    secret = "***@" if proxy.user is not None or proxy.password else ""
    return f"{proxy.scheme}://{secret}{proxy.address}"


def trust(config: Config, environ: Mapping[str, str]) -> Finding:
    """Whose certificates are believed."""
    tls.build(config.ca_file, environ)
    if config.client_cert or config.client_key:
        identity = tls.Trust(config.ca_file, config.client_cert, config.client_key)
        tls.load_client_certificate(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), identity)
    shown = f"; a client certificate from `{config.client_cert}`" if config.client_cert else ""
    named = [(f"`ca_file` ({config.origin('ca_file').where})", config.ca_file)]
    named += [(name, environ.get(name)) for name in ("SSL_CERT_FILE", "SSL_CERT_DIR")]
    for origin, path in named:
        if path:
            return ok(f"`{path}` from {origin}, in place of the system's{shown}")
    known = ssl.get_default_verify_paths()
    if known.cafile is None and not _holds_any(known.capath) and not _elsewhere():
        return failed(
            ConfigError(
                "the system has no trusted certificates, so no https:// service can be reached",
                hint="install them: `apt install ca-certificates`, or the like",
            )
        )
    return ok(f"the system's{f' ({known.cafile})' if known.cafile else ''}{shown}")


def _holds_any(folder: str | None) -> bool:
    return folder is not None and any(Path(folder).iterdir())


def _elsewhere() -> bool:
    """Whether the system keeps them where OpenSSL does not look: macOS, Windows, other Linuxes."""
    import sys

    import truststore

    context = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return not sys.platform.startswith("linux") or bool(context.get_ca_certs())


def local(near: Sequence[Target]) -> Finding:
    """The model servers that answer on this machine."""
    found = [f"{one.settings.name} at {one.settings.url} with {one.model}" for one in near]
    return ok("; ".join(found) or "none answers")


class Clock:
    """What services said of the time, and what certificates do. Filled by many threads."""

    def __init__(self) -> None:
        self.offsets: list[float] = []
        """Seconds that each ``Date`` was ahead of this machine's clock."""
        self.begins: list[tuple[float, str]] = []
        """From when on the certificate of each host counts."""

    def heard(self, date: str, now: float) -> None:
        """Take a ``Date`` header; one that is none says nothing."""
        try:
            self.offsets.append(email.utils.parsedate_to_datetime(date).timestamp() - now)
        except (ValueError, TypeError, OverflowError):
            return

    def finding(self, now: float | None = None) -> Finding | None:
        """What is wrong with the clock; None if nobody told the time."""
        now = time.time() if now is None else now
        later = max(self.begins, default=(now, ""))
        hint = "set it: `timedatectl set-ntp true`, or the like"
        if not self.offsets:
            if later[0] <= now:
                return None
            return failed(
                NetworkError(
                    f"this machine's clock says {_day(now)}, but the certificate of {later[1]} "
                    f"begins on {_day(later[0])}",
                    hint=hint,
                )
            )
        offset = median(self.offsets)
        size = abs(offset)
        if size <= SMALL:
            return ok(f"right within {SMALL:g} s, by the answers of services")
        told = f"this machine's clock is {duration(size)} {'slow' if offset > 0 else 'fast'}"
        if size < LARGE:
            return warned(told, hint=hint)
        return failed(NetworkError(told, hint=hint))


def _day(when: float) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(when))
