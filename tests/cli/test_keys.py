"""``darkai keys`` as people use it: typed, piped, listed, removed; and keys on their way to a service."""

from __future__ import annotations

import json
import os
import signal
import stat
import sys
import termios
import tomllib
from pathlib import Path

import pytest
from support.isolation import write_config
from support.scenario import run_darkai, run_in_pty, start_in_pty
from support.server import FaultServer, page, reply

from darkai_cli.secrets import Secret

KEY = "sk-test-AbCdEf0123456789"
PROMPT = b"API key of openai (not shown): "


@pytest.fixture
def home(isolated: Path) -> Path:
    return isolated / "darkai"


def stored(home: Path) -> dict[str, dict[str, str]]:
    return tomllib.loads((home / "keys.toml").read_text())


def fingerprint(key: str) -> str:
    return Secret(key, "a test").fingerprint


# --- set ------------------------------------------------------------------------------------------


def test_a_key_from_a_pipe(home: Path):
    result = run_darkai("keys", "set", "openai", stdin=f"{KEY}\n".encode())
    assert (result.code, result.stdout) == (0, b"")
    assert result.stderr == (
        f"note: Stored the key of `openai` ({fingerprint(KEY)}) for https://api.openai.com in "
        f"{home}/keys.toml\n"
    )
    assert stored(home) == {"openai": {"origin": "https://api.openai.com", "key": KEY}}
    assert stat.S_IMODE((home / "keys.toml").stat().st_mode) == 0o600
    assert stat.S_IMODE(home.stat().st_mode) == 0o700


def test_a_key_that_is_typed_is_not_shown(home: Path):
    with start_in_pty("keys", "set", "openai") as run:
        run.wait_for(PROMPT)
        run.type(f"{KEY}\n")
        screen = run.screen_result()
    assert screen.code == 0, screen.raw
    assert KEY.encode() not in screen.raw
    assert KEY[:6].encode() not in screen.raw
    assert stored(home)["openai"]["key"] == KEY


def test_the_prompt_is_seen_where_stderr_is_no_terminal(home: Path):
    with start_in_pty("keys", "set", "openai", on=("stdin",)) as run:
        run.wait_for(PROMPT, "terminal")
        run.type(f"{KEY}\n")
        result = run.finish()
    assert result.code == 0
    assert result.stderr.startswith("note: Stored")
    assert KEY.encode() not in run.terminal


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_stop_at_the_prompt_changes_nothing(home: Path, number: int, code: int):
    run_darkai("keys", "set", "openai", stdin=b"sk-before-123456")
    before = (home / "keys.toml").read_bytes()
    with start_in_pty("keys", "set", "openai") as run:
        run.wait_for(PROMPT)
        run.type("sk-half")
        if number == signal.SIGINT:
            run.type("\x03")
        else:
            run.signal(number)
        screen = run.screen_result()
    assert screen.code == code
    assert b"error" not in screen.raw
    assert b"sk-half" not in screen.raw
    assert (home / "keys.toml").read_bytes() == before


def test_a_key_is_not_shown_after_a_stop_either(home: Path):
    """A shell that goes on in between turns the echo on again."""
    with start_in_pty("keys", "set", "openai") as run:
        run.wait_for(PROMPT)
        run.signal(signal.SIGSTOP)
        modes = termios.tcgetattr(run._master)
        modes[3] |= termios.ECHO
        termios.tcsetattr(run._master, termios.TCSANOW, modes)
        run.signal(signal.SIGCONT)
        run.wait_for(PROMPT + PROMPT)
        run.type(f"{KEY}\n")
        screen = run.screen_result()
    assert screen.code == 0
    assert KEY[:6].encode() not in screen.raw
    assert stored(home)["openai"]["key"] == KEY


ECHO = """
import os, sys, termios
os.spawnv(os.P_WAIT, sys.executable, [sys.executable, "-m", "darkai_cli", "keys", "set", "openai"])
print("echo is", bool(termios.tcgetattr(0)[3] & termios.ECHO))
"""


@pytest.mark.parametrize("entered", ["\x03", f"{KEY}\n", "\x04", "\n"])
def test_the_terminal_is_put_right(home: Path, entered: str):
    command = (sys.executable, "-c", "import signal\nsignal.signal(2, lambda *_: None)\n" + ECHO)
    with start_in_pty(command=command) as run:
        run.wait_for(PROMPT)
        run.type(entered)
        screen = run.screen_result()
    assert b"echo is True" in screen.raw, screen.raw


