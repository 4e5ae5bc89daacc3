"""Folders, and what reads and replaces the files in them."""

from __future__ import annotations

import fcntl
import os
import stat
import subprocess
import sys
from pathlib import Path

import platformdirs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkai_cli import files
from darkai_cli.config import paths


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_darkai_home_holds_everything_side_by_side() -> None:
    home = Path(os.environ["DARKAI_HOME"])
    assert {paths.config_dir(), paths.data_dir(), paths.cache_dir().parent} == {home}
    assert paths.config_file() == home / "config.toml"
    assert paths.state_file().parent == paths.trust_file().parent == home


def test_the_platforms_folders_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", sys.platform)
    monkeypatch.delenv("DARKAI_HOME")
    folders = [paths.config_dir(), paths.data_dir(), paths.cache_dir()]
    home = Path(os.environ["HOME"])
    assert all(folder.is_relative_to(home) for folder in folders)
    assert all("darkai" in folder.name for folder in folders)
    assert paths.config_dir({"DARKAI_HOME": ""}) == folders[0]


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere platformdirs decides alone")
@given(
    values=st.fixed_dictionaries(
        {},
        optional={
            name: st.sampled_from(
                ["", "/", "/a b", "relative/one", " ", " /x", "/y ", "~/z", "/w/"]
            )
            for name in ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME")
        },
    )
)
def test_the_folders_are_those_that_platformdirs_names(values: dict[str, str]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("DARKAI_HOME")
        for name in ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"):
            patch.delenv(name, raising=False)
        for name, value in values.items():
            patch.setenv(name, value)
        assert paths.config_dir() == platformdirs.user_config_path("darkai", appauthor=False)
        assert paths.data_dir() == platformdirs.user_data_path("darkai", appauthor=False)
        assert paths.cache_dir() == platformdirs.user_cache_path("darkai", appauthor=False)


def test_darkai_home_may_be_relative_or_begin_with_a_tilde() -> None:
    assert paths.config_dir({"DARKAI_HOME": "x"}) == Path.cwd() / "x"
    assert paths.config_dir({"DARKAI_HOME": "~/x"}) == Path.home() / "x"


def test_loading_without_files_imports_next_to_nothing() -> None:
    code = (
        "import sys, pathlib, typing, contextlib; before = set(sys.modules)\n"
        "from darkai_cli.config.load import load; config = load()\n"
        "config.chosen('providers.darkai.url'); config.origin('proxy')\n"
        "print(*sorted(set(sys.modules) - before))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    new = {name for name in done.stdout.split() if not name.startswith("darkai_cli")}
    assert new <= {"__future__", "math", "time"}


def test_loading_a_file_imports_tomllib_alone() -> None:
    paths.config_dir().mkdir()
    paths.config_file().write_text('model = "m"\n[options]\na = 1\n')
    code = (
        "import sys, pathlib, tomllib; before = set(sys.modules)\n"
        "from darkai_cli.config.load import load; config = load()\n"
        "assert config.chosen('model') and config.options == {'a': 1}\n"
        "print(*sorted(set(sys.modules) - before))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    new = {name for name in done.stdout.split() if not name.startswith("darkai_cli")}
    assert new <= {"__future__", "math", "time"}


def test_new_folders_and_files_are_private(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        folder = tmp_path / "a" / "b"
        files.ensure(folder)
        files.replace(folder / "f", b"x")
        files.create(folder / "g", b"x")
    finally:
        os.umask(old)
    assert (mode(folder), mode(folder / "f"), mode(folder / "g")) == (0o700, 0o600, 0o600)


def test_create_leaves_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"old")
    files.create(tmp_path / "f", b"new")
    assert (tmp_path / "f").read_bytes() == b"old"


def test_replace_keeps_the_mode(tmp_path: Path) -> None:
    file = tmp_path / "f"
    file.write_bytes(b"old")
    for bits in (0o640, 0o400, 0o666):
        file.chmod(bits)
        files.replace(file, b"new")
        assert (file.read_bytes(), mode(file)) == (b"new", bits)


def test_replace_writes_through_a_link_to_the_file(tmp_path: Path) -> None:
    real = tmp_path / "dotfiles" / "darkai.toml"
    real.parent.mkdir()
    real.write_bytes(b"old")
    link = tmp_path / "config.toml"
    link.symlink_to("dotfiles/darkai.toml")
    files.replace(link, b"new")
    assert link.is_symlink()
    assert real.read_bytes() == b"new"
    assert [entry.name for entry in real.parent.iterdir()] == ["darkai.toml"]


def test_replace_follows_no_planted_link(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    monkeypatch.setattr(os, "urandom", bytes)
    (tmp_path / f".f.{bytes(6).hex()}").symlink_to(victim)
    with pytest.raises(FileExistsError):
        files.replace(tmp_path / "f", b"new")
    assert victim.read_bytes() == b"precious"
    assert not (tmp_path / "f").exists()


def test_the_old_file_stays_whole_when_writing_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "f"
    file.write_bytes(b"old")
    for broken in ("fsync", "write", "replace"):
        with monkeypatch.context() as patch:

            def fail(*_args: object) -> None:
                raise OSError(28, "No space left on device")

            patch.setattr(os, broken, fail)
            with pytest.raises(OSError, match="No space left"):
                files.replace(file, b"new")
        assert [entry.name for entry in tmp_path.iterdir()] == ["f"]
        assert file.read_bytes() == b"old"


def test_short_writes_are_continued(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.write
    monkeypatch.setattr(os, "write", lambda handle, data: real(handle, bytes(data[:3])))
    files.replace(tmp_path / "f", b"0123456789")
    assert (tmp_path / "f").read_bytes() == b"0123456789"


def test_a_lock_that_another_has_is_not_had(tmp_path: Path) -> None:
    file = tmp_path / "f"
    with files.locked(file, 0) as had:
        assert had
        with files.locked(file, 0) as second:
            assert not second
    with files.locked(file, 0) as again:
        assert again
    assert mode(tmp_path / ".f.lock") == 0o600


def test_where_locks_do_not_work_one_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_args: object) -> None:
        raise OSError(37, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    with files.locked(tmp_path / "f", 0) as had:
        assert had
    monkeypatch.setitem(sys.modules, "fcntl", None)
    with files.locked(tmp_path / "f", 0) as had:
        assert had


def test_a_planted_link_for_the_lock_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / ".f.lock").symlink_to(tmp_path / "victim")
    with pytest.raises(OSError), files.locked(tmp_path / "f", 0):
        pass
    assert not (tmp_path / "victim").exists()
