"""``darkai history``: lists, searches, shows, exports, imports and manages saved conversations."""

from __future__ import annotations

from darkai_cli.cli.commands import CommandRow
from darkai_cli.cli.groups import LazyGroup

COMMANDS: dict[str, CommandRow] = {
    "list": CommandRow("list", "list_conversations", "The conversations, the latest first."),
    "show": CommandRow("show", "show", "A conversation."),
    "search": CommandRow(
        "list", "search", "Messages with all these words.", values_may_be_options=True
    ),
    "tree": CommandRow("show", "tree", "A conversation with all its branches."),
    "diff": CommandRow("show", "diff", "What differs between two replies or conversations."),
    "rename": CommandRow("manage", "rename", "Give a conversation another title."),
    "rm": CommandRow("manage", "rm", "Remove conversations."),
    "stats": CommandRow(
        "stats",
        "stats",
        "How many turns and tokens, with which model, how fast.",
    ),
    "export": CommandRow("transfer", "export", "Write conversations as Markdown, JSON or HTML."),
    "import": CommandRow("transfer", "import_file", "Take conversations from a file."),
    "path": CommandRow("manage", "path", "Where the history is."),
    "vacuum": CommandRow("manage", "vacuum", "Give the room of what was removed back to the disk."),
    "check": CommandRow("manage", "check", "Look whether the database is whole."),
}

group = LazyGroup(
    "history",
    COMMANDS,
    package=__name__,
    help="Find, show, export and tidy saved conversations.",
    default="list",
    epilog="ID is how an id begins, as `darkai history list` shows it; without one, the latest.",
)
