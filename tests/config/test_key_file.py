"""``keys.toml``: private, never damaged further, no link followed, comments kept."""

from __future__ import annotations

import os
import stat
import tomllib
from pathlib import Path

import pytest

from darkai_cli.config import paths
from darkai_cli.config.keys import file as stored
from darkai_cli.config.keys.file import StoredKey
from darkai_cli.errors import ConfigError

KEY = "sk-stored-1234567890"
URL = "https://api.openai.com/v1"


@pytest.fixture
def file() -> Path:
    return paths.keys_file()


def refused(what: str, hint: str = "") -> None:
    """Neither read nor written."""
    for attempt in (
        stored.entries,
        lambda: stored.put("new", URL, KEY),
        lambda: stored.remove("openai"),
    ):
        with pytest.raises(ConfigError, match=what) as caught:
            attempt()
        assert hint in (caught.value.hint or "")
        assert KEY not in caught.value.message


def test_a_new_file_is_the_users_alone(file: Path):
    assert stored.entries() == {}
    os.umask(0o022)
    stored.put("openai", URL, KEY)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert stored.entries() == {"openai": StoredKey("https://api.openai.com", KEY)}


def test_what_is_there_stays(file: Path):
    stored.put("openai", URL, KEY)
    file.write_text(
        "# mine\n" + file.read_text() + '\n[work]  # the office\norigin = "https://w.test"\n'
        'key = "sk-work-123456" # until May\n'
    )
    stored.put("a.b", "http://localhost:80/v1", "sk-dots-123456")
    stored.put("openai", URL, "sk-other-123456")
    text = file.read_text()
    assert text.startswith("# mine\n")
    assert "[work]  # the office" in text
    assert "# until May" in text
    assert stored.entries() == {
        "openai": StoredKey("https://api.openai.com", "sk-other-123456"),
        "work": StoredKey("https://w.test", "sk-work-123456"),
        "a.b": StoredKey("http://localhost", "sk-dots-123456"),
    }
    assert stored.remove("openai") == StoredKey("https://api.openai.com", "sk-other-123456")
    assert stored.remove("openai") is None
    assert set(tomllib.loads(file.read_text())) == {"work", "a.b"}
    assert "# until May" in file.read_text()


def test_the_keyring_takes_the_place_of_a_key_and_gives_it_back(file: Path):
    stored.put("openai", URL, KEY)
    stored.put("openai", URL, None)
    assert KEY not in file.read_text()
    assert stored.entries() == {"openai": StoredKey("https://api.openai.com", None)}
    stored.put("openai", URL, KEY)
    assert "keyring" not in file.read_text()
    assert stored.entries() == {"openai": StoredKey("https://api.openai.com", KEY)}


@pytest.mark.parametrize(
    "text",
    [
        "[openai\n",
        '[openai]\nkey = "sk-1234567890\n',
        "openai = 1\n",
        '[openai]\nkey = "sk-1234567890"\n',
        '[openai]\norigin = "https://a.test"\n',
        '[openai]\norigin = "https://a.test"\nkey = 5\n',
        '[openai]\norigin = "https://a.test"\nkeyring = false\n',
        "[a]\n\x00",
    ],
)
def test_a_damaged_file_keeps_every_byte(file: Path, text: str):
    file.parent.mkdir(mode=0o700)
    file.write_text(text)
    file.chmod(0o600)
    refused("keys.toml")
    assert file.read_text() == text


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660, 0o666, 0o610])
def test_a_file_that_others_can_use_is_refused(file: Path, mode: int):
    stored.put("openai", URL, KEY)
    before = file.read_bytes()
    file.chmod(mode)
    refused("readable by others", f"chmod 600 {file}")
    assert file.read_bytes() == before


def test_a_link_is_not_followed(file: Path, tmp_path: Path):
    victim = tmp_path / "victim"
    victim.write_text("# precious\n")
    victim.chmod(0o600)
    file.parent.mkdir(mode=0o700)
    file.symlink_to(victim)
    refused("symbolic link")
    assert victim.read_text() == "# precious\n"
    victim.unlink()
    refused("symbolic link")
    assert not victim.exists()


def test_somebody_elses_file_is_refused(file: Path, monkeypatch: pytest.MonkeyPatch):
    stored.put("openai", URL, KEY)
    me = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: me + 1)
    refused("belongs to another user")


def test_a_folder_in_its_place_is_told(file: Path):
    file.mkdir(parents=True)
    refused("Can't read")


def test_a_planted_temporary_file_is_not_written_to(file: Path, monkeypatch: pytest.MonkeyPatch):
    stored.put("openai", URL, KEY)
    victim = file.parent / "victim"
    monkeypatch.setattr(os, "urandom", lambda size: b"\0" * size)
    file.with_name(f".keys.toml.{'00' * 6}").symlink_to(victim)
    with pytest.raises(ConfigError, match="Can't write"):
        stored.put("openai", URL, "sk-other-123456")
    assert not victim.exists()
    assert stored.entries()["openai"].key == KEY
