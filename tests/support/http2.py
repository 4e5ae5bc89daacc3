"""A real HTTP/2 server on loopback, for one reply at a time, with the faults that only it has.

The script of a request is a list of texts and marks: bytes are sent as DATA, then ``END`` ends the
stream, ``Cut(code)`` resets it, ``Goodbye(code)`` ends the connection as HTTP/2 does, ``DROP`` as TCP
does, and ``STALL`` keeps it open without a word. Needs the package h2.
"""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple, Self, TypeAlias

import h2.config
import h2.connection
import h2.events
import h2.exceptions

END = "end"
DROP = "drop"
STALL = "stall"


class Cut(NamedTuple):
    """RST_STREAM."""

    code: int


class Goodbye(NamedTuple):
    """GOAWAY. ``last``: the last stream that was looked at; None: this one."""

    code: int
    last: int | None = None


Script: TypeAlias = Sequence[bytes | str | Cut | Goodbye]


class Http2Server:
    """Serves the scripts, one a request; the last one serves all further requests."""

    def __init__(self, tls: ssl.SSLContext, *scripts: Script) -> None:
        tls.set_alpn_protocols(["h2"])
        self.requests: list[tuple[dict[str, str], bytes]] = []
        self.connections = 0
        self.departed = threading.Event()
        self._scripts = list(scripts)
        self._tls = tls
        self._open: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"https://127.0.0.1:{self._listener.getsockname()[1]}/v1"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                sock, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, plain: socket.socket) -> None:
        try:
            with suppress(OSError, h2.exceptions.ProtocolError):
                self._talk(self._tls.wrap_socket(plain, server_side=True))
        finally:
            plain.close()

    def _talk(self, sock: ssl.SSLSocket) -> None:
        with sock, suppress(OSError, h2.exceptions.ProtocolError):
            self.connections += 1
            self._open.append(sock)
            config = h2.config.H2Configuration(client_side=False, header_encoding="utf-8")
            connection = h2.connection.H2Connection(config)
            connection.initiate_connection()
            sock.sendall(connection.data_to_send())
            heads: dict[int, dict[str, str]] = {}
            bodies: dict[int, bytes] = {}
            while data := sock.recv(65536):
                for event in connection.receive_data(data):
                    if isinstance(event, h2.events.RequestReceived):
                        heads[event.stream_id] = dict(event.headers)
                        bodies[event.stream_id] = b""
                    elif isinstance(event, h2.events.DataReceived):
                        bodies[event.stream_id] += event.data
                        connection.acknowledge_received_data(
                            event.flow_controlled_length, event.stream_id
                        )
                    elif isinstance(event, h2.events.StreamEnded):
                        number = event.stream_id
                        self.requests.append((heads[number], bodies[number]))
                        if not self._play(sock, connection, number):
                            return
                sock.sendall(connection.data_to_send())
        self.departed.set()

    def _play(
        self, sock: socket.socket, connection: h2.connection.H2Connection, number: int
    ) -> bool:
        script = self._scripts.pop(0) if len(self._scripts) > 1 else self._scripts[0]
        begun = False
        for step in script:
            if isinstance(step, bytes):
                if not begun:
                    begun = True
                    head = [(":status", "200"), ("content-type", "text/event-stream")]
                    connection.send_headers(number, head)
                connection.send_data(number, step)
            elif step == END:
                connection.end_stream(number)
            elif isinstance(step, Cut):
                connection.reset_stream(number, step.code)
            elif isinstance(step, Goodbye):
                connection.close_connection(
                    step.code, last_stream_id=number if step.last is None else step.last
                )
                sock.sendall(connection.data_to_send())
                while sock.recv(65536):  # the client leaves
                    pass
                return False
            elif step == DROP:
                sock.sendall(connection.data_to_send())
                sock.shutdown(socket.SHUT_RDWR)
                sock.close()
                return False
            sock.sendall(connection.data_to_send())
        return True

    def hang_up(self) -> None:
        """Close what is open, from the server's side."""
        for sock in self._open:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()
        self.hang_up()
