"""``darkai config``: shows the configuration and its origins, and changes ``config.toml``."""

from __future__ import annotations

import json as json_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from darkai_cli import stdio
from darkai_cli.cli.commands import CommandRow
from darkai_cli.cli.groups import LazyGroup
from darkai_cli.cli.print import Printer, note, warn

if TYPE_CHECKING:
    from darkai_cli.config import Config, Origin, ProviderConfig

COMMANDS: dict[str, CommandRow] = {
    "show": CommandRow(
        "config", "show", "Show each value and where it comes from.",
        "darkai config show", "darkai config show --json",
    ),
    "get": CommandRow(
        "config", "get", "Print one value.",
        "darkai config get model", "darkai config get providers.openai.url",
    ),
    "set": CommandRow(
        "config", "set_value", "Write a value to config.toml.",
        "darkai config set timeout 120", "darkai config set options.temperature 0.2",
        "darkai config set providers.work.url http://localhost:8000/v1",
        values_may_be_options=True,
    ),
    "unset": CommandRow(
        "config", "unset", "Remove a value from config.toml.",
        "darkai config unset timeout", "darkai config unset aliases.fast",
    ),
    "edit": CommandRow(
        "config", "edit", "Edit config.toml in $VISUAL, $EDITOR or vi, then check it.",
        "darkai config edit", "EDITOR=nano darkai config edit",
    ),
    "path": CommandRow(
        "config", "path", "Print where config.toml is.",
        'less "$(darkai config path)"',
    ),
    "trust": CommandRow(
        "config", "trust", "Trust a project's .darkai.toml as it is now.",
        "darkai config trust", "darkai config trust work/.darkai.toml",
    ),
}  # fmt: skip

group = LazyGroup(
    "config",
    COMMANDS,
    package=__package__,
    help="Show and change the configuration.",
    default="show",
)

Key = Annotated[
    str, typer.Argument(metavar="KEY", help="Key, such as model or providers.darkai.url.")
]


def show(
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object per line.")] = False,
) -> None:
    """Print each value and where it comes from."""
    from darkai_cli.config.load import load
    from darkai_cli.output.sanitize import sanitize_line

    config = load()
    _warn_of_notices(config)
    rows = [(key, value, config.origin(key)) for key, value in _rows(config)]
    printer = Printer()
    if json:
        for key, value, origin in rows:
            printer.json({
                "key": key, "value": value, "origin": origin.kind, "where": origin.where
            })  # fmt: skip
    elif printer.is_terminal:
        lines = [
            (sanitize_line(key, 60), sanitize_line(_text(value), 60), sanitize_line(_name(origin)))
            for key, value, origin in rows
        ]
        wide = [max(len(line[column]) for line in lines) for column in (0, 1)]
        printer.lines(
            f"{key:<{wide[0]}}  {value:<{wide[1]}}  {where}" for key, value, where in lines
        )
    else:
        for key, value, origin in rows:
            printer.record(key, _text(value), _name(origin))


def get(key: Key) -> None:
    """Print a value; an empty line for a key that is not set."""
    from darkai_cli.config import toml
    from darkai_cli.config.load import load

    path = toml.path_of(key)
    config = load()
    _warn_of_notices(config)
    Printer().value(_text(_value(config, path)))


def set_value(
    key: Key, value: Annotated[str, typer.Argument(metavar="VALUE", help="New value.")]
) -> None:
    """Write a value, and say what overrides it."""
    from darkai_cli.config import write

    write.set_value(key, value)
    _note_override(key)


def unset(key: Key) -> None:
    """Remove a value; a key that is not set is no error."""
    from darkai_cli.config import paths, write

    if not write.unset_value(key):
        note(f"`{key}` is not set in `{paths.config_file()}`")


def edit() -> None:
    """Edit the file, then check it; a file with errors is kept."""
    from darkai_cli import files
    from darkai_cli.config import load, paths, schema
    from darkai_cli.errors import ConfigError

    file = paths.config_file()
    try:
        files.ensure(file.parent)
        files.create(file, schema.template().encode())
    except OSError as exc:
        raise ConfigError(f"Can't write `{file}`: {files.reason(exc)}") from exc
    _run_editor(file)
    load.user_file(file)


def _run_editor(file: Path) -> None:
    """Open the file in the user's editor, also if it has errors."""
    from darkai_cli.config import Config, editor, load, paths
    from darkai_cli.errors import ConfigError
    from darkai_cli.providers import connect

    environ = stdio.environ()
    try:
        config = load.user_file(paths.config_file(environ))
    except ConfigError:
        config = Config()
    child = editor.environment_for_children(environ, connect.key_variables(config))
    editor.edit_file(file, config.editor, environ, child)


