"""The file of the input history: private, shared, trimmed, and read whatever is in it."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given
from hypothesis import strategies as st

from darkai_cli.repl import input_history
from darkai_cli.repl.input_history import InputHistory


def loaded(file: Path) -> list[str]:
    """The entries that another session reads, the newest first."""
    return list(InputHistory(file).load_history_strings())


def test_entries_are_private_and_shared_between_sessions(tmp_path):
    file = tmp_path / "folder" / "lines"
    first, second = InputHistory(file), InputHistory(file)
    first.append_string("first")
    second.append_string("second\nline")
    first.append_string("first")
    assert loaded(file) == ["first", "second\nline"]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_token_is_stored_as_the_text_it_stands_for(tmp_path):
    lines = InputHistory(tmp_path / "lines", str.upper)
    lines.append_string("token")
    assert lines.get_strings() == ["TOKEN"]
    assert loaded(tmp_path / "lines") == ["TOKEN"]


@given(st.binary(max_size=200), st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_a_damaged_file_costs_only_its_own_entries(data, entry):
    with TemporaryDirectory() as folder:
        file = Path(folder, "lines")
        file.write_bytes(data)
        list(InputHistory(file).load_history_strings())
        InputHistory(file).append_string(entry)
        assert loaded(file)[0] == entry


def test_the_file_is_trimmed_to_its_newest_lines_at_the_start(tmp_path, monkeypatch):
    file = tmp_path / "lines"
    lines = InputHistory(file)
    for number in range(50):
        lines.append_string(f"entry {number}\nof two lines")
    monkeypatch.setattr(input_history, "MAX_LINES", 41)
    assert loaded(file) == [f"entry {number}\nof two lines" for number in range(49, 39, -1)]
    assert len(file.read_bytes().splitlines()) <= 41
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_entries_of_the_old_format_are_converted_once(tmp_path):
    file = tmp_path / "lines"
    rows = ["first", "second\nline", "\ud800"]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows) + '"torn')
    assert loaded(file) == ["second\nline", "first"]
    InputHistory(file).append_string('"third"')
    assert loaded(file) == ['"third"', "second\nline", "first"]
    assert file.read_bytes().count(b"\n+first\n") == 1


def test_only_a_regular_file_is_read_or_written(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    for name in ("pipe", "link", "."):
        lines = InputHistory(tmp_path / name)
        assert list(lines.load_history_strings()) == []
        lines.append_string("x")
        assert lines.get_strings() == ["x"]
    assert not (tmp_path / "elsewhere").exists()
