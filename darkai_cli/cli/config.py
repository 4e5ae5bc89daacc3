"""``darkai config``: what is in force and why, and changes to the user's ``config.toml``.

Standard output is the data: tab-separated in a pipe, columns on a terminal, where foreign text is
made safe. Secrets are masked in both.
"""

import json as json_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from darkai_cli import stdio

if TYPE_CHECKING:
    from darkai_cli.config import Config, Origin, ProviderConfig

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
Json = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]
Key = Annotated[str, typer.Argument(metavar="KEY", help="Such as model, or providers.darkai.url.")]


@app.callback(help="Show and change the configuration.")
def root(ctx: typer.Context, json: Json = False) -> None:
    """`show` is the default."""
    if not ctx.invoked_subcommand:
        _show(json=json)


@app.command(help="Each value and where it comes from.")
def show(json: Json = False) -> None:
    """Show them."""
    _show(json=json)


@app.command(help="One value.")
def get(key: Key) -> None:
    """Print it; an empty line for a key that is not set."""
    from darkai_cli.config import toml
    from darkai_cli.config.load import load

    path = toml.path_of(key)
    config = load()
    _tell_notices(config)
    _print(_text(_value(config, path)))


@app.command(
    "set",
    help="Write a value to config.toml.",
    context_settings={"ignore_unknown_options": True},  # a value may begin with a hyphen
)
def set_(key: Key, value: Annotated[str, typer.Argument(metavar="VALUE")]) -> None:
    """Write it, and say so where something else wins over it."""
    from darkai_cli.config import write

    write.set_value(key, value)
    _tell_winner(key)


@app.command(help="Remove a value from config.toml.")
def unset(key: Key) -> None:
    """Remove it; one that is not there is no error."""
    from darkai_cli.config import paths, write

    if not write.unset_value(key):
        _tell("note", f"`{key}` is not set in {paths.config_file()}")


@app.command(help="Open config.toml in $VISUAL, $EDITOR or vi, then check it.")
def edit() -> None:
    """Edit it; a file with errors is kept, and the first one told."""
    from darkai_cli import files
    from darkai_cli.config import load, paths, schema
    from darkai_cli.errors import ConfigError

    file = paths.config_file()
    try:
        files.ensure(file.parent)
        files.create(file, schema.template().encode())
    except OSError as exc:
        raise ConfigError(f"`{file}` cannot be written: {files.reason(exc)}") from exc
    _run_editor(file)
    load.user_file(file)


def _run_editor(file: Path) -> None:
    """The user's editor on the file, which may be there to be mended."""
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


@app.command(help="Where config.toml is.")
def path() -> None:
    """Print it."""
    from darkai_cli.config import paths

    _print(str(paths.config_file()))


@app.command(help="Trust a project's .darkai.toml as it is now.")
def trust(
    file: Annotated[
        Path | None,
        typer.Argument(metavar="[FILE]", help="Otherwise the one in force.", show_default=False),
    ] = None,
) -> None:
    """Record its SHA-256, and print it the way `sha256sum` does."""
    from darkai_cli.config import load, toml
    from darkai_cli.config import trust as trusted
    from darkai_cli.errors import InputError

    found = _project_file(file)
    data = toml.read(found)
    if data is None:
        raise InputError(f"there is no file `{found}`", hint="`darkai config trust FILE`")
    load.check_project(found, data)
    _print(f"{trusted.record(found, data)}  {found}")


def _project_file(file: Path | None) -> Path:
    from darkai_cli.config import paths
    from darkai_cli.errors import NotFoundError, UsageError

    if file is None:
        found = paths.project_file()
        if found is None:
            raise NotFoundError(
                f"there is no `{paths.PROJECT_FILE}` here or above",
                hint="name it: `darkai config trust FILE`",
            )
        return found
    named = file / paths.PROJECT_FILE if file.is_dir() else file
    if named.name != paths.PROJECT_FILE:
        raise UsageError(
            f"`{file}` is no project file, it is not called `{paths.PROJECT_FILE}`",
            hint="your own `config.toml` needs no trust",
        )
    return named.absolute()


