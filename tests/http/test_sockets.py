"""The head start: a connection that is opened beside the imports, and what becomes of it."""

from __future__ import annotations

import socket
import ssl
import subprocess
import sys
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from support.openai import base, configure, reply
from support.proxies import HttpProxy
from support.scenario import run_darkai
from support.server import Authority, BeforeRequest, FaultServer, Send, Stall, closed_port

from darkai_cli.errors import ConfigError
from darkai_cli.http import sockets
from darkai_cli.http import tls as tls_module
from darkai_cli.http.connection import ConnectionConfig
from darkai_cli.http.sockets import HeadStart, Peer
from darkai_cli.http.timeouts import Deadline, Timeouts
from darkai_cli.http.tls import PendingContext, Trust

LONG = 30.0
PATIENT = Timeouts(connect=LONG)
ENDLESS = Timeouts(connect=100 * LONG)


def deadline_in(seconds: float = LONG) -> Deadline:
    return Deadline(Timeouts(connect=seconds))


def await_handshake(head_start: HeadStart) -> None:
    """Wait until the connection is in its TLS handshake, which the server never ends."""
    step = ""
    while step != "tls":
        deadline = deadline_in(0.05)
        with pytest.raises(TimeoutError):
            head_start.take(deadline)
        step = deadline.step


def trusting(authority: Authority, folder: Path) -> PendingContext:
    return PendingContext(Trust(), {"SSL_CERT_FILE": authority.pem(folder)})


def test_a_connection_is_taken_once():
    with FaultServer([Send(b"x"), Stall()]) as server:
        head_start = HeadStart(Peer("service", server.host, server.port, None), PATIENT)
        deadline = deadline_in()
        connection = head_start.take(deadline)
        assert connection is not None
        assert connection.getpeername() == (server.host, server.port)
        assert deadline.step == "service"
        assert head_start.take(deadline_in()) is None
        head_start.close()
        assert connection.fileno() >= 0  # not its own any more
        connection.close()


def test_tls_is_agreed_upon_too(tmp_path: Path):
    authority = Authority()
    with FaultServer(reply(["hi"]), tls=authority.context("127.0.0.1")) as server:
        head_start = HeadStart(
            Peer("service", server.host, server.port, trusting(authority, tmp_path)), PATIENT
        )
        deadline = deadline_in()
        connection = head_start.take(deadline)
        assert isinstance(connection, ssl.SSLSocket)
        assert deadline.step == "tls"
        connection.close()


def test_a_connection_that_nobody_takes_is_closed():
    with FaultServer([BeforeRequest(), Stall()]) as server:
        head_start = HeadStart(Peer("service", server.host, server.port, None), PATIENT)
        head_start._ready.wait(LONG)
        head_start.close()
        assert server.departed.wait(LONG)
        assert head_start.take(deadline_in()) is None


def test_one_that_comes_too_late_is_closed_as_well(monkeypatch: pytest.MonkeyPatch):
    """It was given up while the name was still being looked up."""
    slow = Event()
    usual = sockets.resolve

    def resolve(host: str, port: int, seconds: float) -> list[str]:
        assert slow.wait(LONG)
        return usual(host, port, seconds)

    monkeypatch.setattr(sockets, "resolve", resolve)
    with FaultServer([BeforeRequest(), Stall()]) as server:
        head_start = HeadStart(Peer("service", server.host, server.port, None), PATIENT)
        head_start.close()
        slow.set()
        assert server.departed.wait(LONG)


def test_faults_are_raised_where_it_is_taken(tmp_path: Path):
    with closed_port() as port:
        with pytest.raises(ConnectionRefusedError):
            HeadStart(Peer("service", "127.0.0.1", port, None), PATIENT).take(deadline_in())
        with pytest.raises(ConnectionRefusedError):
            HeadStart(Peer("proxy", "127.0.0.1", port, None), PATIENT).take(
                deadline := deadline_in()
            )
        assert deadline.step == "proxy"
    with pytest.raises(socket.gaierror):
        HeadStart(Peer("service", "no-such-host.invalid", 80, None), PATIENT).take(deadline_in())
    with FaultServer(reply(["hi"]), tls=Authority().context("127.0.0.1")) as server:
        strange = trusting(Authority(), tmp_path)
        with pytest.raises(ssl.SSLCertVerificationError):
            HeadStart(Peer("service", server.host, server.port, strange), PATIENT).take(
                deadline := deadline_in()
            )
        assert deadline.step == "tls"
        none = PendingContext(Trust(ca_file=str(tmp_path / "none.pem")), {})
        with pytest.raises(ConfigError, match="none"):
            HeadStart(Peer("service", server.host, server.port, none), PATIENT).take(deadline_in())


