"""Write turns: the ids of a turn and its parts, and the records that the database is given.

A record is a plain JSON object that says what happened: a turn began, the reply's text went on, the
turn ended. The journal writes records to the database or, while that is locked, to a file that is
merged later, so applying a record twice changes nothing, and a record about a turn that the user
has removed meanwhile is dropped. Text arrives as *pieces*, small rows beside the message; the end
of the turn folds them into the message, so that a long reply is neither rewritten nor indexed again
for each piece.
"""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from darkai_cli.history import ids
from darkai_cli.text import one_line, well_formed

if TYPE_CHECKING:
    import sqlite3

Record = dict[str, Any]
_BITS_BELOW_SECOND = 6
"""Bits of a message's number below the second: so many messages of one second are in order."""
_TITLE_LENGTH = 80
_FILE = ("==> ", " <==")
"""The marks around the name of a file whose text is attached to a prompt."""


class TurnIds(NamedTuple):
    """The ids of a turn and its parts."""

    conversation: str
    turn: str
    prompt: str
    reply: str


def pending_folder(database: Path) -> Path:
    """Return the folder with the records that are not in the database yet (``recovery``)."""
    return Path(f"{database}.pending")


def dumps(value: object) -> str:
    """Return JSON as it is stored: compact, equal for equal values, without lone surrogates."""
    return well_formed(json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True))


def title_from(prompt: str, attached: Iterable[str] = ()) -> str:
    """Return a conversation's first title: the beginning of its first prompt.

    If that has no text of the user's own, it is the name of the file that the prompt begins with,
    or else the first of the ``attached`` names.
    """
    words = one_line(prompt[: _TITLE_LENGTH * 4])
    if prompt.startswith(_FILE[0]):
        name, mark, _ = prompt.partition("\n")[0].removeprefix(_FILE[0]).rpartition(_FILE[1])
        words = _file_name(name) if mark else words
    words = words or next(filter(None, map(_file_name, attached)), "")
    return words if len(words) <= _TITLE_LENGTH else words[: _TITLE_LENGTH - 1].rstrip() + "…"


def _file_name(name: str) -> str:
    """Return a file's name without its folder; all of a URL."""
    short = name if "://" in name else name.rstrip("/").rpartition("/")[2]
    return one_line(short or name)