def test_what_is_no_key_is_refused(home: Path):
    run_darkai("keys", "set", "openai", stdin=b"sk-before-123456")
    before = (home / "keys.toml").read_bytes()
    for data, message in (
        (b"\n", "No key on stdin"),
        (b"sk-one-123456\n\n", "The key on stdin has more than one line"),
        (b"sk one 12345678", "The key on stdin contains a space"),
        (b"sk-\xff\xfe", "stdin is not UTF-8 text"),
    ):
        result = run_darkai("keys", "set", "openai", stdin=data)
        assert (result.code, result.stdout) == (11, b"")
        assert result.stderr.startswith(f"error: {message}")
        assert "\nhint: " in result.stderr
        assert (home / "keys.toml").read_bytes() == before


@pytest.mark.parametrize("stdin", [None, "closed"])
def test_without_any_input_nothing_is_asked(home: Path, stdin: None):
    result = run_darkai("keys", "set", "openai", stdin=stdin)
    assert result.code == 11
    assert "No key on stdin" in result.stderr
    assert not (home / "keys.toml").exists()


def test_a_key_is_no_argument(home: Path):
    result = run_darkai("keys", "set", "openai", KEY)
    assert result.code == 2
    assert "A key can't be an argument" in result.stderr
    assert "darkai keys set PROVIDER" in result.stderr
    assert KEY not in result.text + result.stderr
    assert not (home / "keys.toml").exists()


@pytest.mark.parametrize(
    "arguments",
    [("keys", "set"), ("keys", "rm"), ("config", "get"), ("ask", "-p"), ("--debug", "keys", "rm")],
)
def test_an_argument_that_looks_like_a_key_is_never_printed(home: Path, arguments: tuple[str, ...]):
    result = run_darkai(*arguments, KEY, stdin=b"")
    assert result.code
    assert KEY not in result.text + result.stderr


def test_an_unknown_provider_has_no_key(home: Path):
    result = run_darkai("keys", "set", "opnai", stdin=KEY.encode())
    assert result.code == 5
    assert "Did you mean `openai`" in result.stderr
    assert run_darkai("keys", "set", "demo", stdin=KEY.encode()).code == 2
    assert not (home / "keys.toml").exists()


def test_the_keyring_is_an_extra(home: Path):
    result = run_darkai("keys", "set", "openai", "--keyring", stdin=KEY.encode())
    assert result.code == 3
    assert "pip install 'darkai-cli[keyring]'" in result.stderr
    assert not (home / "keys.toml").exists()


RING = """
import json, pathlib
FILE = pathlib.Path({path!r})
def _read():
    return json.loads(FILE.read_text()) if FILE.exists() else {{}}
def get_password(service, user):
    return _read().get(service + "|" + user)
def set_password(service, user, password):
    FILE.write_text(json.dumps({{**_read(), service + "|" + user: password}}))
def delete_password(service, user):
    kept = _read()
    del kept[service + "|" + user]
    FILE.write_text(json.dumps(kept))
"""


def test_a_key_in_the_keyring(home: Path, tmp_path: Path):
    from support import scenario

    saved_value = tmp_path / "ring.json"
    (tmp_path / "keyring.py").write_text(RING.format(path=str(saved_value)))
    env = {"PYTHONPATH": f"{scenario._GUARD}{os.pathsep}{tmp_path}"}
    run_darkai("keys", "set", "openai", stdin=b"sk-before-123456", env=env)
    result = run_darkai("keys", "set", "openai", "--keyring", stdin=KEY.encode(), env=env)
    assert result.code == 0, result
    assert "in the keyring" in result.stderr
    assert stored(home) == {"openai": {"origin": "https://api.openai.com", "keyring": True}}
    assert json.loads(saved_value.read_text()) == {"darkai|openai for https://api.openai.com": KEY}
    listed = run_darkai("keys", env=env)
    assert listed.text == (
        f"*\topenai\tkeyring\tkeyring\t{fingerprint(KEY)}\thttps://api.openai.com\t\n"
    )
    run_darkai("keys", "set", "openai", stdin=b"sk-again-123456", env=env)
    assert json.loads(saved_value.read_text()) == {}
    run_darkai("keys", "set", "openai", "--keyring", stdin=KEY.encode(), env=env)
    assert run_darkai("keys", "rm", "openai", env=env).code == 0
    assert json.loads(saved_value.read_text()) == {}
    assert stored(home) == {}


