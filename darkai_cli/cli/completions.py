"""``darkai completions``: the script that teaches a shell to complete darkai's command line.

The scripts themselves are made in ``completion_scripts``. With ``--names`` it prints, for those
scripts, the names of models or providers: it runs while somebody waits at a TAB, so it reads the
configuration and the lists of models that were kept, connects to nothing and never complains.
"""

from typing import TYPE_CHECKING, Annotated

import typer

from darkai_cli import stdio
from darkai_cli.errors import DarkAIError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

_BASH_FOLDER = "~/.local/share/bash-completion/completions"
_INSTALL = {
    "bash": f"`mkdir -p {_BASH_FOLDER} && darkai completions bash > {_BASH_FOLDER}/darkai`",
    "zsh": "`mkdir -p ~/.zfunc && darkai completions zsh > ~/.zfunc/_darkai`, and in ~/.zshrc"
    " `fpath=(~/.zfunc $fpath)` before `compinit`",
    "fish": "`darkai completions fish > ~/.config/fish/completions/darkai.fish`",
    "powershell": "`darkai completions powershell >> $PROFILE`",
}


@app.command(help="Print the completion script for a shell.")
def completions(
    ctx: typer.Context,
    shell: Annotated[
        str | None,
        typer.Argument(metavar="bash|zsh|fish|powershell", help="Which shell.", show_default=False),
    ] = None,
    names: Annotated[str | None, typer.Option("--names", hidden=True)] = None,
) -> None:
    """Print it, and on a terminal say what to do with it."""
    if names is not None:
        _print_names(names)
        return
    from darkai_cli.cli import completion_scripts

    known = ", ".join(completion_scripts.SHELLS)
    if shell not in completion_scripts.SHELLS:
        what = "no shell is named" if shell is None else f"there is no script for `{shell}`"
        raise UsageError(what, hint=f"`darkai completions SHELL`, one of {known}")
    out = stdio.stdout()
    out.write(completion_scripts.render(shell, ctx.find_root().command))
    if stdio.is_terminal(out):
        out.flush()
        stdio.print_err(f"hint: {_INSTALL[shell]}")


def _print_names(what: str) -> None:
    """One name a line; nothing at all where the configuration cannot be read."""
    try:
        found = dict.fromkeys(name for name in _names(what) if name and name.isprintable())
        stdio.stdout().write("".join(f"{name}\n" for name in found))
    except (DarkAIError, OSError, UnicodeError):
        return


def _names(what: str) -> "Iterator[str]":
    """Names as ``-m`` and ``-p`` take them; those of a model without its provider come first."""
    from darkai_cli.config.load import load
    from darkai_cli.providers import resolve

    config = load()
    usable = resolve.configured_providers(config)
    if what == "providers":
        yield from usable
        yield from resolve.names(config)
    if what != "models":
        return
    yield from config.aliases
    qualified = []
    for name in usable:
        try:
            settings = resolve.settings_of(config, name)
        except DarkAIError:  # the others can be used
            continue
        models = resolve.known_models(settings)
        if name == config.provider:
            yield from models
            yield from (alias for alias, model in settings.aliases.items() if model in models)
        qualified += [f"{name}/{model}" for model in models if model]
    yield from qualified
