"""What is got back of darkai's own database: whole, cut, overwritten, spoiled anywhere."""

from __future__ import annotations

import random
import sqlite3
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from history.histories import contents, drafts, fill
from history.test_store import put
from hypothesis import given, settings
from hypothesis import strategies as st

from darkai_cli.errors import InputError, UsageError
from darkai_cli.history import export, salvage, schema, tree
from darkai_cli.history.importers import import_file
from darkai_cli.history.journal import Journal
from darkai_cli.history.store import Store

PAGE = 4096
LONG = "".join(f"line {number:05d} of a long text\n" for number in range(4000))
LOST = "part of it was lost when the history was damaged"
CUT = "damaged end of a message; its beginning was recovered"


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
        old.remove([result.id for result in old.conversations(limit=10)])
    return database


def replies(store):
    return {text for (text,) in store.rows("SELECT text FROM message WHERE role = 'assistant'")}


def spoiled(path, change):
    data = bytearray(path.read_bytes())
    path.write_bytes(bytes(change(data) or data))


@settings(max_examples=30)
@given(st.lists(drafts(), min_size=1, max_size=3), st.booleans())
def test_a_database_comes_back_without_loss(tmp_path_factory, result, damaged):
    folder = tmp_path_factory.mktemp("own")
    with Store(folder / "one.db") as item, Store(folder / "two.db") as two:
        fill(item, result)
        item.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        before = contents(item)
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
        for name in ("whole.db", "cut.db"):
            whole.with_name(name).write_bytes(whole.read_bytes())
            whole.with_name(f"{name}-wal").write_bytes(log)
    assert import_file(store, whole.with_name("whole.db")).conversations == 51
    assert "only in the log" in replies(store)
    spoiled(whole.with_name("cut.db"), lambda data: data[: PAGE * 30])
    with Store(whole.with_name("new.db")) as new:
        import_file(new, whole.with_name("cut.db"))
        assert "only in the log" in replies(new)


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
    assert report.skipped["missing page of the damaged file"] > 10
    assert store.check() == []
    again = import_file(store, whole)
    assert (again.conversations, again.messages, again.present) == (0, 0, report.messages)


@pytest.mark.parametrize("size", [16, 100, PAGE])
def test_a_file_without_its_beginning_gives_all(whole, store, size):
    with Store(whole) as old:
        wanted = contents(old)
    spoiled(whole, lambda data: data.__setitem__(slice(0, size), random.Random(1).randbytes(size)))
    import_file(store, whole)
    result = contents(store)
    for table, rows in wanted.items():
        assert set(rows) <= set(result[table])


def test_what_was_removed_does_not_come_back(database, store):
    with Store(database) as old:
        gone = [put(old, when=1_700_000_000_000 + n, text=f"gone {n} " * 150) for n in range(60)]
        put(old, when=1_800_000_000_000, text="kept")
        old.remove(gone)
    spoiled(database, lambda data: data.__setitem__(slice(0, 16), bytes(16)))
    import_file(store, database)
    assert replies(store) == {"kept"}


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
    assert report.skipped["lost message; the next one begins a branch"] == 1
    assert report.skipped["lost title, replaced by the first message"] == 1
    (result,) = store.conversations()
    assert (result.title, result.turns, result.active) == ("first", 1, second.reply)
    assert [node.text for node in tree.branch(store, result.id)] == ["second", "two"]
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
    (result,) = store.conversations()
    node = tree.branch(store, result.id)[-1]
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
    with pytest.raises(InputError, match="No readable history"):
        import_file(store, junk)


def test_an_empty_history_is_nothing_to_take(database, store):
    Store(database).close()
    report = import_file(store, database)
    assert (report.source, report.conversations, report.skipped) == ("darkai", 0, {})


def test_a_history_in_use_is_moved_only_if_it_is_damaged(whole):
    with pytest.raises(UsageError, match="not damaged"):
        salvage.put_aside(whole)
    spoiled(whole, lambda data: data.__setitem__(slice(PAGE * 3, PAGE * 9), bytes(PAGE * 6)))
    before = whole.read_bytes()
    aside = salvage.put_aside(whole)
    assert aside.name.startswith("history.db.damaged-")
    assert aside.read_bytes() == before
    assert not whole.exists()


