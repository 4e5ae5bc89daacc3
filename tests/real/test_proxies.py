"""Proxies that people have: tinyproxy, dante, microsocks, mitmproxy; nginx in front of a service.

The service behind them is the fault server, which keeps what it was asked. It is on loopback, so a
proxy must be named with ``--proxy``.
"""

from __future__ import annotations

import getpass
import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme
from real.counterparts import Counterpart, free_port, installed, program, running
from real.darkai import configure, run, start
from support.openai import base, reply
from support.server import FaultServer, Stall

pytestmark = pytest.mark.real

PIECES = [f"word{number} " for number in range(40)]
TEXT = "".join(PIECES) + "\n"
PASSWORD = "barley-7"


@pytest.fixture
def service() -> Iterator[FaultServer]:
    """A service that speaks OpenAI's format, without TLS."""
    with FaultServer(reply(PIECES)) as server:
        yield server


def choose(url: str, **keys: object) -> None:
    configure({"work": {"type": "openai", "url": url, "model": "m"}}, provider="work", **keys)


class Authority:
    """A certificate authority of our own, and a certificate for this machine."""

    def __init__(self, folder: Path) -> None:
        made = trustme.CA()
        leaf = made.issue_cert("127.0.0.1", "localhost")
        self.ca, self.chain, self.key = folder / "ca.pem", folder / "chain.pem", folder / "key.pem"
        made.cert_pem.write_to_path(self.ca)
        leaf.private_key_pem.write_to_path(self.key)
        for blob in leaf.cert_chain_pems:
            blob.write_to_path(self.chain, append=True)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


NGINX = """
daemon off;
pid {folder}/nginx.pid;
error_log stderr warn;
events {{ worker_connections 64; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port} {tls};
    {more}
    location / {{
      proxy_pass http://{behind};
      proxy_http_version 1.1;
    }}
  }}
}}
"""


def nginx(
    folder: Path, behind: str, *, authority: Authority | None = None, more: str = ""
) -> tuple[list[str], int]:
    """Its command line, with a configuration of our own, and its port."""
    port = free_port()
    if authority is not None:
        more += f"ssl_certificate {authority.chain}; ssl_certificate_key {authority.key};"
    config = folder / "nginx.conf"
    config.write_text(
        NGINX.format(
            folder=folder, port=port, tls="ssl" if authority else "", behind=behind, more=more
        )
    )
    return [program("nginx", "nginx-light"), "-p", str(folder), "-c", str(config)], port


@pytest.fixture
def secure(tmp_path: Path, service: FaultServer, authority: Authority) -> Iterator[str]:
    """The service's base URL behind nginx with TLS."""
    argv, port = nginx(tmp_path, service.address, authority=authority)
    with running(argv, tmp_path, port=port):
        yield f"https://127.0.0.1:{port}/v1"


def test_nginx_with_tls_and_a_ca_file(secure: str, authority: Authority):
    choose(secure, ca_file=str(authority.ca))
    result = run("ask", "hi")
    assert (result.code, result.text, result.stderr) == (0, TEXT, "")


def test_nginx_with_tls_and_ssl_cert_file(secure: str, authority: Authority):
    choose(secure)
    result = run("ask", "hi", env={"SSL_CERT_FILE": str(authority.ca)})
    assert (result.code, result.text) == (0, TEXT), result


def test_nginx_with_tls_that_nobody_trusts(secure: str):
    choose(secure)
    result = run("ask", "hi")
    assert (result.code, result.text) == (7, ""), result
    assert re.search(r"certificate of 127\.0\.0\.1:\d+ isn't trusted", result.stderr)


def test_nginx_that_compresses_and_buffers(tmp_path: Path, service: FaultServer):
    gzip = "gzip on; gzip_types text/event-stream; gzip_min_length 1; gzip_proxied any;"
    argv, port = nginx(tmp_path, service.address, more=gzip)
    with running(argv, tmp_path, port=port):
        choose(f"http://127.0.0.1:{port}/v1")
        result = run("ask", "hi")
        assert (result.code, result.text, result.stderr) == (0, TEXT, "")
        # nobody asked for compression, but it can be had by a header of one's own
        choose(f"http://127.0.0.1:{port}/v1")
        with (Path(os.environ["DARKAI_HOME"]) / "config.toml").open("a") as config:
            config.write('headers = { Accept-Encoding = "gzip" }\n')
        result = run("ask", "--debug", "hi")
        assert (result.code, result.text) == (0, TEXT), result
        assert "content-encoding: gzip" in result.stderr


