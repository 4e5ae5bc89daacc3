from __future__ import annotations

import sqlite3
import stat

import pytest

from darkai_cli.errors import StoreError
from darkai_cli.history import ids, schema, search, tree
from darkai_cli.history.store import Store


def make_version(path, version, texts=("the quick fox",)):
    """A database as the first ``version`` steps leave it, with a conversation in it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    conn = sqlite3.connect(path, isolation_level=None)
    conn.execute("PRAGMA journal_mode = WAL")
    conn.execute("BEGIN")
    for step in schema.STEPS[:version]:
        for statement in step:
            conn.execute(statement)
    conn.execute(f"PRAGMA user_version = {version}")
    conn.execute(f"PRAGMA application_id = {schema.APPLICATION_ID}")
    conversation = ids.new_id()
    names = ids.new_ids(len(texts))
    conn.execute(
        "INSERT INTO conversation VALUES (?, 'title', 1, 2, ?, 'darkai')",
        (conversation, names[0]),
    )
    for n, text in enumerate(texts):
        conn.execute(
            "INSERT INTO message (n, id, conversation, role, text, created) VALUES (?, ?, ?, 'user', ?, 1)",
            (n, names[n], conversation, text),
        )
    conn.execute("COMMIT")
    conn.close()
    return conversation


@pytest.mark.parametrize("version", range(1, schema.VERSION))
def test_each_version_is_brought_to_the_present_with_its_data(database, version):
    conversation = make_version(database, version)
    with Store(database) as store:
        assert store.row("PRAGMA user_version")[0] == schema.VERSION
        assert store.latest() == conversation
        assert [hit.conversation for hit in search.search(store, "quick").hits] == [conversation]
        assert store.check() == []
        (prompt,) = tree.branch(store, conversation)
        assert (prompt.text, prompt.attachments) == ("the quick fox", ())
        assert store.remove([conversation]) == 1  # the new table goes with the old ones


def test_a_copy_is_made_first(database):
    make_version(database, 1)
    Store(database).close()
    copy = database.with_name(f"history.db.before-v{schema.VERSION}")
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    conn = sqlite3.connect(copy)
    assert conn.execute("PRAGMA user_version").fetchone() == (1,)
    assert conn.execute("SELECT text FROM message").fetchall() == [("the quick fox",)]
    conn.close()
    copy.unlink()
    Store(database).close()
    assert not copy.exists()


def test_a_fresh_database_needs_no_copy(database):
    Store(database).close()
    assert [p.name for p in database.parent.iterdir()] == ["history.db"]


def test_a_step_that_fails_changes_nothing(database, monkeypatch):
    make_version(database, 1)
    broken = (*schema.STEPS, ("CREATE TABLE more (x)", "this is no SQL"))
    monkeypatch.setattr(schema, "STEPS", broken)
    monkeypatch.setattr(schema, "VERSION", len(broken))
    with pytest.raises(StoreError, match="syntax error"):
        Store(database)
    conn = sqlite3.connect(database)
    assert conn.execute("PRAGMA user_version").fetchone() == (1,)
    assert conn.execute(
        "SELECT count(*) FROM sqlite_master WHERE name IN ('more', 'message_fts')"
    ).fetchone() == (0,)
    conn.close()


@pytest.mark.parametrize("version", range(1, schema.VERSION))
def test_32_processes_migrate_an_old_database_at_once(database, start, version):
    make_version(database, version, ["some text"] * 300)
    children = [start("ask") for _ in range(32)]
    outputs = [child.communicate()[0] for child in children]
    assert [child.returncode for child in children] == [0] * 32, outputs
    with Store(database) as store:
        assert store.row("SELECT count(*) FROM turn WHERE state = 'complete'")[0] == 32
        assert store.row("SELECT count(*) FROM message")[0] == 364
        assert store.check() == []
