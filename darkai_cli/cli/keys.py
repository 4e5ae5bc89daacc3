"""``darkai keys``: API keys stored, listed and removed.

No key is ever an argument, since other users can read those, and none is ever printed: a list tells
keys apart by a fingerprint. What is listed is looked up exactly as a request does it.
"""

import json as json_module
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

import typer

from darkai_cli import stdio
from darkai_cli.errors import DarkAIError, InputError, NotFoundError, UsageError

if TYPE_CHECKING:
    from darkai_cli.config import Config
    from darkai_cli.config.keys.lookup import KeyQuery, Source
    from darkai_cli.providers.base import ProviderSettings

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
Json = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]
Provider = Annotated[str, typer.Argument(metavar="PROVIDER", help="Such as openai.")]

_WAITING = "note: waiting for the key on stdin"
_KINDS = {
    "environment": "environment variable", "key_command": "key_command", "keyring": "keyring",
    "file": "file", "header": "header",
}  # fmt: skip


class Row(NamedTuple):
    """A key in the list. ``problem``: why it cannot be used, or is not."""

    provider: str
    kind: str
    where: str
    fingerprint: str | None
    in_force: bool
    origin: str
    problem: str | None


@app.callback(help="Store, list and remove API keys.")
def root(ctx: typer.Context, json: Json = False) -> None:
    """`list` is the default."""
    if not ctx.invoked_subcommand:
        _list(json=json)


@app.command("set", help="Store the key of a provider, typed unseen or from stdin.")
def set_(
    provider: Provider,
    keyring: Annotated[
        bool, typer.Option("--keyring", help="In the system's keyring, not in keys.toml.")
    ] = False,
) -> None:
    """Store it for the place where the provider is now."""
    from darkai_cli.config import paths
    from darkai_cli.config.keys import file
    from darkai_cli.config.keys import keyring as ring
    from darkai_cli.config.load import load
    from darkai_cli.providers import settings as tables
    from darkai_cli.secrets import Secret, format_origin

    config = load()
    settings = tables.settings_of(config, provider)
    if settings.type == "demo":
        raise UsageError(f"`{provider}` takes no key", hint="`darkai keys set openai`, for example")
    before = file.entries().get(provider)  # a file that cannot be used is told before one types
    key = _read_key(provider)
    shown = Secret(key, "stdin").fingerprint
    origin = format_origin(settings.url)
    if keyring:
        ring.put(provider, origin, key)
    file.put(provider, settings.url, None if keyring else key)
    where = "the keyring" if keyring else str(paths.keys_file())
    _tell("note", f"stored the key of `{provider}` ({shown}) for {origin} in {where}")
    if before is not None and before.key is None and not (keyring and before.origin == origin):
        _forget(provider, before.origin)
    _tell_winner(config, settings)


def _forget(name: str, origin: str) -> None:
    """Take a key that was replaced out of the keyring."""
    from darkai_cli.config.keys import keyring as ring
    from darkai_cli.errors import ConfigError

    try:
        ring.remove(name, origin)
    except ConfigError as exc:
        _tell("warning", f"the old key is still in the keyring: {exc.message}")


@app.command("list", help="Which providers have a key, and from where; `*` marks what is used.")
def list_(json: Json = False) -> None:
    """List them."""
    _list(json=json)


@app.command(help="Remove the stored key of a provider.")
def rm(provider: Provider) -> None:
    """Remove it, also that of a provider that is not configured any more."""
    from darkai_cli.config.keys import file
    from darkai_cli.config.keys import keyring as ring

    entry = file.entries().get(provider)
    if entry is None:
        raise NotFoundError(
            f"there is no stored key of `{provider}`", hint="`darkai keys list` shows all keys"
        )
    if entry.key is None:
        ring.remove(provider, entry.origin)
    file.remove(provider)
    _tell("note", f"removed the key of `{provider}`")


@app.command(help="Where keys.toml is.")
def path() -> None:
    """Print it."""
    from darkai_cli.config import paths
    from darkai_cli.output.sanitize import sanitize

    out = stdio.stdout()
    text = str(paths.keys_file())
    shown = sanitize(text) if stdio.is_terminal(out) else text
    out.write(shown.encode("utf-8", "backslashreplace").decode() + "\n")


def _read_key(provider: str) -> str:
    """The key, from the keyboard or stdin. Raises ``InputError``."""
    from darkai_cli import signals
    from darkai_cli.config.keys.lookup import fault_in

    signals.raise_pending()
    where, nothing = "on stdin", "no key on stdin"
    if stdio.is_terminal(stdio.stdin()):
        from darkai_cli import tty

        line = tty.read_hidden(f"API key of {provider} (not shown): ")
        text = stdio.decode(line, "what was typed")
        where, nothing = "that was typed", "no key was typed"
    elif stdio.has_input():
        text = stdio.read_input(lambda: stdio.print_err(_WAITING))
    else:
        text = ""
    key = text.removesuffix("\n").removesuffix("\r").strip(" \t")
    fault = fault_in(key)
    if fault is not None:
        raise InputError(
            f"the key {where} {fault}; nothing was changed" if key else nothing,
            hint=f"a key is one line without spaces: `pass show {provider} | head -n 1 | "
            f"darkai keys set {provider}`",
        )
    return key


