"""The test tools themselves: a harness that cannot fail would prove nothing."""

from __future__ import annotations

import os
import signal
import socket
import ssl
import sys
from pathlib import Path
from threading import Event

import pytest
from support.isolation import NetworkUsedError, is_foreign
from support.scenario import Result, Running, run_darkai, run_in_pty, start_darkai, start_in_pty
from support.server import (
    Authority,
    BeforeRequest,
    Close,
    FaultServer,
    Pause,
    Repeat,
    Reset,
    Send,
    Stall,
    Step,
    closed_port,
    page,
    reply,
    text,
)

PYTHON = (sys.executable, "-c")
WAIT = (
    "import signal, sys\n"
    "try:\n"
    "    print('ready', flush=True)\n"
    "    signal.pause()\n"
    "except KeyboardInterrupt: print('stopped'); sys.exit(130)\n"
)


def run(code: str, **options: object) -> Result:
    return run_darkai(code, command=PYTHON, **options)


# --- isolation ------------------------------------------------------------------------------------


def test_a_test_sees_a_clean_machine(isolated: Path):
    assert Path.home() == isolated / "home"
    assert Path.cwd() == isolated / "work"
    assert os.environ["DARKAI_HOME"] == str(isolated / "darkai")
    assert [name for name in os.environ if name.startswith("DARKAI_")] == ["DARKAI_HOME"]
    assert not list(Path.cwd().iterdir())


@pytest.mark.parametrize(
    "name", ["https_proxy", "NO_PROXY", "OPENAI_API_KEY", "DARKAI_URL", "LINES"]
)
def test_foreign_variables_are_known(name: str):
    assert is_foreign(name)
    assert not is_foreign("PATH")


def test_this_process_reaches_loopback_only():
    with pytest.raises(NetworkUsedError):
        socket.create_connection(("192.0.2.1", 80))
    with pytest.raises(NetworkUsedError):
        socket.getaddrinfo("example.com", 80)
    with pytest.raises(socket.gaierror):
        socket.getaddrinfo("no-such-host.invalid", 80)
    with FaultServer(reply()) as server:
        socket.create_connection((server.host, server.port)).close()


def test_a_started_process_is_offline():
    code = (
        "import socket\n"
        "for name in ('192.0.2.1', 'example.com'):\n"
        "    try: socket.create_connection((name, 80))\n"
        "    except OSError as error: print(type(error).__name__, error.errno)\n"
    )
    assert run(code).text == "OSError 101\ngaierror -2\n"


def test_a_started_process_reports_its_modules(tmp_path: Path):
    report = tmp_path / "report"
    with FaultServer(reply()) as server:
        code = (
            f"import urllib.request as u; u.urlopen({server.url!r}, b'x').read(); import colorsys"
        )
        assert run(code, env={"GUARD_MODULES": str(report)}).code == 0
    lines = report.read_text().splitlines()
    assert "sent urllib.request" in lines
    assert "sent colorsys" not in lines
    assert "exit colorsys" in lines


# --- processes ------------------------------------------------------------------------------------


def test_streams_and_code():
    code = "import sys; print(sys.stdin.read().upper()); print('e', file=sys.stderr); sys.exit(3)"
    assert run(code, stdin=b"abc") == (3, b"ABC\n", "e\n")


def test_kinds_of_stdin(tmp_path: Path):
    code = "import os, stat\ntry: print(stat.filemode(os.fstat(0).st_mode)[0])\nexcept OSError: print('!')"
    file = tmp_path / "file"
    file.touch()
    kinds = {None: "c", b"": "p", "closed": "!", "pty": "c", "open": "p", file: "-"}
    assert {kind: run(code, stdin=kind).text.strip() for kind in kinds} == kinds
    assert run("import os; print(os.isatty(0), os.isatty(1))", stdin="pty").text == "True False\n"


def test_signals_at_a_point():
    assert run(WAIT, at=[(b"ready", signal.SIGINT)]) == (130, b"ready\nstopped\n", "")
    assert run(WAIT, at=[(3, signal.SIGTERM)]).code == 143


def test_waiting_has_an_end():
    with pytest.raises(AssertionError, match="still running"):
        run(WAIT, timeout=0.2)
    with started("print(1)") as process, pytest.raises(AssertionError, match="the program ended"):
        process.wait_for(b"2")
    with started(WAIT, 0.2) as process, pytest.raises(AssertionError, match="the time ran out"):
        process.wait_for(b"2")


def started(code: str, timeout: float = 20) -> Running:
    return start_darkai(code, command=PYTHON, timeout=timeout)


def test_redirections():
    assert run("print('a\\nb')", redirect="| head -n1").stdout == b"a\n"
    assert run("import os; os.fstat(1)", redirect=">&-").code == 1


# --- terminals ------------------------------------------------------------------------------------


def test_a_terminal_scrolls_and_answers():
    code = (
        "import os, sys, tty\n"
        "print(os.get_terminal_size(), [os.isatty(fd) for fd in range(3)])\n"
        "for number in range(40): print(number)\n"
        "tty.setraw(0)\n"
        "os.write(1, b'\\x1b[31mred\\x1b[0m\\x1b[6n')\n"
        "found = b''\n"
        "while not found.endswith(b'R'): found += os.read(0, 1)\n"
        "os.write(1, repr(found).encode())\n"
    )
    result = run_in_pty(code, command=PYTHON, rows=10, cols=60)
    assert result.code == 0
    assert result.lines[0] == "os.terminal_size(columns=60, lines=10) [True, True, True]"
    assert result.lines[1:41] == [str(number) for number in range(40)]
    assert result.lines[41] == r"redb'\x1b[10;4R'"


