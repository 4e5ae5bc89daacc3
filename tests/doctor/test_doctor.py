"""``darkai doctor`` against what is broken: each check sees its fault, says what to type, and the code.

Real processes, real servers on loopback. The unit tests of single findings are in
``test_checks.py``.
"""

from __future__ import annotations

import base64
import json
import os
import signal
import sqlite3
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from support.isolation import ROOT, darkai_home, write_config
from support.proxies import HttpProxy
from support.scenario import DARKAI, Result, run_darkai, run_in_pty, start_darkai
from support.server import (
    Authority,
    BeforeRequest,
    Close,
    FaultServer,
    Reset,
    Script,
    Send,
    Stall,
    closed_port,
    json_page,
    page,
    reply,
)

from darkai_cli.config import paths
from darkai_cli.history.journal import Journal

KEY = "sk-doctor-Q7w8E9r0T1y2U3i4"
MODELS = {"object": "list", "data": [{"id": "m"}, {"id": "other"}]}


def use(server: FaultServer | str, more: str = "", kind: str = "openai") -> None:
    """Make ``work`` the provider in use."""
    base = server if isinstance(server, str) else server.url.removesuffix("/chat") + "/v1"
    write_config(
        f'provider = "work"\n[providers.work]\ntype = "{kind}"\nurl = "{base}"\nmodel = "m"\n{more}\n'
    )


class Report:
    """What ``--json`` printed."""

    def __init__(self, result: Result) -> None:
        assert result.stderr == "", result
        self.code = result.code
        self.value: dict[str, Any] = json.loads(result.stdout)
        self.checks = {check["id"]: check for check in self.value["checks"]}

    def __getitem__(self, name: str) -> dict[str, Any]:
        return self.checks[name]

    @property
    def bad(self) -> list[str]:
        """The ids of what is not as it should be."""
        return [name for name, item in self.checks.items() if item["status"] in ("fail", "warning")]

    def only(self, name: str, status: str, code: int) -> dict[str, Any]:
        """The one check that is not well, and the exit code that comes of it."""
        assert self.bad == [name], self.value
        finding = self.checks[name]
        assert (finding["status"], self.code) == (status, code), finding
        assert finding["hint"], finding
        return finding


def examine(
    *args: str, env: dict[str, str | None] | None = None, command: Sequence[str] = DARKAI
) -> Report:
    return Report(run_darkai("doctor", "--json", *args, env=env, command=command))


@contextmanager
def well() -> Iterator[FaultServer]:
    """A service with which nothing is wrong, in use."""
    with FaultServer(json_page(200, MODELS)) as server:
        use(server)
        yield server


def test_all_is_well() -> None:
    with FaultServer(json_page(200, MODELS)) as server:
        use(server, 'key_env = "WORK_API_KEY"')
        report = examine(env={"WORK_API_KEY": KEY})
        assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"
    assert (report.code, report.bad) == (0, [])
    assert "lists 2 models, accepts the key" in report["provider.work.service"]["detail"]
    assert "WORK_API_KEY" in report["provider.work.key"]["detail"]
    assert report.value["summary"]["fail"] == 0
    assert set(report["python"]) == {
        "id", "status", "section", "title", "detail", "hint", "exit_code", "seconds",
    }  # fmt: skip


# --- configuration, folders, data -----------------------------------------------------------------


def test_every_fault_of_the_configuration_is_told_and_the_rest_is_still_checked() -> None:
    with FaultServer(json_page(200, MODELS)) as server:
        use(server, "colour = 3\n[aliases]\nfast = 7\n")
        with (darkai_home() / "config.toml").open("a") as file:
            file.write("[nonsense]\na = 1\n")
        report = examine(env={"DARKAI_RETRIES": "many"})
    assert report.code == 3
    assert report.bad == ["config", "config.2", "config.3", "config.4"]
    message = [report[name]["detail"] for name in report.bad]
    for text in ("providers.work.colour", "aliases.fast", "nonsense", "DARKAI_RETRIES"):
        assert any(text in item for item in message), (text, message)
    assert all(report[name]["hint"] for name in report.bad)
    assert report["provider.work.service"]["status"] == "ok"


def test_a_file_that_is_no_toml() -> None:
    write_config("provider = \n")
    report = examine()
    assert report.code == 3
    assert report["config"]["status"] == "fail"
    assert "config.toml:1" in report["config"]["detail"]


