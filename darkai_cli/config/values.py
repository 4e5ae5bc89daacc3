"""Checks values by the kind of their key, and parses their text form.

A wrong value raises ``Invalid``; the caller adds where it came from. No message repeats a value
that may contain a secret.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from darkai_cli.secrets import PROXY_SCHEMES

if TYPE_CHECKING:
    from collections.abc import Callable

    from darkai_cli.config.schema import Key, Kind

_TRUE = ("1", "true", "yes", "on")
_FALSE = ("0", "false", "no", "off")
_TOKEN = frozenset("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
_LONGEST_QUOTE = 60
_DEEPEST = 20


class Invalid(ValueError):  # noqa: N818 -- becomes a ConfigError once the origin is known
    """A wrong value: the ``rule`` that it breaks, and a hint in place of the key's example."""

    def __init__(self, rule: str, hint: str | None = None) -> None:
        super().__init__(rule)
        self.rule = rule
        self.hint = hint


def check(key: Key, value: object) -> Any:
    """Return a value from TOML or a flag in the type of ``Config``. Raises ``Invalid``."""
    return _CHECKS[key.kind](key, value)


def parse(key: Key, text: str) -> Any:
    """Return the value for a text from the environment or a command line, checked.

    It has the type that TOML would give. Raises ``Invalid``.
    """
    value: Any = text
    if key.kind in ("number", "count"):
        value = _number(key, text)
    elif key.kind == "bool":
        value = _bool(text)
    elif key.kind == "list":
        value = _list(text)
    elif key.kind in ("options", "headers"):
        value = option_value(text) if key.name == "option" else _table(text)
    elif key.kind != "text":
        value = text.strip()
    check(key, value)
    return value


def option_value(text: str) -> Any:
    """Return the value of an option: parsed if it is JSON (`0.7`, `true`), else the text."""
    import json

    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _number(key: Key, text: str) -> float:
    digits = text.strip()
    whole = digits.removeprefix("-").removeprefix("+")
    try:
        if whole.isascii() and whole.isdigit() and len(whole) < 20:
            return int(digits)
        return float(digits)
    except ValueError:
        raise Invalid(f"{_must(key)}, not {_quoted(text)}") from None


def _bool(text: str) -> bool:
    word = text.strip().lower()
    if word not in _TRUE + _FALSE:
        raise Invalid(f"must be true or false, not {_quoted(text)}")
    return word in _TRUE


def _list(text: str) -> Any:
    if text.lstrip().startswith("["):
        return _toml(text)
    return [part.strip() for part in text.split(",") if part.strip()]


def _table(text: str) -> Any:
    stripped = text.strip()
    if not stripped.startswith("{"):
        return _toml("{" + stripped + "}")
    value = option_value(stripped)
    return value if isinstance(value, dict) else _toml(stripped)


def _toml(text: str) -> Any:
    import tomllib

    try:
        data = tomllib.loads("value = " + text.strip())
    except (ValueError, RecursionError):
        data = {}
    if data.keys() != {"value"}:
        raise Invalid("is not a valid TOML value")
    return data["value"]


def _name(_key: Key, value: object) -> str:
    text = _str(value).strip()
    if not text:
        raise Invalid("must not be empty")
    if not text.isprintable():
        raise Invalid("must not contain control characters")
    return text


def _text(_key: Key, value: object) -> str:
    return _str(value)


def _str(value: object) -> str:
    if not isinstance(value, str):
        raise Invalid(f"must be text in quotes, not {_type(value)}")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise Invalid("is not UTF-8 text") from None
    return value


def _choice(key: Key, value: object) -> str:
    text = _str(value).strip()
    if text not in key.choices:
        raise Invalid(f"must be one of {', '.join(key.choices)}, not {_quoted(text)}")
    return text


def _check_bool(_key: Key, value: object) -> bool:
    if not isinstance(value, bool):
        raise Invalid(f"must be true or false, not {_type(value)}")
    return value


