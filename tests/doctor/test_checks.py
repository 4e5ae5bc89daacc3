"""What ``darkai doctor`` finds, one check at a time: what no real machine of a test can be made to have."""

from __future__ import annotations

import os
import re
import sqlite3
import ssl
from importlib import metadata
from pathlib import Path
from threading import Event

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkai_cli.cli import tables
from darkai_cli.config.load import load
from darkai_cli.doctor import files, network, provider, report, run, system
from darkai_cli.doctor.check import Check, Finding, Step, ok
from darkai_cli.errors import ConfigError, DarkAIError
from darkai_cli.history import health
from darkai_cli.providers.base import Target
from darkai_cli.providers.settings import settings_of
from darkai_cli.rate_limits.store import RateLimitStoreError, overview
from darkai_cli.secrets import remember

# --- running --------------------------------------------------------------------------------------


def step(name: str, check: object) -> Step:
    return Step(name, "s", name, check)  # type: ignore[arg-type]


def all_of(chains: list[list[Step]], seconds: float = 30) -> list[Check]:
    return list(run.run_chains(chains, seconds))


def test_checks_come_in_order_whatever_is_ready_first() -> None:
    second = Event()

    def late() -> Finding:
        assert second.wait(20)
        return ok("late")

    def early() -> Finding:
        second.set()
        return ok("early")

    finding = all_of([[step("a", late)], [step("b", early), step("c", lambda: None)]])
    assert [check.id for check in finding] == ["a", "b"]


def test_a_chain_ends_with_its_last_finding_and_a_bug_ends_nothing_else() -> None:
    def bug() -> Finding:
        raise ZeroDivisionError("x")

    def fault() -> Finding:
        raise ConfigError("wrong", hint="do this")

    end = ok("end")._replace(last=True)
    finding = all_of([
        [step("a", bug), step("b", fault), step("c", lambda: end), step("d", lambda: ok("never"))],
        [step("e", lambda: ok("fine"))],
    ])  # fmt: skip
    assert [(check.id, check.status, check.code) for check in finding] == [
        ("a", "fail", 1), ("b", "fail", 3), ("c", "ok", 0), ("e", "ok", 0),
    ]  # fmt: skip
    assert finding[0].detail == "Internal error: ZeroDivisionError: x"
    assert finding[1].hint == "do this"


def test_what_hangs_is_left_behind_and_told() -> None:
    gate = Event()

    def hang() -> Finding:
        gate.wait(30)
        return ok("too late")

    try:
        finding = all_of([[step("a", lambda: ok("fine")), step("b", hang)], [step("c", hang)]], 0.3)
    finally:
        gate.set()
    assert [(check.id, check.status, check.code) for check in finding] == [
        ("a", "ok", 0), ("b", "fail", 8), ("c", "fail", 8),
    ]  # fmt: skip


# --- this installation ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("version", "bounds", "good"),
    [
        ("0.28.1", ">=0.28.1,<0.29", True),
        ("0.28.0", ">=0.28.1,<0.29", False),
        ("0.29", "<0.29,>=0.28.1", False),
        ("15", ">=14.1", True),
        ("1.0", ">=1.0.0", True),
        ("strange", "", True),
    ],
)
def test_versions_and_bounds(version: str, bounds: str, good: bool) -> None:
    assert system.within(version, bounds) is good


