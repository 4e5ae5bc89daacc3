"""Changing one value: what is kept, what is refused, and what happens at once."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from darkai_cli import files
from darkai_cli.config import paths, write
from darkai_cli.config.load import load
from darkai_cli.errors import ConfigError


@pytest.fixture
def file() -> Path:
    file = paths.config_file()
    file.parent.mkdir(mode=0o700)
    return file


FULL = """\
# my settings

model = "old"    # the good one
timeout = 30

[aliases]   # short
fast = 'darkai/a'
# slow one
slow = "darkai/b"

[providers.darkai]
url = "http://a/"
"""


def test_the_first_value_makes_a_private_file() -> None:
    write.set_value("model", "m")
    file = paths.config_file()
    assert file.read_text() == 'model = "m"\n'
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize(
    ("key", "text", "before", "after"),
    [
        ("model", "new", '"old"    #', '"new"    #'),
        ("aliases.fast", "darkai/c", "fast = 'darkai/a'", 'fast = "darkai/c"'),
        ("retries", "0", "timeout = 30\n", "timeout = 30\nretries = 0\n"),
        ("aliases.gpt-4.1", "x", '"darkai/b"\n', '"darkai/b"\n"gpt-4.1" = "x"\n'),
        ("providers.darkai.models", "a,b", '"http://a/"\n', '"http://a/"\nmodels = ["a", "b"]\n'),
        (
            "providers.my.host.url",
            "http://b",
            '"http://a/"\n',
            '"http://a/"\n\n[providers."my.host"]\nurl = "http://b"\n',
        ),
    ],
)
def test_comments_and_order_are_kept(
    file: Path, key: str, text: str, before: str, after: str
) -> None:
    file.write_text(FULL)
    write.set_value(key, text)
    assert FULL.count(before) == 1
    assert file.read_text() == FULL.replace(before, after)


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("fallback", "", []),
        ("fallback", "a, b", ["a", "b"]),
        ("plain", "on", True),
        ("timeout", "60", 60),
        ("system", ' two\nlines "quoted" \\ ', ' two\nlines "quoted" \\ '),
        ("options", "temperature = 0.5", {"temperature": 0.5}),
        ("options", '{"a": {"b": [1, "x"]}}', {"a": {"b": [1, "x"]}}),
        ("options.temperature", "0.7", 0.7),
        ("options.user", "me", "me"),
        ("providers.work.headers", "X-A = 'b'", {"X-A": "b"}),
        ("providers.work.headers.X-A", "b", "b"),
    ],
)
def test_the_text_is_read_by_the_kind_of_the_key(key: str, text: str, value: object) -> None:
    write.set_value(key, text)
    finding: object = tomllib.loads(paths.config_file().read_text())
    for part in key.split("."):
        assert isinstance(finding, dict)
        finding = finding[part]
    assert finding == value
    assert type(finding) is type(value)
    load()


@pytest.mark.parametrize(
    ("key", "text", "what"),
    [
        ("modle", "m", "Unknown key `modle`"),
        ("aliases", "m", "`aliases` is a table"),
        ("providers.darkai.key", "m", "Unknown key `providers.darkai.key`"),
        ("timeout", "0", "`timeout` must be a number of seconds above 0"),
        ("providers.darkai.url", "localhost", "must start with"),
        ("providers.a b.url", "http://a", "can't be the name of a provider"),
        ("providers.a.headers.X", "b\nc", "one line of ASCII"),
        ("options.a", "null", "null"),
        ("options.a", '{"b": [null]}', "null"),
        ("options", "temperature", "is not a valid TOML value"),
    ],
)
def test_a_wrong_value_changes_nothing(file: Path, key: str, text: str, what: str) -> None:
    file.write_text(FULL)
    with pytest.raises(ConfigError) as caught:
        write.set_value(key, text)
    assert what in caught.value.message
    assert caught.value.hint
    assert file.read_text() == FULL


@pytest.mark.parametrize("damage", [b"model = \n", b"\xff\n", b"a = 1\na = 2"])
def test_a_broken_file_is_never_overwritten(file: Path, damage: bytes) -> None:
    file.write_bytes(damage)
    for change in (lambda: write.set_value("model", "m"), lambda: write.unset_value("model")):
        with pytest.raises(ConfigError, match=f"{file}:[12]` is not "):
            change()
    assert file.read_bytes() == damage


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("aliases = 5\n", "aliases.fast"),
        ("providers = []\n", "providers.a.url"),
        ("[[providers]]\n", "providers.a.url"),
        ("options = 'x'\n", "options.a"),
    ],
)
def test_a_table_that_is_none_is_left_alone(file: Path, text: str, key: str) -> None:
    file.write_text(text)
    with pytest.raises(ConfigError, match="can't change"):
        write.set_value(key, "http://a")
    assert file.read_text() == text


def test_a_file_with_another_fault_can_be_mended(file: Path) -> None:
    file.write_text("timeout = 0\nmodle = 'x'\n")
    write.set_value("timeout", "5")
    assert write.unset_value("modle")
    assert load().timeout == 5


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('providers = { darkai = { url = "http://a" } }\n', "providers.darkai.url"),
        ('providers = { darkai = { url = "http://a" } }\n', "providers.work.url"),
        ('providers.darkai.url = "http://a"\n', "providers.darkai.url"),
        ('providers.darkai.url = "http://a"\n', "providers.darkai.model"),
        ('providers.darkai.url = "http://a"\n', "providers.work.url"),
        ('[providers]\ndarkai.url = "http://a"\n', "providers.darkai.model"),
        ('[providers.a]\nurl = "http://a"\n[aliases]\n[providers.b]\n', "providers.a.model"),
        ('[providers.a]\nurl = "http://a"\n[aliases]\n[providers.b]\n', "providers.c.url"),
        ('[providers.a]\nurl = "http://a"\n[aliases]\n[providers.b]\n', "model"),
        ("[providers.a]\nheaders = {}\n", "providers.a.headers.X-A"),
        ("[providers.a.headers]\nX-B = 'c'\n", "providers.a.headers.X-A"),
        ("[providers.a.headers]\nX-B = 'c'\n", "providers.a.url"),
        ("options = { a = 1 }\n", "options.b"),
        ("options.a = 1\n", "options.b"),
        ("[options]\na = 1\n[aliases]\n", "options.b"),
    ],
)
def test_every_way_of_writing_a_table_can_be_changed(file: Path, text: str, key: str) -> None:
    file.write_text(text)
    before = tomllib.loads(text)
    write.set_value(key, "http://new")
    config = load()
    assert config.origin(key).where == str(file)
    assert write.unset_value(key)
    assert not load().chosen(key)
    for name in before.keys() - {key.partition(".")[0]}:
        assert tomllib.loads(file.read_text())[name] == before[name]


def test_unset(file: Path) -> None:
    file.write_text(FULL)
    assert write.unset_value("timeout")
    assert file.read_text() == FULL.replace("timeout = 30\n", "")
    assert not write.unset_value("timeout")
    assert not write.unset_value("aliases.none")
    assert not write.unset_value("model.x")
    assert write.unset_value("aliases")
    assert "aliases" not in tomllib.loads(file.read_text())


def test_unset_leaves_no_empty_table_but_keeps_comments(file: Path) -> None:
    file.write_text('[providers.a]\nurl = "http://a"\n[providers.b]\n# note\nurl = "http://b"\n')
    assert write.unset_value("providers.a.url")
    assert write.unset_value("providers.b.url")
    assert load().providers.keys() == {"b"}
    assert "# note" in file.read_text()


def test_unset_without_a_file_makes_none() -> None:
    assert not write.unset_value("model")
    assert not paths.config_file().exists()


def test_the_mode_and_a_dotfile_managers_link_are_kept(file: Path) -> None:
    real = file.parent.parent / "dotfiles" / "darkai.toml"
    real.parent.mkdir()
    real.write_text(FULL)
    real.chmod(0o640)
    file.symlink_to(real)
    write.set_value("model", "new")
    assert file.is_symlink()
    assert 'model = "new"' in real.read_text()
    assert stat.S_IMODE(real.stat().st_mode) == 0o640
    assert [entry.name for entry in real.parent.iterdir()] == ["darkai.toml"]


def test_a_byte_order_mark_and_crlf_are_kept(file: Path) -> None:
    file.write_bytes(b'\xef\xbb\xbfmodel = "a"\r\ntimeout = 1\r\n')
    write.set_value("model", "b")
    assert file.read_bytes() == b'\xef\xbb\xbfmodel = "b"\r\ntimeout = 1\r\n'


def test_an_unwritable_folder_is_told() -> None:
    Path(os.environ["DARKAI_HOME"]).write_text("a file where the folder should be")
    with pytest.raises(ConfigError, match="Can't write") as caught:
        write.set_value("model", "m")
    assert caught.value.hint


def test_a_file_in_use_is_told(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(write, "_LOCK_SECONDS", 0)
    with files.locked(file, 0), pytest.raises(ConfigError, match="in use by another process"):
        write.set_value("model", "m")
    assert not file.exists()


def test_a_slip_of_the_rewriter_never_reaches_the_disk(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import tomlkit

    file.write_text(FULL)
    for slip in ("", "model = ", 'model = "other"\n'):
        monkeypatch.setattr(tomlkit, "dumps", lambda _document, slip=slip: slip)
        with pytest.raises(ConfigError, match="can't change"):
            write.set_value("model", "new")
    assert file.read_text() == FULL


def test_of_changes_at_once_none_is_lost(file: Path) -> None:
    code = (
        "import sys; from darkai_cli.config import write\n"
        "for n in range(5): write.set_value(f'aliases.a{sys.argv[1]}{n}', 'x')"
    )
    running = [subprocess.Popen([sys.executable, "-c", code, str(n)]) for n in range(4)]
    assert [process.wait(60) for process in running] == [0] * 4
    assert len(load().aliases) == 20
    assert {entry.name for entry in file.parent.iterdir()} == {".config.toml.lock", "config.toml"}
