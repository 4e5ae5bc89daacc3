"""Where a provider's API key comes from: environment, ``key_command``, keyring, ``keys.toml``.

Reads only; nothing is printed. Strategy: the sources are looked at one after the other, each only
if those before it gave nothing, so that a key in the environment costs no file and no import.

A key belongs to one origin. The usual variable's is that of the provider's built-in URL, a stored
key's is the one it was stored for; where the provider has been moved to another, they stay behind.
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
"""The longest key, in characters: with a longer one no server would take the headers."""


class KeyQuery(NamedTuple):
    """The provider that a key is looked for.

    ``variables``: the environment variables of its key. ``url``: where it is. ``home``: where it is
    built in to be, which the usual variables belong to; "" for the user's own. ``others``: gives
    the variables of all providers' keys, which no command is to see.
    """

    name: str
    variables: Sequence[str]
    url: str
    home: str = ""
    others: Callable[[], Iterable[str]] = tuple


class Source(NamedTuple):
    """A place that has a key.

    ``where``: its name for messages. ``read`` gives the key, or raises ``AuthError`` or
    ``ConfigError``. ``origin``: the origin that it belongs to, where that is not the provider's.
    """

    kind: Kind
    where: str
    read: Callable[[], str]
    origin: str | None = None


def find(config: Config, seeker: KeyQuery, environ: Mapping[str, str]) -> Secret | None:
    """The provider's key, bound to the origin of its URL; None if there is none.

    Raises ``AuthError`` for a key that cannot be read or is none, ``ConfigError`` for a command or
    a file that cannot be used.
    """
    for source in sources(config, seeker, environ):
        if source.origin is None:
            return secret(config, seeker, source)
    return None


def secret(config: Config, seeker: KeyQuery, source: Source) -> Secret:
    """The key of one source. Raises as ``find`` does."""
    plain = _plain_http(config, seeker.name)
    return Secret(checked(source.read(), source.where), source.where, seeker.url, plain_http=plain)


def of_header(config: Config, seeker: KeyQuery, name: str, value: str) -> Secret:
    """The key in a header of the user's own. Raises ``ConfigError`` if it must not be sent."""
    if not _follows(config, seeker.name, f"headers.{name}"):
        raise ConfigError(
            f"your header `{name}` is not sent to {format_origin(seeker.url)}, where a project's "
            f"file has `{seeker.name}`",
            hint=f"if you want that: `darkai config set providers.{seeker.name}.url URL`, and take "
            "it out of the project's file",
        )
    key = value.strip().rpartition(" ")[2]
    found = Secret(
        key, f"the header `{name}`", seeker.url, plain_http=_plain_http(config, seeker.name)
    )
    if key:
        found.reveal(seeker.url)
    return found


def _plain_http(config: Config, name: str) -> bool:
    """Whether the user, and no project, lets the key go over ``http://`` to another machine."""
    table = config.providers.get(name)
    if table is None or not table.allow_http_key:
        return False
    return config.origin(f"providers.{name}.allow_http_key").kind == "user"


def sources(config: Config, seeker: KeyQuery, environ: Mapping[str, str]) -> Iterator[Source]:
    """Every place that has a key for the provider, the strongest first; read only when asked."""
    table = config.providers.get(seeker.name)
    variables, home = _variables(config, seeker)
    for variable in variables:
        value = environ.get(variable, "").strip()
        if value:
            yield Source("environment", variable, lambda value=value: value, home)  # type: ignore[misc]
    command = table.key_command if table is not None else None
    if command and _follows(config, seeker.name, "key_command"):
        yield Source("key_command", "`key_command`", lambda: _printed(seeker, command, environ))
    if not os.path.lexists(paths.keys_file(environ)):
        return
    from darkai_cli.config.keys import file

    entry = file.entries(environ).get(seeker.name)
    if entry is not None:
        same = origin_of(entry.origin) == origin_of(seeker.url)
        origin = None if same else entry.origin
        if entry.key is not None:
            yield Source("file", "keys.toml", lambda key=entry.key: key, origin)  # type: ignore[misc]
        else:
            yield Source("keyring", "the keyring", lambda: _ring(seeker.name, entry.origin), origin)


def counting(config: Config, seeker: KeyQuery) -> Sequence[str]:
    """The environment variables that count for the provider where it is now."""
    variables, home = _variables(config, seeker)
    return variables if home is None else ()


def _variables(config: Config, seeker: KeyQuery) -> tuple[Sequence[str], str | None]:
    """The variables of the provider's key, and the origin that they belong to, if it is another."""
    table = config.providers.get(seeker.name)
    if table is not None and table.key_env:
        return ((table.key_env,) if _follows(config, seeker.name, "key_env") else ()), None
    if not seeker.home or origin_of(seeker.home) == origin_of(seeker.url):
        return seeker.variables, None
    return seeker.variables, format_origin(seeker.home)


def _follows(config: Config, name: str, key: str) -> bool:
    """Whether the provider's ``key`` counts for its URL.

    A project file that was trusted may move a provider; the user's own key does not follow it.
    """
    if config.origin(f"providers.{name}.url").kind != "project":
        return True
    return config.origin(f"providers.{name}.{key}").kind == "project"


def _printed(seeker: KeyQuery, command: str, environ: Mapping[str, str]) -> str:
    from darkai_cli.config.keys import command as commands

    return commands.output(seeker.name, command, environ, seeker.others())


def _ring(name: str, origin: str) -> str:
    from darkai_cli.config.keys import keyring

    return keyring.get(name, origin)


def checked(value: str, source: str) -> str:
    """The key without white space around it. Raises ``AuthError`` for what no key can be."""
    key = value.strip()
    what = fault_in(key)
    if what is not None:
        raise AuthError(
            f"the key from {source} {what}",
            hint="a key is one line of ASCII characters without spaces",
        )
    return key


def fault_in(key: str) -> str | None:
    """Why a text is no key; None if it may be one."""
    if not key:
        return "is empty"
    if len(key) > MAX_KEY:
        return f"is longer than {MAX_KEY} characters"
    if "\n" in key or "\r" in key:
        return "has more than one line"
    if not key.isascii():
        return "holds a character that is not ASCII"
    if not key.isprintable():
        return "holds a control character"
    return "holds a space" if " " in key else None
