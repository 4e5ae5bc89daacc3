"""A real server on loopback that does what a test's script says, step by step, and nothing else.

Plain sockets and threads, no HTTP library: a fault must reach the client exactly as written. One
script a connection; the last one serves all further connections. Each script starts when the whole
request has been read and recorded, unless its first step is ``BeforeRequest``; it ends with an
orderly close. Nothing sleeps: a script waits for events, and every wait is bounded.

    with FaultServer(reply(["Hel", "lo"])) as server:
        ... server.url ... server.requests[0].json()["query"]

    gate = Event()
    FaultServer(reply(["Hel", Pause(gate), Reset()]))          # RST once the test opens the gate
    FaultServer(page(500), reply(["fine"]))                    # fails once
"""

from __future__ import annotations

import json
import socket
import ssl
import struct
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event
from typing import Any, Literal, NamedTuple, Self, TypeAlias

import trustme

GUARD = 60.0
"""No wait lasts longer than this many seconds; one that does fails the test."""


class Send(NamedTuple):
    """Bytes as they are, in one write."""

    data: bytes


class Pause(NamedTuple):
    """Wait until the test sets the event (or the server is closed)."""

    until: Event


class Tell(NamedTuple):
    """Set an event: the script has come to this point."""

    event: Event


class Repeat(NamedTuple):
    """The same bytes every so many seconds until the client has gone or the server is closed."""

    data: bytes
    every: float


class Stall(NamedTuple):
    """Hold the connection open and say nothing until the client has gone or the server is closed."""


class Reset(NamedTuple):
    """End the connection with RST."""


class Close(NamedTuple):
    """End the connection with FIN; what a script does at its end in any case."""


class BeforeRequest(NamedTuple):
    """As the first step: do not read a request."""


Step: TypeAlias = Send | Pause | Tell | Repeat | Stall | Reset | Close | BeforeRequest
Script: TypeAlias = Sequence[Step]


class Request(NamedTuple):
    """A request as it was received; header names in lower case."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body's JSON value."""
        return json.loads(self.body)


