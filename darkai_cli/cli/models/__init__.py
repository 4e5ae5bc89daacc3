"""``darkai models``: lists and shows models, and sets the default model and aliases."""

from __future__ import annotations

from darkai_cli.cli.commands import CommandRow
from darkai_cli.cli.groups import LazyGroup

COMMANDS: dict[str, CommandRow] = {
    "list": CommandRow(
        "list",
        "list_models",
        "All models of the configured providers; `*` marks the one in use.",
    ),
    "show": CommandRow(
        "show",
        "show_model",
        "What is known of a model, and how it is reached.",
    ),
    "default": CommandRow(
        "default",
        "default_model",
        "The model that is used where none is named; with MODEL, set it.",
    ),
    "alias": CommandRow("default", "alias", "Other names for models: list them, or make one."),
}

group = LazyGroup(
    "models",
    COMMANDS,
    package=__name__,
    help="Which models there are, which is used, and other names for them.",
    default="list",
)