def test_a_failure_counts_for_two_seconds(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """After that the request tries to connect itself."""
    with FaultServer(reply(["hi"]), tls=Authority().context("127.0.0.1")) as server:
        tls = trusting(Authority(), tmp_path)
        head_start = HeadStart(Peer("service", server.host, server.port, tls), PATIENT)
        head_start._thread.join(LONG)
        assert head_start.is_usable()
        monkeypatch.setattr(sockets, "ERROR_SECONDS", 0.0)
        assert not head_start.is_usable()
        assert head_start.take(deadline_in()) is None


def test_a_handshake_that_nobody_waits_for_is_given_up(tmp_path: Path):
    """So that nothing is inside OpenSSL, and no connection stands, for as long as it may take."""
    tls = trusting(Authority(), tmp_path)
    with FaultServer([BeforeRequest(), Stall()]) as server:
        head_start = HeadStart(Peer("service", server.host, server.port, tls), ENDLESS)
        await_handshake(head_start)
        head_start.close()
        head_start._thread.join(LONG)
        assert not head_start._thread.is_alive()
        assert server.departed.wait(LONG)


def test_tls_is_not_begun_when_nobody_wants_it_any_more(monkeypatch: pytest.MonkeyPatch):
    connected, slow = Event(), Event()
    usual = sockets.connect

    def connect(*arguments: Any) -> socket.socket:
        connection = usual(*arguments)
        connected.set()
        assert slow.wait(LONG)
        return connection

    monkeypatch.setattr(sockets, "connect", connect)
    with FaultServer([BeforeRequest(), Stall()]) as server:
        head_start = HeadStart(
            Peer("service", server.host, server.port, PendingContext(Trust(), {})), PATIENT
        )
        assert connected.wait(LONG)
        head_start.close()
        slow.set()
        head_start._thread.join(LONG)
        assert head_start._deadline.step == "service"
        assert server.departed.wait(LONG)


def test_the_end_of_the_process_waits_for_a_handshake(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    """OpenSSL tears itself down then; a thread that is inside it would crash."""
    monkeypatch.setattr(sockets.signals, "block_in_thread", lambda: None)  # this process goes on
    tls = trusting(Authority(), tmp_path)
    with FaultServer([BeforeRequest(), Stall()]) as server:
        head_start = HeadStart(Peer("service", server.host, server.port, tls), ENDLESS)
        await_handshake(head_start)
        head_start.close()  # which the process calls at its end
        tls_module._finish_at_exit()
        assert head_start._thread not in tls_module.busy_threads


def test_a_scheme_in_capitals_is_the_same(isolated: Path, tmp_path: Path):
    authority = Authority()
    with FaultServer(reply(["fine"]), tls=authority.context("127.0.0.1")) as server:
        configure(isolated, base(server).replace("https:", "HTTPS:"))
        done = run_darkai("ask", "hi", env={"SSL_CERT_FILE": authority.pem(tmp_path)})
        assert (done.code, done.stdout) == (0, b"fine\n"), done
        assert server.connections == 1


@pytest.mark.parametrize(
    ("url", "connection"),
    [
        ("http://desk:8080/v1", ConnectionConfig(app=lambda *_: None)),  # type: ignore[arg-type, return-value]
        ("http://desk:8080/v1", ConnectionConfig(admit=lambda *_: None)),
        ("http://d\N{LATIN SMALL LETTER E WITH ACUTE}sk:8080/v1", ConnectionConfig()),
    ],
    ids=["in this process", "addresses to be admitted", "international name"],
)
def test_where_there_is_none(monkeypatch: pytest.MonkeyPatch, url: str, connection: Any):
    monkeypatch.delitem(sys.modules, "httpx")
    assert connection.head_start(url) is None


def test_none_once_httpx_is_there():
    """Then nothing is won; and a request that is mocked in this process opens no connection."""
    import httpx

    assert httpx
    assert ConnectionConfig().head_start("http://127.0.0.1:9/v1") is None


WATCH_ORDER = """
import sys
from darkai_cli.http import sockets
from darkai_cli.http import tls as tls_module
made = sockets.HeadStart.__init__
def noting(self, peer, timeouts):
    print("head start:", *peer[:3], "httpx" in sys.modules, file=sys.stderr)
    made(self, peer, timeouts)
sockets.HeadStart.__init__ = noting
from darkai_cli.__main__ import main
main()
"""


def test_ask_begins_it_before_httpx_is_imported(isolated: Path, tmp_path: Path):
    authority = Authority()
    with FaultServer(reply(["fine"]), tls=authority.context("127.0.0.1")) as server:
        configure(isolated, base(server))
        env = {"SSL_CERT_FILE": authority.pem(tmp_path)}
        done = run_darkai("ask", "hi", env=env, command=(sys.executable, "-c", WATCH_ORDER))
        assert done.code == 0, done
        assert f"head start: service 127.0.0.1 {server.port} False" in done.stderr
        assert server.connections == 1  # and uses that one


def test_through_a_proxy_it_leads_to_the_proxy(isolated: Path):
    with FaultServer(reply(["fine"])) as server, HttpProxy() as proxy:
        configure(isolated, base(server))
        line = ("ask", "hi", "--proxy", proxy.url)
        done = run_darkai(*line, command=(sys.executable, "-c", WATCH_ORDER))
        assert done.code == 0, done
        assert f"head start: proxy {proxy.address.replace(':', ' ')} False" in done.stderr
        assert proxy.connections == 1


def test_the_module_needs_no_httpcore():
    """It is there before httpcore is, or it would be of no use."""
    code = "import sys, darkai_cli.http.connection, darkai_cli.http.sockets; print('httpcore' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
