"""Finds a provider's API key: in the environment, by ``key_command``, the keyring or ``keys.toml``.

The sources are read in this order, each only if those before it have no key, so that a key in the
environment costs no file and no import.

A key belongs to one origin: a usual variable (``OPENAI_API_KEY``) to the provider's built-in URL, a
stored key to the URL it was stored for. If the configuration moves the provider to another origin,
the key is not sent there.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

from darkai_cli.config import paths
from darkai_cli.errors import AuthError, ConfigError
from darkai_cli.secrets import Secret, format_origin, origin_of

if TYPE_CHECKING:
    from darkai_cli.config.config import Config

Kind = Literal["environment", "key_command", "keyring", "file"]

MAX_KEY = 8192
"""The longest key in characters: no server accepts headers with a longer one."""


class KeyQuery(NamedTuple):
    """The provider whose key is to be found.

    ``variables``: the environment variables of its key. ``url``: its URL. ``home``: its built-in
    URL, which the usual variables belong to; "" for the user's own provider. ``others``: returns
    the variables of all providers' keys, which a ``key_command`` does not get.
    """

    name: str
    variables: Sequence[str]
    url: str
    home: str = ""
    others: Callable[[], Iterable[str]] = tuple


class Source(NamedTuple):
    """A place that has a key.

    ``where``: its name for messages. ``read`` returns the key, or raises ``AuthError`` or
    ``ConfigError``. ``origin``: the origin that the key belongs to, if that is not the provider's.
    """

    kind: Kind
    where: str
    read: Callable[[], str]
    origin: str | None = None


def find(config: Config, query: KeyQuery, environ: Mapping[str, str]) -> Secret | None:
    """Return the provider's key, bound to the origin of its URL; None if there is none.

    Raises ``AuthError`` for a key that cannot be read or is not valid, ``ConfigError`` for a
    command or a file that cannot be used.
    """
    for source in sources(config, query, environ):
        if source.origin is None:
            return secret(config, query, source)
    return None


def secret(config: Config, query: KeyQuery, source: Source) -> Secret:
    """Return the key of one source. Raises ``AuthError`` or ``ConfigError``."""
    plain = _plain_http(config, query.name)
    return Secret(checked(source.read(), source.where), source.where, query.url, plain_http=plain)


def of_header(config: Config, query: KeyQuery, name: str, value: str) -> Secret:
    """Return the key in a header of the user. Raises ``ConfigError`` if it must not be sent."""
    if not _may_follow(config, query.name, f"headers.{name}"):
        raise ConfigError(
            f"Your header `{name}` is not sent to {format_origin(query.url)}, the URL that a "
            f"project file sets for `{query.name}`",
            hint=f"To send it there, run `darkai config set providers.{query.name}.url URL`, and "
            "remove the URL from the project file",
        )
    key = value.strip().rpartition(" ")[2]
    secret = Secret(
        key, f"the header `{name}`", query.url, plain_http=_plain_http(config, query.name)
    )
    if key:
        secret.reveal(query.url)
    return secret


def _plain_http(config: Config, name: str) -> bool:
    """Return whether the user (no project) allows the key over ``http://`` to another machine."""
    table = config.providers.get(name)
    if table is None or not table.allow_http_key:
        return False
    return config.origin(f"providers.{name}.allow_http_key").kind == "user"


def sources(config: Config, query: KeyQuery, environ: Mapping[str, str]) -> Iterator[Source]:
    """Yield every place that has a key for the provider, the strongest first; none is read."""
    table = config.providers.get(query.name)
    variables, home = _variables(config, query)
    for variable in variables:
        value = environ.get(variable, "").strip()
        if value:
            yield Source("environment", variable, lambda value=value: value, home)  # type: ignore[misc]
    command = table.key_command if table is not None else None
    if command and _may_follow(config, query.name, "key_command"):
        yield Source("key_command", "`key_command`", lambda: _from_command(query, command, environ))
    if not os.path.lexists(paths.keys_file(environ)):
        return
    from darkai_cli.config.keys import file

    entry = file.entries(environ).get(query.name)
    if entry is not None:
        is_same = origin_of(entry.origin) == origin_of(query.url)
        origin = None if is_same else entry.origin
        if entry.key is not None:
            yield Source("file", "keys.toml", lambda key=entry.key: key, origin)  # type: ignore[misc]
        else:
            yield Source(
                "keyring", "the keyring", lambda: _from_keyring(query.name, entry.origin), origin
            )


def counting(config: Config, query: KeyQuery) -> Sequence[str]:
    """Return the environment variables that count for the provider's current URL."""
    variables, home = _variables(config, query)
    return variables if home is None else ()


def _variables(config: Config, query: KeyQuery) -> tuple[Sequence[str], str | None]:
    """Return the variables of the provider's key, and their origin if it is another."""
    table = config.providers.get(query.name)
    if table is not None and table.key_env:
        return ((table.key_env,) if _may_follow(config, query.name, "key_env") else ()), None
    if not query.home or origin_of(query.home) == origin_of(query.url):
        return query.variables, None
    return query.variables, format_origin(query.home)


def _may_follow(config: Config, name: str, key: str) -> bool:
    """Return whether the provider's setting ``key`` counts for its URL.

    A trusted project file may move a provider to another URL, but not with the user's key.
    """
    if config.origin(f"providers.{name}.url").kind != "project":
        return True
    return config.origin(f"providers.{name}.{key}").kind == "project"


def _from_command(query: KeyQuery, command: str, environ: Mapping[str, str]) -> str:
    from darkai_cli.config.keys import command as commands

    return commands.output(query.name, command, environ, query.others())


def _from_keyring(name: str, origin: str) -> str:
    from darkai_cli.config.keys import keyring

    return keyring.get(name, origin)


def checked(value: str, source: str) -> str:
    """Return the key without white space around it. Raises ``AuthError`` if it cannot be a key."""
    key = value.strip()
    problem = fault_in(key)
    if problem is not None:
        raise AuthError(
            f"The key from {source} {problem}",
            hint="A key is one line of ASCII characters without spaces",
        )
    return key


def fault_in(key: str) -> str | None:
    """Return why a text cannot be a key; None if it can."""
    if not key:
        return "is empty"
    if len(key) > MAX_KEY:
        return f"is longer than {MAX_KEY} characters"
    if "\n" in key or "\r" in key:
        return "has more than one line"
    if not key.isascii():
        return "contains a character that is not ASCII"
    if not key.isprintable():
        return "contains a control character"
    return "contains a space" if " " in key else None
