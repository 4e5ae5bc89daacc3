from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from darkai_cli.errors import NotFoundError, StoreError
from darkai_cli.history import ids, schema
from darkai_cli.history.database import (
    StoreDamagedError,
    StoreLockedError,
    import_command,
    replace_damaged,
    store_error,
)
from darkai_cli.history.importers.draft import (
    DraftMessage,
    ImportedConversation,
    ImportReport,
    store_all,
    turn_for,
)
from darkai_cli.history.store import Store


def put(store, *, when=1_700_000_000_000, title="t", model="m", state="complete", text="hello"):
    """A conversation of one turn."""
    question, answer, conversation, turn = ids.new_ids(4, when)
    messages = [
        DraftMessage(question, None, "user", "question", "", "[]", when),
        DraftMessage(answer, question, "assistant", text, "", "[]", when),
    ]
    made = turn_for(turn, messages[1], prompt=question, provider="p", model=model, state=state)
    store_all(
        store,
        [ImportedConversation(conversation, title, when, when, answer, "darkai", messages, [made])],
        ImportReport(),
    )
    return conversation


def test_a_fresh_store_is_private_and_empty(database):
    with Store(database) as store:
        assert store.conversations() == []
        assert store.latest() is None
        put(store)
        for file in (database, *database.parent.glob("history.db-*")):
            assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(database.parent.stat().st_mode) == 0o700


def test_a_file_that_others_can_read_is_closed_to_them(database):
    Store(database).close()
    database.chmod(0o644)
    Store(database).close()
    assert stat.S_IMODE(database.stat().st_mode) == 0o600


def test_it_is_set_up_as_promised(database):
    with Store(database) as store:
        assert store.row("PRAGMA journal_mode")[0] == "wal"
        assert store.row("PRAGMA synchronous")[0] == 1
        assert store.row("PRAGMA foreign_keys")[0] == 1
        assert store.row("PRAGMA busy_timeout")[0] == 5000
        assert store.row("PRAGMA user_version")[0] == schema.VERSION


def test_list_is_newest_first_and_filtered(database):
    with Store(database) as store:
        old = put(store, when=1_000_000, title="old", model="a", state="failed")
        new = put(store, when=2_000_000, title="new", model="b")
        assert [c.id for c in store.conversations()] == [new, old]
        assert [c.id for c in store.conversations(limit=1)] == [new]
        assert [c.id for c in store.conversations(since=1_500_000)] == [new]
        assert [c.id for c in store.conversations(model="a")] == [old]
        assert [c.id for c in store.conversations(state="failed")] == [old]
        assert store.latest() == new
        output = store.conversation(old)
        assert (output.title, output.turns, output.provider, output.model, output.state) == (
            "old",
            1,
            "p",
            "a",
            "failed",
        )
        assert store.older_than(1_500_000) == [old]


def test_every_query_of_the_list_uses_an_index(database):
    with Store(database) as store:
        seen = []
        store.conn.set_trace_callback(seen.append)
        put(store)
        seen.clear()
        store.conversations()
        store.conn.set_trace_callback(None)
        for sql in seen:
            plan = [row[3] for row in store.rows(f"EXPLAIN QUERY PLAN {sql}")]
            assert not [step for step in plan if step.startswith("SCAN") and "USING" not in step], (
                plan
            )
            assert not [step for step in plan if "TEMP B-TREE" in step], plan


def test_a_prefix_finds_what_it_means(database):
    with Store(database) as store:
        item, other = put(store, when=1_700_000_000_000), put(store, when=1_700_000_000_001)
        assert store.find(item) == item
        assert store.find(store.short(item).upper()) == item
        assert store.find(store.short(other)) == other
        with pytest.raises(NotFoundError, match="Several") as caught:
            store.find(item[:6])
        assert store.short(item) in caught.value.hint
        with pytest.raises(NotFoundError, match="No conversation"):
            store.find("zzzz")
        with pytest.raises(NotFoundError):
            store.find("%")


