from __future__ import annotations

import json
import sqlite3

import pytest
from history.histories import branches, contents, drafts, fill
from hypothesis import given, settings
from hypothesis import strategies as st

from darkai_cli.errors import InputError
from darkai_cli.history import export, tree
from darkai_cli.history.importers import import_file
from darkai_cli.history.store import Store


@pytest.fixture
def store(database):
    with Store(database) as opened:
        yield opened


def texts(store):
    (result,) = store.conversations()
    return [(n.role, n.text) for n in tree.branch(store, result.id)]


def node(key, parent, role, *parts, children=(), kind="text", **more):
    message = {
        "author": {"role": role},
        "create_time": 1_700_000_000.5,
        "content": {"content_type": kind, "parts": list(parts)},
        "status": "finished_successfully",
        "metadata": {"model_slug": "gpt-x"},
    }
    return {"id": key, "parent": parent, "children": list(children), "message": message | more}


CHATGPT = [
    {
        "title": "Trees",
        "conversation_id": "c-1",
        "create_time": 1_700_000_000.0,
        "update_time": 1_700_000_100.0,
        "current_node": "b2",
        "mapping": {
            "root": {"id": "root", "parent": None, "children": ["s"], "message": None},
            "s": node("s", "root", "system", "", children=["u"]),
            "u": node(
                "u",
                "s",
                "user",
                "why",
                {"asset_pointer": "x"},
                children=["t"],
                kind="multimodal_text",
            ),
            "t": node("t", "u", "assistant", kind="thoughts", children=["b1", "b2"]),
            "b1": node("b1", "t", "assistant", "because"),
            "b2": node(
                "b2", "t", "assistant", "cut", metadata={"finish_details": {"type": "max_tokens"}}
            ),
        },
    },
    {"title": "broken", "mapping": {"x": None}},
    "nonsense",
]


def test_chatgpt(store, tmp_path):
    file = tmp_path / "conversations.json"
    file.write_text(json.dumps(CHATGPT))
    seen = []
    report = import_file(store, file, lambda done, total: seen.append((done, total)))
    assert (report.source, report.conversations, report.messages) == ("chatgpt", 1, 3)
    assert report.skipped == {
        "hidden message": 1,
        "image or file, named in the text": 1,
        "message of type `thoughts`": 1,
        "malformed conversation": 2,
    }
    assert seen == [(1, 3), (2, 3), (3, 3)]
    assert texts(store) == [("user", "why\n[file]"), ("assistant", "cut")]
    (result,) = store.conversations()
    assert (result.title, result.created, result.updated, result.source) == (
        "Trees",
        1_700_000_000_000,
        1_700_000_100_000,
        "chatgpt",
    )
    states = {t.model: t.state for t in store.turns(result.id)}
    assert states == {"gpt-x": "complete", "": "truncated"}
    assert branches(store, result.id) == 2
    before = contents(store)
    again = import_file(store, file)
    assert (again.conversations, again.messages, again.present) == (0, 0, 3)
    assert contents(store) == before
    assert store.check() == []


def test_a_chatgpt_conversation_that_went_on_gets_the_rest(store, tmp_path):
    file = tmp_path / "conversations.json"
    file.write_text(json.dumps(CHATGPT))
    import_file(store, file)
    more = json.loads(json.dumps(CHATGPT))
    more[0]["mapping"]["b2"]["children"] = ["n"]
    more[0]["mapping"]["n"] = node("n", "b2", "user", "go on")
    more[0]["current_node"] = "n"
    file.write_text(json.dumps(more))
    report = import_file(store, file)
    assert (report.conversations, report.messages) == (0, 1)
    (result,) = store.conversations()
    assert texts(store)[-2:] == [("assistant", "cut"), ("user", "go on")]
    more[0]["mapping"]["n"]["children"] = ["o"]
    more[0]["mapping"]["o"] = node("o", "n", "assistant", "on")
    more[0]["current_node"] = "o"
    file.write_text(json.dumps(more))
    first = tree.branch(store, result.id)[0].id
    tree.switch(store, result.id, first)  # the branch that grows
    import_file(store, file)
    assert texts(store)[-1] == ("assistant", "on")
    other = next(n for n in tree.nodes(store, result.id) if n.text == "because")
    tree.switch(store, result.id, other.id)  # another: the user's choice
    more[0]["mapping"]["o"]["children"] = ["p"]
    more[0]["mapping"]["p"] = node("p", "o", "user", "and on")
    more[0]["current_node"] = "p"
    file.write_text(json.dumps(more))
    assert import_file(store, file).messages == 1
    assert texts(store)[-1] == ("assistant", "because")


