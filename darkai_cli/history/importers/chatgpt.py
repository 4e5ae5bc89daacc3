"""Other programs' histories, read into drafts: ChatGPT's export and llm's database.

Formats as observed, not as documented: ChatGPT's ``conversations.json`` is a list of conversations
whose ``mapping`` is a tree of nodes; llm's ``logs.db`` has ``responses`` up to version 0.31, and
from 0.32 on ``threads`` and ``turns`` over messages that are shared by their hash, beside the old
tables. Ids are derived from the origin's own, so that a second import meets the first.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from darkai_cli.errors import InputError
from darkai_cli.history.ids import derived_id
from darkai_cli.history.importers.chatgpt_files import ChatGptFiles
from darkai_cli.history.importers.draft import (
    DraftMessage,
    ImportedConversation,
    ImportReport,
    turn_for,
)
from darkai_cli.history.importers.llm import LlmImages
from darkai_cli.history.store import StoredTurn
from darkai_cli.history.stored import dumps, title_from
from darkai_cli.messages import ROLES, Image

Progress = Callable[[int, int], None]
_MAX_MS = 1 << 47


def chatgpt(
    found: list[Any], folder: Path, tally: ImportReport, progress: Progress
) -> Iterator[ImportedConversation]:
    """The conversations of ChatGPT's export, as JSON has them; its files are in the ``folder``."""
    files = ChatGptFiles(folder)
    for number, one in enumerate(found, 1):
        try:
            draft = _Chat(one, files, tally).draft()
        except (KeyError, TypeError, ValueError, AttributeError):
            tally.skip("conversation that cannot be understood")
        else:
            yield draft
        progress(number, len(found))


class _Chat:
    """One conversation of ChatGPT's export."""

    def __init__(self, source: dict[str, Any], files: ChatGptFiles, tally: ImportReport) -> None:
        self._source = source
        self._files = files
        self._tally = tally
        self._name = str(source.get("conversation_id") or source["id"])
        self._created = _milliseconds(source.get("create_time"), 0)
        self._messages: list[DraftMessage] = []
        self._turns: list[StoredTurn] = []
        self._kept: dict[str, tuple[str | None, str | None]] = {}  # node: its message, its prompt

    def draft(self) -> ImportedConversation:
        mapping = self._source["mapping"]
        roots = [key for key, node in mapping.items() if node.get("parent") not in mapping]
        waiting: list[tuple[str, str | None, str | None]] = [
            (key, None, None) for key in reversed(roots)
        ]
        while waiting:
            key, parent, prompt = waiting.pop()
            if key in self._kept:  # a node that is a child twice
                continue
            self._kept[key] = self._node(key, mapping[key].get("message"), parent, prompt)
            children = [child for child in mapping[key].get("children") or () if child in mapping]
            waiting += [(child, *self._kept[key]) for child in reversed(children)]
        active, _ = self._kept.get(str(self._source.get("current_node")), (None, None))
        return ImportedConversation(
            derived_id(self._created, "chatgpt", self._name),
            str(self._source.get("title") or ""),
            self._created,
            _milliseconds(self._source.get("update_time"), self._created),
            active or (self._messages[-1].id if self._messages else None),
            "chatgpt",
            self._messages,
            self._turns,
        )

    def _node(
        self, key: str, message: dict[str, Any] | None, parent: str | None, prompt: str | None
    ) -> tuple[str | None, str | None]:
        """The message and prompt that the children of this node are below."""
        text, images = self._said(message) if message else ("", ())
        if not message or not (text or images):
            return parent, prompt
        role = message["author"]["role"]
        created = _milliseconds(message.get("create_time"), self._created)
        made = DraftMessage(
            derived_id(created, "chatgpt", self._name, key), parent, role, text, "", "[]", created,
            images,
        )  # fmt: skip
        self._messages.append(made)
        if role == "assistant":
            self._turns.append(
                turn_for(
                    derived_id(created, "chatgpt", self._name, key, "turn"),
                    made,
                    prompt=prompt,
                    provider="chatgpt",
                    model=str((message.get("metadata") or {}).get("model_slug") or ""),
                    state=_chatgpt_state(message),
                )
            )
        return made.id, made.id if role == "user" else prompt

    def _said(self, message: dict[str, Any]) -> tuple[str, tuple[Image, ...]]:
        """What a message says; empty, and counted, if it is nothing that was shown."""
        role = (message.get("author") or {}).get("role")
        content = message.get("content") or {}
        kind = str(content.get("content_type"))
        hidden = (message.get("metadata") or {}).get("is_visually_hidden_from_conversation")
        parts = content.get("parts") or ([content["text"]] if content.get("text") else [])
        lines, images, missing = self._files.of(message, parts)
        if role not in ROLES:
            self._tally.skip("message of an unknown role")
        elif hidden or (role == "system" and not lines):
            self._tally.skip("hidden message")
        elif kind not in ("text", "multimodal_text", "code", "execution_output"):
            self._tally.skip(f"message of the kind `{kind}`"[:80])
        else:
            if missing:
                self._tally.skip("picture or file; a line names it", missing)
            if not lines and not images:
                self._tally.skip("empty message")
            return "\n".join(lines), tuple(images)
        return "", ()