class FaultServer:
    """Serves the scripts on a free port of 127.0.0.1 from construction to ``close()``."""

    def __init__(
        self, *scripts: Script, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1"
    ) -> None:
        self.requests: list[Request] = []
        self.connections = 0
        self.departed = Event()
        """A client closed its connection while a script still held it open."""
        self._scripts = scripts or ([Stall()],)
        self._tls = tls
        self._stopping = Event()
        self._changed = threading.Condition()
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._failures: list[BaseException] = []
        self._listener = socket.create_server((host, 0), backlog=64)
        self.host = host
        self.port: int = self._listener.getsockname()[1]
        self._start(self._accept)

    @property
    def address(self) -> str:
        """``HOST:PORT``."""
        return f"{self.host}:{self.port}"

    @property
    def url(self) -> str:
        """The URL to give to a client as the DarkAI service's."""
        return f"{'https' if self._tls else 'http'}://{self.address}/chat"

    def wait_requests(self, number: int = 1) -> list[Request]:
        """The requests, once there are so many."""
        with self._changed:
            if not self._changed.wait_for(lambda: len(self.requests) >= number, GUARD):
                raise TimeoutError(f"{len(self.requests)} requests came, {number} were expected")
            return list(self.requests)

    def close(self) -> None:
        """End every connection and thread. Raises what went wrong in the server itself."""
        self._stopping.set()
        for step in (step for script in self._scripts for step in script):
            if isinstance(step, Pause):
                step.until.set()
        _shut(self._listener)
        with self._changed:
            still_open = list(self._open)
        for connection in still_open:
            _shut(connection, close=False)
        for thread in list(self._threads):
            thread.join(GUARD)
        if self._failures:
            raise self._failures[0]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _start(self, target: Any, *args: Any) -> None:
        thread = threading.Thread(target=target, args=args, name="fault-server", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            script = self._scripts[min(self.connections, len(self._scripts) - 1)]
            with self._changed:
                self.connections += 1
                self._open.add(connection)
            self._start(self._serve, connection, script)

    def _serve(self, plain: socket.socket, script: Script) -> None:
        connection = plain
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.settimeout(GUARD)
            if self._tls is not None and not _unread(script):
                connection = self._tls.wrap_socket(plain, server_side=True)
                with self._changed:
                    self._open.add(connection)
            if not _unread(script):
                request = read_request(connection)
                if request is None:
                    return
                with self._changed:
                    self.requests.append(request)
                    self._changed.notify_all()
            for step in script:
                if not self._play(step, connection):
                    return
        except TimeoutError as exc:  # raised again by close()
            self._failures.append(exc)
        except OSError:
            self.departed.set()  # the client left first, or refused our certificate
        except Exception as exc:  # noqa: BLE001 -- raised again by close()
            self._failures.append(exc)
        finally:
            with self._changed:
                self._open -= {plain, connection}
            _shut(connection)

    def _play(self, step: Step, connection: socket.socket) -> bool:
        """Do one step; whether the connection is still there."""
        match step:
            case Send(data):
                connection.sendall(data)
            case Pause(until):
                if not until.wait(GUARD):
                    raise TimeoutError("nobody opened the gate of a Pause")
            case Tell(event):
                event.set()
            case Repeat(data, every):
                while not self._stopping.wait(every):
                    connection.sendall(data)
                return False
            case Stall():
                while connection.recv(65536):
                    pass
                if not self._stopping.is_set():
                    self.departed.set()
            case Reset():
                _reset(connection)
                return False
            case Close():
                return False
        return True


def _unread(script: Script) -> bool:
    return bool(script) and isinstance(script[0], BeforeRequest)


def _shut(sock: socket.socket, *, close: bool = True) -> None:
    """FIN to the other side, and wake whoever waits on the socket in this process."""
    with suppress(OSError):  # it may not be connected any more
        sock.shutdown(socket.SHUT_RDWR)
    if close:
        sock.close()


def _reset(sock: socket.socket) -> None:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def read_request(connection: socket.socket) -> Request | None:
    """One whole request; None if the client went away before its end."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(65536)
        if not piece:
            return None
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    method, target, _version = first.split(" ")
    headers = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    while len(body) < int(headers.get("content-length", "0")):
        piece = connection.recv(65536)
        if not piece:
            return None
        body += piece
    return Request(method, target, headers, body)


# --- what a DarkAI service says -------------------------------------------------------------------


def event(name: str, data: Any = None, *, newline: str = "\n") -> bytes:
    """One DarkAI message as an SSE event: ``data: {"event": name, "data": data}``."""
    line = json.dumps({"event": name, "data": {} if data is None else data})
    return f"data: {line}{newline}{newline}".encode()


def text(value: str) -> bytes:
    """One ``text-chunk``."""
    return event("text-chunk", {"text": value})


def error(detail: str) -> bytes:
    """An error in the stream, as sse-starlette names it."""
    return b"event: error\n" + event("error", {"detail": detail})


def http_chunk(data: bytes) -> bytes:
    """One chunk of a chunked body."""
    return b"%x\r\n%s\r\n" % (len(data), data)


def reply(
    chunks: Sequence[str | bytes | Step] = (),
    *,
    end: str | None = "stream-end",
    chunked: bool | Literal["http10"] = True,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> list[Step]:
    """A DarkAI reply: a text becomes a ``text-chunk``, bytes go into the body as they are.

    Each item is one write and one HTTP chunk. A step stands for itself, outside of the body's
    framing. ``end``: the event that closes the reply, or None for a body that just ends.
    ``chunked``: False announces the length, ``"http10"`` ends the body with the connection.
    """
    items = list(chunks) + ([event(end)] if end is not None else [])
    body = [text(item) if isinstance(item, str) else item for item in items]
    fields = {"content-type": "text/event-stream; charset=utf-8", "cache-control": "no-store"}
    if chunked is True:
        fields["transfer-encoding"] = "chunked"
    elif chunked is False:
        fields["content-length"] = str(sum(len(part) for part in body if isinstance(part, bytes)))
    version = "HTTP/1.0" if chunked == "http10" else "HTTP/1.1"
    steps: list[Step] = [Send(head(status, {**fields, **(headers or {})}, version=version))]
    for part in body:
        if not isinstance(part, bytes):
            steps.append(part)
        elif part:
            steps.append(Send(http_chunk(part) if chunked is True else part))
    return [*steps, Send(b"0\r\n\r\n")] if chunked is True else steps


def page(
    status: int,
    body: bytes | str = b"",
    content_type: str = "text/html",
    headers: Mapping[str, str] | None = None,
) -> list[Step]:
    """A whole response that is not a stream: an error page, a redirect, JSON."""
    data = body.encode() if isinstance(body, str) else body
    fields = {"content-type": content_type, "content-length": str(len(data)), **(headers or {})}
    return [Send(head(status, fields) + data)]


def json_page(status: int, value: Any, headers: Mapping[str, str] | None = None) -> list[Step]:
    """The same with a JSON value."""
    return page(status, json.dumps(value), "application/json", headers)


def head(status: int, headers: Mapping[str, str], *, version: str = "HTTP/1.1") -> bytes:
    """A response's head."""
    lines = [f"{version} {status} Status", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


# --- ports where nobody answers -------------------------------------------------------------------


@contextmanager
def closed_port() -> Iterator[int]:
    """A port that refuses connections, and that nobody else can take meanwhile."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        yield sock.getsockname()[1]


@contextmanager
def full_port() -> Iterator[int]:
    """A port whose queue is full: a SYN gets no answer (Linux)."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port: int = listener.getsockname()[1]
        waiting = [socket.socket() for _ in range(4)]
        try:
            for sock in waiting:
                sock.setblocking(False)
                sock.connect_ex(("127.0.0.1", port))
            yield port
        finally:
            for sock in waiting:
                sock.close()


# --- TLS ------------------------------------------------------------------------------------------


class Authority:
    """A certificate authority of the test's own."""

    def __init__(self) -> None:
        self._ca = trustme.CA()

    def pem(self, folder: Path) -> str:
        """The path of a file with the authority's certificate, for ``SSL_CERT_FILE``."""
        path = folder / "authority.pem"
        self._ca.cert_pem.write_to_path(str(path))
        return str(path)

    def context(self, *names: str, expired: bool = False) -> ssl.SSLContext:
        """A server's context with a certificate for these names."""
        now = datetime.now(UTC)
        times = (
            {"not_before": now - timedelta(days=90), "not_after": now - timedelta(days=30)}
            if expired
            else {}
        )
        certificate = self._ca.issue_cert(*names, **times)
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        certificate.configure_cert(context)
        return context