def test_a_variable_that_means_nothing() -> None:
    with well():
        finding = examine(env={"DARKAI_MODLE": "m"}).only("config.environment", "warning", 0)
    assert "DARKAI_MODLE" in finding["detail"]
    assert "`DARKAI_MODEL`" in finding["hint"]


def test_a_project_file_that_is_not_trusted() -> None:
    Path(".darkai.toml").write_text('proxy = "http://localhost:1"\n')
    with well():
        finding = examine().only("config.project", "warning", 0)
    assert "darkai config trust" in finding["hint"]


def test_folders_and_files_that_others_may_read() -> None:
    with well():
        darkai_home().chmod(0o755)
        report = examine()
        assert report.bad == ["folders.config", "folders.data"]
        assert report.code == 0
        assert report["folders.data"]["hint"].startswith("Run `chmod 700 ")
        darkai_home().chmod(0o700)
        (darkai_home() / "history.db").touch(mode=0o644)
        (darkai_home() / "history.db").chmod(0o644)
        report = examine()
        assert report.bad == ["folders.config", "folders.data"]
        assert report["folders.data"]["hint"].startswith("Run `chmod 600 ")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written() -> None:
    with well():
        darkai_home().chmod(0o500)
        try:
            report = examine()
        finally:
            darkai_home().chmod(0o700)
    assert (report.code, report["folders.config"]["status"]) == (3, "fail")
    assert report["folders.data"]["exit_code"] == 13


def test_a_folder_that_is_a_file() -> None:
    darkai_home().write_text("")
    report = examine("demo")
    assert report["folders.data"]["exit_code"] == 13
    assert report.code == 3


def test_keys_that_others_can_read_are_refused() -> None:
    with well():
        (darkai_home() / "keys.toml").write_text(
            f'[openai]\norigin = "https://api.openai.com"\nkey = "{KEY}"\n'
        )
        (darkai_home() / "keys.toml").chmod(0o644)
        report = examine()
    assert report.code == 3
    assert report["folders.keys"]["hint"].startswith("Run `chmod 600 ")


def saved() -> Path:
    """A history with a conversation in it."""
    journal = Journal(paths.history_file())
    journal.begin("hi", provider="darkai", model="m")
    journal.text("x" * 20_000)
    journal.end("complete")
    journal.close()
    return paths.history_file()


@pytest.mark.parametrize(
    ("damage", "deep"),
    [
        ("head", False), ("page", False), ("free pages", False), ("other", False),
        ("newer", False), ("page", True), ("free pages", True),
    ],
)  # fmt: skip
def test_a_damaged_history(damage: str, deep: bool) -> None:
    file = saved()
    conn = sqlite3.connect(file)
    conn.execute("PRAGMA journal_mode = DELETE")
    if damage in ("newer", "other"):
        conn.execute(
            "PRAGMA user_version = 99" if damage == "newer" else "PRAGMA application_id = 7"
        )
    sql = "SELECT rootpage FROM sqlite_master WHERE name = 'conversation'"
    root = conn.execute(sql).fetchone()[0]
    conn.close()
    data = bytearray(file.read_bytes())
    if damage == "head":
        data[:100] = b"x" * 100
    elif damage == "page":
        size = int.from_bytes(data[16:18], "big")
        data[(root - 1) * size : root * size] = b"\xff" * size
    elif damage == "free pages":  # which no query meets: only a check does
        data[36:40] = b"\0\0\0\x07"
    file.write_bytes(data)
    before = file.read_bytes()
    report = examine("demo", *(["--deep"] if deep else []))
    assert report.code == 13, report.value
    assert report["history"]["status"] == "fail"
    assert report["history"]["hint"]
    assert file.read_bytes() == before


def test_a_sound_history_is_left_as_it_is() -> None:
    file = saved()
    before = {item.name: item.read_bytes() for item in file.parent.iterdir() if item.is_file()}
    report = examine("demo")
    assert report["history"]["status"] == "ok"
    assert ", 1 conversation, quick check passed" in report["history"]["detail"]
    after = {item.name: item.read_bytes() for item in file.parent.iterdir() if item.is_file()}
    assert {name: data for name, data in after.items() if not name.endswith(("-shm", "-wal"))} == {
        name: data for name, data in before.items() if not name.endswith(("-shm", "-wal"))
    }
    assert "full check passed" in examine("demo", "--deep")["history"]["detail"]


def test_a_history_that_was_moved_aside() -> None:
    darkai_home().mkdir(mode=0o700)
    (darkai_home() / "history.db.damaged-20260101-000000").touch(mode=0o600)
    finding = examine("demo").only("history", "warning", 0)
    assert "history import" in finding["hint"]