PNG = b"\x89PNG\r\n\x1a\nrest"


def pointer(identifier, kind="image_asset_pointer"):
    return {"content_type": kind, "asset_pointer": f"file-service://{identifier}"}


def with_files(*parts, role="user", attachments=()):
    """A conversation of one message, which the parts are in."""
    spoken = node("u", None, role, *parts, kind="multimodal_text")
    spoken["message"]["metadata"] = {"attachments": list(attachments)}
    return [{"id": "c", "title": "t", "current_node": "u", "mapping": {"u": spoken}}]


def import_into(store, file, result):
    file.write_text(json.dumps(result))
    report = import_file(store, file)
    (message,) = tree.nodes(store, store.latest())
    return report.skipped, message.text, tree.images(store, message)


def test_a_picture_beside_chatgpts_file_is_taken(store, tmp_path):
    (tmp_path / "file-ab12-photo of me.png").write_bytes(PNG)
    (tmp_path / "user-1").mkdir()
    (tmp_path / "user-1" / "file_00cd-sanitized.png").write_bytes(PNG + b"2")
    skipped, text, images = import_into(
        store,
        tmp_path / "conversations.json",
        with_files(
            pointer("file-ab12"),
            "what is this?",
            {"content_type": "image_asset_pointer", "asset_pointer": "sediment://file_00cd"},
            attachments=[{"id": "file-ab12", "name": "me.png", "mime_type": "image/png"}],
        ),
    )
    assert (skipped, text) == ({}, "what is this?")
    assert [(image.media_type, image.data, image.name) for image in images] == [
        ("image/png", PNG, "me.png"),
        ("image/png", PNG + b"2", "file_00cd-sanitized.png"),
    ]


def test_a_picture_without_words_is_a_message(store, tmp_path):
    (tmp_path / "file-ab12.dat").write_bytes(PNG)
    result = with_files(pointer("file-ab12"))
    skipped, text, images = import_into(store, tmp_path / "conversations.json", result)
    assert (skipped, text, len(images)) == ({}, "", 1)


def test_what_is_not_there_has_a_line(store, tmp_path):
    (tmp_path / "file-notpng-x.png").write_bytes(b"<svg>")
    (tmp_path / "file-link.png").symlink_to(tmp_path / "secret.png")
    (tmp_path / "secret.png").write_bytes(PNG)
    skipped, text, images = import_into(
        store,
        tmp_path / "conversations.json",
        with_files(
            pointer("file-gone"),
            pointer("file-notpng"),
            pointer("file-link"),
            pointer("../secret.png"),
            pointer("file-a", "audio_asset_pointer"),
            {"content_type": "audio_transcription", "text": "hello"},
            None,
            attachments=[
                {"id": "file-gone", "name": "two\nlines.png", "mimeType": "image/png"},
                {"id": "file-pdf", "name": "../notes.pdf", "mimeType": "application/pdf"},
                "nonsense",
            ],
        ),
    )
    assert skipped == {"image or file, named in the text": 7}
    assert images == ()
    assert text.splitlines() == [
        "[image: two lines.png]", "[image]", "[image]", "[image]", "[audio]", "hello", "[file]",
        "[file: ../notes.pdf]",
    ]  # fmt: skip


def test_a_picture_that_a_tool_made_is_named(store, tmp_path):
    (tmp_path / "file-ab12.webp").write_bytes(PNG)
    result = with_files(pointer("file-ab12"), role="tool")
    assert import_into(store, tmp_path / "conversations.json", result)[1:] == ("[image]", ())


def test_a_circle_in_a_chatgpt_mapping_ends(store, tmp_path):
    ring = {
        "id": "c", "mapping": {
            "r": node("r", None, "user", "r", children=["a"]),
            "a": node("a", "r", "user", "a", children=["r", "a"]),
        },
    }  # fmt: skip
    file = tmp_path / "x.json"
    file.write_text(json.dumps([ring]))
    assert import_file(store, file).messages == 2


