"""``darkai models``: which models there are, with their provider, and which one is used."""

import json as json_module
from typing import Annotated

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
    from darkai_cli.errors import DarkAIError
    from darkai_cli.providers import registry
    from darkai_cli.sinks.sanitize import sanitize_line

    config = load()
    try:
        used = registry.resolve(config)
    except DarkAIError as exc:
        streams.tell(f"warning: {exc.message}")
        used = None
    rows = []
    for settings, model in registry.models(config):
        default = used is not None and (settings.name, model.name) == (
            used.settings.name,
            used.model,
        )
        rows.append((settings.name, model.name, model.aliases, default))
    out = streams.stdout()
    if json:
        for provider, name, aliases, default in rows:
            row = {"provider": provider, "model": name, "aliases": aliases, "default": default}
            out.write(json_module.dumps(row) + "\n")
        return 0
    tabs = not streams.is_terminal(out)
    for provider, name, aliases, default in rows:
        fields = [sanitize_line(f"{provider}/{name}"), ", ".join(map(sanitize_line, aliases))]
        if tabs:
            out.write("\t".join(["*" if default else "", *fields]).rstrip("\t") + "\n")
        else:
            also = f"  also {fields[1]}" if fields[1] else ""
            out.write(f"{'*' if default else ' '} {fields[0]:<28}{also}".rstrip() + "\n")
    return 0
