"""aichat's sessions: taken once, exactly as they were written."""

from __future__ import annotations

import sys
from base64 import b64encode
from pathlib import Path

import pytest
from history.histories import branches
from hypothesis import given, settings
from hypothesis import strategies as st

from darkai_cli.errors import InputError
from darkai_cli.history import importers, tree
from darkai_cli.history.importers.draft import ImportReport
from darkai_cli.history.store import Store

yaml = pytest.importorskip("yaml")

SESSION = """\
model: openai:gpt-4o
temperature: 0.5
messages:
- role: system
  content: be brief
- role: user
  content: yes
- role: assistant
  content: |-
    At 12:30:00,
    no.
- role: user
  content:
  - type: text
    text: and this?
  - type: image_url
    image_url:
      url: data:image/png;base64,AAAA
"""
REST = """\
- role: assistant
  content: 2026-01-01
"""


def import_into(database: Path, file: Path) -> ImportReport:
    with Store(database) as store:
        return importers.import_file(store, file)


def counts(report: ImportReport) -> tuple[int, int, int]:
    return report.conversations, report.messages, report.present


def texts(database: Path) -> list[tuple[str, str]]:
    with Store(database) as store:
        latest = store.latest()
        assert latest is not None
        return [(node.role, node.text) for node in tree.branch(store, latest)]


@pytest.fixture
def session(tmp_path: Path) -> Path:
    file = tmp_path / "rust.yaml"
    file.write_text(SESSION)
    return file


def test_a_session_is_taken_and_scalars_stay_text(database: Path, session: Path):
    report = import_into(database, session)
    assert (report.source, *counts(report)) == ("aichat", 1, 3, 0)
    assert report.skipped == {"part of type `image_url`": 1}
    assert texts(database) == [
        ("user", "yes"), ("assistant", "At 12:30:00,\nno."), ("user", "and this?\n[image]"),
    ]  # fmt: skip
    with Store(database) as store:
        [result] = store.conversations()
        assert (result.title, result.source, result.model) == ("rust", "aichat", "openai:gpt-4o")
        [turn] = store.turns(result.id)
        assert (turn.system, turn.options) == ("be brief", '{"temperature":0.5}')
        assert store.check() == []


def test_images_that_are_in_a_session_are_taken_and_others_are_named(database: Path, session: Path):
    import_into(database, session)
    png = b64encode(b"\x89PNG\r\n\x1a\nrest").decode()
    session.write_text(
        SESSION
        + f"""\
- role: user
  content:
  - type: image_url
    image_url:
      url: data:image/jpeg;base64,{png}
  - type: image_url
    image_url:
      url: https://example.org/a.png
- role: user
  content:
  - type: image_url
    image_url:
      url: data:image/png;base64,{png}
- role: assistant
  content: two of them
"""
    )
    report = import_into(database, session)
    assert (report.source, *counts(report)) == ("aichat", 0, 3, 3)
    assert report.skipped == {"part of type `image_url`": 2}
    assert counts(import_into(database, session)) == (0, 0, 6)
    assert texts(database)[3:] == [
        ("user", "[image: https://example.org/a.png]"), ("user", ""), ("assistant", "two of them"),
    ]  # fmt: skip
    with Store(database) as store:
        result = store.rows("SELECT media_type, data FROM attachment")
        assert result == [("image/png", b"\x89PNG\r\n\x1a\nrest")] * 2
        assert store.check() == []


def test_a_session_that_has_grown_adds_what_is_new(database: Path, session: Path):
    import_into(database, session)
    assert counts(import_into(database, session)) == (0, 0, 3)
    session.write_text(SESSION + REST)
    assert counts(import_into(database, session)) == (0, 1, 3)
    with Store(database) as store:
        [result] = store.conversations()
        assert len(tree.nodes(store, result.id)) == 4
        assert branches(store, result.id) == 1


def test_a_session_that_was_compressed_meets_itself(database: Path, session: Path):
    import_into(database, session)
    compressed = SESSION.replace("messages:", "compressed_messages:")
    session.write_text(
        f"{compressed}messages:\n- role: system\n  content: in short\n{REST}",
    )
    assert counts(import_into(database, session)) == (0, 1, 3)


@pytest.mark.parametrize(
    "text",
    ["model: x\n", "model: x\nmessages: 3\n", "model: x\nmessages: [\n", "model: x\n\x01",
     "model: x\nmessages: []\ncompressed_messages: a\n", "model: " + "[" * 5000],
)  # fmt: skip
def test_what_is_no_session_is_an_input_error(database: Path, tmp_path: Path, text: str):
    file = tmp_path / "odd.yaml"
    file.write_text(text)
    with pytest.raises(InputError, match=r"odd\.yaml"):
        import_into(database, file)


VALUES = st.recursive(
    st.text(max_size=8) | st.sampled_from(["user", "assistant", "text", "role", "content"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["role", "content", "type", "text"]), inner, max_size=4)
    ),
    max_leaves=12,
)


@settings(max_examples=60, deadline=None)
@given(st.lists(VALUES, max_size=4))
def test_no_list_of_messages_breaks_it(tmp_path_factory: pytest.TempPathFactory, spoken: list):
    folder = tmp_path_factory.mktemp("odd")
    file = folder / "odd.yaml"
    file.write_text("model: x\n" + yaml.safe_dump({"messages": spoken}))
    report = import_into(folder / "history.db", file)
    assert report.messages + report.present <= len(spoken)


def test_without_a_yaml_reader_it_says_what_to_install(
    database: Path, session: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(sys.modules, "yaml", None)
    with pytest.raises(InputError, match="PyYAML") as message:
        import_into(database, session)
    assert message.value.hint == '`pip install "darkai-cli[import]"`'