def test_rates_and_pauses() -> None:
    with FaultServer(json_page(429, {}, {"retry-after": "500"}), json_page(200, MODELS)) as server:
        use(server, 'limits = ["1/h"]')
        assert run_darkai("ask", "hi", "--retries", "0").code == 6
        report = examine()
        assert len(server.requests) == 1, "it asked us to wait"
    assert (report.code, report.bad) == (0, ["limits"])
    assert "work asked us to wait until " in report["limits"]["detail"]
    assert "work allows 1 request an hour, the next at " in report["limits"]["detail"]
    assert report["provider.work.service"]["status"] == "skipped"


def test_a_ledger_that_is_damaged() -> None:
    with well():
        (darkai_home() / "limits.db").write_bytes(b"nonsense" * 999)
        (darkai_home() / "limits.db").chmod(0o600)
        finding = examine().only("limits", "warning", 0)
    assert finding["hint"].startswith("Run `rm ")


# --- the way to a provider ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("expired", "has expired"),
        ("name", "isn't valid for 127.0.0.1"),
        ("unknown", "isn't trusted"),
    ],
)
def test_certificates_that_are_not_trusted(kind: str, expected: str, tmp_path: Path) -> None:
    authority, other = Authority(), Authority()
    host = "elsewhere.test" if kind == "name" else "127.0.0.1"
    context = authority.context(host, expired=kind == "expired")
    trusted = (other if kind == "unknown" else authority).pem(tmp_path)
    with FaultServer(json_page(200, MODELS), tls=context) as server:
        use(server)
        report = examine(env={"SSL_CERT_FILE": trusted})
        assert server.requests == []
    assert expected in report.only("provider.work.service", "fail", 7)["detail"]


def test_a_certificate_file_of_the_environment_is_used(tmp_path: Path) -> None:
    authority = Authority()
    with FaultServer(json_page(200, MODELS), tls=authority.context("127.0.0.1")) as server:
        use(server)
        report = examine(env={"SSL_CERT_FILE": authority.pem(tmp_path)})
    assert (report.code, report.bad) == (0, [])
    assert "from SSL_CERT_FILE" in report["network.trust"]["detail"]


def test_a_ca_file_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("nothing")
    with well():
        report = examine(env={"SSL_CERT_FILE": str(tmp_path / "ca.pem")})
    report.only("network.trust", "fail", 3)