def test_rename_and_remove(database):
    with Store(database) as store:
        item, other = put(store, text="apple"), put(store, text="pear")
        store.rename(item, "new name \ud800")
        assert store.conversation(item).title == "new name \ufffd"
        assert store.remove([item, item]) == 1
        assert [c.id for c in store.conversations()] == [other]
        assert store.rows("SELECT count(*) FROM message")[0][0] == 2
        assert store.rows("SELECT rowid FROM message_fts WHERE message_fts MATCH 'apple'") == []
        assert store.check() == []
        with pytest.raises(NotFoundError):
            store.rename(item, "gone")
        with pytest.raises(NotFoundError):
            store.conversation(item)


def test_vacuum_really_removes(database):
    with Store(database) as store:
        keep = put(store, text="harmless")
        for _ in range(20):
            store.remove([put(store, text="confidential " * 2000)])
        sizes = store.vacuum()
        assert sizes.after < sizes.before
        assert b"confidential" not in database.read_bytes()
        assert store.conversation(keep)


def test_check_finds_what_is_wrong_and_the_index_can_be_rebuilt(database):
    with Store(database) as store:
        item = put(store, text="apple")
        put(store)
        store.conn.execute("UPDATE conversation SET active = 'nowhere' WHERE id = ?", (item,))
        store.conn.execute("DROP TRIGGER message_fts_update")
        store.conn.execute("UPDATE message SET text = 'pear' WHERE text = 'apple'")
        problems = store.check()
        assert len(problems) == 2, problems
        assert "active" in problems[0]
        assert "index" in problems[1]
        store.rebuild_index()
        assert len(store.check()) == 1


def test_a_write_is_all_or_nothing(database):
    with Store(database) as store:
        item = put(store)

        def half_way():
            with store.writing() as conn:
                conn.execute("DELETE FROM conversation")
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            half_way()
        assert store.conversation(item)


def test_a_lock_is_named(database, start):
    with Store(database, lock_wait=0.05) as store:
        item = put(store)
        holder = start("hold")
        assert holder.stdout.readline() == "held\n"
        assert store.conversation(item)  # readers are not held up
        with pytest.raises(StoreLockedError, match="Another process holds the history"):
            store.rename(item, "x")
        with Store(database, lock_wait=0.05) as second:
            assert second.latest() == item


def test_a_newer_schema_is_told_and_not_touched(database):
    with Store(database) as store:
        put(store)
        store.conn.execute(f"PRAGMA user_version = {schema.VERSION + 1}")
    before = database.read_bytes()
    with pytest.raises(StoreError, match="newer darkai") as caught:
        Store(database)
    assert "Update darkai" in caught.value.hint
    assert database.read_bytes() == before
    assert sorted(p.name for p in database.parent.iterdir()) == ["history.db"]


def test_another_programs_database_is_told_and_not_touched(database):
    database.parent.mkdir()
    conn = sqlite3.connect(database)
    conn.execute("CREATE TABLE theirs (x)")
    conn.close()
    before = database.read_bytes()
    with pytest.raises(StoreError, match="another program") as caught:
        Store(database, replace=True)
    assert "Move it away" in caught.value.hint
    assert database.read_bytes() == before


@pytest.mark.parametrize(
    "content",
    [b"garbage", b"x" * 5000, b"SQLite format 3\0" + b"\xff" * 200],
    ids=["short", "long", "header"],
)
def test_a_damaged_file_is_told_and_left_unless_it_must_be_replaced(database, content):
    database.parent.mkdir()
    database.write_bytes(content)
    with pytest.raises(StoreDamagedError, match="damaged") as caught:
        Store(database)
    assert f"`darkai history import {database}`" in caught.value.hint
    assert [p.name for p in database.parent.iterdir()] == ["history.db"]
    assert database.read_bytes() == content
    with Store(database, replace=True) as store:
        assert "To recover it: `darkai history import " in store.warnings[0]
        assert store.conversations() == []
        put(store)
    aside = [p for p in database.parent.iterdir() if ".damaged-" in p.name]
    assert [p.read_bytes() for p in aside] == [content]
    with Store(database) as store:
        assert store.warnings == ()
        assert len(store.conversations()) == 1


@pytest.mark.parametrize(
    ("name", "output"),
    [("history.db", "history.db"), ("my history.db", "'my history.db'"), ("it's", "'it'\\''s'")],
)
def test_the_command_that_recovers_can_be_typed(name, output):
    assert import_command(Path(name)) == f"`darkai history import {output}`"


