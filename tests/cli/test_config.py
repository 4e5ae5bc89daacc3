"""``darkai config``: what it prints, where, and what it changes."""

from __future__ import annotations

import hashlib
import io
import json
import os
import stat
import sys
import tomllib
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import pytest

from darkai_cli.cli import main
from darkai_cli.config import paths, schema
from darkai_cli.config.load import load
from darkai_cli.errors import ConfigError, DarkAIError, InputError, NotFoundError, UsageError


class Run:
    def __init__(self, *args: str) -> None:
        out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2))
        self.error: BaseException | None = None
        with redirect_stdout(out), redirect_stderr(err):
            try:
                assert main.run(["config", *args]) == 0
            except DarkAIError as error:
                self.error = error
        for stream in (out, err):
            stream.flush()
        self.out, self.err = (stream.buffer.getvalue().decode() for stream in (out, err))

    def rows(self) -> dict[str, tuple[str, str]]:
        assert self.error is None, self.error
        fields = [line.split("\t") for line in self.out.splitlines()]
        assert all(len(field) == 3 for field in fields)
        return {key: (value, origin) for key, value, origin in fields}


def failure(kind: type[DarkAIError], *args: str) -> DarkAIError:
    run = Run(*args)
    assert type(run.error) is kind, run.error
    assert run.error.hint
    assert run.out == ""
    return run.error


def ok(*args: str) -> str:
    run = Run(*args)
    assert run.error is None, run.error
    assert run.err == ""
    return run.out


@pytest.fixture
def file() -> Path:
    file = paths.config_file()
    file.parent.mkdir(mode=0o700)
    return file


