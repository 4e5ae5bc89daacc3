"""Find model servers on this machine by asking at their usual addresses.

They are used where the user chose nothing and the default service does not answer, so that a prompt
may go to a server that nobody named. Therefore only an answer that is surely that server's counts,
and only models that run on this machine: another program may listen on port 8080, a gateway that
speaks the same dialect passes prompts on, and Ollama lists models of its cloud too. Only loopback
addresses are connected to, names are not resolved, redirects are not followed.

Each server is asked in a thread of its own; what has not answered when the time is up counts as no
answer. Sources: the servers' own descriptions of their model lists (Ollama ``/api/tags`` and
``/api/ps``, LM Studio ``/api/v0/models``, ``owned_by`` of llama.cpp's and vLLM's ``/v1/models``).
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from darkai_cli import signals
from darkai_cli.errors import DarkAIError
from darkai_cli.providers.base import Target
from darkai_cli.providers.dialect import dicts, parse, text_in
from darkai_cli.providers.settings import settings_of
from darkai_cli.secrets import is_loopback, origin_of

if TYPE_CHECKING:
    from http.client import HTTPConnection

    from darkai_cli.config import Config
    from darkai_cli.providers.base import ProviderSettings

SECONDS = 0.05
"""The time for all servers together."""

MAX_ANSWER = 1 << 20
"""Bytes; a larger answer is no list of models."""

Answers = Sequence[Any]
"""The JSON values that answered a server's paths, in their order; None where nothing did."""


class ServerKind(NamedTuple):
    """A kind of server.

    ``paths``: the pages to get. ``model``: returns the model to use, by the answers; "" if it is
    not that kind of server.
    """

    paths: tuple[str, ...]
    model: Callable[[Answers], str]


def find(config: Config) -> Iterator[Target]:
    """Yield the servers that answer, each with a model that it has, loaded if any is."""
    import http.client  # noqa: F401 -- before the clock starts

    deadline = time.monotonic() + SECONDS
    pending: list[tuple[ProviderSettings, ServerKind, Fetch]] = []
    for name, kind in KINDS.items():
        try:
            settings = settings_of(config, name)
        except DarkAIError:
            continue
        if is_local(settings.url):
            pending.append((settings, kind, Fetch(settings.url, kind.paths, SECONDS)))
    for settings, kind, fetch in pending:
        model = kind.model(fetch.answers(deadline))
        if model:
            yield Target(settings, model)


def is_local(url: str) -> bool:
    """Return whether a URL is plain HTTP to this machine."""
    scheme, host, _ = origin_of(url)
    return scheme == "http" and is_loopback(host)


class Fetch:
    """Gets the paths of one server, in a thread that begins at once."""

    def __init__(self, url: str, paths: Sequence[str], seconds: float) -> None:
        """``url``: its scheme and path do not matter. ``seconds``: for each step of a request."""
        _, self._host, self._port = origin_of(url)
        self._paths = paths
        self._seconds = seconds
        self._answers: list[Any] = [None] * len(paths)
        self._connection: HTTPConnection | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def answers(self, deadline: float) -> Answers:
        """Return what has come by ``deadline``, a time of ``time.monotonic``."""
        self._thread.join(max(0.0, deadline - time.monotonic()))
        answers = list(self._answers)
        sock = self._connection.sock if self._connection is not None else None
        if self._thread.is_alive() and sock is not None:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)  # ends the thread
        return answers

    def _run(self) -> None:
        from http.client import HTTPException

        signals.block_in_thread()
        for address in _addresses(self._host):
            # No server there, or one that breaks off or speaks another protocol.
            with contextlib.suppress(OSError, HTTPException, ValueError):
                for number, path in enumerate(self._paths):
                    body = self._get(address, path)
                    self._answers[number] = parse(body.decode("utf-8", "replace"))
                return

    def _get(self, address: str, path: str) -> bytes:
        """Return the body of a good answer, b"" for any other."""
        from http.client import HTTPConnection

        connection = HTTPConnection(address, self._port, timeout=self._seconds)
        self._connection = connection
        place = f"[{self._host}]" if ":" in self._host else self._host
        with contextlib.closing(connection):
            headers = {"Host": f"{place}:{self._port}", "Accept": "application/json"}
            connection.request("GET", path, headers={**headers, "Connection": "close"})
            response = connection.getresponse()
            length = response.length
            if response.status != 200 or (length is not None and length > MAX_ANSWER):
                return b""
            # Without an amount a body that is shorter than its length is an error.
            body = response.read() if length is not None else response.read(MAX_ANSWER + 1)
            return body if len(body) <= MAX_ANSWER else b""


def _addresses(host: str) -> tuple[str, ...]:
    """Return the loopback addresses of a host; names are not resolved."""
    return (host,) if ":" in host or host[0].isdigit() else ("127.0.0.1", "::1")


def _ollama(answers: Answers) -> str:
    tags, running = (_rows(answer, "models") for answer in answers)
    own = [
        str(row["name"])
        for row in tags
        if isinstance(row.get("name"), str) and row.get("digest") and _is_chat(row)
    ]
    loaded = [row.get("name") for row in running]
    return next((name for name in own if name in loaded), own[0] if own else "")


def _is_chat(row: dict[str, Any]) -> bool:
    """Return whether a row of Ollama's is a model that chats and runs on this machine."""
    name = str(row["name"])
    if row.get("remote_host") or row.get("remote_model") or name.endswith(("-cloud", ":cloud")):
        return False
    details = row.get("details")
    family = str(details.get("family") or "") if isinstance(details, dict) else ""
    return "bert" not in family and "embed" not in name


def _lm_studio(answers: Answers) -> str:
    rows = [
        row
        for row in _rows(answers[0], "data")
        if row.get("type") in ("llm", "vlm") and row.get("state") and text_in(row, "id")
    ]
    loaded = [row for row in rows if row["state"] == "loaded"]
    return text_in((loaded or rows)[0], "id") if rows else ""


def _owned_by(owner: str) -> Callable[[Answers], str]:
    def model(answers: Answers) -> str:
        rows = [
            row
            for row in _rows(answers[0], "data")
            if row.get("owned_by") == owner and text_in(row, "id")
        ]
        loaded = [row for row in rows if _state(row) == "loaded"]
        return text_in((loaded or rows)[0], "id") if rows else ""

    return model


def _state(row: dict[str, Any]) -> Any:
    """Return the state of a model where llama.cpp's server serves several; else None."""
    status = row.get("status")
    return status.get("value") if isinstance(status, dict) else None


def _rows(answer: Any, field: str) -> Sequence[dict[str, Any]]:
    return dicts(answer.get(field)) if isinstance(answer, dict) else ()


KINDS: dict[str, ServerKind] = {
    "ollama": ServerKind(("/api/tags", "/api/ps"), _ollama),
    "llamacpp": ServerKind(("/v1/models",), _owned_by("llamacpp")),
    "lmstudio": ServerKind(("/api/v0/models",), _lm_studio),
    "vllm": ServerKind(("/v1/models",), _owned_by("vllm")),
}
"""The servers, by the names of their providers, in the order in which they are preferred."""
