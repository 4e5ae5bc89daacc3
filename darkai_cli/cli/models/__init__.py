"""``darkai models``: lists and shows models, and sets the default model and aliases."""

from __future__ import annotations

from darkai_cli.cli.commands import CommandRow
from darkai_cli.cli.groups import LazyGroup

COMMANDS: dict[str, CommandRow] = {
    "list": CommandRow(
        "list", "list_models",
        "List the models of all configured providers; `*` marks the default.",
        "darkai models list", "darkai models list --provider openai --refresh",
    ),
    "show": CommandRow(
        "show", "show_model", "Show a model's details.",
        "darkai models show gpt-4o", "darkai models show openai/gpt-4o --json",
    ),
    "default": CommandRow(
        "default", "default_model", "Show or set the default model.",
        "darkai models default", "darkai models default openai/gpt-4o",
    ),
    "alias": CommandRow(
        "default", "alias", "List, show or set aliases for models.",
        "darkai models alias fast openai/gpt-4o-mini", "darkai models alias",
        "darkai models alias --rm fast",
    ),
}  # fmt: skip

group = LazyGroup(
    "models",
    COMMANDS,
    package=__name__,
    help="List models and choose the default.",
    default="list",
    examples=(
        "darkai models",
        "darkai models show gpt-4o",
        "darkai models default openai/gpt-4o",
    ),
)
