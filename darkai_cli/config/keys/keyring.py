"""The system's keyring (Secret Service, KWallet, macOS Keychain), through the package ``keyring``.

The package is an extra, imported only if a key is in the keyring or is to be stored there. Its
backends raise whatever their service raises, so every exception counts as a fault of the keyring.
"""

from __future__ import annotations

from typing import Any

from darkai_cli.errors import AuthError, ConfigError
from darkai_cli.text import one_line

SERVICE = "darkai"


def get(name: str, origin: str) -> str:
    """Return the key. Raises ``AuthError`` if the keyring does not give it, ``ConfigError``."""
    keyring = _import_keyring()
    try:
        key = keyring.get_password(SERVICE, _user(name, origin))
    except Exception as exc:
        raise AuthError(
            f"The keyring did not return the key of `{name}`: {_reason(exc)}",
            hint=f"Unlock it, or store the key in a file: `darkai keys set {name}`",
        ) from exc
    if not isinstance(key, str):
        raise AuthError(
            f"The key of `{name}` is no longer in the keyring",
            hint=f"Run `darkai keys set {name} --keyring`",
        )
    return key


def put(name: str, origin: str, key: str) -> None:
    """Store the key. Raises ``ConfigError`` if the keyring refuses it."""
    keyring = _import_keyring()
    try:
        keyring.set_password(SERVICE, _user(name, origin), key)
        stored_key = keyring.get_password(SERVICE, _user(name, origin))
    except Exception as exc:
        raise ConfigError(
            f"The keyring did not accept the key: {_reason(exc)}", hint=_or_file(name)
        ) from exc
    if stored_key != key:
        raise ConfigError("The keyring did not store the key", hint=_or_file(name))


def remove(name: str, origin: str) -> None:
    """Remove the key; one that is not there is no error. Raises ``ConfigError``."""
    keyring = _import_keyring()
    try:
        if keyring.get_password(SERVICE, _user(name, origin)) is not None:
            keyring.delete_password(SERVICE, _user(name, origin))
    except Exception as exc:
        raise ConfigError(
            f"The keyring did not remove the key: {_reason(exc)}", hint="Unlock it and try again"
        ) from exc


def _user(name: str, origin: str) -> str:
    """Return the key's name in the keyring, with its origin, so that it is not used for another."""
    return f"{name} for {origin}"


def _import_keyring() -> Any:
    try:
        import keyring
    except ImportError as exc:
        raise ConfigError(
            "The system's keyring needs the Python package `keyring`, which is not installed",
            hint="Run `pip install 'darkai-cli[keyring]'`",
        ) from exc
    return keyring


def _or_file(name: str) -> str:
    return f"Store the key in a file: `darkai keys set {name}`"


def _reason(exc: Exception) -> str:
    line = one_line(str(exc)) or type(exc).__name__
    return line[:200]
