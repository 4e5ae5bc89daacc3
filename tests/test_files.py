"""Files: replaced as a whole, private, locked; nothing stays beside them, whatever stops it."""

from __future__ import annotations

import fcntl
import os
import stat
import sys
from pathlib import Path

import pytest

from darkai_cli import files
from darkai_cli.files import AtomicFile


def test_opened_again_after_a_stop_it_leaves_one_file():
    """A sink that a signal stopped while it was made is made again, to be closed."""
    file = AtomicFile("out.txt")
    file.open()
    file.open().write(b"whole")
    assert len(list(Path().iterdir())) == 1
    file.commit()
    assert [path.name for path in Path().iterdir()] == ["out.txt"]
    assert Path("out.txt").read_bytes() == b"whole"


def test_discarded_it_leaves_nothing():
    file = AtomicFile("out.txt")
    file.open()
    file.open()
    file.discard()
    assert list(Path().iterdir()) == []


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


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
