"""``key_command``: run without a shell and without keys, bounded, its failures told."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from darkai_cli import secrets
from darkai_cli.config.editor import environment_for_children
from darkai_cli.config.keys import command
from darkai_cli.errors import AuthError, ConfigError, DarkAIError

KEY = "sk-printed-1234567890"


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "_cache", {})
    monkeypatch.setattr(secrets, "_known", set())


def script(tmp_path: Path, text: str) -> str:
    """A command line that runs this Python text."""
    file = tmp_path / "give key.py"
    file.write_text(text)
    return f"{sys.executable} '{file}'"


def failure(line: str, kind: type[DarkAIError] = AuthError, **environ: str) -> DarkAIError:
    with pytest.raises(kind) as caught:
        command.output("work", line, environ)
    assert type(caught.value) is kind
    assert "`key_command` of `work`" in caught.value.message
    assert KEY not in caught.value.message
    assert caught.value.hint
    return caught.value


def test_the_first_line_is_the_key(tmp_path: Path):
    line = script(tmp_path, f"print(' {KEY} ')\nprint('user: me')")
    assert command.output("work", line, {}) == KEY


def test_no_shell_is_used(tmp_path: Path):
    assert command.output("work", "printf '%s\\n' $HOME;ls", {}) == "$HOME;ls"


def test_the_command_reads_nothing_and_sees_no_keys(tmp_path: Path):
    line = script(
        tmp_path,
        "import os, sys\nassert sys.stdin.read() == ''\n"
        "print(','.join(sorted(set(os.environ) - {'LC_CTYPE', 'PATH'})))",
    )
    environ = {
        "OPENAI_API_KEY": "x", "WORK": "x", "DARKAI_MODEL": "m", "DARKAI_WORK_TOKEN": "x",
        "DARKAI_PROXY": "http://me:pw@p.test", "BW_SESSION": "x",
    }  # fmt: skip
    assert command.output("work", line, environ, {"OPENAI_API_KEY", "WORK"}) == (
        "BW_SESSION,DARKAI_MODEL"
    )


def test_a_proxy_without_a_password_and_settings_are_kept():
    environ = {"DARKAI_PROXY": "http://p.test:1", "DARKAI_CLIENT_KEY": "me.key", "A_KEY": "1"}
    assert environment_for_children(environ, ()) == environ


def test_it_is_run_once_in_a_while(tmp_path: Path):
    log = tmp_path / "log"
    line = script(tmp_path, f"open({str(log)!r}, 'a').write('x')\nprint({KEY!r})")
    for _ in range(3):
        assert command.output("work", line, {}) == KEY
    assert log.read_text() == "x"


def test_an_old_answer_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(command, "CACHE_SECONDS", 0.0)
    log = tmp_path / "log"
    line = script(tmp_path, f"open({str(log)!r}, 'a').write('x')\nprint({KEY!r})")
    command.output("work", line, {})
    command.output("work", line, {})
    assert log.read_text() == "xx"


def test_a_failure_tells_the_status_and_the_last_line(tmp_path: Path):
    line = script(
        tmp_path,
        f"import sys\nprint({KEY!r})\n"
        f"sys.stderr.write('reading\\nno entry for {KEY}\\n\\n')\nsys.exit(3)",
    )
    assert failure(line).message.endswith("failed with exit status 3: no entry for ***")


def test_a_signal_is_told(tmp_path: Path):
    line = script(tmp_path, "import os\nos.kill(os.getpid(), 9)")
    assert failure(line).message.endswith("failed with signal 9")


@pytest.mark.parametrize("text", ["", "print()", "print('  ')\nprint('x')"])
def test_nothing_printed_is_an_error(tmp_path: Path, text: str):
    assert failure(script(tmp_path, text)).message.endswith("printed no key")


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("no-such-program-anywhere x", "can't be started: no such file"),
        ("'unclosed", "is not a valid command: no closing quotation"),
        ("  ", "is empty"),
        ("/", "can't be started: permission denied"),
        ("echo \0x", "can't be started: embedded null byte"),
    ],
)
def test_a_command_that_cannot_be_run_is_a_fault_of_the_configuration(line: str, text: str):
    assert text in failure(line, ConfigError).message


def test_a_command_that_hangs_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(command, "LIMIT", 0.3)
    pid = tmp_path / "pid"
    line = script(
        tmp_path,
        f"import os, signal\nopen({str(pid)!r}, 'w').write(str(os.getpid()))\n"
        "print('half', end='', flush=True)\nsignal.pause()",
    )
    assert "did not finish within 0.3 s" in failure(line).message
    if pid.exists():  # else it had not even begun
        assert not Path(f"/proc/{pid.read_text()}").exists()


def test_endless_output_is_bounded():
    assert failure("yes " + "x" * 100).message.endswith("printed more than 64 KiB")


def test_a_child_that_lives_on_holds_nothing_up(tmp_path: Path):
    line = script(
        tmp_path,
        f"import subprocess\nprint({KEY!r}, flush=True)\nsubprocess.Popen(['sleep', '20'])",
    )
    assert command.output("work", line, {}) == KEY
