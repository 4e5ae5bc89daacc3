"""``darkai models``: which models there are, what is known of one, which is used, and aliases.

The commands only; what they do is in ``listing``, ``showing`` and ``choosing``. Standard output is
the data: tab-separated in a pipe, columns on a terminal, where foreign text is made safe.
"""

from typing import Annotated

import typer

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
Json = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]
Refresh = Annotated[bool, typer.Option("--refresh", help="Ask the services, not what was kept.")]
Provider = Annotated[
    str | None, typer.Option("--provider", "-p", metavar="NAME", help="Only this provider's.")
]


@app.callback(help="Which models there are, which is used, and other names for them.")
def root(
    ctx: typer.Context, json: Json = False, refresh: Refresh = False, provider: Provider = None
) -> int:
    """`list` is the default."""
    return 0 if ctx.invoked_subcommand else list_models(json, refresh, provider)


@app.command("list", help="All models of the configured providers; `*` marks the one in use.")
def list_models(json: Json = False, refresh: Refresh = False, provider: Provider = None) -> int:
    """List them; the code of the first failure if none of the services that were asked answered."""
    from darkai_cli.cli.models import list as models_list

    return models_list.run(json=json, refresh=refresh, provider=provider)


@app.command("show", help="What is known of a model, and how it is reached.")
def show_model(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="A name, an alias, PROVIDER/NAME.")],
    json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
    refresh: Refresh = False,
) -> None:
    """Show it."""
    from darkai_cli.cli.models import show as models_show

    models_show.run(model, json=json, refresh=refresh)


@app.command("default", help="The model that is used where none is named; with MODEL, set it.")
def default_model(
    model: Annotated[
        str | None,
        typer.Argument(metavar="[MODEL]", help="A name, PROVIDER/NAME, PROVIDER."),
    ] = None,
) -> None:
    """Print it, or write it to config.toml."""
    from darkai_cli.cli.models import default as models_default

    if model is None:
        models_default.show_default()
    else:
        models_default.set_default(model)


@app.command("alias", help="Other names for models: list them, or make one.")
def model_aliases(
    name: Annotated[str | None, typer.Argument(metavar="[ALIAS]", help="The new name.")] = None,
    target: Annotated[str | None, typer.Argument(metavar="[MODEL]", help="What it means.")] = None,
    rm: Annotated[str | None, typer.Option("--rm", metavar="ALIAS", help="Remove one.")] = None,
    json: Json = False,
) -> None:
    """List, print, set or remove."""
    from darkai_cli.cli.models import default as models_default
    from darkai_cli.errors import UsageError

    if rm is not None and name is not None:
        raise UsageError("`--rm` takes one alias and nothing else", hint=f"`--rm {name}`")
    if rm is not None:
        models_default.remove_alias(rm)
    elif target is not None and name is not None:
        models_default.set_alias(name, target)
    else:
        models_default.show_aliases(name, json=json)