def first_number(ms: int) -> int:
    """Return the lowest number that a message of that time can have."""
    return (max(ms, 0) // 1000) << _BITS_BELOW_SECOND


def number_at(conn: sqlite3.Connection, ms: int) -> int:
    """Return a free number for a message of that time, in a write transaction.

    In a second that is full, later ones are tried, further and further away.
    """
    base, width = first_number(ms), 1 << _BITS_BELOW_SECOND
    while True:
        last = conn.execute(
            "SELECT max(n) FROM message WHERE n >= ? AND n < ?", (base, base + width)
        ).fetchone()[0]
        if last is None:
            return base
        if last + 1 < base + width:
            return int(last) + 1
        base, width = base + width, width * 2


def apply(conn: sqlite3.Connection, record: Mapping[str, Any], owner: str | None) -> None:
    """Write one record, in the caller's transaction. Records of a newer version are skipped.

    ``owner``: the process whose record it is (``recovery``), None if it has nothing pending.
    """
    kind = record["op"]
    if kind == "begin":
        if not _exists(conn, record):
            _begin(conn, record, owner)
    elif kind == "answered":
        conn.execute(
            "UPDATE turn SET provider = ?, model = ? WHERE id = ?",
            (record["provider"], record["model"], record["turn"]),
        )
    elif kind == "piece":
        _piece(conn, record)
    elif kind == "end":
        _end(conn, record)


def interrupt(conn: sqlite3.Connection, owner: str | None) -> None:
    """Mark the turns that a dead process left open as interrupted."""
    rows = conn.execute(
        "SELECT id FROM turn WHERE state = 'streaming' AND owner IS ?", (owner,)
    ).fetchall()
    for (turn,) in rows:
        fold(conn, turn)
        conn.execute("UPDATE turn SET state = 'interrupted' WHERE id = ?", (turn,))


def fold(conn: sqlite3.Connection, turn: str) -> None:
    """Move the pieces of a turn into its reply."""
    pieces = conn.execute(
        "SELECT seq, kind, text FROM piece WHERE turn = ? ORDER BY seq", (turn,)
    ).fetchall()
    if not pieces:
        return
    row = conn.execute(
        "SELECT m.id, m.text, m.reasoning, m.parts FROM turn t JOIN message m ON m.id = t.reply"
        " WHERE t.id = ?",
        (turn,),
    ).fetchone()
    reply, text, reasoning, parts = with_pieces(row, [(kind, text) for _, kind, text in pieces])
    conn.execute(
        "UPDATE message SET text = ?, reasoning = ?, parts = ? WHERE id = ?",
        (text, reasoning, parts, reply),
    )
    conn.execute("DELETE FROM piece WHERE turn = ?", (turn,))
    conn.execute("UPDATE turn SET folded = ? WHERE id = ?", (pieces[-1][0] + 1, turn))


def with_pieces(
    row: tuple[str, str, str, str], pieces: list[tuple[str, str]]
) -> tuple[str, str, str, str]:
    """Return the (id, text, reasoning, parts) of a message with pieces (kind, text) added."""
    reply, text, reasoning, parts = row
    of_kind = {
        kind: [text for piece_kind, text in pieces if piece_kind == kind]
        for kind in ("text", "reasoning", "part")
    }
    if of_kind["part"]:
        parts = dumps(json.loads(parts) + [json.loads(part) for part in of_kind["part"]])
    return reply, text + "".join(of_kind["text"]), reasoning + "".join(of_kind["reasoning"]), parts


def _exists(conn: sqlite3.Connection, begin: Mapping[str, Any]) -> bool:
    turn = TurnIds(*begin["ids"]).turn
    return conn.execute("SELECT 1 FROM turn WHERE id = ?", (turn,)).fetchone() is not None


def _begin(conn: sqlite3.Connection, record: Mapping[str, Any], owner: str | None) -> None:
    """Write a new turn, its reply still empty."""
    names = TurnIds(*record["ids"])
    started = record["started"]
    conn.execute(
        "INSERT OR IGNORE INTO conversation (id, title, created, updated) VALUES (?, ?, ?, ?)",
        (names.conversation, record["title"], started, started),
    )
    if record["prompt"] is not None:
        prompt = (names.prompt, record["prompt"], "", "[]")
        _message(conn, names.conversation, record["parent"], "user", prompt)
        for seq, (media_type, name, data) in enumerate(record.get("images", ())):
            attach(conn, names.prompt, seq, (media_type, name, _bytes(data)))
    reply = (names.reply, "", "", "[]")
    _message(conn, names.conversation, names.prompt, "assistant", reply)
    conn.execute(
        "INSERT INTO turn (id, conversation, prompt, reply, provider, model, options, system,"
        " state, started, resumes, owner)"
        " VALUES (?, ?, (SELECT id FROM message WHERE id = ?), ?, ?, ?, ?, ?, 'streaming',"
        " ?, ?, ?)",
        (
            names.turn, names.conversation, names.prompt, names.reply, record["provider"],
            record["model"], record["options"], record["system"], started, record["resumes"],
            owner,
        ),
    )  # fmt: skip
    # A turn that is merged late does not change which branch the user chose since.
    conn.execute(
        "UPDATE conversation SET active = ?, updated = max(updated, ?)"
        " WHERE id = ? AND updated <= ?",
        (names.reply, started, names.conversation, started),
    )


def _message(
    conn: sqlite3.Connection,
    conversation: str,
    parent: str | None,
    role: str,
    content: tuple[str, str, str, str],
) -> None:
    """Add a message (its id, text, reasoning, parts).

    A parent that is missing, because a damaged history was replaced, is left out.
    """
    created = ids.ms_of(content[0])
    conn.execute(
        "INSERT INTO message"
        " (n, conversation, parent, role, created, id, text, reasoning, parts)"
        " VALUES (?, ?, (SELECT id FROM message WHERE id = ?), ?, ?, ?, ?, ?, ?)",
        (number_at(conn, created), conversation, parent, role, created, *content),
    )


def attach(
    conn: sqlite3.Connection, message: str, seq: int, content: tuple[str, str, bytes]
) -> None:
    """Add an attachment (its media type, name, data) to a message."""
    conn.execute(
        "INSERT INTO attachment (message, seq, media_type, name, data) VALUES (?, ?, ?, ?, ?)",
        (message, seq, *content),
    )


def _bytes(data: bytes | str) -> bytes:
    """Return data that is given as it is or, from a file of pending records, in base64."""
    return b64decode(data, validate=True) if isinstance(data, str) else data


def _piece(conn: sqlite3.Connection, record: Mapping[str, Any]) -> None:
    conn.execute(
        "INSERT OR IGNORE INTO piece (turn, seq, kind, text)"
        " SELECT id, :seq, :kind, :text FROM turn WHERE id = :turn AND folded <= :seq",
        {name: record[name] for name in ("turn", "seq", "kind", "text")},
    )


def _end(conn: sqlite3.Connection, record: Mapping[str, Any]) -> None:
    turn = record["turn"]
    fold(conn, turn)
    conn.execute(
        "UPDATE turn SET state = ?, reason = ?, error_kind = ?, error = ?, input_tokens = ?,"
        " output_tokens = ?, reasoning_tokens = ?, cached_tokens = ?, first_text_ms = ?,"
        " duration_ms = ? WHERE id = ?",
        (
            record["state"], record["reason"], record["error_kind"], record["error"],
            *record["usage"], record["first_text_ms"], record["duration_ms"], turn,
        ),
    )  # fmt: skip
    conn.execute(
        "UPDATE conversation SET updated = max(updated, ?)"
        " WHERE id = (SELECT conversation FROM turn WHERE id = ?)",
        (record["ended"], turn),
    )