def _chatgpt_state(message: dict[str, Any]) -> str:
    ended = (message.get("metadata") or {}).get("finish_details") or {}
    if ended.get("type") == "max_tokens":
        return "truncated"
    if ended.get("type") == "interrupted" or message.get("status") == "in_progress":
        return "interrupted"
    return "complete"


def is_database(path: Path) -> bool:
    """Whether SQLite can read the file, and it is not ours under a damaged header."""
    try:
        with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)) as conn:
            tables = {row[0] for row in conn.execute("SELECT name FROM sqlite_master")}
    except sqlite3.Error:
        return False
    return "message_fts" not in tables


def llm(path: Path, tally: ImportReport, progress: Progress) -> Iterator[ImportedConversation]:
    """The conversations of llm's database, of both its schemas. Raises ``InputError``."""
    try:
        with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)) as conn:
            conn.row_factory = sqlite3.Row
            tables = {row[0] for row in conn.execute("SELECT name FROM sqlite_master")}
            if not {"threads", "responses"} & tables:
                raise InputError(f"`{path}` is a database, but not llm's")
            images = LlmImages(conn, tables, tally)
            if "responses" in tables:
                yield from _responses(conn, tables, images, progress)
            if "threads" in tables:
                yield from _threads(conn, tally, images, progress)
            images.tell_rest()
            if "tool_calls" in tables:
                (count,) = conn.execute("SELECT count(*) FROM tool_calls").fetchone()
                if count:
                    tally.skip("tool call", count)
    except sqlite3.Error as exc:
        raise InputError(f"`{path}` cannot be read: {exc}") from exc


def _responses(
    conn: sqlite3.Connection, tables: set[str], images: LlmImages, progress: Progress
) -> Iterator[ImportedConversation]:
    """The conversations of the old schema: a row for each prompt with its reply, in one line."""
    chats: dict[str, list[dict[str, Any]]] = {}
    # some versions wrote both schemas at once, under the same ids
    twice = " WHERE id NOT IN (SELECT id FROM turns)" if "turns" in tables else ""
    for row in conn.execute(f"SELECT * FROM responses{twice} ORDER BY datetime_utc, id"):  # noqa: S608
        response = dict(row)
        chats.setdefault(response.get("conversation_id") or response["id"], []).append(response)
    names = (
        dict(conn.execute("SELECT id, name FROM conversations").fetchall())
        if "conversations" in tables
        else {}
    )
    for number, (chat, found) in enumerate(chats.items(), 1):
        messages: list[DraftMessage] = []
        turns = []
        for response in found:
            above = messages[-1].id if messages else None
            prompt, reply, turn = _response(response, above)
            prompt = prompt._replace(attachments=images.of_response(str(response["id"])))
            asked = prompt.text or prompt.attachments
            messages += [prompt, reply] if asked else [reply._replace(parent=above)]
            turns.append(turn if asked else turn._replace(prompt=None))
        yield _llm_draft(chat, names.get(chat), messages, turns)
        progress(number, len(chats))


def _response(
    response: dict[str, Any], above: str | None
) -> tuple[DraftMessage, DraftMessage, StoredTurn]:
    when, name = _iso(response.get("datetime_utc")), str(response["id"])
    prompt = DraftMessage(
        derived_id(when, "llm", name, "prompt"), above, "user",
        str(response.get("prompt") or ""), "", "[]", when,
    )  # fmt: skip
    reply = DraftMessage(
        derived_id(when, "llm", name, "reply"), prompt.id, "assistant",
        str(response.get("response") or ""), str(response.get("reasoning") or ""), "[]", when,
    )  # fmt: skip
    turn = turn_for(
        derived_id(when, "llm", name, "turn"), reply,
        prompt=prompt.id, provider="llm", model=str(response.get("model") or ""),
    )  # fmt: skip
    return prompt, reply, _with_details(turn, response)._replace(system=response.get("system"))


