"""What is got back of darkai's own database: whole, cut, overwritten, spoiled anywhere."""

from __future__ import annotations

import random
import sqlite3

import pytest
from history.histories import contents, drafts, fill
from history.test_history_store import put
from hypothesis import given, settings
from hypothesis import strategies as st

from darkai_cli.errors import InputError, UsageError
from darkai_cli.history import pages, salvage, schema, tree
from darkai_cli.history.importers import import_file
from darkai_cli.history.journal import Journal
from darkai_cli.history.store import Store

PAGE = 4096


@pytest.fixture
def store(tmp_path):
    with Store(tmp_path / "new" / "history.db") as opened:
        yield opened


@pytest.fixture
def whole(database):
    """A history of 60 conversations, long and short replies, of which ten were removed."""
    with Store(database) as old:
        for number in range(60):
            text = f"reply {number} " * (1 + number * number % 1500)
            put(old, when=1_700_000_000_000 + number * 1000, title=f"talk {number}", text=text)
        old.remove([found.id for found in old.conversations(limit=10)])
    return database


def replies(store):
    return {text for (text,) in store.rows("SELECT text FROM message WHERE role = 'assistant'")}


def spoiled(path, change):
    data = bytearray(path.read_bytes())
    path.write_bytes(bytes(change(data) or data))


def test_the_tables_have_the_columns_that_are_looked_for():
    conn = sqlite3.connect(":memory:")
    for statement in (*schema.TABLES, *schema.ATTACHMENTS):
        conn.execute(statement)
    for table, columns in salvage.COLUMNS.items():
        found = tuple(row[1] for row in conn.execute(f"PRAGMA table_info({table})"))
        assert found == columns
    conn.close()


@settings(max_examples=30)
@given(st.lists(drafts(), min_size=1, max_size=3), st.booleans())
def test_a_database_comes_back_without_loss(tmp_path_factory, found, damaged):
    folder = tmp_path_factory.mktemp("own")
    with Store(folder / "one.db") as one, Store(folder / "two.db") as two:
        fill(one, found)
        one.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        before = contents(one)
        file = folder / "copy.db"
        file.write_bytes((folder / "one.db").read_bytes())
        if damaged:
            spoiled(file, lambda data: data.__setitem__(slice(0, 100), b"\xff" * 100))
        if before["message"] or not damaged:
            import_file(two, file)
            assert contents(two) == before
            assert import_file(two, file).messages == 0
            assert contents(two) == before


def test_what_is_only_in_the_write_ahead_log_is_there(whole, store):
    with Store(whole) as old:
        put(old, text="only in the log")
        log = whole.with_name("history.db-wal").read_bytes()
        assert b"only in the log" in log
        assert b"only in the log" not in whole.read_bytes()
        for name in ("whole.db", "spoiled.db"):
            whole.with_name(name).write_bytes(whole.read_bytes())
            whole.with_name(f"{name}-wal").write_bytes(log)
    before = log[:32] + bytes(24) + b"\x0d" + bytes(PAGE - 1)
    assert import_file(store, whole.with_name("whole.db")).conversations == 51
    assert "only in the log" in replies(store)
    spoiled(
        whole.with_name("spoiled.db"), lambda data: data.__setitem__(slice(PAGE * 3, None), b"")
    )
    with pages.Pages(whole.with_name("spoiled.db")) as found:
        assert any("only in the log" in row.values for row in found.rows())
    whole.with_name("spoiled.db-wal").write_bytes(before)  # a log that nobody committed
    with pages.Pages(whole.with_name("spoiled.db")) as found:
        assert not any("only in the log" in row.values for row in found.rows())