def test_nginx_without_a_service_behind(tmp_path: Path):
    argv, port = nginx(tmp_path, f"127.0.0.1:{free_port()}")
    with running(argv, tmp_path, port=port):
        choose(f"http://127.0.0.1:{port}/v1")
        result = run("ask", "--retries", "0", "hi")
    assert (result.code, result.text) == (9, ""), result
    assert "bad gateway (502)" in result.stderr
    assert "<" not in result.stderr


def test_nginx_that_takes_no_large_request(tmp_path: Path, service: FaultServer):
    argv, port = nginx(tmp_path, service.address, more="client_max_body_size 1k;")
    with running(argv, tmp_path, port=port):
        choose(f"http://127.0.0.1:{port}/v1")
        result = run("ask", "hi", stdin=b"x" * 5000)
    assert (result.code, result.text) == (10, ""), result
    assert f"too large for 127.0.0.1:{port}" in result.stderr


def test_ctrl_c_goes_through_nginx(tmp_path: Path):
    steps = [*reply(["begun "], reason=None, done=False)[:2], Stall()]
    with FaultServer(steps) as service:
        argv, port = nginx(tmp_path, service.address, more="proxy_buffering off;")
        with running(argv, tmp_path, port=port):
            choose(f"http://127.0.0.1:{port}/v1")
            with start("ask", "hi") as process:
                process.wait_for(b"begun")
                process.signal(signal.SIGINT)
                assert process.finish().code == 130
            assert service.departed.wait(20)


@pytest.fixture
def tinyproxy(tmp_path: Path) -> Iterator[tuple[str, Counterpart]]:
    """tinyproxy, open to all."""
    port = free_port()
    config = tmp_path / "tinyproxy.conf"
    config.write_text(f"Port {port}\nListen 127.0.0.1\nTimeout 60\nLogLevel Connect\n")
    argv = [program("tinyproxy", "tinyproxy"), "-d", "-c", str(config)]
    with running(argv, tmp_path, port=port) as proxy:
        yield f"http://127.0.0.1:{port}", proxy


def test_tinyproxy_forwards(tinyproxy: tuple[str, Counterpart], service: FaultServer):
    choose(base(service))
    result = run("ask", "--proxy", tinyproxy[0], "hi")
    assert (result.code, result.text, result.stderr) == (0, TEXT, "")
    assert "tinyproxy" in service.requests[0].headers["via"]


def test_tinyproxy_tunnels(tinyproxy: tuple[str, Counterpart], secure: str, authority: Authority):
    choose(secure, ca_file=str(authority.ca))
    result = run("ask", "--proxy", tinyproxy[0], "hi")
    assert (result.code, result.text, result.stderr) == (0, TEXT, "")
    assert "CONNECT 127.0.0.1:" in tinyproxy[1].output()


def test_tinyproxy_and_a_service_that_is_down(tinyproxy: tuple[str, Counterpart]):
    for scheme in ("http", "https"):
        choose(f"{scheme}://127.0.0.1:{free_port()}/v1")
        result = run("ask", "--retries", "0", "--proxy", tinyproxy[0], "hi")
        assert result.text == ""
        assert result.code in (7, 9), result
        assert tinyproxy[0].removeprefix("http://") in result.stderr, result


def test_tinyproxy_that_wants_a_password(tmp_path: Path, service: FaultServer):
    port = free_port()
    config = tmp_path / "tinyproxy.conf"
    config.write_text(f"Port {port}\nListen 127.0.0.1\nBasicAuth me {PASSWORD}\n")
    argv = [program("tinyproxy", "tinyproxy"), "-d", "-c", str(config)]
    choose(base(service))
    with running(argv, tmp_path, port=port):
        refused = run("ask", "--proxy", f"http://127.0.0.1:{port}", "hi")
        wrong = run("ask", "--proxy", f"http://me:rye@127.0.0.1:{port}", "hi")
        right = run("ask", "--proxy", f"http://me:{PASSWORD}@127.0.0.1:{port}", "hi")
    assert (refused.code, wrong.code) == (4, 4), (refused, wrong)
    assert f"proxy 127.0.0.1:{port} (from `--proxy`) needs a user name" in refused.stderr
    assert "rye" not in wrong.stderr
    assert (right.code, right.text) == (0, TEXT), right


