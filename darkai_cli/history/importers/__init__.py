"""Conversations on their way in: our own exports and databases, ChatGPT's, llm's, aichat's.

What a file is is seen from how it begins, not from its name. Nothing in it is trusted: what does
not fit is left out, counted and named. Importing the same file again takes nothing twice.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from darkai_cli.errors import InputError
from darkai_cli.history.importers.draft import ImportedConversation, ImportReport, take_all
from darkai_cli.history.store import Store

Progress = Callable[[int, int], None]
"""Called with how much is done and how much there is."""


class Report(NamedTuple):
    """What an import did.

    ``conversations``, ``messages``: how many are new. ``present``: messages that were there
    already. ``skipped``: what was left out, and how often.
    """

    source: str
    conversations: int
    messages: int
    present: int
    skipped: dict[str, int]


def import_file(store: Store, path: Path, progress: Progress = lambda _done, _all: None) -> Report:
    """Take what the file has. Raises ``InputError`` for a file of no known kind, ``StoreError``."""
    try:
        with path.open("rb") as file:
            head = file.read(4096)
    except OSError as exc:
        raise InputError(f"cannot read `{path}`: {exc.strerror}") from exc
    tally = ImportReport()
    source, drafts = _reader(path, head, tally, progress)
    take_all(store, drafts, tally)
    return Report(source, tally.conversations, tally.messages, tally.present, dict(tally.skipped))


def _reader(
    path: Path, head: bytes, tally: ImportReport, progress: Progress
) -> tuple[str, Iterator[ImportedConversation]]:
    from darkai_cli.history import salvage
    from darkai_cli.history.importers import darkai, llm

    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if salvage.is_ours(head):
        return "darkai", darkai.read_database(path, tally, progress)
    if head.startswith(salvage.MAGIC) and llm.is_database(path):
        return "llm", llm.read(path, tally, progress)
    if text.startswith(b"{") and b'"record"' in text.split(b"\n", 1)[0]:
        return "darkai", darkai.read_jsonl(path, tally, progress)
    if text.startswith((b"[", b"{")):
        return _json(path, tally, progress)
    if re.match(rb"model:[ \t]\S", text):
        from darkai_cli.history.importers import aichat

        return "aichat", aichat.read(path, tally, progress)
    if b"\0" in head:  # a database whose beginning is damaged, perhaps
        return "darkai", darkai.read_database(path, tally, progress)
    raise InputError(
        f"`{path}` is no history that darkai knows",
        hint="it takes its own exports and databases, ChatGPT's `conversations.json`, llm's"
        " `logs.db` and aichat's sessions",
    )


def _json(
    path: Path, tally: ImportReport, progress: Progress
) -> tuple[str, Iterator[ImportedConversation]]:
    """A list of conversations, or one: our own, or ChatGPT's."""
    from darkai_cli.history.importers import chatgpt, darkai

    try:
        whole = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as exc:
        raise InputError(f"`{path}` is not valid JSON") from exc
    found = whole if isinstance(whole, list) else [whole]
    if any(map(darkai.is_conversation, found)):
        return "darkai", darkai.read_json(found, tally, progress)
    if not any(isinstance(one, dict) and "mapping" in one for one in found):
        raise InputError(f"`{path}` holds no conversations that darkai knows")
    return "chatgpt", chatgpt.read(found, path.parent, tally, progress)
