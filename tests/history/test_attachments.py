"""What goes along with a prompt is kept like the prompt: written, read back, removed, recovered."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import sqlite3
import subprocess
import sys

import pytest
from history.histories import contents
from history.importers.test_import_file import NEW_LLM, OLD_LLM, llm_file
from history.test_export import Page, chat

from darkai_cli.history import export, stats, tree, turns
from darkai_cli.history.importers import import_file
from darkai_cli.history.importers.draft import ImportReport, store_all
from darkai_cli.history.journal import Journal
from darkai_cli.history.store import Store
from darkai_cli.history.turns import title_from
from darkai_cli.messages import Image, Message

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))
PHOTO, PLAN = Image("image/png", PNG, "trip/photo.png"), Image("image/webp", b"RIFF....WEBP", "")


def run_ask(database, images=(PHOTO, PLAN), prompt="what is this?", **more):
    journal = Journal(database)
    names = journal.begin(prompt, provider="p", model="m", images=images, **more)
    journal.text("a photo")
    journal.end("complete")
    journal.close()
    return names


def attached(store):
    return store.rows("SELECT media_type, data, name FROM attachment ORDER BY message, seq")


def test_images_are_kept_with_the_prompt_and_sent_again(database):
    names = run_ask(database)
    with Store(database) as store:
        branch = tree.branch(store, names.conversation)
        assert [(item.name, item.size) for item in branch[0].attachments] == [
            ("trip/photo.png", len(PNG)), ("", 12)
        ]  # fmt: skip
        assert tree.messages(store, branch) == (
            Message("user", "what is this?", (PHOTO, PLAN)),
            Message("assistant", "a photo"),
        )
        assert tree.nodes(store, names.conversation) == branch
        assert store.check() == []


def test_another_reply_to_the_prompt_has_the_images_once(database):
    names = run_ask(database)
    run_ask(database, (), None, conversation=names.conversation, prompt_id=names.prompt)
    with Store(database) as store:
        assert len(attached(store)) == 2
        assert tree.branch(store, names.conversation)[0].attachments


def test_removing_a_conversation_removes_its_images_and_vacuum_their_bytes(database):
    names = run_ask(database, (PHOTO._replace(data=os.urandom(1 << 20)),))
    other = run_ask(database, (PLAN,))
    with Store(database) as store:
        store.remove([names.conversation])
        assert [row[0] for row in attached(store)] == ["image/webp"]
        sizes = store.vacuum()
        assert sizes.before - sizes.after > 1_000_000
        assert tree.branch(store, other.conversation)[0].attachments
        assert store.check() == []


def test_stats_count_them(database):
    run_ask(database)
    with Store(database) as store:
        result = stats.stats(store)
        assert (result.attachments, result.attachment_bytes) == (2, len(PNG) + 12)
        assert stats.stats(store, since=1 << 50).attachments == 0


def test_a_history_without_images_is_asked_once(database):
    run_ask(database, ())
    with Store(database) as store:
        seen = []
        store.conn.set_trace_callback(seen.append)
        tree.branch(store, store.latest())
        store.conn.set_trace_callback(None)
        (query,) = [sql for sql in seen if "attachment" in sql]
        plan = [row[3] for row in store.rows(f"EXPLAIN QUERY PLAN {query}")]
        order = [step.split(" USING")[0] for step in plan if step.startswith(("SCAN", "SEARCH"))]
        # one row or none, and only then the messages
        assert order == ["SCAN attachment", "SCAN (subquery-1)", "SEARCH m", "SEARCH a"], plan


BEGUN = """
import os, signal, sys, time
from pathlib import Path
from darkai_cli.history import turns
from darkai_cli.history.journal import Journal
from darkai_cli.messages import Image
path = Path(sys.argv[1])
journal = Journal(path)
journal.begin("q", provider="p", model="m", images=[Image("image/png", bytes(range(256)), "x.png")])
journal.sent()
deadline = time.monotonic() + 20
folder = turns.pending_folder(path)
while not (journal._writer and journal._writer._committed or list(folder.glob("*.json"))):
    assert time.monotonic() < deadline
    time.sleep(0.01)
