"""Proxies on loopback: HTTP that tunnels and forwards, with TLS or without, and SOCKS5.

Every name below ``.test`` leads to 127.0.0.1 for them, so that a service can have a name that no
client could resolve: only a request that went through the proxy arrives.
"""

from __future__ import annotations

import base64
import socket
import ssl
import threading
from contextlib import suppress
from typing import Any, Self

from support.server import read_request


class Proxy:
    """Base: accepts, and joins two sockets. ``seen``: each place that was asked for."""

    scheme = "http"

    def __init__(
        self, *, user: str = "", password: str = "", tls: ssl.SSLContext | None = None
    ) -> None:
        self.seen: list[str] = []
        self.connections = 0
        self._user, self._password = user, password
        self._tls = tls
        self._open: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        scheme = "https" if self._tls else self.scheme
        auth = f"{self._user}:{self._password}@" if self._user else ""
        return f"{scheme}://{auth}{self.address}"

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                sock, _ = self._listener.accept()
                self.connections += 1
                threading.Thread(target=self._begin, args=(sock,), daemon=True).start()

    def _begin(self, plain: socket.socket) -> None:
        sock = plain
        try:
            if self._tls is not None:
                sock = self._tls.wrap_socket(plain, server_side=True)
            self._open.append(sock)
            self.serve(sock)
        except (OSError, IndexError):
            pass  # the client went away
        finally:
            sock.close()

    def serve(self, sock: socket.socket) -> None:
        raise NotImplementedError

    def reach(self, host: str, port: int) -> socket.socket:
        self.seen.append(f"{host}:{port}")
        target = socket.create_connection(("127.0.0.1" if host.endswith(".test") else host, port))
        self._open.append(target)
        return target

    def join(self, client: socket.socket, other: socket.socket) -> None:
        back = threading.Thread(target=_pump, args=(other, client), daemon=True)
        back.start()
        _pump(client, other)
        back.join(20)
        other.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()
        for sock in self._open:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)


class HttpProxy(Proxy):
    """CONNECT, and absolute URLs.

    ``answer``: what it says in place of forwarding anything. ``targets``: those of the requests, as
    they were written.
    """

    answer = b""

    def __init__(self, **options: Any) -> None:
        self.targets: list[str] = []
        super().__init__(**options)

    def serve(self, sock: socket.socket) -> None:
        request = read_request(sock)
        if request is None:
            return
        self.targets.append(request.target)
        wanted = "Basic " + base64.b64encode(f"{self._user}:{self._password}".encode()).decode()
        if self._user and request.headers.get("proxy-authorization") != wanted:
            sock.sendall(
                b"HTTP/1.1 407 Who\r\nproxy-authenticate: Basic\r\ncontent-length: 0\r\n\r\n"
            )
            return
        if self.answer:
            sock.sendall(self.answer)
            return
        if request.method == "CONNECT":
            host, _, port = request.target.rpartition(":")
            other = self.reach(host.strip("[]"), int(port))
            sock.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        else:
            place, _, path = request.target.removeprefix("http://").partition("/")
            host, _, port = place.partition(":")
            other = self.reach(host, int(port or 80))
            head = [f"{request.method} /{path} HTTP/1.1"]
            head += [f"{k}: {v}" for k, v in request.headers.items() if not k.startswith("proxy-")]
            other.sendall("\r\n".join([*head, "", ""]).encode() + request.body)
        self.join(sock, other)


class SocksProxy(Proxy):
    """SOCKS5. ``seen`` tells names from addresses; ``refuse``: the code it answers with."""

    scheme = "socks5"
    refuse = 0

    def serve(self, sock: socket.socket) -> None:
        methods = sock.recv(2)[1]
        offered = sock.recv(methods)
        method = 2 if self._user else 0
        if method not in offered:
            sock.sendall(b"\x05\xff")
            return
        sock.sendall(bytes([5, method]))
        if method:
            user = sock.recv(sock.recv(2)[1]).decode()
            password = sock.recv(sock.recv(1)[0]).decode()
            good = (user, password) == (self._user, self._password)
            sock.sendall(b"\x01" + (b"\0" if good else b"\1"))
            if not good:
                return
        kind = sock.recv(4)[3]
        if kind == 3:
            host = sock.recv(sock.recv(1)[0]).decode()
        else:
            family, size = (socket.AF_INET, 4) if kind == 1 else (socket.AF_INET6, 16)
            host = socket.inet_ntop(family, sock.recv(size))
        port = int.from_bytes(sock.recv(2), "big")
        if self.refuse:
            sock.sendall(bytes([5, self.refuse, 0, 1]) + bytes(6))
            return
        other = self.reach(host, port)
        for byte in b"\x05\x00\x00\x03\x04home\x1f\x90":  # one by one: it may come in pieces
            sock.sendall(bytes([byte]))
        self.join(sock, other)