@given(st.binary(max_size=300))
def test_no_bytes_are_more_than_a_file_without_rows(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("bytes")
    (folder / "x").write_bytes(salvage.MAGIC + b"\0" + data)
    with Store(folder / "new.db") as store, pytest.raises(InputError):
        import_file(store, folder / "x")


# --- messages of which a part is lost -------------------------------------------------------------


def talked(database, *turns):
    """A history with a conversation for each prompt and reply, all of it in the one file."""
    journal = Journal(database)
    for prompt, reply in turns:
        journal.begin(prompt, provider="p", model="m")
        journal.text(reply)
        journal.end("complete", reason="stop")
    journal.close()
    with Store(database) as result:
        result.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return bytearray(database.read_bytes())


def page_with(data, text):
    """Where the page begins that holds the text in a message, not in the full-text index."""
    return data.index(text) // PAGE * PAGE


def texts_of(store):
    return [(node.role, node.text) for node in tree.branch(store, store.latest())]


def zeros(data, text):
    at = page_with(data, text)
    data[at : at + PAGE] = bytes(PAGE)


def ends(data, text):
    del data[page_with(data, text) :]


def leads_nowhere(data, text):
    at = page_with(data, text)
    data[at : at + 4] = b"\xff" * 4


@pytest.mark.parametrize("damage", [zeros, ends, leads_nowhere])
def test_a_reply_is_kept_as_far_as_it_goes(database, store, damage):
    data = talked(database, ("a question", LONG))
    damage(data, b"line 02000 of")
    database.write_bytes(data)
    report = import_file(store, database)
    assert report.skipped[CUT] == 1
    assert "unreadable row of the damaged file" not in report.skipped
    (_, prompt), (_, reply) = texts_of(store)
    assert prompt == "a question"
    assert LONG.startswith(reply)
    assert len(LONG) * 0.4 < len(reply) < len(LONG) * 0.55
    node = tree.branch(store, store.latest())[-1]
    assert (node.turn.state, node.turn.reason, node.turn.error_kind) == (
        "truncated",
        "stop",
        "store",
    )
    assert f"> This reply was cut off: {LOST}." in "".join(
        export.export(store, [store.latest()], "md")
    )
    assert store.last_unfinished(store.latest())
    assert store.check() == []
    assert import_file(store, database).messages == 0


def test_a_prompt_says_it_in_its_text(database, store):
    data = talked(database, (LONG, "an answer"))
    zeros(data, b"line 02000 of")
    database.write_bytes(data)
    assert import_file(store, database).skipped[CUT] == 1
    (_, prompt), (_, reply) = texts_of(store)
    text, blank, note = prompt.rpartition("\n\n")
    assert (reply, blank, note) == ("an answer", "\n\n", f"[{LOST}]")
    assert LONG.startswith(text)
    assert len(text) > len(LONG) * 0.4


def test_bytes_that_are_no_text_cost_only_themselves(database, store):
    data = talked(database, ("a question", LONG))
    at = data.index(b"line 02000 of")
    data[at : at + 4] = b"\xff\xc0\x80\xfe"
    data[:16] = bytes(16)  # SQLite would not mind the rest
    database.write_bytes(data)
    import_file(store, database)
    reply = texts_of(store)[1][1]
    assert reply == LONG.replace("line 02000", "\ufffd\ufffd\ufffd\ufffd 02000")


@cache
def talk():
    """A file with long and short messages, and all that was said in it."""
    turns = [
        ("one", LONG), (LONG.upper(), "two"), ("ä" * 30_000, "€" * 9_000), ("three", "😀" * 5_000),
    ]  # fmt: skip
    with TemporaryDirectory() as folder:
        whole = bytes(talked(Path(folder) / "history.db", *turns))
    return whole, {text for turn in turns for text in turn}


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.integers(0, 1000), max_size=6),
    st.none() | st.integers(PAGE, 1 << 20),
    st.booleans(),
)
def test_what_is_left_is_how_something_that_was_said_begins(
    tmp_path_factory, lost, end, with_header
):
    """Whichever pages are zeros, wherever the file ends."""
    whole, texts = talk()
    data = bytearray(whole)
    for number in lost:
        at = number % (len(data) // PAGE) * PAGE
        data[at : at + PAGE] = bytes(PAGE)
    if not with_header:
        data[:PAGE] = bytes(PAGE)
    folder = tmp_path_factory.mktemp("left")
    file = folder / "spoiled.db"
    file.write_bytes(data[:end])
    with Store(folder / "new.db") as store:
        try:
            import_file(store, file)
        except InputError:
            return
        for (text,) in store.rows("SELECT text FROM message"):
            begins = text.removesuffix(f"\n\n[{LOST}]")
            assert any(item.startswith(begins) for item in texts), text[:80]
        assert store.check() == []
