"""``darkai completions``: prints the script that teaches a shell to complete darkai's command line.

Each script is one static text: a table of commands and options in the shell's own language, and a
fixed reader that finds what the cursor is at. A TAB starts Python only for the names of models and
providers (``--names``); that reads the configuration and the cached lists of models, connects to
nothing and never complains. The scripts compare such names as data and quote them, and never expand
them as code.
"""

import importlib
from typing import TYPE_CHECKING, Annotated, Any

from darkai_cli import stdio
from darkai_cli.cli.parser import Argument, CommandSpec, Option
from darkai_cli.errors import DarkAIError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

SHELLS = {
    "bash": "darkai_cli.cli.completion.bash",
    "zsh": "darkai_cli.cli.completion.zsh",
    "fish": "darkai_cli.cli.completion.fish",
    "powershell": "darkai_cli.cli.completion.powershell",
}
"""The module that writes the script for each shell."""

_BASH_FOLDER = "~/.local/share/bash-completion/completions"
_INSTALL = {
    "bash": f"`mkdir -p {_BASH_FOLDER} && darkai completions bash > {_BASH_FOLDER}/darkai`",
    "zsh": "`mkdir -p ~/.zfunc && darkai completions zsh > ~/.zfunc/_darkai`, and add"
    " `fpath=(~/.zfunc $fpath)` before `compinit` in ~/.zshrc",
    "fish": "`darkai completions fish > ~/.config/fish/completions/darkai.fish`",
    "powershell": "`darkai completions powershell >> $PROFILE`",
}


def completions(
    shell: Annotated[
        str | None, Argument(metavar="bash|zsh|fish|powershell", help="Shell.")
    ] = None,
    names: Annotated[str | None, Option("--names", metavar="KIND", help="", hidden=True)] = None,
) -> int:
    """Print the script, and on a terminal how to install it."""
    if names is not None:
        _print_names(names)
        return 0
    if shell not in SHELLS:
        message = "No shell given" if shell is None else f"No completion script for `{shell}`"
        raise UsageError(message, hint=f"Choose one of {', '.join(SHELLS)}")
    from darkai_cli.cli import groups

    out = stdio.stdout()
    out.write(script(shell, groups.root()))
    if stdio.is_terminal(out):
        out.flush()
        stdio.print_err(f"hint: To install it, run {_INSTALL[shell]}")
    return 0


command = CommandSpec(
    completions,
    "Print the completion script for a shell.",
    "darkai completions fish > ~/.config/fish/completions/darkai.fish",
    "darkai completions zsh > ~/.zfunc/_darkai",
)


def script(shell: str, root: Any) -> str:
    """Return the script for one of ``SHELLS``; ``root`` is the root command in Typer's terms."""
    from darkai_cli.cli.completion import spec

    text: str = importlib.import_module(SHELLS[shell]).script(spec.tree(root))
    return text


def _print_names(kind: str) -> None:
    """Print the names of ``models`` or ``providers``; nothing if the configuration has errors."""
    try:
        names = dict.fromkeys(name for name in _names(kind) if name and name.isprintable())
        stdio.stdout().write("".join(f"{name}\n" for name in names))
    except (DarkAIError, OSError, UnicodeError):
        return


def _names(kind: str) -> "Iterator[str]":
    """Yield names as ``-m`` and ``-p`` take them, those of models without a provider first."""
    from darkai_cli.config.load import load
    from darkai_cli.providers import resolve
    from darkai_cli.providers.settings import provider_names, settings_of

    config = load()
    providers = resolve.configured_providers(config)
    if kind == "providers":
        yield from providers
        yield from provider_names(config)
    if kind != "models":
        return
    yield from config.aliases
    qualified = []
    for name in providers:
        try:
            settings = settings_of(config, name)
        except DarkAIError:  # the other providers can still be completed
            continue
        models = resolve.known_models(settings)
        if name == config.provider:
            yield from models
            yield from (alias for alias, model in settings.aliases.items() if model in models)
        qualified += [f"{name}/{model}" for model in models if model]
    yield from qualified