OLD_LLM = """
CREATE TABLE conversations (id TEXT PRIMARY KEY, name TEXT, model TEXT);
CREATE TABLE responses (id TEXT PRIMARY KEY, model TEXT, prompt TEXT, system TEXT, prompt_json TEXT,
  options_json TEXT, response TEXT, response_json TEXT, conversation_id TEXT, duration_ms INTEGER,
  datetime_utc TEXT, input_tokens INTEGER, output_tokens INTEGER);
CREATE TABLE attachments (id TEXT);
INSERT INTO conversations VALUES ('c1', 'first words', 'gpt');
INSERT INTO responses VALUES
  ('r1', 'gpt', 'hi', 'be kind', NULL, '{"temperature": 1}', 'hello', NULL, 'c1', 900, '2024-05-01T10:00:00.5', 3, 4),
  ('r2', 'gpt', 'more', NULL, NULL, NULL, 'sure', NULL, 'c1', 800, '2024-05-01T10:01:00+00:00', NULL, NULL),
  ('r3', 'gpt', 'alone', NULL, NULL, 'not json', 'ok', NULL, NULL, NULL, 'when?', NULL, NULL);
INSERT INTO attachments VALUES ('a1');
"""
NEW_LLM = """
CREATE TABLE responses (id TEXT PRIMARY KEY, prompt TEXT, response TEXT, datetime_utc TEXT);
CREATE TABLE messages (hash TEXT PRIMARY KEY, parent_hash TEXT, role TEXT);
CREATE TABLE parts (id INTEGER PRIMARY KEY, message_hash TEXT, position INTEGER, type TEXT, text TEXT);
CREATE TABLE fragments (id INTEGER PRIMARY KEY, content TEXT);
CREATE TABLE part_fragments (part_id INTEGER, fragment_id INTEGER);
CREATE TABLE threads (id TEXT PRIMARY KEY, name TEXT, datetime_utc TEXT);
CREATE TABLE turns (id TEXT PRIMARY KEY, thread_id TEXT, tip_message_hash TEXT, model TEXT,
  options_json TEXT, input_tokens INTEGER, output_tokens INTEGER, duration_ms INTEGER, datetime_utc TEXT);
INSERT INTO responses VALUES ('t1', 'hi', 'hello', '2026-01-01T00:00:00');
INSERT INTO messages VALUES ('s', NULL, 'system'), ('u1', 's', 'user'), ('a1', 'u1', 'assistant'),
  ('u2', 'a1', 'user'), ('a2', 'u2', 'assistant'), ('a3', 'u2', 'assistant');
INSERT INTO fragments VALUES (1, 'a long file');
INSERT INTO parts VALUES (1, 's', 0, 'text', 'be kind'), (2, 'u1', 0, 'text', 'hi'),
  (3, 'a1', 0, 'reasoning', 'hm'), (4, 'a1', 1, 'text', 'hello'), (5, 'u2', 0, 'text', ''),
  (6, 'a2', 0, 'text', 'sure'), (7, 'a2', 1, 'tool_call', NULL), (8, 'a3', 0, 'text', 'or so');
INSERT INTO part_fragments VALUES (5, 1);
INSERT INTO threads VALUES ('th', 'hi', '2026-01-01T00:00:00');
INSERT INTO turns VALUES
  ('t1', 'th', 'a1', 'gpt', NULL, 1, 2, 3, '2026-01-01T00:00:01'),
  ('t2', 'th', 'a2', 'gpt', NULL, 1, 2, 3, '2026-01-01T00:00:02'),
  ('t3', 'th', 'a3', 'gpt', NULL, 1, 2, 3, '2026-01-01T00:00:03');
"""


def llm_file(path, sql):
    conn = sqlite3.connect(path)
    conn.executescript(sql)
    conn.close()
    return path


def test_llm_before_0_32(store, tmp_path):
    file = llm_file(tmp_path / "logs.db", OLD_LLM)
    report = import_file(store, file)
    assert (report.source, report.conversations, report.messages) == ("llm", 2, 6)
    assert report.skipped == {"attachment": 1}
    first = store.conversations()[0]
    assert (first.title, first.turns, first.updated) == ("first words", 2, 1_714_557_660_000)
    assert [n.text for n in tree.branch(store, first.id)] == ["hi", "hello", "more", "sure"]
    turn = store.turns(first.id)[0]
    assert (turn.system, turn.options, turn.input_tokens, turn.duration_ms) == (
        "be kind",
        '{"temperature":1}',
        3,
        900,
    )
    assert import_file(store, file).present == 6
    assert store.check() == []


