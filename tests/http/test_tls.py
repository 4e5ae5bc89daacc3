"""Which certificates a connection trusts."""

from __future__ import annotations

import ssl
import sys
from pathlib import Path
from threading import Event
from types import SimpleNamespace
from typing import Any

import pytest
from support.server import Authority

from darkai_cli.errors import ConfigError
from darkai_cli.http import tls


def places(monkeypatch: pytest.MonkeyPatch, **paths: str | None) -> None:
    """Have OpenSSL look there."""
    paths_there = SimpleNamespace(**{"cafile": None, "capath": None, **paths})
    monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: paths_there)


def module_of(context: Any) -> str:
    return str(type(context).__module__.partition(".")[0])


def test_openssls_own_file_is_read_at_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Not for each connection, and beside the imports."""
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("SSL_CERT_FILE", Authority().pem(tmp_path))  # where OpenSSL itself looks
    places(monkeypatch, cafile="there")
    context = tls.build(tls.Trust(), {})
    assert module_of(context) == "ssl"
    assert len(context.get_ca_certs()) == 1
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname


@pytest.mark.parametrize(
    ("names", "module"),
    [(["3e7271e8.0"], "ssl"), (["README"], "truststore"), ([], "truststore")],
)
def test_openssls_own_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, names: list[str], module: str
):
    monkeypatch.setattr(sys, "platform", "linux")
    for name in names:
        (tmp_path / name).touch()
    places(monkeypatch, capath=str(tmp_path))
    assert module_of(tls.build(tls.Trust(), {})) == module


def test_where_openssl_has_none_truststore_looks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr(sys, "platform", "linux")
    for path in (None, str(tmp_path / "none")):
        places(monkeypatch, capath=path)
        assert module_of(tls.build(tls.Trust(), {})) == "truststore"


@pytest.mark.parametrize("platform", ["darwin", "win32"])
def test_other_systems_have_a_store_of_their_own(monkeypatch: pytest.MonkeyPatch, platform: str):
    monkeypatch.setattr(sys, "platform", platform)
    places(monkeypatch, cafile="there")
    assert module_of(tls.build(tls.Trust(), {})) == "truststore"


def test_the_end_of_the_process_waits_for_a_context(monkeypatch: pytest.MonkeyPatch):
    """OpenSSL tears itself down then; a thread that it still serves would crash."""
    leaving = Event()
    usual = tls.build

    def build(*given: Any) -> ssl.SSLContext:
        assert leaving.wait(30)
        return usual(*given)

    monkeypatch.setattr(tls, "build", build)
    monkeypatch.setattr(tls.signals, "block_in_thread", lambda: None)
    pending = tls.PendingContext(tls.Trust(), {})
    assert pending._thread in tls.busy_threads
    monkeypatch.setattr(tls.signals, "block_in_thread", leaving.set)  # this process goes on
    tls._finish_at_exit()
    assert not pending._thread.is_alive()
    assert pending._thread not in tls.busy_threads


def test_a_ca_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        tls.build(tls.Trust("/nowhere/ca.pem"), {})
    assert caught.value.message == (
        "Can't use the CA file `/nowhere/ca.pem` from `ca_file`: no such file or directory"
    )
    empty = tmp_path / "empty.pem"
    empty.write_text("")
    with pytest.raises(ConfigError, match="it contains no certificate"):
        tls.build(tls.Trust(), {"SSL_CERT_FILE": str(empty)})


@pytest.mark.parametrize("path", ["/nowhere", "/nowhere:/neither", ":", __file__])
def test_a_ca_folder_that_is_not_there(path: str) -> None:
    with pytest.raises(ConfigError) as caught:
        tls.build(tls.Trust(), {"SSL_CERT_DIR": path})
    assert f"Can't use the CA folder `{path}` from `SSL_CERT_DIR`: " in caught.value.message
    assert caught.value.message.rpartition(": ")[2][0].islower()


def test_one_ca_folder_is_enough(tmp_path: Path) -> None:
    assert tls.build(tls.Trust(), {"SSL_CERT_DIR": f"/nowhere:{tmp_path}"})
