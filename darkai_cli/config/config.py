"""The configuration in force: one value for each key, and where each value came from."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

from darkai_cli.config import schema

OriginKind = Literal["flag", "environment", "project", "user", "default"]

_STRENGTH = ("default", "user", "project", "environment", "flag")


class Origin(NamedTuple):
    """Where a value came from.

    ``where``: the flag (``--model``), the variable (``DARKAI_MODEL``), the path of the file, or ""
    for a default.
    """

    kind: OriginKind
    where: str

    @property
    def is_file(self) -> bool:
        """Whether the value stands in a configuration file."""
        return self.kind in ("user", "project")


DEFAULT = Origin("default", "")


class ProviderConfig:
    """The table ``[providers.NAME]``; a setting that the table does not have is None."""

    __slots__ = tuple(schema.PROVIDER_KEYS)

    type: str | None
    url: str | None
    model: str | None
    models: tuple[str, ...] | None
    headers: dict[str, str] | None
    key_env: str | None
    key_command: str | None
    options: dict[str, Any] | None
    limits: tuple[str, ...] | None
    allow_http_key: bool | None
    context: int | None

    def __init__(self, **settings: Any) -> None:
        for name in self.__slots__:
            setattr(self, name, settings.get(name))

    def settings(self) -> dict[str, Any]:
        """Return the settings that the table has, by name."""
        values = ((name, getattr(self, name)) for name in self.__slots__)
        return {name: value for name, value in values if value is not None}


class Config:
    """The configuration in force, with an attribute for each key of ``schema.KEYS``."""

    __slots__ = (*schema.KEYS, "_origins", "aliases", "notices", "providers")

    provider: str
    model: str | None
    system: str | None
    options: dict[str, Any]
    fallback: tuple[str, ...] | None
    timeout: float | None
    connect_timeout: float
    retries: int
    proxy: str | None
    ca_file: str | None
    client_cert: str | None
    client_key: str | None
    max_wait: float
    demo_delay: float
    theme: Literal["auto", "light", "dark"]
    code_theme: str
    reasoning: Literal["auto", "show", "fold", "hide"]
    edit_mode: Literal["emacs", "vi"]
    editor: str | None
    input_history: bool
    overflow: Literal["ask", "drop", "send"]
    title: Literal["prompt", "model"]
    save: bool
    plain: bool
    markdown: bool
    aliases: dict[str, str]
    providers: dict[str, ProviderConfig]
    notices: tuple[str, ...]

    def __init__(self) -> None:
        for key in schema.KEYS.values():
            setattr(self, key.name, key.default)
        self.options = {}
        self.aliases = {}
        self.providers = {}
        self.notices = ()
        self._origins: dict[tuple[str, ...], Origin] = {}

    def put(self, path: tuple[str, ...], value: Any, origin: Origin) -> None:
        """Set a checked value, replacing a weaker one."""
        head = path[0]
        if head == "aliases":
            self.aliases[path[1]] = value
        elif head == "providers":
            self._put_provider(path, value)
        elif head == "options" and len(path) > 1:
            self.options[path[1]] = value
        else:
            setattr(self, head, value)
        self._origins[path] = origin

    def _put_provider(self, path: tuple[str, ...], value: Any) -> None:
        """Set a setting of a provider, or an entry of its ``headers`` or ``options``."""
        table = self.providers.setdefault(path[1], ProviderConfig())
        if len(path) > 3:
            value = {**(getattr(table, path[2]) or {}), path[3]: value}
        if len(path) > 2:
            setattr(table, path[2], value)

    def origin(self, key: str) -> Origin:
        """Return where a value came from; for a table, the strongest origin of its entries.

        ``key`` may be dotted: ``providers.darkai.url``. Raises ``KeyError`` for an unknown key.
        """
        path = schema.split(key)
        if path is None:
            raise KeyError(key)
        origins = (origin for known, origin in self._origins.items() if known[: len(path)] == path)
        return max(origins, key=lambda origin: _STRENGTH.index(origin.kind), default=DEFAULT)

    def chosen(self, key: str) -> bool:
        """Return whether anybody set the value, even to its default."""
        return self.origin(key) is not DEFAULT
