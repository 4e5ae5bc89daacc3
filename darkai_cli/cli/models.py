"""``darkai models``: which models there are, with their provider, and which one is used."""

import json as json_module
from typing import Annotated, Any

import typer

from darkai_cli import streams

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
Json = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]


@app.callback(help="Which models there are, and which is used.")
def root(ctx: typer.Context, json: Json = False) -> int:
    """`list` is the default."""
    return 0 if ctx.invoked_subcommand else _list(json=json)


@app.command("list", help="All models of the configured providers; `*` marks the one in use.")
def list_models(json: Json = False) -> int:
    """List them."""
    return _list(json=json)


def _list(*, json: bool) -> int:
    from darkai_cli.config.load import load
    from darkai_cli.providers import registry
    from darkai_cli.sinks.raw import put
    from darkai_cli.sinks.sanitize import sanitize_line

    config = load()
    found, faults = registry.models(config)
    used = _used(config, faults)
    for message in dict.fromkeys(fault.message for fault in faults):
        streams.tell(f"warning: {sanitize_line(message, 1000)}")
    out = streams.stdout()
    lines = []
    for settings, model in found:
        default = (settings.name, model.name) == used
        row = {"provider": settings.name, "model": model.name, "aliases": model.aliases}
        if json:
            lines.append(json_module.dumps({**row, "default": default}))
            continue
        name = sanitize_line(f"{settings.name}/{model.name}")
        aliases = ", ".join(map(sanitize_line, model.aliases))
        mark = "*" if default else ""
        if streams.is_terminal(out):
            also = f"  also {aliases}" if aliases else ""
            lines.append(f"{mark:<1} {name:<28}{also}".rstrip())
        else:
            lines.append(f"{mark}\t{name}\t{aliases}".rstrip("\t"))
    put(out, "".join(f"{line}\n" for line in lines))
    return 0


def _used(config: Any, faults: list[Any]) -> tuple[str, str] | None:
    """Provider and model that a question would go to; None, and one fault more, for nobody."""
    from darkai_cli.errors import DarkAIError
    from darkai_cli.providers import registry

    try:
        used = registry.resolve(config)
    except DarkAIError as fault:
        faults.append(fault)
        return None
    return used.settings.name, used.model
