"""Fetching what a URL names: redirects and names never lead to what only this machine can see."""

from __future__ import annotations

import socket
from typing import Any

import pytest
from support.server import FaultServer, Reset, Send, head, page

from darkai_cli.errors import DarkAIError, InputError
from darkai_cli.http import sockets
from darkai_cli.http.connection import ConnectionConfig, ConnectionPool
from darkai_cli.http.download import fetch
from darkai_cli.http.timeouts import Timeouts

LIMIT = 1000
LINK = ConnectionConfig(Timeouts(first_token=5.0))


def body(data: bytes, content_type: str = "text/plain") -> list[Any]:
    headers = {"content-type": content_type, "content-length": str(len(data))}
    return [Send(head(200, headers) + data)]


def redirect(location: str, status: int = 302) -> list[Any]:
    return [Send(head(status, {"location": location, "content-length": "0"}))]


def get(url: str) -> Any:
    return fetch(url, lambda _url: LINK, LIMIT)


def refused(url: str) -> str:
    with pytest.raises(InputError) as caught:
        get(url)
    return caught.value.message


def origin(server: FaultServer) -> str:
    return f"http://127.0.0.1:{server.port}"


def test_a_page_comes_with_its_charset_and_nothing_goes_along():
    with FaultServer(body(b"caf\xe9", "text/html; charset=ISO-8859-1")) as server:
        got = get(f"{origin(server)}/page?x=1")
        request = server.requests[0]
    assert (got.data, got.charset) == (b"caf\xe9", "ISO-8859-1")
    assert request.method == "GET"
    assert not {"authorization", "cookie", "referer"} & {name.lower() for name in request.headers}


def test_redirects_are_followed_so_far():
    with FaultServer(redirect("/b"), redirect("c"), body(b"there")) as server:
        assert get(f"{origin(server)}/a").data == b"there"
    with FaultServer(redirect("/a")) as server:
        assert "redirects more than 5 times" in refused(f"{origin(server)}/a")
        assert len(server.requests) == 6


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://host/x", "gopher://x"])
def test_a_redirect_leads_to_http_only(target: str):
    with FaultServer(redirect(target)) as server:
        assert "be fetched" in refused(f"{origin(server)}/")


@pytest.mark.parametrize(
    "url", ["ftp://h/x", "file:///etc/passwd", "http://user:secret@h/", "http://", "https:///x"]
)
def test_what_is_no_page(url: str):
    message = refused(url)
    assert "Can't fetch" in message
    assert "secret" not in message


def test_it_is_bounded():
    with FaultServer(body(b"x" * (LIMIT + 1))) as server:
        assert "is larger than" in refused(f"{origin(server)}/")


def test_a_status_is_told():
    with FaultServer(page(404)) as server:
        assert "status 404" in refused(f"{origin(server)}/")


def test_a_fault_on_the_way_keeps_its_own_words():
    with FaultServer([Reset()]) as server, pytest.raises(DarkAIError, match="reset the connection"):
        get(f"{origin(server)}/")


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.0.0.8",
        "192.168.1.4",
        "169.254.169.254",
        "::1",
        "fd00::1",
        "::ffff:127.0.0.1",
        "0.0.0.0",
    ],
)
def test_a_public_name_that_leads_to_a_private_address(
    monkeypatch: pytest.MonkeyPatch, address: str
):
    monkeypatch.setattr(sockets, "resolve", lambda *_: [address])
    message = refused("http://files.example.com/x")
    assert f"leads to {address}" in message


def test_addresses_are_checked_in_a_chat_too(monkeypatch: pytest.MonkeyPatch):
    """A chat fetches with the settings of its requests, which share a pool of connections."""
    monkeypatch.setattr(sockets, "resolve", lambda *_: ["127.0.0.1"])
    with ConnectionPool() as pool, pytest.raises(InputError, match=r"leads to 127\.0\.0\.1"):
        fetch("http://files.example.com:1/x", lambda _url: LINK._replace(pool=pool), LIMIT)


def test_one_private_address_among_public_ones_is_enough(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sockets, "resolve", lambda *_: ["93.184.216.34", "127.0.0.1"])
    assert "leads to 127.0.0.1" in refused("http://files.example.com/x")


def test_a_redirect_to_a_private_address_is_refused(monkeypatch: pytest.MonkeyPatch):
    """The first address was named outright; the second one was not."""
    with FaultServer(redirect("http://internal.example.com/")) as server:
        monkeypatch.setattr(
            sockets,
            "resolve",
            lambda host, *_: ["127.0.0.1"] if host == "127.0.0.1" else ["10.0.0.1"],
        )
        assert "leads to 10.0.0.1" in refused(f"{origin(server)}/")


def test_localhost_is_reached_where_it_is_named():
    with FaultServer(body(b"mine")) as server:
        assert get(f"http://localhost:{server.port}/").data == b"mine"
    assert socket.gethostbyname("localhost") == "127.0.0.1"