def _show(*, json: bool) -> None:
    from darkai_cli.config.load import load
    from darkai_cli.output.sanitize import sanitize_line
    from darkai_cli.output.tsv import field

    config = load()
    _tell_notices(config)
    rows = [(key, value, config.origin(key)) for key, value in _rows(config)]
    out = stdio.stdout()
    if json:
        for key, value, origin in rows:
            row = {"key": key, "value": value, "origin": origin.kind, "where": origin.where}
            out.write(json_module.dumps(row) + "\n")
    elif stdio.is_terminal(out):
        lines = [
            (sanitize_line(key, 60), sanitize_line(_text(value), 60), sanitize_line(_named(origin)))
            for key, value, origin in rows
        ]
        wide = [max(len(line[column]) for line in lines) for column in (0, 1)]
        for name, value, where in lines:
            out.write(f"{name:<{wide[0]}}  {value:<{wide[1]}}  {where}\n")
    else:
        for key, value, origin in rows:
            out.write("\t".join(map(field, (key, _text(value), _named(origin)))) + "\n")


def _rows(config: "Config") -> list[tuple[str, Any]]:
    """Every key with its value, and the entries of tables, as they may be shown."""
    from darkai_cli.config import schema

    rows: list[tuple[str, Any]] = []
    for key in schema.KEYS:
        value = _value(config, (key,))
        if isinstance(value, dict) and value:
            rows += [(f"{key}.{name}", item) for name, item in value.items()]
        else:
            rows.append((key, value or None if isinstance(value, dict) else value))
    rows += [(f"aliases.{name}", target) for name, target in config.aliases.items()]
    for name in config.providers:
        for field, value in _value(config, ("providers", name)).items():
            if isinstance(value, dict):
                rows += [(f"providers.{name}.{field}.{head}", one) for head, one in value.items()]
            else:
                rows.append((f"providers.{name}.{field}", value))
    return rows


def _value(config: "Config", path: tuple[str, ...]) -> Any:
    """The value at a path as it may be shown. Raises ``NotFoundError`` for an unknown entry."""
    from darkai_cli.errors import NotFoundError

    value: Any = getattr(config, path[0])
    if path[0] == "proxy" and value is not None:
        from darkai_cli.secrets import mask_proxy

        return mask_proxy(value)
    if path[0] == "providers":
        value = {name: _provider(table) for name, table in value.items()}
    for part in path[1:]:
        if not isinstance(value, dict) or part not in value:
            raise NotFoundError(f"`{'.'.join(path)}` is not set", hint="`darkai config show`")
        value = value[part]
    return value


def _provider(table: "ProviderConfig") -> dict[str, Any]:
    from darkai_cli.secrets import mask_headers, mask_url

    shown = table.settings()
    if "headers" in shown:
        shown["headers"] = mask_headers(shown["headers"])
    if "url" in shown:
        shown["url"] = mask_url(shown["url"])
    return shown


def _text(value: Any) -> str:
    """A value as `config set` takes it."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return json_module.dumps(value, ensure_ascii=False)


def _named(origin: "Origin") -> str:
    return origin.where or origin.kind


def _writable(text: str) -> str:
    """A path may hold bytes that are no text."""
    return text.encode("utf-8", "backslashreplace").decode()


def _print(text: str) -> None:
    """One value on stdout: exact in a pipe, safe on a terminal."""
    from darkai_cli.output.sanitize import sanitize

    out = stdio.stdout()
    out.write((sanitize(text) if stdio.is_terminal(out) else _writable(text)) + "\n")


def _tell(label: Literal["note", "warning"], text: str) -> None:
    from darkai_cli.output.notices import tell

    tell(label, text)


def _tell_notices(config: "Config") -> None:
    for notice in config.notices:
        _tell("warning", notice)


def _tell_winner(key: str) -> None:
    """Say what keeps a value that was just written from being used."""
    from darkai_cli.config.load import load
    from darkai_cli.errors import ConfigError

    try:
        config = load()
        origin = config.origin(key)
    except ConfigError as exc:
        _tell("warning", exc.message)
        return
    if origin.kind != "user":
        _tell("note", f"written, but `{_named(origin)}` wins over it")
    elif key.startswith("providers."):
        _tell_unusable(config, key)


def _tell_unusable(config: "Config", key: str) -> None:
    """Say what the provider of a key still lacks."""
    from darkai_cli.config import toml
    from darkai_cli.errors import DarkAIError
    from darkai_cli.providers import resolve

    try:
        resolve.settings_of(config, toml.path_of(key)[1])
    except DarkAIError as fault:
        _tell("note", f"{fault.message}; {fault.hint}")
