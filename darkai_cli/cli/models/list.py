"""``darkai models list``: all configured providers are asked at once, what they have is printed.

Beside them the servers on this machine that answer. A provider that fails is a line on stderr.
"""

from __future__ import annotations

import json as json_module
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from darkai_cli import stdio
from darkai_cli.errors import DarkAIError
from darkai_cli.providers import model_list, resolve
from darkai_cli.providers.base import ModelInfo
from darkai_cli.providers.settings import is_here

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from darkai_cli.config import Config
    from darkai_cli.providers.base import ProviderSettings


class Row(NamedTuple):
    """A model of a provider. ``aliases``: all its other names. ``used``: it answers by default."""

    provider: str
    model: ModelInfo
    aliases: tuple[str, ...]
    used: bool

    @property
    def name(self) -> str:
        """As ``-m`` takes it."""
        return f"{self.provider}/{self.model.name}"


def run(*, json: bool, refresh: bool, provider: str | None) -> int:
    """List; the exit code."""
    from darkai_cli.config.load import load

    config = load()
    for notice in config.notices:
        warn(notice)
    if provider is not None:
        one = resolve.settings_of(config, provider)
        with waiting(config, one.host):
            answers = model_list.ask([one], config, refresh=refresh)
        fault = answers[0].fault
        if fault is not None:
            raise fault
        faults: list[DarkAIError] = []
    else:
        providers, faults = resolve.usable_providers(config)
        with waiting(config, "the lists of models"):
            answers = model_list.ask(providers, config, refresh=refresh)
            answers += model_list.local(config, providers)
    rows = rows_of(config, answers, faults, every=provider is None)
    for message in dict.fromkeys(fault.message for fault in faults):
        warn(message)
    warn_of(answers)
    _print(rows, json=json)
    asked = [answer for answer in answers if model_list.fixed(answer.settings) is None]
    failed = [answer.fault for answer in asked if answer.fault is not None]
    return failed[0].exit_code if failed and len(failed) == len(asked) else 0


@contextmanager
def waiting(config: Config, what: str) -> Iterator[None]:
    """Say on a terminal what is waited for, if that takes a while."""
    from darkai_cli.output.progress import Waiting

    err = stdio.stderr()
    row = Waiting(err, what, width=lambda: stdio.size(err)[0])
    if not config.plain and not stdio.is_dumb():
        row.start()
    try:
        yield
    finally:
        row.stop()


def warn(message: str) -> None:
    """One line on stderr."""
    from darkai_cli.output.notices import tell

    tell("warning", message)


def warn_of(answers: Sequence[model_list.Answer]) -> None:
    """A line for each fault; what several have in common, such as a key file, is told once."""
    named: dict[str, list[str]] = {}
    for settings, _, fault in answers:
        if fault is not None:
            named.setdefault(fault.message, []).append(f"`{settings.name}`")
    for message, names in named.items():
        own = message.startswith(f"{names[0]} ")  # it names the provider itself
        warn(message if own else f"{', '.join(names)}: {message}")


def rows_of(
    config: Config,
    answers: Sequence[model_list.Answer],
    faults: list[DarkAIError],
    *,
    every: bool = True,
) -> list[Row]:
    """A row for each model, also for those that only an alias names.

    ``faults``: what is wrong with aliases is added. ``every``: whether the answers are those of
    all providers.
    """
    own = _aliases(config, faults)
    used = _used(config, answers, faults if every else [])
    rows = []
    for settings, models, _ in answers:
        named = {model.name: model for model in models}
        for provider, name in own:
            if provider == settings.name:
                named.setdefault(name, ModelInfo(name))
        for model in named.values():
            also = [alias for alias, target in settings.aliases.items() if target == model.name]
            also += [*model.aliases, *own.get((settings.name, model.name), ())]
            marked = used == (settings.name, model.name)
            rows.append(Row(settings.name, model, tuple(dict.fromkeys(also)), marked))
    return rows


