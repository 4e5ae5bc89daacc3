"""Conversations on their way in: our own JSON Lines, ChatGPT's, llm's, aichat's.

What a file is is seen from how it begins, not from its name. Nothing in it is trusted: what does
not fit is left out, counted and named. Importing the same file again takes nothing twice.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from darkai_cli.errors import InputError
from darkai_cli.history import ids, schema
from darkai_cli.history.drafts import Draft, DraftMessage, Tally, take_all
from darkai_cli.history.export import FORMAT_VERSION
from darkai_cli.history.store import Store, Turn
from darkai_cli.history.stored import dumps
from darkai_cli.messages import ROLES

Progress = Callable[[int, int], None]
"""Called with how much is done and how much there is."""

_MAX_INTEGER = (1 << 63) - 1
_OPTIONAL_TEXT = ("prompt", "system", "reason", "error_kind", "error", "resumes")
_COUNTS = (
    "input_tokens", "output_tokens", "reasoning_tokens", "cached_tokens", "first_text_ms",
    "duration_ms",
)  # fmt: skip


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
    tally = Tally()
    source, drafts = _reader(path, head, tally, progress)
    take_all(store, drafts, tally)
    return Report(source, tally.conversations, tally.messages, tally.present, dict(tally.skipped))


def _reader(
    path: Path, head: bytes, tally: Tally, progress: Progress
) -> tuple[str, Iterator[Draft]]:
    from darkai_cli.history import foreign

    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if head.startswith(b"SQLite format 3\0"):
        return "llm", foreign.llm(path, tally, progress)
    if text.startswith(b"{") and b'"record"' in text.split(b"\n", 1)[0]:
        return "darkai", _jsonl(path, tally, progress)
    if text.startswith((b"[", b"{")):
        return "chatgpt", foreign.chatgpt(path, tally, progress)
    if re.match(rb"model:[ \t]\S", text):
        from darkai_cli.history.aichat import aichat

        return "aichat", aichat(path, tally, progress)
    raise InputError(
        f"`{path}` is no history that darkai knows",
        hint="it takes its own `.jsonl`, ChatGPT's `conversations.json`, llm's `logs.db` and"
        " aichat's sessions",
    )


def _jsonl(path: Path, tally: Tally, progress: Progress) -> Iterator[Draft]:
    total, done = path.stat().st_size, 0
    draft: Draft | None = None
    with path.open("rb") as file:
        for line in file:
            done += len(line)
            try:
                record = json.loads(line)
                kind = record["record"]
                if kind == "history" and record.get("version", 0) > FORMAT_VERSION:
                    raise InputError(f"`{path}` was written by a newer darkai")
                if kind == "conversation":
                    if draft is not None:
                        yield draft
                        progress(done, total)
                    draft = None
                    draft = _conversation(record)
                elif kind in ("message", "turn"):
                    _belongs(draft, record)
            except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
                if line.strip():
                    tally.skip("line that cannot be understood")
    if draft is not None:
        yield draft
    progress(total, total)


def _belongs(draft: Draft | None, record: dict[str, Any]) -> None:
    """Add a message or turn to the conversation before it. Raises ``ValueError``."""
    if draft is None or record["conversation"] != draft.id:
        raise ValueError("its conversation is not there")
    if record["record"] == "message":
        draft.messages.append(_message(record))
    else:
        draft.turns.append(_turn(record))


def _conversation(record: dict[str, Any]) -> Draft:
    return Draft(
        _id(record["id"]),
        _text(record["title"]),
        _whole(record["created"]),
        _whole(record["updated"]),
        None if record["active"] is None else _id(record["active"]),
        _text(record["source"]),
        [],
        [],
    )


def _message(record: dict[str, Any]) -> DraftMessage:
    parts = record["parts"]
    if record["role"] not in ROLES or not all(isinstance(part, dict) for part in parts):
        raise ValueError("not a message")
    return DraftMessage(
        _id(record["id"]),
        None if record["parent"] is None else _id(record["parent"]),
        record["role"],
        _text(record["text"]),
        _text(record["reasoning"]),
        dumps(list(parts)),
        _whole(record["created"]),
    )


def _turn(record: dict[str, Any]) -> Turn:
    values = {name: record[name] for name in Turn._fields}
    for name in ("id", "reply"):
        _id(values[name])
    for name in ("provider", "model"):
        _text(values[name])
    for name in _OPTIONAL_TEXT:
        _text(values[name] or "")
    for name in ("started", *_COUNTS):
        _whole(values[name] or 0)
    if values["state"] not in schema.STATES or not isinstance(values["options"], dict):
        raise ValueError("not a turn")
    if values["state"] == "streaming":  # when it was exported
        values["state"] = "interrupted"
    return Turn(**(values | {"options": dumps(values["options"])}))


def _id(value: object) -> str:
    if not ids.is_id(value):
        raise ValueError("not an id")
    return str(value)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("not a text")  # noqa: TRY004 -- one kind of error for the caller
    return value


def _whole(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _MAX_INTEGER:
        raise ValueError("not a number")
    return value