def test_https_where_there_is_no_tls() -> None:
    refusal = Send(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    with FaultServer([BeforeRequest(), refusal, Close()]) as server:
        use(f"https://{server.address}/v1")
        finding = examine().only("provider.work.service", "fail", 7)
    assert "doesn't speak TLS" in finding["detail"]


def test_a_name_that_does_not_resolve() -> None:
    use("http://nowhere.invalid/v1")
    finding = examine().only("provider.work.service", "fail", 7)
    assert "Can't resolve nowhere.invalid" in finding["detail"]


def test_a_proxy_is_named_and_its_password_is_not() -> None:
    with (
        FaultServer(json_page(200, MODELS)) as server,
        HttpProxy(user="me", password="geheim-pass") as proxy,
    ):
        use(f"http://ai.test:{server.port}/v1")
        report = examine(env={"HTTP_PROXY": proxy.url})
        assert (report.code, report.bad) == (0, []), report.value
        message = f"through http://***@{proxy.address} (from HTTP_PROXY)"
        assert report["provider.work.route"]["detail"] == message
        assert f"HTTP_PROXY=http://***@{proxy.address}" in report["network.proxies"]["detail"]
        wrong = examine(env={"HTTP_PROXY": proxy.url.replace("geheim", "falsch")})
        assert wrong.code == 4
        both = json.dumps([report.value, wrong.value])
    for secret in ("geheim", "falsch", base64.b64encode(b"me:geheim-pass").decode()):
        assert secret not in both


def test_a_proxy_that_is_closed_or_no_address() -> None:
    use("http://ai.test/v1")
    with closed_port() as port:
        report = examine(env={"HTTP_PROXY": f"http://u:hunter22@127.0.0.1:{port}"})
        assert "proxy 127.0.0.1" in report.only("provider.work.service", "fail", 7)["detail"]
    report = examine(env={"HTTP_PROXY": "ftp://u:hunter22@x"})
    assert report.code == 3
    assert report.bad == ["network.proxies", "provider.work.route"]
    assert "hunter22" not in json.dumps(report.value)


# --- keys and answers -----------------------------------------------------------------------------


def test_a_key_that_is_missing() -> None:
    with well():
        write_config('provider = "openai"\n')
        report = examine()
    assert report.bad[0] == "provider.openai.key"
    assert report.code == 4
    assert "darkai keys set openai" in report["provider.openai.key"]["hint"]
    assert "provider.openai.service" not in report.checks


def test_a_key_that_is_wrong() -> None:
    fault = {"error": {"message": f"Incorrect API key provided: {KEY}"}}
    with FaultServer(json_page(401, fault)) as server:
        use(server, 'key_env = "WORK_API_KEY"')
        finding = examine(env={"WORK_API_KEY": KEY}).only("provider.work.service", "fail", 4)
    assert finding["detail"].count("WORK_API_KEY") == 1
    assert "fingerprint " in finding["detail"]
    assert "WORK_API_KEY" in finding["hint"]
    assert KEY not in json.dumps(finding)


def test_a_key_of_another_address_is_not_sent() -> None:
    with FaultServer(json_page(200, MODELS)) as server:
        write_config(
            f'provider = "openai"\n[providers.openai]\nurl = "{server.url[:-5]}/v1"\nmodel = "m"\n'
        )
        report = examine(env={"OPENAI_API_KEY": KEY})
        assert "authorization" not in server.requests[0].headers
    finding = report.only("provider.openai.key", "warning", 0)
    assert "belongs to https://api.openai.com" in finding["detail"]


def test_a_key_that_must_not_go_over_plain_http() -> None:
    use("http://ai.invalid/v1", 'key_env = "WORK_API_KEY"')
    report = examine(env={"WORK_API_KEY": KEY})
    assert (report.code, report["provider.work.key"]["status"]) == (3, "fail")
    assert "https://" in report["provider.work.key"]["hint"]


def test_services_that_fail() -> None:
    """Each a provider of its own, all of them checked in one run."""
    faults: list[tuple[Script, int, str]] = [
        (page(500, "boom"), 9, "failed (500"),
        (page(404, "<html><title>Not here</title>"), 9, "/v1"),
        (page(200, "<html><title>Hotel</title><body>login</body>"), 9, "Hotel"),
        (json_page(429, {"error": {"message": "slow down"}}), 6, "Rate limited"),
        ([Reset()], 7, "reset"),
        ([], 7, "closed the connection without replying"),
        ([Send(b"HTTP/9.9 banana\r\n\r\n")], 9, "invalid HTTP"),
        (page(200, "fine", "text/plain"), 9, "sent no "),
    ]
    with ExitStack() as stack:
        tables = 'provider = "p0"\n'
        for number, (script, _, _) in enumerate(faults):
            server = stack.enter_context(FaultServer(script))
            tables += f'[providers.p{number}]\ntype = "openai"\nmodel = "m"\n'
            tables += f'url = "http://{server.address}/v1"\n'
        write_config(tables)
        report = examine()
    assert report.bad == [f"provider.p{number}.service" for number in range(len(faults))]
    assert report.code == faults[0][1]
    for name, (_, code, expected) in zip(report.bad, faults, strict=True):
        finding = report[name]
        assert (finding["status"], finding["exit_code"]) == ("fail", code), finding
        assert finding["hint"]
        assert expected in finding["detail"] + finding["hint"]


def test_a_service_without_a_model() -> None:
    with FaultServer(json_page(200, {"data": []})) as server:
        use(server)
        examine().only("provider.work.service", "warning", 0)


def test_a_model_that_is_not_there() -> None:
    with FaultServer(json_page(200, MODELS)) as server:
        use(server)
        finding = examine(env={"DARKAI_MODEL": "nine"}).only("provider.work.service", "warning", 0)
    assert "`nine`" in finding["detail"]


_LESS = "from darkai_cli.doctor import run as e; e.LIMIT = 6.0"
_MAIN = "from darkai_cli.__main__ import main; main()"
IMPATIENT = (sys.executable, "-c", f"{_LESS}; {_MAIN}")
"""The command, with less patience than people have."""


def test_all_that_hangs_is_told_within_the_limit() -> None:
    """Five services, one for each stage that can hang; the run ends by itself, each is told."""
    with (
        FaultServer([BeforeRequest(), Stall()]) as tls,
        FaultServer([Stall()]) as silent,
        FaultServer([Send(b"HTTP/1.1 200 Fine\r\n"), Stall()]) as half,
    ):
        text = 'provider = "a"\n'
        for name, url in (
            ("a", f"https://{tls.address}/v1"),
            ("b", f"http://{silent.address}/v1"),
            ("c", f"http://{half.address}/v1"),
        ):
            text += f'[providers.{name}]\ntype = "openai"\nurl = "{url}"\nmodel = "m"\n'
        text += (
            f'[providers.d]\ntype = "openai"\nurl = "http://{silent.address}/v1"\nmodel = "m"\n'
            'key_command = "sleep 20"\n'
        )
        write_config(text)
        report = examine(command=IMPATIENT)
    assert report.bad == [
        "provider.a.service", "provider.b.service", "provider.c.service", "provider.d.key",
    ]  # fmt: skip
    assert report["provider.b.service"]["exit_code"] == 8
    assert report["provider.d.key"]["exit_code"] == 8
    assert report["provider.d.key"]["detail"].startswith("No result within ")
    assert report.code == 7
    assert report.value["summary"]["seconds"] < 15


def test_ctrl_c_ends_it_at_once() -> None:
    with FaultServer([Stall()]) as server:
        use(server)
        with start_darkai("doctor") as run:
            server.wait_requests(1)
            run.signal(signal.SIGINT)
            assert run.finish().code == 130
        with start_darkai("doctor") as run:
            server.wait_requests(2)
            run.signal(signal.SIGTERM)
            assert run.finish().code == 143


# --- which providers, and the default one ---------------------------------------------------------


def test_only_what_is_named() -> None:
    with FaultServer(json_page(200, MODELS)) as server:
        use(server)
        report = examine("demo")
        assert not any(name.startswith("provider.work") for name in report.checks)
        assert server.connections == 0
        assert (report.code, report.bad) == (0, [])
        report = examine("demo", "work")
        assert "provider.work.service" in report.checks
    result = run_darkai("doctor", "wrok")
    assert (result.code, result.stdout) == (5, b""), result
    assert "hint: Did you mean `work`" in result.stderr


def test_the_public_default_that_nobody_chose_is_a_failure_if_it_is_all_there_is() -> None:
    finding = examine().only("provider.darkai.service", "fail", 7)
    assert "down since February 2025" in finding["hint"]
    assert "keys set" in finding["hint"]


def test_it_is_a_warning_if_there_is_another() -> None:
    with FaultServer(json_page(200, MODELS)) as server:
        write_config(
            f'[providers.work]\ntype = "openai"\nurl = "{server.url[:-5]}/v1"\nmodel = "m"\n'
        )
        finding = examine().only("provider.darkai.service", "warning", 0)
        assert "`darkai config set provider work`" in finding["hint"]
        assert examine("darkai").code == 7
        chosen = examine(env={"DARKAI_PROVIDER": "darkai"})
        assert (chosen.code, chosen.bad) == (7, ["provider.darkai.service"])
        report = examine(env={"DARKAI_PROVIDER": "work"})
        assert (report.code, report.bad) == (0, [])
        assert not any("darkai" in name for name in report.checks)


@pytest.mark.parametrize("status", [405, 501, 404])
def test_a_service_that_takes_only_questions(status: int) -> None:
    with FaultServer(json_page(status, {"detail": "Method Not Allowed"})) as server:
        report = examine(env={"DARKAI_URL": server.url})
        assert [request.method for request in server.requests] == ["GET"]
        assert "Chrome" in server.requests[0].headers["user-agent"]  # as the questions say
    if status in (405, 501):
        assert (report.code, report.bad) == (0, [])
        assert "`--deep`" in report["provider.darkai.service"]["detail"]
    else:
        report.only("provider.darkai.service", "fail", 9)


def test_deep_asks_a_question_and_nothing_else_does() -> None:
    alive = json_page(405, {"detail": "no"})
    with FaultServer(alive, reply(["ok"])) as server:
        report = examine("--deep", env={"DARKAI_URL": server.url})
        assert [request.method for request in server.requests] == ["GET", "POST"]
        assert "one word" in server.requests[1].json()["query"]
    assert (report.code, report.bad) == (0, [])
    assert "llama-3-70b answers" in report["provider.darkai.answer"]["detail"]
    with FaultServer(alive, reply([])) as server:
        report = examine("--deep", env={"DARKAI_URL": server.url})
    report.only("provider.darkai.answer", "fail", 9)


# --- what is printed ------------------------------------------------------------------------------


def test_nothing_private_is_in_a_report(isolated: Path) -> None:
    """The key, the password of the proxy, the user's name and home: in no byte of either form."""
    person = isolated / "home" / "annabell"
    person.mkdir()
    fault = {"error": {"message": f"Bad key {KEY}, {KEY[:20]}…, for annabell"}}
    env = {
        "HOME": str(person), "USER": "annabell", "DARKAI_HOME": str(person / "d"),
        "WORK_API_KEY": KEY, "HTTPS_PROXY": "http://annabell:passwort-99@127.0.0.1:9",
        "DARKAI_SYSTEM": "my private prompt",
    }  # fmt: skip
    (person / "d").mkdir(mode=0o755)
    (person / "d" / "keys.toml").write_text(
        f'[openai]\norigin = "https://api.openai.com"\nkey = "{KEY[::-1]}"\n'
    )
    (person / "d" / "keys.toml").chmod(0o644)
    with FaultServer(json_page(401, fault)) as server:
        (person / "d" / "config.toml").write_text(
            f'provider = "work"\n[providers.work]\ntype = "openai"\nurl = "{server.url[:-5]}/v1?key=hide-me-77"\n'
            'model = "m"\nkey_env = "WORK_API_KEY"\nheaders = {X-Api-Token = "header-secret-5"}\n'
        )
        for args in ([], ["--json"]):
            result = run_darkai("doctor", *args, env=env)
            printed = result.stdout + result.stderr.encode()
            assert result.code == 3, result
            secrets = (
                KEY,
                KEY[::-1],
                "passwort-99",
                "hide-me-77",
                "header-secret",
                "private prompt",
            )
            for secret in (*secrets, str(person), "/annabell"):
                assert secret.encode() not in printed, (args, secret, printed)
            assert KEY[:12].encode() not in printed
            assert b"~/d/keys.toml" in printed


def test_lines_fit_the_terminal() -> None:
    use("http://nowhere.invalid/v1", 'key_command = "false"')
    screen = run_in_pty("doctor", cols=40, rows=60)
    assert screen.code == 4
    lines = screen.lines
    assert max(map(len, lines)) <= 40
    text = "\n".join(lines)
    assert "Provider work (in use)" in text
    flat = " ".join(text.split())
    assert "hint: Run it yourself" in flat
    assert any(line.lstrip().startswith("FAIL") for line in lines)
    assert "\x1b[31mFAIL\x1b[0m" in screen.raw.decode()


def test_without_colour_and_without_utf8_the_marks_are_words() -> None:
    with well():
        plain = run_in_pty("doctor", cols=100, rows=60, env={"NO_COLOR": "1"})
        assert "\x1b[32m" not in plain.raw.decode()
        assert any(line.startswith("  ok   python") for line in plain.lines)
        ascii_only = run_in_pty(
            "doctor", cols=100, rows=60,
            env={"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
        )  # fmt: skip
    assert ascii_only.raw.isascii()
    assert "the locale `C` is not UTF-8" in " ".join(" ".join(ascii_only.lines).split())
    assert ascii_only.code == 0


def test_in_a_pipe_a_check_is_one_line_and_the_last_one_sums_up() -> None:
    use("http://nowhere.invalid/v1")
    result = run_darkai("doctor")
    assert (result.code, result.stderr) == (7, "")
    assert "\x1b" not in result.text
    lines = result.text.splitlines()
    assert lines[-1].startswith("1 failure, no warnings, ")
    at = next(number for number, line in enumerate(lines) if line.startswith("  FAIL"))
    assert lines[at].split(None, 2)[:2] == ["FAIL", "service"]
    assert lines[at + 1].strip().startswith("hint: ")


def test_hostile_texts_do_not_reach_the_terminal() -> None:
    evil = "\x1b]52;c;aGk=\x07\x1b[2J\u202e"
    with FaultServer(json_page(500, {"error": {"message": evil}})) as server:
        use(server)
        screen = run_in_pty("doctor", cols=100, rows=60)
    assert b"\x1b]52" not in screen.raw
    assert b"\x1b[2J" not in screen.raw
    assert "\u202e" not in screen.raw.decode()


def test_every_check_is_in_the_reference() -> None:
    page = (ROOT / "docs" / "reference" / "commands.md").read_text("utf-8")
    section = page.partition("## darkai doctor")[2].partition("\n## ")[0]
    with FaultServer(json_page(200, MODELS), reply(["ok"])) as server:
        use(server, 'key_env = "WORK_API_KEY"')
        report = examine("--deep", env={"WORK_API_KEY": KEY})
    for name in report.checks:
        screen = f".{name.rpartition('.')[2]}" if name.startswith("provider.") else name
        assert f"{screen}`" in section, name