def test_a_truncated_file_is_told(database):
    with Store(database) as store:
        for _ in range(50):
            put(store, text="long " * 500)
        store.vacuum()
    whole = database.read_bytes()
    for length in range(100, len(whole), len(whole) // 7):
        for old in database.parent.iterdir():
            old.unlink()
        database.write_bytes(whole[:length])
        message = []
        try:
            with Store(database) as store:
                message = store.check()
        except StoreError as error:
            message = [error.message]
        assert message, f"{length} of {len(whole)} bytes pass for a whole history"
        assert database.read_bytes() == whole[:length]


def test_a_fresh_database_in_the_place_of_a_damaged_one_stays(database):
    Store(database).close()
    assert replace_damaged(database, database.stat().st_ino + 1) == ()
    assert database.exists()


def test_two_processes_move_a_damaged_file_once(database, start):
    database.parent.mkdir()
    database.write_bytes(b"garbage " * 1000)
    children = [start("ask") for _ in range(8)]
    outputs = [child.communicate()[0] for child in children]
    assert [child.returncode for child in children] == [0] * 8
    aside = [
        p
        for p in database.parent.iterdir()
        if ".damaged-" in p.name and not p.name.endswith(("-wal", "-shm"))
    ]
    assert len(aside) == 1, outputs
    with Store(database) as store:
        assert len(store.conversations()) == 8, outputs


READ = """
import os, sys, urllib.parse  # while Python's own folder can be read
from pathlib import Path
from darkai_cli.history.store import Store
if sys.argv[2] != "0":  # root may write anywhere, so be somebody else
    os.setuid(int(sys.argv[2]))
with Store(Path(sys.argv[1])) as store:
    print(store.writable, [c.title for c in store.conversations()])
"""


@pytest.mark.skipif(os.name != "posix", reason="needs users")
def test_a_read_only_folder_can_be_read():
    with tempfile.TemporaryDirectory() as folder:
        database = Path(folder) / "data" / "history.db"
        with Store(database) as store:
            put(store, title="kept")
        user = 65534 if os.geteuid() == 0 else 0
        if user:
            Path(folder).chmod(0o755)
            os.chown(database, user, -1)
            os.chown(database.parent, user, -1)
        database.chmod(0o400)
        database.parent.chmod(0o500)
        done = subprocess.run(
            [sys.executable, "-c", READ, str(database), str(user)],
            check=False,
            capture_output=True,
            text=True,
            cwd="/",
        )
        database.parent.chmod(0o700)
    assert done.stdout == "False ['kept']\n", done.stderr


def test_opening_is_cheap():
    code = (
        "import sys; import darkai_cli.history.store, darkai_cli.history.journal;"
        "print(*sorted({'dataclasses', 'uuid', 'logging', 'json.tool', 'asyncio', 'hashlib',"
        " 'html', 'inspect', 'subprocess', 'pygments', 'markdown_it'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout == "\n"


def test_the_views_answer(database):
    with Store(database) as store:
        put(store, when=1_700_000_000_000, title="t", model="m", text="hi")
        assert store.rows("SELECT title, updated, turns, model, state FROM conversations") == [
            ("t", "2023-11-14T22:13:20Z", 1, "m", "complete")
        ]
        assert store.rows("SELECT prompt, reply, model FROM replies") == [("question", "hi", "m")]
        assert store.rows("SELECT day, turns FROM usage_by_day") == [("2023-11-14", 1)]


def test_the_states_of_the_schema_are_the_known_ones(database):
    with Store(database) as store:
        sql = store.row("SELECT sql FROM sqlite_master WHERE name = 'turn'")[0]
    assert all(f"'{state}'" in sql for state in schema.STATES)


@pytest.mark.parametrize(
    ("exc", "says"),
    [
        (sqlite3.SQLITE_FULL, "disk is full"),
        (sqlite3.SQLITE_IOERR_SHMSIZE, "is the disk full? why"),
        (OSError(28, "No space left on device"), "disk is full"),
    ],
)
def test_a_disk_that_may_be_full_is_told_with_what_to_type(database, exc, says):
    if isinstance(exc, int):
        code, exc = exc, sqlite3.OperationalError("why")
        exc.sqlite_errorcode = code
    message = store_error(exc, database)
    assert says in message.message
    assert message.hint == f"Free some space; `df -h {database.parent}` shows how much is left"