def test_show_tells_each_value_and_its_origin(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_text(
        'fallback = ["a", "b"]\n[options]\nx = { y = 1 }\n[aliases]\nfast = "demo/demo"\n'
        '[providers.work]\nurl = "http://a"\nheaders = { X-Team = "blue" }\n'
    )
    monkeypatch.setenv("DARKAI_MODEL", "m")
    monkeypatch.setenv("DARKAI_SYSTEM", "one\ttwo\nthree\\")
    rows = Run("show").rows()
    assert rows["provider"] == ("darkai", "default")
    assert rows["model"] == ("m", "DARKAI_MODEL")
    assert rows["system"] == ("one\\ttwo\\nthree\\\\", "DARKAI_SYSTEM")
    assert rows["fallback"] == ('["a", "b"]', f"{file}")
    assert rows["options.x"] == ('{"y": 1}', f"{file}")
    assert rows["aliases.fast"] == ("demo/demo", f"{file}")
    assert rows["providers.work.url"] == ("http://a", f"{file}")
    assert rows["providers.work.headers.X-Team"] == ("blue", f"{file}")
    assert rows["timeout"] == ("", "default")
    assert (rows["connect_timeout"][0], rows["demo_delay"][0]) == ("10", "0.02")
    assert rows["plain"][0] == "false"
    assert set(schema.KEYS) - {"options"} <= rows.keys()
    assert Run().out == Run("show").out


def test_show_as_json(file: Path) -> None:
    file.write_text('timeout = 5\nproxy = "http://u:secret@h"\n')
    for args in (["show", "--json"], ["--json"]):
        rows = [json.loads(line) for line in ok(*args).splitlines()]
        by_key: dict[str, dict[str, Any]] = {row["key"]: row for row in rows}
        assert by_key["timeout"] == {
            "key": "timeout",
            "value": 5.0,
            "origin": "user",
            "where": f"{file}",
        }
        assert by_key["model"]["value"] is by_key["options"]["value"] is None
        assert by_key["model"]["origin"] == "default"
        assert by_key["proxy"]["value"] == "http://***@h"


def test_secrets_are_masked_everywhere(file: Path) -> None:
    file.write_text(
        'proxy = "http://user:geheim@h:1"\n'
        '[providers.a]\nheaders = { Authorization = "Bearer geheim", X-A = "b" }\n'
    )
    for args in (
        ["show"],
        ["show", "--json"],
        ["get", "proxy"],
        ["get", "providers"],
        ["get", "providers.a"],
        ["get", "providers.a.headers"],
        ["get", "providers.a.headers.Authorization"],
    ):
        out = ok(*args)
        assert "***" in out
        assert "geheim" not in out
        assert "user:" not in out


class Terminal(io.TextIOWrapper):
    def isatty(self) -> bool:
        return True


def test_on_a_terminal_there_are_columns_and_no_control_characters(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.write_text('system = "a\\u001b[2Jb\\u202e\\nc"\n[aliases]\n"x\\u001b" = "y"\n')
    for args in (["show"], ["get", "system"], ["get", "aliases"]):
        screen = Terminal(io.BytesIO(), encoding="utf-8")
        with monkeypatch.context() as patch:
            patch.setattr("darkai_cli.stdio.stdout", lambda screen=screen: screen)
            assert Run(*args).error is None
        output = screen.buffer.getvalue().decode()
        assert output
        assert "\x1b" not in output
        assert "\u202e" not in output
        if args == ["show"]:
            lines = output.splitlines()
            assert len(lines) == len(schema.KEYS) + 1
            assert "\t" not in output
            assert lines[0].split() == ["provider", "darkai", "default"]
            assert lines[0].index("darkai") == lines[7].index("2")


def test_get_prints_the_value_as_it_is(file: Path) -> None:
    file.write_text('system = "a\\tb\\nc"\n[aliases]\n"gpt-4.1" = "x"\n')
    assert ok("get", "system") == "a\tb\nc\n"
    assert ok("get", "aliases.gpt-4.1") == "x\n"
    assert ok("get", "aliases") == '{"gpt-4.1": "x"}\n'
    assert ok("get", "retries") == "2\n"
    assert ok("get", "model") == "\n"
    assert "not set" in failure(NotFoundError, "get", "aliases.none").message
    assert "not set" in failure(NotFoundError, "get", "providers.darkai.url").message
    assert "Unknown key `modle`" in failure(ConfigError, "get", "modle").message


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("fallback", '["a", "b"]'),
        ("fallback", "[]"),
        ("options", '{"a": {"b": [1, "x", true]}}'),
        ("options.n", "-1"),
        ("system", "-o two\nlines"),
        ("timeout", "0.5"),
        ("plain", "true"),
    ],
)
def test_set_takes_what_get_prints(key: str, text: str) -> None:
    assert ok("set", key, text) == ""
    assert ok("get", key) == text + "\n"


def test_set_and_unset(file: Path) -> None:
    file.write_text("# mine\n")
    ok("set", "providers.darkai.url", "http://localhost:1/")
    assert load().providers["darkai"].url == "http://localhost:1/"
    ok("unset", "providers.darkai.url")
    assert file.read_text().strip() == "# mine"
    run = Run("unset", "model")
    assert run.error is None
    assert "`model` is not set" in run.err
    assert (
        "must start with http" in failure(ConfigError, "set", "providers.darkai.url", "x").message
    )


def test_set_tells_what_a_provider_lacks(file: Path) -> None:
    assert "has no `type`" in Run("set", "providers.work.url", "http://localhost:1/").err
    assert "unknown type `opnai`" in Run("set", "providers.work.type", "opnai").err
    assert ok("set", "providers.work.type", "openai") == ""
    error = failure(ConfigError, "set", "providers.work.typ", "openai")
    assert (error.message, error.hint) == (
        "Unknown key `providers.work.typ`",
        "Did you mean `providers.work.type`?",
    )


def test_an_api_key_is_sent_to_where_keys_are_kept(file: Path) -> None:
    error = failure(ConfigError, "set", "providers.openai.api_key", "sk-0123456789")
    assert error.hint == "Store API keys with `darkai keys set openai`"
    file.write_text('[providers.openai]\napi_key = "sk-0123456789"\n')
    error = failure(ConfigError, "show")
    assert error.hint == "Store API keys with `darkai keys set openai`"
    assert "sk-0" not in error.message


