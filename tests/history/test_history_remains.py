"""Of a message of which a part is lost the rest is kept, says so, and holds nothing made up."""

from __future__ import annotations

import sqlite3
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from darkai_cli.errors import InputError
from darkai_cli.history import export, pages, salvage, tree
from darkai_cli.history.importers import import_file
from darkai_cli.history.journal import Journal
from darkai_cli.history.store import Store

PAGE = 4096
LONG = "".join(f"line {number:05d} of a long text\n" for number in range(4000))
LOST = "a part of it was lost when the history was damaged"
CUT = "message of which a part is lost; the rest of it is kept"


@pytest.fixture
def store(tmp_path):
    with Store(tmp_path / "new" / "history.db") as opened:
        yield opened


def talked(database, *turns):
    """A history with a conversation for each prompt and reply, all of it in the one file."""
    journal = Journal(database)
    for prompt, reply in turns:
        journal.begin(prompt, provider="p", model="m")
        journal.text(reply)
        journal.end("complete", reason="stop")
    journal.close()
    with Store(database) as found:
        found.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return bytearray(database.read_bytes())


def page_with(data, text):
    """Where the page begins that holds the text in a message, not in the full-text index."""
    return data.index(text) // PAGE * PAGE


def said(store):
    return [(node.role, node.text) for node in tree.branch(store, store.latest())]


def zeros(data, text):
    at = page_with(data, text)
    data[at : at + PAGE] = bytes(PAGE)


def ends(data, text):
    del data[page_with(data, text) :]


def leads_nowhere(data, text):
    at = page_with(data, text)
    data[at : at + 4] = b"\xff" * 4


def leads_back(data, text):
    at = page_with(data, text)
    data[at : at + 4] = (at // PAGE).to_bytes(4)  # the page before, as a rule one of the chain


@pytest.mark.parametrize("damage", [zeros, ends, leads_nowhere, leads_back])
def test_a_reply_is_kept_as_far_as_it_goes(database, store, damage):
    data = talked(database, ("a question", LONG))
    damage(data, b"line 02000 of")
    database.write_bytes(data)
    report = import_file(store, database)
    assert report.skipped[CUT] == 1
    assert "row of the damaged file that cannot be read" not in report.skipped
    (_, prompt), (_, reply) = said(store)
    assert prompt == "a question"
    assert LONG.startswith(reply)
    assert len(LONG) * 0.4 < len(reply) < len(LONG) * 0.51
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
    (_, prompt), (_, reply) = said(store)
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
    assert import_file(store, database).skipped[CUT] == 1
    reply = said(store)[1][1]
    assert reply == LONG.replace("line 02000", "\ufffd\ufffd\ufffd\ufffd 02000")


def test_what_a_message_said_of_its_end_is_not_guessed_at(database, store):
    """The columns behind the text: reasoning and parts are empty, the time is that of the id."""
    data = talked(database, ("a question", LONG))
    conn = sqlite3.connect(database)
    before = dict(conn.execute("SELECT id, created FROM message").fetchall())
    conn.close()
    zeros(data, b"line 03999 of")
    data[:16] = bytes(16)  # SQLite does not look into the last page of a chain
    database.write_bytes(data)
    import_file(store, database)
    node = tree.branch(store, store.latest())[-1]
    assert LONG.startswith(node.text)
    assert (node.reasoning, node.parts, node.created) == ("", "[]", before[node.id])


def test_a_last_page_of_zeros_is_found_although_sqlite_does_not_mind(database, store):
    data = talked(database, ("a question", LONG))
    zeros(data, b"line 03999 of")
    database.write_bytes(data)
    with Store(database) as old:
        (problem,) = [one for one in old.check() if "index" not in one]
        assert problem.startswith("what is kept with a message cannot be read: `")
        for fmt in export.FORMATS:
            assert "line 03800 of" in "".join(export.export(old, [old.latest()], fmt))
    assert import_file(store, database).skipped == {CUT: 1}
    reply = said(store)[1][1]
    assert LONG.startswith(reply)
    assert len(reply) > len(LONG) * 0.9
    assert store.check() == []


def test_a_whole_copy_is_better_than_a_part(database):
    data = talked(database, ("a question", LONG))
    database.write_bytes(data)
    with pages.Pages(database) as found:
        rows = [row for row in found.rows() if len(row.values) == 9]
    whole = next(row for row in rows if row.values[5] == LONG)
    part = whole._replace(values=(*whole.values[:5], "line", None, None, None), cut=True)
    for copies in ([part, whole], [whole, part]):
        conn = sqlite3.connect(":memory:", isolation_level=None)
        for statement in (*salvage.schema.TABLES, salvage._CUT):
            conn.execute(statement)
        for row in copies:
            (salvage._keep_cut if row.cut else salvage._keep)(conn, row)
        assert conn.execute("SELECT text FROM message").fetchall() == [(LONG,)]
        assert conn.execute("SELECT count(*) FROM cut").fetchone() == (0,)
        conn.close()


@cache
def talk():
    """A file with long and short messages, and all that was said in it."""
    turns = [
        ("one", LONG), (LONG.upper(), "two"), ("ä" * 30_000, "€" * 9_000), ("three", "😀" * 5_000),
    ]  # fmt: skip
    with TemporaryDirectory() as folder:
        whole = bytes(talked(Path(folder) / "history.db", *turns))
    return whole, {text for turn in turns for text in turn}


@settings(max_examples=60, deadline=None)
@example([], 579_172, False)  # in the page of a long text
@example([], 579_173, False)  # in a letter of it
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
            assert any(one.startswith(begins) for one in texts), text[:80]
        assert store.check() == []
