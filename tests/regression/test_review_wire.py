"""Compressed bodies in odd shapes, certificates that are not there, secrets in URLs."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkai_cli import secrets
from darkai_cli.errors import ConfigError, UsageError
from darkai_cli.http import decompress, proxy, tls
from darkai_cli.http.decompress import Decompressor


def inflated(data: bytes, *, encoding: str = "gzip", size: int = 1 << 20) -> bytes:
    machine = Decompressor.of(encoding)
    assert machine is not None
    plain = b"".join(
        piece for at in range(0, len(data), size) for piece in machine.feed(data[at : at + size])
    )
    machine.close()
    return plain


@given(st.lists(st.binary(max_size=200), max_size=4), st.integers(1, 40), st.booleans())
def test_a_body_of_several_streams(parts: list[bytes], size: int, padded: bool) -> None:
    body = (b"\0\0" if padded else b"").join(gzip.compress(part) for part in parts)
    assert inflated(body, size=size) == b"".join(parts)


def test_every_step_is_bounded_and_nothing_is_left_inside() -> None:
    plain = b"a" * (decompress._STEP * 5 + 3)
    machine = Decompressor("gzip")
    pieces = list(machine.feed(gzip.compress(plain)))
    machine.close()
    assert max(map(len, pieces)) <= decompress._STEP
    assert b"".join(pieces) == plain


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
@pytest.mark.parametrize("missing", [1, 4, 7])
def test_a_stream_without_its_trailer_was_cut(encoding: str, missing: int) -> None:
    whole = (gzip.compress if encoding == "gzip" else zlib.compress)(b"all of it")
    assert inflated(whole, encoding=encoding) == b"all of it"
    with pytest.raises(ValueError, match=f"the {encoding} data is incomplete"):
        inflated(whole[:-missing], encoding=encoding)
    with pytest.raises(ValueError, match="is incomplete"):
        inflated(gzip.compress(b"x") + gzip.compress(b"y")[:-missing])


@pytest.mark.parametrize("rest", [b"\0\0\0", b"rubbish", b"\0rubbish\x1f"])
def test_what_follows_the_streams_is_ignored(rest: bytes) -> None:
    for size in (1, 1000):
        assert inflated(gzip.compress(b"x") + rest, size=size) == b"x"
        assert inflated(zlib.compress(b"x") + rest, encoding="deflate", size=size) == b"x"


def test_an_empty_body_is_not_cut() -> None:
    assert inflated(b"") == b""


def test_a_ca_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        tls.build("/nowhere/ca.pem", {})
    assert caught.value.message == (
        "Can't use the CA file `/nowhere/ca.pem` from `ca_file`: no such file or directory"
    )
    empty = tmp_path / "empty.pem"
    empty.write_text("")
    with pytest.raises(ConfigError, match="it contains no certificate"):
        tls.build(None, {"SSL_CERT_FILE": str(empty)})


@pytest.mark.parametrize("path", ["/nowhere", "/nowhere:/neither", ":", __file__])
def test_a_ca_folder_that_is_not_there(path: str) -> None:
    with pytest.raises(ConfigError) as caught:
        tls.build(None, {"SSL_CERT_DIR": path})
    assert f"Can't use the CA folder `{path}` from `SSL_CERT_DIR`: " in caught.value.message
    assert caught.value.message.rpartition(": ")[2][0].islower()


def test_one_ca_folder_is_enough(tmp_path: Path) -> None:
    assert tls.build(None, {"SSL_CERT_DIR": f"/nowhere:{tmp_path}"})


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://a/chat?api_key=SECRET", "http://a/chat?api_key=***"),
        ("http://a/?x=1&Access%5FToken=S&y=%20#f", "http://a/?x=1&Access%5FToken=***&y=%20#f"),
        ("http://a/?token=S=T?U&token=V", "http://a/?token=***&token=***"),
        ("http://a/?token=#k", "http://a/?token=#k"),
        ("http://a/key=1", "http://a/key=1"),
        ("http://a/?", "http://a/?"),
    ],
)
def test_secrets_in_a_url_are_not_shown(url: str, shown: str) -> None:
    assert secrets.mask_url(url) == shown


def test_secrets_of_a_url_are_hidden_where_they_turn_up() -> None:
    found = secrets.secrets_in({"x-key": "from-header"}, "http://a/?q=visible&api_key=top%2Bsecret")
    assert set(found) == {"from-header", "top%2Bsecret", "top+secret"}
    assert secrets.mask("it was top+secret", found) == "it was ***"


def test_a_flag_with_a_bad_proxy_is_a_usage_error() -> None:
    def choose(*, by_flag: bool) -> None:
        proxy.choose(
            "https://a.test/", explicit="http://p:x", origin="here", by_flag=by_flag, environ={}
        )

    with pytest.raises(UsageError, match="The proxy from here"):
        choose(by_flag=True)
    with pytest.raises(ConfigError, match="The proxy from here"):
        choose(by_flag=False)


def test_an_endless_port_in_no_proxy() -> None:
    assert not proxy.bypassed("a.test", 443, {"no_proxy": "a.test:" + "9" * 5000})
    assert proxy.bypassed("a.test", 443, {"no_proxy": "a.test:0443"})
