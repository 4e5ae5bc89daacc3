"""``darkai history``: lists, searches, shows, exports, imports and manages saved conversations."""

from __future__ import annotations

from darkai_cli.cli.commands import CommandRow
from darkai_cli.cli.groups import LazyGroup

COMMANDS: dict[str, CommandRow] = {
    "list": CommandRow(
        "list", "list_conversations", "List conversations, latest first.",
        "darkai history list --since 2d",
        "darkai history list --model gpt-4o --state interrupted",
    ),
    "show": CommandRow(
        "show", "show", "Show a conversation.",
        "darkai history show", "darkai history show 01jx3 --turn -1",
        "darkai history show 01jx3 --raw > chat.md",
    ),
    "search": CommandRow(
        "list", "search", "Find messages that contain all these words.",
        "darkai history search sqlite index",
        "darkai history search '\"full text\"' 'token*' --since 30d", values_may_be_options=True,
    ),
    "tree": CommandRow(
        "show", "tree", "Show a conversation with all its branches.",
        "darkai history tree", "darkai history tree 01jx3",
    ),
    "diff": CommandRow(
        "show", "diff", "Compare two replies or conversations.",
        "darkai history diff 1 2", "darkai history diff 01jx3:2 01jx7:2",
        "darkai history diff 01jx3 01jx7",
    ),
    "rename": CommandRow(
        "manage", "rename", "Rename a conversation.",
        "darkai history rename 01jx3 Notes on SQLite",
    ),
    "rm": CommandRow(
        "manage", "rm", "Remove conversations.",
        "darkai history rm 01jx3 01jx7", "darkai history rm --older-than 90d --yes",
    ),
    "stats": CommandRow(
        "stats", "stats", "Show turns, tokens and speed by model.",
        "darkai history stats", "darkai history stats --since 30d --json",
    ),
    "export": CommandRow(
        "transfer", "export", "Export conversations as Markdown, JSON or HTML.",
        "darkai history export 01jx3 > chat.md",
        "darkai history export --all --output backup.jsonl",
        "darkai history export --output chat.html",
    ),
    "import": CommandRow(
        "transfer", "import_file", "Import conversations from a file.",
        "darkai history import backup.jsonl", "darkai history import conversations.json",
    ),
    "path": CommandRow(
        "manage", "path", "Print where the history is stored.",
        "darkai history path", 'cp "$(darkai history path)" /backup/',
    ),
    "vacuum": CommandRow(
        "manage", "vacuum", "Reclaim disk space after removals.",
        "darkai history vacuum",
    ),
    "check": CommandRow(
        "manage", "check", "Check the database for damage.",
        "darkai history check", "darkai history check --repair",
    ),
}  # fmt: skip

group = LazyGroup(
    "history",
    COMMANDS,
    package=__name__,
    help="Search, show, export and manage saved conversations.",
    default="list",
    examples=(
        "darkai history --since 2d",
        "darkai history search sqlite index",
        "darkai history show 01jx3",
    ),
)
