"""``darkai models list``: the models of all configured providers, and of servers on this machine.

All providers are asked at once. One that fails is a warning on stderr.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from darkai_cli import stdio
from darkai_cli.cli.print import Printer, field, warn
from darkai_cli.config.load import load
from darkai_cli.errors import DarkAIError
from darkai_cli.providers import model_list, resolve
from darkai_cli.providers.base import ModelInfo
from darkai_cli.providers.settings import is_local_url, settings_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from darkai_cli.config import Config
    from darkai_cli.providers.base import ProviderSettings


class ModelRow(NamedTuple):
    """A model of a provider.

    ``aliases``: all its other names. ``is_default``: it is used when none is named.
    """

    provider: str
    model: ModelInfo
    aliases: tuple[str, ...]
    is_default: bool

    @property
    def name(self) -> str:
        """The name that ``--model`` takes."""
        return f"{self.provider}/{self.model.name}"


def list_models(
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object per line.")] = False,
    refresh: Annotated[
        bool, typer.Option("--refresh", help="Refresh, ignoring the cache.")
    ] = False,
    provider: Annotated[
        str | None,
        typer.Option("--provider", "-p", metavar="NAME", help="List only this provider's models."),
    ] = None,
) -> int:
    """Print the models; return the code of the first failure if every provider failed."""
    config = load()
    for notice in config.notices:
        warn(notice)
    faults: list[DarkAIError] = []
    if provider is not None:
        settings = settings_of(config, provider)
        with waiting(config, settings.host):
            answers = model_list.list_models([settings], config, refresh=refresh)
        fault = answers[0].fault
        if fault is not None:
            raise fault
    else:
        providers, faults = resolve.usable_providers(config)
        with waiting(config, "the lists of models"):
            answers = model_list.list_models(providers, config, refresh=refresh)
            answers += model_list.list_local_models(config, providers)
    rows = model_rows(config, answers, faults, is_complete=provider is None)
    for message in dict.fromkeys(fault.message for fault in faults):
        warn(message)
    warn_of_faults(answers)
    _print(rows, json=json)
    requested = [answer for answer in answers if model_list.static_models(answer.settings) is None]
    failures = [answer.fault for answer in requested if answer.fault is not None]
    return failures[0].exit_code if failures and len(failures) == len(requested) else 0


@contextmanager
def waiting(config: Config, what: str) -> Iterator[None]:
    """Show on a terminal what is waited for, if it takes longer than half a second."""
    from darkai_cli.output.progress import Spinner

    row = Spinner(stdio.stderr(), what)
    if not config.plain and not stdio.is_dumb():
        row.start()
    try:
        yield
    finally:
        row.stop()


def warn_of_faults(answers: Sequence[model_list.ModelList]) -> None:
    """Print a warning for each fault; one that several providers have is printed once."""
    providers: dict[str, list[str]] = {}
    for answer in answers:
        if answer.fault is not None:
            providers.setdefault(answer.fault.message, []).append(f"`{answer.settings.name}`")
    for message, names in providers.items():
        names_itself = message.startswith(f"{names[0]} ")
        warn(message if names_itself else f"{', '.join(names)}: {message}")


def model_rows(
    config: Config,
    answers: Sequence[model_list.ModelList],
    faults: list[DarkAIError],
    *,
    is_complete: bool = True,
) -> list[ModelRow]:
    """Return a row for each model that a provider lists or that an alias names.

    Errors in aliases are added to ``faults``; where ``answers`` are those of all providers
    (``is_complete``), so is an error in the default model.
    """
    user_aliases = _aliases(config, faults)
    default = _default(config, answers, faults if is_complete else [])
    rows = []
    for answer in answers:
        settings = answer.settings
        models = {model.name: model for model in answer.models}
        for provider, name in user_aliases:
            if provider == settings.name:
                models.setdefault(name, ModelInfo(name))
        for model in models.values():
            aliases = [name for name, target in settings.aliases.items() if target == model.name]
            aliases += [*model.aliases, *user_aliases.get((settings.name, model.name), ())]
            is_default = default == (settings.name, model.name)
            rows.append(ModelRow(settings.name, model, tuple(dict.fromkeys(aliases)), is_default))
    return rows


def _aliases(config: Config, faults: list[DarkAIError]) -> dict[tuple[str, str], list[str]]:
    """Return the user's aliases by provider and model; errors are added to ``faults``."""
    aliases: dict[tuple[str, str], list[str]] = {}
    for alias in config.aliases:
        try:
            target = resolve.resolve_alias(config, alias)
        except DarkAIError as fault:
            faults.append(fault)
        else:
            aliases.setdefault((target.settings.name, target.model), []).append(alias)
    return aliases


