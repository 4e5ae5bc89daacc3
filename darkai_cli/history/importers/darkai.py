"""darkai's own records on their way back in: what ``export`` wrote as JSON Lines or JSON.

Nothing in a file is trusted: a record that is not of the right form is left out and counted. The
same checks serve for rows that were saved from a damaged database (``salvage``).
"""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from darkai_cli.errors import InputError
from darkai_cli.history import ids, schema
from darkai_cli.history.export import FORMAT_VERSION
from darkai_cli.history.importers.draft import DraftMessage, ImportedConversation, ImportReport
from darkai_cli.history.store import StoredTurn
from darkai_cli.history.turns import dumps
from darkai_cli.messages import ROLES, Image

Progress = Callable[[int, int], None]

MALFORMED = (ValueError, KeyError, TypeError, AttributeError, RecursionError)
"""What a record that is of no known form raises."""
_MAX_INTEGER = (1 << 63) - 1
_OPTIONAL_TEXT = ("prompt", "system", "reason", "error_kind", "error", "resumes")
_COUNTS = (
    "input_tokens", "output_tokens", "reasoning_tokens", "cached_tokens", "first_text_ms",
    "duration_ms",
)  # fmt: skip


def jsonl(path: Path, tally: ImportReport, progress: Progress) -> Iterator[ImportedConversation]:
    """The conversations of an export, a record a line. Raises ``InputError``."""
    total, done = path.stat().st_size, 0
    draft: ImportedConversation | None = None
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
                    draft = whole(record, tally)
                elif kind in ("message", "turn"):
                    _belongs(draft, record, tally)
            except MALFORMED:
                if line.strip():
                    tally.skip("line that cannot be understood")
    if draft is not None:
        yield draft
    progress(total, total)


def is_whole(value: object) -> bool:
    """Whether that is a conversation as JSON export writes it, its messages inside."""
    return isinstance(value, dict) and value.get("record") == "conversation"


def conversations(
    found: list[Any], tally: ImportReport, progress: Progress
) -> Iterator[ImportedConversation]:
    """The conversations of a JSON export."""
    for number, one in enumerate(found, 1):
        try:
            draft = whole(one, tally)
        except MALFORMED:
            tally.skip("conversation that cannot be understood")
        else:
            yield draft
        progress(number, len(found))


def whole(record: dict[str, Any], tally: ImportReport) -> ImportedConversation:
    """A conversation, with its messages and turns. Raises one of ``MALFORMED``."""
    draft = conversation(record)
    for inner in [*record.get("messages", ()), *record.get("turns", ())]:
        try:
            _belongs(draft, inner, tally)
        except MALFORMED:
            tally.skip("message or turn that cannot be understood")
    return draft


def in_order(messages: Iterable[DraftMessage]) -> list[DraftMessage]:
    """Parents before their children. What hangs on nothing, or on itself, is left out."""
    children: dict[str | None, list[DraftMessage]] = {}
    for one in messages:
        children.setdefault(one.parent, []).append(one)
    ordered: list[DraftMessage] = []
    waiting = children.get(None, [])[::-1]
    while waiting:
        one = waiting.pop()
        ordered.append(one)
        waiting.extend(reversed(children.get(one.id, [])))
    return ordered


def _belongs(
    draft: ImportedConversation | None, record: dict[str, Any], tally: ImportReport
) -> None:
    """Add a message or turn to the conversation before it. Raises ``ValueError``."""
    if draft is None or record["conversation"] != draft.id:
        raise ValueError("its conversation is not there")
    if record["record"] == "message":
        draft.messages.append(
            message(record)._replace(attachments=tuple(_attachments(record, tally)))
        )
    else:
        draft.turns.append(turn(record))


def _attachments(record: dict[str, Any], tally: ImportReport) -> Iterator[Image]:
    """What goes along with a message; what makes no sense is left out and counted."""
    given: Any = record.get("attachments") or []
    for one in given if isinstance(given, list) else [given]:
        try:
            media_type, name, data = _text(one["media_type"]), _text(one["name"]), one.get("data")
            if data is None:  # as `history show --json` writes it
                tally.skip("attachment without its data")
            else:
                yield Image(media_type, b64decode(_text(data), validate=True), name)
        except MALFORMED:
            tally.skip("attachment that cannot be understood")


def conversation(record: dict[str, Any]) -> ImportedConversation:
    """A conversation without its messages. Raises one of ``MALFORMED``, as do those below."""
    return ImportedConversation(
        _id(record["id"]),
        _text(record["title"]),
        _whole(record["created"]),
        _whole(record["updated"]),
        None if record["active"] is None else _id(record["active"]),
        _text(record["source"]),
        [],
        [],
    )


def message(record: dict[str, Any]) -> DraftMessage:
    """A message."""
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


def turn(record: dict[str, Any]) -> StoredTurn:
    """A turn; one that was being written is interrupted."""
    values = {name: record[name] for name in StoredTurn._fields}
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
    return StoredTurn(**(values | {"options": dumps(values["options"])}))


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