def test_a_damaged_file_is_told_before_a_key_is_asked_for(home: Path):
    home.mkdir(mode=0o700)
    (home / "keys.toml").write_text('[openai\nkey = "sk-old-123456"\n')
    (home / "keys.toml").chmod(0o600)
    screen = run_in_pty("keys", "set", "openai")
    assert screen.code == 3
    assert PROMPT not in screen.raw
    assert (home / "keys.toml").read_text() == '[openai\nkey = "sk-old-123456"\n'


def test_who_wins_over_the_key_is_told(home: Path):
    result = run_darkai(
        "keys", "set", "openai", stdin=KEY.encode(), env={"OPENAI_API_KEY": "sk-environment"}
    )
    assert (
        "note: Stored, but the environment variable `OPENAI_API_KEY` overrides it" in result.stderr
    )
    write_config('[providers.work]\ntype = "openai"\nurl = "http://box.test/v1"\n')
    result = run_darkai("keys", "set", "work", stdin=KEY.encode())
    assert result.code == 0
    assert (
        "warning: The key from keys.toml won't be sent over plain http to box.test" in result.stderr
    )


# --- list, rm, path -------------------------------------------------------------------------------


def test_the_list_tells_where_each_key_is_from(home: Path):
    run_darkai("keys", "set", "openai", stdin=KEY.encode())
    write_config(
        "[providers.openai]\nkey_command = 'echo sk-printed-123456'\n"
        '[providers.groq]\nurl = "https://elsewhere.test/v1"\n'
        '[providers.mine]\ntype = "openai"\nurl = "https://m.test"\n'
        'headers = { Authorization = "Bearer sk-header-123456" }\n',
    )
    env = {
        "OPENAI_API_KEY": "sk-environment",
        "GROQ_API_KEY": "sk-groq-123456",
        "GEMINI_API_KEY": "sk bad key",
    }
    result = run_darkai("keys", "list", "--json", env=env)
    assert (result.code, result.stderr) == (0, "")
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    screen = [
        (row["provider"], row["kind"], row["where"], row["fingerprint"], row["in_force"])
        for row in rows
    ]
    assert screen == [
        ("openai", "environment", "OPENAI_API_KEY", fingerprint("sk-environment"), True),
        ("openai", "key_command", "key_command", fingerprint("sk-printed-123456"), False),
        ("openai", "file", "keys.toml", fingerprint(KEY), False),
        ("gemini", "environment", "GEMINI_API_KEY", None, True),
        ("groq", "environment", "GROQ_API_KEY", fingerprint("sk-groq-123456"), False),
        ("mine", "header", "Authorization", fingerprint("sk-header-123456"), True),
    ]
    assert "contains a space" in rows[3]["problem"]
    assert rows[4]["origin"] == "https://api.groq.com"
    assert "`groq` is at https://elsewhere.test" in rows[4]["problem"]
    for key in ("sk-", "bad key"):
        assert key not in result.text

    piped = run_darkai("keys", env=env)
    assert len(piped.text.splitlines()) == len(rows)
    assert all(line.count("\t") == 6 for line in piped.text.splitlines())
    assert "sk-" not in piped.text
    terminal = run_in_pty("keys", env=env, cols=200)
    assert terminal.code == 0
    assert any(
        line.startswith("* openai  environment variable OPENAI_API_KEY ") for line in terminal.lines
    )
    assert b"sk-" not in terminal.raw


def test_an_empty_list_says_what_to_do(home: Path):
    result = run_darkai("keys")
    assert (result.code, result.stdout) == (0, b"")
    assert result.stderr == "note: No API keys. Run `darkai keys set PROVIDER` to store one\n"


def test_a_file_that_cannot_be_used_hides_no_other_key(home: Path):
    run_darkai("keys", "set", "groq", stdin=KEY.encode())
    (home / "keys.toml").chmod(0o644)
    result = run_darkai("keys", env={"OPENAI_API_KEY": "sk-environment"})
    assert result.code == 3
    assert "\topenai\tenvironment\t" in result.text
    assert "readable by others" in result.stderr
    assert f"hint: Run `chmod 600 {home}/keys.toml`" in result.stderr


def test_a_key_is_removed(home: Path):
    run_darkai("keys", "set", "openai", stdin=KEY.encode())
    run_darkai("keys", "set", "groq", stdin=KEY.encode())
    result = run_darkai("keys", "rm", "openai")
    assert (result.code, result.stderr) == (0, "note: Removed the key of `openai`\n")
    assert set(stored(home)) == {"groq"}
    result = run_darkai("keys", "rm", "openai")
    assert result.code == 5
    assert "`darkai keys list`" in result.stderr


