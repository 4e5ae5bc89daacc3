"""The system's keyring, through a stand-in for the package ``keyring``."""

from __future__ import annotations

import sys
from types import ModuleType

import pytest

from darkai_cli.config import paths
from darkai_cli.config.keys import file, keyring, lookup
from darkai_cli.config.load import load
from darkai_cli.errors import AuthError, ConfigError
from darkai_cli.providers import connect
from darkai_cli.providers.settings import settings_of

KEY = "sk-ring-1234567890"
HOME = "https://api.openai.com"


class Ring(ModuleType):
    """Keeps passwords in a dictionary; ``broken`` is what it raises."""

    def __init__(self) -> None:
        super().__init__("keyring")
        self.stored: dict[tuple[str, str], str] = {}
        self.broken: Exception | None = None
        self.forgetful = False

    def get_password(self, service: str, user: str) -> str | None:
        if self.broken:
            raise self.broken
        return self.stored.get((service, user))

    def set_password(self, service: str, user: str, password: str) -> None:
        if self.broken:
            raise self.broken
        if not self.forgetful:
            self.stored[service, user] = password

    def delete_password(self, service: str, user: str) -> None:
        del self.stored[service, user]


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Ring:
    finding = Ring()
    monkeypatch.setitem(sys.modules, "keyring", finding)
    return finding


def test_a_key_in_the_keyring_is_found(fake: Ring):
    keyring.put("openai", HOME, KEY)
    file.put("openai", HOME, None)
    config = load()
    seeker = connect.key_query(settings_of(config, "openai"), config)
    key = lookup.find(config, seeker, {"DARKAI_HOME": str(paths.config_dir())})
    assert key is not None
    assert (key.source, key.reveal(HOME)) == ("the keyring", KEY)
    assert KEY not in paths.keys_file().read_text()


def test_a_key_is_kept_for_its_origin_only(fake: Ring):
    keyring.put("openai", HOME, KEY)
    with pytest.raises(AuthError, match="no longer in the keyring"):
        keyring.get("openai", "https://evil.test")
    keyring.remove("openai", "https://evil.test")
    assert keyring.get("openai", HOME) == KEY
    keyring.remove("openai", HOME)
    assert fake.stored == {}


def test_a_keyring_that_is_locked_is_told(fake: Ring):
    fake.broken = RuntimeError("the collection\nis locked")
    with pytest.raises(AuthError, match="the collection is locked"):
        keyring.get("openai", HOME)
    with pytest.raises(ConfigError, match="the collection is locked"):
        keyring.put("openai", HOME, KEY)
    with pytest.raises(ConfigError, match="the collection is locked"):
        keyring.remove("openai", HOME)


def test_a_keyring_that_keeps_nothing_is_told(fake: Ring):
    fake.forgetful = True
    with pytest.raises(ConfigError, match="did not store"):
        keyring.put("openai", HOME, KEY)


def test_without_the_package_the_extra_is_named(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "keyring", None)
    for attempt in (
        lambda: keyring.get("openai", HOME),
        lambda: keyring.put("openai", HOME, KEY),
        lambda: keyring.remove("openai", HOME),
    ):
        with pytest.raises(ConfigError, match="not installed") as caught:
            attempt()
        assert "darkai-cli[keyring]" in (caught.value.hint or "")
