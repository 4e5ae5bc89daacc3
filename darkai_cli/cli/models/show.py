"""``darkai models show``: the details of one model, and how it is reached."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from darkai_cli import stdio
from darkai_cli.cli.models.list import ModelRow, facts, model_rows, price, waiting, warn_of_faults
from darkai_cli.cli.print import Printer, note, warn
from darkai_cli.config.load import load
from darkai_cli.errors import DarkAIError
from darkai_cli.providers import connect, model_list, resolve
from darkai_cli.providers.base import ModelInfo

if TYPE_CHECKING:
    from collections.abc import Sequence

    from darkai_cli.config import Config
    from darkai_cli.providers.base import ProviderSettings


def show_model(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="Name, alias or PROVIDER/NAME.")],
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    refresh: Annotated[
        bool, typer.Option("--refresh", help="Refresh, ignoring the cache.")
    ] = False,
) -> None:
    """Print the model. Raises ``NotFoundError`` for a name that means nothing."""
    config = load({"model": model})
    for notice in config.notices:
        warn(notice)
    target = resolve.resolve(config)
    settings = target.settings
    with waiting(config, settings.host):
        answer = model_list.list_models([settings], config, refresh=refresh)[0]
    if answer.fault is not None:
        warn_of_faults([answer])
    elif not _listed_model(answer.models, target.model):
        note(f"`{settings.name}` does not list `{target.model}`")
    row = _row(load(), answer, target.model)
    if answer.fault is None:
        row = row._replace(model=model_list.with_details(settings, config, row.model))
    details = {**facts(settings, row), "key": _key_source(settings, config)}
    printer = Printer()
    if json:
        printer.json(details)
        return
    texts = [(key, _text(value)) for key, value in details.items() if value not in (None, (), "")]
    if not printer.is_terminal:
        for key, value in texts:
            printer.record(key, value)
        return
    from darkai_cli.output.sanitize import sanitize_line

    wide = max(len(key) for key, _ in texts) + 2
    printer.lines(f"{_title(key):<{wide}}{sanitize_line(value, 500)}" for key, value in texts)


def _row(config: Config, answer: model_list.ModelList, name: str) -> ModelRow:
    model = _listed_model(answer.models, name) or ModelInfo(name)
    rows = model_rows(config, [answer._replace(models=(model,))], [], is_complete=False)
    return next(row for row in rows if row.model.name == model.name)


def _listed_model(models: Sequence[ModelInfo], name: str) -> ModelInfo | None:
    """Return the model of that name, else the one of which it is an alias."""
    exact = (model for model in models if model.name == name)
    return next(exact, next((model for model in models if name in model.aliases), None))


def _key_source(settings: ProviderSettings, config: Config) -> str | None:
    """Return where the API key comes from; None if there is none."""
    from darkai_cli.config.keys import lookup

    header = connect.own_key_header(settings)
    if header:
        return f"the header `{header}`"
    query = connect.key_query(settings, config)
    try:
        for source in lookup.sources(config, query, stdio.environ()):
            if source.origin is None:
                return source.where
    except DarkAIError as fault:
        warn(fault.message)
    return None


def _title(key: str) -> str:
    return key.replace("price_in", "$/M in").replace("price_out", "$/M out")


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return price(value)
    return ", ".join(value) if isinstance(value, tuple) else str(value)
