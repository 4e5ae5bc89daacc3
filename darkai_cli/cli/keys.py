"""``darkai keys``: stores, lists and removes API keys.

A key is never an argument, which other users could read, and is never printed: a list tells keys
apart by their fingerprints. Keys are looked up exactly as for a request.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from darkai_cli import signals, stdio
from darkai_cli.cli.commands import CommandRow
from darkai_cli.cli.groups import LazyGroup
from darkai_cli.cli.print import Printer, note, warn
from darkai_cli.config import paths
from darkai_cli.config.keys import file as key_file
from darkai_cli.config.keys import keyring as key_ring
from darkai_cli.config.keys import lookup
from darkai_cli.config.load import load
from darkai_cli.errors import ConfigError, DarkAIError, InputError, NotFoundError, UsageError
from darkai_cli.output.sanitize import sanitize_line
from darkai_cli.providers import connect
from darkai_cli.providers.settings import provider_names, settings_of
from darkai_cli.secrets import Secret, format_origin

if TYPE_CHECKING:
    from darkai_cli.config import Config
    from darkai_cli.config.keys.lookup import KeyQuery, Source
    from darkai_cli.providers.base import ProviderSettings

COMMANDS: dict[str, CommandRow] = {
    "set": CommandRow(
        "keys", "set_key", "Store a provider's API key, entered without echo or read from stdin.",
        "darkai keys set openai", "pass show openai | darkai keys set openai",
    ),
    "list": CommandRow(
        "keys", "list_keys", "List keys and where they come from; `*` marks those in use.",
        "darkai keys list", "darkai keys list --json",
    ),
    "rm": CommandRow(
        "keys", "rm", "Remove a provider's stored key.",
        "darkai keys rm openai",
    ),
    "path": CommandRow(
        "keys", "path", "Print where keys.toml is.",
        'ls -l "$(darkai keys path)"',
    ),
}  # fmt: skip

group = LazyGroup(
    "keys",
    COMMANDS,
    help="Store, list and remove API keys.",
    default="list",
    examples=(
        "darkai keys",
        "darkai keys set openai",
        "pass show anthropic | darkai keys set anthropic",
    ),
)

Provider = Annotated[str, typer.Argument(metavar="PROVIDER", help="Provider, such as openai.")]

_WAITING = "note: Waiting for the key on stdin"
_KINDS = {
    "environment": "environment variable", "key_command": "key_command", "keyring": "keyring",
    "file": "file", "header": "header",
}  # fmt: skip


class KeyRow(NamedTuple):
    """A key in the list. ``problem``: why it cannot be used, or is not."""

    provider: str
    kind: str
    where: str
    fingerprint: str | None
    in_force: bool
    origin: str
    problem: str | None


def set_key(
    provider: Provider,
    keyring: Annotated[
        bool, typer.Option("--keyring", help="Store it in the system's keyring, not in keys.toml.")
    ] = False,
) -> None:
    """Store a key for the current URL of the provider."""
    config = load()
    settings = settings_of(config, provider)
    if settings.type == "demo":
        raise UsageError(
            f"`{provider}` needs no API key", hint="For example: `darkai keys set openai`"
        )
    # Before the user is asked for the key: reading the file may fail.
    before = key_file.entries().get(provider)
    key = _read_key(provider)
    fingerprint = Secret(key, "stdin").fingerprint
    origin = format_origin(settings.url)
    if keyring:
        key_ring.put(provider, origin, key)
    key_file.put(provider, settings.url, None if keyring else key)
    place = "the keyring" if keyring else str(paths.keys_file())
    note(f"Stored the key of `{provider}` ({fingerprint}) for {origin} in {place}")
    if before is not None and before.key is None and not (keyring and before.origin == origin):
        _remove_from_keyring(provider, before.origin)
    _note_override(config, settings)


def list_keys(
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object per line.")] = False,
) -> None:
    """Print the keys of all providers."""
    config = load()
    faults: list[DarkAIError] = []
    rows: list[KeyRow] = []
    for name in provider_names(config):
        try:
            settings = settings_of(config, name)
        except DarkAIError as fault:
            if name in config.providers:  # a built-in one may need settings that nobody has made
                warn(fault.message)
            continue
        rows += _rows(config, settings, faults)
    printer = Printer()
    if printer.is_terminal and not json:
        printer.lines(_table(rows))
    for row in rows:
        if json:
            printer.json(row._asdict())
        elif not printer.is_terminal:
            printer.record("*" if row.in_force else "", *row[:4], row.origin, row.problem)
    if faults:
        raise faults[0]  # a file that cannot be used: its keys are missing above
    if not rows:
        note("No API keys. Run `darkai keys set PROVIDER` to store one")


def rm(provider: Provider) -> None:
    """Remove a stored key, also of a provider that is not configured any more."""
    entry = key_file.entries().get(provider)
    if entry is None:
        raise NotFoundError(
            f"No stored key for `{provider}`", hint="Run `darkai keys list` to see all keys"
        )
    if entry.key is None:
        key_ring.remove(provider, entry.origin)
    key_file.remove(provider)
    note(f"Removed the key of `{provider}`")


def path() -> None:
    """Print where keys.toml is."""
    Printer().value(str(paths.keys_file()))


def _read_key(provider: str) -> str:
    """Return the key from the keyboard or stdin. Raises ``InputError``."""
    signals.raise_pending()
    where, nothing = "on stdin", "No key on stdin"
    if stdio.is_terminal(stdio.stdin()):
        from darkai_cli import tty

        line = tty.read_hidden(f"API key of {provider} (not shown): ")
        text = stdio.decode(line, "what was typed")
        where, nothing = "that you entered", "No key was entered"
    elif stdio.has_input():
        text = stdio.read_input(lambda: stdio.print_err(_WAITING))
    else:
        text = ""
    key = text.removesuffix("\n").removesuffix("\r").strip(" \t")
    fault = lookup.fault_in(key)
    if fault is not None:
        raise InputError(
            f"The key {where} {fault}; nothing was changed" if key else nothing,
            hint=f"A key is one line without spaces: `pass show {provider} | head -n 1 | "
            f"darkai keys set {provider}`",
        )
    return key


def _remove_from_keyring(name: str, origin: str) -> None:
    """Remove a key that was replaced."""
    try:
        key_ring.remove(name, origin)
    except ConfigError as exc:
        warn(f"The old key is still in the keyring: {exc.message}")


def _note_override(config: Config, settings: ProviderSettings) -> None:
    """Say what keeps a key that was just stored from being used, if anything does."""
    used = next((row for row in _rows(config, settings, []) if row.in_force), None)
    if used is not None and used.kind not in ("file", "keyring"):
        note(f"Stored, but {_place(used)} overrides it")
    elif used is not None and used.problem:
        warn(used.problem)


def _rows(config: Config, settings: ProviderSettings, faults: list[DarkAIError]) -> list[KeyRow]:
    """Return the keys of one provider, the strongest first; errors are added to ``faults``."""
    query = connect.key_query(settings, config)
    rows: list[KeyRow] = []
    header = connect.own_key_header(settings)
    if header is not None:
        value = settings.headers[header]
        read = partial(lookup.of_header, config, query, header, value)
        rows.append(_row(query, "header", header, None, read))
    try:
        for source in lookup.sources(config, query, stdio.environ()):
            read = partial(lookup.secret, config, query, source)
            row = _row(query, source.kind, _name(source), source.origin, read)
            in_force = row.in_force and not any(stronger.in_force for stronger in rows)
            rows.append(row._replace(in_force=in_force))
    except DarkAIError as fault:
        faults.append(fault)
    return rows


def _row(
    query: KeyQuery, kind: str, where: str, origin: str | None, read: Callable[[], Secret]
) -> KeyRow:
    """Return the row of a key. ``origin``: the one it belongs to, if that is not the provider's."""
    current = format_origin(query.url)
    fingerprint = problem = None
    try:
        secret = read()
        fingerprint = secret.fingerprint
        if origin is None:
            secret.reveal(query.url)
    except DarkAIError as fault:
        problem = fault.message
    if origin is not None:
        problem = f"belongs to {origin}, but `{query.name}` is at {current}"
    return KeyRow(query.name, kind, where, fingerprint, origin is None, origin or current, problem)


def _name(source: Source) -> str:
    return source.where.strip("`").removeprefix("the ")


def _place(row: KeyRow) -> str:
    kind = _KINDS[row.kind]
    return f"the {kind} `{row.where}`" if kind != row.where else f"`{kind}`"


def _table(rows: list[KeyRow]) -> list[str]:
    """Return the lines of the list for a terminal."""
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
        f"{mark:<1} {name:<{wide[0]}}  {place:<{wide[1]}}  {fingerprint:<8}  {comment}"
        for mark, name, place, fingerprint, comment in lines
    ]
