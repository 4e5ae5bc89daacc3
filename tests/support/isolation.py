"""A clean machine for one test: an environment with nothing of the developer's in it, and no network.

Not a sandbox: it protects against accidents, not against malice. In this process the network is cut
by ``cut_network``; in the processes that a test starts by ``guard/sitecustomize.py``.
"""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from ipaddress import ip_address
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
"""The folder with ``pyproject.toml``."""

_REMOVED_PREFIXES = ("DARKAI_", "XDG_", "GUARD_", "LC_", "GIT_")
_REMOVED_SUFFIXES = ("_PROXY", "_API_KEY", "_API_TOKEN")
_REMOVED = frozenset({
    "NO_COLOR", "FORCE_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "PY_COLORS", "COLORTERM",
    "COLUMNS", "LINES", "CI", "GITHUB_ACTIONS", "TMUX", "TERM_PROGRAM", "COLORFGBG",
    "VTE_VERSION", "KONSOLE_VERSION", "WT_SESSION", "XTERM_VERSION", "TTY_COMPATIBLE", "TTY_INTERACTIVE",
    "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSLKEYLOGFILE",
    "OLLAMA_HOST", "OPENAI_BASE_URL", "AZURE_OPENAI_ENDPOINT",
    "HF_TOKEN", "GITHUB_TOKEN", "DEEPINFRA_TOKEN",
    "EDITOR", "VISUAL", "PAGER", "LANGUAGE", "REQUEST_METHOD", "NETRC",
    "PYTHONPATH", "PYTHONSTARTUP", "PYTHONWARNINGS", "PYTHONUTF8", "PYTHONIOENCODING",
    "PYTHONOPTIMIZE", "PYTHONUNBUFFERED", "PYTHONDEVMODE", "PYTHONHASHSEED",
})  # fmt: skip


MODEL_SERVERS = (11434, 8080, 1234, 8000, 1337)
"""The usual ports of model servers, closed in tests: one may run on the developer's machine."""


def is_foreign(name: str) -> bool:
    """Whether a variable would carry the developer's own settings into a test."""
    upper = name.upper()
    return (
        upper in _REMOVED
        or upper.startswith(_REMOVED_PREFIXES)
        or upper.endswith(_REMOVED_SUFFIXES)
    )


def clean_environment(base: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """``environ`` without anything foreign, with every home folder below ``base``."""
    home = base / "home"
    clean = {name: value for name, value in environ.items() if not is_foreign(name)}
    # Where it is set, each of the thousand processes of the tests would compile darkai anew.
    clean.pop("PYTHONDONTWRITEBYTECODE", None)
    clean.update(
        HOME=str(home),
        USERPROFILE=str(home),
        DARKAI_HOME=str(base / "darkai"),
        XDG_CONFIG_HOME=str(home / ".config"),
        XDG_DATA_HOME=str(home / ".local" / "share"),
        XDG_STATE_HOME=str(home / ".local" / "state"),
        XDG_CACHE_HOME=str(home / ".cache"),
        XDG_RUNTIME_DIR=str(base / "run"),
        LANG="C.UTF-8",
        LC_ALL="C.UTF-8",
        TERM="xterm-256color",
        TZ="UTC",
    )
    return clean


def darkai_home() -> Path:
    """The folder of darkai's configuration and data; not there yet."""
    return Path(os.environ["DARKAI_HOME"])


def write_config(text: str) -> None:
    """Write the configuration file."""
    darkai_home().mkdir(mode=0o700, parents=True, exist_ok=True)
    path = darkai_home() / "config.toml"
    path.write_text(text, "utf-8")
    path.chmod(0o600)


class NetworkUsedError(AssertionError):
    """A test went to a host that is not this machine."""


def is_local(host: object) -> bool:
    """Whether a host as ``connect`` or ``getaddrinfo`` take it is this machine."""
    if host is None:
        return True
    name = host.decode("ascii", "replace") if isinstance(host, bytes | bytearray) else str(host)
    if name in ("", "localhost") or name.endswith(".localhost"):
        return True
    try:
        return ip_address(name.split("%")[0]).is_loopback
    except ValueError:
        return False


@contextmanager
def cut_network() -> Iterator[None]:
    """Let this process reach loopback and Unix sockets only.

    A name below ``.invalid`` fails as an unknown name does; any other foreign host is a failure of
    the test itself.
    """
    connect, connect_ex, getaddrinfo = (
        socket.socket.connect,
        socket.socket.connect_ex,
        socket.getaddrinfo,
    )

    def checked(real: Callable[..., Any]) -> Callable[..., Any]:
        def connecting(sock: socket.socket, address: Any) -> Any:
            if sock.family in (socket.AF_INET, socket.AF_INET6) and not is_local(address[0]):
                raise NetworkUsedError(f"a test connects to {address!r}")
            if sock.family != socket.AF_UNIX and address[1] in MODEL_SERVERS:
                raise ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")
            return real(sock, address)

        return connecting

    def resolving(host: Any, *args: Any, **kwargs: Any) -> Any:
        if not is_local(host):
            if str(host).rstrip(".").endswith(".invalid"):
                raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
            raise NetworkUsedError(f"a test resolves {host!r}")
        return getaddrinfo(host, *args, **kwargs)

    socket.socket.connect = checked(connect)  # type: ignore[method-assign]
    socket.socket.connect_ex = checked(connect_ex)  # type: ignore[method-assign]
    socket.getaddrinfo = resolving
    try:
        yield
    finally:
        socket.socket.connect = connect  # type: ignore[method-assign]
        socket.socket.connect_ex = connect_ex  # type: ignore[method-assign]
        socket.getaddrinfo = getaddrinfo