def test_a_key_in_a_url_is_not_shown(file: Path) -> None:
    file.write_text('[providers.work]\nurl = "https://h/v1?key=sk-0123456789&v=1"\n')
    assert Run("show").rows()["providers.work.url"][0] == "https://h/v1?key=***&v=1"
    assert ok("get", "providers.work.url") == "https://h/v1?key=***&v=1\n"


def test_set_tells_what_wins_over_it(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DARKAI_MODEL", "m")
    assert "`DARKAI_MODEL` overrides" in Run("set", "model", "other").err
    file.write_text(file.read_text() + "modle = 1\n")
    run = Run("set", "model", "third")
    assert run.error is None
    assert "Unknown key `modle`" in run.err


def test_a_broken_file_can_be_found_edited_and_mended(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.write_text("modle = 'm'\n")
    assert "modle" in failure(ConfigError, "show").message
    assert ok("path") == f"{file}\n"
    monkeypatch.setenv("EDITOR", "sed -i s/modle/model/")
    ok("edit")
    assert load().model == "m"


def test_edit_begins_with_a_private_template(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDITOR", "false")
    monkeypatch.setenv("VISUAL", "true")
    ok("edit")
    file = paths.config_file()
    assert file.read_text() == schema.template()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_edit_keeps_a_file_with_errors_and_names_the_line(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.write_text("model = 'm'\n")
    monkeypatch.setenv("EDITOR", "sed -i '$ a timeout = 0'")
    error = failure(ConfigError, "edit")
    assert error.message.startswith("`timeout` must be")
    assert file.read_text() == "model = 'm'\ntimeout = 0\n"


def test_edit_goes_on_whatever_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DARKAI_TIMEOUT", "wrong")
    monkeypatch.setenv("EDITOR", "true")
    ok("edit")


@pytest.mark.parametrize("editor", ["no-such-editor-anywhere", "'unclosed", "false"])
def test_an_editor_that_does_not_work_is_told(editor: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDITOR", editor)
    assert "editor" in failure(ConfigError, "edit").message


def test_trust(file: Path) -> None:
    project = Path.cwd() / ".darkai.toml"
    assert "No `.darkai.toml`" in failure(NotFoundError, "trust").message
    project.write_text("retries = 7\n")
    screen = Run("show")
    assert screen.rows()["retries"] == ("2", "default")
    assert screen.err.startswith(f"warning: Ignoring `retries` in `{project}`")
    digest = hashlib.sha256(project.read_bytes()).hexdigest()
    (project.parent / "sub").mkdir()
    os.chdir("sub")
    assert ok("trust") == f"{digest}  {project}\n"
    assert Run("show").rows()["retries"] == ("7", f"{project}")


def test_trust_a_named_file_or_folder(file: Path) -> None:
    folder = Path("other")
    folder.mkdir()
    project = (folder / ".darkai.toml").absolute()
    assert "No such file" in failure(InputError, "trust", str(folder)).message
    project.write_text("retries = 7\n")
    for name in ("other", "other/.darkai.toml", str(project)):
        assert ok("trust", name).endswith(f"  {project}\n")
    assert load(cwd=folder).retries == 7
    (folder / "x.toml").touch()
    assert "not a project file" in failure(UsageError, "trust", "other/x.toml").message


def test_a_file_with_errors_is_not_trusted(file: Path) -> None:
    Path(".darkai.toml").write_text("\nretries = 99\n")
    assert "`retries` must be" in failure(ConfigError, "trust").message
    assert not paths.trust_file().exists()


def test_a_path_that_is_no_text_can_be_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    if sys.platform == "darwin":
        pytest.skip("its file names are always text")
    monkeypatch.setenv("DARKAI_HOME", os.fsdecode(os.fsencode(Path.cwd()) + b"/\xff"))
    ok("set", "model", "m")
    assert "\\udcff/config.toml\n" in ok("path")
    assert Run("show").rows()["model"][0] == "m"
    assert tomllib.loads(paths.config_file().read_text()) == {"model": "m"}