def test_packages_that_are_missing_or_of_another_version(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = ["httpx<0.29,>=0.28.1", "rich>=14.1", "h2<5,>=4.1 ; extra == 'http2'"]
    monkeypatch.setattr(metadata, "requires", lambda _: lines)
    versions = {"httpx": "0.28.1", "rich": "15.0"}

    def version(name: str) -> str:
        if name not in versions:
            raise metadata.PackageNotFoundError(name)
        return versions[name]

    monkeypatch.setattr(metadata, "version", version)
    assert system.packages() == ok("httpx 0.28.1, rich 15.0")
    assert system.extras().detail == "not installed: http2 (`pip install 'darkai-cli[http2]'`)"
    versions["h2"] = "4.2"
    assert system.extras().detail == "installed: http2 (h2 4.2)"
    versions["httpx"] = "0.29.3"
    assert system.packages().status == "warning"
    assert "httpx 0.29.3 (expected <0.29,>=0.28.1)" in system.packages().detail
    del versions["rich"]
    assert (system.packages().status, system.packages().code) == ("fail", 3)
    assert "Not installed: rich" in system.packages().detail


def test_a_source_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    def requires(_: str) -> list[str]:
        raise metadata.PackageNotFoundError("darkai-cli")

    monkeypatch.setattr(metadata, "requires", requires)
    assert system.packages().status == "warning"


@pytest.mark.parametrize(
    ("environ", "name", "good"),
    [
        ({"LC_ALL": "de_DE.UTF-8"}, "de_DE.UTF-8", True),
        ({"LC_ALL": "", "LANG": "de_DE.utf8@euro"}, "de_DE.utf8@euro", True),
        ({"LC_ALL": "C", "LANG": "C.UTF-8"}, "C", False),
        ({"LC_CTYPE": "UTF-8"}, "UTF-8", True),
        ({}, "C", False),
    ],
)
def test_locales(environ: dict[str, str], name: str, good: bool) -> None:
    assert system.locale_of(environ) == name
    assert system.is_utf8(name) is good


# --- folders --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "status", "code"), [
    ("config", "fail", 3), ("data", "fail", 13), ("cache", "warning", 0),
])  # fmt: skip
def test_folders_that_cannot_be_written(
    name: str, status: str, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "d"
    assert files.folder(name, folder).detail == f"`{folder}` will be created when needed"
    folder.mkdir(mode=0o700)
    assert files.folder(name, folder).status == "ok"
    monkeypatch.setattr(os, "access", lambda *_: False)
    finding = files.folder(name, folder)
    assert (finding.status, finding.code) == (status, code)
    assert finding.hint
    missing = files.folder(name, folder / "e")
    assert (missing.status, missing.code) == (status, code)


# --- proxies and certificates ---------------------------------------------------------------------


def test_no_trusted_certificates_at_all(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    known = ssl.get_default_verify_paths()
    nothing = known._replace(cafile=None, capath=str(tmp_path))
    monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: nothing)
    monkeypatch.setattr(network, "_has_other_store", lambda: False)
    finding = network.trust(load(environ={}), {})
    assert (finding.status, finding.code) == ("fail", 3)
    assert "ca-certificates" in (finding.hint or "")
    (tmp_path / "one.0").touch()
    assert network.trust(load(environ={}), {}).status == "ok"


def test_proxies_are_told_as_they_are_used() -> None:
    environ = {
        "https_proxy": "socks://u:p@one:1",
        "HTTPS_PROXY": "http://two:2",
        "HTTP_PROXY": "x:3",
        "NO_PROXY": "a,b",
        "REQUEST_METHOD": "GET",
    }
    message = network.proxy_settings(load(environ={}), environ).detail
    assert message == (
        "https_proxy=socks5://***@one:1, HTTP_PROXY is ignored because REQUEST_METHOD is set, "
        "NO_PROXY=a,b"
    )
    assert (
        network.proxy_settings(load({"proxy": ""}, environ={}), environ).detail
        == "none, set by `--proxy`"
    )


# --- history and ledger, seen without a change ----------------------------------------------------


def test_a_look_at_the_history_ends_in_time(tmp_path: Path) -> None:
    from darkai_cli.history.store import Store

    file = tmp_path / "history.db"
    with Store(file) as store, store.writing() as conn:
        conn.executemany(
            "INSERT INTO conversation (id, created, updated) VALUES (?, 0, 0)",
            [(f"c{number}",) for number in range(20_000)],
        )
    whole = health.inspect(file, 30)
    assert whole is not None
    assert (whole.complete, whole.problems, whole.conversations) == (True, (), 20_000)
    times = iter([0.0])
    cut = health.inspect(file, 1, clock=lambda: next(times, 9.0))
    assert cut is not None
    assert (cut.complete, cut.problems) == (False, ())


def test_a_look_at_what_is_not_there_makes_nothing(tmp_path: Path) -> None:
    assert health.inspect(tmp_path / "history.db", 1) is None
    assert overview(tmp_path / "limits.db", 0.0) == ({}, {})
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "history.db").touch()
    empty = health.inspect(tmp_path / "history.db", 1)
    assert empty is not None
    assert (empty.version, empty.problems) == (0, ())
    (tmp_path / "limits.db").write_bytes(b"x" * 5000)
    with pytest.raises(RateLimitStoreError):
        overview(tmp_path / "limits.db", 0.0)
    sqlite3.connect(tmp_path / "other.db").close()