def _default(
    config: Config, answers: Sequence[model_list.ModelList], faults: list[DarkAIError]
) -> tuple[str, str] | None:
    """Return the provider and model of a prompt without ``--model``; None adds to ``faults``."""
    try:
        target = resolve.configured_target(config)
    except DarkAIError as fault:
        faults.append(fault)
        return None
    name, model = target.settings.name, target.model
    if not model and is_local_url(target.settings.url):
        models = next((answer.models for answer in answers if answer.settings.name == name), ())
        model = resolve.first_chat_model([info.name for info in models]) or ""
    return name, model


def facts(settings: ProviderSettings | None, row: ModelRow) -> dict[str, object]:
    """Return a model as a JSON object; what the provider does not say is null."""
    from darkai_cli.secrets import mask_url

    model = row.model
    return {
        "provider": row.provider,
        "model": model.name,
        "aliases": row.aliases,
        "default": row.is_default,
        "title": model.title or None,
        "context": model.context,
        "output": model.output,
        "takes": model.takes,
        "gives": model.gives,
        "price_in": model.price_in,
        "price_out": model.price_out,
        "created": model.created,
        "owner": model.owner or None,
        **({} if settings is None else {"type": settings.type, "url": mask_url(settings.url)}),
    }


def _print(rows: Sequence[ModelRow], *, json: bool) -> None:
    printer = Printer()
    if printer.is_terminal and not json:
        printer.lines(_table(rows, printer.width))
        return
    for row in rows:
        if json:
            printer.json(facts(None, row))
        else:
            model = row.model
            fields = (
                "*" if row.is_default else "", row.name, ", ".join(row.aliases), model.context,
                ", ".join(model.takes), price(model.price_in), price(model.price_out),
            )  # fmt: skip
            printer.lines(["\t".join(map(field, fields)).rstrip("\t")])


def _table(rows: Sequence[ModelRow], width: int) -> list[str]:
    from darkai_cli.cli.tables import Cell, Column, table
    from darkai_cli.output.sanitize import sanitize_line

    columns: list[tuple[Column, Callable[[ModelRow], str]]] = [
        (Column(""), lambda row: "*" if row.is_default else ""),
        (Column("model", least=24), lambda row: sanitize_line(row.name)),
        (Column("context", right=True, drop=1), lambda row: short_number(row.model.context)),
        (Column("input", least=5, drop=4), lambda row: sanitize_line(", ".join(row.model.takes))),
        (Column("$/M in", right=True, drop=2), lambda row: price(row.model.price_in)),
        (Column("$/M out", right=True, drop=2), lambda row: price(row.model.price_out)),
        (Column("aliases", least=12, drop=3), lambda row: sanitize_line(", ".join(row.aliases))),
    ]
    texts = [[text(row) for _, text in columns] for row in rows]
    filled = [at for at in range(len(columns)) if at < 2 or any(line[at] for line in texts)]
    cells = [[Cell(line[at]) for at in filled] for line in texts]
    return table([columns[at][0] for at in filled], cells, width, lambda _, text: text)


def short_number(number: int | None) -> str:
    """Return a number of tokens in few characters: 128k, 1.05M."""
    if number is None:
        return ""
    if number >= 1_000_000:
        return f"{number / 1_000_000:.3g}M"
    return f"{number / 1000:.3g}k" if number >= 1000 else str(number)


def price(dollars: float | None) -> str:
    """Return US dollars for a million tokens."""
    return "" if dollars is None else f"{dollars:.6f}".rstrip("0").rstrip(".")
