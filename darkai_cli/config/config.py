"""What is in force: the merged configuration, and where each value came from.

Not the merging itself (``load``). Line numbers are looked up only when somebody asks for an origin.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

from darkai_cli.config import schema

OriginKind = Literal["flag", "environment", "project", "user", "default"]

_RANK = ("default", "user", "project", "environment", "flag")


class Origin(NamedTuple):
    """Where a value came from.

    ``where``: ``--model``, ``DARKAI_MODEL``, ``/path/config.toml:3``, or "" for a default.
    """

    kind: OriginKind
    where: str


class ProviderConfig(NamedTuple):
    """A table ``[providers.NAME]``; None is what it leaves unset."""

    type: str | None = None
    url: str | None = None
    model: str | None = None
    models: tuple[str, ...] | None = None
    headers: dict[str, str] | None = None
    key_env: str | None = None
    key_command: str | None = None
    options: dict[str, Any] | None = None
    limits: tuple[str, ...] | None = None
    allow_http_key: bool | None = None
    context: int | None = None


class Source:
    """A place that values come from. ``text`` is a file's, and None for what is no file."""

    __slots__ = ("_lines", "kind", "text", "where")

    def __init__(self, kind: OriginKind, where: str, text: str | None = None) -> None:
        self.kind = kind
        self.where = where
        self.text = text
        self._lines: dict[tuple[str, ...], int] | None = None

    def line(self, path: tuple[str, ...]) -> int | None:
        """The line of the key at ``path``, or of the nearest table or key above it."""
        if self.text is None:
            return None
        if self._lines is None:
            from darkai_cli.config.locate import lines

            self._lines = lines(self.text)
        for length in range(len(path), 0, -1):
            found = self._lines.get(path[:length])
            if found is not None:
                return found
        return None

    def at(self, path: tuple[str, ...]) -> str:
        """Where the key at ``path`` was set: the variable, the flag, or file and line."""
        line = self.line(path)
        return self.where if line is None else f"{self.where}:{line}"


class Config:
    """The configuration in force, an attribute for each key."""

    __slots__ = (*schema.KEYS, "_sources", "aliases", "notices", "providers")

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
        self._sources: dict[tuple[str, ...], Source] = {}

    def put(self, path: tuple[str, ...], value: Any, source: Source) -> None:
        """Set a checked value, over what was there."""
        head = path[0]
        if head == "aliases":
            self.aliases[path[1]] = value
        elif head == "providers":
            self._put_provider(path, value)
        elif head == "options" and len(path) > 1:
            self.options[path[1]] = value
        else:
            setattr(self, head, value)
        self._sources[path] = source

    def _put_provider(self, path: tuple[str, ...], value: Any) -> None:
        table = self.providers.get(path[1], ProviderConfig())
        if len(path) > 3:
            value = {**(getattr(table, path[2]) or {}), path[3]: value}
        self.providers[path[1]] = table._replace(**{path[2]: value}) if path[2:] else table

    def origin(self, key: str) -> Origin:
        """Where a value came from; of a table, where its most decisive entry came from.

        ``key`` may be dotted: ``providers.darkai.url``. Raises ``KeyError`` if there is none such.
        """
        found = self._best(key)
        if found is None:
            return Origin("default", "")
        path, source = found
        return Origin(source.kind, source.at(path))

    def kind(self, key: str) -> OriginKind:
        """Of which kind the origin is, without a look for the line in a file."""
        found = self._best(key)
        return "default" if found is None else found[1].kind

    def chosen(self, key: str) -> bool:
        """Whether somebody chose the value: it is not the default."""
        return self._best(key) is not None

    def _best(self, key: str) -> tuple[tuple[str, ...], Source] | None:
        path = schema.split(key)
        if path is None:
            raise KeyError(key)
        best = None
        for known, source in self._sources.items():
            if known[: len(path)] != path:
                continue
            if best is None or _RANK.index(source.kind) > _RANK.index(best[1].kind):
                best = (known, source)
        return best