# --- the report -----------------------------------------------------------------------------------


def check(**fields: object) -> Check:
    usual = Check("id", "Section", "title", "ok", "detail", None, 0, 0.1)
    return usual._replace(**fields)  # type: ignore[arg-type]


def test_the_exit_code_is_that_of_the_first_failure() -> None:
    finding = [
        check(),
        check(status="warning"),
        check(status="fail", code=4),
        check(status="fail", code=7),
    ]
    assert report.exit_code(finding) == 4
    assert report.exit_code(finding[:2]) == 0
    assert report.summary(finding, 1.25) == "2 failures, 1 warning, 1 ok, in 1.2 s"


@pytest.mark.parametrize(
    ("text", "screen"),
    [
        ("`/srv/ann/.config`", "`~/.config`"),
        ("/srv/ann", "~"),
        ("/srv/anna/x", "/srv/anna/x"),
        ("ls -l /srv/ann, and", "ls -l ~, and"),
        ("/media/ann/disk", "/media/~/disk"),
        ("ann is a name, and so is /annex", "ann is a name, and so is /annex"),
        ("/data/users/ann/x", "~/x"),
    ],
)
def test_the_home_folder_and_the_user_are_hidden(text: str, screen: str) -> None:
    privacy = report.Privacy(["/srv/ann", "/data/users/ann"], ["ann"])
    assert privacy.hide(text) == screen


def test_a_home_folder_that_is_the_root_hides_nothing() -> None:
    assert report.Privacy(["/"], [""]).hide("/etc/x") == "/etc/x"


def test_known_keys_are_hidden() -> None:
    remember("sk-unit-doctor-12345")
    hidden = report.Privacy([], []).masked(
        check(detail="a sk-unit-doctor-12345", hint="sk-unit-doctor-12345")
    )
    assert (hidden.detail, hidden.hint) == ("a ***", "***")


@given(
    st.text(max_size=300),
    st.none() | st.text(max_size=100),
    st.integers(40, 200),
    st.sampled_from(["ok", "warning", "fail", "skipped"]),
)
def test_any_text_fits_and_none_acts(
    detail: str, hint: str | None, width: int, status: str
) -> None:
    lines = report.lines(
        check(detail=detail, hint=hint, status=status), width, tables.wrapped, lambda _, text: text
    )
    for line in lines:
        assert tables.cells(line) <= width
        assert not re.search(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", line)
    assert lines[0].split()[0] == report.MARKS[status]  # type: ignore[index]


# --- the configuration, with all of its faults ----------------------------------------------------


def test_faults_are_collected_and_what_is_good_stays(tmp_path: Path) -> None:
    environ = {"DARKAI_HOME": str(tmp_path), "DARKAI_RETRIES": "x", "HOME": str(tmp_path)}
    (tmp_path / "config.toml").write_text('retries = "a"\nmodel = "m"\ntimeout = -1\n')
    faults: list[DarkAIError] = []
    config = load(environ=environ, faults=faults)
    assert (config.model, config.retries, config.timeout) == ("m", 2, None)
    assert len(faults) == 3
    with pytest.raises(ConfigError):
        load(environ=environ)
    (tmp_path / "config.toml").write_text("nonsense\n")
    faults = []
    assert load(environ={**environ, "DARKAI_RETRIES": ""}, faults=faults).model is None
    assert len(faults) == 1


# --- who is checked, and how strictly -------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "near", "names", "lenient"),
    [
        ("", [], (), False),
        ("", ["ollama"], (), True),
        ("fallback = []", ["ollama"], (), False),
        ("", ["ollama"], ("darkai",), False),
        ('provider = "darkai"', ["ollama"], (), False),
        ('[providers.work]\ntype = "openai"\nurl = "http://h/v1"', [], (), True),
    ],
)
def test_the_default_service_is_judged_by_who_chose_it(
    text: str, near: list[str], names: tuple[str, ...], lenient: bool, tmp_path: Path
) -> None:
    (tmp_path / "config.toml").write_text(text)
    environ = {"DARKAI_HOME": str(tmp_path), "HOME": str(tmp_path)}
    options = provider.CheckOptions(load(environ=environ), environ)
    servers = [Target(settings_of(options.config, name), "m") for name in near]
    checks = run.provider_checks(names, options, servers)[0]
    assert (checks.name, checks.lenient) == ("darkai", lenient)
    assert "February 2025" in (checks.hint or "")
