"""The schema of the history as numbered steps, and the migration from any older one.

Each step is a tuple of SQL statements; ``PRAGMA user_version`` is the number of steps that a file
has taken. A new file takes the same steps as an old one, so that there is only one way to the
present schema. A step that has been released is never edited: to change the schema, append one. Its
test starts from the version before, with data in it. ``docs/reference/history.md`` explains every
column. Times are milliseconds since 1970; the views give them as text.

``message.n`` counts up with the time (see ``turns.number_at``), so that the order of the row
numbers, which costs the full-text index nothing, is the order of the dates. References that would
need an index of their own only to be deleted by (``conversation.active``, ``turn.resumes``) are not
declared as foreign keys; ``Store.check`` looks at them.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

APPLICATION_ID = 0x64_61_72_6B  # "dark", in the file's header
STATES = ("streaming", "complete", "interrupted", "truncated", "failed")

TABLES = (
    """
    CREATE TABLE conversation (
      id TEXT PRIMARY KEY NOT NULL,
      title TEXT NOT NULL DEFAULT '',
      created INTEGER NOT NULL,
      updated INTEGER NOT NULL,
      active TEXT,
      source TEXT NOT NULL DEFAULT 'darkai'
    )
    """,
    """
    CREATE TABLE message (
      n INTEGER PRIMARY KEY,
      id TEXT NOT NULL UNIQUE,
      conversation TEXT NOT NULL REFERENCES conversation(id) ON DELETE CASCADE,
      parent TEXT REFERENCES message(id),
      role TEXT NOT NULL CHECK (role IN ('system', 'user', 'assistant', 'tool')),
      text TEXT NOT NULL DEFAULT '',
      reasoning TEXT NOT NULL DEFAULT '',
      parts TEXT NOT NULL DEFAULT '[]',
      created INTEGER NOT NULL
    )
    """,
    """
    CREATE TABLE turn (
      id TEXT PRIMARY KEY NOT NULL,
      conversation TEXT NOT NULL REFERENCES conversation(id) ON DELETE CASCADE,
      prompt TEXT REFERENCES message(id),
      reply TEXT NOT NULL UNIQUE REFERENCES message(id),
      provider TEXT NOT NULL DEFAULT '',
      model TEXT NOT NULL DEFAULT '',
      options TEXT NOT NULL DEFAULT '{}',
      system TEXT,
      state TEXT NOT NULL
        CHECK (state IN ('streaming', 'complete', 'interrupted', 'truncated', 'failed')),
      reason TEXT,
      error_kind TEXT,
      error TEXT,
      input_tokens INTEGER,
      output_tokens INTEGER,
      reasoning_tokens INTEGER,
      cached_tokens INTEGER,
      first_text_ms INTEGER,
      duration_ms INTEGER,
      started INTEGER NOT NULL,
      resumes TEXT,
      owner TEXT,
      folded INTEGER NOT NULL DEFAULT 0
    )
    """,
    """
    CREATE TABLE piece (
      turn TEXT NOT NULL REFERENCES turn(id) ON DELETE CASCADE,
      seq INTEGER NOT NULL,
      kind TEXT NOT NULL CHECK (kind IN ('text', 'reasoning', 'part')),
      text TEXT NOT NULL,
      PRIMARY KEY (turn, seq)
    ) WITHOUT ROWID
    """,
    "CREATE INDEX conversation_updated ON conversation(updated)",
    "CREATE INDEX message_conversation ON message(conversation)",
    "CREATE INDEX message_parent ON message(parent)",
    "CREATE INDEX turn_conversation ON turn(conversation, id)",
    "CREATE INDEX turn_prompt ON turn(prompt)",
    "CREATE INDEX turn_streaming ON turn(owner) WHERE state = 'streaming'",
    """
    CREATE VIEW conversations AS
    SELECT c.id, c.title, strftime('%Y-%m-%dT%H:%M:%SZ', c.created / 1000, 'unixepoch') AS created,
      strftime('%Y-%m-%dT%H:%M:%SZ', c.updated / 1000, 'unixepoch') AS updated,
      (SELECT count(*) FROM turn t WHERE t.conversation = c.id) AS turns,
      (SELECT model FROM turn t WHERE t.conversation = c.id ORDER BY id DESC LIMIT 1) AS model,
      (SELECT state FROM turn t WHERE t.conversation = c.id ORDER BY id DESC LIMIT 1) AS state,
      c.source
    FROM conversation c
    """,
    """
    CREATE VIEW replies AS
    SELECT t.id AS turn, strftime('%Y-%m-%dT%H:%M:%SZ', t.started / 1000, 'unixepoch') AS started,
      t.provider, t.model, t.state, t.reason, t.error, p.text AS prompt, r.text AS reply,
      t.input_tokens, t.output_tokens, t.first_text_ms, t.duration_ms, t.conversation
    FROM turn t JOIN message r ON r.id = t.reply LEFT JOIN message p ON p.id = t.prompt
    """,
    """
    CREATE VIEW usage_by_day AS
    SELECT date(started / 1000, 'unixepoch') AS day, provider, model, count(*) AS turns,
      sum(input_tokens) AS input_tokens, sum(output_tokens) AS output_tokens
    FROM turn GROUP BY day, provider, model
    """,
)

SEARCH = (
    """
    CREATE VIRTUAL TABLE message_fts USING fts5(
      text, reasoning, content='message', content_rowid='n',
      tokenize="unicode61 remove_diacritics 2"
    )
    """,
    """
    CREATE TRIGGER message_fts_insert AFTER INSERT ON message BEGIN
      INSERT INTO message_fts(rowid, text, reasoning) VALUES (new.n, new.text, new.reasoning);
    END
    """,
    """
    CREATE TRIGGER message_fts_delete AFTER DELETE ON message BEGIN
      INSERT INTO message_fts(message_fts, rowid, text, reasoning)
      VALUES ('delete', old.n, old.text, old.reasoning);
    END
    """,
    """
    CREATE TRIGGER message_fts_update AFTER UPDATE OF text, reasoning ON message BEGIN
      INSERT INTO message_fts(message_fts, rowid, text, reasoning)
      VALUES ('delete', old.n, old.text, old.reasoning);
      INSERT INTO message_fts(rowid, text, reasoning) VALUES (new.n, new.text, new.reasoning);
    END
    """,
    "INSERT INTO message_fts(message_fts) VALUES ('rebuild')",
)

ATTACHMENTS = (
    """
    CREATE TABLE attachment (
      message TEXT NOT NULL REFERENCES message(id) ON DELETE CASCADE,
      seq INTEGER NOT NULL,
      media_type TEXT NOT NULL,
      name TEXT NOT NULL DEFAULT '',
      data BLOB NOT NULL,
      PRIMARY KEY (message, seq)
    )
    """,
)

STEPS: tuple[tuple[str, ...], ...] = (
    TABLES,  # 1: conversations, messages, turns
    SEARCH,  # 2: the full-text index, built from the messages that are there
    ATTACHMENTS,  # 3: the images that went along with a prompt
)
VERSION = len(STEPS)
"""The number of the present schema."""


def version_of(conn: sqlite3.Connection) -> int:
    """Return how many steps the database has taken."""
    version: int = conn.execute("PRAGMA user_version").fetchone()[0]
    return version


def migrate(conn: sqlite3.Connection, path: Path) -> None:
    """Take the steps that are missing, in the caller's transaction, after copying the file.

    Raises ``sqlite3.Error`` or ``OSError``.
    """
    version = version_of(conn)  # Another process may have been first.
    if version >= VERSION:
        return
    if version > 0:
        _copy(path, Path(f"{path}.before-v{VERSION}"))
    for step in STEPS[version:]:
        for statement in step:
            conn.execute(statement)
    conn.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    conn.execute(f"PRAGMA user_version = {VERSION}")


def _copy(path: Path, target: Path) -> None:
    """Copy the committed state of the database, including its write-ahead log."""
    unfinished = Path(f"{target}.tmp")
    unfinished.unlink(missing_ok=True)
    unfinished.touch(mode=0o600, exist_ok=False)
    reader, writer = sqlite3.connect(path), sqlite3.connect(unfinished)
    try:
        reader.backup(writer)
    finally:
        writer.close()
        reader.close()
    unfinished.replace(target)
