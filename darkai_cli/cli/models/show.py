"""``darkai models show``: what is known of one model, and how it would be reached."""

from __future__ import annotations

import json as json_module
from typing import TYPE_CHECKING

from darkai_cli import stdio
from darkai_cli.cli.models import list as listing
from darkai_cli.errors import DarkAIError
from darkai_cli.providers import connect, model_list, resolve
from darkai_cli.providers.base import ModelInfo

if TYPE_CHECKING:
    from collections.abc import Iterable

    from darkai_cli.config import Config
    from darkai_cli.providers.base import ProviderSettings


def run(name: str, *, json: bool, refresh: bool) -> None:
    """Show it. Raises ``NotFoundError`` and its kin for a name that means nothing."""
    from darkai_cli.config.load import load
    from darkai_cli.output.notices import tell
    from darkai_cli.output.raw import put
    from darkai_cli.output.sanitize import sanitize_line
    from darkai_cli.output.tsv import field

    config = load({"model": name})
    for notice in config.notices:
        listing.warn(notice)
    target = resolve.resolve(config)
    settings = target.settings
    with listing.waiting(config, settings.host):
        answer = model_list.ask([settings], config, refresh=refresh)[0]
    if answer.fault is not None:
        listing.warn_of([answer])
    elif not _find(answer.models, target.model):
        tell("note", f"`{settings.name}` does not list `{target.model}`")
    row = _row(load(), answer, target.model)
    if answer.fault is None:
        row = row._replace(model=model_list.about(settings, config, row.model))
    facts = {**listing.facts(settings, row), "key": _key(settings, config)}
    out = stdio.stdout()
    if json:
        put(out, json_module.dumps(facts) + "\n")
        return
    told = [(key, _text(value)) for key, value in facts.items() if value not in (None, (), "")]
    if stdio.is_terminal(out):
        wide = max(len(key) for key, _ in told)
        lines = [f"{_words(key):<{wide + 2}}{sanitize_line(value, 500)}" for key, value in told]
    else:
        lines = [f"{key}\t{field(value)}" for key, value in told]
    put(out, "".join(f"{line}\n" for line in lines))


def _row(config: Config, answer: model_list.Answer, name: str) -> listing.Row:
    model = _find(answer.models, name) or ModelInfo(name)
    rows = listing.rows_of(config, [answer._replace(models=(model,))], [], every=False)
    return next(row for row in rows if row.model.name == model.name)


def _find(models: Iterable[ModelInfo], name: str) -> ModelInfo | None:
    listed = list(models)
    exact = (model for model in listed if model.name == name)
    return next(exact, next((model for model in listed if name in model.aliases), None))


def _key(settings: ProviderSettings, config: Config) -> str | None:
    """Where the key would come from; None where there is none."""
    from darkai_cli.config.keys import lookup

    header = connect.own_key_header(settings)
    if header:
        return f"the header `{header}`"
    seeker = connect.key_query(settings, config)
    try:
        for source in lookup.sources(config, seeker, stdio.environ()):
            if source.origin is None:
                return source.where
    except DarkAIError as fault:
        listing.warn(fault.message)
    return None


def _words(key: str) -> str:
    return key.replace("price_in", "$/M in").replace("price_out", "$/M out")


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return listing.price(value)
    return ", ".join(value) if isinstance(value, tuple) else str(value)
