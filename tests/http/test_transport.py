"""Reaching a service: names, ports, TLS, client certificates and proxies, with the real command."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)
from support.faults import HOST, error_text, redirect
from support.openai import base, configure, reply
from support.proxies import HttpProxy, Proxy, SocksProxy
from support.scenario import Result, run_darkai
from support.server import (
    Authority,
    BeforeRequest,
    FaultServer,
    Reset,
    Script,
    Send,
    Stall,
    closed_port,
    full_port,
    json_page,
    page,
)

from darkai_cli.errors import AuthError, ProviderError
from darkai_cli.http import proxy as proxies
from darkai_cli.http.client import asend
from darkai_cli.http.connection import ConnectionConfig
from darkai_cli.http.timeouts import Timeouts

FINE = reply(["fine"])


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


class Asker:
    """``darkai ask`` of a provider ``work`` at any URL."""

    def __init__(self, home: Path) -> None:
        self._home = home

    def __call__(self, url: str, *args: str, env: Any = None, more: str = "") -> Result:
        configure(self._home, url)
        if more:
            path = self._home / "darkai" / "config.toml"
            path.write_text(more + path.read_text())
        return run_darkai("ask", "hi", *args, env=env)


@pytest.fixture
def ask(isolated: Path) -> Asker:
    return Asker(isolated)


# --- no server, or not the right one --------------------------------------------------------------


def test_closed_port(ask: Asker):
    with closed_port() as port:
        result = ask(f"http://{HOST}:{port}/v1")
    assert (result.code, result.stdout) == (7, b"")
    words = error_text(result.stderr)
    assert f"Can't reach {HOST}:{port}: connection refused" in words
    assert "Is the server running?" in words
    assert "trying again" not in result.stderr


def test_unknown_host(ask: Asker):
    result = ask("https://no-such-host.invalid/v1")
    assert (result.code, result.stdout) == (7, b"")
    assert "Can't resolve no-such-host.invalid" in error_text(result.stderr)
    assert "base URL and your network connection" in result.stderr
    assert "trying again" not in result.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse when the queue is full")
def test_connection_never_answered(ask: Asker):
    with full_port() as port:
        result = ask(
            f"http://{HOST}:{port}/v1", "--retries", "2", env={"DARKAI_CONNECT_TIMEOUT": "0.3"}
        )
    assert (result.code, result.stdout) == (8, b"")
    assert f"Connecting to {HOST}:{port} timed out after 0.3 s" in error_text(result.stderr)
    assert result.stderr.count("trying again") == 1


@pytest.mark.parametrize("url", ["ftp://host/v1", "api.example/v1", "localhost:8000", "http:///x"])
def test_unusable_url(ask: Asker, url: str):
    result = ask(url)
    assert (result.code, result.stdout) == (3, b"")
    assert "http" in error_text(result.stderr)


# --- TLS ------------------------------------------------------------------------------------------


def ask_tls(
    ask: Asker,
    authority: Authority,
    folder: Path,
    *names: str,
    by: str = "SSL_CERT_FILE",
    **more: Any,
) -> Result:
    pem = authority.pem(folder)
    env = {"SSL_CERT_FILE": pem} if by == "SSL_CERT_FILE" else {}
    config = f'ca_file = "{pem}"\n' if by == "ca_file" else ""
    with FaultServer(FINE, tls=authority.context(*names, **more)) as server:
        result = ask(base(server), "--retries", "1", env=env, more=config)
        assert server.connections == 1
        assert len(server.requests) == (1 if result.code == 0 else 0)
        return result


@pytest.mark.parametrize("by", ["SSL_CERT_FILE", "ca_file"])
def test_tls_trusted(ask: Asker, authority: Authority, tmp_path: Path, by: str):
    assert ask_tls(ask, authority, tmp_path, HOST, by=by) == (0, b"fine\n", "")


def test_tls_not_trusted(ask: Asker, authority: Authority, tmp_path: Path):
    result = ask_tls(ask, authority, tmp_path, HOST, by="")
    assert (result.code, result.stdout) == (7, b"")
    assert re.search(
        rf"TLS: the certificate of {HOST}:\d+ isn't trusted", error_text(result.stderr)
    )
    assert "darkai config set ca_file" in result.stderr


def test_tls_other_name(ask: Asker, authority: Authority, tmp_path: Path):
    result = ask_tls(ask, authority, tmp_path, "other.example")
    assert (result.code, result.stdout) == (7, b"")
    assert f"TLS: the certificate isn't valid for {HOST}" in error_text(result.stderr)


def test_tls_expired(ask: Asker, authority: Authority, tmp_path: Path):
    result = ask_tls(ask, authority, tmp_path, HOST, expired=True)
    assert (result.code, result.stdout) == (7, b"")
    assert re.search(rf"TLS: the certificate of {HOST}:\d+ has expired", error_text(result.stderr))
    assert "clock" in result.stderr


@pytest.mark.parametrize(
    "script",
    [
        [BeforeRequest(), Stall()],
        [BeforeRequest(), Send(b"HTTP/1.1 400 Bad Request\r\n\r\n"), Stall()],
    ],
    ids=["waits for a request", "answers in HTTP"],
)
def test_https_on_a_plain_port(ask: Asker, script: Script):
    with FaultServer(script) as server:
        result = ask(f"https://{server.address}/v1", env={"DARKAI_CONNECT_TIMEOUT": "0.5"})
        assert server.connections == 1
    assert (result.code, result.stdout) == (7, b"")
    words = error_text(result.stderr)
    assert f"{server.address} doesn't speak TLS" in words
    assert "http://" in words


def test_a_redirect_to_plain_http_is_refused(ask: Asker, authority: Authority, tmp_path: Path):
    env = {"SSL_CERT_FILE": authority.pem(tmp_path)}
    gone = redirect(307, f"http://{HOST}/v1/chat/completions")
    with FaultServer(gone, tls=authority.context(HOST)) as server:
        result = ask(base(server), env=env)
        assert server.connections == 1
    assert (result.code, result.stdout) == (9, b"")
    assert f"{server.address} redirected to plain http: refused" in error_text(result.stderr)


def test_nothing_is_kept_or_looked_up_for_the_next_request(
    ask: Asker, isolated: Path, monkeypatch: pytest.MonkeyPatch
):
    """No cookie goes back, no ``.netrc`` is read."""
    netrc = isolated / "home" / ".netrc"
    netrc.write_text(f"machine {HOST} login jo password from-netrc\n")
    netrc.chmod(0o600)
    busy = page(503, headers={"retry-after": "0", "set-cookie": "session=1; Path=/"})
    with FaultServer(busy, FINE) as server:
        result = ask(base(server), env={"NETRC": str(netrc)})
        assert len(server.requests) == 2
    assert result.code == 0, result
    for request in server.requests:
        assert not {"cookie", "authorization", "referer"} & request.headers.keys()


# --- client certificates --------------------------------------------------------------------------


class Identity:
    """A certificate that the service asks for, in files."""

    def __init__(self, folder: Path) -> None:
        ca = trustme.CA()
        self.ca = ca
        cert = ca.issue_cert("me@example.test")
        self.cert, self.key = str(folder / "me.pem"), str(folder / "me.key")
        cert.cert_chain_pems[0].write_to_path(self.cert)
        cert.private_key_pem.write_to_path(self.key)
        self.both = str(folder / "both.pem")
        cert.private_key_and_cert_chain_pem.write_to_path(self.both)
        self.other = str(folder / "other.key")
        ca.issue_cert("else@example.test").private_key_pem.write_to_path(self.other)
        self.locked = str(folder / "locked.key")
        key = load_pem_private_key(cert.private_key_pem.bytes(), None)
        form = (Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret"))
        Path(self.locked).write_bytes(key.private_bytes(*form))
        self.text = str(folder / "text.pem")
        Path(self.text).write_text("not a certificate\n")


@pytest.fixture(scope="module")
def me(tmp_path_factory: pytest.TempPathFactory) -> Identity:
    return Identity(tmp_path_factory.mktemp("identity"))


@pytest.fixture
def strict(authority: Authority, me: Identity) -> Iterator[FaultServer]:
    """A service that lets nobody in without a certificate of ``me.ca``."""
    import ssl

    context = authority.context(HOST)
    me.ca.configure_trust(context)
    context.verify_mode = ssl.CERT_REQUIRED
    with FaultServer(FINE, tls=context) as server:
        yield server


@pytest.mark.parametrize(("cert", "key"), [("cert", "key"), ("both", None)])
def test_a_client_certificate_is_shown(
    ask: Asker,
    authority: Authority,
    tmp_path: Path,
    strict: FaultServer,
    me: Identity,
    cert: str,
    key: Any,
):
    more = f'client_cert = "{getattr(me, cert)}"\n'
    more += f'client_key = "{getattr(me, key)}"\n' if key else ""
    env = {"SSL_CERT_FILE": authority.pem(tmp_path)}
    assert ask(base(strict), env=env, more=more) == (0, b"fine\n", "")


def test_a_service_that_wants_a_client_certificate(
    ask: Asker, authority: Authority, tmp_path: Path, strict: FaultServer
):
    result = ask(base(strict), "--retries", "0", env={"SSL_CERT_FILE": authority.pem(tmp_path)})
    assert (result.code, result.stdout) == (7, b"")
    assert re.search(rf"TLS: {HOST}:\d+ requires a client certificate", error_text(result.stderr))
    assert "client_cert" in result.stderr


@pytest.mark.parametrize(
    ("cert", "key", "words"),
    [
        (
            "/nowhere/me.pem",
            None,
            "Can't use the file `/nowhere/me.pem` from `client_cert`: no such file",
        ),
        (
            "cert",
            "/nowhere/me.key",
            "Can't use the file `/nowhere/me.key` from `client_key`: no such file",
        ),
        ("cert", "other", "doesn't match the certificate"),
        ("cert", "locked", "is protected by a password"),
        ("text", "key", "from `client_cert` contains no PEM certificate"),
        ("cert", "text", "from `client_key` contains no usable PEM private key"),
        ("cert", None, "from `client_cert` contains no usable PEM private key"),
        (None, "key", "`client_key` is set, but `client_cert` isn't"),
        ("/", None, "Can't use the file `/` from `client_cert`"),
    ],
)
def test_client_certificates_that_cannot_be_used(
    ask: Asker, strict: FaultServer, me: Identity, cert: Any, key: Any, words: str
):
    more = f'client_cert = "{getattr(me, cert, cert)}"\n' if cert else ""
    more += f'client_key = "{getattr(me, key, key)}"\n' if key else ""
    result = ask(base(strict), more=more)
    assert (result.code, result.stdout) == (3, b"")
    assert words in error_text(result.stderr)
    assert strict.requests == []


# --- proxies --------------------------------------------------------------------------------------

NAME = "service.test"
KINDS: dict[str, Any] = {"http": HttpProxy, "socks5h": SocksProxy}


def far(server: FaultServer, path: str = "/v1") -> str:
    """The service under a name that only a proxy knows."""
    scheme = "https" if server.url.startswith("https") else "http"
    return f"{scheme}://{NAME}:{server.port}{path}"


def by_name(proxy: Proxy, scheme: str) -> str:
    return (
        proxy.url.replace("socks5://", f"{scheme}://") if scheme.startswith("socks") else proxy.url
    )


@pytest.mark.parametrize(
    ("kind", "place"),
    [("http", "flag"), ("http", "HTTPS_PROXY"), ("socks5h", "config"), ("socks5h", "all_proxy")],
)
def test_a_proxy_with_tls_to_the_service(
    ask: Asker, authority: Authority, tmp_path: Path, kind: str, place: str
):
    env = {"SSL_CERT_FILE": authority.pem(tmp_path)}
    with (
        FaultServer(FINE, tls=authority.context(NAME)) as server,
        KINDS[kind](user="jo", password="secret-word") as proxy,
    ):
        url = by_name(proxy, kind)
        args = ("--proxy", url) if place == "flag" else ()
        more = f'proxy = "{url}"\n' if place == "config" else ""
        if place not in ("flag", "config"):
            env[place] = url
        result = ask(far(server), "--debug", *args, env=env, more=more)
        assert (result.code, result.stdout) == (0, b"fine\n"), result
        assert proxy.seen == [f"{NAME}:{server.port}"]
        assert proxy.connections == 1
    assert "secret-word" not in result.stderr
    assert "proxy-authorization" not in server.requests[0].headers


@pytest.mark.parametrize("kind", KINDS)
def test_a_proxy_without_tls(ask: Asker, kind: str):
    with FaultServer(FINE) as server, KINDS[kind](user="jo", password="p%40ss") as proxy:
        proxy._password = "p@ss"
        url = f"{kind}://jo:p%40ss@{proxy.address}"
        assert ask(far(server), env={"http_proxy": url}) == (0, b"fine\n", "")
        assert proxy.seen == [f"{NAME}:{server.port}"]
    assert server.requests[0].headers["host"] == f"{NAME}:{server.port}"


@pytest.mark.parametrize("secure", [True, False])
def test_a_proxy_that_speaks_tls_itself(
    ask: Asker, authority: Authority, tmp_path: Path, secure: bool
):
    env = {"SSL_CERT_FILE": authority.pem(tmp_path)}
    tls = authority.context(NAME) if secure else None
    with (
        FaultServer(FINE, tls=tls) as server,
        HttpProxy(tls=authority.context(HOST), user="jo", password="pw") as proxy,
    ):
        assert ask(far(server), "--proxy", proxy.url, env=env) == (0, b"fine\n", "")
        assert proxy.seen == [f"{NAME}:{server.port}"]


def test_an_ipv6_address_behind_a_proxy_is_in_brackets(ask: Asker):
    with HttpProxy() as proxy:
        proxy.answer = b"HTTP/1.1 504 Gateway Timeout\r\ncontent-length: 0\r\n\r\n"
        result = ask("https://[2001:db8::1]/v1", "--proxy", proxy.url)
        assert proxy.targets == ["[2001:db8::1]:443"]
    assert "can't reach [2001:db8::1]:443: 504" in error_text(result.stderr)


def test_a_proxy_whose_own_certificate_is_not_trusted(ask: Asker, authority: Authority):
    with HttpProxy(tls=authority.context(HOST)) as proxy:
        result = ask("https://service.invalid/v1", "--proxy", proxy.url)
    assert result.code == 7
    assert f"the certificate of the proxy {HOST} isn't trusted" in error_text(result.stderr)


def test_a_plain_proxy_that_is_called_https(ask: Asker):
    with FaultServer([BeforeRequest(), Send(b"HTTP/1.1 400 Bad\r\n\r\n"), Stall()]) as proxy:
        result = ask("https://service.invalid/v1", "--proxy", f"https://{proxy.address}")
    assert result.code == 7
    assert f"proxy {proxy.address} doesn't speak TLS" in error_text(result.stderr)


def test_socks5_looks_names_up_here_and_socks5h_there(ask: Asker):
    with FaultServer(FINE) as server, SocksProxy() as proxy:
        url = f"http://localhost:{server.port}/v1"
        assert ask(url, "--proxy", proxy.url).code == 0
        assert ask(url, "--proxy", proxy.url.replace("socks5", "socks5h")).code == 0
        assert ask(url, "--proxy", proxy.url.replace("socks5", "socks")).code == 0
        assert proxy.seen[0] in (f"127.0.0.1:{server.port}", f"::1:{server.port}")
        assert proxy.seen[1] == f"localhost:{server.port}"
        assert proxy.seen[2] == proxy.seen[0]
        result = ask("http://no-such-host.invalid/v1", "--proxy", proxy.url)
    assert "Can't resolve no-such-host.invalid" in error_text(result.stderr)
    assert "socks5h://" in result.stderr


@pytest.mark.parametrize("kind", KINDS)
def test_a_proxy_wants_a_password(ask: Asker, kind: str):
    with KINDS[kind](user="jo", password="pw") as proxy:
        result = ask("https://service.invalid/v1", "--proxy", f"{kind}://{proxy.address}")
        assert (result.code, result.stdout) == (4, b"")
        assert f"proxy {proxy.address} needs a user name and password" in error_text(result.stderr)
        assert f"{kind}://USER:PASSWORD@" in result.stderr
        url = f"{kind}://jo:wrong-word@{proxy.address}"
        result = ask("https://service.invalid/v1", env={"HTTPS_PROXY": url})
        assert result.code == 4
        assert f"proxy {proxy.address} rejected the user name and password" in error_text(
            result.stderr
        )
    assert "HTTPS_PROXY" in result.stderr
    assert "wrong-word" not in result.stderr


def test_a_plain_proxy_wants_a_password(ask: Asker):
    with HttpProxy(user="jo", password="pw") as proxy:
        result = ask("http://service.invalid/v1", env={"http_proxy": f"http://{proxy.address}"})
    assert result.code == 4
    assert f"proxy {proxy.address} (from http_proxy) needs a user name" in error_text(result.stderr)


@pytest.mark.parametrize(
    ("name", "scheme"),
    [
        ("HTTPS_PROXY", "http"),
        ("https_proxy", "https"),
        ("ALL_PROXY", "socks5h"),
        ("ALL_PROXY", "socks"),
    ],
)
def test_a_proxy_that_refuses(ask: Asker, name: str, scheme: str):
    with closed_port() as port:
        url = f"{scheme}://jo:secret-word@{HOST}:{port}"
        result = ask("https://service.invalid/v1", env={name: url})
    assert (result.code, result.stdout) == (7, b"")
    assert f"The proxy {HOST}:{port} (from {name}) refused the connection" in error_text(
        result.stderr
    )
    assert "secret-word" not in result.stderr


@pytest.mark.parametrize(
    ("refuse", "words"), [(2, "not allowed by ruleset"), (4, "host unreachable"), (5, "refused")]
)
def test_a_socks_proxy_that_says_no(ask: Asker, refuse: int, words: str):
    with SocksProxy() as proxy:
        proxy.refuse = refuse
        result = ask("https://service.test/v1", env={"ALL_PROXY": f"socks5h://{proxy.address}"})
    assert result.code == 7
    message = error_text(result.stderr)
    assert f"proxy {proxy.address} (from ALL_PROXY) can't reach service.test:443: " in message
    assert words in message


def test_what_is_no_socks_proxy(ask: Asker):
    with FaultServer([BeforeRequest(), Send(b"HTTP/1.1 400 Bad\r\n\r\n"), Stall()]) as proxy:
        result = ask("https://service.test/v1", "--proxy", f"socks5h://{proxy.address}")
    assert result.code == 7
    assert "it doesn't speak SOCKS5" in error_text(result.stderr)


@pytest.mark.parametrize("script", [[BeforeRequest(), Stall()]])
@pytest.mark.parametrize("kind", ["http", "https", "socks5h"])
def test_a_proxy_that_says_nothing(ask: Asker, script: Script, kind: str):
    with FaultServer(script) as proxy:
        result = ask(
            "https://service.test/v1", "--retries", "0", "--proxy", f"{kind}://{proxy.address}",
            env={"DARKAI_CONNECT_TIMEOUT": "0.4"},
        )  # fmt: skip
    assert result.code == 8, result
    assert f"proxy {proxy.address} (from `--proxy`) did not" in error_text(result.stderr)


def test_a_proxy_that_resets(ask: Asker):
    with FaultServer([BeforeRequest(), Reset()]) as proxy:
        result = ask(
            "https://service.test/v1", "--retries", "0", "--proxy", f"http://{proxy.address}"
        )
    assert result.code == 7
    assert f"proxy {proxy.address} (from `--proxy`)" in error_text(result.stderr)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (
            page(502, "<html>no upstream</html>"),
            "service.test, or the proxy {} (from `--proxy`) in front of it: bad gateway (502)",
        ),
        (
            page(503, "", headers={"server": "tinyproxy/1.11"}),
            "The proxy {} (from `--proxy`) can't reach service.test: 503 unavailable",
        ),
        (
            page(403, "<html>denied</html>", headers={"x-squid-error": "ERR_ACCESS_DENIED 0"}),
            "The proxy {} (from `--proxy`) can't reach service.test: 403",
        ),
        (json_page(502, {"error": {"message": "boom"}}), "service.test: bad gateway (502): boom"),
    ],
)
def test_a_bad_gateway_may_be_the_proxys(ask: Asker, answer: Script, words: str):
    with FaultServer(answer) as proxy:
        result = ask(
            "http://service.test/v1", "--retries", "0", "--proxy", f"http://{proxy.address}"
        )
    assert words.format(proxy.address) in error_text(result.stderr)


TRAPS = {
    "socks5 without a port": ("ALL_PROXY", "socks5://proxy.invalid", 7, "proxy.invalid"),
    "no scheme": ("HTTPS_PROXY", "proxy.invalid:3128", 7, "Can't resolve the proxy proxy.invalid (from HTTPS_PROXY)"),
    "another scheme": ("HTTPS_PROXY", "ftp://jo:secret-word@p.test", 3, "The proxy from HTTPS_PROXY has the unsupported scheme `ftp`"),
    "a CA file": ("SSL_CERT_FILE", "/nowhere/ca.pem", 3, "Can't use the CA file `/nowhere/ca.pem` from `SSL_CERT_FILE`"),
}  # fmt: skip


@pytest.mark.parametrize("name", TRAPS)
def test_a_trap_in_the_environment_is_one_clear_line(ask: Asker, name: str):
    variable, value, code, words = TRAPS[name]
    with FaultServer([BeforeRequest(), Stall()]) as server:
        url = (
            "https://service.invalid/v1"
            if variable != "SSL_CERT_FILE"
            else f"https://{server.address}/v1"
        )
        result = ask(url, "--retries", "0", env={variable: value})
    assert (result.code, result.stdout) == (code, b""), result
    assert words in error_text(result.stderr)
    assert "secret-word" not in result.stderr


@pytest.mark.parametrize(
    "args", [("config", "show"), ("config", "show", "--json"), ("ask", "hi", "--dry-run")]
)
def test_a_proxys_password_is_never_shown(isolated: Path, args: tuple[str, ...]):
    configure(isolated, "https://service.test/v1")
    path = isolated / "darkai" / "config.toml"
    path.write_text('proxy = "http://jo:secret-word@p.test:3128"\n' + path.read_text())
    result = run_darkai(*args)
    assert result.code == 0, result
    assert "secret-word" not in result.text + result.stderr


@pytest.mark.parametrize("kind", ["http", "https", "socks5", "socks5h"])
@pytest.mark.parametrize("secure", [True, False])
def test_the_asynchronous_driver_goes_through_proxies_too(
    authority: Authority, tmp_path: Path, kind: str, secure: bool
):
    from darkai_cli.http.tls import PendingContext, Trust

    pending = PendingContext(Trust(authority.pem(tmp_path)), {})
    tls = authority.context("localhost") if secure else None
    make: Any = SocksProxy if kind.startswith("socks") else HttpProxy
    more = {"tls": authority.context(HOST)} if kind == "https" else {}

    async def go(url: str, proxy: proxies.Proxy) -> bytes:
        connection = ConnectionConfig(Timeouts(connect=20, first_token=20), proxy, pending)
        async with asend(connection, "POST", url, {}, b"hi") as exchange:
            if exchange.status == 407:  # from a proxy that forwards
                raise AuthError("", status=407)
            return b"".join([data async for data in exchange.achunks()])

    with (
        FaultServer(page(200, "fine"), tls=tls) as server,
        make(user="jo", password="pw", **more) as proxy,
    ):
        url = f"{'https' if secure else 'http'}://localhost:{server.port}/v1"
        route = proxies.parse(f"{kind}://jo:pw@{proxy.address}", "here")
        assert asyncio.run(go(url, route)) == b"fine"
        assert server.requests[0].headers["host"] == f"localhost:{server.port}"
        name = "127.0.0.1" if kind == "socks5" else "localhost"
        assert proxy.seen[0] in (f"{name}:{server.port}", f"::1:{server.port}")
        wrong = route._replace(password="wrong-word")
        with pytest.raises(ProviderError) as caught:
            asyncio.run(go(url, wrong))
    assert caught.value.exit_code == 4
    assert "wrong-word" not in caught.value.message + (caught.value.hint or "")
