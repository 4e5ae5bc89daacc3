"""What an HTTP status means, for every service alike."""

from __future__ import annotations

import json
from email.utils import formatdate

import pytest

from darkai_cli.providers import http_errors
from darkai_cli.providers.base import HttpRequest, ProviderSettings

NOW = 1_800_000_000.0
URL = "https://service.test/v1/chat"
REQUEST = HttpRequest(URL, {}, b"x" * 2_345_678)


def explain(status: int, body: object = b"", forwarder: str = "", **headers: str):
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return http_errors.explain("service.test", REQUEST, status, names, data, NOW, forwarder)


@pytest.mark.parametrize(
    ("status", "body", "headers", "code", "retryable", "words"),
    [
        (401, {"error": {"message": "bad key"}}, {}, 4, False, "bad key"),
        (403, {"message": "not in your region"}, {}, 4, False, "not in your region"),
        (404, b"<html><title>404</title></html>", {}, 9, False, "has no path /v1/chat"),
        (404, {"error": {"message": "model x not found"}}, {}, 5, False, "model x not found"),
        (404, {"detail": "Not Found"}, {}, 9, False, "has no path /v1/chat"),
        (404, b"404 page not found", {}, 9, False, "has no path /v1/chat"),
        (
            404,
            {"error": "no such session"},
            {},
            9,
            False,
            "Not found at service.test: no such session",
        ),
        (
            405,
            {"detail": "Method Not Allowed"},
            {},
            9,
            False,
            "doesn't accept POST at /v1/chat (405)",
        ),
        (407, b"", {}, 4, False, "proxy"),
        (408, b"", {}, 9, True, "408"),
        (409, b"", {}, 9, False, "conflict"),
        (
            413,
            b"<html></html>",
            {},
            10,
            False,
            "The request (2.2 MiB) is too large for service.test",
        ),
        (422, {"detail": [{"loc": ["body", "t"], "msg": "wrong"}]}, {}, 9, False, "`t`: wrong"),
        (429, {}, {"retry_after": "2"}, 6, True, "Rate limited"),
        (429, {}, {"retry_after": "soon"}, 6, True, "Rate limited"),
        (429, {}, {"retry_after": "999999"}, 6, False, "11 days"),
        (429, {"error": {"message": "insufficient_quota"}}, {}, 6, False, "quota"),
        (500, {"error": "boom"}, {}, 9, True, "failed (500: boom)"),
        (500, b"", {}, 9, True, "failed (500)"),
        (502, b"<html><title>502 Bad Gateway</title>" + b"x" * 18000, {}, 9, True, "bad gateway"),
        (503, b"", {"retry_after": "1"}, 9, True, "unavailable"),
        (503, b"", {"retry_after": "3600"}, 9, False, "unavailable"),
        (529, b"", {}, 9, True, "overloaded"),
        (307, b"", {"location": "https://other.test/v1"}, 9, False, "redirected to other.test/v1"),
        (307, b"", {"location": "http://service.test/v1/chat"}, 9, False, "plain http: refused"),
        (307, b"", {"location": URL}, 9, False, "in a loop"),
        (307, b"", {"location": "/v1/chat"}, 9, False, "in a loop"),
        (302, b"", {"location": "file:///etc/passwd"}, 9, False, "unsupported address"),
        (418, b"", {}, 9, False, "418"),
    ],
)
def test_statuses(status, body, headers, code, retryable, words) -> None:
    error = explain(status, body, **headers)
    assert (error.exit_code, error.retryable) == (code, retryable)
    assert words in error.message
    assert error.status == status
    assert len(error.message) < 400


def test_retry_after_as_a_date() -> None:
    error = explain(503, retry_after=formatdate(NOW + 30, usegmt=True))
    assert error.retry_after == pytest.approx(30, abs=1)
    assert explain(503, retry_after=formatdate(NOW - 30, usegmt=True)).retry_after == 0


@pytest.mark.parametrize("status", [200, 403, 503])
def test_a_challenge_is_named_whatever_the_status(status: int) -> None:
    page = "<html><title>Just a moment...</title></html>"
    error = http_errors.page_error("service.test", status, {}, page)
    assert error.exit_code == 7
    assert "Cloudflare" in error.message


def test_a_page_is_named_by_its_title_only() -> None:
    page = "<!doctype html><title>Hotel &amp; WiFi\n Login</title>" + "secret" * 100
    error = http_errors.page_error("service.test", 200, {}, page)
    assert "Hotel & WiFi Login" in error.message
    assert "secret" not in error.message


@pytest.mark.parametrize(
    ("body", "headers", "blamed"),
    [
        (
            b"<html>no</html>",
            {},
            "service.test, or the proxy p.test:3128 in front of it: bad gateway",
        ),
        (b"", {"via": "1.1 p.test"}, "service.test, or the proxy p.test:3128 in front of it: bad"),
        (
            b"<html><title>502 no way</title>",
            {"x_squid_error": "ERR 111"},
            "The proxy p.test:3128 can't reach service.test: 502 no way",
        ),
        (
            b"x",
            {"server": "tinyproxy/1.11"},
            "The proxy p.test:3128 can't reach service.test: 502 bad gateway",
        ),
        ({"error": "boom"}, {}, "service.test: bad gateway (502): boom"),
    ],
)
def test_a_proxy_that_may_have_answered_is_named(body, headers, blamed) -> None:
    assert explain(502, body, "p.test:3128", **headers).message.startswith(blamed)


def test_a_proxy_that_wants_a_password_is_named() -> None:
    error = explain(407, b"", "p.test:3128 (from HTTP_PROXY)")
    assert error.exit_code == 4
    assert "The proxy p.test:3128 (from HTTP_PROXY) needs a user name and password" in error.message


@pytest.mark.parametrize(
    ("location", "address", "hint"),
    [
        (
            "https://new.test:8443/v2/chat/completions",
            "new.test:8443/v2/",
            "https://new.test:8443/v2",
        ),
        ("/v2/chat/completions", "/v2/chat/completions", "https://service.test/v2"),
        ("https://new.test/elsewhere", "new.test/elsewhere", "URL"),
        ("https://new.test/`rm`/chat/completions", "new.test/`rm`", "URL"),
    ],
)
def test_a_redirect_names_what_to_type(location: str, address: str, hint: str) -> None:
    settings = ProviderSettings("work", "openai", "https://service.test/v1/", "m")
    request = HttpRequest("https://service.test/v1/chat/completions", {}, b"")
    headers = {"location": location}
    error = http_errors.explain("service.test", request, 307, headers, b"", NOW, settings=settings)
    assert f"redirected to {address}" in error.message
    assert error.hint.endswith(f"`darkai config set providers.work.url {hint}`")


@pytest.mark.parametrize("target", ["http://[::1/", "http://a:b/", "https://[no]/"])
def test_a_redirect_to_nowhere(target: str) -> None:
    headers = {"location": target}
    request = HttpRequest("https://service.test/", {}, b"")
    error = http_errors.explain("service.test", request, 302, headers, b"", 0.0)
    assert (error.exit_code, error.status) == (9, 302)
    assert "unusable address" in error.message
