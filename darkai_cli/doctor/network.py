"""Checks of what all providers share: proxies, trusted certificates, local servers."""

from __future__ import annotations

import ssl
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from darkai_cli.doctor.check import Finding, Step, failed, ok
from darkai_cli.errors import ConfigError
from darkai_cli.http import proxy as proxies
from darkai_cli.http import tls

if TYPE_CHECKING:
    from darkai_cli.config import Config
    from darkai_cli.providers.base import Target

_VARIABLES = ("https_proxy", "http_proxy", "all_proxy", "no_proxy")


def steps(config: Config, servers: Sequence[Target], environ: Mapping[str, str]) -> list[Step]:
    """Return the checks; ``servers`` answer on this machine."""
    section = "Network"
    return [
        Step("network.proxies", section, "proxies", lambda: proxy_settings(config, environ)),
        Step("network.trust", section, "trust store", lambda: trust(config, environ)),
        Step("network.local", section, "local servers", lambda: local_servers(servers)),
    ]


def proxy_settings(config: Config, environ: Mapping[str, str]) -> Finding:
    """Report the proxies that are set, without their passwords."""
    if config.chosen("proxy"):
        where = config.origin("proxy").where
        if not config.proxy:
            return ok(f"none, set by `{where}`")
        return ok(f"{proxy_name(proxies.parse(config.proxy, where))}, set by `{where}`")
    parts = []
    for variable in _VARIABLES:
        for name in (variable, variable.upper()):
            value = environ.get(name, "").strip()
            if not value:
                continue
            if variable == "no_proxy":
                parts.append(f"{name}={value}")
            elif name == "HTTP_PROXY" and "REQUEST_METHOD" in environ:
                parts.append(f"{name} is ignored because REQUEST_METHOD is set")
            else:
                parts.append(f"{name}={proxy_name(proxies.parse(value, name))}")
            break
    return ok(", ".join(parts) or "none")


def proxy_name(proxy: proxies.Proxy) -> str:
    """Return a proxy without its password."""
    credentials = "***@" if proxy.user is not None or proxy.password else ""
    return f"{proxy.scheme}://{credentials}{proxy.address}"


def trust(config: Config, environ: Mapping[str, str]) -> Finding:
    """Check the certificates that are trusted."""
    tls.build(tls.Trust(config.ca_file, config.client_cert, config.client_key), environ)
    client = f"; a client certificate from `{config.client_cert}`" if config.client_cert else ""
    sources = [(f"`ca_file` ({config.origin('ca_file').where})", config.ca_file)]
    sources += [(name, environ.get(name)) for name in ("SSL_CERT_FILE", "SSL_CERT_DIR")]
    for origin, path in sources:
        if path:
            return ok(f"`{path}` from {origin}, instead of the system's{client}")
    default = ssl.get_default_verify_paths()
    if default.cafile is None and not _has_files(default.capath) and not _has_other_store():
        return failed(
            ConfigError(
                "The system has no trusted certificates, so no https:// service can be reached",
                hint="Install them, for example: `apt install ca-certificates`",
            )
        )
    return ok(f"the system's{f' ({default.cafile})' if default.cafile else ''}{client}")


def _has_files(folder: str | None) -> bool:
    return folder is not None and any(Path(folder).iterdir())


def _has_other_store() -> bool:
    """Return whether the system has certificates where OpenSSL does not look (macOS, Windows)."""
    import sys

    import truststore

    context = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return not sys.platform.startswith("linux") or bool(context.get_ca_certs())


def local_servers(servers: Sequence[Target]) -> Finding:
    """Report the model servers that answer on this machine."""
    parts = [
        f"{server.settings.name} at {server.settings.url} with {server.model}" for server in servers
    ]
    return ok("; ".join(parts) or "none")