# --- on the way to a service ----------------------------------------------------------------------

WORK = '[providers.work]\ntype = "darkai"\nurl = "{}"\nmodel = "m"\n'


def test_a_moved_provider_does_not_get_the_stored_key(home: Path):
    with FaultServer(reply(["fine"])) as first, FaultServer(reply(["fine"])) as second:
        write_config(WORK.format(first.url))
        run_darkai("keys", "set", "work", stdin=KEY.encode())
        write_config(WORK.format(second.url))
        result = run_darkai("ask", "-p", "work", "hi", "--no-save")
        assert (result.code, result.stdout) == (0, b"fine\n"), result
        assert "authorization" not in second.requests[0].headers
        assert KEY.encode() not in second.requests[0].body


def test_a_redirect_does_not_get_the_key(home: Path):
    with FaultServer(reply(["stolen"])) as thief:
        target = {"location": f"{thief.url}?k={KEY}"}
        with FaultServer(page(307, "", headers=target)) as server:
            write_config(WORK.format(server.url) + 'key_env = "WORK"\n')
            result = run_darkai("ask", "-p", "work", "hi", "--no-save", env={"WORK": KEY})
            assert result.code == 9
            assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"
        assert thief.requests == []
    assert KEY not in result.stderr


def test_no_key_at_all_is_told_with_what_to_type(home: Path):
    result = run_darkai("ask", "-p", "openai", "hi", "--no-save")
    assert result.code == 4
    assert "hint: `darkai keys set openai`, or set OPENAI_API_KEY" in result.stderr


def test_a_key_command_does_not_read_the_terminal(home: Path):
    """A program that asks there would wait for an answer that nobody knows to give."""
    with FaultServer(reply(["fine"])) as server:
        line = f"key_command = \"sh -c 'read answer; echo {KEY}'\"\n"
        write_config(WORK.format(server.url) + line)
        screen = run_in_pty("ask", "-p", "work", "hi", "--no-save")
        assert screen.code == 0, screen.raw
        assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize("broken", [False, True])
def test_the_editor_sees_no_keys(home: Path, tmp_path: Path, broken: bool):
    seen = tmp_path / "seen"
    editor = tmp_path / "editor"
    editor.write_text(f"#!/bin/sh\nenv > '{seen}'\n")
    editor.chmod(0o700)
    write_config("x = [\n" if broken else WORK.format("http://a.test") + 'key_env = "MINE"\n')
    env = {"EDITOR": str(editor), "OPENAI_API_KEY": KEY, "DARKAI_X_TOKEN": KEY, "PLAIN": "yes"}
    run_darkai("config", "edit", env=env if broken else {**env, "MINE": KEY})
    text = seen.read_text()
    assert KEY not in text
    assert "PLAIN=yes" in text
    assert "DARKAI_HOME=" in text


# --- start-up -------------------------------------------------------------------------------------


def loaded(tmp_path: Path, **env: str) -> set[str]:
    report = tmp_path / f"report-{len(env)}"
    result = run_darkai(
        "ask", "-p", "work", "hi", "--no-save", env={**env, "GUARD_MODULES": str(report)}
    )
    assert result.code == 0, result
    rows = [line.split() for line in report.read_text().splitlines()]
    return {name for when, name in rows if when == "sent"}


def test_a_key_from_the_environment_or_a_file_imports_next_to_nothing(home: Path, tmp_path: Path):
    with FaultServer(reply(["fine"])) as server:
        write_config(WORK.format(server.url) + 'key_env = "WORK"\n')
        none = loaded(tmp_path)
        environment = loaded(tmp_path, WORK=KEY)
        assert server.requests[-1].headers["authorization"] == f"Bearer {KEY}"
        run_darkai("keys", "set", "work", stdin=KEY.encode())
        file = loaded(tmp_path, UNUSED="1", ALSO="1")
        assert server.requests[-1].headers["authorization"] == f"Bearer {KEY}"
    assert environment == none
    assert file - none <= {"darkai_cli.config.keys.file", "errno"}
    heavy = {"secrets", "keyring", "subprocess", "getpass", "termios", "tomlkit"}
    assert heavy & file <= heavy & none
    assert not {"secrets", "keyring", "tomlkit"} & file