def test_the_file_itself_is_not_written(whole, store):
    spoiled(whole, lambda data: data[: len(data) // 2])
    before = whole.read_bytes()
    import_file(store, whole)
    assert whole.read_bytes() == before
    assert [path.name for path in whole.parent.iterdir()] == ["history.db"]


def test_a_cut_file_gives_what_it_has_and_says_how_much_it_lacks(whole, store):
    spoiled(whole, lambda data: data[: len(data) // 2 + 1000])
    report = import_file(store, whole)
    assert report.source == "darkai"
    assert 0 < report.messages < 100
    assert report.skipped["page of the damaged file that cannot be read"] > 10
    assert store.check() == []
    again = import_file(store, whole)
    assert (again.conversations, again.messages, again.present) == (0, 0, report.messages)


@pytest.mark.parametrize("size", [16, 100, PAGE])
def test_a_file_without_its_beginning_gives_all(whole, store, size):
    with Store(whole) as old:
        wanted = contents(old)
    spoiled(whole, lambda data: data.__setitem__(slice(0, size), random.Random(1).randbytes(size)))
    import_file(store, whole)
    found = contents(store)
    for table, rows in wanted.items():
        assert set(rows) <= set(found[table])


def test_what_was_removed_does_not_come_back(database):
    with Store(database) as old:
        gone = [put(old, when=1_700_000_000_000 + n, text=f"gone {n} " * 150) for n in range(60)]
        put(old, when=1_800_000_000_000, text="kept")
        old.remove(gone)
    with pages.Pages(database) as found:
        rows = [row.values for row in found.rows() if len(row.values) == 9]
        assert found.lost_pages == 0
    assert [text for text in map(str, rows) if "gone" in text] == []
    assert len(rows) == 2


def test_pages_that_were_given_up_are_not_read(tmp_path):
    file = tmp_path / "x.db"
    conn = sqlite3.connect(file, isolation_level=None)
    conn.execute("PRAGMA secure_delete = OFF")
    conn.execute("CREATE TABLE kept (x)")
    conn.execute("CREATE TABLE dropped (x)")
    conn.executemany("INSERT INTO dropped VALUES (?)", [(f"gone {n} " * 90,) for n in range(50)])
    conn.execute("DROP TABLE dropped")
    conn.close()
    assert b"gone 7" in file.read_bytes()
    with pages.Pages(file) as found:
        rows = list(found.rows())
        assert found.lost_pages == 0
    assert [row.values[1] for row in rows] == ["kept"]


def test_zeros_in_the_middle_cost_only_what_was_there(whole, store):
    with Store(whole) as old:
        wanted = replies(old)
    spoiled(whole, lambda data: data.__setitem__(slice(PAGE * 20, PAGE * 24), bytes(PAGE * 4)))
    report = import_file(store, whole)
    assert replies(store) <= wanted
    assert len(replies(store)) >= 25
    assert sum(report.skipped.values()) > 0


@settings(max_examples=60)
@given(st.randoms(use_true_random=False))
def test_whatever_is_spoiled_nothing_is_made_up(tmp_path_factory, chance):
    folder = tmp_path_factory.mktemp("spoiled")
    with Store(folder / "history.db") as old:
        for number in range(8):
            put(old, when=1_700_000_000_000 + number, title=f"talk {number}", text="long " * 900)
    data = bytearray((folder / "history.db").read_bytes())
    for _ in range(chance.randrange(1, 40)):
        at = chance.randrange(len(data))
        data[at : at + chance.choice([1, 4, 100])] = chance.randbytes(chance.choice([0, 1, 4, 100]))
    file = folder / "spoiled.db"
    file.write_bytes(data[: chance.randrange(1, len(data) + 1)])
    with Store(folder / "new.db") as new:
        try:
            import_file(new, file)
        except InputError:
            return
        assert new.check() == []


def damage(path, *statements):
    """Change rows as a damaged page would, and make the file one that SQLite refuses."""
    conn = sqlite3.connect(path)
    for statement in statements:
        conn.execute(statement)
    conn.commit()
    conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    conn.close()
    spoiled(path, lambda data: data.__setitem__(slice(0, 16), b"?" * 16))


def test_a_lost_message_and_a_lost_conversation(database, store):
    journal = Journal(database)
    first = journal.begin("first", provider="p", model="m")
    journal.text("one")
    journal.end("complete")
    second = journal.begin(
        "second", provider="p", model="m", conversation=first.conversation, parent=first.reply
    )
    journal.text("two")
    journal.end("complete")
    journal.close()
    damage(
        database,
        "DROP TRIGGER message_fts_delete",
        f"DELETE FROM message WHERE id = '{first.reply}'",
        f"DELETE FROM conversation WHERE id = '{first.conversation}'",
    )
    report = import_file(store, database)
    assert (report.conversations, report.messages) == (1, 3)
    assert report.skipped["message that is lost; what follows it begins a branch"] == 1
    assert report.skipped["title that is lost; made anew from the first message"] == 1
    (found,) = store.conversations()
    assert (found.title, found.turns, found.active) == ("first", 1, second.reply)
    assert [node.text for node in tree.branch(store, found.id)] == ["second", "two"]
    assert store.check() == []


def test_a_reply_that_was_being_written_is_there_and_interrupted(database, store):
    journal = Journal(database)
    names = journal.begin("prompt", provider="p", model="m")
    journal.text("so far")
    journal.end("complete")
    journal.close()
    damage(
        database,
        f"UPDATE turn SET state = 'streaming' WHERE id = '{names.turn}'",
        f"INSERT INTO piece VALUES ('{names.turn}', 7, 'text', ', and on')",
        f"INSERT INTO piece VALUES ('{names.turn}', 8, 'reasoning', 'hm')",
    )
    import_file(store, database)
    (found,) = store.conversations()
    node = tree.branch(store, found.id)[-1]
    assert (node.text, node.reasoning, node.turn.state) == ("so far, and on", "hm", "interrupted")


def test_a_newer_database_and_one_without_a_history_are_refused(database, store, tmp_path):
    Store(database).close()
    conn = sqlite3.connect(database)
    conn.execute(f"PRAGMA user_version = {schema.VERSION + 1}")
    conn.close()
    with pytest.raises(InputError, match="newer darkai"):
        import_file(store, database)
    junk = tmp_path / "junk"
    junk.write_bytes(random.Random(2).randbytes(3 * PAGE))
    with pytest.raises(InputError, match="nothing of a history"):
        import_file(store, junk)


def test_an_empty_history_is_nothing_to_take(database, store):
    Store(database).close()
    report = import_file(store, database)
    assert (report.source, report.conversations, report.skipped) == ("darkai", 0, {})


def test_a_history_in_use_is_moved_only_if_it_is_damaged(whole):
    with pytest.raises(UsageError, match="whole"):
        salvage.put_aside(whole)
    spoiled(whole, lambda data: data.__setitem__(slice(PAGE * 3, PAGE * 9), bytes(PAGE * 6)))
    before = whole.read_bytes()
    aside = salvage.put_aside(whole)
    assert aside.name.startswith("history.db.damaged-")
    assert aside.read_bytes() == before
    assert not whole.exists()


@given(st.binary(max_size=300))
def test_no_bytes_are_more_than_a_file_without_rows(tmp_path_factory, data):
    file = tmp_path_factory.mktemp("bytes") / "x"
    file.write_bytes(pages.MAGIC + data)
    with pages.Pages(file) as found:
        assert [row for row in found.rows() if len(row.values) == 9] == []