def _aliases(config: Config, faults: list[DarkAIError]) -> dict[tuple[str, str], list[str]]:
    """The user's aliases, by the provider and model that they mean."""
    found: dict[tuple[str, str], list[str]] = {}
    for alias in config.aliases:
        try:
            target = resolve.resolve_alias(config, alias)
        except DarkAIError as fault:
            faults.append(fault)
        else:
            found.setdefault((target.settings.name, target.model), []).append(alias)
    return found


def _used(
    config: Config, answers: Sequence[model_list.Answer], faults: list[DarkAIError]
) -> tuple[str, str] | None:
    """Provider and model that a question would go to; None, and one fault more, for nobody."""
    try:
        used = resolve.configured_target(config)
    except DarkAIError as fault:
        faults.append(fault)
        return None
    model = used.model
    if not model and is_here(used.settings.url):
        mine = (answer.models for answer in answers if answer.settings.name == used.settings.name)
        model = resolve.first_of([one.name for one in next(mine, ())]) or ""
    return used.settings.name, model


def facts(settings: ProviderSettings | None, row: Row) -> dict[str, object]:
    """A model as JSON has it; null is what the service does not tell."""
    from darkai_cli.secrets import mask_url

    model = row.model
    return {
        "provider": row.provider,
        "model": model.name,
        "aliases": row.aliases,
        "default": row.used,
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


def _print(rows: Sequence[Row], *, json: bool) -> None:
    from darkai_cli.output.raw import put
    from darkai_cli.output.tsv import field

    out = stdio.stdout()
    if json:
        lines = [json_module.dumps(facts(None, row)) for row in rows]
    elif stdio.is_terminal(out):
        lines = _table(rows, stdio.size(out)[0])
    else:
        lines = ["\t".join(map(field, _texts(row))).rstrip("\t") for row in rows]
    put(out, "".join(f"{line}\n" for line in lines))


def _texts(row: Row) -> list[str]:
    """The fields of a line in a pipe."""
    model = row.model
    return [
        "*" if row.used else "",
        row.name,
        ", ".join(row.aliases),
        "" if model.context is None else str(model.context),
        ", ".join(model.takes),
        price(model.price_in),
        price(model.price_out),
    ]


def _table(rows: Sequence[Row], width: int) -> list[str]:
    from darkai_cli.cli.tables import Cell, Column, table
    from darkai_cli.output.sanitize import sanitize_line

    columns: list[tuple[Column, Callable[[Row], str]]] = [
        (Column(""), lambda row: "*" if row.used else ""),
        (Column("model", least=24), lambda row: sanitize_line(row.name)),
        (Column("context", right=True, drop=1), lambda row: short(row.model.context)),
        (Column("takes", least=5, drop=4), lambda row: sanitize_line(", ".join(row.model.takes))),
        (Column("$/M in", right=True, drop=2), lambda row: price(row.model.price_in)),
        (Column("$/M out", right=True, drop=2), lambda row: price(row.model.price_out)),
        (Column("also", least=12, drop=3), lambda row: sanitize_line(", ".join(row.aliases))),
    ]
    found = [[text(row) for _, text in columns] for row in rows]
    kept = [at for at in range(len(columns)) if at < 2 or any(line[at] for line in found)]
    cells = [[Cell(line[at]) for at in kept] for line in found]
    return table([columns[at][0] for at in kept], cells, width, lambda _, text: text)


def short(number: int | None) -> str:
    """A number of tokens in few characters: 128k, 1.05M."""
    if number is None:
        return ""
    if number >= 1_000_000:
        return f"{number / 1_000_000:.3g}M"
    return f"{number / 1000:.3g}k" if number >= 1000 else str(number)


def price(dollars: float | None) -> str:
    """US dollars for a million tokens."""
    return "" if dollars is None else f"{dollars:.6f}".rstrip("0").rstrip(".")