def test_microsocks(tmp_path: Path, service: FaultServer):
    port = free_port()
    argv = [program("microsocks", "microsocks"), "-i", "127.0.0.1", "-p", str(port)]
    choose(base(service))
    with running(argv, tmp_path, port=port):
        for scheme in ("socks5", "socks5h", "socks"):
            result = run("ask", "--proxy", f"{scheme}://127.0.0.1:{port}", "hi")
            assert (result.code, result.text, result.stderr) == (0, TEXT, "")
        choose(f"http://127.0.0.1:{free_port()}/v1")
        down = run("ask", "--retries", "0", "--proxy", f"socks5://127.0.0.1:{port}", "hi")
    assert (down.code, down.text) == (7, ""), down
    assert f"127.0.0.1:{port}" in down.stderr


def test_microsocks_with_a_password(tmp_path: Path, service: FaultServer):
    port = free_port()
    argv = [
        program("microsocks", "microsocks"),
        "-i", "127.0.0.1", "-p", str(port), "-u", "me", "-P", PASSWORD,
    ]  # fmt: skip
    choose(base(service))
    with running(argv, tmp_path, port=port):
        refused = run("ask", "--proxy", f"socks5://127.0.0.1:{port}", "hi")
        wrong = run("ask", "--proxy", f"socks5://me:rye@127.0.0.1:{port}", "hi")
        right = run("ask", "--proxy", f"socks5://me:{PASSWORD}@127.0.0.1:{port}", "hi")
    assert (refused.code, wrong.code) == (4, 4), (refused, wrong)
    assert "rye" not in wrong.stderr
    assert (right.code, right.text) == (0, TEXT), right


def test_dante(tmp_path: Path, secure: str, authority: Authority):
    port = free_port()
    user = getpass.getuser()
    config = tmp_path / "danted.conf"
    config.write_text(
        f"""logoutput: stderr
internal: 127.0.0.1 port = {port}
external: 127.0.0.1
socksmethod: none
clientmethod: none
user.privileged: {user}
user.unprivileged: {user}
client pass {{ from: 127.0.0.0/8 to: 0.0.0.0/0 }}
socks pass {{ from: 127.0.0.0/8 to: 0.0.0.0/0 log: connect }}
"""
    )
    argv = [program("danted", "dante-server"), "-f", str(config), "-p", str(tmp_path / "pid")]
    choose(secure, ca_file=str(authority.ca))
    with running(argv, tmp_path, port=port) as proxy:
        result = run("ask", "--proxy", f"socks5h://127.0.0.1:{port}", "hi")
        assert (result.code, result.text, result.stderr) == (0, TEXT, "")
        assert "pass" in proxy.output()


def test_mitmproxy(tmp_path: Path, secure: str, authority: Authority, service: FaultServer):
    """It opens TLS with a certificate of its own, and gives a reply on when it is whole."""
    dump = installed("mitmproxy", "bin", "mitmdump")
    port = free_port()
    argv = [
        dump, "--listen-host", "127.0.0.1", "-p", str(port),
        "--set", f"confdir={tmp_path / 'mitm'}",
        "--set", f"ssl_verify_upstream_trusted_ca={authority.ca}",
    ]  # fmt: skip
    with running(argv, tmp_path, port=port) as proxy:
        choose(secure, ca_file=str(authority.ca))
        distrusted = run("ask", "--proxy", f"http://127.0.0.1:{port}", "hi")
        choose(secure, ca_file=str(tmp_path / "mitm" / "mitmproxy-ca-cert.pem"))
        result = run("ask", "--proxy", f"http://127.0.0.1:{port}", "hi")
        assert (distrusted.code, distrusted.text) == (7, ""), distrusted
        assert "not trusted" in distrusted.stderr
        assert "or that of a proxy that opens TLS" in distrusted.stderr
        assert (result.code, result.text, result.stderr) == (0, TEXT, "")
        assert "POST https://127.0.0.1" in proxy.output()
    assert len(service.requests) == 1
