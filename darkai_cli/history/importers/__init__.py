"""Import conversations: our own exports and databases, and those of ChatGPT, llm and aichat.

The format is detected from the beginning of the file, not from its name. Nothing in it is trusted:
what does not fit is left out, counted and named. Importing a file again adds only what is new.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from darkai_cli.errors import InputError
from darkai_cli.files import reason
from darkai_cli.history.importers.draft import ImportedConversation, ImportReport, store_all
from darkai_cli.history.store import Store

Progress = Callable[[int, int], None]
"""Called with how much is done and the total."""


def import_file(
    store: Store, path: Path, progress: Progress = lambda _done, _total: None
) -> ImportReport:
    """Import a file and return what was new and what was left out.

    Raises ``InputError`` for a file of no known format, and ``StoreError``.
    """
    try:
        with path.open("rb") as file:
            head = file.read(4096)
    except OSError as exc:
        raise InputError(f"Can't read `{path}`: {reason(exc)}") from exc
    report = ImportReport()
    report.source, conversations = _reader(path, head, report, progress)
    store_all(store, conversations, report)
    return report


def _reader(
    path: Path, head: bytes, report: ImportReport, progress: Progress
) -> tuple[str, Iterator[ImportedConversation]]:
    from darkai_cli.history import salvage
    from darkai_cli.history.importers import darkai, llm

    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if salvage.is_ours(head):
        return "darkai", darkai.read_database(path, report, progress)
    if head.startswith(salvage.MAGIC) and llm.is_database(path):
        return "llm", llm.read(path, report, progress)
    if text.startswith(b"{") and b'"record"' in text.split(b"\n", 1)[0]:
        return "darkai", darkai.read_jsonl(path, report, progress)
    if text.startswith((b"[", b"{")):
        return _json(path, report, progress)
    if re.match(rb"model:[ \t]\S", text):
        from darkai_cli.history.importers import aichat

        return "aichat", aichat.read(path, report, progress)
    if b"\0" in head:  # a database whose beginning is damaged, perhaps
        return "darkai", darkai.read_database(path, report, progress)
    raise InputError(
        f"Unknown format: `{path}`",
        hint="Supported are darkai's exports and databases, ChatGPT's `conversations.json`, llm's"
        " `logs.db` and aichat's sessions",
    )


def _json(
    path: Path, report: ImportReport, progress: Progress
) -> tuple[str, Iterator[ImportedConversation]]:
    """Return the reader for a JSON list of conversations, or for a single one."""
    from darkai_cli.history.importers import chatgpt, darkai

    try:
        content = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as exc:
        raise InputError(f"Invalid JSON: `{path}`") from exc
    records = content if isinstance(content, list) else [content]
    if any(map(darkai.is_conversation, records)):
        return "darkai", darkai.read_json(records, report, progress)
    if not any(isinstance(record, dict) and "mapping" in record for record in records):
        raise InputError(f"No conversations in `{path}`")
    return "chatgpt", chatgpt.read(records, path.parent, report, progress)