print("ready", flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("locked", [False, True])
def test_they_survive_a_kill_while_the_request_is_under_way(database, locked):
    """Also where another process holds the database, and they have to be spilled."""
    Store(database).close()
    holder = sqlite3.connect(database, isolation_level=None)
    if locked:
        holder.execute("BEGIN IMMEDIATE")
    with subprocess.Popen(
        [sys.executable, "-c", BEGUN, str(database)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as child:  # fmt: skip
        assert child.stdout.readline() == b"ready\n"
        files = list(turns.pending_folder(database).glob("*.json"))
        assert ["AAECAwQF" in file.read_text() for file in files] == [True] * locked
        child.send_signal(signal.SIGKILL)
    holder.close()
    with Store(database) as store:
        assert attached(store) == [("image/png", bytes(range(256)), "x.png")]
        turn = store.turns(store.latest())[0]
        assert turn.state == "interrupted"
        assert store.check() == []


def test_a_damaged_history_gives_them_back(database, tmp_path):
    names = run_ask(database, (PHOTO._replace(data=os.urandom(100_000)), PLAN))
    with Store(database) as old:
        old.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        before = contents(old)
    data = bytearray(database.read_bytes())
    data[:100] = bytes(100)
    database.write_bytes(data)
    with Store(tmp_path / "new.db") as store:
        assert import_file(store, database).skipped == {}
        assert contents(store) == before
        assert tree.branch(store, names.conversation)[0].attachments


def test_an_image_that_lost_its_message_or_makes_no_sense_is_counted(database, tmp_path):
    names = run_ask(database)
    other = run_ask(database, (PLAN,))
    conn = sqlite3.connect(database)
    conn.execute("PRAGMA ignore_check_constraints = ON")
    conn.execute("UPDATE attachment SET data = 'text' WHERE seq = 1")
    conn.execute("UPDATE turn SET prompt = NULL")
    conn.execute("UPDATE message SET parent = NULL")
    conn.execute("DELETE FROM message WHERE id = ?", (other.prompt,))
    conn.commit()
    conn.close()
    with Store(tmp_path / "new.db") as store:
        report = import_file(store, database)
        assert report.skipped == {
            "malformed attachment": 1,
            "attachment of a lost message": 1,
        }
        assert [row[2] for row in attached(store)] == ["trip/photo.png"]
        assert tree.branch(store, names.conversation)


def test_a_history_of_before_is_taken_in(database, tmp_path):
    run_ask(database, ())
    conn = sqlite3.connect(database, isolation_level=None)
    conn.execute("DROP TABLE attachment")
    conn.execute("PRAGMA user_version = 2")
    conn.close()
    with Store(tmp_path / "new.db") as store:
        report = import_file(store, database)
        assert (report.messages, report.skipped) == (2, {})


# --- out and in ---


def with_images(*images, prompt="what?"):
    result = chat(prompt)
    result.messages[0] = result.messages[0]._replace(attachments=images)
    return result


@pytest.fixture
def store(database):
    with Store(database) as opened:
        yield opened


def exported(store, fmt, result):
    store_all(store, [result], ImportReport())
    return "".join(export.export(store, [result.id], fmt))


def test_json_lines_have_all_of_it_and_what_is_shown_has_not(store):
    result = with_images(PHOTO)
    lines = [json.loads(line) for line in exported(store, "jsonl", result).splitlines()]
    assert lines[0] == {"record": "history", "version": 2}
    (record,) = lines[2]["attachments"]
    assert record["name"] == "trip/photo.png"
    assert (record["media_type"], record["size"]) == ("image/png", len(PNG))
    assert record["data"] == PHOTO.base64
    assert "attachments" not in lines[3]
    (output,) = export.conversation_record(store, result.id, with_data=False)["messages"][0][
        "attachments"
    ]
    assert output == {"name": "trip/photo.png", "media_type": "image/png", "size": len(PNG)}


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ([{"name": "x", "media_type": "image/png", "size": 3}], "attachment without its data"),
        ([{"name": "x", "media_type": "image/png", "data": "no base64!"}], None),
        ([{"name": 3, "media_type": "image/png", "data": ""}], None),
        (["text"], None),
        ({"name": "x"}, None),
        ([None], None),
        (7, None),
    ],
)
def test_what_makes_no_sense_is_left_out_and_counted(store, tmp_path, given, why):
    file = tmp_path / "x.jsonl"
    result = exported(store, "jsonl", with_images(PHOTO)).splitlines()
    record = json.loads(result[2]) | {"attachments": given}
    file.write_text("\n".join([*result[:2], json.dumps(record), *result[3:]]))
    with Store(tmp_path / "new.db") as new:
        report = import_file(new, file)
        assert report.skipped == {why or "malformed attachment": 1}
        assert (report.messages, attached(new)) == (2, [])


def test_a_message_that_was_taken_without_its_images_gets_them(store, tmp_path):
    result = with_images(PHOTO, PLAN)
    file = tmp_path / "x.jsonl"
    file.write_text(exported(store, "jsonl", result))
    with Store(tmp_path / "new.db") as new:
        bare = result._replace(messages=[item._replace(attachments=()) for item in result.messages])
        store_all(new, [bare], ImportReport())
        assert import_file(new, file).present == 2
        assert import_file(new, file).present == 2
        assert contents(new) == contents(store)


def test_markdown_names_them(store):
    text = exported(store, "md", with_images(PHOTO, PLAN._replace(name="a](http://x)*\nb")))
    assert "## You\n\n[image trip/photo.png, 264 bytes]\n\n" in text
    assert "\n[image a\\](http://x)\\* b, 12 bytes]\n\nwhat?\n" in text
    other = exported(store, "md", with_images(PHOTO._replace(data=bytes(34_500)), prompt=""))
    assert "## You\n\n[image trip/photo.png, 34 KiB]\n\n## p/m" in other


def test_html_holds_the_pictures(store):
    evil = Image("image/svg+xml", b"<svg onload=alert(1)>", '"><script>alert(1)</script>')
    odd = Image('image/png" onerror="alert(1)', b"x", "odd")
    output = PHOTO._replace(name=evil.name)
    page = Page(exported(store, "html", with_images(PHOTO, output, evil, odd)))
    assert page.tags.count("img") == 2
    assert ("alt", evil.name) in page.attributes
    assert ("src", f"data:image/png;base64,{PHOTO.base64}") in page.attributes
    assert ("alt", "trip/photo.png") in page.attributes
    assert "script" not in page.tags
    assert '"><script>alert(1)</script>, 21 bytes' in page.text
    policy = next(value for _, value in page.attributes if value and "default-src" in value)
    assert policy == "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


# --- llm's ---

TABLES = """
CREATE TABLE attachments (id TEXT PRIMARY KEY, type TEXT, path TEXT, url TEXT, content BLOB);
"""


def fill_llm(path, folder):
    """Five attachments: bytes, a file that is there, one that changed, a URL, a PDF."""
    (folder / "there.png").write_bytes(PNG)
    (folder / "changed.png").write_bytes(PNG + b"more")
    digest = hashlib.sha256(PNG).hexdigest()
    rows = [
        ("bytes", "image/png", None, None, PNG),
        (digest, "image/png", str(folder / "there.png"), None, None),
        ("f" * 64, "image/png", str(folder / "changed.png"), None, None),
        ("url", "image/png", None, "https://example.org/a.png", None),
        ("pdf", "application/pdf", None, None, b"%PDF-"),
    ]
    conn = sqlite3.connect(path)
    conn.executemany("INSERT INTO attachments VALUES (?, ?, ?, ?, ?)", rows)
    conn.commit()
    return conn, [row[0] for row in rows]


LEFT_OUT = {
    "attachment whose file is gone or changed": 1,
    "attachment with only a URL": 1,
    "attachment that isn't an image": 1,
}
TAKEN = [("image/png", PNG, ""), ("image/png", PNG, "there.png")]


def test_llm_before_0_32_has_them_beside_the_prompt(store, tmp_path):
    sql = OLD_LLM.replace("CREATE TABLE attachments (id TEXT);", TABLES)
    sql = sql.replace("INSERT INTO attachments VALUES ('a1');", "")
    link = 'CREATE TABLE prompt_attachments (response_id TEXT, attachment_id TEXT, "order" INTEGER)'
    file = llm_file(tmp_path / "logs.db", f"{sql}{link};")
    conn, names = fill_llm(file, tmp_path)
    rows = [("r1", name, at) for at, name in enumerate(names)]
    conn.executemany("INSERT INTO prompt_attachments VALUES (?, ?, ?)", rows)
    conn.execute("UPDATE responses SET prompt = '' WHERE id = 'r1'")
    conn.commit()
    conn.close()
    assert import_file(store, file).skipped == LEFT_OUT
    assert attached(store) == TAKEN
    first = tree.branch(store, store.conversations()[0].id)[0]
    assert (first.role, first.text, len(first.attachments)) == ("user", "", 2)
    assert import_file(store, file).present == 6
    assert len(attached(store)) == 2


def test_llm_from_0_32_on_has_them_as_parts(store, tmp_path):
    link = 'CREATE TABLE part_attachments (part_id INTEGER, attachment_id TEXT, "order" INTEGER)'
    file = llm_file(tmp_path / "logs.db", f"{NEW_LLM}{TABLES}{link};")
    conn, names = fill_llm(file, tmp_path)
    for at, name in enumerate(names):
        part = "INSERT INTO parts VALUES (?, 'u1', ?, 'attachment', NULL)"
        conn.execute(part, (20 + at, 5 + at))
        conn.execute("INSERT INTO part_attachments VALUES (?, ?, 0)", (20 + at, name))
    conn.execute("INSERT INTO attachments (id) VALUES ('unused')")
    conn.commit()
    conn.close()
    calls = {"part of type `tool_call`": 1, "attachment": 1}
    assert import_file(store, file).skipped == {**LEFT_OUT, **calls}
    assert attached(store) == TAKEN
    assert tree.nodes(store, store.latest())[0].attachments


@pytest.mark.parametrize(
    ("prompt", "names", "title"),
    [
        ("==> docs/notes.md <==\n# Head", [], "notes.md"),
        ("==> notes.md <==", ["a.png"], "notes.md"),
        ("==> https://example.org/a/b <==\nx", [], "https://example.org/a/b"),
        ("compare\n\n==> notes.md <==\n# Head", ["a.png"], "compare ==> notes.md <== # Head"),
        ("", ["/home/me/a b.png", "c.png"], "a b.png"),
        ("", ["", "c.png"], "c.png"),
        ("", [], ""),
        ("==> is an arrow", [], "==> is an arrow"),
        ("==>  <==\nx", ["c.png"], "c.png"),
        (f"==> {'n' * 99} <==\n", [], "n" * 79 + "…"),
    ],
)
def test_a_title_is_what_was_typed_or_else_the_name_of_a_file(prompt, names, title):
    assert title_from(prompt, names) == title