def _tell_winner(config: "Config", settings: "ProviderSettings") -> None:
    """Say what keeps a key that was just stored from being used."""
    found = _rows(config, settings, [])
    used = next((row for row in found if row.in_force), None)
    if used is not None and used.kind not in ("file", "keyring"):
        _tell("note", f"it is not used, {_place(used)} wins over it")
    elif used is not None and used.problem:
        _tell("warning", used.problem)


def _list(*, json: bool) -> None:
    from darkai_cli.config.load import load
    from darkai_cli.output.raw import put
    from darkai_cli.output.tsv import field
    from darkai_cli.providers import settings as tables

    config = load()
    faults: list[DarkAIError] = []
    rows: list[Row] = []
    for name in tables.names(config):
        try:
            settings = tables.settings_of(config, name)
        except DarkAIError as fault:
            if name in config.providers:  # else it is one that nobody has set up
                _tell("warning", fault.message)
            continue
        rows += _rows(config, settings, faults)
    out = stdio.stdout()
    if json:
        lines = [json_module.dumps(row._asdict()) for row in rows]
    elif stdio.is_terminal(out):
        lines = _table(rows)
    else:
        lines = [
            "\t".join(map(field, ("*" if row.in_force else "", *row[:4], row.origin, row.problem)))
            for row in rows
        ]
    put(out, "".join(f"{line}\n" for line in lines))
    if faults:
        raise faults[0]  # a file that cannot be used: what it holds is missing above
    if not rows:
        _tell("note", "there are no keys; `darkai keys set PROVIDER` stores one")


def _rows(config: "Config", settings: "ProviderSettings", faults: list[DarkAIError]) -> list[Row]:
    """The keys of one provider, the strongest first."""
    from darkai_cli.config.keys import lookup
    from darkai_cli.providers import connect

    seeker = connect.key_query(settings, config)
    rows: list[Row] = []
    header = connect.own_key_header(settings)
    if header is not None:
        value = settings.headers[header]
        rows.append(_row(seeker, "header", header, None, lambda: lookup.of_header(
            config, seeker, header, value
        )))  # fmt: skip
    try:
        for source in lookup.sources(config, seeker, stdio.environ()):
            row = _row(seeker, source.kind, _name(source), source.origin, lambda source=source: (
                lookup.secret(config, seeker, source)
            ))  # fmt: skip
            used = row.in_force and not any(one.in_force for one in rows)
            rows.append(row._replace(in_force=used))
    except DarkAIError as fault:
        faults.append(fault)
    return rows


def _row(seeker: "KeyQuery", kind: str, where: str, origin: str | None, read: Any) -> Row:
    from darkai_cli.secrets import format_origin

    here = format_origin(seeker.url)
    fingerprint = problem = None
    try:
        secret = read()
        fingerprint = secret.fingerprint
        if origin is None:
            secret.reveal(seeker.url)
    except DarkAIError as fault:
        problem = fault.message
    if origin is not None:
        problem = f"belongs to {origin}, but `{seeker.name}` is at {here}"
    return Row(seeker.name, kind, where, fingerprint, origin is None, origin or here, problem)


def _name(source: "Source") -> str:
    return source.where.strip("`").removeprefix("the ")


def _place(row: Row) -> str:
    kind = _KINDS[row.kind]
    return f"the {kind} `{row.where}`" if kind != row.where else f"`{kind}`"


def _table(rows: list[Row]) -> list[str]:
    from darkai_cli.output.sanitize import sanitize_line

    lines = []
    for row in rows:
        kind = _KINDS[row.kind]
        place = kind if kind == row.where else f"{kind} {row.where}"
        lines.append(
            (
                "*" if row.in_force else "",
                sanitize_line(row.provider, 30),
                sanitize_line(place, 50),
                row.fingerprint or "-",
                sanitize_line(row.problem or row.origin, 200),
            )
        )
    wide = [max((len(line[column]) for line in lines), default=0) for column in (1, 2)]
    return [
        f"{mark:<1} {name:<{wide[0]}}  {place:<{wide[1]}}  {print_:<8}  {note}"
        for mark, name, place, print_, note in lines
    ]


def _tell(label: Literal["note", "warning"], text: str) -> None:
    from darkai_cli.output.notices import tell

    tell(label, text)