def test_ctrl_c_is_typed():
    with start_in_pty(WAIT, command=PYTHON) as process:
        process.wait_for(b"ready")
        process.type("\x03")
        result = process.screen_result()
    assert (result.code, result.lines) == (130, ["ready", "^Cstopped"])


def test_a_terminal_on_one_stream():
    code = "import os, sys; print([os.isatty(fd) for fd in range(3)]); print('x', file=sys.stderr)"
    result = run_in_pty(code, command=PYTHON, on=("stderr",), stdin=b"y")
    assert (result.stdout, result.raw) == (b"[False, False, True]\n", b"x\r\n")


def test_a_terminal_changes_its_size():
    code = (
        "import os, signal\n"
        "signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGWINCH})\n"
        "print('ready', flush=True)\n"
        "signal.sigwait({signal.SIGWINCH})\n"
        "print(os.get_terminal_size().columns)\n"
    )
    with start_in_pty(code, command=PYTHON) as process:
        process.wait_for(b"ready")
        process.resize(30, 100)
        assert process.screen_result().lines == ["ready", "100"]


# --- the fault server -----------------------------------------------------------------------------


def exchange(server: FaultServer) -> bytes | type[OSError]:
    """Send a request; what came back, or how the connection broke."""
    with socket.create_connection((server.host, server.port), 20) as client:
        try:
            client.sendall(b"POST /x HTTP/1.1\r\nA: b\r\nContent-Length: 3\r\n\r\n[1]")
            received = b""
            while data := client.recv(65536):
                received += data
        except OSError as error:
            return type(error)
        return received


def body_of(*steps: Step | str, **options: object) -> bytes | type[OSError]:
    with FaultServer(reply(steps, **options)) as server:
        answer = exchange(server)
        assert server.requests == [("POST", "/x", {"a": "b", "content-length": "3"}, b"[1]")]
        assert server.requests[0].json() == [1]
        return answer.partition(b"\r\n\r\n")[2] if isinstance(answer, bytes) else answer


def test_replies():
    hello = text("Hello")
    assert body_of("Hello", chunked=False, end=None) == hello
    assert body_of("Hello", chunked="http10", end=None) == hello
    assert body_of("Hello", end=None) == b"%x\r\n%s\r\n0\r\n\r\n" % (len(hello), hello)
    assert body_of("Hello", Close(), end=None) == b"%x\r\n%s\r\n" % (len(hello), hello)
    assert body_of("Hello", Send(b"40\r\nhalf"), Close()).endswith(b"40\r\nhalf")


def test_breaks():
    assert body_of("Hello", Reset()) is ConnectionResetError
    with FaultServer([Reset()]) as server:
        assert exchange(server) is ConnectionResetError
    with FaultServer([Close()]) as server:
        assert exchange(server) == b""
    with FaultServer([BeforeRequest(), Send(b"SSH"), Close()]) as server:
        with socket.create_connection((server.host, server.port)) as client:
            assert client.recv(9) == b"SSH"
        assert server.requests == []
    with closed_port() as port, pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))


def test_one_script_a_connection_and_the_last_repeats():
    with FaultServer(page(500), page(200, "a")) as server:
        heads = [exchange(server)[:12] for _ in range(3)]
    assert heads == [b"HTTP/1.1 500", b"HTTP/1.1 200", b"HTTP/1.1 200"]
    assert server.connections == 3


def test_a_gate_holds_until_the_test_opens_it():
    gate = Event()
    with (
        FaultServer(reply(["Hello", Pause(gate), "later"])) as server,
        socket.create_connection((server.host, server.port)) as client,
    ):
        client.sendall(b"GET / HTTP/1.1\r\n\r\n")
        received = b""
        while b"Hello" not in received:
            received += client.recv(65536)
        client.settimeout(0.05)
        with pytest.raises(TimeoutError):
            client.recv(1)
        client.settimeout(20)
        gate.set()
        while b"stream-end" not in received:
            received += client.recv(65536)
        assert b"later" in received


@pytest.mark.parametrize("step", [Stall(), Repeat(b": ping\n", 0.01)])
def test_a_client_that_leaves_is_seen_and_closing_ends_every_wait(step: Step):
    with FaultServer(reply([step])) as server:
        with socket.create_connection((server.host, server.port)) as client:
            client.sendall(b"GET / HTTP/1.1\r\n\r\n")
            server.wait_requests()
        assert server.departed.wait(20)
        left_open = socket.create_connection((server.host, server.port))
    left_open.close()


def test_certificates(tmp_path: Path):
    authority = Authority()
    trusting = ssl.create_default_context(cafile=authority.pem(tmp_path))
    kinds = {
        "good": ("localhost", False),
        "other": ("x.example", False),
        "old": ("localhost", True),
    }
    codes = {}
    for kind, (name, expired) in kinds.items():
        with FaultServer(reply(), tls=authority.context(name, expired=expired)) as server:
            plain = socket.create_connection((server.host, server.port))
            try:
                with trusting.wrap_socket(plain, server_hostname="localhost"):
                    codes[kind] = 0
            except ssl.SSLCertVerificationError as error:
                codes[kind] = error.verify_code
    assert codes == {"good": 0, "other": 62, "old": 10}
