"""Which proxy a URL goes through."""

from __future__ import annotations

import pytest

from darkai_cli.errors import ConfigError, UsageError
from darkai_cli.http import proxy

SERVICE = "https://service.test/chat"


def choose(url: str = SERVICE, explicit: str | None = None, by_flag: bool = False, **environ: str):
    return proxy.choose(
        url, explicit=explicit, origin="`--proxy`", by_flag=by_flag, environ=environ
    )


def test_environment_by_scheme_then_all() -> None:
    assert choose() is None
    assert choose(HTTPS_PROXY="http://p.test:3128").address == "p.test:3128"
    assert choose(https_proxy="http://low.test:1", HTTPS_PROXY="http://up.test:2").port == 1
    assert choose(ALL_PROXY="socks5h://s.test").port == 1080
    assert choose("http://service.test/", HTTPS_PROXY="http://p.test:3128") is None
    assert choose("http://service.test/", HTTP_PROXY="http://p.test").port == 80
    assert choose("http://service.test/", HTTP_PROXY="http://p.test", REQUEST_METHOD="GET") is None


def test_socks_means_socks5() -> None:
    assert choose(ALL_PROXY="socks://s.test:9").scheme == "socks5"


def test_origin_is_the_variable() -> None:
    assert choose(all_proxy="http://p.test:1").origin == "all_proxy"


@pytest.mark.parametrize("url", ["http://127.0.0.1:8080/x", "http://[::1]/x", "http://localhost/x"])
def test_loopback_goes_direct_unless_the_flag_says_otherwise(url: str) -> None:
    assert choose(url, HTTP_PROXY="http://p.test", ALL_PROXY="http://p.test") is None
    assert choose(url, explicit="http://p.test:1") is None
    assert choose(url, explicit="http://p.test:1", by_flag=True).host == "p.test"


def test_empty_means_none() -> None:
    assert choose(explicit="", HTTPS_PROXY="http://p.test:1") is None


@pytest.mark.parametrize(
    ("rule", "bypassed"),
    [
        ("service.test", True),
        (".test", True),
        ("test", True),
        ("*.test", True),
        ("*", True),
        ("ice.test", False),
        ("service.test:443", True),
        ("service.test:8443", False),
        ("other.test,service.test", True),
        ("[::1]", False),
        ("10.0.0.0/8", False),
    ],
)
def test_no_proxy(rule: str, bypassed: bool) -> None:
    assert (choose(HTTPS_PROXY="http://p.test:1", NO_PROXY=rule) is None) == bypassed


def test_no_proxy_knows_ports_addresses_and_networks() -> None:
    for url, rule in [
        ("https://service.test:8443/", "service.test:8443"),
        ("http://[fd00::1]/", "[fd00::1]"),
        ("http://10.1.2.3/", "10.0.0.0/8"),
    ]:
        assert choose(url, ALL_PROXY="http://p.test:1", NO_PROXY=rule) is None


@pytest.mark.parametrize("bad", ["ftp://p.test", "http://", "http://p.test:99999", "http://[::1"])
def test_an_unusable_proxy_is_one_clear_error(bad: str) -> None:
    with pytest.raises(ConfigError) as caught:
        choose(HTTPS_PROXY=bad)
    assert "HTTPS_PROXY" in caught.value.message


def test_credentials_are_decoded_and_not_shown() -> None:
    parsed = choose(HTTPS_PROXY="http://me:p%40ss@p.test:1")
    assert (parsed.user, parsed.password) == ("me", "p@ss")
    assert "p@ss" not in parsed.address
    with pytest.raises(ConfigError) as caught:
        choose(HTTPS_PROXY="ftp://me:hunter2@p.test")
    assert "hunter2" not in caught.value.message + (caught.value.hint or "")


def test_a_bad_proxy_from_the_flag_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="The proxy from `--proxy`"):
        choose(explicit="http://p:x", by_flag=True)
    with pytest.raises(ConfigError, match="The proxy from `--proxy`"):
        choose(explicit="http://p:x")


def test_an_endless_port_in_no_proxy() -> None:
    assert not proxy.bypassed("a.test", 443, {"no_proxy": "a.test:" + "9" * 5000})
    assert proxy.bypassed("a.test", 443, {"no_proxy": "a.test:0443"})


@pytest.mark.parametrize("user", ["j%C3%B6", "j" * 256])
def test_a_user_name_that_socks_cannot_transmit(user: str) -> None:
    with pytest.raises(ConfigError, match="SOCKS"):
        choose(ALL_PROXY=f"socks5://{user}:pw@p.test")
    assert choose(ALL_PROXY=f"http://{user}:pw@p.test") is not None