def path() -> None:
    """Print where the file is."""
    from darkai_cli.config import paths

    Printer().value(str(paths.config_file()))


def trust(
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="[FILE]", help="Project file (default: the one in force).", show_default=False
        ),
    ] = None,
) -> None:
    """Trust a project file, and print its SHA-256 as `sha256sum` does."""
    from darkai_cli.config import load, toml
    from darkai_cli.config import trust as project_trust
    from darkai_cli.errors import InputError

    project = _project_file(file)
    data = toml.read(project)
    if data is None:
        raise InputError(f"No such file: `{project}`", hint="Run `darkai config trust FILE`")
    load.check_project(project, data)
    Printer().value(f"{project_trust.record(project, data)}  {project}")


def _project_file(file: Path | None) -> Path:
    from darkai_cli.config import paths
    from darkai_cli.errors import NotFoundError, UsageError

    if file is None:
        current = paths.project_file()
        if current is None:
            raise NotFoundError(
                f"No `{paths.PROJECT_FILE}` in this folder or above it",
                hint="Name the file: `darkai config trust FILE`",
            )
        return current
    project = file / paths.PROJECT_FILE if file.is_dir() else file
    if project.name != paths.PROJECT_FILE:
        raise UsageError(
            f"`{file}` is not a project file: its name must be `{paths.PROJECT_FILE}`",
            hint="Your own `config.toml` is always trusted",
        )
    return project.absolute()


def _rows(config: Config) -> list[tuple[str, Any]]:
    """Return every key and table entry with its value, secrets masked."""
    from darkai_cli.config import schema

    rows: list[tuple[str, Any]] = []
    for key in schema.KEYS:
        value = _value(config, (key,))
        if isinstance(value, dict) and value:
            rows += [(f"{key}.{name}", item) for name, item in value.items()]
        else:
            rows.append((key, value or None if isinstance(value, dict) else value))
    rows += [(f"aliases.{name}", model) for name, model in config.aliases.items()]
    for name in config.providers:
        for field, value in _value(config, ("providers", name)).items():
            prefix = f"providers.{name}.{field}"
            if isinstance(value, dict):
                rows += [(f"{prefix}.{entry}", item) for entry, item in value.items()]
            else:
                rows.append((prefix, value))
    return rows


def _value(config: Config, path: tuple[str, ...]) -> Any:
    """Return the value at a path, secrets masked. Raises ``NotFoundError`` for a missing entry."""
    from darkai_cli.errors import NotFoundError

    value: Any = getattr(config, path[0])
    if path[0] == "proxy" and value is not None:
        from darkai_cli.secrets import mask_proxy

        return mask_proxy(value)
    if path[0] == "providers":
        value = {name: _provider(table) for name, table in value.items()}
    for part in path[1:]:
        if not isinstance(value, dict) or part not in value:
            raise NotFoundError(
                f"`{'.'.join(path)}` is not set", hint="Run `darkai config show` to see all keys"
            )
        value = value[part]
    return value


def _provider(table: ProviderConfig) -> dict[str, Any]:
    from darkai_cli.secrets import mask_headers, mask_url

    settings = table.settings()
    if "headers" in settings:
        settings["headers"] = mask_headers(settings["headers"])
    if "url" in settings:
        settings["url"] = mask_url(settings["url"])
    return settings


def _text(value: Any) -> str:
    """Return a value in the form that `config set` takes."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return json_module.dumps(value, ensure_ascii=False)


def _name(origin: Origin) -> str:
    return origin.where or origin.kind


def _warn_of_notices(config: Config) -> None:
    for notice in config.notices:
        warn(notice)


def _note_override(key: str) -> None:
    """Say what overrides a value that was just written, or what its provider still lacks."""
    from darkai_cli.config import toml
    from darkai_cli.config.load import load
    from darkai_cli.errors import ConfigError, DarkAIError
    from darkai_cli.providers.settings import settings_of

    try:
        config = load()
        origin = config.origin(key)
    except ConfigError as exc:
        warn(exc.message)
        return
    if origin.kind != "user":
        note(f"Written, but `{_name(origin)}` overrides it")
    elif key.startswith("providers."):
        try:
            settings_of(config, toml.path_of(key)[1])
        except DarkAIError as fault:
            note(f"{fault.message}. {fault.hint}")