def test_llm_from_0_32_on(store, tmp_path):
    file = llm_file(tmp_path / "logs.db", NEW_LLM)
    report = import_file(store, file)
    assert (report.conversations, report.messages) == (1, 5)
    assert report.skipped == {"part of type `tool_call`": 1}
    (result,) = store.conversations()
    assert [(n.text, n.reasoning) for n in tree.branch(store, result.id)] == [
        ("hi", ""), ("hello", "hm"), ("a long file", ""), ("or so", "")
    ]  # fmt: skip
    assert [t.system for t in store.turns(result.id)] == ["be kind"] * 3
    assert import_file(store, file).present == 5
    assert store.check() == []


@pytest.mark.parametrize("content", [b"", b"hello", b"{}", b"[1]", b"[", b"\xff", b"[" * 100_000])
def test_a_file_of_no_known_kind_is_refused(store, tmp_path, content):
    file = tmp_path / "x"
    file.write_bytes(content)
    with pytest.raises(InputError):
        import_file(store, file)


def test_another_database_is_refused(store, tmp_path):
    with pytest.raises(InputError, match="not llm's"):
        import_file(store, llm_file(tmp_path / "x.db", "CREATE TABLE t (x)"))
    (tmp_path / "y.db").write_bytes((tmp_path / "x.db").read_bytes()[:2000])
    with pytest.raises(InputError):
        import_file(store, tmp_path / "y.db")
    with pytest.raises(InputError, match="Can't read"):
        import_file(store, tmp_path / "none")


@settings(max_examples=40)
@given(st.lists(drafts(), min_size=1, max_size=2), st.data())
def test_a_broken_export_is_taken_as_far_as_it_makes_sense(tmp_path_factory, result, data):
    folder = tmp_path_factory.mktemp("broken")
    with Store(folder / "one.db") as item, Store(folder / "two.db") as two:
        lines = "".join(export.export(item, fill(item, result), "jsonl")).split("\n")
        at = data.draw(st.integers(1, len(lines) - 1))
        action = data.draw(st.sampled_from(["drop", "cut", "junk", "swap"]))
        if action == "drop":
            del lines[at]
        elif action == "cut":
            lines[at] = lines[at][: len(lines[at]) // 2]
        elif action == "swap":
            lines[at], lines[-1] = lines[-1], lines[at]
        else:
            record = json.loads(lines[at] or "{}")
            key = data.draw(st.sampled_from([*record, "record"]))
            record[key] = data.draw(
                st.none() | st.integers() | st.booleans() | st.text(max_size=3) | st.just([])
            )
            lines[at] = json.dumps(record)
        file = folder / "broken.jsonl"
        file.write_text("\n".join(lines), "utf-8")
        import_file(two, file)
        assert two.check() == []
        known = {row[0] for row in item.rows("SELECT id FROM message")}
        assert {row[0] for row in two.rows("SELECT id FROM message")} <= known


def test_no_file_can_reach_into_another_conversation(store, tmp_path):
    first, second = tmp_path / "1.jsonl", tmp_path / "2.jsonl"
    head = {"record": "history", "version": 1}
    talk = {
        "record": "conversation",
        "id": "0" * 26,
        "title": "mine",
        "created": 1,
        "updated": 1,
        "active": "0" * 25 + "a",
        "source": "x",
    }
    spoken = {
        "record": "message",
        "id": "0" * 25 + "a",
        "conversation": "0" * 26,
        "parent": None,
        "role": "user",
        "text": "mine",
        "reasoning": "",
        "parts": [],
        "created": 1,
    }
    write = lambda file, *records: file.write_text("\n".join(map(json.dumps, records)))  # noqa: E731
    write(first, head, talk, spoken)
    import_file(store, first)
    stranger = talk | {"id": "0" * 25 + "1", "title": "theirs"}
    write(
        second, head, stranger,
        spoken | {"conversation": stranger["id"], "text": "stolen"},
        spoken | {"conversation": stranger["id"], "id": "0" * 25 + "b", "parent": spoken["id"]},
        spoken | {"text": "changed"},
    )  # fmt: skip
    report = import_file(store, second)
    assert report.messages == 0
    assert sum(report.skipped.values()) == 3
    assert store.rows("SELECT text FROM message") == [("mine",)]
    assert store.conversation(stranger["id"]).active is None


def test_a_newer_export_is_refused(store, tmp_path):
    file = tmp_path / "x.jsonl"
    file.write_text('{"record": "history", "version": 99}\n')
    with pytest.raises(InputError, match="newer"):
        import_file(store, file)