def _threads(
    conn: sqlite3.Connection, tally: ImportReport, images: LlmImages, progress: Progress
) -> Iterator[ImportedConversation]:
    """The conversations of the new schema: turns whose messages are chains of shared rows."""
    threads = conn.execute("SELECT * FROM threads ORDER BY datetime_utc, id").fetchall()
    for number, thread in enumerate(threads, 1):
        messages: dict[str, DraftMessage] = {}
        turns = []
        for turn in conn.execute(
            "SELECT * FROM turns WHERE thread_id = ? ORDER BY datetime_utc, id", (thread["id"],)
        ).fetchall():
            made = _thread_turn(conn, str(thread["id"]), dict(turn), messages, tally, images)
            if made is not None:
                turns.append(made)
        if messages:
            yield _llm_draft(str(thread["id"]), thread["name"], list(messages.values()), turns)
        progress(number, len(threads))


def _thread_turn(
    conn: sqlite3.Connection,
    thread: str,
    turn: dict[str, Any],
    messages: dict[str, DraftMessage],
    tally: ImportReport,
    images: LlmImages,
) -> StoredTurn | None:
    """Add the messages of a turn that are new; the turn, or None if it has no reply."""
    chain = conn.execute(
        "WITH RECURSIVE up(depth, hash, parent, role) AS ("
        " SELECT 0, hash, parent_hash, role FROM messages WHERE hash = ?"
        " UNION ALL SELECT depth + 1, m.hash, m.parent_hash, m.role"
        " FROM up JOIN messages m ON m.hash = up.parent WHERE depth < 100000"
        ") SELECT hash, role FROM up ORDER BY depth DESC",
        (turn["tip_message_hash"],),
    ).fetchall()
    when = _iso(turn["datetime_utc"])
    above, prompt, system, reply = None, None, None, None
    for name, role in chain:
        if name not in messages:
            text, reasoning, seen = _parts(conn, name, tally, images)
            if role == "system":
                system = text
                continue
            if role not in ROLES or not (text or reasoning or seen):
                continue
            identifier = derived_id(when, "llm", thread, name)
            messages[name] = DraftMessage(
                identifier, above, role, text, reasoning, "[]", when, seen
            )
        above = messages[name].id
        prompt = above if role == "user" else prompt
        reply = messages[name] if role == "assistant" else reply
    if reply is None:
        tally.skip("turn without a reply")
        return None
    made = turn_for(
        derived_id(when, "llm", thread, str(turn["id"]), "turn"), reply,
        prompt=prompt, provider="llm", model=str(turn["model"] or ""),
    )  # fmt: skip
    return _with_details(made, turn)._replace(system=system)


def _parts(
    conn: sqlite3.Connection, message: str, tally: ImportReport, images: LlmImages
) -> tuple[str, str, tuple[Image, ...]]:
    """Text, reasoning and images of a message of the new schema; long texts are fragments."""
    seen: list[Image] = []
    texts: list[str] = []
    thoughts: list[str] = []
    for part in conn.execute(
        "SELECT p.id, p.type, coalesce(nullif(p.text, ''),"
        " (SELECT group_concat(f.content, char(10))"
        " FROM part_fragments pf JOIN fragments f ON f.id = pf.fragment_id"
        " WHERE pf.part_id = p.id)) AS text FROM parts p WHERE message_hash = ? ORDER BY position",
        (message,),
    ).fetchall():
        if part["type"] == "attachment":
            seen += images.of_part(part["id"])
        elif part["type"] in ("text", "reasoning") and part["text"]:
            (texts if part["type"] == "text" else thoughts).append(part["text"])
        elif part["type"] not in ("text", "reasoning"):
            tally.skip(f"part of the kind `{part['type']}`"[:80])
    return "\n".join(texts), "\n".join(thoughts), tuple(seen)


def _with_details(turn: StoredTurn, row: dict[str, Any]) -> StoredTurn:
    try:
        options = json.loads(row.get("options_json") or "{}")
    except ValueError:
        options = {}
    return turn._replace(
        options=dumps(options if isinstance(options, dict) else {}),
        input_tokens=_count(row.get("input_tokens")),
        output_tokens=_count(row.get("output_tokens")),
        duration_ms=_count(row.get("duration_ms")),
    )


def _llm_draft(
    name: str, title: str | None, messages: list[DraftMessage], turns: list[StoredTurn]
) -> ImportedConversation:
    first, last = messages[0], messages[-1]
    return ImportedConversation(
        derived_id(first.created, "llm", name),
        title_from(title or first.text, (one.name for one in first.attachments)),
        first.created,
        last.created,
        last.id,
        "llm",
        messages,
        turns,
    )


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and value >= 0 else None


def _iso(value: object) -> int:
    """Milliseconds since 1970; 0 for what is no time. Without a zone it is UTC."""
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        return 0
    return max(0, int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000))


def _milliseconds(seconds: object, default: int) -> int:
    """ChatGPT's seconds since 1970 as milliseconds."""
    if not isinstance(seconds, int | float) or not 0 < seconds < _MAX_MS / 1000:
        return default
    return int(seconds * 1000)