def _check_number(key: Key, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise Invalid(f"{_must(key)}, not {_type(value)}")
    if not (value > key.low if key.above else value >= key.low) or not value <= key.high:
        raise Invalid(f"{_must(key)}, not {_quoted(value)}")
    return float(value)


def _check_count(key: Key, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise Invalid(f"{_must(key)}, not {_type(value)}")
    if not key.low <= value <= key.high:
        raise Invalid(f"{_must(key)}, not {_quoted(value)}")
    return value


def _must(key: Key) -> str:
    low, high = f"{key.low:g}", f"{key.high:.0f}"
    if key.kind == "count":
        return f"must be a whole number from {low} to {high}"
    if key.above:
        return f"must be a number of seconds above {low} and at most {high}"
    return f"must be a number of seconds from {low} to {high}"


def _check_list(key: Key, value: object) -> tuple[str, ...]:
    if not isinstance(value, (list, tuple)):
        raise Invalid(f"must be a list of texts, not {_type(value)}")
    items = tuple(_name(key, item) for item in value)
    if key.name == "limits":
        _check_rates(items)
    return items


def _check_rates(items: tuple[str, ...]) -> None:
    from darkai_cli.rate_limits import rates

    for item in items:
        try:
            rates.parse(item)
        except ValueError as exc:
            raise Invalid(f"contains {_quoted(item)}, which {exc}") from None


def _url(_key: Key, value: object) -> str:
    text = _str(value).strip()
    scheme, mark, rest = text.partition("://")
    place = rest
    for end in "/?#":
        place = place.partition(end)[0]
    if "@" in place or (not mark and "@" in text):
        raise Invalid(
            "must not contain a user name or a password",
            "Remove the part before the `@`",
        )
    if not mark or scheme.lower() not in ("http", "https"):
        # A text with an `@` may contain a password.
        actual = "" if "@" in text else f", not {_quoted(text)}"
        raise Invalid(f"must start with http:// or https://{actual}")
    if not text.isprintable() or " " in text or "\\" in place:
        raise Invalid("must not contain spaces, backslashes or control characters")
    host, port = _host_and_port(place)
    if not host:
        raise Invalid("has no host")
    if port and not (port.isascii() and port.isdigit() and 0 < int(port[:6]) < 65536):
        raise Invalid("must have a port from 1 to 65535")
    if "[" in place or "]" in place or not place.isascii():
        _check_host(text)
    return text


def _check_host(url: str) -> None:
    """Raise ``Invalid`` for a host that ``urlsplit`` refuses; other URLs do without its import."""
    from urllib.parse import urlsplit

    try:
        urlsplit(url)
    except ValueError:
        raise Invalid("has an invalid host") from None


def _host_and_port(place: str) -> tuple[str, str]:
    if place.startswith("["):
        host, _, port = place[1:].partition("]")
        return host, port.removeprefix(":")
    host, _, port = place.partition(":")
    return host, port


def _proxy(_key: Key, value: object) -> str:
    text = _str(value).strip()
    if not text.isprintable() or " " in text:
        raise Invalid("must not contain spaces or control characters")
    scheme, mark, _ = text.partition("://")
    if mark and scheme.lower() not in PROXY_SCHEMES:
        raise Invalid(f"must start with one of {', '.join(s + '://' for s in PROXY_SCHEMES)}")
    return text


def _options(key: Key, value: object) -> Any:
    if key.name == "option":
        _check_json(value, 0)
        return value
    if not isinstance(value, dict):
        raise Invalid(f"must be a table, not {_type(value)}")
    for name, item in value.items():
        if not _str(name):
            raise Invalid("must not contain an empty name")
        _check_json(item, 1)
    return dict(value)


def _check_json(value: object, depth: int) -> None:
    if depth > _DEEPEST:
        raise Invalid("is nested too deeply")
    if isinstance(value, str):
        _str(value)
    elif isinstance(value, dict):
        for name, item in value.items():
            _str(name)
            _check_json(item, depth + 1)
    elif isinstance(value, (list, tuple)):
        for item in value:
            _check_json(item, depth + 1)
    elif isinstance(value, float) and not math.isfinite(value):
        raise Invalid("must be a finite number")
    elif value is not None and not isinstance(value, (bool, int, float)):
        raise Invalid(f"must be a JSON value, not {_type(value)}")


def _headers(_key: Key, value: object) -> dict[str, str]:
    if not isinstance(value, dict):
        raise Invalid(f"must be a table, not {_type(value)}")
    for name, item in value.items():
        if not _str(name) or not _TOKEN.issuperset(name):
            raise Invalid(f"has an invalid header name, {_quoted(name)}")
        if not _str(item).isprintable() or not item.isascii():
            raise Invalid(f"must have one line of ASCII characters as `{name}`")
    return dict(value)


_CHECKS: dict[Kind, Callable[[Key, object], Any]] = {
    "name": _name,
    "text": _text,
    "choice": _choice,
    "bool": _check_bool,
    "number": _check_number,
    "count": _check_count,
    "list": _check_list,
    "url": _url,
    "proxy": _proxy,
    "path": _name,
    "options": _options,
    "headers": _headers,
}

_TYPES = {
    bool: "true or false",
    int: "a number",
    float: "a number",
    str: "text",
    list: "a list",
    tuple: "a list",
    dict: "a table",
}


def _type(value: object) -> str:
    kind = type(value)
    if kind in _TYPES:
        return _TYPES[kind]
    return "a date or time" if kind.__module__ == "datetime" else f"`{kind.__name__}`"


def _quoted(value: object) -> str:
    if isinstance(value, int) and abs(value) >= 10**_LONGEST_QUOTE:
        return "a number of that size"
    text = str(value)
    return f"`{text[:_LONGEST_QUOTE]}…`" if len(text) > _LONGEST_QUOTE else f"`{text}`"


def check_provider_name(name: str) -> None:
    """Raise ``Invalid`` if a provider cannot have that name."""
    if not name or not name.isprintable() or any(char in "/ \\`" for char in name):
        raise Invalid(
            f"{_quoted(name)} can't be the name of a provider",
            "Use a name without spaces, slashes and backslashes: `[providers.work]`",
        )
